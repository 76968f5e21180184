"""The rows to cluster, dense or sparse, as blocks that the passes over them ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from kiso._compute.distances import DIRECT_FEATURES, Points, common_shift, nearest
from kiso._compute.distances_loops import direct_tile
from kiso._compute.threads import blocks, map_rows, one_blas_thread
from kiso._validation import Array

from ._lloyd_loops import own_distances, shifted_squares, whole_distances
from ._turned import Turned, turned

__all__ = ["Rows", "nearest_centers"]

T = TypeVar("T")

MIN_ROWS = 2048  # of a lane
BLOCK_ROWS = 1024
_UNEVEN = 1e3  # ratio of weights from which sums are not updated by differences


class Rows:
    """n rows of d features with their weights; what stays the same over a whole fit.

    Attributes
    ----------
    X : ndarray, C-contiguous, or CSR matrix, of shape (n, d)
        float32 or float64; never written to. A memory map is read block by block.
    weight : ndarray of shape (n,)
        w_i; of size 0 where all rows weigh 1.
    shift : ndarray of shape (d,) or None
        s, a point in the middle of the data where they lie far from the origin.
    origin : ndarray of shape (d,)
        s in float64, zeros where there is none.
    squares : ndarray of shape (n,), float64
        ‖x_i − s‖².
    energy : float
        Σ w_i ‖x_i − s‖².
    even : bool
        Whether the weights are of similar size, so that sums over clusters can be kept up
        to date by differences.
    """

    def __init__(self, X: Any, sample_weight: Array | None = None) -> None:
        self.X = X
        self.sparse = sparse.issparse(X)
        self.n, self.d = X.shape
        self.dtype = X.dtype
        self.weight = np.empty(0, self.dtype) if sample_weight is None else sample_weight
        self.shift = None if self.sparse else common_shift(X)
        self.origin = np.zeros(self.d) if self.shift is None else self.shift.astype(np.float64)
        self.direct = self.d <= DIRECT_FEATURES
        self.squares = np.empty(self.n)
        self.each_block(lambda x, at: shifted_squares(x, self.origin, self.squares[at]))
        self.energy = self.total(self.squares)
        self._refuse_overflow()
        positive = self.weight[self.weight > 0]
        self.even = len(positive) == 0 or bool(positive.max() <= _UNEVEN * positive.min())

    def _refuse_overflow(self) -> None:
        """Distances are of (‖x‖ + ‖c‖)² ≤ 4 max ‖x‖²; infinite ones could not be compared."""
        largest = 4 * float(self.squares.max(initial=0.0))
        if not (largest <= np.finfo(self.dtype).max and np.isfinite(self.energy)):
            raise ValueError(f"the squares of X overflow {self.dtype}: scale its columns")

    @cached_property
    def turned(self) -> Turned | None:
        """The rows turned; None where that is not worth its memory."""
        return turned(self)

    def block(self, at: slice | Array) -> Array:
        """Give some rows as a dense C-contiguous block; a view where that is possible."""
        if self.sparse:
            return np.ascontiguousarray(self.X[at].toarray())
        return self.X[at]

    def weights(self, at: slice | Array) -> Array:
        """Give the weights of some rows; of size 0 where all rows weigh 1."""
        return self.weight[at] if self.weight.size else self.weight

    def total(self, values: Array) -> float:
        """Sum values over the rows, weighted."""
        return float(values @ self.weight if self.weight.size else values.sum())

    def each_block(self, task: Callable[[Array, slice], T]) -> list[T]:
        """Run task(block, rows) on all blocks, over threads; the results in order."""

        def lane(rows: slice) -> list[T]:
            return [task(self.block(at), at) for at in blocks(rows, BLOCK_ROWS)]

        with one_blas_thread():
            return [one for part in map_rows(lane, self.n, min_rows=MIN_ROWS) for one in part]

    def points(self, centers: Array) -> Points:
        """Make centres ready for distances to these rows."""
        return Points.of(centers, self.shift)

    def nearest(self, centers: Array) -> Array:
        """Give the number of each row's nearest centre; shape (n,), int32."""
        return nearest_centers(self.X, centers)

    def squared_distances(self, centers: Array) -> Array:
        """Give ‖x_i − c_j‖² of every row and centre; shape (n_clusters, n)."""
        points = self.points(centers)
        squares = points.offsets.astype(np.float64)
        out = np.empty((len(centers), self.n), self.dtype)

        def fill(x: Array, at: slice) -> None:
            if self.direct:
                tile = np.empty((len(centers), len(x)), self.dtype)
                direct_tile(x, points.values, np.empty((self.d, len(x)), self.dtype), tile)
            else:
                shifted = points.shifted(x, np.empty_like(x))
                tile = points.doubled @ shifted.T
                whole_distances(tile, points.values, squares, x, self.squares[at], points.rounding)
            out[:, at] = tile

        self.each_block(fill)
        return out

    def inertia(self, centers: Array, labels: Array) -> float:
        """Give φ = Σ w_i ‖x_i − c_{a_i}‖², added up row by row."""
        return self.total(self.own_distances(centers, labels))

    def own_distances(self, centers: Array, labels: Array) -> Array:
        """Give ‖x_i − c_{a_i}‖² of each row, by subtraction; shape (n,)."""
        out = np.empty(self.n)
        self.each_block(lambda x, at: own_distances(x, centers, labels[at], out[at]))
        return out


def nearest_centers(X: Any, centers: Array) -> Array:
    """Give the number of the nearest centre of each row, dense or sparse; (n,), int32."""
    if isinstance(X, np.ndarray):
        return nearest(X, centers)
    out = np.empty(X.shape[0], np.int32)
    for at in blocks(slice(0, X.shape[0]), 4 * BLOCK_ROWS):
        out[at] = nearest(X[at].toarray(), centers)
    return out
