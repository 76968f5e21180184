"""k-means from several seeds: run after run, or side by side.

Lanes of rows meet after every pass; runs need not meet at all. So where there are several
runs, and nobody looks at the steps on the way, each thread takes some of them to their ends,
and one pass over the rows serves all of these; a single run has all threads. What comes out is
what the runs one after the other give, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import n_threads, run_lanes
from kiso._parts import Parts
from kiso._validation import Array

from ._assignment import Assignment, bounded, lanes_of
from ._lloyd import LloydState, lloyd, lloyd_state
from ._panels_loops import whole_tiles
from ._parted import lloyd_of_parts, seeds_of_parts
from ._rows import Rows
from ._seeding import (
    SeedingState,
    Seeds,
    greedy_trials,
    parallel,
    plus_plus,
    random_rows,
    seeding_state,
)

__all__ = ["SEEDINGS", "Restarts", "better", "one_by_one", "side_by_side"]

SEEDINGS = {"k-means++": plus_plus, "k-means||": parallel, "random": random_rows}


@dataclass(frozen=True)
class Restarts:
    """Runs of k-means on the same rows.

    `init` is the name of a seeding, or gives the centres of a run.
    """

    rows: Rows | Parts
    n_clusters: int
    n_runs: int
    init: str | Callable[[], Array]
    max_iter: int
    tol: float  # squared movement of all centres together
    rng: np.random.Generator
    always_bounded: bool = False  # whether bounds are kept even where they do not pay
    origin: Array | None = None  # of sums over parts: the mean of all rows
    path: list[float] = field(default_factory=list)  # φ after each step; of `side_by_side`


def better(state: LloydState, best: LloydState | None) -> LloydState:
    """Give the end of smaller φ, the earlier of equals."""
    return state if best is None or state.inertia < best.inertia else best


def one_by_one(restarts: Restarts) -> Iterator[LloydState | SeedingState]:
    """Yield every state of every run."""
    best: LloydState | None = None
    for run in range(restarts.n_runs):
        centers = None
        for seeds in _seedings(restarts):
            if isinstance(seeds, SeedingState):
                centers = seeds.centers
                yield replace(seeds, run=run, best=best)
            else:
                centers = seeds
        assert centers is not None
        kept = best
        for state in _lloyd(restarts, centers):
            kept = better(state, best)
            done = state.settled and run == restarts.n_runs - 1
            yield replace(state, run=run, best=best, converged=done and kept.settled)
        best = kept


def _lloyd(restarts: Restarts, centers: Array) -> Iterator[LloydState]:
    p = restarts
    if isinstance(p.rows, Parts):
        assert p.origin is not None
        return lloyd_of_parts(p.rows, centers, origin=p.origin, max_iter=p.max_iter, tol=p.tol)
    return lloyd(p.rows, centers, max_iter=p.max_iter, tol=p.tol, always_bounded=p.always_bounded)


def _seedings(restarts: Restarts) -> Iterator[SeedingState | Array]:
    if callable(restarts.init):
        yield restarts.init()
    elif isinstance(restarts.rows, Parts):
        yield from seeds_of_parts(restarts.rows, restarts.n_clusters, restarts.init, restarts.rng)
    else:
        yield from SEEDINGS[restarts.init](restarts.rows, restarts.n_clusters, restarts.rng)


def side_by_side(restarts: Restarts) -> Iterator[LloydState | SeedingState]:
    """Yield the end of each run; after Ctrl-C as far as they came, and then the interrupt."""
    if isinstance(restarts.rows, Parts):
        yield from one_by_one(restarts)
        return
    groups = _groups(restarts)
    interrupt: KeyboardInterrupt | None = None
    try:
        _run_all(restarts, groups)
    except KeyboardInterrupt as error:
        interrupt = error
    ends = [end for group in groups for end in group.ends()]
    best: LloydState | None = None
    for state, path in ends:
        restarts.path.extend(path)
        kept = better(state, best)
        done = state is ends[-1][0] and interrupt is None
        yield replace(state, best=best, converged=done and kept.settled)
        best = kept
    if interrupt is not None:
        if not ends and groups[0].seeds is not None and groups[0].seeds.n_chosen > 0:
            yield seeding_state(groups[0].seeds, 0)
        raise interrupt


def _run_all(restarts: Restarts, groups: list[_Group]) -> None:
    stop: list[int] = []

    def lane(which: slice) -> None:
        try:
            groups[which.start].run(stop)
        except BaseException:  # also Ctrl-C: the other threads stop at their next call
            stop.append(which.start)
            raise

    if _dealt(restarts):
        run_lanes(lane, [slice(i, i + 1) for i in range(len(groups))])
    else:
        for group in groups:
            group.run(stop)


def _dealt(restarts: Restarts) -> bool:
    """Whether each thread takes runs of its own; else all threads share each run."""
    rows, k = restarts.rows, restarts.n_clusters
    assert isinstance(rows, Rows)
    if rows.large or bounded(rows, k, restarts.always_bounded):
        return False
    return restarts.n_runs >= 2 * n_threads() or len(lanes_of(rows, k)) == 2


def _groups(restarts: Restarts) -> list[_Group]:
    """Cut the runs into groups that share each pass."""
    rows, n, k = restarts.rows, restarts.n_runs, restarts.n_clusters
    assert isinstance(rows, Rows)
    seeds: Seeds | None = None
    paths: list[list[float]] = [[] for _ in range(n)]
    centers = np.empty((n, k, rows.d), rows.dtype)
    if restarts.init == "k-means++":
        seeds = Seeds.of(rows, k, greedy_trials(k), restarts.rng, n)
    else:
        for run in range(n):
            for found in _seedings(restarts):
                if isinstance(found, SeedingState):
                    paths[run].append(found.objective)
                    last = found.centers
                else:
                    last = found
            centers[run] = last
    count = n
    if not (rows.large or bounded(rows, k, restarts.always_bounded)):
        memory = n * seeds.run_bytes if seeds is not None else 0
        count = max(
            -(-n * whole_tiles(k) // costs.RESTARTS_CENTERS), -(-memory // costs.RESTARTS_BYTES), 1
        )
        count = min(n, max(count, n_threads() if _dealt(restarts) else 1))
    return [
        _Group(restarts, at, centers[at], paths[at], None if seeds is None else seeds[at])
        for at in (slice(n * i // count, n * (i + 1) // count) for i in range(count))
    ]


class _Group:
    """Runs that go on step by step together."""

    def __init__(
        self, restarts: Restarts, runs: slice, centers: Array, paths: list[list[float]],
        seeds: Seeds | None,
    ) -> None:  # fmt: skip
        self.restarts, self.first, self.seeds = restarts, runs.start, seeds
        self.centers, self.paths = centers, paths
        self.assignment: Assignment | None = None
        self.finished: dict[int, tuple[LloydState, list[float]]] = {}

    def run(self, stop: list[int]) -> None:
        """Go on to the ends of all runs, or until there is a reason to stop."""
        p = self.restarts
        assert isinstance(p.rows, Rows)
        if self.seeds is not None:
            while self.seeds.n_chosen < self.seeds.n_clusters:
                if stop:
                    return
                self.seeds.choose(self.seeds.steps_of_a_call)
            self.centers, self.paths = self.seeds.centers, self.seeds.potentials.tolist()
            self.seeds = None  # its memory
        runs = Assignment(
            p.rows, self.centers, tol=p.tol, max_iter=p.max_iter, paths=self.paths,
            always_bounded=p.always_bounded,
        )  # fmt: skip
        self.assignment = runs
        while len(runs.going) and not stop:
            runs.advance(runs.steps_of_a_call)
        if not stop:
            for r in range(len(self.centers)):
                self._finish(runs, r)
            self.assignment = None

    def _finish(self, runs: Assignment, r: int) -> None:
        self.finished[r] = lloyd_state(runs, r, self.first + r, exact=True), runs.paths[r]

    def ends(self) -> list[tuple[LloydState, list[float]]]:
        """The states of the runs as far as they came, and φ after each of their steps."""
        runs = self.assignment
        if runs is not None:  # not all have come to their ends
            for r in range(len(self.centers)):
                if r not in self.finished and runs.progress.done[r] >= 0:
                    self._finish(runs, r)
        return [self.finished[r] for r in sorted(self.finished)]
