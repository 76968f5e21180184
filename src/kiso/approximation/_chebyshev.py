"""Chebyshev coefficients of a function on an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array

__all__ = ["RESOLVED", "ChebyshevSeries", "chebyshev_series", "values_at"]

RESOLVED = 1e-14  # of the largest coefficient: what sampling in float64 can see
SMOOTH = 1e-10  # of the largest coefficient: less is not worth a warning


@dataclass(frozen=True)
class ChebyshevSeries:
    """f ≈ Σ_k c_k T_k(y), y = (x − centre)/half-width.

    Attributes
    ----------
    c : ndarray
        c_k, as many as are above rounding.
    unseen : float
        What the series misses of f: 0 where the coefficients have fallen to rounding;
        otherwise the largest difference on points between those sampled.
    """

    c: Array
    unseen: float

    @property
    def smooth(self) -> bool:
        """Whether the series has converged, but for how exactly f itself is computed."""
        return self.unseen <= SMOOTH * float(np.max(np.abs(self.c)))


def chebyshev_series(
    f: Callable[..., ArrayLike], low: float, high: float, most: int = 1024
) -> ChebyshevSeries:
    """Expand f on [low, high].

    c_k = (2/N) Σ_j f(x_j) cos(kθ_j) on N Chebyshev points of the first kind; N doubles until
    the last quarter is below 1e-14 of the largest, or N is `most`.
    """
    from scipy.fft import dct  # slow to import

    n = 32
    while True:
        theta = (np.arange(n) + 0.5) * np.pi / n
        values = values_at(f, _points(theta, low, high))
        c = np.asarray(dct(values)) / n
        c[0] /= 2
        small = RESOLVED * max(float(np.max(np.abs(c))), 1e-300)
        resolved = np.max(np.abs(c[-n // 4 :])) < small
        if resolved or n >= most:
            break
        n *= 2
    unseen = 0.0
    if not resolved:
        between = np.arange(4 * n + 1) * np.pi / (4 * n)
        series = np.polynomial.chebyshev.chebval(np.cos(between), c)
        unseen = float(np.max(np.abs(series - values_at(f, _points(between, low, high)))))
    return ChebyshevSeries(
        c[: int(np.max(np.nonzero(np.abs(c) > small)[0], initial=0)) + 1], unseen
    )


def values_at(f: Callable[..., ArrayLike], x: Array) -> Array:
    """Return f at points (n,), asked for all at once or, where f takes one number, one by one.

    Raises
    ------
    ValueError
        If a value is missing or not finite.
    """
    try:
        values = np.asarray(f(x), float)
    except TypeError:  # as of math.sin
        values = np.empty(())
    if not values.shape:
        values = np.asarray([f(float(at)) for at in x], float)
    if values.shape != x.shape or not np.all(np.isfinite(values)):
        raise ValueError(
            f"f: give one finite value for each of {len(x)} points of [{x.min():g}, {x.max():g}]"
        )
    return values


def _points(theta: Array, low: float, high: float) -> Array:
    return (low + high) / 2 + (high - low) / 2 * np.cos(theta)
