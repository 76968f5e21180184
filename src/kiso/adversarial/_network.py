"""A network of `kiso.nn` and its loss, with the methods of a fitted classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from kiso._validation import Array
from kiso.losses import Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy
from kiso.nn import Network

__all__ = ["NetworkAndLoss", "as_model"]


class NetworkAndLoss:
    """What attacks ask of a classifier; classes are 0 … K − 1 (0 and 1 for one output).

    Parameters
    ----------
    network : Network
        Outputs of shape (n, K), logits for the cross-entropies.
    loss : Loss or None
        None is the cross-entropy that fits the outputs.
    """

    def __init__(self, network: Network, loss: Loss | None):
        self.network_, self._given = network, loss

    def outputs(self, X: Array) -> Array:
        """Return z of each sample, one row each."""
        z = self.network_(X)
        return z.reshape(len(z), -1)

    def class_codes(self, y: Any, X: Array) -> Array:
        """Return labels as they are, after a look at them."""
        codes, n = np.asarray(y), max(2, self.outputs(X[:1]).shape[1])
        known = codes.dtype.kind in "iu" and codes.min() >= 0 and codes.max() < n
        if self._given is None and not known:
            raise ValueError(f"y: give class numbers from 0 to {n - 1}, for {n} classes")
        return codes

    def loss_gradient(self, X: Array, y: Array) -> Array:
        """Return the gradient of the loss of each sample in x."""
        z, backward = self.network_.forward(self.network_.as_input(X))
        loss = self._loss(z)
        target: Array = np.asarray(y)
        if not (isinstance(loss, SoftmaxCrossEntropy) and target.ndim == 1):
            many = z.ndim > 1 and z.shape[1] > 1
            target = np.eye(z.shape[1])[target] if many and target.ndim == 1 else target
            target = target.reshape(z.shape).astype(z.dtype)
        dy = loss.gradient(z, target)
        dx: Array = backward(dy)[0]
        return dx

    def _loss(self, z: Array) -> Loss:
        one = z.ndim == 1 or z.shape[1] == 1
        default = SigmoidCrossEntropy() if one else SoftmaxCrossEntropy()
        return replace(default if self._given is None else self._given, reduction="sum")

    def predict(self, X: Array) -> Array:
        """Return the most probable class of each sample."""
        z = self.outputs(X)
        labels: Array = (z[:, 0] > 0).astype(int) if z.shape[1] == 1 else z.argmax(axis=1)
        return labels

    def predict_proba(self, X: Array) -> Array:
        """Return the probabilities of the classes, z being logits."""
        z = self.outputs(X)
        if z.shape[1] > 1:
            return np.asarray(softmax(z, axis=1))
        p = expit(z)
        return np.hstack([1 - p, p])


def as_model(model: Any, loss: Loss | None = None) -> Any:
    """Return a network with its loss as a classifier; other models as they are."""
    if isinstance(model, Network):
        return NetworkAndLoss(model, loss)
    if loss is not None and not isinstance(model, NetworkAndLoss):
        raise TypeError(
            f"loss={loss!r}: it goes with a network of kiso.nn; {type(model).__name__} has its own"
        )
    return model
