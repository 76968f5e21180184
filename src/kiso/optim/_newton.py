"""Newton's method: to the minimum of the quadratic that fits f here.

d = −(∇²f)⁻¹ ∇f where ∇²f is positive definite; otherwise −|∇²f|⁻¹ ∇f, which turns the
directions of negative curvature downhill. Then a line search that tries α = 1 first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.linalg

from kiso._validation import Array

from ._line_search import Backtracking, LineSearch, check_line_search
from ._problem import Point, Problem

__all__ = ["Newton", "newton_direction"]

FLOOR = 1e-8  # of the largest |eigenvalue|: smaller ones count as this


def newton_direction(gradient: Array, hessian: Array) -> Array:
    """Return a descent direction from first and second derivatives.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        ∇f.
    hessian : ndarray of shape (n, n)
        ∇²f, symmetric; any signs of its eigenvalues.

    Returns
    -------
    ndarray of shape (n,)
        −H⁻¹∇f with H = ∇²f if that is positive definite (by Cholesky), otherwise
        H = |∇²f|: its eigenvalues made positive, those near zero raised.

    References
    ----------
    Nocedal & Wright (2006), section 3.4; Dauphin et al. (2014) for |∇²f|.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.optim import newton_direction
    >>> newton_direction(np.array([1.0, 1.0]), np.diag([2.0, -4.0]))
    array([-0.5 , -0.25])
    """
    try:
        factor = scipy.linalg.cho_factor(hessian)
    except np.linalg.LinAlgError:
        values, vectors = scipy.linalg.eigh(hessian)
        size = np.abs(values)
        largest = size.max()
        size = np.maximum(size, FLOOR * largest) if largest > 0 else np.ones_like(size)
        return -vectors @ ((vectors.T @ gradient) / size)
    return -scipy.linalg.cho_solve(factor, gradient)


@dataclass(frozen=True)
class Newton:
    """Newton's method, damped by a line search; needs `hess`.

    Parameters
    ----------
    line_search : LineSearch, default Backtracking()
        `Fixed(1.0)` is the pure method, which may diverge.
    """

    line_search: LineSearch = field(default_factory=Backtracking)

    def __post_init__(self) -> None:
        check_line_search(self.line_search)

    def begin(self, problem: Problem, start: Point) -> _NewtonMover:
        """Return what moves from point to point."""
        return _NewtonMover(self, problem)


class _NewtonMover:
    def __init__(self, method: Newton, problem: Problem):
        self.line_search = method.line_search
        self.problem = problem

    def move(self, point: Point) -> Point:
        d = newton_direction(point.gradient, self.problem.hessian(point.x))
        if not float(d @ point.gradient) < 0:  # rounding, where ∇²f is all but singular
            d = -point.gradient
        return self.line_search.search(self.problem, point, d, 1.0)[0]
