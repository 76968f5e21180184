"""Flatten: a sample of any shape as one row."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

from ._layer import Backward, Layer, Shape
from ._run import Run

__all__ = ["Flatten"]


class Flatten(Layer):
    """(n, a, b, …) → (n, a·b·…), the last axis fastest; the gradient takes its shape back.

    Examples
    --------
    >>> Flatten()(np.zeros((5, 3, 4, 4))).shape
    (5, 48)
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Join all axes but the first."""

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return dy.reshape(x.shape), {}

        return x.reshape(len(x), int(np.prod(x.shape[1:]))), backward

    def output_shape(self, shape: Shape) -> Shape:
        """(a, b, …) → (a·b·…,)."""
        return (int(np.prod(shape)),)
