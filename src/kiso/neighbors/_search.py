"""What all neighbour estimators share: keep the rows, find the nearest, the graph of them."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_y,
    check_consistent_length,
    check_is_fitted,
    check_non_negative,
    validate_data,
)

from kiso._compute.threads import TakesJobs
from kiso._validation import FLOATS, Array, Interval, Real, StrOptions, positive

from ._brute import Reference, brute_neighbors, brute_radius, reference
from ._choice import TreeChoice
from ._metrics import METRICS, Metric, is_sparse, resolve_metric
from ._query_loops import Tree
from ._rows import HeldRows, hold, stays
from ._tree import build_tree, tree_neighbors, tree_radius

_LAST = np.iinfo(np.intp).max


class NeighborSearch(TakesJobs, BaseEstimator):
    """Base of the neighbour estimators; their docstrings say what the parameters are."""

    _parameter_constraints: dict[str, list[Any]] = {
        "n_neighbors": [positive(Integral)],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "leaf_size": [positive(Integral)],
        "metric": [StrOptions(set(METRICS)), callable],
        "p": [Interval(Real, 0, None, closed="right"), None],
        "metric_params": [dict, None],
        "n_jobs": [None, Integral],
    }

    n_neighbors: int = 5  # what a query is given where the estimator has no such parameter
    radius: float = 1.0
    algorithm: str
    leaf_size: int
    metric: Any
    p: float | None
    metric_params: dict[str, Any] | None
    n_features_in_: int
    n_samples_fit_: int
    effective_metric_: Any
    effective_metric_params_: dict[str, Any]
    _rows: Reference
    _tree: Tree | None  # the one asked for
    _choice: TreeChoice | None  # changes as queries come, which the results do not show
    _fit_method: str

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.positive_only = tags.input_tags.pairwise
        tags.input_tags.sparse = not tags.input_tags.pairwise
        return tags

    def _accepted(self) -> dict[str, Any]:
        """How X has to be, for `validate_data`."""
        pairwise = self.metric == "precomputed"
        return {
            "accept_sparse": False if pairwise else "csr",
            "dtype": FLOATS,
            "order": "C",
        }

    def _validated(self, X: Any, y: Any = None, *, reset: bool = True, **target: Any) -> Any:
        """X, or X and y, as `validate_data` has them; an X that is too large is held as it is.

        A tree that is asked for copies its rows anyway.
        """
        tree_asked = reset and self.algorithm in {"kd_tree", "ball_tree"}
        if self.metric == "precomputed" or tree_asked or not stays(X):
            given = {} if y is None and not target else {"y": y, **target}
            return validate_data(self, X, reset=reset, **given, **self._accepted())
        if not target:
            return hold(validate_data(self, X, reset=reset, skip_check_array=True), self)
        validate_data(self, X, y, reset=reset, skip_check_array=True)
        rows, y = hold(X, self), _check_y(y, estimator=self, **target)
        check_consistent_length(X, y)
        return rows, y

    def _keep(self, X: Any) -> Self:
        """Take validated rows, choose the algorithm and build what it needs."""
        metric = resolve_metric(self.metric, self.p, self.metric_params, X.shape[1])
        self._refuse_unsuitable(X, metric)
        if is_sparse(X):
            X = X.copy()
            X.sum_duplicates()
        X = _plain(X)
        self._metric, self._fit_X, self.n_samples_fit_ = metric, X, X.shape[0]
        self.effective_metric_ = metric.name if self.metric == "minkowski" else self.metric
        self.effective_metric_params_ = {
            key: value for key, value in metric.params.items() if key != "n_features"
        }
        dense_norm = metric.is_norm and isinstance(X, np.ndarray)
        self._tree = self._choice = None
        if dense_norm and self.algorithm in {"kd_tree", "ball_tree"}:
            self._tree = build_tree(X, self.leaf_size)
        elif dense_norm and self.algorithm == "auto":
            self._choice = TreeChoice(X, metric, self.leaf_size)
        self._fit_method = "brute" if self._tree is None else "kd_tree"
        none = np.empty(0)
        if self._tree is not None:
            self._rows = Reference(X, None, none, none)
        else:
            self._rows = reference(_mapped(X, metric, queries=False), metric)
        return self

    def _refuse_unsuitable(self, X: Any, metric: Metric) -> None:
        if metric.name == "precomputed":
            check_non_negative(X, "precomputed distances")
        if metric.name == "precomputed" and X.shape[0] != X.shape[1]:
            raise ValueError(
                f"X of shape {X.shape}: with metric='precomputed' fit takes the square matrix "
                "of the distances between all training rows"
            )
        by_ball = metric.name in {"callable", "hamming", "minkowski"}  # scikit-learn's would do
        if self.algorithm in {"auto", "brute"} or (self.algorithm == "ball_tree" and by_ball):
            return
        if not metric.is_norm:
            raise ValueError(
                f"algorithm={self.algorithm!r} and metric={self.metric!r}: a tree needs "
                "euclidean, sqeuclidean, manhattan, chebyshev, or minkowski with p >= 1 and "
                "without weights; give algorithm='brute' or 'auto'"
            )

    def _queries(self, X: Any) -> tuple[Any, Array]:
        """Validated queries in the metric's features, and the row each has to skip."""
        check_is_fitted(self, "_fit_method")
        if X is None:
            Q, skip = self._fit_X, np.arange(self.n_samples_fit_)
        else:
            Q = _plain(self._validated(X, reset=False))
            skip = np.full(Q.shape[0], -1)
            if self._metric.name == "precomputed":
                check_non_negative(Q, "precomputed distances")
        if is_sparse(self._fit_X) and not is_sparse(Q):
            Q = sparse.csr_array(Q[:])
        elif is_sparse(Q) and not is_sparse(self._fit_X):
            Q = Q.toarray()
        return _mapped(Q, self._metric, queries=True), skip

    def _tree_for(self, Q: Any, k: int) -> Tree | None:
        if self._choice is None or isinstance(Q, HeldRows):
            return self._tree
        return self._choice.tree_for(Q, k)

    def _refuse_too_many(self, k: Any, X: Any) -> None:
        if not isinstance(k, Integral) or isinstance(k, bool):
            raise TypeError(f"n_neighbors={k!r}: give an integer")
        k = int(k)
        if k < 1:
            raise ValueError(f"n_neighbors={k}: expected n_neighbors > 0")
        available = self.n_samples_fit_ - (X is None)
        if k > available:
            of = ", each without itself" if X is None else ""
            raise ValueError(
                f"n_neighbors={k}: expected n_neighbors <= {available}, the number of "
                f"training samples{of} (n_samples_fit = {self.n_samples_fit_})"
            )

    def _refuse_overflow(self, reduced: Array) -> None:
        """Powers that overflow would make far rows as near as each other."""
        if np.isinf(reduced).any() and self._metric.code >= 0:
            raise ValueError(
                f"powers of distances by metric={self.metric!r} overflow: scale the columns of X"
            )

    def kneighbors(
        self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True
    ) -> Any:
        """Find the k nearest training rows of each query, nearest first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), default=None
            Or (n_queries, n_samples_fit) distances where the metric is precomputed. None:
            the training rows, none of which is its own neighbour.
        n_neighbors : int, default=None
            k; None is the estimator's.
        return_distance : bool, default=True

        Returns
        -------
        distances : ndarray of shape (n_queries, k), in the training dtype
            Only where `return_distance`.
        indices : ndarray of shape (n_queries, k)
            Rows of the training data. Of equal distances the lower index comes first.

        Raises
        ------
        ValueError
            If there are fewer than k training rows.
        """
        check_is_fitted(self, "_fit_method")
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        self._refuse_too_many(k, X)
        Q, skip = self._queries(X)
        distance = np.full((Q.shape[0], int(k)), np.inf)
        index = np.full((Q.shape[0], int(k)), _LAST)
        tree = self._tree_for(Q, int(k))
        if tree is not None:
            tree_neighbors(Q, tree, self._metric, skip, distance, index)
        else:
            brute_neighbors(Q, self._rows, self._metric, skip, distance, index)
        self._refuse_overflow(distance)
        if not return_distance:
            return index
        return self._metric.distance(distance).astype(self._fit_X.dtype, copy=False), index

    def radius_neighbors(
        self,
        X: Any = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> Any:
        """Find all training rows within a distance of each query, the boundary included.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), default=None
            As for `kneighbors`.
        radius : float, default=None
            None is the estimator's.
        return_distance : bool, default=True
        sort_results : bool, default=False
            Nearest first; otherwise rows come in the order of the training data.

        Returns
        -------
        distances : ndarray of shape (n_queries,) of ndarrays, in the training dtype
            Only where `return_distance`.
        indices : ndarray of shape (n_queries,) of ndarrays
        """
        start, index, distance = self._within(X, radius, sort_results)
        indices = _runs(index, start)
        if not return_distance:
            return indices
        return _runs(distance, start), indices

    def _within(self, X: Any, radius: Any, by_distance: bool) -> tuple[Array, Array, Array]:
        """Runs of rows in reach of each query: their bounds, rows, distances."""
        check_is_fitted(self, "_fit_method")
        radius = self.radius if radius is None else radius
        if not isinstance(radius, Real) or not float(radius) >= 0:
            raise ValueError(f"radius={radius!r}: give a number of at least 0")
        Q, skip = self._queries(X)
        limit = self._metric.reduced(float(radius))
        tree = self._tree_for(Q, min(self.n_neighbors, self.n_samples_fit_))
        if tree is not None:
            start, index, distance = tree_radius(Q, tree, self._metric, limit)
        else:
            start, index, distance = brute_radius(Q, self._rows, self._metric, limit)
        query = np.repeat(np.arange(Q.shape[0]), np.diff(start))
        if X is None:
            other = index != skip[query]
            query, index, distance = query[other], index[other], distance[other]
            start = np.concatenate([[0], np.cumsum(np.bincount(query, minlength=len(skip)))])
        self._refuse_overflow(distance)
        order = np.lexsort((index, distance, query) if by_distance else (index, query))
        found = self._metric.distance(distance[order])
        return start, index[order], found.astype(self._fit_X.dtype, copy=False)

    def kneighbors_graph(
        self, X: Any = None, n_neighbors: int | None = None, mode: str = "connectivity"
    ) -> Any:
        """Sparse matrix of the k nearest training rows of each query.

        Parameters
        ----------
        X, n_neighbors
            As for `kneighbors`.
        mode : {"connectivity", "distance"}, default="connectivity"
            Whether the entries are ones or distances.

        Returns
        -------
        scipy.sparse.csr_matrix of shape (n_queries, n_samples_fit)
        """
        _refuse_mode(mode)
        distance, index = self.kneighbors(X, n_neighbors)
        start = np.arange(0, index.size + 1, index.shape[1])
        return self._graph(start, index.ravel(), distance.ravel(), mode)

    def radius_neighbors_graph(
        self,
        X: Any = None,
        radius: float | None = None,
        mode: str = "connectivity",
        sort_results: bool = False,
    ) -> Any:
        """Sparse matrix of all training rows within a distance of each query.

        Parameters
        ----------
        X, radius, sort_results
            As for `radius_neighbors`.
        mode : {"connectivity", "distance"}, default="connectivity"

        Returns
        -------
        scipy.sparse.csr_matrix of shape (n_queries, n_samples_fit)
        """
        _refuse_mode(mode)
        start, index, distance = self._within(X, radius, sort_results)
        return self._graph(start, index, distance, mode)

    def _graph(self, start: Array, index: Array, distance: Array, mode: str) -> Any:
        values = np.ones(index.size) if mode == "connectivity" else distance
        shape = (len(start) - 1, self.n_samples_fit_)
        return sparse.csr_matrix((values, index, start), shape=shape)


def _plain(X: Any) -> Any:
    """The array itself where it is a memory map: the same rows, still not loaded."""
    return X if is_sparse(X) or isinstance(X, HeldRows) else np.asarray(X)


def _mapped(X: Any, metric: Metric, *, queries: bool) -> Any:
    if isinstance(X, HeldRows):
        return X.mapped(metric, queries=queries)
    return metric.mapped(X, queries=queries)


def _runs(values: Array, start: Array) -> Array:
    """An object array of the runs: `values[start[i] : start[i + 1]]`."""
    out = np.empty(len(start) - 1, dtype=object)
    for i in range(len(out)):
        out[i] = values[start[i] : start[i + 1]].copy()
    return out


def _refuse_mode(mode: Any) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(f"mode={mode!r}: give 'connectivity' or 'distance'")


def numbers(y: Array) -> Array:
    """Give targets back, if they are numbers."""
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y of type {y.dtype}: regression takes numbers")
    return y


def search_constraints(base: type[NeighborSearch], *, without: str) -> dict[str, list[Any]]:
    """The constraints of a search that lacks one of the parameters."""
    return {k: v for k, v in base._parameter_constraints.items() if k != without}
