"""Derivatives of a function of a vector, from its values alone.

Five-point differences: with nodes x + k h, k = s−2 … s+2, the weights c solve
Σ c_k kʲ = j! [j = m] for j = 0 … 4, and f⁽ᵐ⁾(x) ≈ Σ c_k f(x + k h) / hᵐ, with an error of
order h⁴ for m = 1. The shift s is 0 but beside a bound, where the nodes move inside.
The complex step, f'(x) ≈ Im f(x + ih)/h, has no cancellation: its h may be 1e-30.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import factorial

import numpy as np

from kiso._validation import Array

_EPS = float(np.finfo(np.float64).eps)
FIRST_STEP = _EPS ** (1 / 5)  # where rounding eps/h meets truncation h⁴
SECOND_STEP = _EPS ** (1 / 6)
_COMPLEX_STEP = 1e-30
_AT_BOUND = 1e-8  # in units of the scale


@cache
def _weights(shift: int, order: int) -> tuple[Array, Array]:
    """Nodes k and weights c of a five-point difference."""
    k = np.arange(-2.0, 3.0) + shift
    right = np.zeros(5)
    right[order] = factorial(order)
    return k, np.linalg.solve(k[None, :] ** np.arange(5.0)[:, None], right)


class Differences:
    """Gradients and Hessians at points within bounds, with a step for each coordinate.

    Parameters
    ----------
    scale : ndarray of shape (p,)
        By how much each coordinate has to change to matter; steps are a fraction of it.
    low, high : ndarray of shape (p,)
        Bounds, each low below its high: nothing is evaluated outside.
    """

    def __init__(self, scale: Array, low: Array, high: Array):
        self.scale, self.low, self.high = scale, low, high

    def _nodes(self, x: Array, i: int, order: int, relative: float) -> tuple[Array, Array]:
        """Steps along coordinate i and their weights for the derivative of this order."""
        below, above = x[i] - self.low[i], self.high[i] - x[i]
        # a bound is often where the function is singular: the steps shrink on the way to it
        scale, distance = self.scale[i], min(below, above)
        if distance > _AT_BOUND * scale:
            scale = min(scale, max(distance, 1e-2 * scale))
        h = min(relative * scale, (below + above) / 5)
        below, above = below / h, above / h
        shift = 0 if min(below, above) >= 2 else (2 - int(below) if below < 2 else int(above) - 2)
        k, c = _weights(shift, order)
        return k * h, c / h**order

    def gradient(self, f: Callable[[Array], float], x: Array) -> Array:
        """∇f, shape (p,)."""
        return self.jacobian(lambda at: np.array([f(at)]), x, FIRST_STEP)[0]

    def jacobian(self, f: Callable[[Array], Array], x: Array, relative: float) -> Array:
        """∂f_j/∂x_i of a vector-valued f, shape (q, p)."""
        columns = []
        for i in range(len(x)):
            steps, weights = self._nodes(x, i, 1, relative)
            used = weights != 0
            columns.append(weights[used] @ [f(_moved(x, i, step)) for step in steps[used]])
        return np.stack(columns, axis=1)

    def hessian(self, f: Callable[[Array], float], x: Array) -> Array:
        """∇²f from values, shape (p, p), symmetric."""
        p = len(x)
        hessian = np.empty((p, p))
        for i in range(p):
            steps, weights = self._nodes(x, i, 2, SECOND_STEP)
            hessian[i, i] = sum(
                c * f(_moved(x, i, step)) for step, c in zip(steps, weights, strict=True) if c
            )
            for j in range(i):
                hessian[i, j] = hessian[j, i] = self._mixed(f, x, i, j)
        return hessian

    def _mixed(self, f: Callable[[Array], float], x: Array, i: int, j: int) -> float:
        """∂²f/∂x_i ∂x_j: a difference of differences."""
        total = 0.0
        along_i, along_j = (self._nodes(x, k, 1, SECOND_STEP) for k in (i, j))
        for step_i, c_i in zip(*along_i, strict=True):
            for step_j, c_j in zip(*along_j, strict=True):
                if c_i and c_j:
                    total += c_i * c_j * f(_moved(_moved(x, i, step_i), j, step_j))
        return total

    def hessian_of_gradient(self, gradient: Callable[[Array], Array], x: Array) -> Array:
        """∇²f from its gradient, shape (p, p), symmetrised."""
        jacobian = self.jacobian(gradient, x, FIRST_STEP)
        return (jacobian + jacobian.T) / 2


def complex_gradient(f: Callable[[Array], complex], x: Array) -> Array:
    """∇f by the complex step; f must accept complex x and be analytic there."""
    gradient = np.empty(len(x))
    for i in range(len(x)):
        at = x.astype(np.complex128)
        at[i] += 1j * _COMPLEX_STEP
        gradient[i] = np.imag(f(at)) / _COMPLEX_STEP
    return gradient


def _moved(x: Array, i: int, step: float) -> Array:
    at = x.copy()
    at[i] += step
    return at
