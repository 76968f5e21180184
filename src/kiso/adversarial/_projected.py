"""FGSM and projected gradient ascent: x ← Π(x + η d), d the steepest direction of a norm.

L∞: d = sign ∇C, Π clips each entry to x₀ ± ε. L2: d = ∇C/‖∇C‖, Π shrinks x − x₀ to length ε.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator
from kiso.losses import Loss

from ._gradient import loss_gradient
from ._network import as_model
from ._result import AttackResult, attack_inputs, judged

__all__ = ["fgsm", "pgd"]

Bounds = tuple[float, float]


def fgsm(
    model: Any,
    X: Any,
    y: Any,
    *,
    eps: float = 0.25,
    target: Any = None,
    bounds: Bounds = (0, 1),
    loss: Loss | None = None,
) -> AttackResult:
    """Change every entry by ε in the direction in which the loss grows.

    x + ε sign ∇ₓC(x, y), clipped to `bounds`; towards a target, x − ε sign ∇ₓC(x, target).
    For a linear model of two classes this is the worst change within the L∞ ball.

    Parameters
    ----------
    model, X, y
        As for `loss_gradient`; y are the true labels.
    eps : float, default=0.25
    target : label, array-like of labels, or None, default=None
        The answer wanted; None is any but y.
    bounds : (float, float), default=(0, 1)
        Lowest and highest entry of X and of the result.
    loss : Loss or None, default=None
        For a `Network` in the place of a model: what it was trained with.

    Returns
    -------
    AttackResult

    References
    ----------
    Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples.

    Examples
    --------
    >>> from kiso.adversarial import fgsm
    >>> from kiso.linear_model import LogisticRegression
    >>> model = LogisticRegression(C=100).fit([[0.0], [1.0]], [0, 1])
    >>> fgsm(model, [[0.4]], [0], eps=0.25).images
    array([[0.65]])
    """
    return pgd(model, X, y, eps=eps, step=eps, n_steps=1, target=target, bounds=bounds, loss=loss)


def pgd(
    model: Any,
    X: Any,
    y: Any,
    *,
    eps: float = 0.25,
    norm: str = "linf",
    step: float | None = None,
    n_steps: int = 20,
    random_start: bool = False,
    target: Any = None,
    bounds: Bounds = (0, 1),
    random_state: RandomState = None,
    loss: Loss | None = None,
) -> AttackResult:
    """Climb the loss in small steps, kept within a ball about the original (iterated FGSM).

    Parameters
    ----------
    model, X, y
        As for `loss_gradient`; y are the true labels.
    eps : float, default=0.25
        Radius of the ball.
    norm : {"linf", "l2"}, default="linf"
    step : float or None, default=None
        η; None is 2.5 ε / n_steps.
    n_steps : int, default=20
    random_start : bool, default=False
        Begin at a random place in the ball.
    target : label, array-like of labels, or None, default=None
        The answer wanted; None is any but y.
    bounds : (float, float), default=(0, 1)
    random_state : int, Generator, RandomState or None, default=None
    loss : Loss or None, default=None
        For a `Network` in the place of a model: what it was trained with.

    Returns
    -------
    AttackResult

    References
    ----------
    Madry et al. (2018), Towards deep learning models resistant to adversarial attacks.
    """
    model = as_model(model, loss)
    X, y = attack_inputs(X, y, bounds)
    if not eps >= 0:
        raise ValueError(f"eps={eps}: give a radius of at least 0")
    if norm not in ("linf", "l2"):
        raise ValueError(f"norm={norm!r}: give 'linf' or 'l2'")
    if n_steps < 1:
        raise ValueError(f"n_steps={n_steps}: give at least 1")
    aim = y if target is None else np.broadcast_to(target, y.shape)
    rate = (1.0 if target is None else -1.0) * (2.5 * eps / n_steps if step is None else step)
    x = X
    if random_start:
        noise = check_generator(random_state).uniform(-eps, eps, X.shape).astype(X.dtype)
        x = _within(x + noise, X, eps, norm, bounds)
    for _ in range(n_steps):
        d = _steepest(loss_gradient(model, x, aim).astype(X.dtype), norm)
        x = _within(x + X.dtype.type(rate) * d, X, eps, norm, bounds)
    return judged(model, X, x, y, target)


def _lengths(change: Array) -> Array:
    lengths: Array = np.linalg.norm(change.reshape(len(change), -1), axis=1)
    return lengths.reshape(-1, *[1] * (change.ndim - 1))


def _steepest(gradient: Array, norm: str) -> Array:
    if norm == "linf":
        return np.sign(gradient)
    return gradient / np.maximum(_lengths(gradient), np.finfo(gradient.dtype).tiny)


def _within(x: Array, X: Array, eps: float, norm: str, bounds: Bounds) -> Array:
    """Π: into the ball, then into the bounds, which only shortens the change."""
    if norm == "linf":
        x = np.clip(x, X - X.dtype.type(eps), X + X.dtype.type(eps))
    else:
        change = x - X
        shrink = eps / np.maximum(_lengths(change), max(eps, np.finfo(X.dtype).tiny))
        x = X + change * shrink.astype(X.dtype)
    return np.clip(x, *bounds)
