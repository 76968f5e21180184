"""PCA of data with many rows and columns from products with the centred data alone.

A = X − 1 x̄ᵀ is never formed: `CentredRows` multiplies block by block. Two solvers:

- `randomized` (Halko, Martinsson & Tropp 2011): V₀ (d, k + p) normal numbers,
  V ← orth(Aᵀ(A V)) q times, each in one pass over the data, then Rayleigh-Ritz in the
  subspace that V spans: the triangle of A V has the singular values.
- `lanczos`: ARPACK on the operator v ↦ Aᵀ(A v), as scikit-learn's "arpack".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, svds

from kiso._compute import costs
from kiso._compute.gram import centred_gram
from kiso._compute.matmul import product
from kiso._compute.qr import r_factor
from kiso._compute.threads import block_rows, blocks, map_rows
from kiso._validation import Array

from ._spectrum import Spectrum, with_signs


class CentredRows:
    """Products with A = X − 1 x̄ᵀ, X dense or sparse; about another point if one is given.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    norm : float
        ‖A‖; NaN or infinite where dense X is not finite or overflows.
    """

    def __init__(self, X: Any, about: Array | None = None):
        self.sparse: bool = sp.issparse(X)
        self.X = X.tocsr() if self.sparse else X
        self.shape, self.dtype = X.shape, X.dtype
        n, d = X.shape
        if about is not None:
            self.mean, self.norm = about, float("nan")
        elif self.sparse:
            self.mean = np.asarray(X.sum(axis=0, dtype=np.float64)).ravel() / n
            squares = np.asarray(X.power(2).sum(axis=0, dtype=np.float64)).ravel()
            self.norm = float(np.sqrt(np.maximum(squares - n * self.mean**2, 0.0).sum()))
        else:
            found = centred_gram(X, diagonal=True)
            with np.errstate(all="ignore"):
                self.mean, self.norm = found.mean, float(np.sqrt(found.scatter.sum()))
        self._mean = self.mean.astype(X.dtype)
        self._rest = (self.mean - self._mean).astype(X.dtype)  # what rounding took off
        self._size = max(64, block_rows(d, X.dtype.itemsize))

    def block(self, rows: slice) -> Array:
        """Some rows of dense A."""
        part = self.X[rows] - self._mean
        if self._rest.any():
            part -= self._rest
        return np.asarray(part)

    def times(self, V: Array) -> Array:
        """A V, shape (n, l)."""
        V = V.astype(self.dtype, copy=False)
        if self.sparse:
            return np.asarray(self.X @ V) - self._mean @ V
        lane = self._walk(lambda rows: product(self.block(rows), V))
        return np.concatenate([part for parts in lane for part in parts])

    def transposed_times(self, U: Array) -> Array:
        """AᵀU, shape (d, l)."""
        U = U.astype(self.dtype, copy=False)
        if self.sparse:
            sums = U.sum(axis=0, dtype=np.float64)
            return np.asarray(self.X.T @ U - np.multiply.outer(self.mean, sums)).astype(self.dtype)
        return self._sum(lambda rows: product(self.block(rows).T, U[rows]))

    def normal(self, V: Array) -> Array:
        """Aᵀ(A V), shape (d, l), in one pass."""
        if self.sparse:
            return self.transposed_times(self.times(V))
        V = V.astype(self.dtype, copy=False)

        def both(rows: slice) -> Array:
            part = self.block(rows)
            return product(part.T, product(part, V))

        return self._sum(both)

    def _walk(self, task: Callable[[slice], Array]) -> list[list[Array]]:
        def lane(rows: slice) -> list[Array]:
            return [task(block) for block in blocks(rows, self._size)]

        return map_rows(lane, self.shape[0], min_rows=costs.RANDOMIZED_LANE_ROWS)

    def _sum(self, task: Callable[[slice], Array]) -> Array:
        def lane(rows: slice) -> Array:
            total: Any = 0.0
            for block in blocks(rows, self._size):
                total = total + task(block).astype(np.float64, copy=False)
            return np.asarray(total)

        return np.asarray(sum(map_rows(lane, self.shape[0], min_rows=costs.RANDOMIZED_LANE_ROWS)))


def randomized(
    rows: CentredRows,
    k: int,
    *,
    n_oversamples: int,
    n_iter: int,
    rng: np.random.Generator,
) -> Spectrum:
    """Solve by subspace iteration from a random start."""
    n, d = rows.shape
    V = rng.standard_normal((d, min(k + n_oversamples, n, d)))
    for _ in range(n_iter + 1):
        V = np.linalg.qr(rows.normal(V))[0]
    projected = rows.times(V)
    T = r_factor(lambda r: projected[r].astype(np.float64), n, V.shape[1])
    _, values, Wt = scipy.linalg.svd(T, full_matrices=False, check_finite=False)
    components = with_signs(Wt[:k] @ V.T)
    eps = float(np.finfo(rows.dtype).eps)
    return Spectrum(n, rows.mean, components, values[:k], rows.norm, "randomized", eps)


def lanczos(rows: CentredRows, k: int, *, tol: float, rng: np.random.Generator) -> Spectrum:
    """Solve by ARPACK; k < min(n, d)."""
    if rows.norm == 0.0:  # nothing to iterate on
        return Spectrum(
            rows.shape[0], rows.mean, np.eye(k, rows.shape[1]), np.zeros(k), 0.0, "arpack"
        )
    operator = LinearOperator(
        shape=rows.shape,
        dtype=rows.dtype,
        matvec=lambda v: rows.times(v.reshape(-1, 1)).ravel(),
        rmatvec=lambda u: rows.transposed_times(u.reshape(-1, 1)).ravel(),
        matmat=rows.times,
        rmatmat=rows.transposed_times,
    )
    start = rng.uniform(-1, 1, size=min(rows.shape)).astype(rows.dtype)
    _, values, Vt = svds(operator, k=k, tol=tol, v0=start)
    order = np.argsort(values)[::-1]
    return Spectrum(
        rows.shape[0], rows.mean, with_signs(Vt[order]), values[order], rows.norm, "arpack",
        float(np.finfo(rows.dtype).eps),
    )  # fmt: skip
