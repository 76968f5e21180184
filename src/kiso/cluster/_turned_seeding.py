"""k-means++ over rows that lie turned: see `_seeding` for what it does, `_turned` for how."""

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
    """The centres chosen so far, D_i² of every row, and the draws that are left.

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
        self.uniform = np.zeros((n_clusters, trials))
        self.uniform[0, 0] = rng.random()
        self.uniform[1:] = rng.random((n_clusters - 1, trials))
        self.indices = np.zeros(n_clusters, np.intp)
        self.potentials = np.zeros(n_clusters)
        self.n_chosen = 0

    def _begin(self) -> None:
        """Make room; not before a start begins, as many may be waiting."""
        rows, dtype, spans = self.rows, self.rows.dtype, self.bounds
        self.closest = np.full(rows.n, np.inf, dtype)
        self.values = np.empty((self.trials, rows.n), dtype)
        self.by_lane = np.zeros(len(spans) - 1)
        self.by_weight = np.diff(spans).astype(np.float64)
        if rows.weight.size:
            self.by_weight = np.add.reduceat(rows.weight.astype(np.float64), spans[:-1])
        self.candidates = np.empty((self.trials, rows.d), dtype)
        self.doubled = np.empty((loops.in_tiles(self.trials), rows.d), dtype)
        self.offsets = np.zeros(self.trials, dtype)

    def choose(self) -> None:
        """Choose the next centre, lanes side by side."""
        if self.n_chosen == 0:
            self._begin()
        rows, turned, j = self.rows, self.turned, self.n_chosen
        m = self.trials if j else 1
        flat = j == 0 or self.potentials[j - 1] <= 0
        shares = self.by_weight if flat else self.by_lane
        drawn = [
            loops.draw(u, flat, shares, self.bounds, rows.weight, self.closest)
            for u in self.uniform[j, :m]
        ]
        Y = self.candidates[:m]
        Y[:] = rows.X[drawn]
        doubled, offsets = self.doubled[: loops.in_tiles(m)], self.offsets[:m]
        if not turned.direct:
            loops.ready(Y, rows.origin, doubled, offsets)

        def propose(which: slice) -> Array:
            gain = np.zeros(self.trials)
            loops.propose_lane(
                *self._rows, self.bounds[which.start], self.bounds[which.stop], Y, doubled,
                offsets, turned.rounding, self.closest, room(self.trials, rows.dtype)[0],
                self.values, gain,
            )  # fmt: skip
            return gain

        which = [slice(i, i + 1) for i in range(len(self.by_lane))]
        gain = np.zeros(self.trials)
        for part in run_lanes(propose, which):
            gain += part
        best = int(gain[:m].argmax())
        self.closest = self.closest.copy()  # the old one belongs to a state
        for lane in which:
            self.by_lane[lane.start] = loops.take_lane(
                self.values[best], self.bounds[lane.start], self.bounds[lane.stop],
                rows.weight, self.closest,
            )  # fmt: skip
        self.indices[j], self.potentials[j] = drawn[best], loops.total(self.by_lane)
        self.n_chosen += 1

    def choose_many(self, n_steps: int) -> None:
        """Choose the next centres in one call on one thread: the same that `choose` would."""
        if self.n_chosen == 0:
            self._begin()
        self.n_chosen = loops.seed(
            *self._rows, self.bounds, self.turned.rounding, self.rows.origin, self.uniform,
            self.trials, self.by_weight, self.by_lane, self.closest, self.values,
            room(self.trials, self.rows.dtype)[0], self.candidates, self.doubled, self.offsets,
            self.n_chosen, n_steps, self.indices, self.potentials,
        )  # fmt: skip

    @property
    def _rows(self) -> tuple[Array, int, bool, Array, Array, Array]:
        rows, turned = self.rows, self.turned
        return (
            turned.values, turned.n_padded, turned.direct, rows.X, rows.weight, turned.squares,
        )  # fmt: skip
