"""Differences of logarithms and of gamma functions that lose no digits.

    log1pmx(x)     = log(1 + x) − x
    excess(a, b)   = a log(a/b) − a + b                  ≥ 0, a term of every KL divergence
    log_rising(a, n) = log Γ(a + n) − log Γ(a)           of numbers of any size
    log_binomial(x, y, p, q)                             saddle-point form of Loader (2000)

Each is a difference of numbers that may be large beside it: a sum of logarithms of gamma functions
at 10¹² is right to 10⁻³ alone, what these give to some 10⁻¹⁵ of their own size.

References
----------
Loader (2000), Fast and accurate computation of binomial probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, polygamma, psi

from kiso._validation import Array

__all__ = ["excess", "log1p_ratio", "log1pmx", "log_binomial", "log_rising"]

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_FAR = 15.0  # from here Stirling's series is exact to float64
_SHIFT = 15  # unit steps that bring every number there


def log1pmx(x: ArrayLike) -> Array:
    """log(1 + x) − x for x ≥ −1; about −x²/2 near 0."""
    x = np.asarray(x, dtype=np.float64)
    near = np.abs(x) < 0.5
    small = np.where(near, x, 0.0)
    # log(1 + x) = 2 artanh r with r = x/(2 + x), and x = 2r + r x
    r = small / (2.0 + small)
    square, total, power = r * r, np.zeros_like(r), r**3
    for k in range(3, 40, 2):
        total += power / k
        power = power * square
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.log1p(np.where(near, 0.0, x)) - x
    return np.where(near, 2.0 * total - r * small, far)


def excess(a: ArrayLike, b: ArrayLike, difference: ArrayLike | None = None) -> Array:
    """A log(a/b) − a + b for a, b ≥ 0; ∞ where a > 0 = b.

    `difference` is b − a where it is known better than by subtraction.
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    difference = b - a if difference is None else np.asarray(difference, np.float64)
    near = (np.abs(difference) < 0.5 * a) & (a > 0) & (b > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        close = -a * log1pmx(np.where(near, difference / np.where(near, a, 1.0), 0.0))
        ratio = a / b
        usual = (ratio > 1e-8) & (ratio < 1e8)
        apart = a * np.where(usual, np.log(ratio), np.log(a) - np.log(b)) + difference
    return np.where(near, close, np.where(a > 0, apart, b))


def log_rising(a: ArrayLike, n: ArrayLike) -> Array:
    """Compute log Γ(a + n) − log Γ(a) for a > 0, n ≥ 0, of any size."""
    a, n = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(n, np.float64))
    steps = np.zeros(a.shape)
    low = a < _FAR
    for j in range(_SHIFT):  # Γ(a + n)/Γ(a) = Π (a+j)/(a+n+j) · Γ(a+n+15)/Γ(a+15)
        steps += np.where(low, log1p_ratio(n, a + j), 0.0)
    at = np.where(low, a + _SHIFT, a)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = n / at
        tiny = ratio < 1e-5
        series = n * (psi(at) + n * (polygamma(1, at) / 2 + n * polygamma(2, at) / 6))
        log_ratio = log1p_ratio(n, at)
        large = n * np.log(at) + at * (log1pmx(ratio)) + (n - 0.5) * log_ratio
        # a log1pmx(n/a) as it is where n/a overflows
        large = np.where(np.isfinite(ratio), large, (at + n - 0.5) * log_ratio + n * np.log(at) - n)
        large += _stirling(at + n) - _stirling(at)
    return np.where(n == 0, 0.0, np.where(tiny, series, large) - steps)


def log_binomial(x: ArrayLike, y: ArrayLike, log_p: Any, log_q: Any, p: Any, q: Any) -> Array:
    """Compute log [Γ(x+y+1)/(Γ(x+1) Γ(y+1)) pˣ qʸ] for real x, y ≥ 0, p + q = 1."""
    x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
    ends = (x == 0) | (y == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(ends, 1.0, x), np.where(ends, 1.0, y)
        total = np.where(ends, 2.0, x + y)
        value = _delta(total) - _delta(inner[0]) - _delta(inner[1])
        value -= _deviance(inner[0], total, p, log_p) + _deviance(inner[1], total, q, log_q)
        value += 0.5 * (np.log(total) - np.log(2 * np.pi) - np.log(inner[0]) - np.log(inner[1]))
        at_end = np.where(x > 0, x * log_p, 0.0) + np.where(y > 0, y * log_q, 0.0)
    return np.where(ends, at_end, value)


def _deviance(x: Array, n: Array, p: Any, log_p: Any) -> Array:
    """Excess of x over n p, also where n p underflows."""
    mean = n * p
    apart = x * (np.log(x) - np.log(n) - log_p) - x + mean
    return np.where(np.abs(mean - x) < 0.5 * x, excess(x, mean), apart)


def log1p_ratio(n: ArrayLike, a: ArrayLike) -> Array:
    """log(1 + n/a), also where n/a is beyond float64."""
    with np.errstate(over="ignore", divide="ignore"):
        n, a = np.asarray(n, np.float64), np.asarray(a, np.float64)
        ratio = n / a
        return np.where(ratio < 1e8, np.log1p(np.minimum(ratio, 1e8)), np.log(a + n) - np.log(a))


def _stirling(z: Array) -> Array:
    """Series of log Γ(z) − (z − ½) log z + z − ½ log 2π, for z ≥ 15."""
    inverse = 1.0 / z
    square, total = inverse * inverse, np.zeros_like(z)
    for c in reversed(_STIRLING):
        total = total * square + c
    return np.asarray(total * inverse)


def _delta(z: Array) -> Array:
    """Compute log Γ(z + 1) − (z + ½) log z + z − ½ log 2π for z > 0."""
    far = np.maximum(z, _FAR)
    near = np.minimum(z, _FAR)
    exact = gammaln(near + 1) - (near + 0.5) * np.log(near) + near - 0.5 * np.log(2 * np.pi)
    return np.where(z >= _FAR, _stirling(far), exact)
