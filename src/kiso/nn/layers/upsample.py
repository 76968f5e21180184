"""Images made larger by repeating their pixels."""

from __future__ import annotations

from typing import Any

from kiso._validation import Array

from .layer import Backward, Layer, Shape
from .run import Run
from .windows import Sizes, Window, check_images

__all__ = ["Upsample"]


class Upsample(Layer):
    """Repeat each pixel: y[i, c, o, q] = x[i, c, ⌊o/s⌋, ⌊q/s⌋] (nearest neighbour).

    ∂C/∂x is the sum of ∂C/∂y over the s×s pixels that came of one.

    Parameters
    ----------
    factor : int or (height, width), default=2
        s, how many times as high and as wide.

    Examples
    --------
    >>> import numpy as np
    >>> Upsample(2)(np.array([[[[1.0, 2.0]]]]))[0, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    """

    takes_images = True

    def __init__(self, factor: Sizes = 2):
        self.factor = Window.create(factor, name="factor").size

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """x: (n, channels, height, width) → y: (n, channels, s height, s width)."""
        check_images(self, x.shape)
        n, channels, height, width = x.shape
        sh, sw = self.factor

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return dy.reshape(n, channels, height, sh, width, sw).sum(axis=(3, 5)), {}

        return x.repeat(sh, axis=2).repeat(sw, axis=3), backward

    def output_shape(self, shape: Shape) -> Shape:
        """(channels, height, width) → (channels, s height, s width)."""
        check_images(self, (1, *shape))
        return shape[0], shape[1] * self.factor[0], shape[2] * self.factor[1]

    def __repr__(self) -> str:
        return f"Upsample({self.factor[0]}×{self.factor[1]})"
