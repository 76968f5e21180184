"""What all neighbour estimators share: keep the rows, find the nearest, the graph of them."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import BallTree, KDTree
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from kiso._compute.threads import TakesJobs
from kiso._gate import check_y, validate_data
from kiso._parts import TakesParts
from kiso._validation import FLOATS, Array, Interval, Real, StrOptions, positive

from ._brute import Reference, brute_neighbors, brute_radius, reference
from ._choice import TreeChoice
from ._maps import is_sparse
from ._metric_loops import MINKOWSKI
from ._metrics import METRICS, Metric, resolve_metric
from ._pairs import BOOLEAN
from ._precomputed import (
    check_format,
    graph_neighbors,
    graph_within,
    refuse_negative,
    sorted_graph,
)
from ._query_loops import Tree
from ._rows import HeldRows, hold, stays
from ._tree import build_tree, tree_neighbors, tree_radius

_LAST = np.iinfo(np.intp).max


class NeighborSearch(TakesJobs, TakesParts, BaseEstimator):
    """Base of the neighbour estimators; their docstrings say what the parameters are."""

    _parameter_constraints: dict[str, list[Any]] = {
        "n_neighbors": [positive(Integral)],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "leaf_size": [positive(Integral)],
        "metric": [StrOptions(set(METRICS)), callable, DistanceMetric],
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
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.metric == "nan_euclidean"
        return tags

    def _accepted(self) -> dict[str, Any]:
        """How X has to be, for `validate_data`."""
        boolean = isinstance(self.metric, str) and self.metric in BOOLEAN
        return {
            "accept_sparse": "csr",
            "dtype": [*FLOATS, np.bool_] if boolean else FLOATS,
            "order": "C",
            "ensure_all_finite": "allow-nan" if self.metric == "nan_euclidean" else True,
        }

    def _validated(self, X: Any, y: Any = None, *, reset: bool = True, **target: Any) -> Any:
        """X, or X and y, as `validate_data` has them; an X that is too large is held as it is.

        A tree that is asked for copies its rows anyway. A fitted search, or a tree of
        scikit-learn's, stands for its rows.
        """
        X = _rows_of(X) if reset else X
        if self.metric == "precomputed":
            check_format(X)
        tree_asked = reset and self.algorithm in {"kd_tree", "ball_tree"}
        if self.metric == "precomputed" or tree_asked or not stays(X):
            given = {} if y is None and not target else {"y": y, **target}
            return validate_data(self, X, reset=reset, **given, **self._accepted())
        finite = self._accepted()["ensure_all_finite"]
        if not target:
            X = validate_data(self, X, reset=reset, skip_check_array=True)
            return hold(X, self, finite=finite)
        validate_data(self, X, y, reset=reset, skip_check_array=True)
        rows, y = hold(X, self, finite=finite), check_y(y, estimator=self, **target)
        check_consistent_length(X, y)
        return rows, y

    def _keep(self, X: Any) -> Self:
        """Take validated rows, choose the algorithm and build what it needs."""
        params = self.metric_params or {}
        if "p" in params and self.p is not None:
            warnings.warn(
                "Parameter p is found in metric_params. The corresponding parameter from "
                "__init__ is ignored.",
                SyntaxWarning,
                stacklevel=4,
            )
        metric = resolve_metric(self.metric, self.p, params, X)
        self._refuse_unsuitable(X, metric)
        if metric.name == "precomputed":
            X = self._checked_distances(X)
        elif is_sparse(X):
            X = X.copy()
            X.sum_duplicates()
        X = _plain(X)
        self._metric, self._fit_X, self.n_samples_fit_ = metric, X, X.shape[0]
        weighted = metric.params.get("w") is not None
        self.effective_metric_ = self.metric
        if self.metric == "minkowski" and not weighted:
            self.effective_metric_ = metric.name
        self.effective_metric_params_ = dict(metric.params)
        self._tree = self._choice = None
        self._index(X, metric)
        return self

    def _index(self, X: Any, metric: Metric) -> None:
        """Build the tree that is asked for, or what brute force needs."""
        none = np.empty(0)
        self._fit_method = "brute"
        if metric.name == "precomputed" or not self._has_right_width(metric, X.shape[1]):
            self._rows = Reference(X, None, none, none)
            return
        rows = _mapped(X, metric, queries=False)
        by_tree = metric.by_tree and isinstance(rows, np.ndarray)
        if by_tree and self.algorithm in {"kd_tree", "ball_tree"}:
            self._tree, self._fit_method = build_tree(rows, self.leaf_size), "kd_tree"
            self._rows = Reference(rows, None, none, none)
            return
        if by_tree and self.algorithm == "auto":
            self._choice = TreeChoice(rows, metric, self.leaf_size)
        self._rows = reference(rows, metric)

    def _has_right_width(self, metric: Metric, d: int) -> bool:
        """False for a metric of two features that has others, which queries then refuse."""
        return metric.name != "haversine" or d == 2

    def _refuse_unsuitable(self, X: Any, metric: Metric) -> None:
        algorithm, name = self.algorithm, self.metric
        if metric.code == MINKOWSKI and metric.p < 1:
            if algorithm in {"kd_tree", "ball_tree"}:
                raise ValueError(
                    f"algorithm={algorithm!r} and p={metric.p:g}: a tree needs p >= 1, below it "
                    "the triangle inequality is broken; give p >= 1 or algorithm='brute'"
                )
            warnings.warn(
                f"p={metric.p:g} is below 1, where minkowski breaks the triangle inequality: the "
                "search is by brute force",
                stacklevel=5,
            )
        if algorithm == "kd_tree" and not metric.kd_tree:
            raise ValueError(
                f"algorithm='kd_tree' and metric={name!r}: a tree needs euclidean, "
                "sqeuclidean, manhattan, chebyshev, or minkowski with p >= 1 and without "
                "weights; give algorithm='brute' or 'auto'"
            )
        if algorithm == "ball_tree" and not metric.ball_tree:
            raise ValueError(
                f"algorithm='ball_tree' and metric={name!r}: it breaks the triangle inequality "
                "or has no bound for a ball; give algorithm='brute' or 'auto'"
            )
        if is_sparse(X) and metric.dense_only:
            raise ValueError(
                f"metric={name!r} takes dense rows alone: give a dense array, or one of "
                "the metrics that sparse rows have: euclidean, sqeuclidean, manhattan, "
                "chebyshev, minkowski, cosine, hamming, seuclidean, those of true and false, "
                "or a callable."
            )
        if is_sparse(X) and algorithm in {"kd_tree", "ball_tree"}:
            warnings.warn(
                f"algorithm={algorithm!r}: a tree holds no sparse rows, they are searched by brute "
                "force",
                stacklevel=5,
            )
        if metric.name in BOOLEAN and not _all_binary(X):
            warnings.warn(
                f"Data was converted to boolean for metric {metric.name}: x != 0",
                DataConversionWarning,
                stacklevel=5,
            )

    def _checked_distances(self, X: Any) -> Any:
        refuse_negative(X)
        if X.shape[0] != X.shape[1]:
            raise ValueError(
                f"X of shape {X.shape}: with metric='precomputed' fit takes the square matrix "
                "of the distances between all training rows"
            )
        return sorted_graph(X) if is_sparse(X) else X

    def _queries(self, X: Any) -> tuple[Any, Array]:
        """Validated queries in the metric's features, and the row each has to skip."""
        check_is_fitted(self, "_fit_method")
        metric = self._metric
        if X is None:
            Q, skip = self._fit_X, np.arange(self.n_samples_fit_)
        else:
            Q = _plain(self._validated(X, reset=False))
            skip = np.full(Q.shape[0], -1)
            if metric.name == "precomputed":
                refuse_negative(Q)
                Q = sorted_graph(Q) if is_sparse(Q) else Q
        if not self._has_right_width(metric, Q.shape[1]):
            raise ValueError(
                "Haversine distance only valid in 2 dimensions, latitude and longitude in "
                f"radians: X has {Q.shape[1]} features"
            )
        if metric.name == "precomputed":
            return Q, skip
        if is_sparse(Q) and self._tree is not None:
            raise ValueError(
                f"{self.algorithm} does not work with sparse matrices. Densify the data, or "
                "set algorithm='brute'"
            )
        if is_sparse(self._fit_X) and not is_sparse(Q):
            Q = sparse.csr_array(Q[:])
        elif is_sparse(Q) and not is_sparse(self._fit_X):
            Q = Q.toarray()
        return _mapped(Q, metric, queries=True), skip

    def _tree_for(self, Q: Any, k: int) -> Tree | None:
        if self._choice is None or isinstance(Q, HeldRows):
            return self._tree
        return self._choice.tree_for(Q, k)

    @property
    def _distance_dtype(self) -> Any:
        """The training rows' type; rows of true and false have distances in float64."""
        return np.float32 if self._fit_X.dtype == np.float32 else np.float64

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
        if np.isinf(reduced).any() and self._metric.code >= 0 and not self._metric.may_lack:
            raise ValueError(
                f"powers of distances by metric={self.metric!r} overflow: scale the columns of X"
            )

    def _nearest(self, Q: Any, skip: Array, k: int) -> tuple[Array, Array]:
        """Reduced distances and rows of the k nearest, nearest first."""
        if self._metric.name == "precomputed" and is_sparse(Q):
            own = skip.size > 0 and skip[-1] >= 0
            return graph_neighbors(Q, k, skip if own else None)
        distance, index = np.full((Q.shape[0], k), np.inf), np.full((Q.shape[0], k), _LAST)
        tree = self._tree_for(Q, k)
        if tree is not None:
            tree_neighbors(Q, tree, self._metric, skip, distance, index)
        else:
            brute_neighbors(Q, self._rows, self._metric, skip, distance, index)
        self._refuse_overflow(distance)
        return distance, index

    def _within(self, X: Any, radius: Any, by_distance: bool) -> tuple[Array, Array, Array]:
        """Runs of rows in reach of each query: their bounds, rows, distances."""
        check_is_fitted(self, "_fit_method")
        Q, skip = self._queries(X)
        limits = self._metric.reduced(_radii(self.radius if radius is None else radius, Q))
        limit = float(limits.max(initial=0.0))  # several: of the largest, the others' are kept
        tree = self._tree_for(Q, min(self.n_neighbors or 1, self.n_samples_fit_))
        if self._metric.name == "precomputed" and is_sparse(Q):
            start, index, distance = graph_within(Q, limits)
        elif tree is not None:
            start, index, distance = tree_radius(Q, tree, self._metric, limit)
        else:
            start, index, distance = brute_radius(Q, self._rows, self._metric, limit)
        query = np.repeat(np.arange(Q.shape[0]), np.diff(start))
        if X is None or limits.size > 1:
            other = (index != skip[query]) & (
                distance <= np.broadcast_to(limits, skip.shape)[query]
            )
            query, index, distance = query[other], index[other], distance[other]
            start = np.concatenate([[0], np.cumsum(np.bincount(query, minlength=len(skip)))])
        self._refuse_overflow(distance)
        order = np.lexsort((index, distance, query) if by_distance else (index, query))
        found = self._metric.distance(distance[order])
        return start, index[order], found.astype(self._distance_dtype, copy=False)

    def _graph(self, start: Array, index: Array, distance: Array, mode: str) -> Any:
        values = np.ones(index.size) if mode == "connectivity" else distance
        shape = (len(start) - 1, self.n_samples_fit_)
        return sparse.csr_matrix((values, index, start), shape=shape)


class NearestSearch(NeighborSearch):
    """What gives the k nearest rows."""

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
        distance, index = self._nearest(*self._queries(X), int(k))
        if not return_distance:
            return index
        return self._metric.distance(distance).astype(self._distance_dtype, copy=False), index

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


class RadiusSearch(NeighborSearch):
    """What gives all rows within a radius."""

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
        radius : float or array-like of shape (n_queries,), default=None
            None is the estimator's; an array has one for each query.
        return_distance : bool, default=True
        sort_results : bool, default=False
            Nearest first; otherwise rows come in the order of the training data. Needs
            `return_distance`.

        Returns
        -------
        distances : ndarray of shape (n_queries,) of ndarrays, in the training dtype
            Only where `return_distance`.
        indices : ndarray of shape (n_queries,) of ndarrays
        """
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        start, index, distance = self._within(X, radius, sort_results)
        indices = _runs(index, start)
        if not return_distance:
            return indices
        return _runs(distance, start), indices

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


def _rows_of(X: Any) -> Any:
    """The rows that a fitted search or a tree of scikit-learn's was made of."""
    if isinstance(X, KDTree | BallTree):
        return np.asarray(X.data)
    if isinstance(X, NeighborSearch):
        check_is_fitted(X, "_fit_method")
        return X._fit_X.source if isinstance(X._fit_X, HeldRows) else X._fit_X
    return X


def _radii(radius: Any, Q: Any) -> Array:
    """One radius, shape (1,), or one for each query."""
    try:
        radii = np.asarray(radius, dtype=np.float64)
    except (TypeError, ValueError):
        radii = np.asarray(np.nan)
    if radii.ndim > 0 and radii.shape != (Q.shape[0],):
        raise ValueError(
            f"radius of shape {radii.shape}: give one number, or one for each of the "
            f"{Q.shape[0]} queries"
        )
    if not (radii >= 0).all():
        raise ValueError(f"radius={radius!r}: give a number of at least 0")
    return radii.reshape(-1)


def _all_binary(X: Any) -> bool:
    """Whether all numbers are 0 or 1; rows on disk are not looked through."""
    values = X.data if is_sparse(X) else X
    if isinstance(values, HeldRows) or values.dtype == np.bool_:
        return True
    return bool(((values == 0) | (values == 1)).all())


def _refuse_mode(mode: Any) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(f"mode={mode!r}: give 'connectivity' or 'distance'")


def numbers(y: Any) -> Array:
    """Give targets as an array, if they are numbers."""
    y = y.toarray() if is_sparse(y) else y
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y of type {y.dtype}: regression takes numbers")
    return np.asarray(y)


def search_constraints(base: type[NeighborSearch], *, without: str) -> dict[str, list[Any]]:
    """The constraints of a search that lacks one of the parameters."""
    return {k: v for k, v in base._parameter_constraints.items() if k != without}
