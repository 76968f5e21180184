"""Principal components of rows in parts: scatter matrices, triangles and products, added up.

Symbols as in `_spectrum`. Scatter matrices of two sets of rows merge as in `_incremental`; the
triangle of two triangles is that of both; Aᵀ(A V) is a sum over rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from kiso._compute.gram import centred_gram
from kiso._compute.qr import r_factor
from kiso._parts import Part, Parts
from kiso._validation import Array

from ._gram import sparse_scatter
from ._orthogonal import of_triangle, triangle_about
from ._randomized import CentredRows
from ._spectrum import Spectrum, of_scatter, with_signs

__all__ = ["Scatter", "covariance", "full", "randomized", "scatter_of"]


@dataclass(frozen=True)
class Scatter:
    """n, x̄ and S of some rows.

    Attributes
    ----------
    n : int
    mean : ndarray of shape (d,)
    matrix : ndarray of shape (d, d), or (d,) for its diagonal
    largest : float
        √ of the largest sum of squares of a column, of sparse rows; else 0.
    """

    n: int
    mean: Array
    matrix: Array
    largest: float = 0.0

    def __add__(self, other: Scatter) -> Scatter:
        n = self.n + other.n
        share, both = other.n / n, self.n * other.n / n
        with np.errstate(all="ignore"):  # what is not finite shows in the matrix
            delta = other.mean - self.mean
            outer = delta**2 if self.matrix.ndim == 1 else np.multiply.outer(delta, delta)
            matrix = self.matrix + other.matrix + both * outer
        largest = float(np.hypot(self.largest, other.largest))
        return Scatter(n, self.mean + share * delta, matrix, largest)

    @property
    def norm(self) -> float:
        """‖A‖."""
        diagonal = self.matrix if self.matrix.ndim == 1 else np.diagonal(self.matrix)
        return float(np.sqrt(diagonal.sum()))


def scatter_of(rows: Parts, *, diagonal: bool = False, upcast: bool = False) -> Scatter:
    """Take n, x̄ and S in one pass; `upcast` multiplies float32 rows in float64."""
    found: Scatter = rows.sum_of(_scatter_of_part, diagonal, upcast)
    if not np.isfinite(found.matrix).all():
        raise ValueError("the squares of X overflow: scale its columns")
    return found


def _scatter_of_part(part: Part, diagonal: bool, upcast: bool) -> Scatter:
    if not isinstance(part.X, np.ndarray):
        if diagonal:
            rows = CentredRows(part.X)
            squares = np.asarray(part.X.power(2).sum(axis=0, dtype=np.float64)).ravel()
            return Scatter(
                len(part), rows.mean, np.maximum(squares - len(part) * rows.mean**2, 0.0)
            )
        mean, matrix, largest = sparse_scatter(part.X)
        return Scatter(len(part), mean, matrix, largest)
    dtype = np.float64 if upcast else None
    found = centred_gram(part.X, diagonal=diagonal, dtype=dtype)
    with np.errstate(all="ignore"):
        return Scatter(len(part), found.mean, found.scatter)


def covariance(at: Scatter, k: int, eps: float) -> Spectrum:
    """Solve through S; `eps` is the rounding of its sums."""
    values, components = of_scatter(at.matrix, k)
    eps *= max(1.0, at.largest / (at.norm or 1.0)) ** 2
    return Spectrum(at.n, at.mean, components, values, at.norm, "covariance_eigh", eps)


def full(rows: Parts, at: Scatter, k: int) -> Spectrum | None:
    """Solve dense rows by their triangle, in float64; one pass."""
    T = rows.sum_of(_triangle_of_part, at.mean, merge=_one_triangle)
    square = np.zeros((T.shape[1], T.shape[1]))
    square[: len(T)] = T
    return of_triangle(at.n, at.mean, square, k)


def _triangle_of_part(part: Part, shift: Array) -> Array:
    return triangle_about(part.X, shift)


def _one_triangle(one: Array, other: Array) -> Array:
    return np.asarray(np.linalg.qr(np.vstack([one, other]), mode="r"))


def randomized(
    rows: Parts, at: Scatter, k: int, *, n_oversamples: int, n_iter: int, rng: np.random.Generator
) -> Spectrum:
    """Solve by subspace iteration from a random start: `n_iter` + 2 passes."""
    n, d = at.n, len(at.mean)
    V = rng.standard_normal((d, min(k + n_oversamples, n, d)))
    for _ in range(n_iter + 1):
        V = np.linalg.qr(rows.sum_of(_normal_of_part, at.mean, V))[0]
    T = rows.sum_of(_projected_triangle, at.mean, V, merge=_one_triangle)
    _, values, Wt = scipy.linalg.svd(T, full_matrices=False, check_finite=False)
    components = with_signs(Wt[:k] @ V.T)
    eps = float(np.finfo(rows.dtype).eps)
    return Spectrum(n, at.mean, components, values[:k], at.norm, "randomized", eps)


def _normal_of_part(part: Part, mean: Array, V: Array) -> Array:
    return CentredRows(part.X, mean).normal(V).astype(np.float64)


def _projected_triangle(part: Part, mean: Array, V: Array) -> Any:
    projected = CentredRows(part.X, mean).times(V)
    return r_factor(lambda r: projected[r].astype(np.float64), len(part), V.shape[1])
