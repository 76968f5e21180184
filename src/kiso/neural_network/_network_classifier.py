"""Classes out of a network's outputs: what its classifiers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from kiso._validation import Array, HasMethods, StrOptions
from kiso.losses import Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy
from kiso.nn import Softmax

from ._network_model import NetworkModel

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, NetworkModel):
    """Base of the classifiers over a network.

    p(y = k | x) = softmax(z)_k with z the last layer's output; for two classes, and for
    each label of several, σ(z).
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkModel._parameter_constraints,
        "loss": [HasMethods(["value_and_gradient"]), None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "adversary": [callable, None],
    }

    loss: Loss | None
    class_weight: Mapping[Any, float] | str | None

    classes_: Array

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images of shape (n_samples, channels, height, width) where the model takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels; or a 0/1 matrix, where a sample can have several.
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val : array-like, default=None
            Validation data of one's own: watched like the rows that `early_stopping` sets
            aside, and the best weights are kept.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val)

    def _targets(self, y: Array, *, reset: bool) -> tuple[Array, int, Loss]:
        if reset:
            check_classification_targets(y)
            many = type_of_target(y).startswith("multilabel")
            classes = np.arange(y.shape[1]) if many else np.unique(y)
            self._check_warm_start(classes)
            self.classes_ = classes
            if y.ndim == 2 and not many:
                raise ValueError("y: several columns of classes; give a 0/1 matrix of labels")
            self.out_activation_ = "logistic" if many or len(self.classes_) <= 2 else "softmax"
            self._multilabel = many
        if self._multilabel:
            return y.astype(np.float64), y.shape[1], self.loss or SigmoidCrossEntropy()
        codes = np.searchsorted(self.classes_, y)
        unknown = self.classes_[np.minimum(codes, len(self.classes_) - 1)] != y
        if unknown.any():
            raise ValueError(
                f"y holds {y[unknown].tolist()[0]!r}, which is not among {self.classes_}"
            )
        if len(self.classes_) <= 2:
            return codes[:, None].astype(np.float64), 1, self.loss or SigmoidCrossEntropy()
        return codes, len(self.classes_), self.loss or SoftmaxCrossEntropy()

    def _check_warm_start(self, classes: Array) -> None:
        """Refuse to go on from weights that belong to other classes."""
        if not (getattr(self, "warm_start", False) and hasattr(self, "classes_")):
            return
        if not np.array_equal(self.classes_, classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )

    def _all_targets(self, y: Array, classes: Any) -> None:
        many = type_of_target(y).startswith("multilabel")
        if classes is None or many:
            self._targets(y, reset=True)
            if many and classes is not None and len(np.unique(classes)) != y.shape[1]:
                raise ValueError(f"classes={classes!r}: y has {y.shape[1]} columns of labels")
            return
        self._targets(np.unique(classes), reset=True)

    def _check_classes(self, y: Array, classes: Any) -> None:
        given = np.unique(classes)
        if not np.array_equal(given, self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )

    def _stratify(self, y: Array) -> Array | None:
        return None if self._multilabel else y

    def _weights(self, y: Array, given: Array | None) -> Array | None:
        if self.class_weight is None:
            return given
        of_class = compute_sample_weight(self.class_weight, y)
        return of_class if given is None else of_class * given

    def _labels(self, output: Array) -> Array:
        if self.out_activation_ == "logistic":
            return output > 0 if self._multilabel else (output[:, 0] > 0).astype(np.intp)
        return output.argmax(axis=1)

    def _score_of(self, output: Array, t: Array) -> float:
        codes = t[:, 0] if t.ndim == 2 and not self._multilabel else t
        return float(accuracy_score(codes, self._labels(output)))

    def predict(self, X: Any) -> Array:
        """Give the most probable label of each sample (a 0/1 matrix for several labels).

        Parameters
        ----------
        X : array-like
            As for `fit`.
        """
        labels = self._labels(self._outputs(X))
        if len(self.classes_) == 1:
            labels = np.zeros_like(labels)
        return labels.astype(int) if self._multilabel else self.classes_[labels]

    def predict_proba(self, X: Any) -> Array:
        """Give the probability of each class, shape (n_samples, n_classes).

        Parameters
        ----------
        X : array-like
            As for `fit`.
        """
        output = self._outputs(X)
        if self.out_activation_ == "softmax":
            return Softmax()(output)
        if len(self.classes_) == 1 and not self._multilabel:
            return np.ones_like(output)
        p = expit(output)
        return p if self._multilabel else np.hstack([1 - p, p])

    def predict_log_proba(self, X: Any) -> Array:
        """Give the logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like
            As for `fit`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
