"""A layer's forward pass returns its backward pass.

    y, backward = layer.forward(x)        x: (n, ...), n samples
    dx, gradients = backward(dy)          dy = ∂C/∂y, dx = ∂C/∂x, gradients: as `parameters`

A layer holds parameters and nothing of a particular call; `backward` never changes `dy`. So
a layer can stand twice in one graph, be differentiated with respect to its input, and be
used from two threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array

from .run import Run

__all__ = ["Backward", "Layer", "Shape", "ShapeError", "Tree", "arrays_within"]

Tree: TypeAlias = Any  # nested dict / list of arrays
Shape: TypeAlias = tuple[int, ...]  # of one sample, without the batch axis
Backward: TypeAlias = Callable[..., tuple[Array, Tree]]


class ShapeError(ValueError):
    """An input does not fit a layer; the message names the layer and both shapes."""


class Layer(ABC):
    """Base of all layers.

    Attributes
    ----------
    lazy_dx : bool
        True where ∂C/∂x costs as much as the rest: `backward(dy, want_dx=False)` then
        returns None for it. A network asks for that at its first layer when it trains.
    lazy_gradients : bool
        True where `backward(dy, want_gradients=False)` returns ∂C/∂x alone, and {} for the
        gradients: what a network asks for that stands still.
    light : bool
        True where `layer(x)` costs less than `layer.forward(x)`.
    takes_images : bool
        True where a sample has the axes (channels, height, width).
    """

    lazy_dx = False
    lazy_gradients = False
    light = False
    takes_images = False

    @abstractmethod
    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Compute y = f(x) and the function that carries gradients back.

        Parameters
        ----------
        x : ndarray of shape (n, ...)
        train : Run or None
            The training run; None for inference.

        Returns
        -------
        y : ndarray of shape (n, ...)
        backward : callable
            `backward(dy) -> (dx, gradients)`.
        """

    @property
    def parameters(self) -> Tree:
        """The trainable arrays by name (the arrays themselves, no copies).

        Unless a layer says otherwise: every array of floating-point numbers that is an attribute,
        but for names that begin with an underscore.
        """
        return arrays_within(self)

    @property
    def statistics(self) -> dict[str, Array]:
        """Arrays that training moves but gradients do not (running means)."""
        return {}

    def absorb(self, statistics: dict[str, Array]) -> None:
        """Move `statistics` by those of a batch, as the layer recorded them in its `Run`."""
        raise NotImplementedError(f"{self!r} has no statistics")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one sample after this layer; ShapeError where it does not fit."""
        return shape

    def flops(self, shape: Shape) -> int:
        """Return multiplications and additions of the forward pass of one sample."""
        return 0

    def __call__(self, x: Array) -> Array:
        """Return y = f(x) alone."""
        return self.forward(x)[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def arrays_within(layer: Any) -> dict[str, Array]:
    """Return the public attributes that are arrays of floating-point (or complex) numbers."""
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc" and name[0] != "_"
    }


def check_features(layer: Any, x: Array, n_in: int) -> None:
    """Refuse an input whose last axis is not `n_in` long, or that has no batch axis."""
    if x.ndim < 2 or x.shape[-1] != n_in:
        raise ShapeError(f"{layer!r} takes shape (n, {n_in}); it was given {x.shape}")
