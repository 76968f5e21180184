"""Minimising a smooth function of a vector: step by step, or all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from kiso._validation import Array
from kiso.base import State

from ._check import check_count, check_real
from ._lbfgs import LBFGS
from ._newton import Newton
from ._problem import Point, Problem, Status, StopDescent
from ._rule import Rule
from ._steepest import SteepestDescent

__all__ = ["DescentState", "Method", "Result", "descent", "minimize"]


class Mover(Protocol):
    """What a method keeps between steps."""

    def move(self, point: Point) -> Point:
        """Take a step."""


@runtime_checkable
class Method(Protocol):
    """A way to descend."""

    def begin(self, problem: Problem, start: Point) -> Mover:
        """Return what moves from point to point."""


MethodLike: TypeAlias = str | Method | Rule

METHODS: dict[str, Callable[[], Method]] = {
    "gradient-descent": SteepestDescent,
    "steepest-l1": lambda: SteepestDescent("l1"),
    "steepest-linf": lambda: SteepestDescent("linf"),
    "newton": Newton,
    "l-bfgs": LBFGS,
}


SCIPY_SECOND_ORDER = {"newton-cg", "dogleg", "trust-ncg", "trust-krylov", "trust-exact"}


@dataclass(frozen=True, kw_only=True)
class DescentState(State):
    """Where a descent stands.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The point.
    gradient : ndarray of shape (n,)
        ∇f there.
    gradient_norm : float
        ‖∇f‖₂.
    step_length : float
        ‖x − x before‖₂; 0 for the start.
    status : Status
        RUNNING but for the last state.
    detail : str
        What there is to say of the status.
    """

    x: Array
    gradient: Array
    gradient_norm: float
    step_length: float
    status: Status = Status.RUNNING
    detail: str = ""

    @property
    def value(self) -> float:
        """f(x), the objective."""
        return self.objective


@dataclass(frozen=True)
class Result:
    """What `minimize` found.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The last point.
    fun : float
        f there.
    grad : ndarray of shape (n,)
        ∇f there.
    n_iter : int
        Steps taken.
    n_calls : int
        Evaluations of f and ∇f.
    status : Status
        Why it ended.
    message : str
        The same for humans, with the numbers.
    success : bool
        Whether it converged.
    """

    x: Array
    fun: float
    grad: Array
    n_iter: int
    n_calls: int
    status: Status
    message: str

    @property
    def success(self) -> bool:
        """Whether it converged."""
        return self.status.success


def descent(
    fun: Callable[..., Any],
    x0: Any,
    *,
    method: MethodLike = "l-bfgs",
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    max_iter: int = 1000,
    tol: float = 1e-6,
) -> Iterator[DescentState]:
    """Minimise step by step: an iterator over the points of a descent.

    Parameters
    ----------
    fun : callable
        x → (f, ∇f), or x → f where `jac` is given. An `Objective` has all that it takes.
    x0 : array-like of shape (n,)
        Where to begin.
    method : str, Method or Rule, default 'l-bfgs'
        'gradient-descent', 'steepest-l1', 'steepest-linf', 'newton' (needs `hess`),
        'l-bfgs'; one of the methods with other settings, as `SteepestDescent("l2",
        Fixed(0.1))`; or an update rule, as `Adam(0.1)`.
    jac, hess : callable or None
        x → ∇f and x → ∇²f; `fun.hessian` serves where there is one.
    max_iter : int, default 1000
        Steps at most.
    tol : float, default 1e-6
        Converged when ‖∇f‖₂ ≤ tol.

    Yields
    ------
    DescentState
        The start (`n_iter` 0), then one a step. The last has a status other than RUNNING;
        where the method can go no further, it is the last point once more.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step.

    Examples
    --------
    >>> from kiso.optim import Rosenbrock, descent
    >>> f = Rosenbrock()
    >>> for state in descent(f, f.start, method="newton"):
    ...     print(state.n_iter, f"{state.value:.1e}")
    0 2.4e+01
    1 4.7e+00
    ...
    21 ...
    """
    check_count("max_iter", max_iter)
    check_real("tol", tol, least=0)
    problem = Problem(fun, jac, hess)
    return _walk(problem, _start(x0), _method(method), max_iter, tol)


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    *,
    method: MethodLike = "l-bfgs",
    jac: Callable[..., Any] | None = None,
    hess: Callable[..., Any] | None = None,
    max_iter: int = 1000,
    tol: float = 1e-6,
) -> Result:
    """Minimise a smooth function of a vector.

    Parameters
    ----------
    fun, x0, jac, hess, max_iter, tol
        As for `descent`.
    method : str, Method or Rule, default 'l-bfgs'
        As for `descent`; or 'scipy:NAME' for `scipy.optimize.minimize` with that method,
        which then has its own idea of when it has converged, with `tol` as its tolerance.

    Returns
    -------
    Result
        With x, fun, grad, n_iter, n_calls, status, message, success.

    Raises
    ------
    ValueError, TypeError
        For bad input. What goes wrong on the way is in the status.

    Examples
    --------
    >>> from kiso.optim import Rosenbrock, minimize
    >>> result = minimize(Rosenbrock(10), Rosenbrock(10).start)
    >>> result.success, result.x.round(6)
    (True, array([1., 1., 1., 1., 1., 1., 1., 1., 1., 1.]))
    >>> print(minimize(lambda x: (x[0], [1.0]), [0.0]).message)
    Stopped after 0 steps: the objective falls without limit along the direction (still ...
    """
    check_count("max_iter", max_iter)
    check_real("tol", tol, least=0)
    problem, x = Problem(fun, jac, hess), _start(x0)
    if isinstance(method, str) and method.startswith("scipy:"):
        return _scipy(problem, x, method.removeprefix("scipy:"), max_iter, tol)
    state = None
    for state in _walk(problem, x, _method(method), max_iter, tol):  # noqa: B007
        pass
    assert state is not None
    return Result(
        x=state.x,
        fun=state.objective,
        grad=state.gradient,
        n_iter=state.n_iter,
        n_calls=problem.n_calls,
        status=state.status,
        message=_message(state),
    )


def _message(state: DescentState) -> str:
    reason = state.status.value + (f" ({state.detail})" if state.detail else "")
    head = "Converged" if state.status.success else "Stopped"
    return (
        f"{head} after {state.n_iter} step{'s' * (state.n_iter != 1)}: {reason}. "
        f"f = {state.objective:.6g}, gradient norm {state.gradient_norm:.3g}."
    )


def _start(x0: Any) -> Array:
    x = np.array(x0, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x0 has shape {x.shape}: give a vector of at least one number")
    if not np.isfinite(x).all():
        raise ValueError("x0 holds NaN or infinity: give finite numbers")
    return x


def _method(method: MethodLike) -> Method:
    if isinstance(method, str):
        if method not in METHODS:
            known = ", ".join(map(repr, METHODS))
            raise ValueError(f"method={method!r}: give one of {known}, a Method or a Rule")
        return METHODS[method]()
    if not isinstance(method, type):
        if isinstance(method, Method):
            return method
        if isinstance(method, Rule):
            return _ByRule(method)
    raise TypeError(f"method={method!r}: give a name, a Method or an update rule")


@dataclass(frozen=True)
class _ByRule:
    """An update rule as a method."""

    rule: Rule

    def begin(self, problem: Problem, start: Point) -> _RuleMover:
        return _RuleMover(self.rule, problem, start)


class _RuleMover:
    def __init__(self, rule: Rule, problem: Problem, start: Point):
        self.rule = rule
        self.problem = problem
        self.state = rule.init(start.x)

    def move(self, point: Point) -> Point:
        x, self.state = self.rule.update(point.gradient, self.state, point.x)
        return self.problem.at(x)


def _walk(
    problem: Problem, x: Array, method: Method, max_iter: int, tol: float
) -> Iterator[DescentState]:
    point = problem.at(x)
    state = _state(point, 0, 0.0, max_iter, tol)
    try:
        problem.refuse_non_finite(point, 0)
        yield state
        mover = method.begin(problem, point)
        while state.status is Status.RUNNING:
            following = mover.move(point)
            problem.refuse_non_finite(following, state.n_iter + 1)
            length = float(np.linalg.norm(following.x - point.x))
            point = following
            state = _state(point, state.n_iter + 1, length, max_iter, tol)
            yield state
    except StopDescent as stop:
        yield replace(state, status=stop.status, converged=False, detail=stop.detail)


def _state(point: Point, n_iter: int, length: float, max_iter: int, tol: float) -> DescentState:
    norm = float(np.linalg.norm(point.gradient))
    converged = norm <= tol
    status = Status.RUNNING if n_iter < max_iter else Status.MAX_ITER
    return DescentState(
        n_iter=n_iter,
        objective=point.value,
        converged=converged,
        x=point.x,
        gradient=point.gradient,
        gradient_norm=norm,
        step_length=length,
        status=Status.CONVERGED if converged else status,
    )


def _scipy(problem: Problem, x: Array, name: str, max_iter: int, tol: float) -> Result:
    """Let SciPy do it; its answer in our words."""
    import scipy.optimize

    second = {"hess": problem.hess} if name.lower() in SCIPY_SECOND_ORDER else {}
    found = scipy.optimize.minimize(  # type: ignore[call-overload]
        problem.at_pair, x, method=name, jac=True, tol=tol, options={"maxiter": max_iter}, **second
    )
    point = problem.at(np.asarray(found.x, dtype=np.float64))
    n_iter = int(found.get("nit", 0))
    status = Status.CONVERGED if found.success else Status.SCIPY
    if not point.finite:
        status = Status.NON_FINITE_VALUE
    elif not found.success and n_iter >= max_iter:
        status = Status.MAX_ITER
    message = f"SciPy's {name}, {n_iter} steps: {found.message}"
    return Result(point.x, point.value, point.gradient, n_iter, problem.n_calls, status, message)
