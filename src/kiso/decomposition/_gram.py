"""PCA through a matrix of inner products: one pass over the data, then a small problem.

    S = AᵀA (d, d), covariance:   S = V Σ² Vᵀ
    K = AAᵀ (n, n), dual:         K = U Σ² Uᵀ,   Vᵀ = Σ⁻¹ Uᵀ A

with A = X − 1 x̄ᵀ; symbols as in `_spectrum`. Squaring costs digits: σ is good to about
eps (σ₁/σ)² / 2, so `trusted` says whether the smallest σ that is wanted may be taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.gram import centred_gram, near_mean
from kiso._compute.threads import blocks, map_rows
from kiso._validation import Array

from ._spectrum import Spectrum, of_scatter, with_signs

# Largest relative error of a singular value that a caller is given without being told.
LOSS = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-4}
_TINY = 1e-140  # squares of what is below have lost digits to underflow
_BLOCK_BYTES = 1 << 22


def trusted(found: Spectrum, k: int, dtype: Any, largest: float = 0.0) -> bool:
    """Whether products formed in `dtype` leave the k largest σ with enough digits.

    `largest` is the size of what the mean was taken off from, if larger than σ₁.
    """
    top = max(found.norm if k == 0 else float(found.singular_values[0]), largest)
    if top == 0.0 or k == 0:
        return True
    if found.norm < _TINY:
        return False
    smallest = float(found.singular_values[k - 1])
    return bool(smallest**2 * LOSS[np.dtype(dtype)] >= np.finfo(dtype).eps * top**2)


def covariance(X: Array, k: int, *, upcast: bool = False) -> Spectrum | None:
    """Solve dense X (n, d) through S; None where it holds NaN, infinity or overflows.

    `upcast` multiplies float32 data in float64, block by block.
    """
    found = centred_gram(X, np.empty((len(X), 0)) if upcast else None)
    if not np.isfinite(found.gram).all():
        return None
    scatter = found.scatter
    values, components = of_scatter(scatter, k)
    norm = float(np.sqrt(np.trace(scatter)))
    eps = float(np.finfo(np.float64 if upcast else X.dtype).eps)
    return Spectrum(len(X), found.mean, components, values, norm, "covariance_eigh", eps)


def sparse_covariance(X: Any, k: int) -> tuple[Spectrum, float]:
    """Solve sparse X through S, which is dense; also what `trusted` has to know of it."""
    mean, scatter, largest = sparse_scatter(X)
    values, components = of_scatter(scatter, k)
    norm = float(np.sqrt(np.trace(scatter)))
    eps = float(np.finfo(np.float64).eps) * max(1.0, largest / (norm or 1.0)) ** 2
    return Spectrum(X.shape[0], mean, components, values, norm, "covariance_eigh", eps), largest


def sparse_scatter(X: Any) -> tuple[Array, Array, float]:
    """Return x̄, S, and √ of the largest sum of squares of a column, of sparse X.

    The mean is taken off afterwards, S = XᵀX − n x̄ x̄ᵀ: nothing to lose for columns that
    are mostly zero.
    """
    n = X.shape[0]
    X64 = X.astype(np.float64, copy=False)
    scatter = np.asarray((X64.T @ X64).toarray())
    mean = np.asarray(X64.sum(axis=0)).ravel() / n
    largest = float(np.sqrt(np.diagonal(scatter).max(initial=0.0)))
    scatter -= n * np.outer(mean, mean)
    diagonal = np.einsum("ii->i", scatter)
    np.maximum(diagonal, 0.0, out=diagonal)
    return mean, scatter, largest


def dual(X: Array, k: int) -> Spectrum | None:
    """Solve dense X with few rows through K; None where that cannot give k components."""
    n, columns = len(X), _Columns(X)
    with np.errstate(all="ignore"):
        K = columns.gram()
    norm = float(np.sqrt(np.trace(K)))
    if not np.isfinite(norm):
        return None
    values, rows = of_scatter(K, k)  # rows: Uᵀ
    found = Spectrum(n, columns.mean, rows, values, norm, "dual")
    if not trusted(found, k, np.float64) or not values.all():
        return None
    components = with_signs(columns.combined(rows / values[:, None]))
    return Spectrum(n, columns.mean, components, values, norm, "dual")


class _Columns:
    """A = X − 1 x̄ᵀ in blocks of columns, float64, side by side."""

    def __init__(self, X: Array):
        self.X = X
        self.size = max(64, _BLOCK_BYTES // (8 * len(X)))
        shift = near_mean(X).astype(np.float64)
        with np.errstate(all="ignore"):
            self.mean = shift + np.concatenate(
                map_rows(lambda c: self._offset(c, shift), X.shape[1], min_rows=64)
            )

    def _offset(self, lane: slice, shift: Array) -> Array:
        parts = [(self.X[:, c] - shift[c]).mean(axis=0) for c in blocks(lane, self.size)]
        return np.concatenate(parts)

    def gram(self) -> Array:
        """K = AAᵀ."""
        n = len(self.X)

        def lane_gram(lane: slice) -> Array:
            K = np.zeros((n, n))
            for c in blocks(lane, self.size):
                B = self.X[:, c] - self.mean[c]
                K += B @ B.T
            return K

        parts = map_rows(lane_gram, self.X.shape[1], min_rows=self.size, max_lanes=4)
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total

    def combined(self, W: Array) -> Array:
        """W A for W (k, n)."""

        def lane_product(lane: slice) -> Array:
            parts = [W @ (self.X[:, c] - self.mean[c]) for c in blocks(lane, self.size)]
            return np.hstack(parts)

        return np.hstack(map_rows(lane_product, self.X.shape[1], min_rows=self.size))
