"""Distances that were computed before: a matrix, or a sparse graph of the rows in reach.

In a sparse graph only the stored entries are neighbours; an entry that is stored may be 0.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import EfficiencyWarning

from kiso._validation import Array

from ._maps import is_sparse

__all__ = ["check_format", "graph_neighbors", "graph_within", "refuse_negative", "sorted_graph"]


def check_format(X: Any) -> None:
    """Refuse sparse formats that may lose zeros that are stored."""
    if is_sparse(X) and X.format not in ("csr", "csc", "coo", "lil"):
        raise TypeError(
            f"Sparse matrix in {X.format!r} format is not supported due to its handling of "
            "explicit zeros"
        )


def refuse_negative(X: Any) -> None:
    """Refuse distances below 0."""
    values = X.data if is_sparse(X) else X
    if values.size > 0 and values.min() < 0:
        raise ValueError("Negative values in data passed to precomputed distance matrix.")


def sorted_graph(X: Any) -> Any:
    """Give a CSR graph whose rows are sorted by (distance, index); X where it is sorted."""
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    same = row[1:] == row[:-1]
    step = np.diff(X.data)
    if ((step < 0) & same).any():
        warnings.warn(
            "Precomputed sparse input was not sorted by row values. Use the function "
            "sklearn.neighbors.sort_graph_by_row_values to sort the input by row values, with "
            "warn_when_not_sorted=False to remove this warning.",
            EfficiencyWarning,
            stacklevel=2,
        )
    elif not ((step == 0) & (np.diff(X.indices) < 0) & same).any():
        return X
    order = np.lexsort((X.indices, X.data, row))
    return sparse.csr_array((X.data[order], X.indices[order], X.indptr), shape=X.shape)


def graph_neighbors(graph: Any, k: int, skip: Array | None) -> tuple[Array, Array]:
    """The first k of each row of a sorted graph, `skip[i]` left out of row i.

    Raises
    ------
    ValueError
        If a row has too few; where one is to be left out, it needs one more.
    """
    needed = k + (skip is not None)
    fewest = int(np.diff(graph.indptr).min())
    if fewest < needed:
        raise ValueError(
            f"{needed} neighbors per samples are required, but some samples have only {fewest} "
            "neighbors in precomputed graph matrix. Decrease number of neighbors used or "
            "recompute the graph with more neighbors."
        )
    at = graph.indptr[:-1, None].astype(np.intp) + np.arange(needed)
    index, distance = graph.indices[at].astype(np.intp), graph.data[at].astype(np.float64)
    if skip is not None:
        own = index == skip[:, None]
        own[~own.any(axis=1), -1] = True  # not stored: the last is one too many
        index, distance = (a[~own].reshape(-1, k) for a in (index, distance))
    return distance, index


def graph_within(graph: Any, limit: Array) -> tuple[Array, Array, Array]:
    """Stored entries within a distance: bounds of each row's run, columns, distances."""
    count = np.diff(graph.indptr)
    near = graph.data <= np.repeat(np.broadcast_to(limit, count.shape), count)
    start = np.concatenate([[0], np.cumsum(near)])[graph.indptr]
    return start, graph.indices[near].astype(np.intp), graph.data[near].astype(np.float64)
