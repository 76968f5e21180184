"""Whole runs of k-means: several share each pass over the rows, and threads share the runs.

Lanes of rows meet after every pass; runs need not meet at all. So where there are several
runs, and nobody looks at the steps on the way, each thread takes some of them to their ends,
and one pass over the rows serves all of these. What comes out is what the runs one after the
other give, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._compute.threads import n_threads, run_lanes
from kiso._validation import Array

from . import _turned_loops as loops
from ._assignment import PlainAssignment, assignment
from ._lloyd import LloydState
from ._rows import Rows
from ._turned import SHARED_TILE_BYTES, room
from ._turned_seeding import Seeds

__all__ = ["Interrupted", "Run", "pay", "whole_runs"]

_CALL_WORK = 1 << 27  # rows × features × clusters of a call: Ctrl-C waits for its end
_CALL_STEPS = 1000
_GROUP_BYTES = 1 << 26  # of runs that are seeded together
_TOGETHER = 96  # centres, of all runs that share a pass: beyond, distances leave the cache


@dataclass(frozen=True)
class Run:
    """The end of a run, and φ after each seed and each iteration."""

    state: LloydState
    path: list[float]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the runs that were through."""

    def __init__(self, runs: list[Run]) -> None:
        super().__init__()
        self.runs = runs


def pay(rows: Rows, n_clusters: int, n_runs: int) -> bool:
    """Whether whole runs side by side keep all threads busy, or there is work for only one."""
    plain = assignment(rows, n_clusters)
    if not isinstance(plain, PlainAssignment):
        return False
    return n_runs >= 2 * n_threads() or len(plain.bounds) == 2


def whole_runs(rows: Rows, starts: Seeds | Array, *, max_iter: int, tol: float) -> list[Run]:
    """Run k-means from seeds to be chosen, or from centres: (n_runs, n_clusters, n_features).

    Ctrl-C: `Interrupted`.
    """
    ends: dict[int, Run] = {}
    stop: list[int] = []
    if isinstance(starts, Seeds):
        n, k, run_bytes = starts.n_runs, starts.n_clusters, starts.run_bytes
    else:
        (n, k), run_bytes = starts.shape[:2], 0
    centers, memory = n * loops.in_tiles(k), n * run_bytes
    count = min(n, max(n_threads(), -(-centers // _TOGETHER), -(-memory // _GROUP_BYTES)))

    def lane(which: slice) -> None:
        try:
            _run(rows, starts[which], which.start, max_iter, tol, stop, ends)
        except BaseException:  # also Ctrl-C: the other threads stop at their next call
            stop.append(which.start)
            raise

    try:
        run_lanes(lane, [slice(n * i // count, n * (i + 1) // count) for i in range(count)])
    except KeyboardInterrupt as interrupt:
        raise Interrupted([ends[r] for r in sorted(ends)]) from interrupt
    return [ends[r] for r in range(n)]


def _run(
    rows: Rows, starts: Seeds | Array, first: int, max_iter: int, tol: float, stop: list[int],
    ends: dict[int, Run],
) -> None:  # fmt: skip
    """Take runs, numbered from `first`, to their ends, and put these where they belong."""
    if isinstance(starts, Seeds):
        chunk = _steps(rows, starts.n_runs * starts.trials)
        while starts.n_chosen < starts.n_clusters:
            if stop:
                return
            starts.choose(chunk)
        centers = np.stack([rows.block(indices) for indices in starts.indices])
        paths = starts.potentials.tolist()
    else:
        centers, paths = starts.copy(), [[] for _ in starts]
    group = _Together(rows, centers, paths, max_iter, tol)
    chunk = _steps(rows, len(centers) * len(centers[0]))
    while group.going and not stop:
        for at in group.iterate(chunk):
            ends[first + at] = Run(group.end(at, run=first + at), paths[at])


def _steps(rows: Rows, n_points: int) -> int:
    """How many passes over the rows are a call."""
    return max(1, min(_CALL_WORK // (rows.n * rows.d * n_points), _CALL_STEPS))


class _Together:
    """Runs that go on step by step together: labels, sums, centres and path of each."""

    def __init__(
        self, rows: Rows, centers: Array, paths: list[list[float]], max_iter: int, tol: float
    ) -> None:
        n_runs, k, d = centers.shape
        plain = assignment(rows, k)
        assert isinstance(plain, PlainAssignment)
        self.rows, self.plain, self.max_iter, self.tol = rows, plain, max_iter, tol
        n_lanes, width = len(plain.bounds) - 1, loops.in_tiles(k)
        self.centers, self.labels = centers, np.full((n_runs, rows.n), -1, np.int32)
        self.sums, self.weights = np.zeros((n_runs, k, d)), np.zeros((n_runs, k))
        self.counts = np.zeros((n_runs, k), np.intp)
        lanes = n_runs, n_lanes, k
        self.parts = np.empty((*lanes, d)), np.empty(lanes), np.empty(lanes, np.intp)
        self.stacked = np.empty((n_runs * k, d), rows.dtype)
        self.doubled = np.empty((n_runs * width, d), rows.dtype)
        self.offsets, self.largest = np.zeros((n_runs, k), rows.dtype), np.zeros(n_runs)
        self.ages = np.full(n_runs, plain.limit)
        self.done, self.moved = np.full(n_runs, -1), np.zeros(n_runs, np.intp)
        self.shift, self.paths = np.full(n_runs, np.inf), paths
        self.status = np.zeros(n_runs, np.intp)

    @property
    def going(self) -> bool:
        return bool((self.status == loops.GOING).any())

    def iterate(self, n_steps: int) -> list[int]:
        """Do up to so many steps; the runs that have come to their ends by these."""
        plain, rows, turned = self.plain, self.rows, self.plain.turned
        going = [at for at, status in enumerate(self.status) if status == loops.GOING]
        before, path = self.done.copy(), np.empty((len(self.done), n_steps))
        loops.iterate(
            *plain.given, plain.bounds, turned.rounding, plain.limit, rows.energy, rows.origin,
            *room(len(self.doubled), rows.dtype, SHARED_TILE_BYTES), self.labels, self.sums,
            self.weights, self.counts, *self.parts, self.centers, self.stacked, self.doubled,
            self.offsets, self.largest, self.tol, self.max_iter, n_steps, self.ages, self.done,
            self.moved, self.shift, path, self.status,
        )  # fmt: skip
        for at in going:
            self.paths[at] += path[at, : self.done[at] - before[at]].tolist()
            if self.status[at] == loops.EMPTY:
                self._step(at)
            if self.status[at] == loops.CANCELLED:
                self.paths[at][-1] = rows.inertia(self.centers[at], self.labels[at])
                self.status[at] = loops.GOING
        return [at for at in going if self.status[at] != loops.GOING]

    def _alone(self, at: int) -> PlainAssignment:
        """One of the runs as it stands."""
        alone = PlainAssignment(self.rows, self.plain.turned, len(self.centers[at]))
        alone.labels, alone.centers = self.labels[at], self.centers[at]
        alone.sums, alone.weights = self.sums[at], self.weights[at]
        alone.counts, alone.age = self.counts[at], int(self.ages[at])
        return alone

    def _step(self, at: int) -> None:
        """An iteration of a run that has an empty cluster."""
        alone = self._alone(at)
        centers, self.shift[at] = alone.move()
        self.moved[at] = alone.assign(centers)
        self.done[at] += 1
        self.centers[at], self.labels[at], self.ages[at] = centers, alone.labels, alone.age
        self.paths[at].append(alone.inertia())
        self.status[at] = loops.standing(
            self.done[at], self.shift[at], self.moved[at], self.tol, self.max_iter
        )

    def end(self, at: int, run: int) -> LloydState:
        """The state in which a run has come to its end."""
        n_iter, settled = int(self.done[at]), self.status[at] == loops.SETTLED
        inertia = self.rows.inertia(self.centers[at], self.labels[at])
        self.paths[at][-1] = inertia
        if settled and self.shift[at] > self.tol:
            n_iter = min(n_iter + 1, self.max_iter)
        return LloydState(
            n_iter=n_iter, objective=inertia, centers=self.centers[at].copy(),
            labels=self.labels[at].copy(), inertia=inertia, shift=float(self.shift[at]),
            n_changed=int(self.moved[at]), run=run, settled=bool(settled),
        )  # fmt: skip
