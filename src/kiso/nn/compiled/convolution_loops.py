"""Compiled loops of convolutions: images side by side in a strip, filters as shifts of it.

A strip holds B padded images side by side, channel by channel, so that a tap of a filter is
the whole strip seen from another place. With x the strip as one flat array,

    y[f, p] = Σ_k W[f, k] x[p + off[k]]        k = (channel, a, b), p = (row, image, column)

for all p at once, in long loops over memory that is side by side: a product with the im2col
matrix that is never made. Positions p where a filter would see two images give numbers that
nobody reads; where those would be many, each column of taps gets a plane of its own that is
as narrow as the output, and nothing is lost. A stride s cuts the strip into s_h s_w phases,
each its own plane: a tap then is a shift of the plane of its phase. Backwards, with ∂C/∂y
in a strip that is 0 at those positions,

    ∂C/∂W[f, k] = Σ_p dy[f, p] x[p + off[k]],   ∂C/∂x[q] = Σ_{f,k} W[f, k] dy[f, q − off[k]].

These products go through registers (`kiso._compute.microkernels`), whose rows may lie anywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.atomics import fetch_increment
from kiso._compute.jit import compiled
from kiso._compute.microkernels import (
    inner_tile_at_1x4,
    inner_tile_at_4x4,
    outer_tile_at_1x2,
    outer_tile_at_4x2,
    outer_tile_at_full,
    tile_rows,
    vector_lanes,
)
from kiso._validation import Array

__all__ = [
    "AFTER_POOL",
    "AFTER_RELU",
    "PLAIN",
    "VECTOR",
    "Strip",
    "backward_lanes",
    "forward_lanes",
]

PLAIN, AFTER_RELU, AFTER_POOL = 0, 1, 2
AT_ONCE = 96  # filters whose outputs are held before they are written
VECTOR = 16  # numbers to a cache line, at least
DEAD = np.uint8(4)  # code of a pooled pixel that no gradient passes: the rectifier was closed


class Strip(NamedTuple):
    """How images lie in a strip; sizes in numbers."""

    n_images: int  # side by side
    n_in: int  # channels
    height: int
    width: int
    top: int  # padding
    sh: int  # stride
    sw: int
    across: int  # planes a row phase: column phases, or columns of taps
    oh: int  # size of the output
    ow: int
    rows: int  # of a plane
    columns: int  # of an image in a row
    row: int  # columns of all images: from a pixel to the one below
    plane: int  # numbers of one
    shift: int  # the largest of a tap
    dplane: int  # of an output channel, with `shift` zeros before
    tile: int  # rows of output at a time
    length: int  # room for that many
    groups: int


@compiled
def aligned(n: int, like: Array) -> Array:
    """Return n zeros that begin on a cache line: whole vectors then lie in one."""
    raw = np.zeros(n + VECTOR, like.dtype)
    skip = -(raw.ctypes.data // raw.itemsize) % VECTOR
    return raw[skip : skip + n]


@compiled
def fill_images(x: Array, first: int, s: Strip, starts: Array, xs: Array) -> None:
    """Copy images from `first` on into their places of the strip; beyond the last, zeros.

    Column q of plane b is column q s_w + starts[b] of the image.
    """
    for j in range(s.n_images):
        there = first + j < len(x)
        for c in range(s.n_in):
            for a in range(s.sh):
                for b in range(s.across):
                    at = ((c * s.sh + a) * s.across + b) * s.plane + j * s.columns
                    if there:
                        _fill_plane(x[first + j, c], s, a, starts[b], xs, at)
                    else:
                        for r in range(s.rows):
                            xs[at + r * s.row : at + r * s.row + s.columns] = 0


@compiled
def _fill_plane(pixels: Array, s: Strip, a: int, start: int, xs: Array, at: int) -> None:
    begin = max(0, (s.sw - 1 - start) // s.sw)
    size = np.uintp(max(0, min(s.columns, (s.width - 1 - start) // s.sw + 1) - begin))
    step = np.uintp(s.sw)
    for r in range(s.rows):
        i = r * s.sh + a - s.top
        if 0 <= i < s.height:
            row, to = np.uintp(i), np.uintp(at + r * s.row + begin)
            column = np.uintp(begin * s.sw + start)
            if s.sw == 1:
                for u in range(size):
                    xs[to + u] = pixels[row, column + u]
            else:
                for u in range(size):
                    xs[to + u] = pixels[row, column + u * step]


@compiled
def fill_gradients(
    dy: Array, y: Array, codes: Array, after: int, first: int, s: Strip, ys: Array, db: Array
) -> None:
    """Copy ∂C/∂y into the strip, back through rectifier and pooling; add it up in db."""
    for j in range(s.n_images):
        there = first + j < len(dy)
        for f in range(len(db)):
            at = f * s.dplane + s.shift + j * s.columns
            if not there:
                for o in range(s.oh):
                    ys[at + o * s.row : at + o * s.row + s.ow] = 0
            elif after == AFTER_POOL:
                db[f] += _unpool(dy[first + j, f], codes[first + j, f], ys, at, s.row)
            elif after == AFTER_RELU:
                db[f] += _unrectify(dy[first + j, f], y[first + j, f], ys, at, s.row)
            else:
                db[f] += _copy(dy[first + j, f], ys, at, s.row)


@compiled
def _copy(g: Array, ys: Array, at: int, row: int) -> float:
    total, columns = 0.0, np.uintp(g.shape[1])
    for o in range(g.shape[0]):
        to, part = np.uintp(at + o * row), g.dtype.type(0)
        for u in range(columns):
            ys[to + u] = g[o, u]
            part += g[o, u]
        total += part
    return total


@compiled
def _unrectify(g: Array, y: Array, ys: Array, at: int, row: int) -> float:
    total, zero, columns = 0.0, g.dtype.type(0), np.uintp(g.shape[1])
    for o in range(g.shape[0]):
        to, part = np.uintp(at + o * row), zero
        for u in range(columns):
            v = g[o, u]
            v = v if y[o, u] > zero else zero
            ys[to + u] = v
            part += v
        total += part
    return total


@compiled
def _unpool(g: Array, codes: Array, ys: Array, at: int, row: int) -> float:
    """Put each number where its code says, zeros at the three other pixels."""
    total, zero, columns = 0.0, g.dtype.type(0), np.uintp(g.shape[1])
    two, one, below = np.uintp(2), np.uintp(1), np.uintp(row)
    for o in range(g.shape[0]):
        to, part = np.uintp(at + 2 * o * row), zero
        for u in range(two * columns):
            ys[to + u] = zero
            ys[to + below + u] = zero
        for u in range(columns):
            v, code = g[o, u], np.uintp(codes[o, u])
            v = v if code < DEAD else zero
            ys[to + (code >> one & one) * below + two * u + (code & one)] = v
            part += v
        total += part
    return total


@compiled
def products(
    xs: Array, off: Array, base: int, W: Array, taps: tuple[int, int], first: int, last: int,
    tile: Array, start: int, size: int,
) -> None:  # fmt: skip
    """Y[f, p] = Σ_k W[f, k] x[base + off[k] + p] for filters first … last, some taps, p < size.

    Y goes to the columns of the tile from `start` on. A few pixels, all filters, then the
    next: those pixels stay in the first cache.
    """
    n_taps, width, rows = taps[1] - taps[0], 2 * vector_lanes(xs), tile_rows()
    w, y, row, step, used = (
        W.reshape(-1),
        tile.reshape(-1),
        tile.shape[1],
        W.shape[1],
        off[taps[0] :],
    )
    for p in range(0, size, width):
        f, n, at = first, size - p, start + p
        while f + rows <= last:
            outer_tile_at_full(
                w, f * step + taps[0], step, 1, xs, base + p, used, n_taps, y,
                (f - first) * row + at, row, n, False,
            )  # fmt: skip
            f += rows
        while f + 4 <= last:
            outer_tile_at_4x2(
                w, f * step + taps[0], step, 1, xs, base + p, used, n_taps, y,
                (f - first) * row + at, row, n, False,
            )  # fmt: skip
            f += 4
        while f < last:
            outer_tile_at_1x2(
                w, f * step + taps[0], step, 1, xs, base + p, used, n_taps, y,
                (f - first) * row + at, row, n, False,
            )  # fmt: skip
            f += 1


@compiled
def one_row(xs: Array, off: Array, base: int, W: Array, f: int, tile: Array, size: int) -> None:
    """The same for a single filter; nine taps, those of a depthwise 3×3, in one pass."""
    y = tile[0]
    if len(off) == 9:
        x0, x1, x2 = xs[base + off[0] :], xs[base + off[1] :], xs[base + off[2] :]
        x3, x4, x5 = xs[base + off[3] :], xs[base + off[4] :], xs[base + off[5] :]
        x6, x7, x8 = xs[base + off[6] :], xs[base + off[7] :], xs[base + off[8] :]
        a0, a1, a2 = W[f, 0], W[f, 1], W[f, 2]
        b0, b1, b2 = W[f, 3], W[f, 4], W[f, 5]
        c0, c1, c2 = W[f, 6], W[f, 7], W[f, 8]
        for p in range(size):
            above = a0 * x0[p] + a1 * x1[p] + a2 * x2[p]
            middle = b0 * x3[p] + b1 * x4[p] + b2 * x5[p]
            y[p] = above + middle + (c0 * x6[p] + c1 * x7[p] + c2 * x8[p])
        return
    for p in range(size):
        y[p] = 0
    for k in range(0, len(off) - 2, 3):
        x0, x1, x2 = xs[base + off[k] :], xs[base + off[k + 1] :], xs[base + off[k + 2] :]
        a0, a1, a2 = W[f, k], W[f, k + 1], W[f, k + 2]
        for p in range(size):
            y[p] += a0 * x0[p] + a1 * x1[p] + a2 * x2[p]


@compiled
def write_rows(
    tile: Array, a: int, bias: float, rectify: bool, y: Array, o: int, end: int, at: int, row: int
) -> None:
    """Give the output rows o … end of a filter their places in y, with bias and rectifier."""
    add, floor = y.dtype.type(bias), y.dtype.type(0.0 if rectify else -np.inf)
    columns, which = np.uintp(y.shape[1]), np.uintp(a)
    for r in range(end - o):
        line, source = np.uintp(o + r), np.uintp(at + r * row)
        for u in range(columns):
            v = tile[which, source + u] + add
            y[line, u] = floor if v < floor else v


@compiled
def write_pooled(
    tile: Array, a: int, bias: float, rectify: bool, y: Array, o: int, end: int, at: int, row: int
) -> None:
    """The same for the largest of each 2×2 pixels."""
    add, floor = y.dtype.type(bias), y.dtype.type(0.0 if rectify else -np.inf)
    columns, which = np.uintp(y.shape[1]), np.uintp(a)
    two, one, below = np.uintp(2), np.uintp(1), np.uintp(row)
    for r in range(end // 2 - o // 2):
        line, source = np.uintp(o // 2 + r), np.uintp(at + 2 * r * row)
        for k in range(columns):
            p = source + two * k
            u, v, w, z = (
                tile[which, p],
                tile[which, p + one],
                tile[which, p + below],
                tile[which, p + below + one],
            )
            m, n = u if u > v else v, w if w > z else z
            m = (m if m > n else n) + add
            total = u + v + w + z
            m = m if total == total else total  # NaN has no order
            y[line, k] = floor if m < floor else m


@compiled
def mark_pooled(
    tile: Array, a: int, bias: float, rectify: bool, codes: Array, o: int, end: int, at: int,
    row: int,
) -> None:  # fmt: skip
    """Note which of each 2×2 pixels is the largest, the first of several."""
    add, floor = tile.dtype.type(bias), tile.dtype.type(0.0 if rectify else -np.inf)
    columns, which = np.uintp(codes.shape[1]), np.uintp(a)
    two, one, below = np.uintp(2), np.uintp(1), np.uintp(row)
    for r in range(end // 2 - o // 2):
        line, source = np.uintp(o // 2 + r), np.uintp(at + 2 * r * row)
        for k in range(columns):
            p = source + two * k
            u, v, w, z = (
                tile[which, p],
                tile[which, p + one],
                tile[which, p + below],
                tile[which, p + below + one],
            )
            m, n = u if u > v else v, w if w > z else z
            upper, lower = np.uint8(0 if u >= v else 1), np.uint8(2 if w >= z else 3)
            code = upper if m >= n else lower
            m = (m if m > n else n) + add
            codes[line, k] = code if m > floor else DEAD


@compiled
def write(
    tile: Array, a: int, bias: float, rectify: bool, pool: bool, y: Array, codes: Array,
    first: int, f: int, o: int, end: int, s: Strip,
) -> None:  # fmt: skip
    """Give the output rows o … end of a filter to all images of the strip."""
    for j in range(min(s.n_images, len(y) - first)):
        at = j * s.columns
        if pool:
            write_pooled(tile, a, bias, rectify, y[first + j, f], o, end, at, s.row)
            if codes.size:
                mark_pooled(tile, a, bias, rectify, codes[first + j, f], o, end, at, s.row)
        else:
            write_rows(tile, a, bias, rectify, y[first + j, f], o, end, at, s.row)


@compiled
def forward_lanes(
    x: Array, W: Array, b: Array, off: Array, s: Strip, starts: Array, rectify: bool, y: Array,
    codes: Array, pool: bool, n_lanes: int, turns: Array,
) -> None:  # fmt: skip
    """Correlate lanes of images while there are some; W: (n_out, taps) in the order of `off`."""
    xs = aligned(s.n_in * s.sh * s.across * s.plane + s.shift + s.tile * s.row + 64, x)
    at_once = min(AT_ONCE, len(W) // s.groups)
    tile = aligned(at_once * s.length, x).reshape(at_once, s.length)
    lane = fetch_increment(turns)
    while lane < n_lanes:
        start, stop = len(x) * lane // n_lanes, len(x) * (lane + 1) // n_lanes
        _forward(
            x[start:stop], W, b, off, s, starts, rectify, y[start:stop], codes[start:stop], pool,
            xs, tile,
        )  # fmt: skip
        lane = fetch_increment(turns)


@compiled
def _forward(
    x: Array, W: Array, b: Array, off: Array, s: Strip, starts: Array, rectify: bool, y: Array,
    codes: Array, pool: bool, xs: Array, tile: Array,
) -> None:  # fmt: skip
    phases = s.sh * s.across * s.plane
    per_group = len(W) // s.groups
    for first in range(0, len(x), s.n_images):
        fill_images(x, first, s, starts, xs)
        for o in range(0, s.oh, s.tile):
            end = min(o + s.tile, s.oh)
            size = ((end - o) * s.row + 15) // 16 * 16
            for g in range(s.groups):
                base = g * (s.n_in // s.groups) * phases + o * s.row
                f, end_of_group = g * per_group, (g + 1) * per_group
                while f < end_of_group:
                    last = min(f + len(tile), end_of_group)
                    if per_group == 1:
                        one_row(xs, off, base, W, f, tile, size)
                    else:
                        products(xs, off, base, W, (0, W.shape[1]), f, last, tile, 0, size)
                    for k in range(f, last):
                        write(tile, k - f, b[k], rectify, pool, y, codes, first, k, o, end, s)
                    f = last


@compiled
def filter_gradients(xs: Array, ys: Array, off: Array, s: Strip, dW: Array) -> None:
    """Add a strip's ∂C/∂W; the pixels of four taps stay in cache while all filters pass."""
    size = s.oh * s.row
    per_group = len(dW) // s.groups
    flat, row = dW.reshape(-1), dW.shape[1]
    for g in range(s.groups):
        base = g * (s.n_in // s.groups) * s.sh * s.across * s.plane
        last = (g + 1) * per_group
        for k in range(0, len(off) - 3, 4):
            f = g * per_group
            while f + 4 <= last:
                at = f * s.dplane + s.shift
                inner_tile_at_4x4(ys, at, s.dplane, xs, base, off, k, size, flat, f * row + k, row)
                f += 4
            while f < last:
                at = f * s.dplane + s.shift
                inner_tile_at_1x4(ys, at, 0, xs, base, off, k, size, flat, f * row + k, row)
                f += 1


@compiled
def image_gradients(
    ys: Array, V: Array, back: Array, depth: Array, s: Strip, starts: Array, n_out: int,
    first: int, tile: Array, dx: Array,
) -> None:  # fmt: skip
    """∂C/∂x of a strip, plane by plane; V: (planes, n_in, taps of the plane as `back` has them)."""
    per_group = s.n_in // s.groups
    for a in range(s.sh):
        for b in range(s.across):
            phase = a * s.across + b
            for r in range(0, s.rows, s.tile):
                end = min(r + s.tile, s.rows)
                for g in range(s.groups):
                    base = g * (n_out // s.groups) * s.dplane + r * s.row
                    c, end_of_group = g * per_group, (g + 1) * per_group
                    while c < end_of_group:
                        last = min(c + len(tile), end_of_group)
                        if per_group == 1:
                            size = ((end - r) * s.row + 15) // 16 * 16
                            one_row(ys, back[phase], base, V[phase], c, tile, size)
                        else:
                            _rows_back(
                                ys, V[phase], back[phase], depth[phase], s, r, end, base, c,
                                last, tile,
                            )  # fmt: skip
                        for k in range(c, last):
                            for j in range(min(s.n_images, len(dx) - first)):
                                image, at = dx[first + j, k], j * s.columns
                                _spread(tile, k - c, s, a, starts[b], r, end, at, image)
                        c = last


@compiled
def _rows_back(
    ys: Array, V: Array, back: Array, depth: Array, s: Strip, r: int, end: int, base: int, c: int,
    last: int, tile: Array,
) -> None:  # fmt: skip
    """Products for the rows r … end of a plane; a row meets the taps whose output row is there.

    Tap k carries row p of the output to row p + depth[k]; depths ascend.
    """
    top, low, high = r, 0, 0
    while top < end:
        while low < len(depth) and depth[low] <= top - s.oh:
            low += 1
        while high < len(depth) and depth[high] <= top:
            high += 1
        below = top + 1
        while below < end and (
            (low == len(depth) or depth[low] > below - s.oh)
            and (high == len(depth) or depth[high] > below)
        ):
            below += 1
        size = ((below - top) * s.row + 15) // 16 * 16
        start = (top - r) * s.row
        if low < high:
            products(ys, back, base + start, V, (low, high), c, last, tile, start, size)
        else:
            tile[:, start : start + size] = 0
        top = below


@compiled
def _spread(
    tile: Array, a: int, s: Strip, phase: int, start: int, r: int, end: int, at: int, dx: Array
) -> None:
    """Add the rows r … end of a plane to their places in an image."""
    begin = max(0, (s.sw - 1 - start) // s.sw)
    size = np.uintp(max(0, min(s.columns, (s.width - 1 - start) // s.sw + 1) - begin))
    step, which = np.uintp(s.sw), np.uintp(a)
    column = np.uintp(begin * s.sw + start)
    for k in range(r, end):
        i = k * s.sh + phase - s.top
        if 0 <= i < s.height:
            row, source = np.uintp(i), np.uintp(at + (k - r) * s.row + begin)
            if s.sw == 1:
                for u in range(size):
                    dx[row, column + u] += tile[which, source + u]
            else:
                for u in range(size):
                    dx[row, column + u * step] += tile[which, source + u]


@compiled
def backward_lanes(
    x: Array, dy: Array, y: Array, codes: Array, after: int, off: Array, V: Array, back: Array,
    depth: Array, s: Strip, starts: Array, n_out: int, dW: Array, db: Array, dx: Array,
    turns: Array,
) -> None:  # fmt: skip
    """Carry the gradients of lanes back, while there are some.

    dW (lanes, n_out, taps) and db (lanes, n_out), this one zero, are each lane's own; of no
    taps, or dx of no size, they are not asked for.
    """
    n_lanes, n = len(db), len(dy)
    slack = s.shift + s.tile * s.row + 64
    xs = aligned((s.n_in * s.sh * s.across * s.plane if dW.size else 0) + slack, dy)
    ys = aligned(n_out * s.dplane + slack, dy)
    at_once = min(AT_ONCE, s.n_in // s.groups)
    tile = aligned(at_once * s.length, dy).reshape(at_once, s.length)
    lane = fetch_increment(turns)
    while lane < n_lanes:
        start, stop = n * lane // n_lanes, n * (lane + 1) // n_lanes
        dW[lane] = 0
        for first in range(start, stop, s.n_images):
            fill_gradients(dy[:stop], y, codes, after, first, s, ys, db[lane])
            if dW.size:
                fill_images(x[:stop], first, s, starts, xs)
                filter_gradients(xs, ys, off, s, dW[lane])
            if dx.size:
                dx[first : min(first + s.n_images, stop)] = 0
                image_gradients(ys, V, back, depth, s, starts, n_out, first, tile, dx[:stop])
        lane = fetch_increment(turns)
