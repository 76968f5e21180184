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
    """ℓ = Σ −t log σ(z) − (1 − t) log(1 − σ(z)) = Σ log(1 + e^z) − t z.

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
    """ℓ = −Σ_k t_k log softmax(z)_k.

    Gradient softmax(z) − t for targets that sum to 1 (and s softmax(z) − t for a sum s).
    At z = 0 every sample costs log K.

    Logits have the shape (n_samples, K). Targets are class numbers 0 … K − 1 of shape
    (n_samples,), or distributions t of the shape of the logits.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the losses of the samples are put together.

    References
    ----------
    Higham & Higham (2019), equation (7.1); Goodfellow et al. (2016), section 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.losses import SoftmaxCrossEntropy
    >>> SoftmaxCrossEntropy().value(np.zeros((2, 4)), np.array([0, 3]))  # log 4
    1.386294
    """

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
        if target.ndim == 1:
            rows = np.arange(len(target))
            terms = log_total - shifted[rows, target]
            p[rows, target] -= 1.0
            return terms, p
        t = np.asarray(target, dtype=prediction.dtype)
        mass = t.sum(axis=1)
        terms = mass * log_total - np.einsum("ik,ik->i", t, shifted)
        p *= mass[:, None]
        p -= t
        return terms, p

    def _check_target(self, a: Array, y: Array) -> None:
        if a.ndim != 2:
            raise ValueError(f"prediction of shape {a.shape}: give (n_samples, n_classes)")
        if y.ndim != 1:
            super()._check_target(a, y)
            _check_probabilities(y)
            return
        n_samples, n_classes = a.shape
        if len(y) != n_samples:
            raise ValueError(f"target has {len(y)} samples, prediction {n_samples}")
        if not np.issubdtype(y.dtype, np.integer):
            raise ValueError(f"target of dtype {y.dtype}: class numbers are integers")
        if y.min() < 0 or y.max() >= n_classes:
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

    def terms_and_slopes(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        terms, slopes = super().terms_and_slopes(prediction, target)
        if target.ndim == 2:  # the entropy of a class number is 0
            t = np.asarray(target, dtype=prediction.dtype)
            terms += xlogy(t, t).sum(axis=1)
        return terms, slopes


def _check_probabilities(t: Array) -> None:
    if not (t.min() >= 0 and t.max() <= 1):
        raise ValueError(f"target holds {t.min()} to {t.max()}: give probabilities in [0, 1]")
