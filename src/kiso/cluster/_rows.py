"""The rows to cluster: dense, CSR or a memory map, as the passes over them read them.

Seeding and Lloyd's iterations look at all rows again and again. Rows that fit into the caches
are packed once, feature after feature in panels of rows, so that they fill the processor's
vectors as they lie; others are packed block by block in each pass (`_panels_loops`). The
numbers are the same, so that the rows of a matrix, of its sparse form and of a file are the
same rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from kiso._compute import costs
from kiso._compute.distances import DIRECT_FEATURES, common_shift
from kiso._compute.matmul import flat_memory
from kiso._compute.matmul_loops import packed_size
from kiso._compute.threads import blocks, lanes, map_rows
from kiso._validation import Array

from . import _panels_loops as loops

__all__ = ["Rows", "memory_of"]

_TILE_ROWS = 512
_BLOCK_BYTES = 1 << 17  # of a block that is packed as it is needed
_BLOCK_ROWS = 1024
_SAMPLED_ROWS = 64
_UNEVEN = 1e3  # ratio of weights from which sums are not updated by differences


class Rows:
    """n rows of d features with their weights; what stays the same over a whole fit.

    Attributes
    ----------
    X : ndarray, C-contiguous, or CSR matrix, of shape (n, d)
        float32 or float64; never written to. A memory map is read block by block.
    weight : ndarray of shape (n,)
        w_i; of size 0 where all rows weigh 1.
    origin : ndarray of shape (d,), float64
        s, a point in the middle of the data where they lie far from the origin; else zeros.
    energy : float
        Σ w_i ‖x_i − s‖².
    even : bool
        Whether the weights are of similar size, so that sums over clusters can be kept up
        to date by differences.
    large : bool
        Whether memory counts: the rows are not packed, and little is kept for each.
    """

    def __init__(self, X: Any, sample_weight: Array | None = None) -> None:
        self.X = X
        self.sparse = sparse.issparse(X)
        self.n, self.d = X.shape
        self.dtype = X.dtype
        self.weight = np.empty(0, self.dtype) if sample_weight is None else sample_weight
        some = X[:: max(1, -(-self.n // _SAMPLED_ROWS))]
        shift = common_shift(some.toarray() if self.sparse else np.asarray(some))
        self.shifted = shift is not None
        self.shift = np.zeros(self.d, self.dtype) if shift is None else shift
        self.origin = self.shift.astype(np.float64)
        self.direct = self.d <= DIRECT_FEATURES
        self.large = self.n * self.d * self.dtype.itemsize > costs.PACKED_BYTES
        self.rounding = (self.d / 2 + 8) * float(np.finfo(self.dtype).eps)
        self._measure()
        positive = self.weight[self.weight > 0]
        self.even = len(positive) == 0 or bool(positive.max() <= _UNEVEN * positive.min())

    def _measure(self) -> None:
        """Take ‖x_i − s‖², and refuse rows whose squares the precision does not hold.

        Distances are of (‖x‖ + ‖c‖)² ≤ 4 max ‖x‖²; infinite ones could not be compared.
        """
        self.squares = self.reach = np.empty(0, self.dtype)
        squares = self.lengths()
        self.energy = self.total(squares)
        largest, limits = float(squares.max(initial=0.0)), np.finfo(self.dtype)
        if not (4 * largest <= limits.max and np.isfinite(self.energy)):
            raise ValueError(f"the squares of X overflow {self.dtype}: scale its columns")
        if 0 < largest < 4 * limits.tiny:
            raise ValueError(f"the squares of X underflow {self.dtype}: scale its columns")
        if not self.direct:
            self.squares = squares.astype(self.dtype)
            self.reach = (np.sqrt(squares) * (1 + 1e-6)).astype(self.dtype)

    def lengths(self) -> Array:
        """Give ‖x_i − s‖² of each row; shape (n,), float64."""
        out, given = np.empty(self.n), self.given
        map_rows(
            lambda at: loops.squared_lengths(given, at.start, at.stop, out),
            self.n, min_rows=costs.CLUSTER_LANE_ROWS,
        )  # fmt: skip
        return out

    @property
    def given(self) -> loops.Panels:
        """The rows for compiled loops, without a packed copy."""
        none = np.empty(0, self.dtype)
        csr = loops.Csr(np.empty(0, np.int32), np.empty(0, np.int32), none)
        X = np.empty((0, self.d), self.dtype)
        if self.sparse:
            parts = self.X.indptr, self.X.indices, self.X.data
            csr = loops.Csr(*(memory_of(part) for part in parts))
        else:
            X = memory_of(self.X)
        return loops.Panels(
            X, csr, none, 0, memory_of(self.weight), self.squares, self.reach, self.shift,
            self.origin, self.direct, self.rounding,
        )  # fmt: skip

    @cached_property
    def panels(self) -> loops.Panels:
        """The rows for compiled loops that look at them again and again."""
        given = self.given
        if self.large or self.sparse or isinstance(self.X, np.memmap):
            return given
        width = packed_size(self.shift, 1, 1)
        n_padded = -(-self.n // width) * width
        values = np.empty(n_padded * self.d, self.dtype)
        values[(n_padded - width) * self.d :] = 0
        packed = given._replace(P=values, stride=n_padded)

        def lane(panels: slice) -> None:
            for at in blocks(slice(panels.start * width, panels.stop * width), _BLOCK_ROWS):
                loops.pack_rows(given, values, n_padded, at.start, min(self.n, at.stop))

        map_rows(lane, n_padded // width, min_rows=_BLOCK_ROWS // 8)
        return packed

    def lanes(self, min_rows: int) -> Array:
        """Cut the rows into lanes of whole panels: where each begins, and the end."""
        width = packed_size(self.shift, 1, 1)
        count = len(lanes(self.n, min_rows=min_rows))
        starts = -(-self.n // width) * np.arange(count + 1) // count * width
        return np.minimum(starts, self.n)

    def room(
        self, panels: loops.Panels, n_points: int, budget: int = costs.TILE_BYTES, *,
        gathers: bool = False,
    ) -> loops.Room:  # fmt: skip
        """Make scratch memory for a thread: a tile of distances to so many points."""
        size = budget // (max(1, n_points) * self.dtype.itemsize) // 128 * 128
        size = int(min(_TILE_ROWS, max(128, size)))
        packs = panels.P.size == 0
        if packs:
            width = packed_size(self.shift, 1, 1)
            most = _BLOCK_BYTES // (self.d * self.dtype.itemsize) // width * width
            size = min(size, max(width, most))
        copies = size if gathers or self.sparse else 0
        return loops.Room(
            np.empty((loops.whole_tiles(n_points), size), self.dtype),
            loops.Nearest(
                np.empty(size, self.dtype), np.empty(size, self.dtype), np.empty(size, np.int32)
            ),
            np.empty((copies, self.d), self.dtype),
            np.empty(size * self.d if packs or gathers else 0, self.dtype),
            np.empty(copies, np.intp),
        )  # fmt: skip

    def block(self, at: slice | Array) -> Array:
        """Give some rows as a dense C-contiguous block; a view where that is possible."""
        if self.sparse:
            return np.ascontiguousarray(self.X[at].toarray())
        return np.asarray(self.X[at])

    def weights(self, at: slice | Array) -> Array:
        """Give the weights of some rows; of size 0 where all rows weigh 1."""
        return self.weight[at] if self.weight.size else self.weight

    def total(self, values: Array) -> float:
        """Sum values over the rows, weighted."""
        return float(values @ self.weight if self.weight.size else values.sum())

    def squared_distances(self, centers: Array) -> Array:
        """Give ‖x_i − c_j‖² of every row and centre; shape (n, n_clusters)."""
        out, given = np.empty((self.n, len(centers)), self.dtype), self.given

        def lane(at: slice) -> None:
            room = self.room(given, len(centers))
            loops.fill_distances(given, centers, at.start, at.stop, room, out)

        map_rows(lane, self.n, min_rows=costs.CLUSTER_LANE_ROWS)
        return out

    def inertia(self, centers: Array, labels: Array) -> float:
        """Give φ = Σ w_i ‖x_i − c_{a_i}‖², added up row by row."""
        return self.total(self.own_distances(centers, labels))

    def own_distances(self, centers: Array, labels: Array) -> Array:
        """Give ‖x_i − c_{a_i}‖² of each row, by subtraction; shape (n,)."""
        out, given = np.empty(self.n), self.given
        map_rows(
            lambda at: loops.own_distances(given, centers, labels, at.start, at.stop, out),
            self.n, min_rows=costs.CLUSTER_LANE_ROWS,
        )  # fmt: skip
        return out


def memory_of(x: Array) -> Array:
    """Give an array, read-only or mapped, as the one kind that loops are compiled for."""
    if x.size == 0 or (type(x) is np.ndarray and x.flags.writeable and x.flags.c_contiguous):
        return np.asarray(x)
    return flat_memory(np.ascontiguousarray(x)).reshape(x.shape)
