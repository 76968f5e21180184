"""Neighbour graphs of a data set in one call."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from ._nearest import NearestNeighbors
from ._rows import HeldRows
from ._search import NeighborSearch

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
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or fitted estimator
        An estimator of this room stands for its training rows and its metric, which
        `metric`, `p` and `metric_params` then have to repeat.
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
    own = {"metric": metric, "p": p, "metric_params": metric_params}
    search = _fitted(X, own, n_neighbors=n_neighbors, n_jobs=n_jobs)
    queries = _queries(search, X, include_self, mode)
    return search.kneighbors_graph(queries, n_neighbors, mode=mode)


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
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or fitted estimator
    radius : float
    mode, metric, p, metric_params, include_self, n_jobs
        With X, as for `kneighbors_graph`.

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
    own = {"metric": metric, "p": p, "metric_params": metric_params}
    search = _fitted(X, own, radius=radius, n_jobs=n_jobs)
    queries = _queries(search, X, include_self, mode)
    return search.radius_neighbors_graph(queries, radius, mode=mode)


def _fitted(X: Any, own: dict[str, Any], **settings: Any) -> NeighborSearch:
    """A search over the rows, or the one that was given, if it is the one that is wanted."""
    if not isinstance(X, NeighborSearch):
        return NearestNeighbors(**own, **settings).fit(X)
    for name, value in own.items():
        given = getattr(X, name)
        if given is not value and given != value:
            raise ValueError(f"{name}={value!r}: the fitted estimator has {name}={given!r}")
    return X


def _queries(search: NeighborSearch, X: Any, include_self: bool | str, mode: str) -> Any:
    if include_self not in (True, False, "auto"):
        raise ValueError(f"include_self={include_self!r}: give True, False or 'auto'")
    own = mode == "connectivity" if include_self == "auto" else include_self
    if not own:
        return None
    if search is not X:
        return X
    check_is_fitted(search)
    rows = search._fit_X
    return rows.source if isinstance(rows, HeldRows) else rows
