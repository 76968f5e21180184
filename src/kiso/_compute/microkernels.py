"""Small products that stay in vector registers: what the compiler does not find by itself.

The processor multiplies and adds fastest where each number that is loaded is used many times
before it leaves a register. A tile of the product C = A B does that: r rows by v vectors of
C are registers, and each step of k takes one column of A and one row of B,

    C[i, j] += A[i, k] B[k, j]        for i < r, j < v · lanes, k = 0, 1, …

with r v multiplications of whole vectors for r + v loads. `outer_tile`s do this with any
distance between the rows and columns of A, so that Aᵀ is as good as A; the rows of B lie at
an equal distance, and those that are `ahead` are sent for meanwhile, or (`…_at`) wherever a
table says, so that the taps of a filter are rows.
Where both factors lie along k, as in A Bᵀ, `inner_tile`s multiply whole vectors along k
and add up the lanes at the end. Columns beyond the last are masked, never touched.

These are instructions for LLVM, written for vectors of the width and with the number of
registers that this processor has. They are called inside loops (`kiso._compute.jit.compiled`) with
flat arrays and offsets. Without a compiler slow Python of the same meaning stands in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kiso._compute.jit import Intrinsic
from kiso._compute.llvm import VectorBuilder, vector_shape

__all__ = [
    "copy_rows",
    "inner_tile_at_1x4",
    "inner_tile_at_4x4",
    "outer_tile_1x1",
    "outer_tile_1x2",
    "outer_tile_4x1",
    "outer_tile_4x2",
    "outer_tile_at_1x2",
    "outer_tile_at_4x2",
    "outer_tile_at_full",
    "outer_tile_full_1",
    "outer_tile_full_2",
    "tile_rows",
    "transpose_tile",
    "vector_lanes",
]

INNER = 4  # rows of B in an inner tile: with 4 rows of A 16 sums, 4 + 1 numbers under way


def _outer(rows: int, vectors: int, by_table: bool) -> Callable[[], Any]:
    """Build the intrinsic of an outer tile; rows = 0 stands for as many as registers hold."""

    def build() -> Any:
        from numba import extending
        from numba.core import types

        n_rows = rows or vector_shape()[1]
        i, yes = types.int64, types.boolean

        def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            w = VectorBuilder(context, builder, signature, args, signature.args[0].dtype)
            name = f"outer_{n_rows}x{vectors}" + ("_at" if by_table else "")
            w.apart(name, lambda w: _write_outer(w, n_rows, vectors, by_table))
            return context.get_dummy_value()

        def by_steps(typing: Any, a: Any, ao: Any, ars: Any, aks: Any, b: Any, bo: Any, bks: Any,
                     k: Any, c: Any, co: Any, crs: Any, n: Any, add: Any,
                     ahead: Any) -> Any:  # fmt: skip
            return types.void(a, i, i, i, b, i, i, i, c, i, i, i, yes, i), write

        def at_places(typing: Any, a: Any, ao: Any, ars: Any, aks: Any, b: Any, bo: Any, bks: Any,
                      k: Any, c: Any, co: Any, crs: Any, n: Any, add: Any) -> Any:  # fmt: skip
            return types.void(a, i, i, i, b, i, bks, i, c, i, i, i, yes), write

        intrinsic: Any = extending.intrinsic
        return intrinsic(at_places if by_table else by_steps)

    return build


def _write_outer(w: VectorBuilder, rows: int, vectors: int, by_table: bool) -> None:
    builder = w.builder
    A, ao, ars, aks, B, bo, bks, k, C, co, crs, n, add, *ahead = w.args
    A, B, C = w.at(A, ao), w.at(B, bo), w.at(C, co)
    masks = [w.first(builder.sub(n, w.const(v * w.lanes))) for v in range(vectors)]
    nothing = w.ir.Constant(w.mask, [0] * w.lanes)
    kept = [builder.select(add, mask, nothing) for mask in masks]
    places = [
        [
            w.at(C, builder.add(builder.mul(crs, w.const(i)), w.const(v * w.lanes)))
            for v in range(vectors)
        ]
        for i in range(rows)
    ]
    starts = [w.load(places[i][v], kept[v]) for i in range(rows) for v in range(vectors)]
    offsets = [builder.mul(ars, w.const(i)) for i in range(rows)]

    def step(at: Any, sums: list[Any]) -> list[Any]:
        distance = builder.load(w.at(bks, at)) if by_table else builder.mul(at, bks)
        row = w.at(B, distance)
        column = w.at(A, builder.mul(at, aks))
        bs = [w.load(w.at(row, w.const(v * w.lanes)), masks[v]) for v in range(vectors)]
        for v in range(vectors if ahead else 0):
            w.fetch(w.at(row, builder.add(ahead[0], w.const(v * w.lanes))))
        ends = []
        for i in range(rows):
            value = w.splat(builder.load(w.at(column, offsets[i])), w.vector)
            ends += [w.multiply_add(value, bs[v], sums[i * vectors + v]) for v in range(vectors)]
        return ends

    ends = w.loop(k, starts, step)
    for i in range(rows):
        for v in range(vectors):
            w.store(ends[i * vectors + v], places[i][v], masks[v])


def _slow_outer(rows: int, vectors: int, by_table: bool) -> Callable[..., None]:
    def tile(a: Any, ao: int, ars: int, aks: int, b: Any, bo: int, bks: Any, k: int,
             c: Any, co: int, crs: int, n: int, add: bool,
             ahead: int = 0) -> None:  # fmt: skip
        columns = np.arange(min(n, vectors * _slow_lanes(a)))
        at = bks[:k] if by_table else np.arange(k) * bks
        B = b[bo + at[:, None] + columns]
        for i in range(rows or SLOW_ROWS):
            found = a[ao + i * ars + np.arange(k) * aks] @ B
            place = co + i * crs + columns
            c[place] = found + c[place] if add else found

    return tile


SLOW_ROWS = 12


def _slow_lanes(x: Any) -> int:
    return int(64 // x.itemsize)


def _build_lanes() -> Any:
    from numba import extending
    from numba.core import types

    def lanes(typing: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return context.get_constant(types.int64, vector_shape()[0] // (x.dtype.bitwidth // 8))

        return types.int64(x), generate

    intrinsic: Any = extending.intrinsic
    return intrinsic(lanes)


def _build_rows() -> Any:
    from numba import extending
    from numba.core import types

    def rows(typing: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return context.get_constant(types.int64, vector_shape()[1])

        return types.int64(), generate

    intrinsic: Any = extending.intrinsic
    return intrinsic(rows)


def _inner(rows: int) -> Callable[[], Any]:
    """Σ_p a[ao + i ars + p] b[bo + table[to + j] + p], j < 4, added to c[co + i crs + j]."""

    def build() -> Any:
        from numba import extending
        from numba.core import types

        def tile(typing: Any, a: Any, ao: Any, ars: Any, b: Any, bo: Any, table: Any, to: Any,
                 n: Any, c: Any, co: Any, crs: Any) -> Any:  # fmt: skip
            i = types.int64
            signature = types.void(a, i, i, b, i, table, i, i, c, i, i)

            def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                w = VectorBuilder(context, builder, signature, args, a.dtype)
                w.apart(f"inner_{rows}", lambda w: _write_inner(w, rows))
                return context.get_dummy_value()

            return signature, generate

        intrinsic: Any = extending.intrinsic
        return intrinsic(tile)

    return build


def _write_inner(w: VectorBuilder, rows: int) -> None:
    builder = w.builder
    A, ao, ars, B, bo, table, to, n, C, co, crs = w.args
    A, B, C = w.at(A, ao), w.at(B, bo), w.at(C, co)
    lefts = [w.at(A, builder.mul(ars, w.const(i))) for i in range(rows)]
    rights = [w.at(B, builder.load(w.at(table, builder.add(to, w.const(j))))) for j in range(INNER)]

    def step(i: Any, sums: list[Any]) -> list[Any]:
        at = builder.mul(i, w.const(w.lanes))
        mask = w.first(builder.sub(n, at))
        bs = [w.load(w.at(right, at), mask) for right in rights]
        ends = []
        for i, left in enumerate(lefts):
            value = w.load(w.at(left, at), mask)
            ends += [w.multiply_add(value, bs[j], sums[i * INNER + j]) for j in range(INNER)]
        return ends

    n_steps = builder.sdiv(builder.add(n, w.const(w.lanes - 1)), w.const(w.lanes))
    ends = w.loop(n_steps, [w.zero()] * (rows * INNER), step)
    for i in range(rows):
        for j in range(INNER):
            place = w.at(C, builder.add(builder.mul(crs, w.const(i)), w.const(j)))
            builder.store(builder.fadd(builder.load(place), w.total(ends[i * INNER + j])), place)


def _slow_inner(rows: int) -> Callable[..., None]:
    def tile(a: Any, ao: int, ars: int, b: Any, bo: int, table: Any, to: int, n: int,
             c: Any, co: int, crs: int) -> None:  # fmt: skip
        for i in range(rows):
            for j in range(INNER):
                at = bo + table[to + j]
                c[co + i * crs + j] += a[ao + i * ars : ao + i * ars + n] @ b[at : at + n]

    return tile


def _build_transpose() -> Any:
    """x[xo + i xrs + j] → y[yo + j yrs + i] for i, j < lanes, in log₂ lanes exchanges."""
    from numba import extending
    from numba.core import types

    def tile(typing: Any, x: Any, xo: Any, xrs: Any, y: Any, yo: Any, yrs: Any) -> Any:
        i = types.int64

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            w = VectorBuilder(context, builder, signature, args, x.dtype)
            w.apart("transpose", _write_transpose)
            return context.get_dummy_value()

        return types.void(x, i, i, y, i, i), generate

    intrinsic: Any = extending.intrinsic
    return intrinsic(tile)


def _write_transpose(w: VectorBuilder) -> None:
    builder, ir, lanes = w.builder, w.ir, w.lanes
    X, xo, xrs, Y, yo, yrs = w.args
    X, Y = w.at(X, xo), w.at(Y, yo)
    v = [w.load(w.at(X, builder.mul(xrs, w.const(i)))) for i in range(lanes)]
    kind = ir.VectorType(w.short, lanes)
    half = 1
    while half < lanes:
        low = [j if not j & half else lanes + j - half for j in range(lanes)]
        high = [j + half if not j & half else lanes + j for j in range(lanes)]
        for i in range(lanes):
            if not i & half:
                a, b = v[i], v[i + half]
                v[i] = builder.shuffle_vector(a, b, ir.Constant(kind, low))
                v[i + half] = builder.shuffle_vector(a, b, ir.Constant(kind, high))
        half *= 2
    for i in range(lanes):
        w.store(v[i], w.at(Y, builder.mul(yrs, w.const(i))))


def _slow_transpose(x: Any, xo: int, xrs: int, y: Any, yo: int, yrs: int) -> None:
    lanes = np.arange(_slow_lanes(x))
    y[yo + lanes[:, None] * yrs + lanes] = x[xo + lanes * xrs + lanes[:, None]]


def _build_copy() -> Any:
    """x[xo + i xrs + j] → y[yo + i w + j] for i < n and j < w, the width of two vectors."""
    from numba import extending
    from numba.core import types

    def tile(typing: Any, x: Any, xo: Any, xrs: Any, n: Any, y: Any, yo: Any) -> Any:
        i = types.int64

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            w = VectorBuilder(context, builder, signature, args, x.dtype)
            X, Y = w.at(w.array(0), args[1]), w.at(w.array(4), args[5])

            def step(i: Any, _: list[Any]) -> list[Any]:
                row = w.at(X, builder.mul(i, args[2]))
                place = w.at(Y, builder.mul(i, w.const(2 * w.lanes)))
                parts = [w.load(w.at(row, w.const(v * w.lanes))) for v in range(2)]
                for v, part in enumerate(parts):
                    w.store(part, w.at(place, w.const(v * w.lanes)))
                return []

            w.loop(args[3], [], step)
            return context.get_dummy_value()

        return types.void(x, i, i, i, y, i), generate

    intrinsic: Any = extending.intrinsic
    return intrinsic(tile)


def _slow_copy(x: Any, xo: int, xrs: int, n: int, y: Any, yo: int) -> None:
    width = 2 * _slow_lanes(x)
    y[yo : yo + n * width] = x[xo + np.arange(n)[:, None] * xrs + np.arange(width)].ravel()


def _outer_tile(rows: int, vectors: int, by_table: bool = False) -> Any:
    return Intrinsic(_outer(rows, vectors, by_table), _slow_outer(rows, vectors, by_table))


def _build_add_four() -> Any:
    from llvmlite import ir
    from numba import extending
    from numba.core import types

    intrinsic: Any = extending.intrinsic

    @intrinsic
    def add_four(typing: Any, cells: Any, cell: Any, rows: Any, row: Any) -> Any:
        signature = types.void(cells, types.int64, rows, types.int64)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def four(position: int) -> tuple[Any, int]:
                kind = signature.args[position]
                data = context.make_array(kind)(context, builder, args[position]).data
                start = builder.mul(args[position + 1], ir.Constant(ir.IntType(64), 4))
                number = ir.FloatType() if kind.dtype.bitwidth == 32 else ir.DoubleType()
                vector = ir.VectorType(number, 4).as_pointer()
                place = builder.bitcast(builder.gep(data, [start]), vector)
                return place, kind.dtype.bitwidth // 8

            source, itemsize = four(2)
            added = builder.load(source)
            added.align = itemsize
            if itemsize == 4:
                added = builder.fpext(added, ir.VectorType(ir.DoubleType(), 4))
            target, itemsize = four(0)
            before = builder.load(target)
            before.align = itemsize
            builder.store(builder.fadd(before, added), target).align = itemsize
            return context.get_dummy_value()

        return signature, generate

    return add_four


def _slow_add_four(cells: Any, cell: Any, rows: Any, row: Any) -> None:
    cells[cell] += rows[row]


add_four: Any = Intrinsic(_build_add_four, _slow_add_four)
"""`add_four(cells, cell, rows, row)`: cells[cell] += rows[row], float64 of shape (m, 4) in memory
order, and float32 or float64 alike; indices are not negative."""

vector_lanes: Any = Intrinsic(_build_lanes, _slow_lanes)
tile_rows: Any = Intrinsic(_build_rows, lambda: SLOW_ROWS)
outer_tile_full_2: Any = _outer_tile(0, 2)
outer_tile_full_1: Any = _outer_tile(0, 1)
outer_tile_4x2: Any = _outer_tile(4, 2)
outer_tile_4x1: Any = _outer_tile(4, 1)
outer_tile_1x2: Any = _outer_tile(1, 2)
outer_tile_1x1: Any = _outer_tile(1, 1)
outer_tile_at_full: Any = _outer_tile(0, 2, by_table=True)
outer_tile_at_4x2: Any = _outer_tile(4, 2, by_table=True)
outer_tile_at_1x2: Any = _outer_tile(1, 2, by_table=True)
copy_rows: Any = Intrinsic(_build_copy, _slow_copy)
inner_tile_at_1x4: Any = Intrinsic(_inner(1), _slow_inner(1))
inner_tile_at_4x4: Any = Intrinsic(_inner(4), _slow_inner(4))
transpose_tile: Any = Intrinsic(_build_transpose, _slow_transpose)
