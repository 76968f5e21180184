"""Losses of a residual r = a − y, summed over the outputs of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from kiso._validation import Array

from ._loss import Loss, sum_outputs

__all__ = [
    "AbsoluteError",
    "EpsilonInsensitive",
    "Huber",
    "Poisson",
    "SquaredEpsilonInsensitive",
    "SquaredError",
]


@dataclass(frozen=True, kw_only=True)
class SquaredError(Loss):
    """ℓ = ½ ‖a − y‖², summed over the outputs; its mean over the samples.

    Maximum likelihood under Gaussian noise. With one output it is half of PyTorch's mean.

    Gradient a − y. The ½ is that of Higham & Higham (2019), equation (3.1).

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SquaredError
    >>> SquaredError().value_and_gradient(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    (1.0, array([0., 1.]))
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(0.5 * np.square(_residual(prediction, target)))

    def slopes(self, prediction: Array, target: Array) -> Array:
        return _residual(prediction, target)


@dataclass(frozen=True, kw_only=True)
class AbsoluteError(Loss):
    """ℓ = Σ |a − y|: maximum likelihood under Laplace noise.

    Gradient sign(a − y), and 0 where they are equal (an element of the subdifferential).

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import AbsoluteError
    >>> AbsoluteError().value(np.array([1.0, 3.0]), np.array([2.0, 1.0]))
    1.5
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(np.abs(_residual(prediction, target)))

    def slopes(self, prediction: Array, target: Array) -> Array:
        return np.sign(_residual(prediction, target))


@dataclass(frozen=True, kw_only=True)
class Huber(Loss):
    """ℓ = Σ ½r² where |r| ≤ δ, δ|r| − ½δ² beyond; r = a − y.

    Gradient: r clipped to [−δ, δ].

    Parameters
    ----------
    delta : float, default 1.0
        δ > 0, the residual at which the parabola becomes a line.
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    References
    ----------
    Huber (1964), Robust estimation of a location parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import Huber
    >>> Huber(delta=1.0).value(np.array([0.5, 3.0]), np.array([0.0, 0.0]))
    1.3125
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.delta < np.inf:
            raise ValueError(f"delta={self.delta!r}: give a finite number that is not negative")

    def terms(self, prediction: Array, target: Array) -> Array:
        return self.terms_and_slopes(prediction, target)[0]

    def slopes(self, prediction: Array, target: Array) -> Array:
        return np.clip(_residual(prediction, target), -self.delta, self.delta)

    def terms_and_slopes(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        r = _residual(prediction, target)
        near = np.clip(r, -self.delta, self.delta)  # ½ near² + δ (|r| − |near|), without a branch
        return sum_outputs(near * (r - 0.5 * near)), near


@dataclass(frozen=True, kw_only=True)
class EpsilonInsensitive(Loss):
    """ℓ = Σ max(0, |a − y| − ε): residuals inside the tube cost nothing (Vapnik 1995).

    Gradient ±1 outside the tube, 0 inside and on it.

    Parameters
    ----------
    epsilon : float, default 0.1
        ε ≥ 0, half the width of the tube.
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import EpsilonInsensitive
    >>> EpsilonInsensitive(epsilon=0.5).value(np.array([0.4, 2.0]), np.array([0.0, 0.0]))
    0.75
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.epsilon < np.inf:
            raise ValueError(f"epsilon={self.epsilon!r}: give a finite number, not negative")

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(np.abs(self._outside(prediction, target)))

    def slopes(self, prediction: Array, target: Array) -> Array:
        return np.sign(self._outside(prediction, target))

    def _outside(self, prediction: Array, target: Array) -> Array:
        r = _residual(prediction, target)
        return r - np.clip(r, -self.epsilon, self.epsilon)


@dataclass(frozen=True, kw_only=True)
class SquaredEpsilonInsensitive(EpsilonInsensitive):
    """ℓ = Σ max(0, |a − y| − ε)²; no ½, as in scikit-learn.

    Gradient 2 sign(a − y) max(0, |a − y| − ε).

    Parameters
    ----------
    epsilon : float, default 0.1
        ε ≥ 0, half the width of the tube.
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SquaredEpsilonInsensitive
    >>> SquaredEpsilonInsensitive(epsilon=0.5).value(np.array([0.4, 2.5]), np.array([0.0, 0.0]))
    2.0
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        return sum_outputs(np.square(self._outside(prediction, target)))

    def slopes(self, prediction: Array, target: Array) -> Array:
        return 2.0 * self._outside(prediction, target)


def _residual(prediction: Array, target: Array) -> Array:
    return np.subtract(prediction, target, dtype=prediction.dtype)


@dataclass(frozen=True, kw_only=True)
class Poisson(Loss):
    """ℓ = Σ e^a − y a + y log y − y: half the deviance of counts y ~ Poisson(e^a).

    Gradient e^a − y, in the logarithm a of the mean; 0 where e^a = y. Targets are ≥ 0.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 6.2.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import Poisson
    >>> Poisson().value_and_gradient(np.log([2.0, 4.0]), np.array([2.0, 3.0]))
    (0.068477, array([0. , 0.5]))
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        y = np.asarray(target, dtype=prediction.dtype)
        with np.errstate(over="ignore"):
            return sum_outputs(np.exp(prediction) - y * prediction + xlogy(y, y) - y)

    def slopes(self, prediction: Array, target: Array) -> Array:
        with np.errstate(over="ignore"):
            slopes = np.exp(prediction)
        slopes -= target
        return slopes

    def _check_target(self, a: Array, y: Array) -> None:
        super()._check_target(a, y)
        if not y.min() >= 0:
            raise ValueError(f"target holds {y.min()}: give counts, 0 or more")
