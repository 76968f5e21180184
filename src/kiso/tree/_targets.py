"""The targets as classes or as numbers: what a tree and a forest of a kind share."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from kiso._validation import Array

from ._base import TreeInput
from ._problem import Problem, Targets

__all__ = ["Classes", "Numbers", "warn_of_friedman"]


def warn_of_friedman(criterion: Any) -> Any:
    """Friedman's criterion was always that of the squared error: say so, and return that."""
    if not isinstance(criterion, str) or criterion != "friedman_mse":
        return criterion
    warnings.warn(
        'criterion="friedman_mse" is deprecated, as in scikit-learn: it is the same as '
        '"squared_error", which is used; give that to be rid of this warning',
        FutureWarning,
        stacklevel=3,
    )
    return "squared_error"


class Classes(ClassifierMixin, TreeInput):
    """y names classes, of one output or of several."""

    class_weight: Any
    criterion: str
    classes_: Any
    n_classes_: Any
    n_outputs_: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        X, y = self._read(X, y, fit_params.get("check_input", True))
        check_classification_targets(y)
        columns = [np.unique(y[:, k], return_inverse=True) for k in range(y.shape[1])]
        classes = [values for values, _ in columns]
        sizes = tuple(len(values) for values in classes)
        codes = np.stack([code for _, code in columns], axis=1)
        monotonic = self._signs(X.shape[1], y.shape[1])
        if monotonic is not None:
            if sizes[0] > 2:
                raise ValueError(
                    "Monotonicity constraints are not supported with multiclass classification: "
                    f"monotonic_cst was given and y has {sizes[0]} classes"
                )
            monotonic = -monotonic  # what is constrained below is the share of class 0
        weight = self._weights(X, y, fit_params.get("sample_weight"), self._class_weight())
        self.n_outputs_ = len(sizes)
        self.classes_ = classes[0] if len(sizes) == 1 else classes
        self.n_classes_ = sizes[0] if len(sizes) == 1 else np.array(sizes)
        return self._pose(X, Targets.of_classes(codes, sizes), weight, monotonic)

    def _class_weight(self) -> Any:
        return self.class_weight

    def _shares(self, X: Any) -> Array:
        """Shares of all outputs, shape (n_samples, n_classes) or (n_samples, outputs, max)."""
        raise NotImplementedError

    def predict(self, X: Any, check_input: bool = True) -> Array:
        """Class with the largest share, of equal ones the first.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
        check_input : bool, default=True
            False: X is a checked array of float32 or float64, or CSR.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        shares = self._shares(self._read_queries(X, check_input))
        if self.n_outputs_ == 1:
            return self.classes_[shares.argmax(axis=1)]
        best = shares.argmax(axis=2)
        columns = [values[best[:, k]] for k, values in enumerate(self.classes_)]
        return np.stack(columns, axis=1)

    def predict_proba(self, X: Any, check_input: bool = True) -> Any:
        """Shares of the classes, shape (n_samples, n_classes); of several outputs a list.

        Parameters
        ----------
        X, check_input
            As for `predict`.
        """
        shares = self._shares(self._read_queries(X, check_input))
        if self.n_outputs_ == 1:
            return shares
        return [shares[:, k, :size] for k, size in enumerate(self.n_classes_)]

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithm of `predict_proba`; minus infinity for a share of 0."""
        shares = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if self.n_outputs_ == 1:
                return np.log(shares)
            return [np.log(own) for own in shares]


class Numbers(RegressorMixin, TreeInput):
    """y is a number, or several."""

    criterion: str
    n_outputs_: int

    def _of_numbers(self) -> bool:
        return True

    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> Problem:
        X, y = self._read(X, y, fit_params.get("check_input", True))
        if self.criterion == "poisson":
            if np.any(y < 0):
                raise ValueError(
                    "Some value(s) of y are negative, which is not allowed for Poisson "
                    f"regression: the least is {y.min():g}"
                )
            if not np.sum(y) > 0:
                raise ValueError(
                    "Sum of y is not positive, which is necessary for Poisson regression"
                )
        monotonic = self._signs(X.shape[1], y.shape[1])
        weight = self._weights(X, y, fit_params.get("sample_weight"), None)
        self.n_outputs_ = y.shape[1]
        return self._pose(X, Targets.of_values(y, self.criterion), weight, monotonic)
