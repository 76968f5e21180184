"""Maximum likelihood for a model that is written as a function.

θ̂ = argmax Σᵢ log p(xᵢ; θ). The observed information J = −∇² Σᵢ log p(xᵢ; θ̂) gives the
covariance J⁻¹ of θ̂ and its standard errors √diag J⁻¹ (asymptotically normal and efficient).

SciPy's L-BFGS-B brings θ near; Newton steps on the same function then settle the digits
that its line search cannot see.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtri
from sklearn.exceptions import ConvergenceWarning

from kiso._validation import Array

from ._conjugate import Interval, check_level
from ._derivatives import Differences, complex_gradient

__all__ = ["InformationWarning", "MaximumLikelihood", "maximum_likelihood"]

Model = Callable[[Any, Any], Any]

_NEWTON_STEPS = 20


class InformationWarning(UserWarning):
    """The observed information does not give standard errors: a boundary, or singular."""


@dataclass(frozen=True, eq=False)
class MaximumLikelihood:
    """What `maximum_likelihood` found.

    Attributes
    ----------
    estimate : ndarray of shape (p,)
        θ̂.
    log_likelihood : float
        Σᵢ log p(xᵢ; θ̂), in nats.
    gradient : ndarray of shape (p,)
        Of the log-likelihood at θ̂; near zero but for parameters at a bound.
    information : ndarray of shape (p, p)
        J, the observed information at θ̂.
    covariance : ndarray of shape (p, p)
        J⁻¹ over the parameters inside their bounds; NaN for one at a bound, and
        everywhere where J is not positive definite.
    standard_errors : ndarray of shape (p,)
        √diag of the covariance.
    at_bound : ndarray of bool, shape (p,)
        Which parameters ended at a bound: for these no standard error exists.
    converged : bool
    n_iter : int
        Iterations of L-BFGS-B and Newton steps.
    message : str
        How it ended, for people.
    """

    estimate: Array
    log_likelihood: float
    gradient: Array
    information: Array
    covariance: Array
    at_bound: Array
    converged: bool
    n_iter: int
    message: str

    @property
    def standard_errors(self) -> Array:
        """√diag of the covariance, shape (p,)."""
        return np.sqrt(np.diagonal(self.covariance))

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """θ̂ ± z · standard error (Wald): holds θ with about this frequency for large n."""
        half = ndtri((1 + check_level(level)) / 2) * self.standard_errors
        return Interval(self.estimate - half, self.estimate + half)


def maximum_likelihood(
    log_prob: Model,
    theta0: ArrayLike,
    data: Any,
    *,
    gradient: Model | None = None,
    hessian: Model | None = None,
    bounds: Sequence[tuple[float | None, float | None]] | None = None,
    scale: ArrayLike | None = None,
    derivative: Literal["central", "complex"] = "central",
    max_iter: int = 1000,
    tol: float = 1e-8,
) -> MaximumLikelihood:
    """Maximise Σᵢ log p(xᵢ; θ) over θ.

    Parameters
    ----------
    log_prob : callable
        `log_prob(theta, data)`: the log probability of each observation, an array that is
        summed over. −∞ is allowed away from `theta0` (θ is then given up as impossible).
    theta0 : array-like of shape (p,), or a number
        Where to begin.
    data : object
        Passed on as it is.
    gradient, hessian : callable, optional
        Of the whole log-likelihood: `gradient(theta, data)` (p,), `hessian(theta, data)`
        (p, p). Default: five-point differences of `log_prob`, or of `gradient`.
    bounds : sequence of (low, high), optional
        One pair a parameter, None for no bound. `log_prob` is never called outside.
    scale : array-like of shape (p,), optional
        By how much each parameter has to change to matter; differences use a fraction of
        it. Default: the larger of |θ| and 1 — give it for a parameter far from zero whose
        likelihood is narrow.
    derivative : {"central", "complex"}, default="central"
        "complex" takes the gradient by the complex step, exact to rounding, where
        `log_prob` is analytic and accepts complex θ (no abs, max or comparisons).
    max_iter : int, default=1000
        Of L-BFGS-B.
    tol : float, default=1e-8
        Converged where the Newton decrement, the log-likelihood still to be won divided
        by the present one's size, is below tol².

    Returns
    -------
    MaximumLikelihood

    Raises
    ------
    ValueError
        If `theta0` is outside the bounds or its log-likelihood is not finite, or the
        log-likelihood is NaN where it is needed; the message says at which θ and
        for which observation.

    Warns
    -----
    InformationWarning
        If the estimate lies at a bound, or the observed information is not positive
        definite (a direction that the data say nothing of, or no maximum).
    ConvergenceWarning
        If the optimiser stopped before the gradient vanished.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.5. Efron & Hinkley
    (1978), Assessing the accuracy of the maximum likelihood estimator: observed versus
    expected Fisher information.

    Examples
    --------
    >>> import numpy as np
    >>> def log_prob(theta, x):                      # waiting times of rate e^θ
    ...     return theta[0] - np.exp(theta[0]) * x
    >>> found = maximum_likelihood(log_prob, 0.0, np.array([1.0, 2.0, 3.0]))
    >>> found.estimate                               # log(1/2)
    array([-0.693])
    >>> found.standard_errors                        # 1/√n
    array([0.577])
    """
    start = np.atleast_1d(np.array(theta0, dtype=np.float64))
    if start.ndim != 1 or not np.isfinite(start).all():
        raise ValueError(f"theta0={theta0!r}: give a vector of finite numbers")
    if derivative not in ("central", "complex"):
        raise ValueError(f"derivative={derivative!r}: give 'central' or 'complex'")
    low, high = _check_bounds(bounds, start)
    target = _Objective(
        log_prob,
        data,
        gradient,
        hessian,
        derivative == "complex",
        (low, high),
        _scale(scale, start),
    )
    target.check_start(start)
    limits = list(zip(low, high, strict=True))
    first = minimize(
        target.value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": max_iter, "ftol": 0.0, "gtol": 1e-10, "maxfun": 50 * max_iter},
    )
    estimate, n_newton, decrement = _settle(target, np.asarray(first.x), low, high)
    return _report(target, estimate, decrement, tol, int(first.nit) + n_newton, str(first.message))


class _Objective:
    """The negative mean log-likelihood as the optimisers see it: always finite."""

    def __init__(
        self,
        log_prob: Model,
        data: Any,
        gradient: Model | None,
        hessian: Model | None,
        complex_step: bool,
        bounds: tuple[Array, Array],
        scale: Array | None,
    ):
        self.log_prob, self.data = log_prob, data
        self.given_gradient, self.given_hessian = gradient, hessian
        self.complex_step = complex_step
        self.low, self.high = bounds
        self.scale = scale
        self.worst = 0.0  # stands for −∞: above everything seen
        self.n = 1

    def differences(self, theta: Array) -> Differences:
        scale = np.maximum(np.abs(theta), 1.0) if self.scale is None else self.scale
        return Differences(scale, self.low, self.high)

    def check_start(self, theta: Array) -> None:
        each = np.asarray(self.log_prob(theta, self.data), dtype=np.float64)
        if not np.isfinite(each).all():
            raise self._not_finite("theta0", theta, each)
        self.n = max(1, each.size)
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
        return self.differences(theta).gradient(self._needed, theta)

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
        differences = self.differences(theta)
        if self.given_gradient is not None or self.complex_step:
            return differences.hessian_of_gradient(self.gradient, theta)
        return differences.hessian(self._needed, theta)

    def at_bound(self, theta: Array, gradient: Array) -> Array:
        """At a bound, with the likelihood rising beyond it (or level)."""
        near = 1e-8 * np.maximum(np.abs(theta), 1.0)
        at_low = (theta - self.low <= near) & (gradient >= 0)
        at_high = (self.high - theta <= near) & (gradient <= 0)
        return np.asarray(at_low | at_high)


def _settle(target: _Objective, theta: Array, low: Array, high: Array) -> tuple[Array, int, float]:
    """Newton steps over the parameters that are free, while they help.

    Returns θ, the steps done and the last Newton decrement ½ gᵀ H⁻¹ g.
    """
    decrement = np.inf
    gradient = target.gradient(theta)
    for step in range(_NEWTON_STEPS):
        free = ~target.at_bound(theta, gradient)
        if not free.any():
            return theta, step, 0.0
        L = _cholesky(target.hessian(theta)[np.ix_(free, free)])
        if L is None:
            return theta, step, decrement if np.isfinite(decrement) else float(np.inf)
        z = np.linalg.solve(L, gradient[free])
        decrement = float(z @ z) / 2
        following = theta.copy()
        following[free] -= np.linalg.solve(L.T, z)
        following = np.clip(following, low, high)
        allowed = 8 * np.finfo(np.float64).eps * (1 + abs(target.value(theta)))
        if not target.value(following) <= target.value(theta) + allowed:
            return theta, step, decrement
        new_gradient = target.gradient(following)
        if np.linalg.norm(new_gradient[free]) >= np.linalg.norm(gradient[free]):
            return theta, step, decrement
        theta, gradient = following, new_gradient
    return theta, _NEWTON_STEPS, decrement


def _report(
    target: _Objective, theta: Array, decrement: float, tol: float, n_iter: int, message: str
) -> MaximumLikelihood:
    gradient = target.gradient(theta)
    hessian = target.hessian(theta)
    at_bound = target.at_bound(theta, gradient)
    free = ~at_bound
    covariance = np.full(hessian.shape, np.nan)
    L = _cholesky(hessian[np.ix_(free, free)])
    if L is not None:
        inverse = np.linalg.inv(L)
        covariance[np.ix_(free, free)] = inverse.T @ inverse / target.n
    value = target.value(theta)
    converged = L is not None and decrement <= tol**2 * max(1.0, abs(value))
    if at_bound.any():
        _warn(
            f"parameters {np.flatnonzero(at_bound).tolist()} lie at a bound, theta={theta}: "
            "they have no standard error, and the others' hold with these fixed"
        )
    if L is None:
        lowest = float(np.linalg.eigvalsh(hessian[np.ix_(free, free)])[0]) * target.n
        _warn(
            f"the observed information at theta={theta} is not positive definite (lowest "
            f"eigenvalue {lowest:.3g}): the data do not determine theta, or this is no "
            "maximum; there are no standard errors"
        )
    elif not converged:
        warnings.warn(
            f"maximum_likelihood stopped at theta={theta} with a Newton decrement of "
            f"{decrement * target.n:.3g} nats: {message}. Scale the parameters or "
            "raise max_iter",
            ConvergenceWarning,
            stacklevel=3,
        )
    return MaximumLikelihood(
        theta, -value * target.n, -gradient * target.n, hessian * target.n, covariance,
        at_bound, converged, n_iter, "converged" if converged else message,
    )  # fmt: skip


def _warn(message: str) -> None:
    warnings.warn(message, InformationWarning, stacklevel=4)


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


def _check_bounds(
    bounds: Sequence[tuple[float | None, float | None]] | None, start: Array
) -> tuple[Array, Array]:
    p = len(start)
    if bounds is None:
        return np.full(p, -np.inf), np.full(p, np.inf)
    if len(bounds) != p or any(len(pair) != 2 for pair in bounds):
        raise ValueError(f"bounds={bounds!r}: give {p} pairs (low, high), one a parameter")
    low = np.array([-np.inf if a is None else a for a, _ in bounds], dtype=np.float64)
    high = np.array([np.inf if b is None else b for _, b in bounds], dtype=np.float64)
    if not np.all(low < high):
        raise ValueError(f"bounds={bounds!r}: each low has to be below its high")
    if np.any(start < low) or np.any(start > high):
        raise ValueError(f"theta0={start} lies outside bounds={bounds!r}")
    return low, high


def _scale(scale: ArrayLike | None, start: Array) -> Array | None:
    if scale is None:
        return None
    given = np.broadcast_to(np.asarray(scale, dtype=np.float64), start.shape)
    if not (np.isfinite(given).all() and np.all(given > 0)):
        raise ValueError(f"scale={scale!r}: give numbers > 0, one a parameter")
    return given
