"""Regression by the mean of all training rows within a distance."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from kiso._validation import Array, Interval, Real, StrOptions

from ._search import NeighborSearch, RadiusSearch, numbers, search_constraints
from ._weights import run_weights


class RadiusNeighborsRegressor(MultiOutputMixin, RegressorMixin, RadiusSearch):
    r"""Weighted mean of the targets of the training rows within a distance r.

    .. math::

        f(x) = \frac{\sum_{i \in N_r(x)} w_i(x)\, y^{(i)}}{\sum_{i \in N_r(x)} w_i(x)},
        \qquad N_r(x) = \{i : d(x, x^{(i)}) \le r\}

    A query without a row in reach gets NaN, which is warned of.

    Parameters
    ----------
    radius : float, default=1.0
        r, in the unit of the features; a row at exactly r counts.
    weights : {"uniform", "distance"}, callable or None, default="uniform"
        w: 1; 1/d, where rows at distance 0 outweigh all others; or a function that maps the
        distances of one query's neighbours, shape (n_found,), to weights. None: 1.
    algorithm, leaf_size, p, metric, metric_params, n_jobs
        As for `NearestNeighbors`.

    Attributes
    ----------
    effective_metric_, effective_metric_params_, n_samples_fit_
        As for `NearestNeighbors`.
    n_features_in_, feature_names_in_ :
        As everywhere in scikit-learn.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, section 5.7.3.

    Examples
    --------
    >>> from kiso.neighbors import RadiusNeighborsRegressor
    >>> model = RadiusNeighborsRegressor(1.0).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[1.5]])
    array([0.5])
    """

    _parameter_constraints = {
        **search_constraints(NeighborSearch, without="n_neighbors"),
        "radius": [Interval(Real, 0, None, closed="both"), None],
        "weights": [StrOptions({"uniform", "distance"}), callable, None],
    }

    def __init__(
        self,
        radius: float = 1.0,
        *,
        weights: Any = "uniform",
        algorithm: str = "auto",
        leaf_size: int = 30,
        p: float | None = 2,
        metric: Any = "minkowski",
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ):
        self.radius = radius
        self.weights = weights
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.p = p
        self.metric = metric
        self.metric_params = metric_params
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Self:
        """Keep the rows and their targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Or (n_samples, n_samples) distances where the metric is precomputed.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        self
        """
        self._validate_params()
        X, y = self._validated(X, y, multi_output=True, y_numeric=True)
        self._y = numbers(y)
        return self._keep(X)

    def predict(self, X: Any) -> Array:
        """Weighted mean of the targets of the rows in reach; NaN where there are none.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), or None
            None: the training rows, none of which is its own neighbour.

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_outputs)
        """
        start, index, distance = self._within(X, None, by_distance=False)
        count = np.diff(start)
        some = count > 0
        if not some.all():
            warnings.warn(
                f"{(~some).sum()} samples have no neighbors within radius={self.radius}: NaN is "
                "predicted for them",
                stacklevel=2,
            )
        weights = run_weights(distance, start, self.weights)
        w = np.ones(len(index)) if weights is None else weights
        mean = np.full((len(count), *self._y.shape[1:]), np.nan)
        if not some.any():
            return mean
        first = start[:-1][some]  # an empty run ends where it begins: the others stay whole
        total = np.add.reduceat(w, first)
        if not (total != 0).all():
            raise ValueError(
                "weights: the weights of all neighbors of some sample add up to zero; "
                "their mean needs a sum other than 0"
            )
        column = (-1,) + (1,) * (self._y.ndim - 1)
        sums = np.add.reduceat(w.reshape(column) * self._y[index], first, axis=0)
        mean[some] = sums / total.reshape(column)
        return mean
