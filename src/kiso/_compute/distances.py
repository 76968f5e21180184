"""Squared Euclidean distances between rows and points, block by block, exact where it counts.

    ‖x_i − y_j‖² = ‖x_i‖² + ‖y_j‖² − 2 x_i·y_j

The products of a block of rows with the points go into a tile that stays in
cache, where a fused loop (`_distances_loops`) consumes it at once. The formula cancels: in
arithmetic of unit roundoff u its value is off by at most

    ε_i = (d/2 + 8) u (‖x_i‖ + max_j ‖y_j‖)²

(2 |x·y| γ_d for the product, the rest for norms, sum and shift). So everything is shifted
first by a point from the middle of the data, where they lie far from the origin compared
with their spread, and every decision that ε_i could change is taken again by subtraction.
The points found are therefore those of exact arithmetic (but for the rounding of a float64
subtraction), ties to the smaller index, whatever the blocks and threads.

`kiso.cluster` assigns rows to centres with it. `kiso.neighbors`, which keeps the k best of
many points rather than the best of a few, shares the shift and has a scan of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._compute.distances_loops import argmin2, direct_tile, row_squares, settle
from kiso._compute.gram import near_mean
from kiso._compute.matmul import product
from kiso._compute.threads import blocks, map_rows, one_blas_thread
from kiso._validation import Array

__all__ = ["Points", "Tile", "common_shift", "nearest", "squared_norms"]

DIRECT_FEATURES = 8  # up to so many, subtraction is faster than a product
_TILE_BYTES = 1 << 18
_BLOCK_BYTES = 1 << 19  # of the rows themselves
_MIN_ROWS = 512  # of a lane
_OFF_CENTRE = 4.0  # ‖mean‖² in variances from where a shift pays
_SAMPLED_ROWS = 64


def squared_norms(X: Array) -> Array:
    """Give ‖x_i‖² of each row, in float64."""
    out = np.empty(len(X))
    map_rows(lambda rows: row_squares(X[rows], out[rows]), len(X), min_rows=4096)
    return out


def common_shift(X: Array) -> Array | None:
    """Give a point in the middle of the data, or None where they lie about the origin.

    Looks at no more than 64 rows. Its coordinates are values of the data, so that the
    subtraction is exact where it matters.
    """
    some = X[:: max(1, -(-len(X) // _SAMPLED_ROWS))].astype(np.float64)
    with np.errstate(all="ignore"):
        mean = some.mean(axis=0)
        near_origin = mean @ mean <= _OFF_CENTRE * np.var(some, axis=0).sum()
    return None if near_origin or len(some) == 0 else near_mean(X)


@dataclass(frozen=True)
class Points:
    """The points y_j that rows are compared with, made ready once.

    Attributes
    ----------
    values : ndarray of shape (m, d)
        y_j as given, C-contiguous.
    shift : ndarray of shape (d,) or None
        s.
    doubled : ndarray of shape (m, d)
        −2 (y_j − s).
    offsets : ndarray of shape (m,)
        ‖y_j − s‖², in the data's precision.
    largest : float
        max_j ‖y_j − s‖.
    rounding : float
        ε_i is this times (‖x_i − s‖ + largest)².
    """

    values: Array
    shift: Array | None
    doubled: Array
    offsets: Array
    largest: float
    rounding: float

    @classmethod
    def of(cls, Y: Array, shift: Array | None = None) -> Points:
        """Make points ready; with a shift, rows come shifted by it too."""
        values = np.ascontiguousarray(Y)
        shifted = values if shift is None else values - shift
        norms = squared_norms(shifted)
        rounding = (Y.shape[1] / 2 + 8) * float(np.finfo(Y.dtype).eps)
        largest = float(np.sqrt(norms.max(initial=0.0)))
        return cls(values, shift, -2 * shifted, norms.astype(Y.dtype), largest, rounding)

    def shifted(self, X: Array, buffer: Array) -> Array:
        """Give rows less s: in the buffer, or as they are where there is no shift."""
        if self.shift is None:
            return X
        return np.subtract(X, self.shift, out=buffer[: len(X)])


class Tile:
    """Room for the distances of a block of rows to all points, and their nearest.

    One for each lane. `rows` is the largest block it takes. After `assign`, the arrays
    `label`, `upper` and `lower` hold, for the first rows, the nearest point, a bound from
    above on its distance and one from below on the distance of all others.
    """

    def __init__(self, n_points: int, n_features: int, dtype: np.dtype) -> None:
        size = _TILE_BYTES // max(1, n_points * dtype.itemsize)
        self.rows = int(min(4096, max(64, size)))
        if n_features > DIRECT_FEATURES:
            self.rows = min(self.rows, max(512, _BLOCK_BYTES // (n_features * dtype.itemsize)))
        self.direct = n_features <= DIRECT_FEATURES
        self.values = np.empty((n_points, self.rows), dtype)
        self.columns = np.empty((n_features if self.direct else 0, self.rows), dtype)
        self.shifted = np.empty((0 if self.direct else self.rows, n_features), dtype)
        self.best = np.empty(self.rows, dtype)
        self.second = np.empty(self.rows, dtype)
        self.label = np.empty(self.rows, np.int32)
        self.upper = np.empty(self.rows)
        self.lower = np.empty(self.rows)

    def assign(self, X: Array, points: Points, squares: Array | None) -> Array:
        """Find the nearest point of each row of a block; a view of their numbers.

        `squares` are the rows' ‖x_i − s‖² in float64, computed where they are not given.
        For few features neither they nor a shift are of use.
        """
        X = np.ascontiguousarray(X)
        b = len(X)
        best, second, label = self.best[:b], self.second[:b], self.label[:b]
        if self.direct:
            T, o, missing = self.values, np.zeros(len(points.values), X.dtype), np.empty(0)
            direct_tile(X, points.values, self.columns, T)
        else:
            T, o = self.values[:, :b], points.offsets
            x = points.shifted(X, self.shifted)
            product(points.doubled, x.T, T)
            if squares is None:
                squares = np.empty(b)
                row_squares(x, squares)
            missing = squares
        argmin2(T, o, b, best, second, label)
        settle(
            X, points.values, T, o, missing, points.largest, points.rounding,
            best, second, label, self.upper, self.lower,
        )  # fmt: skip
        return label


def nearest(X: Array, Y: Array) -> Array:
    """Give the nearest point of each row: argmin_j ‖x_i − y_j‖, ties to the smaller j.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    Y : ndarray of shape (m, d), of the same dtype, float32 or float64

    Returns
    -------
    ndarray of shape (n,), int32

    Examples
    --------
    >>> import numpy as np
    >>> nearest(np.array([[0.0], [0.9], [5.0]]), np.array([[0.0], [1.0], [1.0]]))
    array([0, 1, 1], dtype=int32)
    """
    points = Points.of(Y, common_shift(Y))
    label = np.empty(len(X), np.int32)

    def lane(rows: slice) -> None:
        tile = Tile(len(Y), X.shape[1], X.dtype)
        for block in blocks(rows, tile.rows):
            label[block] = tile.assign(X[block], points, None)

    with one_blas_thread():
        map_rows(lane, len(X), min_rows=_MIN_ROWS)
    return label
