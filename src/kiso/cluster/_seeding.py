"""Initial centres: k-means++ (plain and greedy), k-means||, random rows.

    D_i² = min_j ‖x_i − c_j‖²   over the centres chosen so far,   φ = Σ w_i D_i²

k-means++ takes the next centre from the rows with probability w_i D_i² / φ, after which
E[φ of k centres] ≤ 8 (ln k + 2) φ_OPT (Arthur & Vassilvitskii 2007, theorem 3.1). The
greedy variant draws several and keeps the one that leaves the smallest φ. One pass over
blocks serves all candidates of a centre.

k-means|| (Bahmani et al. 2012) takes about 2k rows in each of a few rounds, each row on
its own with probability min(1, 2 k w_i D_i² / φ), gives every row taken the weight of the
rows that it is nearest to, and runs k-means++ on these: a few passes however large k is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kiso._compute.threads import blocks, lanes, run_lanes
from kiso._validation import Array
from kiso.base import State

from ._lloyd import LloydState
from ._rows import BLOCK_ROWS, MIN_ROWS, Rows
from ._seeding_loops import limits, locate, propose, take
from ._turned_seeding import Seeds

__all__ = ["SeedingState", "greedy_trials", "last_seeds", "parallel", "plus_plus", "random_rows"]

_ROUNDS = 5
_OVERSAMPLING = 2.0
_LANE_WORK = 1 << 22  # rows × features × candidates that are worth a lane of their own


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


class Potential:
    """D_i² of every row to the centres chosen so far, and φ by lanes."""

    def __init__(self, rows: Rows, trials: int = 1) -> None:
        self.rows = rows
        self.lanes = lanes(rows.n, min_rows=max(MIN_ROWS, _LANE_WORK // (rows.d * trials)))
        # kept from centre to centre: fresh pages cost as much as the distances
        self.listed = np.empty(rows.n, np.intp)
        self.values = np.empty(rows.n * trials, rows.dtype)
        self.closest = np.full(rows.n, np.inf, rows.dtype)
        self.label = np.zeros(rows.n, np.int32)
        self.by_lane = np.zeros(len(self.lanes))

    def _weight(self, lane: slice) -> Array:
        weight = self.rows.weight
        return weight[lane].astype(np.float64) if weight.size else np.ones(lane.stop - lane.start)

    def add_best(self, centers: Array, candidates: Array) -> int:
        """Add the candidate that leaves the smallest φ to these centres; its number."""
        rows, m = self.rows, len(candidates)
        limit = np.zeros(max(1, len(centers)))
        limits(centers, candidates, limit)

        def lane(span: slice) -> tuple[list[tuple[int, Array, Array]], Array]:
            gain, found = np.zeros(m), []
            size = BLOCK_ROWS if rows.sparse else span.stop - span.start
            for at in blocks(span, size):
                b = at.stop - at.start
                listed = self.listed[at]
                values = self.values[at.start * m : at.stop * m].reshape(b, m)
                count = propose(
                    rows.block(at), candidates, rows.weights(at), self.label[at], limit,
                    self.closest[at], listed, values, gain,
                )  # fmt: skip
                found.append((at.start - span.start, listed[:count], values[:count]))
            return found, gain

        parts = run_lanes(lane, self.lanes)
        best = int(np.sum([gain for _, gain in parts], axis=0).argmax())
        self.closest = self.closest.copy()  # the old one belongs to a state
        for which, (span, (found, _)) in enumerate(zip(self.lanes, parts, strict=True)):
            for start, listed, values in found:
                self.by_lane[which] = take(
                    listed + start if start else listed, values, best, len(centers),
                    rows.weights(span), self.closest[span], self.label[span],
                )  # fmt: skip
        return best

    def add_all(self, indices: Array) -> None:
        """Add these rows to the centres."""
        new = self.rows.block(indices)
        distance = self.rows.own_distances(new, self.rows.nearest(new))
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
            found[at] = lane.start + locate(
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
    if rows.turned is not None:
        yield from _turned_plus_plus(Seeds.of(rows, n_clusters, trials, rng))
        return
    potential = Potential(rows, trials)
    chosen: list[int] = []
    while len(chosen) < n_clusters:
        drawn = potential.draw(rng, trials if chosen else 1)
        best = potential.add_best(rows.block(np.array(chosen, np.intp)), rows.block(drawn))
        chosen.append(int(drawn[best]))
        yield _seeding_state(potential, np.array(chosen))


def greedy_trials(n_clusters: int) -> int:
    """Give the number of candidates for a centre of greedy k-means++: 2 + ⌊ln k⌋."""
    return 2 + int(math.log(n_clusters))


def _turned_plus_plus(seeds: Seeds) -> Iterator[SeedingState]:
    for j in range(seeds.n_clusters):
        seeds.choose()
        indices, inertia = seeds.indices[0, : j + 1].copy(), float(seeds.potentials[0, j])
        yield SeedingState(
            n_iter=0, objective=inertia, centers=seeds.rows.block(indices), indices=indices,
            closest=seeds.closest[0], inertia=inertia,
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
    nearest = rows.nearest(candidates)
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
