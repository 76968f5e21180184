"""A function to be minimised as the methods see it: points, and reasons to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from kiso._validation import Array

__all__ = ["Point", "Problem", "Status", "StopDescent"]


class Status(Enum):
    """Why a descent ended; the value says it in words."""

    RUNNING = "not over yet"
    CONVERGED = "the gradient norm is at or below tol"
    MAX_ITER = "max_iter steps were taken before the gradient norm reached tol"
    LINE_SEARCH = "no step along the direction lowers the objective enough"
    NON_FINITE_VALUE = "the objective is NaN or infinite"
    NON_FINITE_GRADIENT = "a gradient is NaN or infinite"
    UNBOUNDED = "the objective falls without limit along the direction"
    EXHAUSTED = "the batches have come to their end"
    SCIPY = "SciPy's method stopped without success"

    @property
    def success(self) -> bool:
        """Whether this is what one hoped for."""
        return self in (Status.CONVERGED, Status.EXHAUSTED)


class StopDescent(Exception):  # noqa: N818  a signal between method and driver, not a fault
    """A method can go no further; carries the status and the details."""

    def __init__(self, status: Status, detail: str = ""):
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Point:
    """x with f(x) and ∇f(x)."""

    x: Array
    value: float
    gradient: Array

    @property
    def finite(self) -> bool:
        """Whether value and gradient are numbers."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


class Problem:
    """f with its derivatives; counts calls and checks what the caller's function returns.

    Parameters
    ----------
    fun : callable
        x → (f, ∇f), or x → f where `jac` is given.
    jac : callable or None
        x → ∇f.
    hess : callable or None
        x → ∇²f; where None, `fun.hessian` if there is one.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        jac: Callable[..., Any] | None = None,
        hess: Callable[..., Any] | None = None,
    ):
        for name, value in [("fun", fun), ("jac", jac), ("hess", hess)]:
            if not (callable(value) or (value is None and name != "fun")):
                raise TypeError(f"{name}={value!r}: give a function of x")
        self.fun = fun
        self.jac = jac
        self.hess = hess if hess is not None else getattr(fun, "hessian", None)
        self.n_calls = 0

    def at(self, x: Array) -> Point:
        """Evaluate f and ∇f; what they are is not judged here."""
        self.n_calls += 1
        given = self.fun(x)
        if self.jac is not None:
            value, gradient = given, self.jac(x)
        elif isinstance(given, tuple) and len(given) == 2:
            value, gradient = given
        else:
            raise TypeError(
                f"fun returned a {type(given).__name__}: return (value, gradient), or give jac"
            )
        if np.size(value) != 1:
            raise ValueError(f"fun returned a value of shape {np.shape(value)}: return a number")
        gradient = np.array(gradient, dtype=np.float64)
        if gradient.shape != x.shape:
            raise ValueError(f"the gradient has shape {gradient.shape}, expected {x.shape}")
        return Point(x, float(np.asarray(value).reshape(())), gradient)

    def at_pair(self, x: Array) -> tuple[float, Array]:
        """Return (f, ∇f)."""
        point = self.at(x)
        return point.value, point.gradient

    def hessian(self, x: Array) -> Array:
        """Evaluate ∇²f, made symmetric."""
        if self.hess is None:
            raise ValueError("this method needs second derivatives: give hess")
        matrix = np.asarray(self.hess(x), dtype=np.float64)
        if matrix.shape != (x.size, x.size):
            raise ValueError(f"hess has shape {matrix.shape}, expected {(x.size, x.size)}")
        if not np.isfinite(matrix).all():
            raise StopDescent(Status.NON_FINITE_VALUE, "the Hessian holds NaN or infinity")
        return (matrix + matrix.T) / 2

    @staticmethod
    def refuse_non_finite(point: Point, step: int) -> None:
        """Stop where value or gradient is not finite; say at which step, in which number."""
        if not np.isfinite(point.value):
            raise StopDescent(
                Status.NON_FINITE_VALUE, f"step {step}: the objective is {point.value}"
            )
        bad = np.flatnonzero(~np.isfinite(point.gradient))
        if bad.size:
            raise StopDescent(
                Status.NON_FINITE_GRADIENT,
                f"step {step}: the gradient of x[{bad[0]}] is {point.gradient[bad[0]]}",
            )
