"""PCA by orthogonal transformations: every singular value to the last digits of the largest.

Tall data are brought to a triangle block by block (`kiso._compute.qr`). A first column of
ones takes the mean off exactly, whatever it is: with s near the mean,

    [1 | X − 1 sᵀ] = Q [ r  tᵀ ]        x̄ = s + t / r,    X − 1 x̄ᵀ = Q₂ T
                       [ 0  T  ]

and T (d, d) has the singular values and the components of the centred data. Wide data are
decomposed as they are, in a centred copy.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from kiso._compute.gram import near_mean
from kiso._compute.qr import r_factor
from kiso._validation import Array

from ._spectrum import Spectrum, with_signs


def full(X: Array, k: int) -> Spectrum | None:
    """Solve dense X (n, d), in float64; None where it holds NaN, infinity or overflows."""
    n, d = X.shape
    shift = near_mean(X).astype(np.float64)
    with np.errstate(all="ignore"):
        if n > d:
            return of_triangle(n, shift, triangle_about(X, shift), k)
        A = X - shift
        offset = A.mean(axis=0)
        A -= offset
    return _decomposed(n, shift + offset, A, k)


def of_triangle(n: int, shift: Array, T: Array, k: int) -> Spectrum | None:
    """Solve from the triangle (d + 1, d + 1) of [1 | X − 1 sᵀ]."""
    with np.errstate(all="ignore"):
        return _decomposed(n, shift + T[0, 1:] / T[0, 0], T[1:, 1:], k)


def _decomposed(n: int, mean: Array, A: Array, k: int) -> Spectrum | None:
    """Solve from a matrix with the singular values and components of the centred data."""
    if not (np.isfinite(A).all() and np.isfinite(mean).all()):
        return None
    _, values, Vt = scipy.linalg.svd(A, full_matrices=False, check_finite=False)
    components, sigma = with_signs(Vt[:k]), np.zeros(min(n, len(mean)))
    sigma[: len(values)] = values[: len(sigma)]
    largest = float(sigma.max()) or 1.0
    with np.errstate(under="ignore"):
        norm = largest * float(np.linalg.norm(sigma / largest))
    return Spectrum(n, mean, components, sigma, norm, "full")


def triangle_about(X: Array, shift: Array) -> Array:
    """The triangle of [1 | X − 1 sᵀ], of min(n, d + 1) rows."""
    n, d = X.shape

    def rows_of(block: slice) -> Array:
        part = np.empty((block.stop - block.start, d + 1))
        part[:, 0] = 1.0
        np.subtract(X[block], shift, out=part[:, 1:])
        return part

    return r_factor(rows_of, n, d + 1)
