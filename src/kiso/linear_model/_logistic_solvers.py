"""Newton's method and preconditioned L-BFGS for the smooth objective, as generators of states.

Both move θ ← θ + t δ along a direction of descent δ = −M⁻¹∇f, t = 1 unless f would not
fall enough (Armijo), and stop when

    max |∇f| ≤ tol     and     ½ ∇fᵀ M⁻¹ ∇f ≤ tol,

the second, an estimate of f(θ) − f*, so that features of tiny scale do not end a fit that
has hardly begun. Newton (iteratively reweighted least squares) takes M = ∇²f, exact at
each step. L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.4) takes M from
its last pairs (s, y) of moves and changes of gradient, on top of a curvature M₀ that is
computed from a sample of the rows, scaled to the last pair, and computed anew as the
probabilities move.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kiso._validation import Array
from kiso.base import State

from ._logistic_curvature import Curvature, Full
from ._logistic_objective import Evaluation, Objective

__all__ = ["LogisticState", "lbfgs", "newton"]

ARMIJO = 1e-4
_SHRINK = (0.1, 0.5)  # bounds of a shortened step
MAX_SHORTENED = 40  # times
_MEMORY = 10  # pairs
_FRESH = 6  # steps before the curvature is computed for the second time
ROUNDING = 16.0  # in units of eps · |f|: changes of f below this are noise


@dataclass(frozen=True, kw_only=True)
class LogisticState(State):
    """Where a fit stands.

    Attributes
    ----------
    theta : ndarray of shape (p, K)
        The parameters; the intercept, where there is one, is the last row.
    gradient_norm : float
        max |∇f|; with an L1 penalty that of the least subgradient.
    step : float
        t of the last step; 1 is a full one.
    separates : bool
        Whether every row lies on the right side of every boundary, so that without a
        penalty no minimum exists.
    """

    theta: Array
    gradient_norm: float
    step: float
    separates: bool


@dataclass(frozen=True)
class _Move:
    theta: Array
    at: Evaluation
    step: float
    exhausted: bool = False  # f cannot be lowered in this precision


def _line_search(
    evaluate: Callable[[Array], Evaluation], theta: Array, at: Evaluation, delta: Array, eps: float
) -> _Move:
    """Shorten δ until f falls by at least 1e-4 of what its slope promises."""
    slope = float(np.vdot(at.gradient, delta))
    noise = ROUNDING * eps * abs(at.value)
    t = 1.0
    for _ in range(MAX_SHORTENED):
        there = theta + t * delta
        found = evaluate(there)
        rise = found.value - at.value
        if rise <= ARMIJO * t * slope + noise:
            return _Move(there, found, t, exhausted=-slope * t <= noise)
        shorter = -0.5 * slope * t / (rise / t - slope) if np.isfinite(rise) else 0.0
        t = min(max(shorter, _SHRINK[0] * t), _SHRINK[1] * t)
    return _Move(theta, at, 0.0, exhausted=True)


def _state(n_iter: int, move: _Move, curvature: Curvature, tol: float) -> LogisticState:
    gradient = move.at.gradient
    norm = float(np.abs(gradient).max())
    met = move.exhausted
    if norm <= tol:
        met |= 0.5 * float(np.vdot(gradient, curvature.solve(gradient))) <= tol
    return LogisticState(
        n_iter=n_iter,
        objective=move.at.value,
        converged=met,
        theta=move.theta,
        gradient_norm=norm,
        step=move.step,
        separates=move.at.worst < 0.5,
    )


def newton(
    objective: Objective, theta: Array, *, tol: float, max_iter: int
) -> Iterator[LogisticState]:
    """Newton's method with the exact Hessian, which comes from the same pass as ∇f."""
    eps = float(np.finfo(objective.X.dtype).eps)
    at = objective.hessian(theta)
    for n_iter in range(1, max_iter + 1):
        if at.hessian is None:
            at = objective.hessian(theta)
        assert at.hessian is not None
        curvature = Full(at.hessian, eps)
        delta = -curvature.solve(at.gradient)
        # the step that most likely is the last asks for no Hessian
        last = -0.5 * float(np.vdot(delta, at.gradient)) <= tol
        evaluate = objective.value_gradient if last else objective.hessian
        move = _line_search(evaluate, theta, at, delta, eps)
        state = _state(n_iter, move, curvature, tol)
        yield state
        if state.converged:
            return
        theta, at = move.theta, move.at


class _Corrected:
    """M of L-BFGS: a curvature M₀, scaled and corrected by the last pairs (s, y)."""

    def __init__(self, start: Curvature):
        self.start = start
        self.scale = 1.0
        self.pairs: deque[tuple[Array, Array, float]] = deque(maxlen=_MEMORY)

    def add(self, s: Array, y: Array) -> None:
        sy = float(np.vdot(s, y))
        if sy > 1e-12 * float(np.linalg.norm(s) * np.linalg.norm(y)):
            self.pairs.append((s, y, 1.0 / sy))
            self.scale = sy / float(np.vdot(y, self.start.solve(y)))

    def solve(self, g: Array) -> Array:
        """M⁻¹ g by the two-loop recursion."""
        q = g.copy()
        alphas = []
        for s, y, rho in reversed(self.pairs):
            alphas.append(rho * float(np.vdot(s, q)))
            q -= alphas[-1] * y
        q = self.scale * self.start.solve(q)
        for (s, y, rho), alpha in zip(self.pairs, reversed(alphas), strict=True):
            q += (alpha - rho * float(np.vdot(y, q))) * s
        return q


def lbfgs(
    objective: Objective,
    theta: Array,
    curvature_at: Callable[[Array], Curvature],
    *,
    tol: float,
    max_iter: int,
) -> Iterator[LogisticState]:
    """L-BFGS on top of a curvature that is computed anew after ever longer stretches."""
    eps = float(np.finfo(objective.X.dtype).eps)
    at = objective.value_gradient(theta)
    curvature, due = _Corrected(curvature_at(theta)), _FRESH
    for n_iter in range(1, max_iter + 1):
        if n_iter > due:
            curvature, due = _Corrected(curvature_at(theta)), 2 * due + _FRESH
        move = _line_search(objective.value_gradient, theta, at, -curvature.solve(at.gradient), eps)
        if move.exhausted and curvature.pairs:  # perhaps the pairs are to blame
            curvature = _Corrected(curvature_at(theta))
            move = _line_search(
                objective.value_gradient, theta, at, -curvature.solve(at.gradient), eps
            )
        curvature.add(move.theta - theta, move.at.gradient - at.gradient)
        state = _state(n_iter, move, curvature, tol)
        yield state
        if state.converged:
            return
        theta, at = move.theta, move.at
