"""Losses of a margin m = y a with y = ±1, summed over the outputs of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

from ._loss import Loss, check_signs, sum_outputs

__all__ = ["Hinge", "ModifiedHuber", "SquaredHinge"]


@dataclass(frozen=True, kw_only=True)
class _MarginLoss(Loss):
    """Base of the losses of y a; targets are −1 or 1, of the shape of the scores."""

    def _check_target(self, a: Array, y: Array) -> None:
        super()._check_target(a, y)
        check_signs(y)


@dataclass(frozen=True, kw_only=True)
class Hinge(_MarginLoss):
    """ℓ = Σ max(0, margin − y a), a a score and y = ±1.

    Gradient −y where y a ≤ margin, else 0. With margin 1 this is the loss of support
    vector machines; with margin 0 that of Rosenblatt's perceptron, whose step −∂ℓ/∂w = y x
    on a mistake (y a ≤ 0) is the perceptron's rule.

    Parameters
    ----------
    margin : float, default 1.0
        The margin from which a sample costs nothing; not negative.
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import Hinge
    >>> Hinge().value_and_gradient(np.array([0.5, 2.0]), np.array([1, 1]))
    (0.25, array([-0.5, 0. ]))
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.margin < np.inf:
            raise ValueError(f"margin={self.margin!r}: give a finite number, not negative")

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(np.maximum(self._gap(prediction, target), 0.0))

    def slopes(self, prediction: Array, target: Array) -> Array:
        return np.where(self._gap(prediction, target) >= 0, -target, 0).astype(prediction.dtype)

    def _gap(self, prediction: Array, target: Array) -> Array:
        return self.margin - np.multiply(prediction, target, dtype=prediction.dtype)


@dataclass(frozen=True, kw_only=True)
class SquaredHinge(Hinge):
    """ℓ = Σ max(0, margin − y a)²; no ½, as in scikit-learn.

    Gradient −2 y max(0, margin − y a).

    Parameters
    ----------
    margin : float, default 1.0
        The margin from which a sample costs nothing; not negative.
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SquaredHinge
    >>> SquaredHinge(reduction="sum").value(np.array([0.5, -1.0]), np.array([1, 1]))
    4.25
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(np.square(np.maximum(self._gap(prediction, target), 0.0)))

    def slopes(self, prediction: Array, target: Array) -> Array:
        gap = np.maximum(self._gap(prediction, target), 0.0)
        return np.multiply(-2.0 * gap, target, dtype=prediction.dtype)


@dataclass(frozen=True, kw_only=True)
class ModifiedHuber(_MarginLoss):
    """ℓ = Σ max(0, 1 − y a)² where y a ≥ −1, −4 y a beyond (Zhang 2004).

    Smooth, grows linearly with the error, and its scores give probabilities (a + 1)/2.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    References
    ----------
    Zhang (2004), Solving large scale linear prediction problems using stochastic gradient
    descent algorithms.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import ModifiedHuber
    >>> ModifiedHuber(reduction="sum").value(np.array([0.5, -2.0]), np.array([1, 1]))
    8.25
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        m = np.multiply(prediction, target, dtype=prediction.dtype)
        gap = np.maximum(1.0 - np.maximum(m, -1.0), 0.0)
        return sum_outputs(gap * gap - 4.0 * np.minimum(m + 1.0, 0.0))

    def slopes(self, prediction: Array, target: Array) -> Array:
        m = np.multiply(prediction, target, dtype=prediction.dtype)
        gap = np.clip(1.0 - m, 0.0, 2.0)
        return np.multiply(-2.0 * gap, target, dtype=prediction.dtype)
