"""What the classifiers trained by stochastic gradient descent share: classes, weights, scores."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets

from kiso._compute.threads import TakesJobs
from kiso._linear_classifier import LinearClassifier
from kiso._validation import Array

from ._sgd_base import StochasticModel
from ._stochastic import Score, Targets


class StochasticClassifier(TakesJobs, LinearClassifier, StochasticModel):
    """One weight vector for two classes; for more, each class against the others."""

    class_weight: dict[Any, float] | str | None
    n_jobs: int | None

    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels, of any type that can be sorted.
        coef_init : array-like of shape (n_classes, n_features) or (n_features,), default=None
            Weights to start from; None for zeros, or the last ones with `warm_start`.
        intercept_init : array-like of shape (n_classes,) or (1,), default=None
            Intercepts to start from.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, multiplied with `class_weight`.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(
            X,
            y,
            coef_init=coef_init,
            intercept_init=intercept_init,
            sample_weight=sample_weight,
        )

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go once through the samples that are given, starting from where the model stands.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Some of the samples.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever be seen; needed at the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self
            The fitted estimator.
        """
        self._partial_fit(X, y, classes, sample_weight)
        return self

    def _learn(self, y: Array, weight: Array, *, partial: bool, classes: Any) -> Targets:
        if not partial:
            classes = np.unique(y)
            check_classification_targets(classes)
            self.classes_ = classes
        else:
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight='balanced' is not supported by partial_fit, which does not "
                    "see all labels: give a dict, as from sklearn's compute_class_weight"
                )
            _check_partial_fit_first_call(self, classes)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(
                f"y holds one class, {self.classes_.tolist()[0]!r}: the number of classes has "
                "to be greater than one"
            )
        if n_classes == 2:
            codes = (y == self.classes_[1]).astype(np.int8)
            unknown = (codes == 0) & (y != self.classes_[0]) if partial else None
        else:
            codes = np.searchsorted(self.classes_, y).astype(np.int32)
            unknown = self.classes_[np.minimum(codes, n_classes - 1)] != y if partial else None
        if unknown is not None and unknown.any():
            raise ValueError(
                f"y holds {y[unknown].tolist()[0]!r}, which is not among the classes "
                f"{self.classes_}"
            )
        learnt = (1,) if n_classes == 2 else tuple(range(n_classes))
        return Targets(codes, weight, learnt, self._class_weights(y))

    def _class_weights(self, y: Array) -> Array | None:
        """Weights of (others, class) for each output; None where all are 1."""
        if self.class_weight is None:
            return None
        of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if len(of_class) == 2:
            return of_class[None, :]
        return np.stack([np.ones_like(of_class), of_class], axis=1)

    def _scorer(self, X: Any, targets: Targets, rows: Array) -> Score:
        held_out = X[rows]
        weight = targets.weight[rows] if targets.weight.size else None

        def accuracy(output: int, coef: Array, intercept: float) -> float:
            signs, _ = targets.at(rows, output)
            right = (held_out @ coef + intercept > 0) == (signs > 0)
            return float(np.average(right, weights=weight))

        return accuracy
