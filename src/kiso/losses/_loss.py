"""What a loss is: the value of one sample summed or averaged over a batch, and its gradient.

    L(a) = Σᵢ wᵢ ℓ(aᵢ, yᵢ)            reduction "sum"
    L(a) = Σᵢ wᵢ ℓ(aᵢ, yᵢ) / Σᵢ wᵢ    reduction "mean"

aᵢ is the prediction for sample i, yᵢ its target, wᵢ ≥ 0 its weight (1 where none is given).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kiso._gate import real_numbers
from kiso._validation import Array

__all__ = ["Loss"]


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """Base of the losses: stateless, so one object serves any number of models and threads.

    A subclass gives `terms` and `slopes` for a batch; weights, reduction and the checks of
    shapes are done here, once.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.
    """

    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        if self.reduction not in ("mean", "sum"):
            raise ValueError(f"reduction={self.reduction!r}: give 'mean' or 'sum'")

    @abstractmethod
    def terms(self, prediction: Array, target: Array) -> Array:
        """Return ℓᵢ of each sample, shape (n_samples,); a sample's outputs are summed."""

    @abstractmethod
    def slopes(self, prediction: Array, target: Array) -> Array:
        """Return ∂ℓᵢ/∂aᵢ, of the shape and dtype of `prediction`."""

    def terms_and_slopes(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        """Return both; a loss whose parts share work does that work once."""
        return self.terms(prediction, target), self.slopes(prediction, target)

    def value(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return L, a Python float; added up in float64.

        Parameters
        ----------
        prediction : array of shape (n_samples,) or (n_samples, n_outputs)
            a; float32 or float64, other dtypes become float64.
        target : array
            y; of the same shape but where the loss says otherwise.
        sample_weight : array of shape (n_samples,), default None
            w; None is one each.

        Raises
        ------
        ValueError
            If shapes do not fit, there is no sample, weights are negative, or all are 0
            and their mean is asked for.
        """
        a, y, w = self._checked(prediction, target, sample_weight)
        with np.errstate(over="ignore"):  # a loss beyond the largest number is infinite
            return self._reduce(self.terms(a, y), w, y)

    def gradient(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Array:
        """Return ∂L/∂a, of the shape and dtype of `prediction`; parameters as for `value`."""
        a, y, w = self._checked(prediction, target, sample_weight)
        with np.errstate(over="ignore"):
            return self._scaled(self.slopes(a, y), w, y)

    def value_and_gradient(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """Return L and ∂L/∂a in one pass; parameters as for `value`."""
        a, y, w = self._checked(prediction, target, sample_weight)
        with np.errstate(over="ignore"):
            terms, slopes = self.terms_and_slopes(a, y)
            return self._reduce(terms, w, y), self._scaled(slopes, w, y)

    def mass(self, target: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return what "mean" divides by: the samples, or the sum of their weights."""
        w = None if sample_weight is None else real_numbers(sample_weight, "sample_weight")
        return self._mass(real_numbers(target, "target", dtype=None), w)

    def _reduce(self, terms: Array, w: Array | None, y: Array) -> float:
        # 0 times a loss that is infinite is 0
        total = terms.sum(dtype=np.float64) if w is None else np.dot(np.where(w > 0, terms, 0), w)
        return float(total / self._divisor(w, y))

    def _scaled(self, slopes: Array, w: Array | None, y: Array) -> Array:
        divisor = self._divisor(w, y)
        factor = 1.0 / divisor if w is None else _as_column(w / divisor, slopes)
        if w is not None and not np.isfinite(slopes).all():
            slopes[w == 0] = 0.0
        slopes *= factor
        return slopes

    def _divisor(self, w: Array | None, y: Array) -> float:
        return 1.0 if self.reduction == "sum" else self._mass(y, w)

    def _mass(self, y: Array, w: Array | None) -> float:
        return float(len(y)) if w is None else float(w.sum())

    def _checked(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        a = real_numbers(prediction, "prediction", dtype=None)
        y = _signed(real_numbers(target, "target", dtype=None))
        if a.dtype not in (np.float32, np.float64):
            a = a.astype(np.float64)
        if a.ndim == 0 or len(a) == 0:
            raise ValueError(f"prediction of shape {a.shape}: give at least one sample")
        self._check_target(a, y)
        if sample_weight is None:
            return a, y, None
        w = real_numbers(sample_weight, "sample_weight")
        if w.shape != (len(a),):
            raise ValueError(f"sample_weight of shape {w.shape}: give shape ({len(a)},)")
        if not (w >= 0).all() or not np.isfinite(w).all():
            raise ValueError("sample_weight: give finite numbers that are not negative")
        if self.reduction == "mean" and not w.any():
            raise ValueError("sample_weight: all are 0, their mean loss is undefined")
        return a, y, w

    def _check_target(self, a: Array, y: Array) -> None:
        if y.shape != a.shape:
            raise ValueError(
                f"target of shape {y.shape} does not fit prediction of shape {a.shape}: "
                "give the same shape"
            )


def _signed(y: Array) -> Array:
    """Give targets a dtype in which −y is a number below 0."""
    if y.dtype.kind not in "bu":
        return y
    beyond = y.dtype == np.uint64 and y.max(initial=0) >= np.uint64(2**63)
    return y.astype(np.float64 if beyond else np.int64)


def sum_outputs(losses: Array) -> Array:
    """Sum the losses of a sample over its outputs: any shape (n, ...) to (n,)."""
    return losses.reshape(len(losses), -1).sum(axis=1) if losses.ndim > 1 else losses


def check_signs(y: Array) -> None:
    """Refuse targets of a margin loss that are not −1 or 1."""
    wrong = np.abs(y) != 1
    if wrong.any():
        raise ValueError(f"target holds {y[wrong].flat[0]!r}: give −1 or 1")


def _as_column(w: Array, like: Array) -> Array:
    return w.astype(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
