"""The floor of few-shot learning: the nearest example, feature by feature."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator

from kiso._compute.threads import map_rows
from kiso._validation import Array, StrOptions

from ._support import FewShotClassifier

__all__ = ["NearestExampleClassifier"]


class NearestExampleClassifier(FewShotClassifier, BaseEstimator):
    """One nearest neighbour among the examples, over features or pixels as they are.

    d(x, s) = ‖x − s‖ by default. Nothing is learned: `fit` takes its samples as the support set.

    Parameters
    ----------
    metric : {"euclidean", "cityblock", "cosine"}, default="euclidean"

        "cosine" is 1 − cos of the angle between x and s, neither of which may be 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set.
    example_class_ : ndarray of shape (n_examples,), int
    sample_shape_ : tuple of int
    n_features_in_ : int

    Examples
    --------
    >>> from kiso.few_shot import NearestExampleClassifier
    >>> model = NearestExampleClassifier().fit([[0.0, 0.0], [1.0, 1.0]], ["low", "high"])
    >>> model.predict([[0.9, 0.8]])
    array(['high'], dtype='<U4')
    >>> model.support([[0.0, 0.0], [5.0, 5.0]], ["near", "far"]).predict([[0.9, 0.8]])
    array(['near'], dtype='<U4')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "metric": [StrOptions({"euclidean", "cityblock", "cosine"})]
    }

    def __init__(self, metric: str = "euclidean"):
        self.metric = metric

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Take labelled samples as the support set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self._validate_params()
        X, y = self._checked(X, y, reset=True, what="X")
        self._take(X, y)
        return self

    def _represent(self, X: Array) -> Array:
        X = X.reshape(len(X), -1)
        if self.metric == "cosine" and not (nonzero := X.any(axis=1)).all():
            raise ValueError(
                f"X[{nonzero.argmin()}] is all zeros: metric='cosine' is of directions"
            )
        return X

    def _to_examples(self, Q: Array) -> Array:
        metric: Any = self.metric
        out = np.empty((len(Q), len(self._examples)))

        def lane(rows: slice) -> None:
            out[rows] = cdist(Q[rows], self._examples, metric)

        map_rows(lane, len(Q), min_rows=64)
        return out
