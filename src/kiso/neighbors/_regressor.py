"""Regression by the mean of the nearest training rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from kiso._validation import Array, StrOptions

from ._search import NearestSearch, NeighborSearch, numbers
from ._weights import neighbor_weights


class KNeighborsRegressor(MultiOutputMixin, RegressorMixin, NearestSearch):
    r"""k nearest neighbours: the weighted mean of the targets of the k nearest rows.

    .. math::

        f(x) = \frac{\sum_{i \in N_k(x)} w_i(x)\, y^{(i)}}{\sum_{i \in N_k(x)} w_i(x)}

    Parameters
    ----------
    n_neighbors : int, default=5
        k.
    weights : {"uniform", "distance"}, callable or None, default="uniform"
        w: 1; 1/d, where neighbours at distance 0 outweigh all others; or a function that
        maps the distances, shape (n_queries, k), to weights. None: 1.
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
    >>> from kiso.neighbors import KNeighborsRegressor
    >>> model = KNeighborsRegressor(n_neighbors=2).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[1.5]])
    array([0.5])
    """

    _parameter_constraints = {
        **NeighborSearch._parameter_constraints,
        "weights": [StrOptions({"uniform", "distance"}), callable, None],
    }

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        weights: Any = "uniform",
        algorithm: str = "auto",
        leaf_size: int = 30,
        p: float | None = 2,
        metric: Any = "minkowski",
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ):
        self.n_neighbors = n_neighbors
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
        """Weighted mean of the neighbours' targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), or None
            None: the training rows, none of which is its own neighbour.

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_outputs)
        """
        distance, index = self.kneighbors(X)
        weights = neighbor_weights(distance, self.weights)
        targets = self._y[index]  # (n_queries, k) or (n_queries, k, n_outputs)
        if weights is None:
            return np.asarray(targets.mean(axis=1))
        total = weights.sum(axis=1)
        if not (total != 0).all():
            raise ValueError(
                "weights: the weights of all neighbors of some sample add up to zero; "
                "their mean needs a sum other than 0"
            )
        if targets.ndim == 2:
            return np.asarray(np.einsum("ik,ik->i", weights, targets) / total)
        return np.asarray(np.einsum("ik,iko->io", weights, targets) / total[:, None])
