"""Dropout: in training each number is kept with probability 1 − p.

Higham & Higham (2019, v1) multiply by p after dropping with probability p; the factor that
keeps the mean is the keep probability 1 − p. Here the survivors are divided by it while
training ("inverted"), so that inference has nothing to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

from .layer import Backward, Layer, Shape
from .run import Run, empty

__all__ = ["Dropout"]


class Dropout(Layer):
    """y = m ∘ x / (1 − p) in training, m ~ Bernoulli(1 − p);  y = x otherwise.

    E y = x. The mask comes from the run's generator.

    Parameters
    ----------
    p : float, default=0.5
        Probability of dropping a number, 0 ≤ p < 1.

    Raises
    ------
    ValueError
        If p is outside.

    References
    ----------
    Srivastava et al. (2014); Higham & Higham (2019), section 6 (with the factor corrected).

    Examples
    --------
    >>> from kiso.nn import Run
    >>> Dropout(0.5).forward(np.ones((1, 6)), train=Run(0))[0]
    array([[2., 0., 0., 0., 2., 2.]])
    """

    def __init__(self, p: float = 0.5):
        if not 0 <= p < 1:
            raise ValueError(f"p={p!r}: give a probability of dropping, 0 <= p < 1")
        self.p = p

    def forward(self, x: Array, *, train: Run | None = None) -> tuple[Array, Backward]:
        """Shape is kept."""
        if train is None or self.p == 0:
            return x, lambda dy: (dy, {})
        real = x.real.dtype
        mask = train.empty(x.shape, real)
        train.rng.random(out=mask, dtype=real)
        np.greater_equal(mask, self.p, out=mask, casting="unsafe")
        mask *= real.type(1 / (1 - self.p))
        y = np.multiply(x, mask, out=empty(train, x.shape, x))

        def backward(dy: Array) -> tuple[Array, dict[str, Any]]:
            return np.multiply(dy, mask, out=empty(train, x.shape, dy)), {}

        return y, backward

    def output_shape(self, shape: Shape) -> Shape:
        """Shape is kept."""
        return shape

    def flops(self, shape: Shape) -> int:
        """Return 0: inference does nothing."""
        return 0

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
