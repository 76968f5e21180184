"""Max-pooling over 3×3 pixels at every second: the window of most networks after 2×2.

The padded image is cut into four planes by the parity of row and column. With s numbers to
a row of a plane, one more than outputs, the nine pixels of output p = o s + q then are

    A[p]      B[p]      A[p + 1]            A, B: even rows, even and odd columns
    C[p]      D[p]      C[p + 1]            C, D: odd rows, even and odd columns
    A[p + s]  B[p + s]  A[p + s + 1]

for all outputs in one loop over memory that is side by side. Back the same way: a pixel of A
was seen by the outputs p, p − 1, p − s and p − s − 1, as their first, third, seventh and ninth.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

__all__ = ["largest_pool3x3", "scatter_pool3x3", "size_of_pool3x3"]

NOWHERE = 255.0  # code of a place that is no output


@compiled
def size_of_pool3x3(height: int, width: int) -> int:
    """Numbers of a plane for so many outputs."""
    return (height + 1) * (width + 1) + 1


@compiled
def _fill(x: Array, value: float) -> None:
    v = x.dtype.type(value)
    for i in range(np.uintp(x.size)):
        x[i] = v


@compiled
def _cut(x: Array, top: int, left: int, step: int, planes: Array) -> None:
    """Fill the planes: the image, and −∞ around it."""
    _fill(planes.reshape(-1), -np.inf)
    two = np.uintp(2)
    rows = (planes.shape[1] - 1) // step
    for i in range(x.shape[0]):
        r = i + top
        if r // 2 >= rows:
            break
        line = np.uintp(i)
        for parity in range(2):
            plane = np.uintp(2 * (r % 2) + parity)
            first = (left + 1 - parity) // 2  # the column of the plane where the image begins
            k = 2 * first + parity - left
            size = max(0, min((x.shape[1] - k + 1) // 2, step - first))
            to, source = np.uintp(r // 2 * step + first), np.uintp(k)
            for q in range(np.uintp(size)):
                planes[plane, to + q] = x[line, source + two * q]


@compiled
def _larger(m: float, v: float) -> float:
    """The first if it is as large, or NaN."""
    return m if (m >= v) | (m != m) else v


@compiled
def _larger_at(m: float, tap: float, v: float, other: float) -> tuple[float, float]:
    stays = (m >= v) | (m != m)
    return (m if stays else v), (tap if stays else other)


@compiled
def largest_pool3x3(
    x: Array, top: int, left: int, y: Array, codes: Array, planes: Array, best: Array, marks: Array
) -> None:
    """Fill y with the largest and, where they are asked for, codes with the tap it has."""
    height, width = y.shape
    s, one = np.uintp(width + 1), np.uintp(1)
    _cut(x, top, left, width + 1, planes)
    a, b, c, d = planes[0], planes[1], planes[2], planes[3]
    for p in range(np.uintp(height * (width + 1))):
        m = _larger(_larger(a[p], b[p]), a[p + one])
        m = _larger(_larger(_larger(m, c[p]), d[p]), c[p + one])
        best[p] = _larger(_larger(_larger(m, a[p + s]), b[p + s]), a[p + s + one])
    for o in range(np.uintp(height)):
        for q in range(np.uintp(width)):
            y[o, q] = best[o * s + q]
    if codes.size:
        t0, t1, t2, t3 = y.dtype.type(0), y.dtype.type(1), y.dtype.type(2), y.dtype.type(3)
        t4, t5, t6, t7 = y.dtype.type(4), y.dtype.type(5), y.dtype.type(6), y.dtype.type(7)
        t8 = y.dtype.type(8)
        for p in range(np.uintp(height * (width + 1))):
            m, tap = a[p], t0
            m, tap = _larger_at(m, tap, b[p], t1)
            m, tap = _larger_at(m, tap, a[p + one], t2)
            m, tap = _larger_at(m, tap, c[p], t3)
            m, tap = _larger_at(m, tap, d[p], t4)
            m, tap = _larger_at(m, tap, c[p + one], t5)
            m, tap = _larger_at(m, tap, a[p + s], t6)
            m, tap = _larger_at(m, tap, b[p + s], t7)
            m, tap = _larger_at(m, tap, a[p + s + one], t8)
            marks[p] = tap
        for o in range(np.uintp(height)):
            for q in range(np.uintp(width)):
                codes[o, q] = codes.dtype.type(marks[o * s + q])


@compiled
def scatter_pool3x3(
    dy: Array, codes: Array, top: int, left: int, dx: Array, planes: Array, slopes: Array,
    marks: Array,
) -> None:  # fmt: skip
    """Add each number of dy to the pixel that its code names; dx comes in as anything."""
    height, width = dy.shape
    s, one, zero = np.uintp(width + 1), np.uintp(1), dy.dtype.type(0)
    before = s + one
    _fill(slopes, 0.0)
    _fill(marks, NOWHERE)
    for o in range(np.uintp(height)):
        for q in range(np.uintp(width)):
            slopes[before + o * s + q] = dy[o, q]
            marks[before + o * s + q] = dy.dtype.type(codes[o, q])
    a, b, c, d = planes[0], planes[1], planes[2], planes[3]
    t0, t1, t2, t3 = dy.dtype.type(0), dy.dtype.type(1), dy.dtype.type(2), dy.dtype.type(3)
    t4, t5, t6, t7 = dy.dtype.type(4), dy.dtype.type(5), dy.dtype.type(6), dy.dtype.type(7)
    t8 = dy.dtype.type(8)
    for p in range(np.uintp(planes.shape[1])):
        here, side, above = p + before, p + s, p + one  # outputs p, p − 1, p − s; p − s − 1 is p
        a[p] = (
            (slopes[here] if marks[here] == t0 else zero)
            + (slopes[side] if marks[side] == t2 else zero)
            + (slopes[above] if marks[above] == t6 else zero)
            + (slopes[p] if marks[p] == t8 else zero)
        )
        b[p] = (slopes[here] if marks[here] == t1 else zero) + (
            slopes[above] if marks[above] == t7 else zero
        )
        c[p] = (slopes[here] if marks[here] == t3 else zero) + (
            slopes[side] if marks[side] == t5 else zero
        )
        d[p] = slopes[here] if marks[here] == t4 else zero
    _put_together(planes, top, left, width + 1, dx)


@compiled
def _put_together(planes: Array, top: int, left: int, step: int, dx: Array) -> None:
    """Write the planes' numbers to their pixels; zeros where no window came."""
    rows, two, one = (planes.shape[1] - 1) // step, np.uintp(2), np.uintp(1)
    first = (left + 1) // 2  # the first column of the planes of even ones in the image
    start = 2 * first - left
    pairs = max(0, min((dx.shape[1] - start) // 2, step - first))
    for i in range(dx.shape[0]):
        r, line = i + top, np.uintp(i)
        if r // 2 >= rows:
            _fill(dx[i], 0.0)
            continue
        even, odd = np.uintp(2 * (r % 2)), np.uintp(2 * (r % 2) + 1)
        source, to = np.uintp(r // 2 * step + first), np.uintp(start)
        if start == 1:
            dx[line, np.uintp(0)] = planes[odd, source - one]
        for q in range(np.uintp(pairs)):
            dx[line, to + two * q] = planes[even, source + q]
            dx[line, to + two * q + one] = planes[odd, source + q]
        for k in range(start + 2 * pairs, dx.shape[1]):
            inside = first + pairs < step and k == start + 2 * pairs
            dx[line, np.uintp(k)] = planes[even, source + np.uintp(pairs)] if inside else 0
