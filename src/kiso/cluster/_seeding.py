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
from typing import Any

import numpy as np

from kiso._distances_loops import direct_tile
from kiso._parallel import blocks, lanes, one_blas_thread, run_lanes
from kiso._validation import Array
from kiso.base import State

from ._lloyd import LloydState
from ._lloyd_loops import nearer, potentials
from ._rows import BLOCK_ROWS, MIN_ROWS, Rows

__all__ = ["SeedingState", "last_seeds", "parallel", "plus_plus", "random_rows"]

_ROUNDS = 5
_OVERSAMPLING = 2.0


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

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.lanes = lanes(rows.n, min_rows=MIN_ROWS)
        self.closest = np.full(rows.n, np.inf, rows.dtype)
        self.by_lane = np.array([self._weight(lane).sum() for lane in self.lanes])

    def _weight(self, lane: slice) -> Array:
        weight = self.rows.weight
        return weight[lane].astype(np.float64) if weight.size else np.ones(lane.stop - lane.start)

    def with_candidates(self, candidates: Array) -> tuple[Array, Array]:
        """Give D² with each candidate added, (m, n), and its φ by lanes, (lanes, m)."""
        rows, m = self.rows, len(candidates)
        points = rows.points(candidates)
        squares = points.offsets.astype(np.float64)
        closest = np.empty((m, rows.n), rows.dtype)
        nothing = np.empty(0)

        def lane(span: slice) -> Array:
            tile = np.empty((m, BLOCK_ROWS), rows.dtype)
            columns = np.empty((rows.d if rows.direct else 0, BLOCK_ROWS), rows.dtype)
            shifted = np.empty((0 if rows.shift is None else BLOCK_ROWS, rows.d), rows.dtype)
            for at in blocks(span, BLOCK_ROWS):
                x = rows.block(at)
                T = tile[:, : len(x)]
                if rows.direct:
                    direct_tile(x, points.values, columns, T)
                else:
                    np.matmul(points.doubled, points.shifted(x, shifted).T, out=T)
                nearer(
                    T, points.values, squares, x, nothing if rows.direct else rows.squares[at],
                    self.closest[at], points.rounding, closest[:, at],
                )  # fmt: skip
            total = np.empty(m)
            potentials(closest[:, span], rows.weights(span), total)
            return total

        with one_blas_thread():
            return closest, np.array(run_lanes(lane, self.lanes))

    def keep(self, closest: Array, by_lane: Array) -> float:
        """Make these the distances; φ of them."""
        self.closest, self.by_lane = closest, by_lane
        return float(by_lane.sum())

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
            mass = self._weight(lane)
            if not flat:
                mass = mass * self.closest[lane]
            inside = np.cumsum(mass)
            start = ends[which] - by_lane[which]
            i = int(np.searchsorted(inside, u - start, side="right"))
            if i >= len(mass) or mass[i] == 0:  # rounding put it past the end
                i = int(np.flatnonzero(mass)[-1])
            found[at] = lane.start + i
        return found


def plus_plus(
    rows: Rows, n_clusters: int, rng: np.random.Generator, n_trials: int | None = None
) -> Iterator[SeedingState]:
    """Choose centres by k-means++: a state after each.

    `n_trials` candidates are drawn for every centre but the first; None: 2 + ⌊ln k⌋, as
    scikit-learn; 1: plain k-means++.
    """
    trials = 2 + int(math.log(n_clusters)) if n_trials is None else n_trials
    potential = Potential(rows)
    chosen: list[int] = []
    while len(chosen) < n_clusters:
        drawn = potential.draw(rng, trials if chosen else 1)
        closest, by_lane = potential.with_candidates(rows.block(drawn))
        best = int(by_lane.sum(axis=0).argmin())
        inertia = potential.keep(closest[best], by_lane[:, best])
        chosen.append(int(drawn[best]))
        yield _seeding_state(rows, np.array(chosen), potential.closest, inertia)


def parallel(rows: Rows, n_clusters: int, rng: np.random.Generator) -> Iterator[SeedingState]:
    """Choose centres by k-means||: a state after each round, and one for the k centres."""
    potential = Potential(rows)
    chosen = potential.draw(rng, 1)
    inertia = _add(potential, rows, chosen)
    for _ in range(_ROUNDS):
        yield _seeding_state(rows, chosen, potential.closest, inertia)
        if inertia == 0:
            break
        mass = potential.closest * (rows.weight if rows.weight.size else 1.0)
        share = _OVERSAMPLING * n_clusters / inertia * mass.astype(np.float64)
        taken = np.flatnonzero(rng.random(rows.n) < share)
        if len(taken):
            chosen = np.concatenate([chosen, taken])
            inertia = _add(potential, rows, taken)
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
    yield _seeding_state(rows, indices, potential.closest, _add(potential, rows, indices))


def random_rows(rows: Rows, n_clusters: int, rng: np.random.Generator) -> Iterator[SeedingState]:
    """Choose rows at random by their weights, no row twice unless weights leave too few."""
    p = None
    if rows.weight.size:
        p = rows.weight.astype(np.float64)
        p /= p.sum()
    enough = p is None or np.count_nonzero(p) >= n_clusters
    indices = rng.choice(rows.n, n_clusters, replace=not enough, p=p)
    potential = Potential(rows)
    yield _seeding_state(rows, indices, potential.closest, _add(potential, rows, indices))


def last_seeds(states: Iterator[SeedingState]) -> SeedingState:
    """Run a seeding to its end."""
    state = None
    for state in states:  # noqa: B007
        pass
    assert state is not None
    return state


def _add(potential: Potential, rows: Rows, indices: Array) -> float:
    """Add many centres at once; φ with them."""
    new = rows.block(indices)
    distance = rows.own_distances(new, rows.nearest(new)).astype(rows.dtype)
    closest = np.minimum(potential.closest, distance)
    by_lane: Any = [np.empty(1) for _ in potential.lanes]
    for lane, total in zip(potential.lanes, by_lane, strict=True):
        potentials(closest[None, lane], rows.weights(lane), total)
    return potential.keep(closest, np.concatenate(by_lane))


def _seeding_state(rows: Rows, indices: Array, closest: Array, inertia: float) -> SeedingState:
    return SeedingState(
        n_iter=0,
        objective=inertia,
        centers=rows.block(indices),
        indices=indices,
        closest=closest,
        inertia=inertia,
    )
