"""Features as codes: the rank of each value among the distinct values of its feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.threads import lanes, run_lanes
from kiso._validation import Array

__all__ = ["code_features"]


def code_features(X: Any, n_categories: Array) -> tuple[Array, Array, Array]:
    """Sort every feature once.

    Parameters
    ----------
    X : ndarray or CSC of shape (n, d)
        NaN is a missing value; a categorical column holds 0, 1, ..., n_categories[f] - 1.
    n_categories : ndarray of shape (d,)
        -1 for a numeric feature.

    Returns
    -------
    codes : ndarray of shape (d, n), int32
        Rank of each value; missing: the number of distinct values.
    values, offset : ndarray
        Distinct values of feature f: values[offset[f]:offset[f + 1]], float64.
    """
    n, d = X.shape
    codes = np.empty((d, n), dtype=np.int32)
    distinct: list[Array] = [np.empty(0)] * d

    def task(lane: slice) -> None:
        for f in range(lane.start, lane.stop):
            column = _column(X, f)
            if n_categories[f] >= 0:
                distinct[f] = np.arange(n_categories[f], dtype=np.float64)
                codes[f] = np.where(np.isnan(column), n_categories[f], column)
            else:
                distinct[f] = _rank(column, codes[f])

    run_lanes(task, lanes(d, max_lanes=d))
    offset = np.zeros(d + 1, dtype=np.intp)
    np.cumsum([len(values) for values in distinct], out=offset[1:])
    return codes, np.concatenate([*distinct, np.empty(0)]), offset


def _column(X: Any, f: int) -> Array:
    if isinstance(X, np.ndarray):
        return np.ascontiguousarray(X[:, f])
    column = np.zeros(X.shape[0], dtype=X.dtype)
    entries = slice(X.indptr[f], X.indptr[f + 1])
    column[X.indices[entries]] = X.data[entries]
    return column


def _rank(column: Array, out: Array) -> Array:
    order = np.argsort(column)  # missing ones last
    ordered = column[order]
    n_seen = len(column) - int(np.isnan(column).sum())
    new = np.empty(n_seen, dtype=bool)
    new[:1] = True
    np.not_equal(ordered[1:n_seen], ordered[: n_seen - 1], out=new[1:])
    out[order[:n_seen]] = np.cumsum(new, dtype=np.int32) - 1
    values = ordered[:n_seen][new].astype(np.float64)
    out[order[n_seen:]] = len(values)
    return values
