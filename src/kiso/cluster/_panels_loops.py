"""Compiled loops: blocks of rows in packed panels, and their distances to points.

Symbols
-------
x_i, w_i   row i and its weight; s the origin that sums are taken about
P          rows less s in packed panels: two vectors' width of rows, feature after feature, as
           `kiso._compute.matmul_loops` packs them; for few features (`direct`) one panel of
           all rows, and not shifted
y_j        points: centres, or candidates for centres
T          a tile: T_ji + o_j is ‖x_i − y_j‖², less ‖x_i − s‖² where it is a product

A pass over the rows goes block by block. `load` gives a block from the packed copy of all rows
where there is one, and packs it where there is none; the rows may be dense or CSR. The numbers
are the same either way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kiso._compute.distances_loops import direct as squared_distance
from kiso._compute.jit import compiled, compiled_strict
from kiso._compute.matmul_loops import multiply_whole, pack_transposed, packed_size
from kiso._validation import Array

GROUP_ROWS = 192  # points whose products with a block are taken at once: they stay in cache


class Csr(NamedTuple):
    """The rows in CSR form; of size 0 where they are dense."""

    indptr: Array
    indices: Array
    data: Array


class Panels(NamedTuple):
    """All rows, and what belongs to each."""

    X: Array  # (n, d); (0, d) where the rows are sparse
    csr: Csr
    P: Array  # packed copy; of size 0 where there is none
    stride: int  # rows of P, padded to whole panels
    weight: Array  # (n,); of size 0 where all rows weigh 1
    squares: Array  # (n,): ‖x_i − s‖², in the data's precision; size 0 where direct
    reach: Array  # (n,): ‖x_i − s‖, rounded up; size 0 where direct
    shift: Array  # (d,): s in the data's precision
    origin: Array  # (d,): s in float64
    direct: bool  # distances by subtraction
    rounding: float  # of a squared distance, in (‖x_i − s‖ + max ‖y_j − s‖)²


class Nearest(NamedTuple):
    """For each row of a block its smallest and second smallest T_ji + o_j, and whose it is."""

    best: Array
    second: Array
    label: Array  # int32


class Room(NamedTuple):
    """Scratch memory of a thread: a block of rows and a tile of its distances."""

    T: Array  # (points, rows of a block)
    nearest: Nearest
    rows: Array  # (rows of a block, d), where the rows are sparse or gathered
    panel: Array  # a packed block, where there is no packed copy
    listed: Array  # intp: which rows are gathered


class Block(NamedTuple):
    """Some rows: dense as given, and packed."""

    X: Array  # (b, d)
    P: Array
    start: int  # of the block in P
    stride: int  # rows of P


@compiled
def whole_tiles(m: int) -> int:
    """Round up m points to whole register tiles."""
    return (m + 3) // 4 * 4


@compiled
def dense_row(X: Array, csr: Csr, i: int, out: Array) -> None:
    """Copy row i, as given."""
    if csr.indptr.size == 0:
        for f in range(out.size):
            out[f] = X[i, f]
        return
    out[:] = 0
    for at in range(csr.indptr[i], csr.indptr[i + 1]):
        out[csr.indices[at]] += csr.data[at]


@compiled
def pack_block(X: Array, shift: Array, direct: bool, P: Array, start: int, stride: int) -> None:
    """Pack a block of rows into P, from its row `start` on; see the head of this module."""
    b, d = X.shape
    if direct:
        for f in range(d):
            to = P[f * stride + start : f * stride + start + b]
            for i in range(b):
                to[i] = X[i, f]
        return
    pack_transposed(X.reshape(-1), 0, d, 0, b, b, d, P, start * d)
    width = packed_size(P, 1, 1)
    for first in range(start * d, start * d + packed_size(P, b, d), width * d):
        for f in range(d):
            s = shift[f]
            values = P[first + f * width : first + (f + 1) * width]
            for i in range(values.size):
                values[i] -= s


@compiled
def block_size(panels: Panels, start: int, last: int, size: int) -> int:
    """How many of the rows start … last a block takes: up to a panel's edge first."""
    b = min(size, last - start)
    width = packed_size(panels.shift, 1, 1)
    if panels.P.size > 0 and start % width > 0:
        return min(b, width - start % width)
    return b


@compiled
def load(panels: Panels, start: int, b: int, listed: bool, room: Room) -> Block:
    """Give the rows start … start + b (see `block_size`), or b rows that are `listed`."""
    X = panels.X[start : start + b]
    if not listed and panels.P.size > 0 and start % packed_size(panels.shift, 1, 1) == 0:
        return Block(X, panels.P, start, panels.stride)
    if listed or panels.csr.indptr.size > 0:
        X = room.rows[:b]
        for i in range(b):
            dense_row(panels.X, panels.csr, room.listed[i] if listed else start + i, X[i])
    pack_block(X, panels.shift, panels.direct, room.panel, 0, room.T.shape[1])
    return Block(X, room.panel, 0, room.T.shape[1])


@compiled
def tile(block: Block, direct: bool, Y: Array, doubled: Array, T: Array) -> None:
    """T for a block of rows and all points; `doubled` holds −2 (y_j − s) in whole tiles."""
    b, d = block.X.shape
    if not direct:
        n = packed_size(block.P, b, 1)
        for j in range(0, doubled.shape[0], GROUP_ROWS):
            m = min(GROUP_ROWS, doubled.shape[0] - j)
            multiply_whole(
                doubled.reshape(-1), j * d, block.P, block.start * d, T.reshape(-1),
                j * T.shape[1], T.shape[1], m, n, d,
            )  # fmt: skip
        return
    P, stride, start = block.P, block.stride, block.start
    for j in range(Y.shape[0]):
        out = T[j, :b]
        for f in range(0, d, 2):  # two features at a time: half the traffic of the sums
            at, y = f * stride + start, Y[j, f]
            x = P[at : at + b]
            if f + 1 == d:
                for i in range(b):
                    g = x[i] - y
                    out[i] = g * g if f == 0 else out[i] + g * g
                continue
            x_, y_ = P[at + stride : at + stride + b], Y[j, f + 1]
            if f == 0:
                for i in range(b):
                    g, h = x[i] - y, x_[i] - y_
                    out[i] = g * g + h * h
            else:
                for i in range(b):
                    g, h = x[i] - y, x_[i] - y_
                    out[i] += g * g + h * h


@compiled_strict
def prepare_points(Y: Array, origin: Array, doubled: Array, o: Array) -> float:
    """−2 (y_j − s), zeros in the rows beyond, and ‖y_j − s‖²; returns max_j ‖y_j − s‖."""
    largest = 0.0
    doubled[Y.shape[0] :] = 0
    for j in range(Y.shape[0]):
        total = 0.0
        for f in range(Y.shape[1]):
            value = doubled.dtype.type(np.float64(Y[j, f]) - origin[f])
            doubled[j, f] = -2 * value
            total += np.float64(value) * np.float64(value)
        o[j] = total
        largest = max(largest, total)
    return math.sqrt(largest)


@compiled
def pack_rows(panels: Panels, P: Array, stride: int, first: int, last: int) -> None:
    """Pack the rows first … last into the packed copy P of all rows."""
    pack_block(panels.X[first:last], panels.shift, panels.direct, P, first, stride)


@compiled
def squared_lengths(panels: Panels, first: int, last: int, out: Array) -> None:
    """out_i = ‖x_i − s‖² of the rows first … last."""
    row = np.empty(panels.origin.size, panels.shift.dtype)
    for i in range(first, last):
        if panels.csr.indptr.size > 0:
            dense_row(panels.X, panels.csr, i, row)
            out[i] = squared_distance(row, panels.origin)
        else:
            out[i] = squared_distance(panels.X[i], panels.origin)


@compiled
def own_distances(
    panels: Panels, centers: Array, label: Array, first: int, last: int, out: Array
) -> None:  # fmt: skip
    """out_i = ‖x_i − c_{a_i}‖² of the rows first … last, by subtraction."""
    row = np.empty(centers.shape[1], centers.dtype)
    for i in range(first, last):
        if panels.csr.indptr.size > 0:
            dense_row(panels.X, panels.csr, i, row)
            out[i] = squared_distance(row, centers[label[i]])
        else:
            out[i] = squared_distance(panels.X[i], centers[label[i]])


@compiled
def fill_distances(
    panels: Panels, Y: Array, first: int, last: int, room: Room, out: Array
) -> None:  # fmt: skip
    """out_ij = ‖x_i − y_j‖² of the rows first … last.

    Where rounding could have made more than a small part of a product, by subtraction.
    """
    k, d, size = Y.shape[0], Y.shape[1], room.T.shape[1]
    doubled, o = np.empty((whole_tiles(k), d), Y.dtype), np.zeros(k, Y.dtype)
    if not panels.direct:
        prepare_points(Y, panels.origin, doubled, o)
    for start in range(first, last, size):
        b = min(size, last - start)
        block = load(panels, start, b, False, room)
        tile(block, panels.direct, Y, doubled, room.T)
        for j in range(k):
            for i in range(b):
                value = room.T[j, i]
                if not panels.direct:
                    whole = panels.squares[start + i] + o[j]
                    value += whole
                    if value <= 1024.0 * panels.rounding * whole:
                        value = squared_distance(block.X[i], Y[j])
                out[start + i, j] = value
