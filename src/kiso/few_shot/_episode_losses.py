"""What networks of one-shot learning minimise, with the gradients in the embeddings.

Prototypes      c_k = (1/S) Σ_s e_ks,   z_qk = −‖e_q − c_k‖²,   C = cross-entropy of softmax z
Pairs           z_ij = b − Σ_d α_d |u_id − v_jd|,               C = cross-entropy of σ(z)

e, u, v are embeddings: e_ks of example s of class k, e_q of a query; u_i and v_j of two
drawings of the classes i and j, which are the same where i = j.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kiso._validation import Array
from kiso.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy

__all__ = ["Lesson", "pair_loss", "prototype_loss", "squared_distances"]


class Lesson(NamedTuple):
    """What a step teaches: its loss, the share of right answers, and gradients."""

    loss: float
    accuracy: float
    gradients: Any


def squared_distances(Q: Array, C: Array) -> Array:
    """‖q − c‖² of each row of Q to each of C, shape (len(Q), len(C))."""
    middle = C.mean(axis=0)  # distances stay; what is squared becomes small
    Q, C = Q - middle, C - middle
    out = (Q * Q).sum(axis=1)[:, None] - 2 * (Q @ C.T) + (C * C).sum(axis=1)
    np.maximum(out, 0, out=out)
    return out


def prototype_loss(support: Array, queries: Array) -> Lesson:
    """Classify queries by the nearest prototype.

    Parameters
    ----------
    support : ndarray of shape (ways, shots, D)
    queries : ndarray of shape (ways, n, D)

    Returns
    -------
    Lesson
        With gradients (∂C/∂support, ∂C/∂queries).
    """
    ways, shots, _ = support.shape
    C, Q = support.mean(axis=1), queries.reshape(-1, queries.shape[2])
    truth = np.repeat(np.arange(ways), queries.shape[1])
    z = -squared_distances(Q, C)
    loss, G = SoftmaxCrossEntropy().value_and_gradient(z, truth)
    dQ = -2 * (G.sum(axis=1)[:, None] * Q - G @ C)
    dC = 2 * (G.T @ Q - G.sum(axis=0)[:, None] * C)
    each = np.broadcast_to((dC / shots)[:, None], support.shape)
    accuracy = float((z.argmax(axis=1) == truth).mean())
    return Lesson(loss, accuracy, (each, dQ.reshape(queries.shape)))


def pair_loss(u: Array, v: Array, alpha: Array, bias: Array) -> Lesson:
    """Say of each drawing of u and each of v whether they are of one class.

    All n² pairs count the same, so that most weight is on pairs of different classes that
    look alike. (With half of it on the n pairs of one class, ranks come out much worse.)

    Parameters
    ----------
    u, v : ndarray of shape (n, D), n >= 2
        Row i of both is of class i.
    alpha : ndarray of shape (D,)
    bias : ndarray of shape (1,)

    Returns
    -------
    Lesson
        With gradients (∂C/∂u, ∂C/∂v, ∂C/∂α, ∂C/∂b).
    """
    n = len(u)
    gaps = u[:, None] - v
    sizes = np.abs(gaps)
    z = bias - sizes @ alpha
    loss, G = SigmoidCrossEntropy().value_and_gradient(z.ravel(), np.eye(n).ravel())
    G = G.reshape(n, n).astype(z.dtype, copy=False)
    d_alpha = -np.tensordot(G, sizes, 2)
    slopes = np.sign(gaps, out=gaps)
    du = -alpha * np.einsum("ij,ijd->id", G, slopes, optimize=True)
    dv = alpha * np.einsum("ij,ijd->jd", G, slopes, optimize=True)
    accuracy = float((z.argmax(axis=1) == np.arange(n)).mean())
    return Lesson(loss, accuracy, (du, dv, d_alpha, G.sum(keepdims=True)[0]))
