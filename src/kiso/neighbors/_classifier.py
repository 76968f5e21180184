"""Classification by the vote of the nearest training rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kiso._validation import Array, StrOptions

from ._search import NearestSearch, NeighborSearch
from ._votes import VotingClassifier
from ._weights import neighbor_weights


class KNeighborsClassifier(VotingClassifier, NearestSearch):
    r"""k nearest neighbours: the share of each class among the k nearest training rows.

    .. math::

        p(y = c \mid x) = \frac{\sum_{i \in N_k(x)} w_i(x)\,[y^{(i)} = c]}
                              {\sum_{i \in N_k(x)} w_i(x)}

    the mean of the neighbours' one-hot codes; `predict` takes the largest, of equal ones the
    first class. Nothing is learnt but the rows. As they grow in number the error of one
    neighbour tends to E[2η(1 − η)] for two classes, η = p(y = 1 | x): at most 2R*(1 − R*)
    where R* is the least possible.

    Parameters
    ----------
    n_neighbors : int, default=5
        k.
    weights : {"uniform", "distance"}, callable or None, default="uniform"
        w: 1; 1/d, where neighbours at distance 0 outvote all others; or a function that
        maps the distances, shape (n_queries, k), to weights. None: 1.
    algorithm, leaf_size, p, metric, metric_params, n_jobs
        As for `NearestNeighbors`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of them
        A list, one for each output, where y has several columns.
    outputs_2d_ : bool
        Whether y had several columns.
    effective_metric_, effective_metric_params_, n_samples_fit_
        As for `NearestNeighbors`.
    n_features_in_, feature_names_in_ :
        As everywhere in scikit-learn.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, section 5.7.3.
    T. Cover, P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on
    Information Theory 13, 1967.

    Examples
    --------
    >>> from kiso.neighbors import KNeighborsClassifier
    >>> model = KNeighborsClassifier(n_neighbors=3).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[1.1]])
    array([0])
    >>> model.predict_proba([[0.9]])
    array([[0.67, 0.33]])
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
        """Keep the rows and their classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Or (n_samples, n_samples) distances where the metric is precomputed.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        self
        """
        return self._fit(X, y)

    def _shares(self, X: Any) -> list[Array]:
        distance, index = self.kneighbors(X)
        weights = neighbor_weights(distance, self.weights)
        n, k = index.shape
        query = np.repeat(np.arange(n), k)
        return self._votes(query, index.ravel(), None if weights is None else weights.ravel(), n)
