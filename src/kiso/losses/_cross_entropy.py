"""Cross-entropies on logits z: no probability is formed where its logarithm is wanted.

    log σ(z) = −log(1 + e^{−z})        log softmax(z)_k = z_k − log Σⱼ e^{zⱼ}

Each is computed from exponentials of numbers ≤ 0, so that nothing overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

from kiso._validation import Array

from ._loss import Loss, sum_outputs

__all__ = ["KLDivergence", "SigmoidCrossEntropy", "SoftmaxCrossEntropy"]


@dataclass(frozen=True, kw_only=True)
class SigmoidCrossEntropy(Loss):
    """ℓ = Σ −t log σ(z) − (1 − t) log(1 − σ(z)), Σ over outputs; its mean over the samples.

    It is computed as Σ log(1 + e^z) − t z. PyTorch's mean divides by the outputs, too.

    Gradient σ(z) − t. The targets t lie in [0, 1]; several outputs are as many independent
    Bernoulli variables.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SigmoidCrossEntropy
    >>> SigmoidCrossEntropy().value_and_gradient(np.array([0.0, 1000.0]), np.array([1.0, 1.0]))
    (0.346574, array([-0.25, 0. ]))
    """

    def terms(self, prediction: Array, target: Array) -> Array:
        softplus = np.maximum(prediction, 0.0) + np.log1p(np.exp(-np.abs(prediction)))
        return sum_outputs(softplus - np.multiply(target, prediction, dtype=prediction.dtype))

    def slopes(self, prediction: Array, target: Array) -> Array:
        slopes = expit(prediction)
        slopes -= target
        return slopes

    def _check_target(self, a: Array, y: Array) -> None:
        super()._check_target(a, y)
        _check_probabilities(y)


@dataclass(frozen=True, kw_only=True)
class SoftmaxCrossEntropy(Loss):
    """ℓ = −Σ_k t_k log softmax(z)_k, by default its mean over the samples.

    Gradient softmax(z) − t for targets that sum to 1 (and s softmax(z) − t for a sum s).
    At z = 0 every sample costs log K.

    Logits have the shape (n_samples, K). Targets are class numbers 0 … K − 1 of shape
    (n_samples,), or distributions t of the shape of the logits.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together. With class numbers "mean" divides by the
        sum of the weights of their classes, without those that are ignored (as PyTorch does).
    class_weight : sequence of K numbers or None, default None
        c: each t_k is multiplied by c_k.
    label_smoothing : float, default 0.0
        s in [0, 1): each t is (1 − s) t + s/K (Szegedy et al. 2016, section 7).
    ignore_index : int or None, default None
        Samples of this class number count for nothing; it need not be a class.

    References
    ----------
    Higham & Higham (2019), equation (7.1); Goodfellow et al. (2016), section 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SoftmaxCrossEntropy
    >>> SoftmaxCrossEntropy().value(np.zeros((2, 4)), np.array([0, 3]))  # log 4
    1.386294
    >>> SoftmaxCrossEntropy(ignore_index=-1).value(np.log([[1.0, 3.0], [1.0, 1.0]]),
    ...                                            np.array([1, -1]))  # log 4/3
    0.287682
    """

    class_weight: tuple[float, ...] | None = None
    label_smoothing: float = 0.0
    ignore_index: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_weight is not None:
            weight = tuple(float(c) for c in self.class_weight)
            if not weight or not all(0 <= c < np.inf for c in weight):
                raise ValueError(
                    f"class_weight={self.class_weight!r}: give a finite number >= 0 for each class"
                )
            object.__setattr__(self, "class_weight", weight)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing={self.label_smoothing!r}: give a share in [0, 1)")

    @property
    def _plain(self) -> bool:
        return self.class_weight is None and self.label_smoothing == 0 and self.ignore_index is None

    def _mixed(self, prediction: Array, target: Array) -> Array:
        """Return the targets as a matrix, smoothed, weighted, and 0 where they are ignored."""
        n, k = prediction.shape
        kept = self._kept(target)
        if target.ndim == 1:
            t = np.zeros((n, k), prediction.dtype)
            t[np.flatnonzero(kept), target[kept]] = 1
        else:
            t = np.array(target, dtype=prediction.dtype)
        s = self.label_smoothing
        t = t * t.dtype.type(1 - s) + t.dtype.type(s / k)
        if self.class_weight is not None:
            t = t * np.asarray(self.class_weight, t.dtype)
        t[~kept] = 0
        return t

    def _kept(self, target: Array) -> Array:
        if target.ndim != 1 or self.ignore_index is None:
            return np.ones(len(target), bool)
        return np.asarray(target != self.ignore_index)

    def _mass(self, y: Array, w: Array | None) -> float:
        if y.ndim != 1 or (self.class_weight is None and self.ignore_index is None):
            return super()._mass(y, w)
        kept = self._kept(y)
        counts = np.ones(len(y)) if w is None else w
        if self.class_weight is not None:
            counts = counts[kept] * np.asarray(self.class_weight)[y[kept]]
        else:
            counts = counts[kept]
        if not counts.any():
            raise ValueError(
                "target: every sample is ignored or of weight 0, so that their mean loss is "
                "undefined"
            )
        return float(counts.sum())

    def terms(self, prediction: Array, target: Array) -> Array:
        return self.terms_and_slopes(prediction, target)[0]

    def slopes(self, prediction: Array, target: Array) -> Array:
        return self.terms_and_slopes(prediction, target)[1]

    def terms_and_slopes(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        shifted = prediction - prediction.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        log_total = np.log(total[:, 0])
        if not self._plain:
            target = self._mixed(prediction, target)
        if target.ndim == 1:
            rows = np.arange(len(target))
            terms = log_total - shifted[rows, target]
            p[rows, target] -= 1.0
            return terms, p
        t = np.asarray(target, dtype=prediction.dtype)
        mass = t.sum(axis=1)
        if np.isinf(shifted).any():  # logits apart by more than the largest number; 0 times it is 0
            shifted = np.where(t == 0, 0.0, shifted)
        terms = mass * log_total - np.einsum("ik,ik->i", t, shifted)
        p *= mass[:, None]
        p -= t
        return terms, p

    def _check_target(self, a: Array, y: Array) -> None:
        if a.ndim != 2:
            raise ValueError(f"prediction of shape {a.shape}: give (n_samples, n_classes)")
        if self.class_weight is not None and len(self.class_weight) != a.shape[1]:
            raise ValueError(
                f"class_weight has {len(self.class_weight)} numbers, prediction "
                f"{a.shape[1]} columns: give one a class"
            )
        if self.ignore_index is not None and y.ndim != 1:
            raise ValueError("ignore_index: it is for class numbers, not for distributions")
        if y.ndim != 1:
            super()._check_target(a, y)
            _check_probabilities(y)
            return
        n_samples, n_classes = a.shape
        if len(y) != n_samples:
            raise ValueError(f"target has {len(y)} samples, prediction {n_samples}")
        if not np.issubdtype(y.dtype, np.integer):
            raise ValueError(f"target of dtype {y.dtype}: class numbers are integers")
        y = y[self._kept(y)]
        if y.size and (y.min() < 0 or y.max() >= n_classes):
            raise ValueError(
                f"target holds classes from {y.min()} to {y.max()}: "
                f"give 0 to {n_classes - 1}, as prediction has {n_classes} columns"
            )


@dataclass(frozen=True, kw_only=True)
class KLDivergence(SoftmaxCrossEntropy):
    """ℓ = KL(t ‖ softmax(z)) = Σ_k t_k (log t_k − log softmax(z)_k), with 0 log 0 = 0.

    The cross-entropy less the entropy of t: the same gradient, and 0 where both agree.
    Shapes are those of `SoftmaxCrossEntropy`.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import KLDivergence
    >>> t = np.array([[0.25, 0.75]])
    >>> KLDivergence().value(np.log(t), t)
    0.0
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self._plain:
            raise ValueError(
                "KLDivergence takes no class_weight, label_smoothing or ignore_index; give them "
                "to SoftmaxCrossEntropy, whose gradient it has"
            )

    def terms_and_slopes(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        terms, slopes = super().terms_and_slopes(prediction, target)
        if target.ndim == 2:  # the entropy of a class number is 0
            t = np.asarray(target, dtype=prediction.dtype)
            terms += xlogy(t, t).sum(axis=1)
        return terms, slopes


def _check_probabilities(t: Array) -> None:
    if not (t.min() >= 0 and t.max() <= 1):
        raise ValueError(f"target holds {t.min()} to {t.max()}: give probabilities in [0, 1]")
