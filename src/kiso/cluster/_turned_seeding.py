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

from kiso._compute.threads import lanes, run_together
from kiso._validation import Array

from . import _turned_seeding_loops as loops
from ._rows import MIN_ROWS, Rows
from ._turned import SHARED_TILE_BYTES, Turned, room
from ._turned_loops import in_tiles

__all__ = ["Seeds"]

_SHARING = 48  # candidates, of several runs, that share a tile
_LANE_WORK = 1 << 22  # rows × features × candidates that are worth a lane of their own


class Seeds:
    """The centres chosen so far, D_i² of every row, and candidates for the next; of some runs.

    Attributes
    ----------
    indices : ndarray of shape (n_runs, n_clusters)
        The rows chosen; the first `n_chosen` are.
    potentials : ndarray of shape (n_runs, n_clusters)
        φ after each.
    closest : ndarray of shape (n_runs, n)
        D_i², in the data's precision.
    """

    def __init__(
        self, rows: Rows, turned: Turned, n_clusters: int, trials: int, uniform: Array
    ) -> None:
        self.rows, self.turned, self.trials, self.uniform = rows, turned, trials, uniform
        self.n_runs, self.n_clusters, self.n_chosen = len(uniform), n_clusters, 0
        self.indices = np.zeros((self.n_runs, n_clusters), np.intp)
        self.potentials = np.zeros((self.n_runs, n_clusters))

    @classmethod
    def of(
        cls, rows: Rows, n_clusters: int, trials: int, rng: np.random.Generator, n_runs: int = 1
    ) -> Seeds:
        """Seeds to be chosen by the draws of a generator: run by run."""
        assert rows.turned is not None
        # a pool serves one centre at least; each of it is drawn once and looked at once
        uniform = rng.random((n_runs, 2 * _most(trials, n_clusters) * n_clusters))
        return cls(rows, rows.turned, n_clusters, trials, uniform)

    def __getitem__(self, runs: slice) -> Seeds:
        """Some of the runs, before they have begun."""
        uniform = self.uniform[runs]
        return Seeds(self.rows, self.turned, self.n_clusters, self.trials, uniform)

    @property
    def run_bytes(self) -> int:
        """Memory that the choice takes for a run, about."""
        return self.rows.n * ((self.trials + 1) * self.rows.dtype.itemsize + 4 * self.trials)

    def _begin(self) -> None:
        """Make room; not before a start begins, as many may be waiting."""
        rows, turned, trials, runs = self.rows, self.turned, self.trials, self.n_runs
        n, d, dtype = rows.n, rows.d, rows.dtype
        cells = np.arange(0, n, loops.CELL)
        n_lanes = len(lanes(len(cells), min_rows=self._least_cells()))
        bounds = np.minimum(len(cells) * np.arange(n_lanes + 1) // n_lanes * loops.CELL, n)
        weight = rows.weight if rows.weight.size else np.ones(n)
        self.closest = np.full((runs, n), np.inf, dtype)
        self.by_weight = np.add.reduceat(weight.astype(np.float64), cells)
        self.by_cell = np.zeros((runs, len(cells)))
        self.panels = loops.Panels(
            turned.values, turned.n_padded, turned.direct, turned.rows, rows.weight,
            turned.squares, rows.origin, turned.rounding, bounds,
        )  # fmt: skip
        size = _most(trials, self.n_clusters)
        self.tile_rows = min(runs * size, max(size, _SHARING))
        n_tiles = -(-int(np.diff(bounds).max()) // self._tile().shape[1])
        place = np.zeros((runs, 8), np.intp)
        place[:, loops.PLANNED] = 1
        self.pools = loops.Pool(
            np.zeros((runs, size), np.intp), np.zeros((runs, size), dtype),
            np.empty((runs, size, d), dtype), place, np.zeros((runs, trials), np.intp),
            np.empty((runs, n * trials), np.int32), np.empty((runs, n * trials), dtype),
            np.zeros((runs, n_lanes, size, n_tiles, 2), np.int32),
            np.zeros((runs, n_lanes), np.intp), np.zeros((runs, n_lanes, trials)),
        )  # fmt: skip
        most = in_tiles(runs * size)
        self.stack = loops.Stack(
            np.zeros(1, np.intp), np.zeros(most, np.intp), np.zeros(most, np.intp),
            np.empty((most, d), dtype), np.empty((most, d), dtype), np.zeros(most, dtype),
        )  # fmt: skip

    def _least_cells(self) -> int:
        return max(MIN_ROWS, _LANE_WORK // (self.rows.d * self.trials)) // loops.CELL

    def _tile(self) -> Array:
        return room(self.tile_rows, self.rows.dtype, SHARED_TILE_BYTES)[0]

    def choose(self, n_steps: int = 1) -> None:
        """Choose the next centres, threads side by side; `closest` becomes another array."""
        if self.n_chosen == 0:
            self._begin()
        else:
            self.closest = self.closest.copy()  # the old one may belong to a state
        turns, meeting = np.zeros((4, 1), np.int64), np.zeros(1, np.int64)

        def take_part(mine: slice, n_members: int) -> int:
            return loops.seed(
                self.panels, self.pools, self.stack, self.closest, self.by_weight, self.by_cell,
                self.uniform, self._tile(), self.n_chosen, n_steps, self.indices,
                self.potentials, turns, meeting, n_members, mine.start == 0,
            )  # fmt: skip

        self.n_chosen = run_together(take_part, len(self.panels.bounds) - 1, meeting)[0]


def _most(trials: int, n_clusters: int) -> int:
    """Candidates of a pool, at most."""
    return trials * max(1, min(loops.LARGEST_POOL, n_clusters - 1))
