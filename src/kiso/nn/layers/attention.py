"""Self-attention: each place of a sequence looks at all others and takes a mean of them.

Q, K, V = x W_q + b_q, x W_k + b_k, x W_v + b_v        cut into heads of d = n_features/n_heads
A = softmax(Q Kᵀ / √d)   over the places that are looked at
y = (A V, the heads side by side) W_o + b_o
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator

from .initialise import Glorot
from .layer import Backward, Layer, Shape, ShapeError
from .run import Run

__all__ = ["MultiHeadAttention"]

_NAMES = ("q", "k", "v", "o")


class MultiHeadAttention(Layer):
    """Self-attention with several heads (Vaswani et al. 2017, equation 1 and section 3.2.2).

    y = concat_h(softmax(Q_h K_hᵀ/√d) V_h) W_o + b_o, (n, T, n_features) → the same shape.

    Parameters
    ----------
    n_features : int
    n_heads : int
        Divides n_features.
    causal : bool, default=False
        A place looks at itself and at those before it alone.
    random_state : int, Generator, RandomState or None, default=None
        Of Wq, Wk, Wv, Wo (n_features, n_features), after Glorot; the biases begin at 0.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need.

    Examples
    --------
    >>> layer = MultiHeadAttention(8, 2, random_state=0)
    >>> layer(np.zeros((3, 5, 8))).shape, layer.weights(np.zeros((1, 2, 8)))[0, 0]
    ((3, 5, 8), array([[0.5, 0.5],
           [0.5, 0.5]]))
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        *,
        causal: bool = False,
        random_state: RandomState = None,
        dtype: Any = None,
    ):
        if n_features < 1 or n_heads < 1 or n_features % n_heads:
            raise ValueError(
                f"n_features={n_features}, n_heads={n_heads}: give numbers >= 1, the first a "
                "multiple of the second"
            )
        self.n_heads, self.causal = n_heads, causal
        self._any_dtype = dtype is None
        kind = np.float64 if dtype is None else dtype
        rng, shape = check_generator(random_state), (n_features, n_features)
        for name in _NAMES:
            W = Glorot().draw(rng, shape, n_features, n_features)
            setattr(self, f"W{name}", W.astype(kind))
            setattr(self, f"b{name}", np.zeros(n_features, kind))

    @property
    def n_features(self) -> int:
        """Numbers of a place."""
        return len(self.parameters["Wq"])

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, T, n_features) → y of that shape."""
        MultiHeadAttention.output_shape(self, x.shape[1:])
        p = self.parameters
        Q, K, V = (self._heads(x @ p[f"W{k}"] + p[f"b{k}"]) for k in "qkv")
        A, scale = self._weights(Q, K)
        joined = self._joined(A @ V)

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            gradients = {"Wo": _outer(joined, dy), "bo": dy.sum(axis=(0, 1))}
            d_heads = self._heads(dy @ p["Wo"].T)
            dA = d_heads @ V.swapaxes(-1, -2)
            dS = A * (dA - (dA * A).sum(axis=-1, keepdims=True)) * scale
            d_each = {"q": dS @ K, "k": dS.swapaxes(-1, -2) @ Q, "v": A.swapaxes(-1, -2) @ d_heads}
            dx: Array = np.zeros(x.shape, dy.dtype)
            for k, d in d_each.items():
                flat = self._joined(d)
                gradients |= {f"W{k}": _outer(x, flat), f"b{k}": flat.sum(axis=(0, 1))}
                dx = dx + flat @ p[f"W{k}"].T
            return dx, {name: gradients[name] for name in p}

        return joined @ p["Wo"] + p["bo"], backward

    def weights(self, x: Array) -> Array:
        """Return A of shape (n, n_heads, T, T): what each place looks at; rows sum to 1."""
        p = self.parameters
        Q, K = (self._heads(x @ p[f"W{k}"] + p[f"b{k}"]) for k in "qk")
        return self._weights(Q, K)[0]

    def _weights(self, Q: Array, K: Array) -> tuple[Array, Any]:
        scale = Q.real.dtype.type(1 / np.sqrt(Q.shape[-1]))
        S = Q @ K.swapaxes(-1, -2) * scale
        if self.causal:
            later = np.triu(np.ones(S.shape[-2:], bool), 1)
            S = np.where(later, S.real.dtype.type(-np.inf), S)
        E = np.exp(S - S.real.max(axis=-1, keepdims=True))
        return E / E.sum(axis=-1, keepdims=True), scale

    def _heads(self, x: Array) -> Array:
        """(n, T, n_features) → (n, n_heads, T, d)."""
        return x.reshape(*x.shape[:2], self.n_heads, -1).swapaxes(1, 2)

    def _joined(self, x: Array) -> Array:
        """(n, n_heads, T, d) → (n, T, n_features)."""
        return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        if len(shape) != 2 or shape[1] != self.n_features:
            raise ShapeError(
                f"{self!r} takes samples of shape (places, {self.n_features}), not {shape}"
            )
        return shape

    def __repr__(self) -> str:
        causal = ", causal" if self.causal else ""
        return f"MultiHeadAttention({self.n_features}, {self.n_heads} heads{causal})"


def _outer(x: Array, dy: Array) -> Array:
    """Σ xᵀ ∂C/∂y over samples and places."""
    product: Array = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
    return product
