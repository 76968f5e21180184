"""How far to go along a direction d: φ(α) = f(x + α d), φ′(0) = ∇f(x)ᵀd < 0.

Armijo      φ(α) ≤ φ(0) + c₁ α φ′(0)          enough decrease
Wolfe       |φ′(α)| ≤ c₂ |φ′(0)|              close to a minimum along the line

Nocedal & Wright (2006), Numerical Optimization, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kiso._validation import Array

from ._check import check_real
from ._problem import Point, Problem, Status, StopDescent

__all__ = ["Backtracking", "ExactQuadratic", "Fixed", "LineSearch", "StrongWolfe"]

MAX_TRIALS = 60


@runtime_checkable
class LineSearch(Protocol):
    """A rule for the step length."""

    def search(self, problem: Problem, start: Point, d: Array, first: float) -> tuple[Point, float]:
        """Return the point reached and α; `first` is the length to try first."""


@dataclass(frozen=True)
class Fixed:
    """The same α at every step: x ← x + α d.

    Parameters
    ----------
    rate : float, default 0.01
        α, positive.
    """

    rate: float = 0.01

    def __post_init__(self) -> None:
        check_real("rate", self.rate, above=0)

    def search(self, problem: Problem, start: Point, d: Array, first: float) -> tuple[Point, float]:
        """Go there without looking."""
        return problem.at(start.x + self.rate * d), self.rate


@dataclass(frozen=True)
class ExactQuadratic:
    """The minimum along the line of the quadratic with this Hessian: α = −∇fᵀd / dᵀ∇²f d.

    Exact where f is quadratic; elsewhere a Newton step along the line. Needs `hess`.
    """

    def search(self, problem: Problem, start: Point, d: Array, first: float) -> tuple[Point, float]:
        """Return the minimum along the line."""
        bend = float(d @ problem.hessian(start.x) @ d)
        if not bend > 0:
            raise StopDescent(Status.UNBOUNDED, f"the curvature along the direction is {bend:.3g}")
        alpha = -float(start.gradient @ d) / bend
        return problem.at(start.x + alpha * d), alpha


@dataclass(frozen=True)
class Backtracking:
    """Shorten the step until Armijo's condition holds.

    Parameters
    ----------
    shrink : float, default 0.5
        Each trial is this times the last; in (0, 1).
    c1 : float, default 1e-4
        Share of the decrease that the slope promises which has to be had; in (0, 1/2].

    References
    ----------
    Armijo (1966); Nocedal & Wright (2006), algorithm 3.1.
    """

    shrink: float = 0.5
    c1: float = 1e-4

    def __post_init__(self) -> None:
        check_real("shrink", self.shrink, above=0, below=1)
        check_real("c1", self.c1, above=0, most=0.5)

    def search(self, problem: Problem, start: Point, d: Array, first: float) -> tuple[Point, float]:
        """Return the first trial that is good enough."""
        slope = float(start.gradient @ d)
        alpha = first
        for _ in range(MAX_TRIALS):
            point = problem.at(start.x + alpha * d)
            if _enough(start, d, self.c1 * alpha * slope, point):
                return point, alpha
            alpha *= self.shrink
        raise StopDescent(Status.LINE_SEARCH, _no_step(start, slope, alpha))


@dataclass(frozen=True)
class StrongWolfe:
    """Bracket and shrink until Armijo's and the strong Wolfe condition hold.

    Parameters
    ----------
    c1 : float, default 1e-4
        Of Armijo's condition; 0 < c₁ < c₂.
    c2 : float, default 0.9
        Of the curvature condition; below 1. Smaller is closer to an exact search.

    References
    ----------
    Nocedal & Wright (2006), algorithms 3.5 and 3.6.
    """

    c1: float = 1e-4
    c2: float = 0.9

    def __post_init__(self) -> None:
        check_real("c1", self.c1, above=0, below=0.5)
        check_real("c2", self.c2, above=self.c1, below=1)

    def search(self, problem: Problem, start: Point, d: Array, first: float) -> tuple[Point, float]:
        """Widen the step until an acceptable one is bracketed, then shrink the bracket."""
        slope0 = float(start.gradient @ d)
        low, below = 0.0, start
        alpha = first
        for _ in range(MAX_TRIALS):
            point = problem.at(start.x + alpha * d)
            if not _enough(start, d, self.c1 * alpha * slope0, point) or (
                low > 0 and point.value >= below.value + _slack(start)
            ):
                return self._zoom(problem, start, d, slope0, (low, below), (alpha, point))
            slope = float(point.gradient @ d)
            if abs(slope) <= -self.c2 * slope0:
                return point, alpha
            if slope >= 0:
                return self._zoom(problem, start, d, slope0, (alpha, point), (low, below))
            low, below = alpha, point
            alpha *= 2.0
        raise StopDescent(Status.UNBOUNDED, f"still falling at a step of {alpha:.3g}")

    def _zoom(
        self,
        problem: Problem,
        start: Point,
        d: Array,
        slope0: float,
        good: tuple[float, Point],
        other: tuple[float, Point],
    ) -> tuple[Point, float]:
        """Shrink the bracket; `good` is its better end, acceptable but for its slope."""
        for _ in range(MAX_TRIALS):
            (a, at_a), (b, at_b) = good, other
            alpha = _between(a, at_a, b, at_b, d)
            point = problem.at(start.x + alpha * d)
            worse = point.value >= at_a.value + _slack(start)
            if worse or not _enough(start, d, self.c1 * alpha * slope0, point):
                other = (alpha, point)
            else:
                slope = float(point.gradient @ d)
                if abs(slope) <= -self.c2 * slope0:
                    return point, alpha
                if slope * (b - a) >= 0:
                    other = good
                good = (alpha, point)
            if abs(good[0] - other[0]) <= 1e-14 * max(good[0], other[0]):
                break
        if good[0] > 0:  # Armijo's condition holds there, which is enough to go on
            return good[1], good[0]
        raise StopDescent(Status.LINE_SEARCH, _no_step(start, slope0, alpha))


def check_line_search(value: Any) -> None:
    """Refuse what is no line search."""
    if isinstance(value, type) or not isinstance(value, LineSearch):
        raise TypeError(f"line_search={value!r}: give one, such as Backtracking() or Fixed(0.1)")


def _between(a: float, at_a: Point, b: float, at_b: Point, d: Array) -> float:
    """Return the minimum of the cubic through both ends, kept off them; else the middle."""
    middle = (a + b) / 2
    if not at_b.finite:
        return middle
    slope_a, slope_b = float(at_a.gradient @ d), float(at_b.gradient @ d)
    theta = slope_a + slope_b - 3 * (at_a.value - at_b.value) / (a - b)
    inside = theta**2 - slope_a * slope_b
    if not inside >= 0:
        return middle
    root = np.copysign(np.sqrt(inside), b - a)
    bottom = slope_b - slope_a + 2 * root
    if bottom == 0 or not np.isfinite(bottom):
        return middle
    alpha = b - (b - a) * (slope_b + root - theta) / bottom
    low, high = min(a, b), max(a, b)
    edge = 0.1 * (high - low)
    return float(alpha) if low + edge <= alpha <= high - edge else middle


def _enough(start: Point, d: Array, promised: float, point: Point) -> bool:
    """Say whether f has fallen by what was promised (< 0).

    Near a minimum rounding hides what f has fallen by; there the slope has to tell: it
    must have shrunk, which a step of next to nothing does not do (Hager & Zhang 2005).
    """
    if point.finite and point.value < start.value and point.value <= start.value + promised:
        return True
    if not point.finite or point.value > start.value + _slack(start):
        return False
    return abs(float(point.gradient @ d)) <= 0.9 * abs(float(start.gradient @ d))


def _slack(start: Point) -> float:
    """Return what rounding may add to a value: equal within it is not worse."""
    return float(2 * np.finfo(np.float64).eps * abs(start.value))


def _no_step(start: Point, slope: float, alpha: float) -> str:
    return (
        f"tried steps down to {alpha:.3g} from f={start.value:.6g} with slope {slope:.3g}: either "
        "rounding allows no better, or the gradient does not belong to the function"
    )
