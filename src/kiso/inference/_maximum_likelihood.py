"""Maximum likelihood for a model that is written as a function.

θ̂ = argmax Σᵢ log p(xᵢ; θ). The observed information J = −∇² Σᵢ log p(xᵢ; θ̂) gives the
covariance J⁻¹ of θ̂ and its standard errors √diag J⁻¹ (asymptotically normal and efficient).

SciPy's L-BFGS-B brings θ near; Newton steps on the same function then settle the digits
that its line search cannot see.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtri
from sklearn.exceptions import ConvergenceWarning

from kiso._validation import Array

from ._conjugate import Interval, check_level
from ._objective import Model, Objective

__all__ = ["InformationWarning", "MaximumLikelihood", "maximum_likelihood"]

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
        it. Default: measured at `theta0`. Near the optimum it is measured anew.
    derivative : {"central", "complex"}, default="central"
        "complex" takes the gradient by the complex step, exact to rounding, where
        `log_prob` is analytic and accepts complex θ (no abs, max or comparisons).
    max_iter : int, default=1000
        Of L-BFGS-B.
    tol : float, default=1e-8
        Converged where a Newton step would win less than tol² of the mean log-likelihood,
        and would move no parameter by more than √tol of its size.

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
    target = Objective(
        log_prob,
        data,
        gradient,
        hessian,
        derivative == "complex",
        (low, high),
        _scale(scale, start),
    )
    target.check_start(start)
    if scale is None:
        target.adapt_scale(start)
    near, n_first, message = _search(target, start, max_iter)
    target.adapt_scale(near)
    estimate, n_newton = _settle(target, near)
    return _report(target, estimate, tol, n_first + n_newton, message)


def _search(target: Objective, start: Array, max_iter: int) -> tuple[Array, int, str]:
    """L-BFGS-B in units of the scale; θ, iterations and SciPy's message."""
    low, high, scale = target.low, target.high, target.scale

    def at(u: Array) -> Array:
        return np.clip(start + scale * u, low, high)

    def value_and_gradient(u: Array) -> tuple[float, Array]:
        value, gradient = target.value_and_gradient(at(u))
        return value, scale * gradient

    found = minimize(
        value_and_gradient,
        np.zeros_like(start),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip((low - start) / scale, (high - start) / scale, strict=True)),
        options={"maxiter": max_iter, "ftol": 1e-13, "gtol": 1e-9},
    )
    return at(np.asarray(found.x)), int(found.nit), str(found.message)


def _settle(target: Objective, theta: Array) -> tuple[Array, int]:
    """Newton steps over the parameters that are free, while they help; θ and their number."""
    gradient = target.gradient(theta)
    for step in range(_NEWTON_STEPS):
        free, newton = target.newton_step(theta, gradient, target.hessian(theta))
        if newton is None or not free.any():
            return theta, step
        following = np.clip(theta + newton, target.low, target.high)
        allowed = 8 * np.finfo(np.float64).eps * (1 + abs(target.value(theta)))
        if not target.value(following) <= target.value(theta) + allowed:
            return theta, step
        new_gradient = target.gradient(following)
        if np.linalg.norm(new_gradient[free]) >= np.linalg.norm(gradient[free]):
            return theta, step
        theta, gradient = following, new_gradient
    return theta, _NEWTON_STEPS


def _report(
    target: Objective, theta: Array, tol: float, n_iter: int, message: str
) -> MaximumLikelihood:
    gradient, hessian = target.gradient(theta), target.hessian(theta)
    free, newton = target.newton_step(theta, gradient, hessian)
    covariance = np.full(hessian.shape, np.nan)
    converged = newton is not None
    if newton is not None:
        inner = np.ix_(free, free)
        covariance[inner] = np.linalg.inv(hessian[inner]) / target.n
        rounding = 4 * np.finfo(np.float64).eps * np.abs(theta)
        to_win, noise = (v @ np.where(free, hessian @ v, 0.0) / 2 for v in (newton, rounding))
        level = max(1.0, abs(target.value(theta)))
        small_step = np.abs(newton) <= np.sqrt(tol) * np.maximum(np.abs(theta), target.scale)
        converged = bool(to_win <= tol**2 * level + noise and small_step.all())
    _warn_of(target, theta, hessian, free, converged, newton, message)
    return MaximumLikelihood(
        estimate=theta,
        log_likelihood=-target.value(theta) * target.n,
        gradient=-gradient * target.n,
        information=hessian * target.n,
        covariance=covariance,
        at_bound=~free,
        converged=converged,
        n_iter=n_iter,
        message="converged" if converged else message,
    )


def _warn_of(
    target: Objective,
    theta: Array,
    hessian: Array,
    free: Array,
    converged: bool,
    newton: Array | None,
    message: str,
) -> None:
    if not free.all():
        _warn(
            f"parameters {np.flatnonzero(~free).tolist()} lie at a bound, theta={theta}: "
            "they have no standard error, and the others' hold with these fixed"
        )
    if newton is None:
        lowest = float(np.linalg.eigvalsh(hessian[np.ix_(free, free)])[0]) * target.n
        _warn(
            f"the observed information at theta={theta} is not positive definite (lowest "
            f"eigenvalue {lowest:.3g}): the data do not determine theta, or this is no "
            "maximum; there are no standard errors"
        )
    elif not converged:
        _warn(
            f"maximum_likelihood stopped at theta={theta}, where a Newton step would still move "
            f"it by {newton}: {message}. There may be no maximum (separable data), or scale "
            "the parameters, or raise max_iter",
            ConvergenceWarning,
        )


def _warn(message: str, category: type[Warning] = InformationWarning) -> None:
    warnings.warn(message, category, stacklevel=5)


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


def _scale(scale: ArrayLike | None, start: Array) -> Array:
    if scale is None:
        return np.maximum(np.abs(start), 1.0)
    given = np.broadcast_to(np.asarray(scale, dtype=np.float64), start.shape)
    if not (np.isfinite(given).all() and np.all(given > 0)):
        raise ValueError(f"scale={scale!r}: give numbers > 0, one a parameter")
    return given
