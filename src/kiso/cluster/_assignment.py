"""Which cluster each row belongs to, and the centres, as they move; of several runs at once.

One pass over the rows serves all runs. Where centres and features are many, the bounds of
Hamerly (2010) are kept, at no cost, by that pass: a row whose upper bound on the own distance
lies below the lower bound on the others is not looked at again. Where they leave more than
`OPEN_SHARE` of a lane open, the lane goes through whole, as it would without them. Where
centres and features are few, a pass is less work than looking at bounds.
"""

from __future__ import annotations

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import lanes, run_together
from kiso._validation import Array

from . import _assign_loops as loops
from ._panels_loops import whole_tiles
from ._rows import Rows

__all__ = ["Assignment", "bounded", "nearest_centers"]

_CALL_STEPS = 1000


def bounded(rows: Rows, n_clusters: int, always: bool = False) -> bool:
    """Whether bounds are kept, for one run at a time: where they pay, or `always`."""
    return always or rows.d * n_clusters > costs.UNBOUNDED_WORK


def steps_of_a_call(rows: Rows, n_points: int) -> int:
    """How many passes over the rows are a call of compiled code."""
    return max(1, min(costs.ASSIGN_CALL_WORK // (rows.n * rows.d * n_points), _CALL_STEPS))


def lanes_of(rows: Rows, n_clusters: int) -> Array:
    """Cut the rows into lanes: where each begins, and the end."""
    # a lane has sums of its own, and costs a message: not more lanes than rows pay for
    least = max(
        costs.CLUSTER_LANE_ROWS, 4 * n_clusters, costs.ASSIGN_LANE_WORK // (rows.d * n_clusters)
    )
    if not bounded(rows, n_clusters):
        return rows.lanes(least)
    cut = lanes(rows.n, min_rows=least)
    return np.array([lane.start for lane in cut] + [rows.n])


class Assignment:
    """Runs of Lloyd's algorithm: labels, centres, sums over clusters, bounds, progress.

    Attributes
    ----------
    paths : list of lists
        φ after each step, for each run.
    """

    def __init__(
        self, rows: Rows, centers: Array, *, tol: float = 0.0, max_iter: int = 0,
        paths: list[list[float]] | None = None, sums: bool = True, always_bounded: bool = False,
        keeps_bounds: bool = True,
    ) -> None:  # fmt: skip
        n_runs, k, d = centers.shape
        self.rows, self.paths = rows, paths or [[] for _ in range(n_runs)]
        self.panels = rows.panels if sums else rows.given
        self.bounded = sums and keeps_bounds and bounded(rows, k, always_bounded)
        edges = lanes_of(rows, k)
        kept, n_lanes = k if sums else 0, len(edges) - 1

        def made(*shape: int) -> loops.Sums:
            size = (*shape, kept)
            return loops.Sums(np.zeros((*size, d)), np.zeros(size), np.zeros(size, np.intp))

        self.runs = loops.Runs(
            np.full((n_runs, rows.n), -1, np.int32), centers.copy(), centers.copy(),
            made(n_runs), edges, made(n_runs, n_lanes), np.zeros((n_runs, n_lanes), np.intp),
        )  # fmt: skip
        # sums are added up anew after as many moves, each a rounding, as a sum has terms
        limit = rows.n if rows.even else 0
        self.rule = loops.Rule(float(tol), max_iter, limit, rows.energy)
        self.progress = loops.Progress(
            np.full(n_runs, loops.GOING), np.full(n_runs, -1), np.zeros(n_runs, np.intp),
            np.full(n_runs, np.inf), np.full(n_runs, limit), np.empty((n_runs, 0)),
        )  # fmt: skip
        shape = (n_runs, rows.n if self.bounded else 0)
        self.bounds = loops.Bounds(
            np.empty(shape, rows.dtype), np.empty(shape, rows.dtype),
            np.empty((n_runs, k if self.bounded else 0)), 4 * float(np.finfo(rows.dtype).eps),
        )  # fmt: skip
        self.stack = loops.Stack(
            np.zeros(1, np.intp), np.zeros(n_runs, np.intp), np.empty((n_runs * k, d), rows.dtype),
            np.zeros((n_runs * whole_tiles(k), d), rows.dtype), np.zeros((n_runs, k), rows.dtype),
            np.zeros(n_runs),
        )  # fmt: skip

    @property
    def going(self) -> Array:
        """The runs that have not come to their ends."""
        status = self.progress.status
        return np.flatnonzero((status == loops.GOING) | (status == loops.RELOCATED))

    @property
    def steps_of_a_call(self) -> int:
        return steps_of_a_call(self.rows, len(self.stack.Y))

    def advance(self, n_steps: int) -> None:
        """Do up to so many iterations of each run that goes on.

        More calls than one where clusters are empty.
        """
        before = self.progress.done + n_steps
        while len(self.going) and (self.progress.done[self.going] < before[self.going]).any():
            done = self.progress.done[self.going]
            self._pass(int((before[self.going] - done).max()))

    def _pass(self, n_steps: int) -> None:
        """Do up to so many iterations in one call, threads side by side."""
        going, done = self.going, self.progress.done.copy()
        path = np.empty((len(done), n_steps))
        progress = self.progress._replace(path=path)
        turns, meeting = np.zeros((1, 1), np.int64), np.zeros(1, np.int64)
        shared = costs.SHARED_TILE_BYTES if len(done) > 1 else costs.TILE_BYTES

        def take_part(mine: slice, n_members: int) -> None:
            room = self.rows.room(
                self.panels, len(self.stack.doubled), shared, gathers=self.bounded
            )
            loops.iterate(
                self.panels, self.runs, progress, self.stack, self.bounds, self.rule, room,
                loops.Crew(turns, meeting, n_members, mine.start == 0),
            )  # fmt: skip

        run_together(take_part, len(self.runs.lanes) - 1, meeting)
        status = self.progress.status
        for r in going:
            self.paths[r] += path[r, : self.progress.done[r] - done[r]].tolist()
            if status[r] == loops.EMPTY:
                self.runs.following[r] = self._relocated(r)
                status[r] = loops.RELOCATED
            elif status[r] == loops.CANCELLED:
                self.paths[r][-1] = self.inertia(r)
                status[r] = loops.GOING

    def inertia(self, r: int) -> float:
        """Give φ of a run, added up row by row."""
        return self.rows.inertia(self.runs.centers[r], self.runs.label[r])

    def _relocated(self, r: int) -> Array:
        """Give the means of clusters; an empty one goes to the row furthest from its centre.

        As scikit-learn does it: the furthest rows leave their clusters, one for each that
        is empty. Where every row lies on its centre, or only rows of weight 0 are left,
        an empty cluster takes the place of the heaviest.
        """
        sums, weights = self._moved_rows(r, np.flatnonzero(self.runs.sums.N[r] == 0))
        heaviest = int(weights.argmax())
        full = weights > 0
        means = sums / np.where(full, weights, 1.0)[:, None]
        means[~full] = means[heaviest]
        return (means + self.rows.origin).astype(self.rows.dtype)

    def _moved_rows(self, r: int, empty: Array) -> tuple[Array, Array]:
        """Give S and W after the furthest rows have gone to the clusters that are empty."""
        rows, label, centers = self.rows, self.runs.label[r], self.runs.centers[r]
        sums, weights = self.runs.sums.S[r].copy(), self.runs.sums.W[r].copy()
        sums[empty] = 0.0
        weights[empty] = 0.0
        distances = rows.own_distances(centers, label)
        # a mean of equal rows is rounded: it lies on them all the same
        size = rows.lengths() + rows.origin @ rows.origin
        distances[distances <= (4 * np.finfo(rows.dtype).eps) ** 2 * size] = 0.0
        if rows.weight.size:
            distances[rows.weight <= 0] = 0.0
        free = list(empty[::-1])
        for i in np.argsort(-distances, kind="stable"):
            if distances[i] == 0 or not free:
                break
            w = float(rows.weight[i]) if rows.weight.size else 1.0
            if w > (1 - 1e-9) * weights[label[i]]:
                continue  # alone in its cluster: that would be empty instead
            x = w * (rows.block(np.array([i]))[0] - rows.origin)
            sums[label[i]] -= x
            weights[label[i]] -= w
            j = free.pop()
            sums[j], weights[j] = x, w
        return sums, weights


def nearest_centers(rows: Rows, centers: Array) -> Array:
    """Give the number of each row's nearest centre, ties to the smaller; (n,), int32."""
    found = Assignment(rows, centers[None], sums=False)
    found._pass(1)
    return found.runs.label[0]
