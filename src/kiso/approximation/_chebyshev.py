"""Chebyshev coefficients of a function on an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array

__all__ = ["RESOLVED", "chebyshev_coefficients"]

RESOLVED = 1e-14  # of the largest coefficient: what sampling in float64 can see


def chebyshev_coefficients(
    f: Callable[[Array], ArrayLike], low: float, high: float, most: int = 1024
) -> Array:
    """Return c_k of f on [low, high], as many as are above rounding.

    c_k = (2/N) Σ_j f(x_j) cos(kθ_j) on N Chebyshev points of the first kind; N doubles until
    the last quarter is below 1e-14 of the largest, or N is `most`.
    """
    n = 32
    while True:
        theta = (np.arange(n) + 0.5) * np.pi / n
        x = (low + high) / 2 + (high - low) / 2 * np.cos(theta)
        values = np.asarray(f(x), float)
        if values.shape != x.shape or not np.all(np.isfinite(values)):
            raise ValueError(f"f: give one finite value for each of {n} points of [{low}, {high}]")
        c = 2 / n * np.cos(np.outer(np.arange(n), theta)) @ values
        c[0] /= 2
        small = RESOLVED * max(float(np.max(np.abs(c))), 1e-300)
        if np.max(np.abs(c[-n // 4 :])) < small or n >= most:
            return c[: int(np.max(np.nonzero(np.abs(c) > small)[0], initial=0)) + 1]
        n *= 2
