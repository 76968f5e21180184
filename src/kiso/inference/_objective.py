"""A user's log-likelihood as an optimiser wants it: finite, with derivatives, on one scale.

f(θ) = −(1/n) Σᵢ log p(xᵢ; θ), so that tolerances do not depend on the number of observations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kiso._validation import Array

from ._derivatives import Differences, complex_gradient

Model = Callable[[Any, Any], Any]

_MAX_DOUBLINGS = 25  # of a width, twice each: up to 1e15 times
_FLAT = 1e-6  # curvature, in units of f and the scale, that differences do not tell from 0


class Objective:
    """The negative mean log-likelihood as the optimisers see it: always finite."""

    def __init__(
        self,
        log_prob: Model,
        data: Any,
        gradient: Model | None,
        hessian: Model | None,
        complex_step: bool,
        bounds: tuple[Array, Array],
        scale: Array,
    ):
        self.log_prob, self.data = log_prob, data
        self.given_gradient, self.given_hessian = gradient, hessian
        self.complex_step = complex_step
        self.low, self.high = bounds
        self.scale = scale
        self.worst = 0.0  # stands for −∞: above everything seen
        self.n = 1

    def check_start(self, theta: Array) -> None:
        each = np.asarray(self.log_prob(theta, self.data), dtype=np.float64)
        if not np.isfinite(each).all():
            raise self._not_finite("theta0", theta, each)
        if each.size == 0:
            raise ValueError("log_prob returned no log probability: data has no observations")
        self.n = each.size
        mean = float(each.sum()) / self.n
        self.worst = -mean + 10.0 * (1.0 + abs(mean))

    def _not_finite(self, what: str, theta: Array, each: Array) -> ValueError:
        bad = np.flatnonzero(~np.isfinite(each))[0]
        at = f" for observation {bad}" if each.size > 1 else ""
        return ValueError(
            f"log_prob is {each.flat[bad]} at {what}, theta={theta}{at}; give bounds that keep "
            "theta where the model is defined, or another theta0"
        )

    def _raw(self, theta: Array) -> float:
        with np.errstate(all="ignore"):
            each = self.log_prob(theta, self.data)
        return -float(np.sum(each)) / self.n

    def value(self, theta: Array) -> float:
        """For a search: −∞ and NaN stand for an impossible θ."""
        value = self._raw(theta)
        return value if np.isfinite(value) else self.worst

    def _needed(self, theta: Array) -> float:
        """For a derivative: it has to be finite."""
        value = self._raw(theta)
        if not np.isfinite(value):
            with np.errstate(all="ignore"):
                each = np.asarray(self.log_prob(theta, self.data), dtype=np.float64)
            raise self._not_finite("a point beside the present theta", theta, each)
        return value

    def gradient(self, theta: Array) -> Array:
        if self.given_gradient is not None:
            given = -np.asarray(self.given_gradient(theta, self.data), dtype=np.float64) / self.n
            if given.shape != theta.shape:
                raise ValueError(f"gradient returned shape {given.shape}, theta is {theta.shape}")
            return given
        if self.complex_step:
            return complex_gradient(
                lambda at: -np.sum(self.log_prob(at, self.data)) / self.n, theta
            )
        return Differences(self.scale, self.low, self.high).gradient(self._needed, theta)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        value = self._raw(theta)
        if not np.isfinite(value):
            return self.worst, np.zeros_like(theta)
        return value, self.gradient(theta)

    def hessian(self, theta: Array) -> Array:
        if self.given_hessian is not None:
            given = -np.asarray(self.given_hessian(theta, self.data), dtype=np.float64) / self.n
            if given.shape != (len(theta), len(theta)):
                raise ValueError(
                    f"hessian returned shape {given.shape} for {len(theta)} parameters"
                )
            return given
        differences = Differences(self.scale, self.low, self.high)
        if self.given_gradient is not None or self.complex_step:
            return differences.hessian_of_gradient(self.gradient, theta)
        return differences.hessian(self._needed, theta)

    def newton_step(
        self, theta: Array, gradient: Array, hessian: Array
    ) -> tuple[Array, Array | None]:
        """Which parameters are not held by a bound, and the Newton step of these (else 0).

        The step is None where their Hessian is not positive definite.
        """
        near = 1e-8 * self.scale
        at_low = (theta - self.low <= near) & (gradient >= 0)
        at_high = (self.high - theta <= near) & (gradient <= 0)
        free = ~(at_low | at_high)
        L = _cholesky(hessian[np.ix_(free, free)])
        flat = np.diagonal(hessian) * self.scale**2 < _FLAT
        if L is None or flat[free].any():
            return free, None
        step = np.zeros_like(theta)
        step[free] = -np.linalg.solve(L.T, np.linalg.solve(L, gradient[free]))
        return free, step

    def adapt_scale(self, theta: Array) -> None:
        """Take as scale the likelihood's own width at θ, where f has risen by 0.01 to 1."""
        f = self.value(theta)

        def rise(i: int, width: float) -> float:
            down, up = theta.copy(), theta.copy()
            down[i] = max(theta[i] - width, self.low[i])
            up[i] = min(theta[i] + width, self.high[i])
            return self.value(down) + self.value(up) - 2 * f

        scale = self.scale.copy()
        for i in range(len(theta)):
            for _ in range(_MAX_DOUBLINGS):
                if rise(i, scale[i]) >= 0.01:
                    break
                scale[i] *= 4
            for _ in range(_MAX_DOUBLINGS):
                if rise(i, scale[i]) <= 1.0:
                    break
                scale[i] /= 4
        self.scale = scale


def _cholesky(matrix: Array) -> Array | None:
    """The Cholesky factor; None where the matrix is not clearly positive definite."""
    diagonal = np.diagonal(matrix)
    if not (np.isfinite(matrix).all() and np.all(diagonal > 0)):
        return None
    size = np.sqrt(diagonal)
    try:
        L = np.linalg.cholesky(matrix / np.outer(size, size))
    except np.linalg.LinAlgError:
        return None
    # differences know a second derivative to about eight digits
    if len(L) and np.diagonal(L).min() ** 2 < 1e-8:
        return None
    return np.asarray(L * size[:, None])
