"""Compiled loops of pooling: a row of the output at a time, tap by tap of the window.

Row o of a channel takes from row o s_h − p_top + a of the image, for each tap (a, b), the
columns q s_w − p_left + b that lie in it: loops over memory that is side by side. Indices of
these loops are unsigned, as for signed ones Numba asks whether they count from the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from .pool3x3_loops import largest_pool3x3, scatter_pool3x3, size_of_pool3x3

__all__ = ["Pane", "average", "average_back", "largest", "largest_back"]


class Pane(NamedTuple):
    """The window of a pooling layer."""

    kh: int  # size
    kw: int
    sh: int  # stride
    sw: int
    top: int  # padding
    left: int


@compiled
def _halves(p: Pane, x: Array, y: Array) -> bool:
    """Whether windows of 2×2 stand side by side in the image, from the corner on: most do."""
    square = p.kh == 2 and p.kw == 2 and p.sh == 2 and p.sw == 2
    inside = 2 * y.shape[0] <= x.shape[0] and 2 * y.shape[1] <= x.shape[1]
    return square and p.top == 0 and p.left == 0 and inside


@compiled
def _room_for_pool3x3(p: Pane, y: Array) -> tuple[Array, Array, Array]:
    """Room for what `pool3x3_loops.py` works on; none for other windows than 3×3 at 2."""
    fits = p.kh == 3 and p.kw == 3 and p.sh == 2 and p.sw == 2 and p.top <= 2 and p.left <= 2
    size = size_of_pool3x3(y.shape[2], y.shape[3]) if fits else 0
    more = size + y.shape[3] + 2 if fits else 0
    return np.empty((4, size), y.dtype), np.empty(more, y.dtype), np.empty(more, y.dtype)


@compiled
def _columns(p: Pane, b: int, width: int, ow: int) -> tuple[int, int]:
    """First output that has tap b in the image, and how many have."""
    begin = max(0, (p.left - b + p.sw - 1) // p.sw)
    end = min(ow, (width - 1 + p.left - b) // p.sw + 1)
    return begin, max(0, end - begin)


@compiled
def largest(x: Array, p: Pane, y: Array, codes: Array) -> None:
    """Fill y with the largest, and codes with the tap a·k_w + b where that is."""
    planes, values, marks_of = _room_for_pool3x3(p, y)
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            pixels, to = x[i, c], y[i, c]
            marks = codes[i, c] if codes.size else codes[0, 0]
            if _halves(p, pixels, to):
                _largest_halves(pixels, to, marks)
                continue
            if planes.size:
                largest_pool3x3(pixels, p.top, p.left, to, marks, planes, values, marks_of)
                continue
            for o in range(y.shape[2]):
                _largest_row(pixels, p, o, to, marks)


@compiled
def _largest_halves(x: Array, y: Array, codes: Array) -> None:
    two, one = np.uintp(2), np.uintp(1)
    for o in range(np.uintp(y.shape[0])):
        above, below = two * o, two * o + one
        for k in range(np.uintp(y.shape[1])):
            q = two * k
            u, v, w, z = x[above, q], x[above, q + one], x[below, q], x[below, q + one]
            m, n = u if u > v else v, w if w > z else z
            m = m if m > n else n
            total = u + v + w + z
            y[o, k] = m if total == total else total  # NaN has no order
    if codes.size:
        for o in range(np.uintp(y.shape[0])):
            above, below = two * o, two * o + one
            for k in range(np.uintp(y.shape[1])):
                q = two * k
                u, v, w, z = x[above, q], x[above, q + one], x[below, q], x[below, q + one]
                m, n = u if u > v else v, w if w > z else z
                upper = codes.dtype.type(0 if u >= v else 1)
                lower = codes.dtype.type(2 if w >= z else 3)
                codes[o, k] = upper if m >= n else lower


@compiled
def _scatter_halves(dy: Array, codes: Array, dx: Array) -> None:
    two, one, zero = np.uintp(2), np.uintp(1), dy.dtype.type(0)
    for o in range(np.uintp(dy.shape[0])):
        above, below = two * o, two * o + one
        for k in range(np.uintp(dy.shape[1])):
            v, q = dy[o, k], two * k
            code = dy.dtype.type(codes[o, k])  # as wide as v: the choice is a vector then
            dx[above, q] = v if code == 0 else zero
            dx[above, q + one] = v if code == 1 else zero
            dx[below, q] = v if code == 2 else zero
            dx[below, q + one] = v if code == 3 else zero


@compiled
def _average_halves(x: Array, y: Array) -> None:
    two, one, quarter = np.uintp(2), np.uintp(1), y.dtype.type(0.25)
    for o in range(np.uintp(y.shape[0])):
        above, below = two * o, two * o + one
        for k in range(np.uintp(y.shape[1])):
            q = two * k
            total = x[above, q] + x[above, q + one] + x[below, q] + x[below, q + one]
            y[o, k] = quarter * total


@compiled
def _spread_halves(dy: Array, dx: Array) -> None:
    two, one, quarter = np.uintp(2), np.uintp(1), dy.dtype.type(0.25)
    for o in range(np.uintp(dy.shape[0])):
        above, below = two * o, two * o + one
        for k in range(np.uintp(dy.shape[1])):
            v, q = quarter * dy[o, k], two * k
            dx[above, q] = v
            dx[above, q + one] = v
            dx[below, q] = v
            dx[below, q + one] = v


@compiled
def _clear_rest(dx: Array, height: int, width: int) -> None:
    """Zero the row and the column that whole windows leave over."""
    dx[height:] = 0
    dx[:height, width:] = 0


@compiled
def _largest_row(x: Array, p: Pane, o: int, y: Array, codes: Array) -> None:
    """One row; of equal pixels the first, and NaN above all."""
    line, two = np.uintp(o), np.uintp(2)
    lowest, keep = y.dtype.type(-np.inf), codes.size > 0
    for u in range(np.uintp(y.shape[1])):
        y[line, u] = lowest
        if keep:
            codes[line, u] = 0
    for a in range(p.kh):
        r = o * p.sh - p.top + a
        if r < 0 or r >= x.shape[0]:
            continue
        row = np.uintp(r)
        for b in range(p.kw):
            begin, size = _columns(p, b, x.shape[1], y.shape[1])
            to, source = np.uintp(begin), np.uintp(begin * p.sw - p.left + b)
            code, step = codes.dtype.type(a * p.kw + b), np.uintp(p.sw)
            if p.sw == 2:
                for u in range(np.uintp(size)):
                    v, m = x[row, source + two * u], y[line, to + u]
                    stays = (m >= v) | (m != m)
                    y[line, to + u] = m if stays else v
                    if keep:
                        codes[line, to + u] = codes[line, to + u] if stays else code
            else:
                for u in range(np.uintp(size)):
                    v, m = x[row, source + step * u], y[line, to + u]
                    stays = (m >= v) | (m != m)
                    y[line, to + u] = m if stays else v
                    if keep:
                        codes[line, to + u] = codes[line, to + u] if stays else code


@compiled
def largest_back(dy: Array, codes: Array, p: Pane, dx: Array) -> None:
    """Add each number of dy to the pixel that its code names; dx comes in as anything."""
    planes, values, marks_of = _room_for_pool3x3(p, dy)
    for i in range(dx.shape[0]):
        for c in range(dx.shape[1]):
            source, to, marks = dy[i, c], dx[i, c], codes[i, c]
            if _halves(p, to, source):
                _scatter_halves(source, marks, to)
                _clear_rest(to, 2 * dy.shape[2], 2 * dy.shape[3])
            elif planes.size:
                scatter_pool3x3(source, marks, p.top, p.left, to, planes, values, marks_of)
            else:
                _scatter(source, marks, p, to)


@compiled
def _scatter(dy: Array, codes: Array, p: Pane, dx: Array) -> None:
    dx[...] = 0
    height, width = dx.shape
    for o in range(dy.shape[0]):
        for q in range(dy.shape[1]):
            code = np.intp(codes[o, q])
            r = o * p.sh - p.top + code // p.kw
            k = q * p.sw - p.left + code % p.kw
            if 0 <= r < height and 0 <= k < width:  # always, but for images of -inf
                dx[r, k] += dy[o, q]


@compiled
def average(x: Array, p: Pane, share: Array, y: Array) -> None:
    """Y = share ∘ sum over the window."""
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            pixels, to = x[i, c], y[i, c]
            if _halves(p, pixels, to):
                _average_halves(pixels, to)
                continue
            for o in range(y.shape[2]):
                _average_row(pixels, p, share, o, to)


@compiled
def _average_row(x: Array, p: Pane, share: Array, o: int, y: Array) -> None:
    line, two = np.uintp(o), np.uintp(2)
    for u in range(np.uintp(y.shape[1])):
        y[line, u] = 0
    for a in range(p.kh):
        r = o * p.sh - p.top + a
        if r < 0 or r >= x.shape[0]:
            continue
        row = np.uintp(r)
        for b in range(p.kw):
            begin, size = _columns(p, b, x.shape[1], y.shape[1])
            to, source = np.uintp(begin), np.uintp(begin * p.sw - p.left + b)
            step = np.uintp(p.sw)
            if p.sw == 2:
                for u in range(np.uintp(size)):
                    y[line, to + u] += x[row, source + two * u]
            else:
                for u in range(np.uintp(size)):
                    y[line, to + u] += x[row, source + step * u]
    for u in range(np.uintp(y.shape[1])):
        y[line, u] *= share[line, u]


@compiled
def average_back(dy: Array, p: Pane, share: Array, dx: Array) -> None:
    """Spread share ∘ dy over the pixels of each window."""
    scaled = np.empty(dy.shape[3], dy.dtype)
    for i in range(dx.shape[0]):
        for c in range(dx.shape[1]):
            source, to = dy[i, c], dx[i, c]
            if _halves(p, to, source):
                _spread_halves(source, to)
                _clear_rest(to, 2 * dy.shape[2], 2 * dy.shape[3])
                continue
            to[...] = 0
            for o in range(dy.shape[2]):
                _spread_row(source, p, share, o, scaled, to)


@compiled
def _spread_row(dy: Array, p: Pane, share: Array, o: int, scaled: Array, dx: Array) -> None:
    line, two = np.uintp(o), np.uintp(2)
    for u in range(np.uintp(dy.shape[1])):
        scaled[u] = dy[line, u] * share[line, u]
    for a in range(p.kh):
        r = o * p.sh - p.top + a
        if r < 0 or r >= dx.shape[0]:
            continue
        row = np.uintp(r)
        for b in range(p.kw):
            begin, size = _columns(p, b, dx.shape[1], dy.shape[1])
            source, to = np.uintp(begin), np.uintp(begin * p.sw - p.left + b)
            step = np.uintp(p.sw)
            if p.sw == 2:
                for u in range(np.uintp(size)):
                    dx[row, to + two * u] += scaled[source + u]
            else:
                for u in range(np.uintp(size)):
                    dx[row, to + step * u] += scaled[source + u]
