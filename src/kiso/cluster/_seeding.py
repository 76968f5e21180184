"""Initial centres: k-means++ (plain and greedy), k-means||, random rows.

    D_i² = min_j ‖x_i − c_j‖²   over the centres chosen so far,   φ = Σ w_i D_i²

k-means++ takes the next centre from the rows with probability w_i D_i² / φ, after which
E[φ of k centres] ≤ 8 (ln k + 2) φ_OPT (Arthur & Vassilvitskii 2007, theorem 3.1). The
greedy variant draws several and keeps the one that leaves the smallest φ.

A pass over the rows takes as long as it takes to read them. So one pass serves candidates
for several centres: they are drawn at once, with probability w_i D_i² / φ, and for each
the rows are listed that it is nearer to than D_i. When a later centre is due D² has become
smaller, and a candidate i that was drawn with D_i² of then is taken with probability D_i²
now / D_i² then: rejection makes of draws with the probabilities of then draws with those of
now, exactly.

k-means|| (Bahmani et al. 2012) takes about 2k rows in each of a few rounds, each row on
its own with probability min(1, 2 k w_i D_i² / φ), gives every row taken the weight of the
rows that it is nearest to, and runs k-means++ on these: a few passes however large k is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import lanes, run_together
from kiso._validation import Array
from kiso.base import State

from . import _seeding_loops as loops
from ._assign_loops import Crew
from ._assignment import nearest_centers, steps_of_a_call
from ._lloyd import LloydState
from ._panels_loops import Room, whole_tiles
from ._rows import Rows

__all__ = [
    "SeedingState",
    "Seeds",
    "greedy_trials",
    "last_seeds",
    "parallel",
    "plus_plus",
    "random_rows",
]  # fmt: skip

_ROUNDS = 5
_OVERSAMPLING = 2.0
_LEAN_ROOM = 1  # rows that lists have room for, in rows, where memory counts


@dataclass(frozen=True, kw_only=True)
class SeedingState(State):
    """The centres chosen so far, and the distribution that the next is drawn from.

    Attributes
    ----------
    centers : ndarray of shape (n_chosen, n_features)
        The rows chosen.
    indices : ndarray of shape (n_chosen,)
        Their numbers.
    closest : ndarray of shape (n_samples,)
        D_i², the squared distance of each row to the nearest of them; the next centre is
        row i with probability w_i D_i² / inertia.
    inertia : float
        φ.
    run : int
        Which of the `n_init` runs this is, from 0.
    best : LloydState or None
        The best end of the runs before.
    """

    centers: Array
    indices: Array
    closest: Array
    inertia: float
    run: int = 0
    best: LloydState | None = field(default=None, repr=False)


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

    def __init__(self, rows: Rows, n_clusters: int, trials: int, uniform: Array) -> None:
        self.rows, self.trials, self.uniform = rows, trials, uniform
        self.n_runs, self.n_clusters, self.n_chosen = len(uniform), n_clusters, 0
        self.indices = np.zeros((self.n_runs, n_clusters), np.intp)
        self.potentials = np.zeros((self.n_runs, n_clusters))

    @classmethod
    def of(
        cls, rows: Rows, n_clusters: int, trials: int, rng: np.random.Generator, n_runs: int = 1
    ) -> Seeds:
        """Seeds to be chosen by the draws of a generator: run by run."""
        # a pool serves one centre at least; each of it is drawn once and looked at once
        uniform = rng.random((n_runs, 2 * _most(trials, n_clusters) * n_clusters))
        return cls(rows, n_clusters, trials, uniform)

    def __getitem__(self, runs: slice) -> Seeds:
        """Some of the runs, before they have begun."""
        return Seeds(self.rows, self.n_clusters, self.trials, self.uniform[runs])

    @property
    def room(self) -> int:
        """How many times n rows the lists have room for."""
        row_bytes, itemsize = self.rows.d * self.rows.dtype.itemsize, self.rows.dtype.itemsize
        lean = self.rows.large and 2 * self.trials * (itemsize + 4) > row_bytes
        return _LEAN_ROOM if lean else self.trials

    @property
    def run_bytes(self) -> int:
        """Memory that the choice takes for a run, about."""
        itemsize = self.rows.dtype.itemsize
        return self.rows.n * ((self.room + 1) * itemsize + 4 * self.room)

    @property
    def steps_of_a_call(self) -> int:
        return steps_of_a_call(self.rows, self.n_runs * self.trials)

    @property
    def centers(self) -> Array:
        """The rows chosen; shape (n_runs, n_chosen, d)."""
        return np.stack([self.rows.block(some) for some in self.indices[:, : self.n_chosen]])

    def _begin(self) -> None:
        """Allocate; not before a run begins, as many may be waiting."""
        rows, trials, runs = self.rows, self.trials, self.n_runs
        n, d, dtype = rows.n, rows.d, rows.dtype
        self.panels = rows.panels
        cells = np.arange(0, n, loops.CELL)
        n_lanes = len(lanes(len(cells), min_rows=self._least_cells()))
        edges = np.minimum(len(cells) * np.arange(n_lanes + 1) // n_lanes * loops.CELL, n)
        weight = rows.weight if rows.weight.size else np.ones(n)
        self.closest = np.full((runs, n), np.inf, dtype)
        self.by_weight = np.add.reduceat(weight.astype(np.float64, copy=False), cells)
        self.by_cell, self.best = np.zeros((runs, len(cells))), np.zeros(runs, np.intp)
        size = _most(trials, self.n_clusters)
        self.tile_rows = min(runs * size, max(size, costs.SEEDING_SHARING))
        n_tiles = -(-int(np.diff(edges).max()) // self._tile().T.shape[1])
        place = np.zeros((runs, 8), np.intp)
        place[:, loops.PLANNED] = 1
        self.pools = loops.Pool(
            np.zeros((runs, size), np.intp), np.zeros((runs, size), dtype),
            np.empty((runs, size, d), dtype), place, np.zeros((runs, trials), np.intp),
            np.empty((runs, n * self.room), np.int32), np.empty((runs, n * self.room), dtype),
            np.zeros((runs, n_lanes, size, n_tiles, 2), np.int32),
            np.zeros((runs, n_lanes), np.intp), np.zeros((runs, n_lanes, trials)), edges,
            self.room,
        )  # fmt: skip
        most = whole_tiles(runs * size)
        self.stack = loops.Stack(
            np.zeros(1, np.intp), np.zeros(most, np.intp), np.zeros(most, np.intp),
            np.empty((most, d), dtype), np.empty((most, d), dtype), np.zeros(most, dtype),
        )  # fmt: skip

    def _least_cells(self) -> int:
        return (
            max(costs.CLUSTER_LANE_ROWS, costs.SEEDING_LANE_WORK // (self.rows.d * self.trials))
            // loops.CELL
        )

    def _tile(self) -> Room:
        return self.rows.room(self.panels, self.tile_rows, costs.SHARED_TILE_BYTES)

    def choose(self, n_steps: int = 1) -> None:
        """Choose the next centres, threads side by side; `closest` becomes another array."""
        if self.n_chosen == 0:
            self._begin()
        else:
            self.closest = self.closest.copy()  # the old one may belong to a state
        turns, meeting = np.zeros((loops.PHASES, 1), np.int64), np.zeros(1, np.int64)
        seeding = loops.Seeding(
            self.closest, self.by_weight, self.by_cell, self.uniform, self.indices,
            self.potentials, self.best,
        )  # fmt: skip

        def take_part(mine: slice, n_members: int) -> int:
            return loops.seed(
                self.panels, self.pools, self.stack, seeding, self._tile(),
                Crew(turns, meeting, n_members, mine.start == 0), self.n_chosen, n_steps,
            )  # fmt: skip

        self.n_chosen = run_together(take_part, len(self.pools.lanes) - 1, meeting)[0]


def _most(trials: int, n_clusters: int) -> int:
    """Candidates of a pool, at most."""
    return trials * max(1, min(loops.LARGEST_POOL, n_clusters - 1))


class Potential:
    """D_i² of every row to the centres chosen so far, and φ by lanes."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.lanes = lanes(
            rows.n, min_rows=max(costs.CLUSTER_LANE_ROWS, costs.SEEDING_LANE_WORK // rows.d)
        )
        self.closest = np.full(rows.n, np.inf, rows.dtype)
        self.by_lane = np.zeros(len(self.lanes))

    def _weight(self, lane: slice) -> Array:
        weight = self.rows.weight
        return weight[lane].astype(np.float64) if weight.size else np.ones(lane.stop - lane.start)

    def add_all(self, indices: Array) -> None:
        """Add these rows to the centres."""
        new = self.rows.block(indices)
        distance = self.rows.own_distances(new, nearest_centers(self.rows, new))
        self.closest = np.minimum(self.closest, distance.astype(self.rows.dtype))
        self.by_lane = np.array([self.closest[at] @ self._weight(at) for at in self.lanes])

    @property
    def inertia(self) -> float:
        """φ."""
        return float(self.by_lane.sum())

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Draw row numbers with probability w_i D_i² / φ (w_i where there are no centres).

        Where every row lies on a centre (φ = 0), by the weights alone.
        """
        by_lane = self.by_lane
        flat = not np.isfinite(self.closest[0]) or not by_lane.sum() > 0
        if flat:
            by_lane = np.array([self._weight(lane).sum() for lane in self.lanes])
        ends = np.cumsum(by_lane)
        found = np.empty(count, np.intp)
        for at, u in enumerate(rng.random(count) * ends[-1]):
            which = min(int(np.searchsorted(ends, u, side="right")), len(ends) - 1)
            while which > 0 and by_lane[which] == 0:
                which -= 1
            lane = self.lanes[which]
            start = ends[which] - by_lane[which]
            found[at] = lane.start + loops.locate(
                self.rows.weights(lane), self.closest[lane], flat, u - start
            )
        return found


def plus_plus(
    rows: Rows, n_clusters: int, rng: np.random.Generator, n_trials: int | None = None
) -> Iterator[SeedingState]:
    """Choose centres by k-means++: a state after each.

    `n_trials` candidates are drawn for every centre but the first; None: 2 + ⌊ln k⌋, as
    scikit-learn; 1: plain k-means++.
    """
    trials = greedy_trials(n_clusters) if n_trials is None else n_trials
    seeds = Seeds.of(rows, n_clusters, trials, rng)
    for _ in range(n_clusters):
        seeds.choose()
        yield seeding_state(seeds, 0)


def greedy_trials(n_clusters: int) -> int:
    """Give the number of candidates for a centre of greedy k-means++: 2 + ⌊ln k⌋."""
    return 2 + int(math.log(n_clusters))


def seeding_state(seeds: Seeds, run: int) -> SeedingState:
    """Give the state of a run of k-means++."""
    indices = seeds.indices[run, : seeds.n_chosen].copy()
    inertia = float(seeds.potentials[run, seeds.n_chosen - 1])
    return SeedingState(
        n_iter=0, objective=inertia, centers=seeds.rows.block(indices), indices=indices,
        closest=seeds.closest[run], inertia=inertia,
    )  # fmt: skip


def parallel(rows: Rows, n_clusters: int, rng: np.random.Generator) -> Iterator[SeedingState]:
    """Choose centres by k-means||: a state after each round, and one for the k centres."""
    potential = Potential(rows)
    chosen = potential.draw(rng, 1)
    potential.add_all(chosen)
    for _ in range(_ROUNDS):
        yield _seeding_state(potential, chosen)
        if potential.inertia == 0:
            break
        mass = potential.closest * (rows.weight if rows.weight.size else 1.0)
        share = _OVERSAMPLING * n_clusters / potential.inertia * mass.astype(np.float64)
        taken = np.flatnonzero(rng.random(rows.n) < share)
        if len(taken):
            chosen = np.concatenate([chosen, taken])
            potential.add_all(taken)
    if len(chosen) < n_clusters:  # too few rows apart from each other: fill up as k-means++
        chosen = np.concatenate([chosen, potential.draw(rng, n_clusters - len(chosen))])
    candidates = rows.block(chosen)
    nearest = nearest_centers(rows, candidates)
    weight = np.bincount(
        nearest, weights=rows.weight if rows.weight.size else None, minlength=len(chosen)
    )
    reduced = Rows(candidates, weight.astype(rows.dtype))
    seeds = last_seeds(plus_plus(reduced, n_clusters, rng))
    indices = chosen[seeds.indices]
    potential = Potential(rows)
    potential.add_all(indices)
    yield _seeding_state(potential, indices)


def random_rows(rows: Rows, n_clusters: int, rng: np.random.Generator) -> Iterator[SeedingState]:
    """Choose rows at random by their weights, no row twice unless weights leave too few."""
    p = None
    if rows.weight.size:
        p = rows.weight.astype(np.float64)
        p /= p.sum()
    enough = p is None or np.count_nonzero(p) >= n_clusters
    indices = rng.choice(rows.n, n_clusters, replace=not enough, p=p)
    potential = Potential(rows)
    potential.add_all(indices)
    yield _seeding_state(potential, indices)


def last_seeds(states: Iterator[SeedingState]) -> SeedingState:
    """Run a seeding to its end."""
    state = None
    for state in states:  # noqa: B007
        pass
    assert state is not None
    return state


def _seeding_state(potential: Potential, indices: Array) -> SeedingState:
    return SeedingState(
        n_iter=0,
        objective=potential.inertia,
        centers=potential.rows.block(indices),
        indices=indices,
        closest=potential.closest,
        inertia=potential.inertia,
    )
