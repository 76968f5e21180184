"""What every few-shot classifier shares: a support set, and the nearest class in it.

    ŷ(x) = argmin_k d(x, S_k),     S_k the examples of class k

What differs is how a sample is represented and what d is; `fit` may learn either. Giving a
new support set changes the S_k and nothing that was learned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from kiso._gate import check_array, validate_data
from kiso._validation import FLOATS, Array

__all__ = ["FewShotClassifier"]


class FewShotClassifier(ClassifierMixin, ABC):
    """Base of the classifiers that take a support set; stands before `BaseEstimator`.

    A subclass gives `_represent(X)` and `_to_examples(representations)`, calls `_checked` at
    the start of its `fit` and `_take` at its end, and may have a parameter `image_shape`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of the support set.
    example_class_ : ndarray of shape (n_examples,), int
        Index in `classes_` of each example.
    sample_shape_ : tuple of int
        Shape of one sample as `fit` was given it.
    """

    image_shape: Sequence[int] | None = None

    classes_: Array
    example_class_: Array
    sample_shape_: tuple[int, ...]
    _examples: Any

    @abstractmethod
    def _represent(self, X: Array) -> Any:
        """Turn samples, checked and in the shape of pictures where they are, into what d takes."""

    @abstractmethod
    def _to_examples(self, Q: Any) -> Array:
        """Distances (n_queries, n_examples) of representations to those in `_examples`."""

    def _checked(self, X: Any, y: Any = None, *, reset: bool, what: str) -> tuple[Array, Any]:
        """Validate samples (n, d), (n, height, width) or (n, channels, height, width)."""
        options: dict[str, Any] = {"dtype": FLOATS, "allow_nd": True, "reset": reset}
        if not reset and len(self.sample_shape_) > 1:  # scikit-learn looks at the first axis only
            X = check_array(X, dtype=FLOATS, allow_nd=True, input_name=what)
            self._check_shape(X, what)
        if y is None:
            X = validate_data(self, X, **options)
        else:
            X, y = validate_data(self, X, y, **options)
            check_classification_targets(y)
        if reset:
            self.sample_shape_ = X.shape[1:]
        self._check_shape(X, what)
        return self._as_pictures(X), y

    def _check_shape(self, X: Array, what: str) -> None:
        if X.shape[1:] != self.sample_shape_:
            raise ValueError(
                f"{what}: samples of shape {X.shape[1:]}; those of fit had {self.sample_shape_}"
            )

    def _as_pictures(self, X: Array) -> Array:
        """Give flat samples the shape that `image_shape` says."""
        if self.image_shape is None or X.ndim != 2:
            return X
        shape = tuple(self.image_shape)
        if np.prod(shape) != X.shape[1]:
            raise ValueError(
                f"image_shape={shape}: {np.prod(shape)} pixels, but X has {X.shape[1]} features"
            )
        return X.reshape(len(X), *shape)

    def _take(self, X: Array, y: Array) -> None:
        """Make these samples the support set."""
        examples = self._represent(X)
        self.classes_, self.example_class_ = np.unique(y, return_inverse=True)
        self._examples = examples

    def support(self, X: Any, y: Any) -> Self:
        """Give examples of the classes to tell apart from now on, in place of those before.

        Parameters
        ----------
        X : array-like of shape (n_examples, ...)
            Samples of the shape that `fit` saw; one or more of each class.
        y : array-like of shape (n_examples,)
            Their classes, which need not be among those of `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For samples of another shape, NaN, or as many labels as do not fit.
        """
        check_is_fitted(self)
        X, y = self._checked(X, y, reset=False, what="support")
        self._take(X, y)
        return self

    def distances(self, X: Any) -> Array:
        """Distance of each sample to each class: to the nearest of its examples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        X, _ = self._checked(X, reset=False, what="X")
        return self._to_classes(self._to_examples(self._represent(X)))

    def _to_classes(self, to_examples: Array) -> Array:
        nearest = np.full((len(to_examples), len(self.classes_)), np.inf, to_examples.dtype)
        for j, k in enumerate(self.example_class_):
            np.minimum(nearest[:, k], to_examples[:, j], out=nearest[:, k])
        return nearest

    def predict(self, X: Any) -> Array:
        """Class of the nearest example; of equally near ones the first in `classes_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        distances = self.distances(X)
        return np.asarray(self.classes_[distances.argmin(axis=1)])
