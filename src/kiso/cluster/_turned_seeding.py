"""k-means++ over rows that lie turned: see `_seeding` for what it does, `_turned` for how.

A pass over the rows takes as long as it takes to read them. So one pass serves candidates
for several centres: they are drawn at once, with probability w_i D_i² / φ, and for each
the rows are listed that it is nearer to than D_i. When a later centre is due D² has become
smaller, and a candidate i that was drawn with D_i² of then is taken with probability D_i²
now / D_i² then: rejection makes of draws with the probabilities of then draws with those of
now, exactly.
"""

from __future__ import annotations

import numpy as np

from kiso._parallel import lanes, run_together

from . import _turned_seeding_loops as loops
from ._rows import MIN_ROWS, Rows
from ._turned import Turned, room
from ._turned_loops import in_tiles

__all__ = ["Seeds"]

_LANE_WORK = 1 << 22  # rows × features × candidates that are worth a lane of their own


class Seeds:
    """The centres chosen so far, D_i² of every row, and candidates for the next.

    Attributes
    ----------
    indices : ndarray of shape (n_clusters,)
        The rows chosen; the first `n_chosen` are.
    potentials : ndarray of shape (n_clusters,)
        φ after each.
    closest : ndarray of shape (n,)
        D_i², in the data's precision.
    """

    def __init__(
        self, rows: Rows, turned: Turned, n_clusters: int, trials: int, rng: np.random.Generator
    ) -> None:
        self.rows, self.turned, self.trials = rows, turned, trials
        # a pool serves one centre at least; each of it is drawn once and looked at once
        self.size = trials * max(1, min(loops.LARGEST_POOL, n_clusters - 1))
        self.uniform = rng.random(2 * self.size * n_clusters)
        self.indices = np.zeros(n_clusters, np.intp)
        self.potentials = np.zeros(n_clusters)
        self.n_chosen = 0

    def _begin(self) -> None:
        """Make room; not before a start begins, as many may be waiting."""
        rows, turned, size, trials = self.rows, self.turned, self.size, self.trials
        n, d, dtype = rows.n, rows.d, rows.dtype
        cells = np.arange(0, n, loops.CELL)
        n_lanes = len(lanes(len(cells), min_rows=self._least_cells()))
        bounds = np.minimum(len(cells) * np.arange(n_lanes + 1) // n_lanes * loops.CELL, n)
        weight = rows.weight if rows.weight.size else np.ones(n)
        self.closest = np.full(n, np.inf, dtype)
        self.by_weight = np.add.reduceat(weight.astype(np.float64), cells)
        self.by_cell = np.zeros(len(cells))
        self.panels = loops.Panels(
            turned.values, turned.n_padded, turned.direct, turned.rows, rows.weight,
            turned.squares, rows.origin, turned.rounding, bounds,
        )  # fmt: skip
        n_tiles = -(-int(np.diff(bounds).max()) // room(size, dtype)[0].shape[1])
        self.pool = loops.Pool(
            np.zeros(size, np.intp), np.zeros(size, dtype), np.empty((size, d), dtype),
            np.empty((in_tiles(size), d), dtype), np.zeros(size, dtype),
            np.array([0, 0, 0, 1, 0, 0, 0]), np.zeros(trials, np.intp),
            np.empty(n * trials, np.int32), np.empty(n * trials, dtype),
            np.zeros((n_lanes, size, n_tiles, 2), np.int32), np.zeros(n_lanes, np.intp),
            np.zeros((n_lanes, trials)),
        )  # fmt: skip

    def _least_cells(self) -> int:
        return max(MIN_ROWS, _LANE_WORK // (self.rows.d * self.trials)) // loops.CELL

    def choose(self, n_steps: int = 1) -> None:
        """Choose the next centres, threads side by side; `closest` becomes another array."""
        if self.n_chosen == 0:
            self._begin()
        else:
            self.closest = self.closest.copy()  # the old one may belong to a state
        turns, meeting = np.zeros((4, 1), np.int64), np.zeros(1, np.int64)

        def take_part(mine: slice, n_members: int) -> int:
            return loops.seed(
                self.panels, self.pool, self.closest, self.by_weight, self.by_cell, self.uniform,
                room(self.size, self.rows.dtype)[0], self.n_chosen, n_steps, self.indices,
                self.potentials, turns, meeting, n_members, mine.start == 0,
            )  # fmt: skip

        self.n_chosen = run_together(take_part, len(self.panels.bounds) - 1, meeting)[0]
