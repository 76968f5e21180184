"""Least squares on exactly collinear data, from the eigenvectors of the normal equations.

    D⁻¹ XX D⁻¹ = Q diag(e) Qᵀ,     D² the diagonal of XX

An eigenvalue is the square of a singular value of the scaled data, known to about 1e-15 of
the largest. So where the eigenvalues fall into two groups, below tol² of the largest and
well above it, the rank is not in doubt: dummy variables with all their categories, sums
beside their parts, pixels that are never lit. The columns of D⁻¹ Q of the first group span
the null space; in the second one the equations are solved, with iterative refinement from
the data. This takes one pass over the data and a few cheap ones, where an orthogonal
decomposition takes the time of many. Where there is no gap, there is no answer (None).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from kiso._validation import Array

from ._moments import Moments
from ._normal_equations import Solution

CERTAIN = 1e-9  # an eigenvalue that is solved for is at least this much of the largest
NOISE = 1e-13  # and below this much there is nothing but rounding


def solve(
    at: Moments, residuals: Callable[[Array], tuple[Array, Array]], tol: float
) -> Solution | None:
    """Solution of least norm; None where an eigenvalue is neither large nor zero.

    Parameters
    ----------
    at : Moments
    residuals : callable
        b (d, t) ↦ (Σ w (x − x̄) rᵀ, Σ w r²), from the data.
    tol : float
        Singular values below `tol` times the largest count as zero.
    """
    active = np.flatnonzero(at.scale)
    if tol**2 < NOISE or not len(active):
        return None
    D = at.scale[active, None]
    A = at.XX[np.ix_(active, active)]
    A /= D
    A /= D.T
    e, Q = scipy.linalg.eigh(A, overwrite_a=True, check_finite=False, driver="evd")
    doubtful = (e > 0.1 * tol**2 * e[-1]) & (e < max(CERTAIN, 10 * tol**2) * e[-1])
    if doubtful.any():
        return None
    null = int((e <= tol**2 * e[-1]).sum())
    kept, e = Q[:, null:], e[null:, None]
    N = np.linalg.qr(Q[:, :null] / D)[0]

    def correction(gradient: Array) -> Array:
        """Least-squares b for this right-hand side, of least norm."""
        b = (kept @ ((kept.T @ (gradient[active] / D)) / e)) / D
        out = np.zeros(gradient.shape)
        out[active] = b - N @ (N.T @ b)
        return out

    coef = correction(at.XY)
    for _ in range(3):
        coef += correction(residuals(coef)[0])
    triangle = np.sqrt(e) * kept.T * D.T
    return Solution(coef, residuals(coef)[1], len(e), triangle, "eigh")
