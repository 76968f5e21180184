"""Brute force: blocks of queries against blocks of rows, the k best kept in the same pass.

For the Euclidean distance a block of products S = QXᵀ comes into a buffer that
stays in cache, and ‖x‖²/2 − S says at once which few rows can be among the k best: these,
and these only, are measured exactly from differences. The bound on what the products can
be wrong by is

    |D − D̃| ≤ κ (‖q‖ + ‖x‖)²,    κ = (d + 16) u / (1 − (d + 16) u),

u the unit roundoff: d for the products and the squares, the rest for the norms, the shift
and the sums. It is met whatever the data, so cancellation costs time, never a neighbour.
Rows are shifted by a value near their mean where they lie far from the origin.

Other metrics are added up feature by feature, of a block of rows at once. Sums of absolute
differences in float32 are within κ of themselves: what they leave is measured in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kiso._compute import costs
from kiso._compute.distances import common_shift
from kiso._compute.matmul import product
from kiso._compute.threads import MAX_LANES, blocks, lanes, map_rows, n_threads, one_blas_thread
from kiso._validation import Array

from . import _brute_loops
from ._best_loops import sort_best
from ._maps import is_sparse
from ._metric_loops import (
    BRAYCURTIS,
    CANBERRA,
    CHEBYSHEV,
    EUCLIDEAN,
    MANHATTAN,
    NAN_EUCLIDEAN,
)
from ._metrics import Metric
from ._rows import HeldRows
from ._sparse import SparseRows, collect_sparse, scan_sparse, sparse_pairs, sparse_rows

__all__ = ["Reference", "brute_neighbors", "brute_radius", "reference"]

_ROWS, _QUERIES = 1024, 192  # of a tile; its products are 768 KiB in float32
_LAST = np.iinfo(np.intp).max
_APART = 2.0  # reduced cosine distance 1: of right angles, and of what has no direction


class Reference(NamedTuple):
    """The rows to be searched, with what products need."""

    X: Any  # (n, d) dense or CSR
    shift: Array | None  # (d,) what is taken from rows and queries before they are multiplied
    half: Array  # (n,) ‖x − shift‖²/2, of the type of X
    largest: Array  # (n_blocks,) float64: the largest ‖x − shift‖ of each block of rows
    lists: SparseRows | None = None  # how sparse rows are searched, where they can be


def reference(X: Any, metric: Metric) -> Reference:
    """Prepare rows: their norms, in one pass over blocks; X itself is kept, not copied."""
    none = np.empty(0)
    if is_sparse(X):
        return Reference(X, None, none, none, sparse_rows(X, metric))
    if metric.code != EUCLIDEAN:
        return Reference(X, None, none, none)
    shift = common_shift(X)
    half = np.empty(len(X), X.dtype)

    def lane(rows: slice) -> None:
        for block in blocks(rows, _ROWS):
            half[block] = _half_squares(_shifted(X[block], shift))

    map_rows(lane, len(X), min_rows=_ROWS)
    with np.errstate(over="ignore"):
        starts = np.arange(0, len(X), _ROWS)
        largest = np.sqrt(2.0 * np.maximum.reduceat(half, starts).astype(np.float64))
    return Reference(X, shift, half, largest)


def _shifted(X: Array, shift: Array | None, out: Array | None = None) -> Array:
    if shift is None:
        return X
    with np.errstate(all="ignore"):
        return np.subtract(X, shift, out=None if out is None else out[: len(X)])


def _half_squares(X: Array) -> Array:
    with np.errstate(all="ignore"):
        return 0.5 * np.einsum("ij,ij->i", X, X)


def _kappa(d: int, dtype: Any) -> float:
    share = (d + 16) * float(np.finfo(dtype).eps)
    return share / (1.0 - share) if share < 0.1 else np.inf


class _Products:
    """Products of one lane's queries with blocks of rows, and how far they can be trusted."""

    def __init__(self, Q: Array, rows: Reference):
        self.rows = rows
        X = rows.X
        with np.errstate(over="ignore"):
            self.Q = np.ascontiguousarray(_shifted(Q.astype(X.dtype, copy=False), rows.shift))
        self.half = _half_squares(self.Q).astype(np.float64)
        n, m = min(_ROWS, X.shape[0]), min(_QUERIES, len(Q))
        self.tile = np.empty(m * n, X.dtype)
        self.buffer = None if rows.shift is None else np.empty((n, X.shape[1]), X.dtype)
        self.kappa = _kappa(X.shape[1], X.dtype)
        self.tiny = X.shape[1] * float(np.finfo(X.dtype).tiny)

    def walk(self, span: slice) -> Iterator[tuple[slice, slice, Array, Array, Array]]:
        """Yield (queries, rows, X, S, lift) of every tile; `span` starts at a whole block."""
        X, shift = self.rows.X, self.rows.shift
        for block in blocks(span, _ROWS):
            x = X[block]
            B = _shifted(x, shift, self.buffer)
            with np.errstate(all="ignore"):
                reach = np.sqrt(2.0 * self.half) + self.rows.largest[block.start // _ROWS]
                lift = self.half - (self.kappa * reach**2 + self.tiny)
            for queries in blocks(slice(0, len(self.Q)), _QUERIES):
                q = self.Q[queries]
                S = self.tile[: len(q) * len(B)].reshape(len(q), len(B))
                with np.errstate(all="ignore"):
                    product(q, B.T, S)
                yield queries, block, x, S, lift[queries]


def brute_neighbors(
    Q: Any, rows: Reference, metric: Metric, skip: Array, distance: Array, index: Array
) -> None:
    """Fill the heaps (sorted at the end) of all queries with their k best.

    Parameters
    ----------
    Q : (m, d) dense or CSR, or (m, n) distances where the metric is precomputed
    skip : (m,) intp
        A row that is no neighbour of the query, −1 for none.
    distance, index : (m, k), out
        Reduced distances and rows.
    """
    held = isinstance(rows.X, HeldRows)
    if Q.shape[0] > costs.BRUTE_CHUNK_QUERIES and (held or isinstance(Q, HeldRows)):
        for some in blocks(slice(0, Q.shape[0]), costs.BRUTE_CHUNK_QUERIES):
            brute_neighbors(Q[some], rows, metric, skip[some], distance[some], index[some])
        return
    Q = Q[:] if isinstance(Q, HeldRows) else Q
    n = Q.shape[1] if metric.name == "precomputed" else rows.X.shape[0]
    products = rows.half.size > 0
    parts = [slice(0, n)] if rows.lists else _row_parts(Q.shape[0], n, once=held)
    heaps = [(distance, index)]
    heaps += [(np.full_like(distance, np.inf), np.full_like(index, _LAST)) for _ in parts[1:]]

    def lane(queries: slice, part: int) -> None:
        d, i = heaps[part][0][queries], heaps[part][1][queries]
        if rows.lists is not None:
            scan_sparse(Q[queries], rows.lists, metric, skip[queries], d, i)
        else:
            scan = _scan_products if products else _scan_distances
            scan(Q[queries], rows, metric, parts[part], skip[queries], d, i)
        sort_best(d, i)

    if len(parts) == 1:
        smallest = costs.BRUTE_LANE_QUERIES if products else 8
        with one_blas_thread():
            map_rows(lambda queries: lane(queries, 0), Q.shape[0], min_rows=smallest)
    else:
        everything = slice(0, Q.shape[0])
        with one_blas_thread():
            map_rows(lambda part: lane(everything, part.start), len(parts))
        _merge(heaps, distance, index)
    for q in metric.directionless(Q):  # rounding alone would order its neighbours
        first = np.arange(min(n, distance.shape[1] + 1))
        distance[q], index[q] = _APART, first[first != skip[q]][: distance.shape[1]]


def _row_parts(n_queries: int, n: int, *, once: bool) -> list[slice]:
    """The rows in one run, or in several where the queries are too few for the threads.

    Or where rows are to be read once: lanes of queries would each read them all.
    """
    if not once and (n_queries >= 2 * costs.BRUTE_LANE_QUERIES or n_threads() == 1):
        return [slice(0, n)]
    n_blocks = -(-n // _ROWS)
    return [
        slice(part.start * _ROWS, min(part.stop * _ROWS, n))
        for part in lanes(n_blocks, min_rows=4, max_lanes=4)
    ]


def _merge(heaps: list[tuple[Array, Array]], distance: Array, index: Array) -> None:
    d = np.hstack([heap[0] for heap in heaps])
    i = np.hstack([heap[1] for heap in heaps])
    best = np.lexsort((i, d), axis=1)[:, : distance.shape[1]]
    distance[:] = np.take_along_axis(d, best, axis=1)
    index[:] = np.take_along_axis(i, best, axis=1)


def _scan_products(
    Q: Array,
    rows: Reference,
    metric: Metric,
    span: slice,
    skip: Array,
    distance: Array,
    index: Array,
) -> None:
    for queries, block, x, S, lift in _Products(Q, rows).walk(span):
        _brute_loops.scan_products(
            S, rows.half[block], Q[queries], x, block.start, lift,
            skip[queries], distance[queries], index[queries],
        )  # fmt: skip


def _scan_distances(
    Q: Any, rows: Reference, metric: Metric, span: slice, skip: Array, distance: Array, index: Array
) -> None:
    if not is_sparse(Q) and metric.code in (MANHATTAN, CHEBYSHEV) and _both_narrow(Q, rows.X):
        slack = 1.0 + _kappa(Q.shape[1], np.float32)
        for queries, block, x, D in _added_tiles(Q, rows.X, metric, span, np.float32):
            _brute_loops.scan_narrow(
                D, Q[queries], x, block.start, slack, metric.code,
                skip[queries], distance[queries], index[queries],
            )  # fmt: skip
        return
    for queries, block, D in _distance_tiles(Q, rows, metric, span):
        _brute_loops.scan_distances(
            D, block.start, skip[queries], distance[queries], index[queries]
        )


def _both_narrow(Q: Any, X: Any) -> bool:
    return bool(Q.dtype == np.float32 and X.dtype == np.float32)


def _distance_tiles(
    Q: Any, rows: Reference, metric: Metric, span: slice
) -> Iterator[tuple[slice, slice, Array]]:
    """Yield (queries, rows, reduced distances) of every tile, rows in order."""
    given = metric.pairs is not None or metric.name == "precomputed"
    if not given and not is_sparse(Q):
        for queries, block, _, D in _added_tiles(Q, rows.X, metric, span, np.float64):
            yield queries, block, D
        return
    for block in blocks(span, costs.BRUTE_SMALL_ROWS):
        for queries in blocks(slice(0, Q.shape[0]), costs.BRUTE_FEW_QUERIES):
            if metric.name == "precomputed":
                D = Q[queries, block]
            elif metric.pairs is None:
                D = sparse_pairs(Q[queries], rows.X[block], metric)
            else:
                D = metric.pairs(Q[queries], rows.X[block])
            yield queries, block, np.ascontiguousarray(D, dtype=np.float64)


def _added_tiles(
    Q: Array, X: Any, metric: Metric, span: slice, dtype: Any
) -> Iterator[tuple[slice, slice, Array, Array]]:
    """`_distance_tiles` of a metric that is added up feature by feature; the rows, too."""
    m, d = Q.shape
    wide = np.zeros((m, -(-d // _brute_loops.STEP) * _brute_loops.STEP), dtype)
    wide[:, :d] = Q
    turned, tile = (
        np.empty(rows * costs.BRUTE_SMALL_ROWS, dtype)
        for rows in (wide.shape[1], costs.BRUTE_FEW_QUERIES)
    )
    for block in blocks(span, costs.BRUTE_SMALL_ROWS):
        x = X[block]
        columns = turned[: wide.shape[1] * len(x)].reshape(-1, len(x))
        _brute_loops.lay_columns(x, columns)
        for queries in blocks(slice(0, m), costs.BRUTE_FEW_QUERIES):
            q = wide[queries]
            D = tile[: len(q) * len(x)].reshape(len(q), -1)
            _fill(q, columns, metric, d, D)
            yield queries, block, x, D


def _fill(q: Array, columns: Array, metric: Metric, d: int, D: Array) -> None:
    """Reduced distances of a tile; rows are there feature by feature, with zeros beyond d."""
    if metric.code == CANBERRA:
        _brute_loops.add_shares(q, columns, d, D)
    elif metric.code == NAN_EUCLIDEAN:
        count = np.empty((min(len(q), _brute_loops.AT_ONCE), columns.shape[1]))
        _brute_loops.add_present(q, columns, d, count, D)
    elif metric.code == BRAYCURTIS:
        _brute_loops.add_features(q, columns, MANHATTAN, metric.p, D)
        whole = abs(q).sum(axis=1)[:, None] + abs(columns).sum(axis=0)
        np.divide(D, whole, out=D, where=whole > 0)
    else:
        _brute_loops.add_features(q, columns, metric.code, metric.p, D)


def brute_radius(
    Q: Any, rows: Reference, metric: Metric, limit: float
) -> tuple[Array, Array, Array]:
    """Rows within a reduced distance: bounds of each query's run, rows, reduced distances.

    In each run the rows ascend.
    """
    n = Q.shape[1] if metric.name == "precomputed" else rows.X.shape[0]
    held = isinstance(rows.X, HeldRows)
    if Q.shape[0] > costs.BRUTE_CHUNK_QUERIES and (held or isinstance(Q, HeldRows)):
        some = blocks(slice(0, Q.shape[0]), costs.BRUTE_CHUNK_QUERIES)
        runs = [brute_radius(Q[chunk], rows, metric, limit) for chunk in some]
        counts, row, d = (
            np.concatenate(column)
            for column in zip(*((np.diff(start), r, d) for start, r, d in runs), strict=True)
        )
        return np.concatenate([[0], np.cumsum(counts)]), row, d
    collect: Callable[..., Iterator[tuple[Array, Array, Array]]]
    collect = _collect_products if rows.half.size > 0 else _collect_distances

    def lane(queries: slice) -> tuple[Array, Array, Array]:
        q = Q[queries]
        if rows.lists is not None:
            hits = list(collect_sparse(q, rows.lists, metric, limit))
        else:
            hits = list(collect(q, rows, metric, slice(0, n), limit))
        which, row, d = (np.concatenate(column) for column in zip(*hits, strict=True))
        lost = metric.directionless(q)
        if lost.size > 0:
            kept, own = ~np.isin(which, lost), lost if limit >= _APART else lost[:0]
            which = np.concatenate([which[kept], np.repeat(own, n)])
            row = np.concatenate([row[kept], np.tile(np.arange(n), len(own))])
            d = np.concatenate([d[kept], np.full(n * len(own), _APART)])
        order = np.argsort(which, kind="stable")
        return which[order] + queries.start, row[order], d[order]

    with one_blas_thread():
        parts = map_rows(
            lane, Q.shape[0], min_rows=64, max_lanes=n_threads() if held else MAX_LANES
        )
    which, row, d = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.zeros(Q.shape[0] + 1, np.intp)
    np.cumsum(np.bincount(which, minlength=Q.shape[0]), out=start[1:])
    return start, row, d


def _collect_products(
    Q: Array, rows: Reference, metric: Metric, span: slice, limit: float
) -> Iterator[tuple[Array, Array, Array]]:
    products = _Products(Q, rows)
    hits = np.empty((products.tile.size, 2), np.intp)
    distance = np.empty(products.tile.size)
    for queries, block, x, S, lift in products.walk(span):
        count = _brute_loops.collect_products(
            S, rows.half[block], Q[queries], x, lift, limit, hits, distance
        )
        found = np.add(hits[:count], (queries.start, block.start))
        yield found[:, 0], found[:, 1], distance[:count].copy()


def _collect_distances(
    Q: Any, rows: Reference, metric: Metric, span: slice, limit: float
) -> Iterator[tuple[Array, Array, Array]]:
    for queries, block, D in _distance_tiles(Q, rows, metric, span):
        which, row = np.nonzero(limit >= D)
        yield which + queries.start, row + block.start, D[which, row]
