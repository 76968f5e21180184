"""Passes over the rows of a CSR matrix, compiled: what `_rows` asks of sparse data."""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def csr_margins(
    indptr: Array, indices: Array, data: Array, start: int, W: Array, out: Array
) -> None:
    """out[i] = Σⱼ x[start+i, j] W[j]: margins of a run of sparse rows."""
    n, K = out.shape
    for i in range(n):
        if K == 1:  # two sums in flight, in registers, and no tests for negative indices
            first, stop = np.uintp(indptr[start + i]), np.uintp(indptr[start + i + 1])
            half = (stop - first) >> np.uintp(1)
            total, odd = 0.0, 0.0
            for at in range(first, first + half):
                total += data[at] * W[np.uintp(indices[at]), 0]
                odd += data[at + half] * W[np.uintp(indices[at + half]), 0]
            if (stop - first) & np.uintp(1):
                odd += data[stop - np.uintp(1)] * W[np.uintp(indices[stop - np.uintp(1)]), 0]
            out[i, 0] = total + odd
            continue
        for k in range(K):
            out[i, k] = 0.0
        for at in range(indptr[start + i], indptr[start + i + 1]):
            j, value = indices[at], data[at]
            for k in range(K):
                out[i, k] += value * W[j, k]


@compiled
def csr_add_adjoint(
    indptr: Array, indices: Array, data: Array, start: int, r: Array, G: Array
) -> None:
    """G[j] += Σᵢ x[start+i, j] r[i]: what residuals of sparse rows add to the gradient."""
    n, K = r.shape
    for i in range(n):
        for at in range(indptr[start + i], indptr[start + i + 1]):
            j, value = indices[at], data[at]
            for k in range(K):
                G[j, k] += value * r[i, k]


@compiled
def csr_add_gram(
    indptr: Array, indices: Array, data: Array, start: int, c: Array, H: Array
) -> None:
    """H += Σᵢ cᵢ x̃ᵢ x̃ᵢᵀ, upper triangle, x̃ = (x, 1); H is (d+1, d+1), indices sorted."""
    d = H.shape[0] - 1
    for i in range(c.shape[0]):
        if c[i] == 0.0:
            continue
        first, last = indptr[start + i], indptr[start + i + 1]
        for at in range(first, last):
            j, value = indices[at], c[i] * data[at]
            for other in range(at, last):
                H[j, indices[other]] += value * data[other]
            H[j, d] += value
        H[d, d] += c[i]


@compiled
def csr_add_squares(
    indptr: Array, indices: Array, data: Array, start: int, c: Array, D: Array
) -> None:
    """D[j] += Σᵢ x[start+i, j]² c[i]: the diagonals of K weighted Gram matrices."""
    n, K = c.shape
    for i in range(n):
        for at in range(indptr[start + i], indptr[start + i + 1]):
            j, square = indices[at], data[at] * data[at]
            for k in range(K):
                D[j, k] += square * c[i, k]
