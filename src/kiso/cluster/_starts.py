"""Whole runs of k-means side by side: each from its seeds to its end on one thread.

Lanes of rows meet after every pass; runs need not meet at all. So where there are several
runs, and nobody looks at the steps on the way, each is a few compiled calls on a thread of
its own. What comes out is what the runs one after the other give, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kiso._parallel import n_threads, run_lanes
from kiso._validation import Array

from ._assignment import PlainAssignment, assignment
from ._lloyd import LloydState
from ._rows import Rows
from ._turned_seeding import Seeds

__all__ = ["Interrupted", "Run", "pay", "whole_runs"]

_CALL_WORK = 1 << 27  # rows × features × clusters of a call: Ctrl-C waits for its end


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


def whole_runs(
    rows: Rows, starts: Sequence[Seeds | Array], *, max_iter: int, tol: float
) -> list[Run]:
    """Run k-means from seeds to be chosen, or from centres. Ctrl-C: `Interrupted`."""
    ends: dict[int, Run] = {}
    stop: list[int] = []

    def lane(which: slice) -> None:
        try:
            end = _run(rows, starts[which.start], which.start, max_iter, tol, stop)
        except BaseException:  # also Ctrl-C: the other threads stop at their next call
            stop.append(which.start)
            raise
        if end is not None:
            ends[which.start] = end

    try:
        run_lanes(lane, [slice(r, r + 1) for r in range(len(starts))])
    except KeyboardInterrupt as interrupt:
        raise Interrupted([ends[r] for r in sorted(ends)]) from interrupt
    return [ends[r] for r in range(len(starts))]


def _run(
    rows: Rows, start: Seeds | Array, run: int, max_iter: int, tol: float, stop: list[int]
) -> Run | None:
    n_clusters = len(start.indices) if isinstance(start, Seeds) else len(start)
    chunk = max(1, _CALL_WORK // (rows.n * rows.d * n_clusters))
    path: list[float] = []
    if isinstance(start, Seeds):
        while start.n_chosen < n_clusters and not stop:
            start.choose(chunk)
        path += start.potentials.tolist()
        start = rows.block(start.indices)
    clusters = assignment(rows, n_clusters)
    assert isinstance(clusters, PlainAssignment)
    changed = clusters.assign(start)
    path.append(clusters.inertia())
    n_iter, shift, settled = 0, np.inf, False
    while not (settled or n_iter >= max_iter):
        if stop:
            return None
        if clusters.counts.min() == 0:
            centers, shift = clusters.move()
            changed, values = clusters.assign(centers), [clusters.inertia()]
        else:
            values, shift, changed = clusters.iterate(min(chunk, max_iter - n_iter), tol)
        n_iter += len(values)
        settled = shift <= tol or changed == 0
        path += values
        path[-1] = clusters.inertia(exact=settled or n_iter >= max_iter)
    if settled and shift > tol:
        n_iter = min(n_iter + 1, max_iter)
    assert clusters.centers is not None
    state = LloydState(
        n_iter=n_iter, objective=path[-1], centers=clusters.centers, labels=clusters.labels,
        inertia=path[-1], shift=shift, n_changed=changed, run=run, settled=settled,
    )  # fmt: skip
    return Run(state, path)
