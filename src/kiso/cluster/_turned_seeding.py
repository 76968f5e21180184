"""k-means++ over rows that lie turned: see `_seeding` for what it does, `_turned` for how.

A pass over the rows takes as long as it takes to read them. So one pass serves candidates
for several centres: they are drawn at once, with probability w_i D_i² / φ, and their
distances to all rows kept. When a later centre is due D² has become smaller, and a
candidate i that was drawn with D_i² of then is taken with probability D_i² now / D_i² then:
rejection makes of draws with the probabilities of then draws with those of now, exactly.
"""

from __future__ import annotations

import numpy as np

from kiso._parallel import run_together

from . import _turned_loops as loops
from ._rows import MIN_ROWS, Rows
from ._turned import Turned, room

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
        self.bounds = turned.bounds(max(MIN_ROWS, _LANE_WORK // (rows.d * trials)))
        self.size = trials * loops.largest_pool(trials, rows.d, n_clusters)
        # a pool serves one centre at least; each of it is drawn once and looked at once
        self.uniform = rng.random(2 * self.size * n_clusters)
        self.indices = np.zeros(n_clusters, np.intp)
        self.potentials = np.zeros(n_clusters)
        self.n_chosen = 0

    def _begin(self) -> None:
        """Make room; not before a start begins, as many may be waiting."""
        rows, dtype, size = self.rows, self.rows.dtype, self.size
        self.closest = np.full(rows.n, np.inf, dtype)
        cells = np.arange(0, rows.n, loops.CELL)
        weight = rows.weight if rows.weight.size else np.ones(rows.n)
        self.by_weight = np.add.reduceat(weight.astype(np.float64), cells)
        self.by_cell = np.zeros(len(cells))
        self.pool, self.before = np.zeros(size, np.intp), np.zeros(size, dtype)
        # the next in the pool, its size, draws used; centres it was for, centres it served;
        # how many of it are new
        self.place = np.array([0, 0, 0, 1, 0, 0])
        self.values = np.empty((size, rows.n), dtype)
        self.candidates = np.empty((size, rows.d), dtype)
        self.doubled = np.empty((loops.in_tiles(size), rows.d), dtype)
        self.offsets = np.zeros(size, dtype)
        self.chosen = np.zeros(self.trials, np.intp)
        self.gains = np.zeros((len(self.bounds) - 1, self.trials))

    def choose(self, n_steps: int = 1) -> None:
        """Choose the next centres, threads side by side; `closest` becomes another array."""
        if self.n_chosen == 0:
            self._begin()
        else:
            self.closest = self.closest.copy()  # the old one may belong to a state
        turns, takes, meeting = np.zeros((3, 1), np.int64)

        def take_part(mine: slice, n_members: int) -> int:
            rows, turned = self.rows, self.turned
            return loops.seed(
                turned.values, turned.n_padded, turned.direct, turned.rows, rows.weight,
                turned.squares, self.bounds, turned.rounding, rows.origin, self.uniform,
                self.trials, self.by_weight, self.by_cell, self.closest, self.pool, self.before,
                self.place, self.values, room(self.size, rows.dtype)[0], self.candidates,
                self.doubled, self.offsets, self.n_chosen, n_steps, self.indices, self.potentials,
                self.chosen, self.gains, turns, takes, meeting, n_members, mine.start == 0,
            )  # fmt: skip

        self.n_chosen = run_together(take_part, len(self.bounds) - 1, meeting)[0]
