"""Columns of the Gram matrix, computed in blocks and kept within a limit of memory.

The training rows lie in segments (one, or the classes in turn). For each segment the cache
holds some columns of the Gram matrix restricted to the rows of that segment, as float32: a
machine on classes a and b uses the columns of segments a and b, and the columns K(a, a) serve
every machine that has a. The oldest columns give way first. Where a column costs little more
to compute than to write to memory, it is kept only when it is asked for a second time.

What is asked of it are sums of columns, g += Σ_c w_c K(rows, c): columns that it has are
added up; others are computed in tiles over threads, added up tile by tile, and kept if there
is room. So it works with no room at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import blocks, map_rows
from kiso._validation import Array

from ._kernels import CHEAP, Kernel
from ._points import Points
from ._smo_loops import add_rows, gather, keep_rows, spread

__all__ = ["GramCache", "Known", "Request"]


@dataclass(frozen=True)
class Request:
    """Add Σ_c weights_c K(rows of the segment, columns_c) to `out`."""

    columns: Array
    weights: Array
    out: Array


@dataclass(frozen=True)
class Known:
    """A square of the Gram matrix: K of these columns."""

    columns: Array
    K: Array


class GramCache:
    """Columns of the Gram matrix of points that lie in segments.

    Parameters
    ----------
    kernel : Kernel
    points : Points
        The rows, segment by segment.
    bounds : sequence of int
        Segment s is rows bounds[s] to bounds[s + 1].
    n_bytes : float
        What the columns may take. Less than two of them are not kept at all.
    """

    def __init__(self, kernel: Kernel, points: Points, bounds: Any, n_bytes: float) -> None:
        self.kernel, self.points = kernel, points
        self.segments = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
        self.n_bytes = n_bytes
        n = len(points)
        self.columns_kept = int(min(n, n_bytes // (4 * max(1, n))))
        if self.columns_kept < 2:
            self.columns_kept = 0
        self.stores = [
            np.empty((self.columns_kept, s.stop - s.start), np.float32) for s in self.segments
        ]
        self.slot_of = [np.full(n, -1, np.intp) for _ in self.segments]  # of a column
        self.asked = [np.zeros(n, bool) for _ in self.segments]
        self.held = [np.full(self.columns_kept, -1, np.intp) for _ in self.segments]
        d = points.X.shape[1]
        self.dear = d >= costs.KERNEL_DEAR_FEATURES or not isinstance(kernel, CHEAP)
        sparse_rows = not isinstance(points.X, np.ndarray)
        self.blocks_kept = (
            sparse_rows and n * d * points.dtype.itemsize <= costs.KERNEL_BLOCKS_BYTES
        )
        self._blocks: dict[tuple[int, int], Points] = {}
        self.next_slot = [0] * len(self.segments)

    def restricted(self, rows: Array) -> GramCache:
        """A cache of one segment with some of the rows, and of their columns what is here."""
        part = GramCache(self.kernel, self.points.take(rows), [0, len(rows)], self.n_bytes)
        slots = self.slot_of[0][rows]
        have = np.flatnonzero(slots >= 0)[: part.columns_kept]
        for slot, column in enumerate(have):
            np.take(self.stores[0][slots[column]], rows, out=part.stores[0][slot])
        part.slot_of[0][have] = np.arange(len(have))
        part.held[0][: len(have)] = have
        part.next_slot[0] = len(have) % max(1, part.columns_kept)
        part.asked[0][:] = self.asked[0][rows]
        return part

    def square(self, columns: Array, segments: list[int], known: Known | None = None) -> Array:
        """Give K(columns, columns), float32, C-contiguous; the columns lie in these segments.

        What is known is taken over: where kernel values are dear, columns that the cache has;
        elsewhere, as the cache is far from the processor, what the last square had.
        """
        q = len(columns)
        K = np.empty((q, q), np.float32)
        have = np.zeros(q, bool)
        if self.dear:
            have = np.logical_and.reduce([self.slot_of[s][columns] >= 0 for s in segments])
            at = np.flatnonzero(have)
            for s in segments:
                rows = self.segments[s]
                inside = np.flatnonzero((columns >= rows.start) & (columns < rows.stop))
                slots = self.slot_of[s][columns[at]]
                gather(self.stores[s], slots, columns[inside] - rows.start, K, at, inside)
            lack = np.flatnonzero(~have)
            K[lack[:, None], at] = K[at[:, None], lack].T
        elif known is not None:
            _, new, old = np.intersect1d(columns, known.columns, True, return_indices=True)
            gather(known.K, old, old, K, new, new)
            have[new] = True
        lack = np.flatnonzero(~have)
        if len(lack):
            self._fill(K, self.points.take(columns), lack)
        return K

    def _fill(self, K: Array, points: Points, lack: Array) -> None:
        """Compute the rows of a square that are not known, and mirror them."""
        others = lack if self.dear else np.arange(len(points))
        known = np.ones(len(points), bool)
        known[lack] = False
        tiles = [
            points.take(others[tile])
            for tile in blocks(slice(0, len(others)), costs.GRAM_TILE_COLUMNS)
        ]

        def lane(rows: slice) -> None:
            for block in blocks(rows, costs.GRAM_TILE_ROWS):
                some, at = points.take(lack[block]), 0
                out = np.empty((len(some), len(others)), np.float32)
                for tile in tiles:
                    out[:, at : at + len(tile)] = self.kernel.block(some, tile)
                    at += len(tile)
                spread(out, lack[block], others, known[others], K)

        map_rows(lane, len(lack), min_rows=128)

    def add(self, segment: int, requests: list[Request]) -> None:
        """Answer requests on one segment; columns they have in common are computed once."""
        slot_of, store = self.slot_of[segment], self.stores[segment]
        wanted = np.unique(np.concatenate([r.columns for r in requests]))
        lack = wanted[slot_of[wanted] < 0]
        held = [(r, slot_of[r.columns]) for r in requests]
        slots = self._make_room(segment, lack, wanted)
        order = np.full(len(self.points), -1, np.intp)
        order[lack] = np.arange(len(lack))
        missing = [(r, order[r.columns]) for r in requests]
        computed = self.points.take(lack)
        start = self.segments[segment].start

        def lane(rows: slice) -> None:
            for request, slot in held:
                some = slot >= 0
                if some.any():
                    add_rows(
                        store, rows.start, slot[some], request.weights[some], request.out[rows]
                    )
            for block in blocks(rows, costs.GRAM_TILE_COLUMNS) if len(lack) else ():
                at = self._rows(start + block.start, start + block.stop)
                for tile in blocks(slice(0, len(lack)), costs.GRAM_TILE_ROWS):
                    T = self._tile(computed.take(tile), at)
                    keep_rows(T, slots[tile], block.start, store)
                    for request, place in missing:
                        some = (place >= tile.start) & (place < tile.stop)
                        if some.any():
                            add_rows(
                                T, 0, place[some] - tile.start,
                                request.weights[some], request.out[block],
                            )  # fmt: skip

        n_rows = self.segments[segment].stop - start
        map_rows(lane, n_rows, min_rows=costs.KERNEL_LANE_ROWS)

    def _rows(self, start: int, stop: int) -> Points:
        """A block of rows; of sparse data kept, with the features first, while there is room."""
        if not self.blocks_kept:
            return self.points.take(slice(start, stop))
        found = self._blocks.get((start, stop))
        if found is None:
            found = self._blocks[start, stop] = self.points.take(slice(start, stop))
        return found

    def _tile(self, columns: Points, rows: Points) -> Array:
        return np.ascontiguousarray(self.kernel.block(columns, rows), np.float32)

    def _make_room(self, segment: int, lack: Array, wanted: Array) -> Array:
        """Give slots for columns, −1 where there is none; what is wanted now is not evicted."""
        slots = np.full(len(lack), -1, np.intp)
        slot_of, held, asked = self.slot_of[segment], self.held[segment], self.asked[segment]
        welcome = np.arange(len(lack)) if self.dear else np.flatnonzero(asked[lack])
        asked[lack] = True
        if self.columns_kept == 0 or len(welcome) == 0:
            return slots
        order = (self.next_slot[segment] + np.arange(self.columns_kept)) % self.columns_kept
        free = order[~np.isin(held[order], wanted)][: len(welcome)]
        if len(free) == 0:
            return slots
        welcome = welcome[: len(free)]
        slots[welcome] = free
        evicted = held[free]
        slot_of[evicted[evicted >= 0]] = -1
        held[free] = lack[welcome]
        slot_of[lack[welcome]] = free
        self.next_slot[segment] = int(free[-1] + 1) % self.columns_kept
        return slots
