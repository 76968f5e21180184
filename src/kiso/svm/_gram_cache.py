"""Columns of the Gram matrix, computed in blocks and kept within a limit of memory.

The training rows lie in segments (one, or the classes in turn). For each segment the cache
holds some columns of the Gram matrix restricted to the rows of that segment, as float32: a
machine on classes a and b uses the columns of segments a and b, and the columns K(a, a) serve
every machine that has a. The oldest columns give way first.

What is asked of it are sums of columns, g += Σ_c w_c K(rows, c): columns that it has are
added up; others are computed in tiles over threads, added up tile by tile, and kept if there
is room. So it works with no room at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from kiso._parallel import blocks, map_rows
from kiso._validation import Array

from ._kernels import Kernel, Points
from ._smo_loops import add_rows, gather

__all__ = ["GramCache", "Request"]

_TILE_ROWS = 512  # columns of the Gram matrix in a tile
_TILE_COLUMNS = 256  # rows of the segment in a tile: it stays in a core's cache
_MIN_ROWS = 512  # of a lane


@dataclass(frozen=True)
class Request:
    """Add Σ_c weights_c K(rows of the segment, columns_c) to `out`."""

    columns: Array
    weights: Array
    out: Array


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
        self.held = [np.full(self.columns_kept, -1, np.intp) for _ in self.segments]
        self.next_slot = [0] * len(self.segments)

    def square(self, columns: Array, segments: list[int]) -> Array:
        """Give K(columns, columns) as float32; the columns ascend, within these segments."""
        q = len(columns)
        K = np.empty((q, q), np.float32)
        points: Points | None = None
        for s in segments:
            rows = self.segments[s]
            inside = slice(*np.searchsorted(columns, [rows.start, rows.stop]))
            slots = self.slot_of[s][columns]
            have, lack = np.flatnonzero(slots >= 0), np.flatnonzero(slots < 0)
            if len(have):
                part = np.empty((len(have), inside.stop - inside.start), np.float32)
                gather(self.stores[s], slots[have], columns[inside] - rows.start, part)
                K[have, inside] = part
            if len(lack):
                points = self.points.take(columns) if points is None else points
                K[lack, inside] = self.kernel.block(points.take(lack), points.take(inside))
        return K

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
            for block in blocks(rows, _TILE_COLUMNS):
                at = self.points.take(slice(start + block.start, start + block.stop))
                for tile in blocks(slice(0, len(lack)), _TILE_ROWS):
                    T = self._tile(computed.take(tile), at)
                    kept = slots[tile]
                    store[kept[kept >= 0], block] = T[kept >= 0]
                    for request, place in missing:
                        some = (place >= tile.start) & (place < tile.stop)
                        if some.any():
                            add_rows(
                                T, 0, place[some] - tile.start,
                                request.weights[some], request.out[block],
                            )  # fmt: skip

        n_rows = self.segments[segment].stop - start
        map_rows(lane, n_rows, min_rows=_MIN_ROWS)

    def _tile(self, columns: Points, rows: Points) -> Array:
        return np.ascontiguousarray(self.kernel.block(columns, rows), np.float32)

    def _make_room(self, segment: int, lack: Array, wanted: Array) -> Array:
        """Give slots for columns, −1 where there is none; what is wanted now is not evicted."""
        slots = np.full(len(lack), -1, np.intp)
        slot_of, held = self.slot_of[segment], self.held[segment]
        if self.columns_kept == 0 or len(lack) == 0:
            return slots
        order = (self.next_slot[segment] + np.arange(self.columns_kept)) % self.columns_kept
        free = order[~np.isin(held[order], wanted)][: len(lack)]
        if len(free) == 0:
            return slots
        slots[: len(free)] = free
        evicted = held[free]
        slot_of[evicted[evicted >= 0]] = -1
        held[free] = lack[: len(free)]
        slot_of[lack[: len(free)]] = free
        self.next_slot[segment] = int(free[-1] + 1) % self.columns_kept
        return slots
