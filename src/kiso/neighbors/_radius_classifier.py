"""Classification by the vote of all training rows within a distance."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np

from kiso._validation import Array, Interval, Real, StrOptions

from ._search import NeighborSearch, RadiusSearch, search_constraints
from ._votes import VotingClassifier
from ._weights import run_weights


class RadiusNeighborsClassifier(VotingClassifier, RadiusSearch):
    r"""Vote of the training rows within a distance r.

    .. math::

        p(y = c \mid x) = \frac{\sum_{i \in N_r(x)} w_i(x)\,[y^{(i)} = c]}
                              {\sum_{i \in N_r(x)} w_i(x)}, \qquad
        N_r(x) = \{i : d(x, x^{(i)}) \le r\}

    `predict` takes the largest share, of equal ones the first class. A query without a row in
    reach, an outlier, gets the label that `outlier_label` names.

    Parameters
    ----------
    radius : float, default=1.0
        r, in the unit of the features; a row at exactly r counts.
    weights : {"uniform", "distance"}, callable or None, default="uniform"
        w: 1; 1/d, where rows at distance 0 outvote all others; or a function that maps the
        distances of one query's neighbours, shape (n_found,), to weights. None: 1.
    algorithm, leaf_size, p, metric, metric_params, n_jobs
        As for `NearestNeighbors`.
    outlier_label : label, list of labels, "most_frequent" or None, default=None
        The label of outliers, one for each output or the same for all; "most_frequent" is
        the class most rows have; None refuses outliers with a `ValueError`. Where it is no
        class of y, outliers have share 0 of all classes, which is warned of.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of them
        A list, one for each output, where y has several columns.
    outlier_label_ : list of labels, one for each output, or None
    outputs_2d_ : bool
        Whether y had several columns.
    effective_metric_, effective_metric_params_, n_samples_fit_
        As for `NearestNeighbors`.
    n_features_in_, feature_names_in_ :
        As everywhere in scikit-learn.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, section 5.7.3.

    Examples
    --------
    >>> from kiso.neighbors import RadiusNeighborsClassifier
    >>> model = RadiusNeighborsClassifier(1.0, outlier_label=1)
    >>> model = model.fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[0.4], [9.0]])
    array([0, 1])
    """

    _parameter_constraints = {
        **search_constraints(NeighborSearch, without="n_neighbors"),
        "radius": [Interval(Real, 0, None, closed="both"), None],
        "weights": [StrOptions({"uniform", "distance"}), callable, None],
        "outlier_label": [Integral, str, "array-like", None],
    }

    outlier_label_: list[Any] | None

    def __init__(
        self,
        radius: float = 1.0,
        *,
        weights: Any = "uniform",
        algorithm: str = "auto",
        leaf_size: int = 30,
        p: float | None = 2,
        metric: Any = "minkowski",
        outlier_label: Any = None,
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ):
        self.radius = radius
        self.weights = weights
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.p = p
        self.metric = metric
        self.outlier_label = outlier_label
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

        Raises
        ------
        ValueError, TypeError
            If `outlier_label` has not one label for each output, or one of another kind
            than y's.
        """
        self._fit(X, y)
        self.outlier_label_ = self._outlier_labels()
        return self

    def _outlier_labels(self) -> list[Any] | None:
        given, outputs = self.outlier_label, self._outputs()
        if given is None:
            return None
        if isinstance(given, str) and given == "most_frequent":
            counts = (np.bincount(codes) for codes in self._y.T)
            return [names[c.argmax()] for names, c in zip(outputs, counts, strict=True)]
        labels = [given] * len(outputs) if np.ndim(given) == 0 else list(given)
        if len(labels) != len(outputs):
            raise ValueError(
                f"outlier_label={given!r}: give one label, or one for each of the "
                f"{len(outputs)} outputs"
            )
        for names, label in zip(outputs, labels, strict=True):
            if np.ndim(label) != 0 or not _same_kind(names, label):
                raise TypeError(
                    f"outlier_label={given!r}: give labels of the kind of the classes, which "
                    f"are of type {names.dtype}"
                )
        return labels

    def _shares(self, X: Any) -> list[Array]:
        start, index, distance = self._within(X, None, by_distance=False)
        n = len(start) - 1
        outlier = np.diff(start) == 0
        if self.outlier_label_ is None and outlier.any():
            raise ValueError(
                f"no neighbors found for test samples {np.flatnonzero(outlier)}: give a larger "
                f"radius than {self.radius}, or an outlier_label"
            )
        query = np.repeat(np.arange(n), np.diff(start))
        weights = run_weights(distance, start, self.weights)
        shares = self._votes(query, index, weights, n)
        if outlier.any():
            assert self.outlier_label_ is not None
            outputs = zip(shares, self._outputs(), self.outlier_label_, strict=True)
            for share, names, label in outputs:
                share[np.ix_(outlier, names == label)] = 1.0
                if label not in names:
                    warnings.warn(
                        f"outlier_label={label!r} is no class of y: outliers have probability 0 "
                        "of every class",
                        stacklevel=3,
                    )
        return shares

    def predict(self, X: Any) -> Array:
        """Class with the largest share among the rows in reach; `outlier_label` without any.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_queries, n_features), or None
            As for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_outputs)

        Raises
        ------
        ValueError
            If a query has no row in reach and `outlier_label` is None.
        """
        shares = self._shares(X)
        found = []
        for output, (names, share) in enumerate(zip(self._outputs(), shares, strict=True)):
            label = names[share.argmax(axis=1)]
            strange = ~share.any(axis=1)
            if self.outlier_label_ is not None and strange.any():
                other = np.asarray(self.outlier_label_[output])
                label = label.astype(np.result_type(label, other), copy=False)
                label[strange] = other
            found.append(label)
        return np.stack(found, axis=1) if self.outputs_2d_ else found[0]


def _same_kind(names: Array, label: Any) -> bool:
    kinds = {names.dtype.kind, np.asarray(label).dtype.kind}
    return "O" in kinds or len(kinds) == 1 or kinds <= {"i", "u"} or kinds == {"f", "i"}
