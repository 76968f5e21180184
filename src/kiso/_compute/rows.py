"""Rows of a matrix, dense or CSR, as the passes of linear models need them: a block at a time.

W (d, K) are weights, r (n, K) residuals, c (n,) weights of rows; x̃ = (x, 1), or x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.threads import block_rows
from kiso._validation import Array

from . import costs
from . import rows_loops as loops

__all__ = ["CsrRows", "DenseRows", "rows_of"]


class DenseRows:
    """Rows of a dense matrix, as products need them."""

    def __init__(self, X: Array):
        self.X = X

    def block_rows(self, K: int) -> int:
        return block_rows(max(K, self.X.shape[1]), self.X.itemsize, budget=costs.ROWS_BLOCK_BYTES)

    def margins(self, rows: slice, W: Array, out: Array) -> None:
        np.matmul(self.X[rows], W, out=out)

    def add_adjoint(self, rows: slice, r: Array, G: Array) -> None:
        G += self.X[rows].T @ r

    def add_gram(self, rows: slice, c: Array, H: Array) -> None:
        """Add Σ cᵢ x̃ᵢ x̃ᵢᵀ to H, which may have a last row and column for the constant."""
        x, d = self.X[rows], self.X.shape[1]
        if not c.all():  # rows without weight cost as much as others
            x, c = x[c > 0], c[c > 0]
        root = np.sqrt(c, dtype=x.dtype)
        b = np.empty((len(x), len(H)), x.dtype)
        np.multiply(x, root[:, None], out=b[:, :d])
        if len(H) > d:
            b[:, d] = root
        H += b.T @ b

    def add_squares(self, rows: slice, c: Array, D: Array) -> None:
        x = self.X[rows]
        D += (x * x).T @ c


class CsrRows:
    """Rows of a CSR matrix, as products need them."""

    def __init__(self, X: Any):
        self.X = X
        self.parts = (X.indptr, X.indices, X.data)

    def block_rows(self, K: int) -> int:
        return block_rows(K, self.X.dtype.itemsize, budget=costs.ROWS_BLOCK_BYTES // 8)

    def margins(self, rows: slice, W: Array, out: Array) -> None:
        loops.csr_margins(*self.parts, rows.start, W, out)

    def add_adjoint(self, rows: slice, r: Array, G: Array) -> None:
        loops.csr_add_adjoint(*self.parts, rows.start, r, G)

    def add_gram(self, rows: slice, c: Array, H: Array) -> None:
        d = self.X.shape[1]
        upper = np.zeros((d + 1, d + 1))
        loops.csr_add_gram(*self.parts, rows.start, np.ascontiguousarray(c), upper)
        full = upper + np.triu(upper, 1).T
        H += full[: len(H), : len(H)]

    def add_squares(self, rows: slice, c: Array, D: Array) -> None:
        loops.csr_add_squares(*self.parts, rows.start, np.ascontiguousarray(c), D)


def rows_of(X: Any) -> DenseRows | CsrRows:
    """Return the rows of an array, or of a CSR matrix with sorted indices."""
    return DenseRows(X) if isinstance(X, np.ndarray) else CsrRows(X)
