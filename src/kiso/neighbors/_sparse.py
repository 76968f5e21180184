"""Sparse rows, searched by inverted lists: the work is that of the features rows share.

`_sparse_loops` says which sum is found that way. Its rounding is at most

    E = (n_q + n_x + 16) ε 2^(p + 2) (F(q) + F(x)),

n_q and n_x the features that the rows have, ε the distance of one from the next float64:
a term |q − x|ᵖ is at most 2ᵖ (|q|ᵖ + |x|ᵖ).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import blocks
from kiso._validation import Array

from . import _sparse_loops
from ._metric_loops import CHEBYSHEV, EUCLIDEAN, HAMMING, MANHATTAN
from ._metrics import Metric
from ._sparse_loops import Lists, Rows

__all__ = ["SparseRows", "collect_sparse", "scan_sparse", "sparse_pairs", "sparse_rows"]

_POWER = {EUCLIDEAN: 2.0, MANHATTAN: 1.0, HAMMING: 0.0}


class SparseRows(NamedTuple):
    """CSR rows and their inverted lists, block by block."""

    n: int
    size: int  # rows of a block
    rows: Rows
    half: Array  # (n,) float64: F(x)/2
    lists: tuple[Lists, ...]


def sparse_rows(X: Any, metric: Metric) -> SparseRows | None:
    """Invert the rows of a CSR matrix; None for metrics that lists are of no use for."""
    if metric.pairs is not None or metric.code == CHEBYSHEV:
        return None
    n, d = X.shape
    n_blocks = max(
        1, min(-(-n // costs.SPARSE_BLOCK_ROWS), 4 * X.nnz // d)
    )  # lists have d + 1 bounds each
    size = -(-n // n_blocks)
    rows = _csr(X)
    half = np.empty(n)
    _sparse_loops.own_terms(rows, metric.code, metric.p, half)
    half *= 0.5
    columns = (X[block].tocsc() for block in blocks(slice(0, n), size))
    lists = tuple(Lists(c.data, _indices(c.indices), _indices(c.indptr)) for c in columns)
    return SparseRows(n, size, rows, half, lists)


def _csr(X: Any) -> Rows:
    X = X.sorted_indices()
    return Rows(X.data, _indices(X.indices), _indices(X.indptr))


def _indices(values: Array) -> Array:
    """Of one type for all matrices, so that loops are compiled once."""
    small = len(values) == 0 or values.max() <= np.iinfo(np.int32).max
    return values.astype(np.int32 if small else np.int64, copy=False)


def _bounds(q: Rows, at: SparseRows, block: slice, metric: Metric) -> tuple[Array, Array]:
    """(F(q) − E)/2 and E of each query against a block of rows."""
    own = np.empty(len(q.start) - 1)
    _sparse_loops.own_terms(q, metric.code, metric.p, own)
    counts = np.diff(q.start) + np.diff(at.rows.start[block.start : block.stop + 1]).max()
    power = 2.0 ** (_POWER.get(metric.code, metric.p) + 2.0)
    with np.errstate(all="ignore"):
        both = own + 2.0 * at.half[block].max()
        error = (counts + 16) * float(np.finfo(np.float64).eps) * power * both
        error += float(np.finfo(np.float64).tiny) * counts
        return 0.5 * (own - error), error


def _walk(
    q: Rows, at: SparseRows, metric: Metric
) -> Iterator[tuple[slice, Lists, Array, Array, Array]]:
    for block, lists in zip(blocks(slice(0, at.n), at.size), at.lists, strict=True):
        yield block, lists, at.half[block], *_bounds(q, at, block, metric)


def scan_sparse(
    Q: Any, at: SparseRows, metric: Metric, skip: Array, distance: Array, index: Array
) -> None:
    """Offer the heaps of CSR queries all rows that may be near enough."""
    q = _csr(Q)
    for block, lists, half, lift, error in _walk(q, at, metric):
        _sparse_loops.scan_lists(
            q, at.rows, lists, block.start, half, lift, error, metric.code, metric.p,
            skip, distance, index,
        )  # fmt: skip


def collect_sparse(
    Q: Any, at: SparseRows, metric: Metric, limit: float
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield (query, row, reduced distance) of all rows within one, some queries at a time."""
    for some in blocks(slice(0, Q.shape[0]), costs.SPARSE_TILE_QUERIES):
        q = _csr(Q[some])
        for block, lists, half, lift, _ in _walk(q, at, metric):
            task = (q, at.rows, lists, block.start, half, lift, metric.code, metric.p, limit)
            hits, distance = np.empty((0, 2), np.intp), np.empty(0)
            count = _sparse_loops.collect_lists(*task, hits, distance)
            hits, distance = np.empty((count, 2), np.intp), np.empty(count)
            if count > 0:
                _sparse_loops.collect_lists(*task, hits, distance)
            yield hits[:, 0] + some.start, hits[:, 1] + block.start, distance


def sparse_pairs(Q: Any, X: Any, metric: Metric) -> Array:
    """Reduced distances of CSR queries to CSR rows, one by one."""
    D = np.empty((Q.shape[0], X.shape[0]))
    _sparse_loops.fill_pairs(_csr(Q), _csr(X), metric.code, metric.p, D)
    return D
