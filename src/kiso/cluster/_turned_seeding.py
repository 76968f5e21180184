"""k-means++ over rows that lie turned: see `_seeding` for what it does, `_turned` for how.

A pass over the rows takes as long as it takes to read them. So one pass serves candidates
for several centres: they are drawn at once, with probability w_i D_i² / φ, and their
distances to all rows kept. When a later centre is due D² has become smaller, and a
candidate i that was drawn with D_i² of then is taken with probability D_i² now / D_i² then:
rejection makes of draws with the probabilities of then draws with those of now, exactly.
"""

from __future__ import annotations

import numpy as np

from kiso._parallel import run_lanes
from kiso._validation import Array

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
        # the next in the pool, its size, draws used; centres it was for, centres it served
        self.place = np.array([0, 0, 0, 1, 0])
        self.values = np.empty((size, rows.n), dtype)
        self.candidates = np.empty((size, rows.d), dtype)
        self.doubled = np.empty((loops.in_tiles(size), rows.d), dtype)
        self.offsets = np.zeros(size, dtype)

    def choose(self) -> None:
        """Choose the next centre, lanes side by side."""
        if self.n_chosen == 0:
            self._begin()
        j, weight, closest = self.n_chosen, self.rows.weight, self.closest
        flat = j == 0 or self.potentials[j - 1] <= 0
        chosen = np.arange(self.trials if j else 1)
        if flat or not self._pick(chosen):
            chosen = self._fill(flat, len(chosen))

        def gains(at: slice) -> list[float]:
            return [
                loops.gain(self.values[p], closest, weight, *self.bounds[at.start : at.stop + 1])
                for p in chosen
            ]

        gain = np.zeros(len(chosen))
        for part in run_lanes(gains, self._lanes):
            gain += part
        best = int(chosen[gain.argmax()])
        self.closest = closest.copy()  # the old one belongs to a state
        loops.take(self.values[best], weight, self.closest, self.by_cell)
        self.indices[j], self.potentials[j] = self.pool[best], loops.total(self.by_cell)
        self.n_chosen += 1

    def _pick(self, chosen: Array) -> bool:
        return loops.pick(
            self.pool, self.before, self.closest, self.uniform, self.place, chosen
        )  # fmt: skip

    def _fill(self, flat: bool, m: int) -> Array:
        """Draw a pool of candidates, and the distances of all rows to them; the first m."""
        rows, turned = self.rows, self.turned
        size = m
        if not flat:
            size = loops.pool_size(
                self.trials, rows.d, self.n_chosen, len(self.indices), self.place
            )
        loops.fill(
            flat, self.by_weight if flat else self.by_cell, rows.weight, self.closest,
            self.uniform, self.pool, self.before, self.place, size,
        )  # fmt: skip
        Y, doubled = self.candidates[:size], self.doubled[: loops.in_tiles(size)]
        offsets = self.offsets[:size]
        Y[:] = rows.X[self.pool[:size]]
        if not turned.direct:
            loops.ready(Y, rows.origin, doubled, offsets)

        def distances(at: slice) -> None:
            loops.distances_lane(
                turned.values, turned.n_padded, turned.direct, turned.rows, turned.squares,
                self.bounds[at.start], self.bounds[at.stop], Y, doubled, offsets,
                turned.rounding, room(self.size, rows.dtype)[0], self.values,
            )  # fmt: skip

        run_lanes(distances, self._lanes)
        self.place[0] = size if flat else m
        return np.arange(m)

    @property
    def _lanes(self) -> list[slice]:
        return [slice(i, i + 1) for i in range(len(self.bounds) - 1)]

    def choose_many(self, n_steps: int) -> None:
        """Choose the next centres in one call on one thread: the same that `choose` would."""
        if self.n_chosen == 0:
            self._begin()
        rows, turned = self.rows, self.turned
        self.n_chosen = loops.seed(
            turned.values, turned.n_padded, turned.direct, turned.rows, rows.weight, turned.squares,
            self.bounds, turned.rounding, rows.origin, self.uniform, self.trials,
            self.by_weight, self.by_cell, self.closest, self.pool, self.before, self.place,
            self.values, room(self.size, rows.dtype)[0], self.candidates, self.doubled,
            self.offsets, self.n_chosen, n_steps, self.indices, self.potentials,
        )  # fmt: skip
