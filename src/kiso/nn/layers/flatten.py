"""A sample of any shape as one row, and a row as a sample of some shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

from .layer import Backward, Layer, Shape, ShapeError
from .run import Run

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """(n, a, b, …) → (n, a·b·…), the last axis fastest; the gradient takes its shape back.

    Examples
    --------
    >>> Flatten()(np.zeros((5, 3, 4, 4))).shape
    (5, 48)
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Join all axes but the first."""
        return _reshaped(x, (int(np.prod(x.shape[1:])),))

    def output_shape(self, shape: Shape) -> Shape:
        """(a, b, …) → (a·b·…,)."""
        return (int(np.prod(shape)),)


class Reshape(Layer):
    """(n, …) → (n, s₁, s₂, …), the last axis fastest: rows of pixels become images.

    Parameters
    ----------
    shape : tuple of int
        Of one sample.

    Raises
    ------
    ShapeError
        On use, if a sample has another number of entries.

    Examples
    --------
    >>> Reshape((1, 28, 28))(np.zeros((5, 784))).shape
    (5, 1, 28, 28)
    """

    def __init__(self, shape: Shape):
        self.shape = tuple(int(m) for m in shape)

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Give each sample its shape."""
        Reshape.output_shape(self, x.shape[1:])
        return _reshaped(x, self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        """(…) → `shape`."""
        if np.prod(shape) != np.prod(self.shape):
            raise ShapeError(f"{self!r} takes {np.prod(self.shape)} numbers a sample, not {shape}")
        return self.shape

    def __repr__(self) -> str:
        return f"Reshape({'×'.join(map(str, self.shape))})"


def _reshaped(x: Array, shape: Shape) -> tuple[Array, Backward]:
    def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
        return dy.reshape(x.shape), {}

    return x.reshape(len(x), *shape), backward
