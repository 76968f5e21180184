"""Neighbour graphs of a data set in one call."""

from __future__ import annotations

from typing import Any

from ._nearest import NearestNeighbors

__all__ = ["kneighbors_graph", "radius_neighbors_graph"]


def kneighbors_graph(
    X: Any,
    n_neighbors: int,
    *,
    mode: str = "connectivity",
    metric: Any = "minkowski",
    p: float = 2,
    metric_params: dict[str, Any] | None = None,
    include_self: bool | str = False,
    n_jobs: int | None = None,
) -> Any:
    """Sparse matrix of the k nearest rows of each row.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    n_neighbors : int
    mode : {"connectivity", "distance"}, default="connectivity"
        Whether the entries are ones or distances.
    metric, p, metric_params, n_jobs
        As for `NearestNeighbors`.
    include_self : bool or "auto", default=False
        Whether a row is its own first neighbour; "auto": with connectivity.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n_samples, n_samples)
        Entry (i, j) is not zero where j is a neighbour of i; not symmetric in general.

    Examples
    --------
    >>> from kiso.neighbors import kneighbors_graph
    >>> kneighbors_graph([[0.0], [3.0], [1.0]], 1).toarray()
    array([[0., 0., 1.],
           [0., 0., 1.],
           [1., 0., 0.]])
    """
    search = NearestNeighbors(
        n_neighbors=n_neighbors, metric=metric, p=p, metric_params=metric_params, n_jobs=n_jobs
    ).fit(X)
    return search.kneighbors_graph(_queries(X, include_self, mode), mode=mode)


def radius_neighbors_graph(
    X: Any,
    radius: float,
    *,
    mode: str = "connectivity",
    metric: Any = "minkowski",
    p: float = 2,
    metric_params: dict[str, Any] | None = None,
    include_self: bool | str = False,
    n_jobs: int | None = None,
) -> Any:
    """Sparse matrix of the rows within a distance of each row.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    radius : float
    mode, metric, p, metric_params, include_self, n_jobs
        As for `kneighbors_graph`.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n_samples, n_samples)

    Examples
    --------
    >>> from kiso.neighbors import radius_neighbors_graph
    >>> radius_neighbors_graph([[0.0], [3.0], [1.0]], 1.5).toarray()
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """
    search = NearestNeighbors(
        radius=radius, metric=metric, p=p, metric_params=metric_params, n_jobs=n_jobs
    ).fit(X)
    return search.radius_neighbors_graph(_queries(X, include_self, mode), mode=mode)


def _queries(X: Any, include_self: bool | str, mode: str) -> Any:
    if include_self not in (True, False, "auto"):
        raise ValueError(f"include_self={include_self!r}: give True, False or 'auto'")
    own = mode == "connectivity" if include_self == "auto" else include_self
    return X if own else None
