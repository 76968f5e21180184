"""Steepest descent: the direction in which f falls fastest, which depends on the norm.

d = argmin {∇fᵀv : ‖v‖ = 1}, times the dual norm ‖∇f‖_*:
l2  −∇f;   l1  −‖∇f‖_∞ sign(∂ᵢf) eᵢ, i = argmax |∂ᵢf|;   linf  −‖∇f‖₁ sign(∇f);
‖v‖_P = √(vᵀPv)  −P⁻¹∇f.  Boyd & Vandenberghe (2004), Convex Optimization, section 9.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg

from kiso._validation import Array

from ._line_search import Backtracking, LineSearch, check_line_search
from ._problem import Point, Problem

__all__ = ["SteepestDescent", "steepest_direction"]

NORMS = ("l2", "l1", "linf")


def steepest_direction(gradient: Array, norm: str | Array = "l2") -> Array:
    """Return the (unnormalised) direction of steepest descent in a norm.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        ∇f.
    norm : {'l2', 'l1', 'linf'} or ndarray of shape (n, n), default 'l2'
        The norm that steps are measured in; a symmetric positive definite matrix P means
        √(vᵀPv).

    Returns
    -------
    ndarray of shape (n,)
        The d with ∇fᵀd = −‖∇f‖_*², ‖·‖_* the dual norm.

    Raises
    ------
    ValueError
        If the norm is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import steepest_direction
    >>> g = np.array([3.0, -1.0])
    >>> steepest_direction(g, "l1"), steepest_direction(g, "linf")
    (array([-3.,  0.]), array([-4.,  4.]))
    """
    if isinstance(norm, str):
        if norm == "l2":
            return -gradient
        if norm == "l1":
            d = np.zeros_like(gradient)
            i = int(np.argmax(np.abs(gradient)))
            d[i] = -gradient[i]
            return d
        if norm == "linf":
            return -np.abs(gradient).sum() * np.sign(gradient)
        raise ValueError(f"norm={norm!r}: give 'l2', 'l1', 'linf' or a matrix")
    return _factored(norm, gradient.size)(gradient)


def _factored(norm: Any, n: int) -> Any:
    """Return gradient → −P⁻¹ gradient."""
    P = np.asarray(norm, dtype=np.float64)
    if P.shape != (n, n) or not np.allclose(P, P.T):
        raise ValueError(f"norm has shape {P.shape}: give a symmetric matrix of shape {(n, n)}")
    try:
        factor = scipy.linalg.cho_factor(P)
    except np.linalg.LinAlgError:
        raise ValueError("norm: the matrix is not positive definite") from None
    return lambda gradient: -scipy.linalg.cho_solve(factor, gradient)


@dataclass(frozen=True)
class SteepestDescent:
    """Steepest descent in a norm, with a line search.

    Parameters
    ----------
    norm : {'l2', 'l1', 'linf'} or ndarray of shape (n, n), default 'l2'
        As for `steepest_direction`. 'l1' moves one coordinate a step.
    line_search : LineSearch, default Backtracking()
        How far to go: `Fixed(rate)`, `Backtracking()`, `ExactQuadratic()`, `StrongWolfe()`.
    """

    norm: str | Array = "l2"
    line_search: LineSearch = field(default_factory=Backtracking)

    def __post_init__(self) -> None:
        if isinstance(self.norm, str) and self.norm not in NORMS:
            raise ValueError(f"norm={self.norm!r}: give 'l2', 'l1', 'linf' or a matrix")
        check_line_search(self.line_search)

    def begin(self, problem: Problem, start: Point) -> _SteepestMover:
        """Return what moves from point to point."""
        return _SteepestMover(self, problem, start.x.size)


class _SteepestMover:
    def __init__(self, method: SteepestDescent, problem: Problem, n: int):
        norm = method.norm
        if isinstance(norm, str):
            self.direction: Any = lambda gradient: steepest_direction(gradient, norm)
        else:
            self.direction = _factored(norm, n)  # once, not at every step
        self.line_search = method.line_search
        self.problem = problem
        self.first = 1.0

    def move(self, point: Point) -> Point:
        d = self.direction(point.gradient)
        following, alpha = self.line_search.search(self.problem, point, d, self.first)
        self.first = 2.0 * alpha  # what was good will be so again; twice, lest it only shrink
        return following
