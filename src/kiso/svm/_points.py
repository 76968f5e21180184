"""Rows that kernels compare, made ready once; products of two sets of them.

Dense rows are multiplied by BLAS, sparse ones (CSR) with dense columns by a compiled loop.
Sparse rows with many entries are made dense as far as memory allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from kiso._compute import costs
from kiso._compute.distances import common_shift
from kiso._compute.matmul import product
from kiso._validation import Array

from ._kernel_loops import sparse_products

__all__ = ["Points", "products", "squared_norms"]


@dataclass(frozen=True)
class Points:
    """Rows that a kernel compares, with what is computed once a row.

    Attributes
    ----------
    X : ndarray or csr matrix of shape (n, d)
        The rows, C-contiguous.
    index : ndarray of shape (n,)
        Their numbers in the training set, for precomputed Gram matrices.
    shift : ndarray of shape (d,) or None
        A point in the middle of the data.
    centred : ndarray or csr matrix of shape (n, d)
        X − shift; X itself where there is no shift.
    squares : ndarray of shape (n,)
        ‖centred row‖², added up in float64, in the precision of X.
    """

    X: Any
    index: Array
    shift: Array | None
    centred: Any
    squares: Array

    @classmethod
    def of(cls, X: Any, like: Points | None = None) -> Points:
        """Make rows ready: training rows, or rows that shall be compared with those of `like`."""
        if sparse.issparse(X):
            X = _tidy(X)
        shift = None
        if like is not None:
            shift = like.shift
        elif isinstance(X, np.ndarray):
            shift = common_shift(X)
        if shift is not None and not isinstance(X, np.ndarray):
            X = X.toarray()
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        centred = X if shift is None else X - shift
        return cls(X, np.arange(X.shape[0]), shift, centred, squared_norms(centred))

    @classmethod
    def numbers(cls, index: Array, like: Points) -> Points:
        """Points that are known by their number in the training set alone."""
        none = np.empty((len(index), 0), like.dtype)
        return cls(none, index, None, none, np.zeros(len(index), like.dtype))

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def dtype(self) -> Any:
        """float32 or float64."""
        return self.X.dtype

    def take(self, rows: Any) -> Points:
        """Give some of the points: a slice or numbers of rows."""
        X = self.X[rows]
        centred = X if self.shift is None else self.centred[rows]
        return replace(
            self, X=X, index=self.index[rows], centred=centred, squares=self.squares[rows]
        )

    @cached_property
    def columns(self) -> Array:
        """The rows of a sparse X as a dense array with the features first, (d, n)."""
        return np.ascontiguousarray(self.X.T.toarray())


def _tidy(X: Any) -> Any:
    """CSR with sorted, distinct entries; dense where a dense product is faster."""
    X = X.tocsr()
    n, d = X.shape
    if (
        X.nnz > costs.KERNEL_DENSE_SHARE * n * d
        and n * d * X.dtype.itemsize <= costs.KERNEL_DENSE_BYTES
    ):
        return X.toarray()
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def squared_norms(X: Any) -> Array:
    """Give ‖x_i‖², added up in float64, in the precision of X."""
    if isinstance(X, np.ndarray):
        return np.einsum("ij,ij->i", X, X, dtype=np.float64).astype(X.dtype)
    squared = X.multiply(X).sum(axis=1, dtype=np.float64)
    return np.asarray(squared).ravel().astype(X.dtype)


def products(X: Any, P: Points, Q: Points) -> Array:
    """X of P (its rows or its centred rows) times those of Q: a new tile (len(P), len(Q))."""
    Y = Q.X if X is P.X else Q.centred
    if isinstance(X, np.ndarray) and isinstance(Y, np.ndarray):
        return product(X, Y.T)
    T = np.empty((len(P), len(Q)), P.dtype)
    if isinstance(X, np.ndarray):
        np.copyto(T, np.asarray(Y @ X.T).T)
        return T
    S = np.ascontiguousarray(Y.T) if isinstance(Y, np.ndarray) else Q.columns
    sparse_products(X.data, X.indices, X.indptr, S, T)
    return T
