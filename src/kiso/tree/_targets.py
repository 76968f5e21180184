"""The target as classes or as numbers: what a tree and a forest of a kind share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from kiso._validation import Array

from ._base import TreeInput
from ._problem import Problem, Targets

__all__ = ["Classes", "Numbers"]


class Classes(ClassifierMixin, TreeInput):
    """y names classes."""

    class_weight: Any
    criterion: str
    classes_: Array
    n_classes_: int

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        X, y = self._read(X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.n_classes_, self.n_outputs_ = len(self.classes_), 1
        weight = self._weights(X, y, fit_params.get("sample_weight"), self._class_weight())
        return self._pose(X, Targets.of_classes(codes, len(self.classes_)), weight)

    def _class_weight(self) -> Any:
        return self.class_weight

    def predict(self, X: Any) -> Array:
        """Class with the largest share, of equal ones the first; shape (n_samples,)."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Array:
        """Shares of the classes, shape (n_samples, n_classes)."""
        raise NotImplementedError

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`; minus infinity for a share of 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class Numbers(RegressorMixin, TreeInput):
    """y is a number."""

    criterion: str

    def _of_numbers(self) -> bool:
        return True

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        X, y = self._read(X, y)
        self.n_outputs_ = 1
        weight = self._weights(X, y, fit_params.get("sample_weight"), None)
        return self._pose(X, Targets.of_values(y, self.criterion == "absolute_error"), weight)
