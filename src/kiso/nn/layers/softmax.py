"""Softmax: scores to probabilities. For training give the logits to a loss instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

from .layer import Backward, Layer, Shape
from .run import Run, empty

__all__ = ["Softmax"]


class Softmax(Layer):
    """y_k = e^{x_k} / Σⱼ e^{x_j} over the last axis;  ∂C/∂x = y ∘ (∂C/∂y − Σ y ∘ ∂C/∂y).

    Adding one number to all scores of a sample changes nothing, so the largest is taken off
    first and nothing overflows. `kiso.losses.SoftmaxCrossEntropy` takes logits, and a
    network that trains with it ends without this layer.

    Examples
    --------
    >>> Softmax()(np.array([[1000.0, 1000.0]]))
    array([[0.5, 0.5]])
    """

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Shape is kept."""
        y = empty(train, x.shape, x)
        np.subtract(x, x.real.max(axis=-1, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=-1, keepdims=True)

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            dx = np.multiply(dy, y, out=empty(train, x.shape, dy, y))
            dx -= y * dx.sum(axis=-1, keepdims=True)
            return dx, {}

        return y, backward

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        return shape

    def flops(self, shape: Shape) -> int:
        """Return four for each number: subtract, exponential, sum, divide."""
        return 4 * int(np.prod(shape))
