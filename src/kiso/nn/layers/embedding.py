"""A table of vectors, one for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array, RandomState, check_generator

from .layer import Backward, Layer, Shape
from .run import Run

__all__ = ["Embedding"]


class Embedding(Layer):
    """Look up a vector for each whole number: y = W[x], (n, …) → (n, …, n_features).

    ∂C/∂W[k] = Σ ∂C/∂y over the places where x = k. It is what an affine layer without bias
    does to one-hot rows, without the rows. The input has no gradient: ∂C/∂x = 0.

    Parameters
    ----------
    n_items : int
        The numbers in x go from 0 to n_items − 1.
    n_features : int
    random_state : int, Generator, RandomState or None, default=None
        Of W, standard normal.
    dtype : dtype or None, default=None
        None is float64, until a network of another dtype takes the layer up.

    Raises
    ------
    ValueError
        On use, if x holds anything else than such numbers.

    Examples
    --------
    >>> layer = Embedding(3, 2)
    >>> layer.W[...] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    >>> layer(np.array([[2, 0]]))
    array([[[5., 6.],
            [1., 2.]]])
    """

    def __init__(
        self,
        n_items: int,
        n_features: int,
        *,
        random_state: RandomState = None,
        dtype: Any = None,
    ):
        if n_items < 1 or n_features < 1:
            raise ValueError(f"Embedding({n_items}, {n_features}): give whole numbers >= 1")
        draw = check_generator(random_state).standard_normal((n_items, n_features))
        self.W = draw.astype(np.float64 if dtype is None else dtype)
        self._any_dtype = dtype is None

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, …) whole numbers → y: (n, …, n_features)."""
        W, places = self.W, x.real.astype(np.intp)
        if (places != x.real).any() or places.min(initial=0) < 0 or places.max(initial=0) >= len(W):
            raise ValueError(f"{self!r} takes whole numbers from 0 to {len(W) - 1}")

        def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
            dW = np.zeros(W.shape, np.result_type(W, dy))
            np.add.at(dW, places, dy)
            return np.zeros(x.shape, dy.dtype), {"W": dW}

        return W[places], backward

    def output_shape(self, shape: Shape) -> Shape:
        """(…) → (…, n_features)."""
        return (*shape, self.W.shape[1])

    def __repr__(self) -> str:
        return f"Embedding({self.W.shape[0]} → {self.W.shape[1]})"
