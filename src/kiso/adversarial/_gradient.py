"""∂C/∂x of a fitted classifier: what attacks by gradient follow.

Networks and logistic regression, with scores z: C = −log p(y | x), ∂C/∂z = p − 1_y.
SVC: C = −Σ of the values of the machines that know class y, each counted for y.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils.validation import check_is_fitted

from kiso._validation import Array
from kiso.losses import Loss

from ._network import NetworkAndLoss, as_model

__all__ = ["class_codes", "loss_gradient"]

BLOCK = 512  # samples whose activations are held at once


def loss_gradient(model: Any, X: Any, y: Any, *, loss: Loss | None = None) -> Array:
    """Return the gradient, in x, of the loss of each sample.

    Parameters
    ----------
    model : fitted classifier, or Network
        A classifier of `kiso.neural_network`, a network of `kiso.nn` (whose labels are the
        numbers of its outputs), a `kiso.svm.SVC` whose kernel has a gradient, or
        a linear model with `predict_proba`.
    X : array-like of shape (n_samples, ...)
        As the model takes them.
    y : array-like of shape (n_samples,)
        Labels, each among `model.classes_`.
    loss : Loss or None, default=None
        For a `Network`: C, summed over the samples. None is the cross-entropy on its outputs.

    Returns
    -------
    ndarray of the shape of X
        Of C = −log p(y | x); for an SVC of C = −Σ ± f(x) over the machines of class y.

    Raises
    ------
    TypeError
        If the model offers no gradient.
    ValueError
        If a label is not among the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.adversarial import loss_gradient
    >>> from kiso.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    >>> bool(loss_gradient(model, [[0.5]], [1])[0, 0] < 0)
    True
    """
    model = as_model(model, loss)
    if isinstance(model, NetworkAndLoss):
        X = np.asarray(X)
        y = model.class_codes(y, X)
        parts = [model.loss_gradient(X[i : i + BLOCK], y[i : i + BLOCK])
                 for i in range(0, len(X), BLOCK)]  # fmt: skip
        return np.concatenate(parts).reshape(X.shape)
    check_is_fitted(model)
    of_block = _gradient_of(model)
    X, codes = np.asarray(X), class_codes(model, y)
    if len(X) != len(codes):
        raise ValueError(f"y has {len(codes)} labels, X has {len(X)} samples")
    starts = range(0, len(X), BLOCK)
    parts = [of_block(model, X[i : i + BLOCK], codes[i : i + BLOCK]) for i in starts]
    return np.concatenate(parts).reshape(X.shape)


def class_codes(model: Any, y: Any) -> Array:
    """Return the places of labels in `classes_`."""
    if isinstance(model, NetworkAndLoss):
        return np.asarray(y)
    y, classes = np.asarray(y), model.classes_
    codes = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    unknown = classes[codes] != y
    if unknown.any():
        raise ValueError(f"y holds {y[unknown].tolist()[0]!r}, which is not among {classes}")
    return codes


def _gradient_of(model: Any) -> Any:
    if hasattr(model, "network_") and hasattr(model, "classes_"):
        return _of_network
    if hasattr(model, "decision_gradient") and hasattr(model, "classes_"):
        return _of_machines
    if hasattr(model, "coef_") and hasattr(model, "predict_proba"):
        return _of_linear
    raise TypeError(
        f"{type(model).__name__} has no gradient in its input: this needs a classifier with "
        "network_, decision_gradient, or coef_ and predict_proba; one_pixel needs only "
        "predict_proba or decision_function"
    )


def _score_gradient(z: Array, codes: Array) -> Array:
    """∂C/∂z = p − 1_y, of the shape of z."""
    if z.ndim == 1 or z.shape[1] == 1:
        return expit(z) - codes.reshape(z.shape)
    p: Array = softmax(z, axis=1)
    p[np.arange(len(z)), codes] -= 1
    return p


def _of_network(model: Any, X: Array, codes: Array) -> Array:
    network = model.network_
    z, backward = network.forward(network.as_input(X))
    gradient: Array = backward(_score_gradient(z, codes).astype(z.dtype), want_gradients=False)[0]
    return gradient


def _of_linear(model: Any, X: Array, codes: Array) -> Array:
    dz = _score_gradient(model.decision_function(X), codes)
    gradient: Array = dz.reshape(len(X), -1) @ model.coef_
    return gradient


def _of_machines(model: Any, X: Array, codes: Array) -> Array:
    slopes, n_classes = model.decision_gradient(X), len(model.classes_)
    if n_classes == 2:
        return np.where(codes == 1, -1.0, 1.0)[:, None] * slopes
    signs = np.zeros((n_classes, slopes.shape[1]))
    for pair, (a, b) in enumerate(combinations(range(n_classes), 2)):
        signs[a, pair], signs[b, pair] = -1.0, 1.0
    return np.einsum("np,npd->nd", signs[codes], slopes)
