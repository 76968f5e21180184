"""Least squares by the normal equations, with a bound on when they can be trusted.

    (XX + α I) b = XY,     XX = Σ w (x − x̄)(x − x̄)ᵀ,  XY = Σ w (x − x̄)(y − ȳ)

With D² the diagonal of XX + α I, the matrix D⁻¹ (XX + α I) D⁻¹ has ones on its diagonal,
so columns in units a million times apart cost nothing (van der Sluis: within √d of the
best scaling). It is factored by Cholesky; LAPACK estimates the reciprocal condition.

The error of the plain solution is about eps · cond. Where that matters, steps of
iterative refinement, b += (XX + α I)⁻¹ (Σ w (x − x̄) r − α b) with residuals r taken from
the data (the corrected normal equations, Björck 1987), bring it to what an orthogonal
method gives. Where the condition is too large for the steps to contract, there is no
answer here (None) and the caller takes the orthogonal solver.

Where XX comes from float32 products, the same steps take the solution from 7 digits to
those of float64; as many as their own lengths show to be needed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dlange, dpocon, dpotrf, dpotrs

from kiso._compute import costs
from kiso._compute.threads import one_blas_thread
from kiso._validation import Array

from ._moments import Moments

MIN_RCOND = 1e-10  # below it refinement may not contract: 1e-16 · 1e10 · (a factor of d)
FINE_RCOND = 1e-4  # above it the plain solution has 11 digits: no refinement
# Σ r² as YY − bᵀXY loses log10(YY / Σ r²) of 16 digits: below this take it from the data.
SMALL_RSS = 1e-8
ROUGH_RCOND = 1e-3  # MIN_RCOND where XX has 7 digits
REFINED = 1e-10  # relative error at which the refinement of a rough solution stops


@dataclass(frozen=True)
class Solution:
    """A least-squares fit in centred coordinates.

    Attributes
    ----------
    coef : ndarray of shape (d, t)
    rss : ndarray of shape (t,)
        Weighted residual sum of squares, without the penalty.
    rank : int or None
        Rank of the centred data; None where the method does not tell.
    triangle : ndarray or None
        A small matrix with the singular values of the centred, weighted data where α = 0.
    solver : str
        What was trusted in the end: "cholesky", "eigh", "svd", "nnls" or "lbfgs".
    """

    coef: Array
    rss: Array
    rank: int | None
    triangle: Array | None
    solver: str


def few_threads(d: int) -> AbstractContextManager[None]:
    """One BLAS thread for small triangles: they are done before BLAS's threads have met."""
    return one_blas_thread() if d <= costs.NORMAL_FEW_COLUMNS else nullcontext()


class Cholesky:
    """Factor of a symmetric positive semi-definite matrix scaled to a unit diagonal.

    Rows and columns with `scale` zero are left out; a solution is zero there.
    """

    def __init__(self, matrix: Array, penalty: float, scale: Array):
        self.active = np.flatnonzero(scale)
        self.size = len(scale)
        part = matrix if len(self.active) == self.size else matrix[np.ix_(self.active, self.active)]
        self.scale = np.sqrt(np.diagonal(part) + penalty)
        A = np.empty(part.shape, order="F")
        np.divide(part, self.scale[:, None], out=A)
        A /= self.scale
        np.fill_diagonal(A, 1.0)
        self.rcond = 1.0 if A.size == 0 else self._factor(A)

    def _factor(self, A: Array) -> float:
        with few_threads(len(A)):
            norm = dlange("1", A)  # type: ignore[call-arg]
            self.factor, info = dpotrf(A, lower=False, clean=True, overwrite_a=True)
            if info != 0:
                return 0.0
            rcond, _ = dpocon(self.factor, norm)
        return float(rcond)

    def solve(self, rhs: Array) -> Array:
        """Return the solution for each column of `rhs`, shape (size, t)."""
        out = np.zeros(rhs.shape)
        if len(self.active):
            scaled = np.asfortranarray(rhs[self.active] / self.scale[:, None])
            with few_threads(self.size):
                found, _ = dpotrs(self.factor, scaled, lower=False, overwrite_b=True)
            out[self.active] = found / self.scale[:, None]
        return out

    def into_triangle(self) -> Array:
        """Return R with RᵀR = matrix + α I over the active columns; ends the factor's use."""
        if not len(self.active):
            return np.zeros((0, 0))
        self.factor *= self.scale
        return self.factor


def solve(
    at: Moments,
    alphas: Array,
    residuals: Callable[[Array], tuple[Array, Array]],
    *,
    min_rcond: float = MIN_RCOND,
) -> Solution | None:
    """Solve for every target; None where the condition is too bad for the method.

    Parameters
    ----------
    at : Moments
    alphas : ndarray of shape (t,)
        Penalty of each target.
    residuals : callable
        b (d, t) ↦ (Σ w (x − x̄) rᵀ, Σ w r²), from the data.
    min_rcond : float
        Reciprocal condition below which not to trust the result.
    """
    if at.rough:
        min_rcond = max(min_rcond, ROUGH_RCOND)
    coef, factors = np.empty(at.XY.shape), {}
    for alpha in np.unique(alphas):
        factor = Cholesky(at.XX, float(alpha), at.scale)
        if not factor.rcond >= min_rcond:
            return None
        factors[float(alpha)] = factor
        coef[:, alphas == alpha] = factor.solve(at.XY[:, alphas == alpha])
    last = factors[float(alphas[-1])]
    if at.rough:
        refined = _refined(at, coef, alphas, factors, residuals)
        if refined is None:
            return None
        return Solution(*refined, len(last.active), last.into_triangle(), "cholesky")
    if min(factor.rcond for factor in factors.values()) < FINE_RCOND:
        for _ in range(2):
            gradient = residuals(coef)[0] - alphas * coef
            for alpha, factor in factors.items():
                coef[:, alphas == alpha] += factor.solve(gradient[:, alphas == alpha])
    rss = at.YY - np.einsum("ij,ij->j", coef, at.XY + alphas * coef)
    if (rss < SMALL_RSS * at.YY).any():
        rss = residuals(coef)[1]
    return Solution(coef, rss, len(last.active), last.into_triangle(), "cholesky")


def _refined(
    at: Moments,
    coef: Array,
    alphas: Array,
    factors: dict[float, Cholesky],
    residuals: Callable[[Array], tuple[Array, Array]],
) -> tuple[Array, Array] | None:
    """Refine a rough solution: b and Σ w r², or None where the steps do not contract.

    Each step is shorter than the one before by a factor that is also what the error falls
    by; a step h from b changes Σ w r² by −2 hᵀ g + hᵀ XX h, g the gradient at b.
    """
    before = 1.0
    for _ in range(4):
        gradient, rss = residuals(coef)
        step = np.zeros(coef.shape)
        for alpha, factor in factors.items():
            of = alphas == alpha
            step[:, of] = factor.solve(gradient[:, of] - alpha * coef[:, of])
        coef = coef + step
        rss = rss + np.einsum("ij,ij->j", step, at.XX @ step - 2 * gradient)
        lengths = [np.linalg.norm(at.scale[:, None] * b, axis=0) for b in (step, coef)]
        length = float((lengths[0] / np.maximum(lengths[1], np.finfo(float).tiny)).max())
        if length * length / before <= REFINED:
            return coef, rss
        before = length
    return None
