"""Proximal Newton for logistic regression with an L1 or elastic-net penalty.

    F(θ) = f(θ) + α ‖θ without the intercept‖₁

Each step minimises a model of F, with f replaced by its quadratic at θ,

    δ = argmin  ∇fᵀδ + ½ δᵀMδ + α ‖θ + δ‖₁,

by coordinate descent (Friedman, Hastie & Tibshirani 2010; Lee, Sun & Saunders 2014), then
moves θ ← θ + t δ with t such that F falls by 1e-4 of what the model promises. M is the
Hessian of all classes where it is small enough, else its diagonal blocks from a sample of
the rows. Beyond 2,000 features only those take part in a step whose subgradient is
largest. The fit stops when the least subgradient of F is at most tol
everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from kiso._compute import costs
from kiso._validation import Array

from ._logistic_curvature import Sampled, raise_diagonal
from ._logistic_loops import coordinate_descent
from ._logistic_objective import Evaluation, Objective
from ._logistic_solvers import ARMIJO, MAX_SHORTENED, ROUNDING, LogisticState

__all__ = ["least_subgradient", "proximal_newton"]

MAX_FEATURES = 2000
_MAX_SWEEPS = 1000
_INNER_TOL = 0.05  # of the outer subgradient


def least_subgradient(theta: Array, gradient: Array, alpha: float, d: int) -> Array:
    """Give the subgradient of F that is nearest to zero; the first d rows are penalised."""
    g = gradient.copy()
    w, gw = theta[:d], gradient[:d]
    at_zero = np.sign(gw) * np.maximum(np.abs(gw) - alpha, 0.0)
    g[:d] = np.where(w != 0, gw + alpha * np.sign(w), at_zero)
    return g


class _Model:
    """M on the features that take part, and the step it leads to."""

    def __init__(self, objective: Objective, alpha: float, rng: np.random.Generator):
        self.objective = objective
        self.alpha = alpha
        whole = (
            np.prod(objective.shape) <= costs.CURVATURE_FULL_SIDE
        )  # and then exact: steps are dear
        self.rows = objective if whole else Sampled(objective, rng, max_block=MAX_FEATURES).rows

    def features(self, theta: Array, subgradient: Array) -> Array:
        """Row numbers of θ that take part, the intercept's with them."""
        p, d = len(theta), self.objective.X.shape[1]
        if d <= MAX_FEATURES:
            return np.arange(p)
        urge = np.abs(subgradient[:d]).max(axis=1)
        urge[np.any(theta[:d] != 0, axis=1)] += np.finfo(float).tiny  # with room left, these too
        chosen = np.argpartition(-urge, MAX_FEATURES)[:MAX_FEATURES]
        return np.concatenate([np.sort(chosen[urge[chosen] > 0]), np.arange(d, p)])

    def matrices(self, theta: Array, chosen: Array) -> list[Array]:
        """M as one matrix for all classes, or one for each class."""
        source = self.rows
        if len(chosen) < len(theta):
            columns = chosen[chosen < source.X.shape[1]]
            source = replace(source, X=source.X[:, columns])
        found = Sampled.matrices(source, theta[chosen])
        if self.rows is not self.objective:
            raise_diagonal(found, self.objective.diagonal(theta)[chosen])
        return found

    def step(
        self, matrices: list[Array], theta: Array, gradient: Array, chosen: Array, tol: float
    ) -> Array:
        """Minimise the model; δ of the shape of θ."""
        K = theta.shape[1]
        # a gradient that equals the penalty but for rounding leaves a weight at zero
        threshold = self.alpha * (1.0 + 8.0 * np.finfo(np.float64).eps)
        alpha = np.where(chosen < self.objective.X.shape[1], threshold, 0.0)
        g, w = gradient[chosen].T, theta[chosen].T
        if len(matrices) == 1:
            found = coordinate_descent(
                matrices[0], g.ravel(), w.ravel(), np.tile(alpha, K), tol, _MAX_SWEEPS
            ).reshape(K, -1)
        else:
            found = np.stack(
                [
                    coordinate_descent(
                        H, np.ascontiguousarray(g[k]), np.ascontiguousarray(w[k]), alpha, tol,
                        _MAX_SWEEPS,
                    )
                    for k, H in enumerate(matrices)
                ]
            )  # fmt: skip
        delta = np.zeros_like(theta)
        delta[chosen] = found.T
        return delta


def proximal_newton(
    objective: Objective,
    theta: Array,
    *,
    alpha: float,
    tol: float,
    max_iter: int,
    rng: np.random.Generator,
) -> Iterator[LogisticState]:
    """Proximal Newton; M is computed anew at each step where it is the whole Hessian."""
    d = objective.X.shape[1]
    noise = ROUNDING * float(np.finfo(objective.X.dtype).eps)
    model = _Model(objective, alpha, rng)

    def penalty(theta: Array) -> float:
        return alpha * float(np.abs(theta[:d]).sum())

    at = objective.value_gradient(theta)
    subgradient = least_subgradient(theta, at.gradient, alpha, d)
    for n_iter in range(1, max_iter + 1):
        inner_tol = _INNER_TOL * min(1.0, float(np.abs(subgradient).max()))
        chosen = model.features(theta, subgradient)
        M = model.matrices(theta, chosen)
        delta = model.step(M, theta, at.gradient, chosen, inner_tol)
        value = at.value + penalty(theta)
        promise = float(np.vdot(at.gradient, delta)) + penalty(theta + delta) - penalty(theta)
        t, found = 1.0, at
        for _ in range(MAX_SHORTENED):
            there = theta + t * delta
            found = objective.value_gradient(there)
            rise = found.value + penalty(there) - value
            if rise <= ARMIJO * t * promise + noise * abs(value):
                break
            t *= 0.5
        else:
            t, there, found = 0.0, theta, at
        exhausted = -t * promise <= noise * abs(value)
        theta, at = there, found
        subgradient = least_subgradient(theta, at.gradient, alpha, d)
        state = _state(n_iter, at, theta, subgradient, penalty(theta), t, tol, exhausted)
        yield state
        if state.converged:
            return


def _state(
    n_iter: int,
    at: Evaluation,
    theta: Array,
    subgradient: Array,
    penalty: float,
    t: float,
    tol: float,
    exhausted: bool,
) -> LogisticState:
    norm = float(np.abs(subgradient).max())
    return LogisticState(
        n_iter=n_iter,
        objective=at.value + penalty,
        converged=norm <= tol or exhausted,
        theta=theta,
        gradient_norm=norm,
        step=t,
        separates=at.worst < 0.5,
    )
