"""Products of matrices from tiles: C = A B and what follows from it, on one thread.

Matrices lie in flat arrays: A[i, k] = a[ao + i·ars + k·aks] for any strides; rows of B and C
are side by side, B[k, j] = b[bo + k·bks + j] and C[i, j] = c[co + i·crs + j]. C is cut into
panels of two vectors' width; the rows of B of a panel stay in a core's cache while all rows
of A pass, a tile at a time (`kiso._compute.microkernels`).
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._compute.microkernels import (
    copy_rows,
    outer_tile_1x1,
    outer_tile_1x2,
    outer_tile_4x1,
    outer_tile_4x2,
    outer_tile_full_1,
    outer_tile_full_2,
    tile_rows,
    transpose_tile,
    vector_lanes,
)
from kiso._validation import Array

__all__ = [
    "add_upper",
    "mirror",
    "multiply",
    "multiply_by_itself",
    "multiply_packed",
    "multiply_transposed",
    "multiply_whole",
    "pack",
    "pack_transposed",
    "packed_size",
    "transpose",
]

DEPTH = 512  # terms of the sums that a panel of B holds at once
SQUARE_DEPTH = 256  # the same of a product of a matrix with itself
ROWS = 192  # rows of A that stay in a core's second cache while panels pass
REUSE = 48  # rows of A from which a panel of B is worth being copied together


@compiled
def multiply(
    a: Array, ao: int, ars: int, aks: int,
    b: Array, bo: int, bks: int,
    c: Array, co: int, crs: int,
    m: int, n: int, k: int, add: bool,
) -> None:  # fmt: skip
    """C = A B, or C += A B; A: (m, k), B: (k, n), C: (m, n)."""
    if k == 0:
        for i in range(0 if add else m):
            c[co + i * crs : co + i * crs + n] = 0
        return
    width = 2 * vector_lanes(a)
    panel = np.empty(DEPTH * width if m >= REUSE and n >= width else 0, b.dtype)
    for i in range(0, m, ROWS):
        rows, out = min(ROWS, m - i), co + i * crs
        together = rows >= REUSE and n >= width
        for first in range(0, k, DEPTH):
            depth, adds = min(DEPTH, k - first), add or first > 0
            at, bt = ao + i * ars + first * aks, bo + first * bks
            for j in range(0, n, width):
                if together and n - j >= width:
                    copy_rows(b, bt + j, bks, depth, panel, 0)
                    _panel(
                        a, at, ars, aks, panel, 0, width, c, out + j, crs, rows, width, depth,
                        adds, 0,
                    )  # fmt: skip
                else:
                    _panel(
                        a, at, ars, aks, b, bt + j, bks, c, out + j, crs, rows, n - j, depth,
                        adds, 0,
                    )  # fmt: skip


@compiled
def packed_size(x: Array, n: int, k: int) -> int:
    """Numbers that a packed (k, n) matrix takes."""
    width = 2 * vector_lanes(x)
    return (n + width - 1) // width * width * k


@compiled
def pack(
    b: Array, bo: int, bks: int, first: int, last: int, n: int, k: int, out: Array, po: int
) -> None:
    """Put rows first … last of B: (k, n) into their places of the packed form.

    That is panel after panel, each of k rows of two vectors' width: what `multiply_packed`
    reads then lies side by side. Of the last panel it reads the columns that there are.
    """
    width = 2 * vector_lanes(b)
    for j in range(0, n, width):
        start = po + j * k
        if n - j >= width and first < last:
            copy_rows(b, bo + first * bks + j, bks, last - first, out, start + first * width)
            continue
        for q in range(first, last):
            for i in range(n - j):
                out[start + q * width + i] = b[bo + q * bks + j + i]


@compiled
def pack_transposed(
    x: Array, xo: int, xrs: int, first: int, last: int, m: int, n: int, out: Array, po: int
) -> None:
    """Put rows first … last of X: (m, n) into the packed form of Xᵀ.

    `first` is a multiple of two vectors' width; so is `last`, unless it is m.
    """
    lanes = vector_lanes(x)
    for start in range(first, last, lanes):
        half = start % (2 * lanes)
        place = po + (start - half) * n + half
        there = min(lanes, last - start)
        at = xo + start * xrs
        whole = n // lanes * lanes if there == lanes else 0
        for j in range(0, whole, lanes):
            transpose_tile(x, at + j, xrs, out, place + j * 2 * lanes, 2 * lanes)
        for j in range(whole, n):
            for i in range(lanes):
                out[place + j * 2 * lanes + i] = x[at + i * xrs + j] if i < there else 0


@compiled
def multiply_packed(
    a: Array, ao: int, ars: int, aks: int, packed: Array, po: int, c: Array, co: int, crs: int,
    m: int, n: int, k: int, add: bool,
) -> None:  # fmt: skip
    """C = A B, or C += A B, for B: (k, n) in the packed form."""
    width = 2 * vector_lanes(a)
    for j in range(0, n, width):
        _panel(
            a, ao, ars, aks, packed, po + j * k, width, c, co + j, crs, m, n - j, k, add, k * width
        )  # fmt: skip


@compiled
def multiply_whole(
    a: Array, ao: int, packed: Array, po: int, c: Array, co: int, crs: int, m: int, n: int, k: int
) -> None:
    """C = A B for B: (k, n) in the packed form, whole tiles only: half the code.

    A's m rows are a multiple of 4, and side by side; n is a multiple of two vectors' width.
    """
    width, rows = 2 * vector_lanes(a), tile_rows()
    for j in range(0, n, width):
        i = 0
        while i < m:
            at, to, b = ao + i * k, co + i * crs + j, po + j * k
            if i + rows <= m:
                outer_tile_full_2(
                    a, at, k, 1, packed, b, width, k, c, to, crs, width, False, k * width
                )
                i += rows
            else:
                outer_tile_4x2(
                    a, at, k, 1, packed, b, width, k, c, to, crs, width, False, k * width
                )
                i += 4


@compiled
def multiply_transposed(
    a: Array, ao: int, ars: int, aks: int,
    x: Array, xo: int, xrs: int,
    c: Array, co: int, crs: int,
    m: int, n: int, k: int,
) -> None:  # fmt: skip
    """C = A Xᵀ for X: (n, k), whose rows are side by side."""
    width = 2 * vector_lanes(a)
    panel = np.empty(DEPTH * width, x.dtype)
    for i in range(0, m, ROWS):
        rows, out = min(ROWS, m - i), co + i * crs
        for first in range(0, k, DEPTH):
            depth, at = min(DEPTH, k - first), ao + i * ars + first * aks
            for j in range(0, n, width):
                there = min(width, n - j)
                pack_transposed(x, xo + j * xrs + first, xrs, 0, there, there, depth, panel, 0)
                _panel(
                    a, at, ars, aks, panel, 0, width, c, out + j, crs, rows, there, depth,
                    first > 0, 0,
                )  # fmt: skip


@compiled
def multiply_by_itself(
    z: Array, zo: int, zrs: int, c: Array, n: int, p: int, scratch: Array, add: bool
) -> None:
    """The upper half of C = Zᵀ Z, or C += Zᵀ Z; Z: (n, p), its rows side by side; C: (p, p).

    `scratch` has room for SQUARE_DEPTH rows, packed. Both factors are panels of it, so that
    what two of them give is read from near and in order.
    """
    width = packed_size(z, 1, 1)
    for first in range(0, n, SQUARE_DEPTH):
        depth = min(SQUARE_DEPTH, n - first)
        pack(z, zo + first * zrs, zrs, 0, depth, p, depth, scratch, 0)
        for j in range(0, p, width):
            for i in range(0, j + 1, width):
                _panel(
                    scratch, i * depth, 1, width, scratch, j * depth, width, c, i * p + j, p,
                    min(width, p - i), p - j, depth, add or first > 0, 0,
                )  # fmt: skip


@compiled
def add_upper(part: Array, total: Array, p: int) -> None:
    """Add the upper half of a (p, p) matrix to that of another, of another precision."""
    for i in range(p):
        for j in range(np.uintp(i * p + i), np.uintp(i * p + p)):
            total[j] += part[j]


@compiled
def mirror(c: Array, p: int) -> None:
    """Give C: (p, p) the mirror image of its upper half."""
    for start in range(0, p, 32):
        for i in range(p):
            for j in range(start, min(start + 32, i)):
                c[i * p + j] = c[j * p + i]


@compiled
def _panel(
    a: Array, ao: int, ars: int, aks: int,
    b: Array, bo: int, bks: int,
    c: Array, co: int, crs: int,
    m: int, n: int, k: int, add: bool, ahead: int,
) -> None:  # fmt: skip
    """The first two vectors' width of columns of C, or as many of them as there are.

    Numbers of B that lie `ahead` of those in use are sent for meanwhile.
    """
    rows, i = tile_rows(), 0
    if n > vector_lanes(a):
        while i + rows <= m:
            outer_tile_full_2(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += rows
        while i + 4 <= m:
            outer_tile_4x2(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += 4
        while i < m:
            outer_tile_1x2(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += 1
    else:
        while i + rows <= m:
            outer_tile_full_1(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += rows
        while i + 4 <= m:
            outer_tile_4x1(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += 4
        while i < m:
            outer_tile_1x1(
                a, ao + i * ars, ars, aks, b, bo, bks, k, c, co + i * crs, crs, n, add, ahead
            )
            i += 1


@compiled
def transpose(x: Array, xo: int, xrs: int, m: int, n: int, y: Array, yo: int, yrs: int) -> None:
    """Y = Xᵀ for X: (m, n), whose rows and those of Y are side by side."""
    lanes = vector_lanes(x)
    whole_rows, whole_columns = m // lanes * lanes, n // lanes * lanes
    for i in range(0, whole_rows, lanes):
        for j in range(0, whole_columns, lanes):
            transpose_tile(x, xo + i * xrs + j, xrs, y, yo + j * yrs + i, yrs)
    for i in range(m):
        for j in range(whole_columns if i < whole_rows else 0, n):
            y[yo + j * yrs + i] = x[xo + i * xrs + j]
