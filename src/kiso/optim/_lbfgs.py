"""L-BFGS: a quasi-Newton direction from the last few steps.

s_k = x_{k+1} − x_k, y_k = ∇f_{k+1} − ∇f_k, ρ_k = 1/yᵀs; the direction is −H ∇f with H the
inverse BFGS matrix of the last m pairs on H₀ = γ I, γ = sᵀy/yᵀy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from kiso._validation import Array

from ._check import check_count
from ._line_search import LineSearch, StrongWolfe, check_line_search
from ._problem import Point, Problem

__all__ = ["LBFGS", "LbfgsMemory"]


class LbfgsMemory:
    """The last m pairs (s, y) and the direction they give.

    Parameters
    ----------
    size : int, default 10
        m, at least 1.

    References
    ----------
    Nocedal (1980); Nocedal & Wright (2006), Numerical Optimization, algorithm 7.4.

    Examples
    --------
    >>> import numpy as np
    >>> memory = LbfgsMemory()
    >>> memory.push(np.array([1.0, 0.0]), np.array([2.0, 0.0]))  # curvature 2
    True
    >>> memory.direction(np.array([4.0, 0.0]))
    array([-2., -0.])
    """

    def __init__(self, size: int = 10):
        check_count("size", size, least=1)
        self._pairs: deque[tuple[Array, Array, float]] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._pairs)

    def clear(self) -> None:
        """Forget all pairs: the next direction is that of steepest descent."""
        self._pairs.clear()

    def push(self, s: Array, y: Array) -> bool:
        """Remember a pair, unless its curvature yᵀs is not positive enough; say whether.

        Without the guard H could cease to be positive definite. The arrays are kept, not
        copied: do not write into them afterwards.
        """
        sy = float(s @ y)
        if not sy > np.finfo(y.dtype).eps * float(y @ y):
            return False
        self._pairs.append((s, y, 1.0 / sy))
        return True

    def direction(self, gradient: Array) -> Array:
        """Return −H ∇f by the two-loop recursion, O(m n); −∇f while nothing is remembered."""
        q = -gradient
        weights = []
        for s, y, rho in reversed(self._pairs):
            weight = rho * float(s @ q)
            q -= weight * y
            weights.append(weight)
        if self._pairs:
            s, y, rho = self._pairs[-1]
            q *= 1.0 / (rho * float(y @ y))
        for (s, y, rho), weight in zip(self._pairs, reversed(weights), strict=True):
            q += (weight - rho * float(y @ q)) * s
        return q


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS.

    Parameters
    ----------
    memory : int, default 10
        Pairs to remember, at least 1.
    line_search : LineSearch, default StrongWolfe()
        How far to go.

    References
    ----------
    Liu & Nocedal (1989), On the limited memory BFGS method.
    """

    memory: int = 10
    line_search: LineSearch = field(default_factory=StrongWolfe)

    def __post_init__(self) -> None:
        check_count("memory", self.memory, least=1)
        check_line_search(self.line_search)

    def begin(self, problem: Problem, start: Point) -> _LbfgsMover:
        """Return what moves from point to point."""
        return _LbfgsMover(self, problem)


class _LbfgsMover:
    def __init__(self, method: LBFGS, problem: Problem):
        self.line_search = method.line_search
        self.problem = problem
        self.memory = LbfgsMemory(method.memory)

    def move(self, point: Point) -> Point:
        d = self.memory.direction(point.gradient)
        if not float(d @ point.gradient) < 0:  # rounding has spoilt H: begin anew
            self.memory.clear()
            d = -point.gradient
        first = 1.0 if len(self.memory) else 1.0 / max(1.0, float(np.linalg.norm(d)))
        following, _ = self.line_search.search(self.problem, point, d, first)
        self.memory.push(following.x - point.x, following.gradient - point.gradient)
        return following
