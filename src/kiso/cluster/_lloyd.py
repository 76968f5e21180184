"""Lloyd's algorithm: assign each row to its nearest centre, move the centres to the means.

    a_i = argmin_j ‖x_i − c_j‖²                    φ = Σ w_i ‖x_i − c_{a_i}‖²
    c_j = Σ_{i: a_i = j} w_i x_i / Σ_{i: a_i = j} w_i

Neither step can raise φ, and there are finitely many assignments, so it ends. What comes
out is Lloyd's to the last row; how it is computed:

- one pass over blocks of rows: products with the centres by BLAS, and everything else
  while the tile is in cache (`kiso._distances`);
- the bounds of Hamerly (2010), kept for every row at no cost by that pass: a row whose
  upper bound on the own distance lies below the lower bound on the others is not looked at
  again. Where they leave more than `_OPEN_SHARE` of a lane open, the lane goes through
  whole, as it would without them; so they never cost, whatever the data;
- the sums over clusters change by the rows that changed clusters alone, and with them

      φ = Σ w_i ‖x_i − s‖² − Σ_j (2 (c_j − s)·S_j − W_j ‖c_j − s‖²)

  without another look at the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kiso._distances import Tile
from kiso._parallel import blocks, lanes, one_blas_thread, run_lanes
from kiso._validation import Array
from kiso.base import State

from ._lloyd_loops import accumulate, drift, tighten
from ._rows import MIN_ROWS, Rows

__all__ = ["LloydState", "lloyd"]

_OPEN_SHARE = 0.6
_LANE_WORK = 1 << 21  # rows × features × clusters that are worth a lane of their own
_REFRESH = 10  # iterations after which sums are added up anew
_CANCELLED = 1e-6  # φ / Σ w ‖x − s‖² below which φ is added up row by row


@dataclass(frozen=True, kw_only=True)
class LloydState(State):
    """Centres, and the clusters they make.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        c_j.
    labels : ndarray of shape (n_samples,), int32
        The nearest centre of each row.
    inertia : float
        φ of these centres and labels.
    shift : float
        Σ_j ‖c_j − previous c_j‖²; infinite for the initial centres.
    n_changed : int
        Rows whose label this step changed.
    run : int
        Which of the `n_init` runs this is, from 0.
    settled : bool
        Whether the run has met its stopping rule.
    best : LloydState or None
        The best end of the runs before.
    """

    centers: Array
    labels: Array
    inertia: float
    shift: float
    n_changed: int
    run: int = 0
    settled: bool = False
    best: LloydState | None = field(default=None, repr=False)


class Assignment:
    """Labels, bounds and sums over clusters, kept up to date as the centres move."""

    def __init__(self, rows: Rows, n_clusters: int) -> None:
        self.rows, self.k = rows, n_clusters
        self.labels = np.full(rows.n, -1, np.int32)
        self.upper = np.full(rows.n, np.inf)
        self.lower = np.zeros(rows.n)
        self.sums = np.zeros((n_clusters, rows.d))
        self.weights = np.zeros(n_clusters)
        self.centers: Array | None = None
        self.age = 0
        # a lane has sums of its own, and costs a message: not more lanes than rows pay for
        least = max(MIN_ROWS, 4 * n_clusters, _LANE_WORK // (rows.d * n_clusters))
        self.lanes = lanes(rows.n, min_rows=least)

    def assign(self, centers: Array) -> int:
        """Assign every row to its nearest centre; return how many changed."""
        labels = self.labels.copy()  # the old ones belong to a state
        points = self.rows.points(centers)
        moved = self._moved(centers)
        self.age += 1
        afresh = self.age >= _REFRESH or not self.rows.even
        old = self.labels

        def lane(rows: slice) -> tuple[int, Array, Array]:
            sums, weights = np.zeros((self.k, self.rows.d)), np.zeros(self.k)
            tile = Tile(self.k, self.rows.d, self.rows.dtype)
            changed = 0
            for at in self._open(rows, moved, centers, tile.rows):
                x = self.rows.block(at)
                squares = None if self.rows.direct else self.rows.squares[at]
                labels[at] = found = tile.assign(x, points, squares)
                self.upper[at], self.lower[at] = tile.upper[: len(x)], tile.lower[: len(x)]
                changed += accumulate(
                    x, self.rows.weights(at), found, old[at], self.rows.origin, sums, weights
                )
            return changed, sums, weights

        with one_blas_thread():
            parts = run_lanes(lane, self.lanes)
        self.labels, self.centers = labels, centers
        changed = sum(part[0] for part in parts)
        if afresh and self.age > 1:
            self._add_up()
        elif changed:
            for _, sums, weights in parts:
                self.sums += sums
                self.weights += weights
        return changed

    def _moved(self, centers: Array) -> Array | None:
        if self.centers is None:
            return None
        gaps = centers.astype(np.float64) - self.centers
        return np.sqrt((gaps**2).sum(axis=1)) * (1 + 1e-12)

    def _open(
        self, rows: slice, moved: Array | None, centers: Array, size: int
    ) -> Iterator[slice | Array]:
        """Walk, in blocks, the rows of a lane whose centre may have changed."""
        n = rows.stop - rows.start
        if moved is None:
            yield from blocks(rows, size)
            return
        furthest = int(moved.argmax())
        second = float(np.delete(moved, furthest).max(initial=0.0))
        upper, lower, label = self.upper[rows], self.lower[rows], self.labels[rows]
        listed = np.empty(n + 1, np.intp)
        count = drift(upper, lower, label, moved, furthest, second, listed)
        if count > _OPEN_SHARE * n:
            yield from blocks(rows, size)
            return
        if not self.rows.sparse:
            X = self.rows.X[rows]
            count = tighten(X, centers, upper, lower, label, listed, count)
        listed += rows.start
        for some in blocks(slice(0, count), size):
            yield listed[some]

    def _add_up(self) -> None:
        """Add up the sums over clusters anew, from the labels."""
        self.age = 0
        nowhere = np.full(self.rows.n, -1, np.int32)

        def lane(rows: slice) -> tuple[Array, Array]:
            sums, weights = np.zeros((self.k, self.rows.d)), np.zeros(self.k)
            for at in blocks(rows, 1024):
                accumulate(
                    self.rows.block(at), self.rows.weights(at), self.labels[at], nowhere[at],
                    self.rows.origin, sums, weights,
                )  # fmt: skip
            return sums, weights

        parts = run_lanes(lane, self.lanes)
        self.sums = np.sum([sums for sums, _ in parts], axis=0)
        self.weights = np.sum([weights for _, weights in parts], axis=0)

    def inertia(self, *, exact: bool = False) -> float:
        """Give φ of the centres and labels; `exact` adds it up row by row."""
        assert self.centers is not None
        if not exact:
            c = self.centers - self.rows.origin
            value = self.rows.energy - float(
                np.sum(2 * c * self.sums) - self.weights @ np.sum(c * c, axis=1)
            )
            if value > _CANCELLED * self.rows.energy:
                return value
        return self.rows.total(self.rows.own_distances(self.centers, self.labels))

    def means(self) -> Array:
        """Give the means of the clusters; an empty one goes to the row furthest from its centre.

        As scikit-learn does it: the furthest rows leave their clusters, one for each that
        is empty. Where every row lies on its centre, or only rows of weight 0 are left,
        an empty cluster takes the place of the heaviest.
        """
        assert self.centers is not None
        sums, weights = self.sums, self.weights
        weighty = self.labels[self.rows.weight > 0] if self.rows.weight.size else self.labels
        # by counting: what a difference of weights leaves of an empty cluster may not be 0
        empty = np.flatnonzero(np.bincount(weighty, minlength=self.k) == 0)
        if len(empty):
            sums, weights = self._relocate(empty)
        heaviest = int(weights.argmax())
        full = weights > 0
        means = sums / np.where(full, weights, 1.0)[:, None]
        means[~full] = means[heaviest]
        return (means + self.rows.origin).astype(self.rows.dtype)

    def _relocate(self, empty: Array) -> tuple[Array, Array]:
        assert self.centers is not None
        sums, weights = self.sums.copy(), self.weights.copy()
        sums[empty] = 0.0
        weights[empty] = 0.0
        distances = self.rows.own_distances(self.centers, self.labels)
        # a mean of equal rows is rounded: it lies on them all the same
        size = self.rows.squares + self.rows.origin @ self.rows.origin
        distances[distances <= (4 * np.finfo(self.rows.dtype).eps) ** 2 * size] = 0.0
        if self.rows.weight.size:
            distances[self.rows.weight <= 0] = 0.0
        free = list(empty[::-1])
        for i in np.argsort(-distances, kind="stable"):
            if distances[i] == 0 or not free:
                break
            w = float(self.rows.weight[i]) if self.rows.weight.size else 1.0
            if w > (1 - 1e-9) * weights[self.labels[i]]:
                continue  # alone in its cluster: that would be empty instead
            x = w * (self.rows.block(np.array([i]))[0] - self.rows.origin)
            sums[self.labels[i]] -= x
            weights[self.labels[i]] -= w
            j = free.pop()
            sums[j], weights[j] = x, w
        return sums, weights


def lloyd(rows: Rows, centers: Array, *, max_iter: int, tol: float) -> Iterator[LloydState]:
    """Run Lloyd's algorithm from these centres: a state for them, and one an iteration.

    Ends when no label changes (and counts, as scikit-learn does, the iteration that sees
    it), when the centres together move by no more than `tol` (squared, in the data's
    units), or after `max_iter` iterations.
    """
    clusters = Assignment(rows, len(centers))
    changed = clusters.assign(centers)
    inertia, shift, n_iter, settled = clusters.inertia(), np.inf, 0, False
    while True:
        yield LloydState(
            n_iter=n_iter,
            objective=inertia,
            centers=centers,
            labels=clusters.labels,
            inertia=inertia,
            shift=shift,
            n_changed=changed,
            settled=settled,
        )
        if settled or n_iter >= max_iter:
            return
        previous, centers = centers, clusters.means()
        shift = float(np.sum((centers.astype(np.float64) - previous) ** 2))
        changed = clusters.assign(centers)
        n_iter += 1
        settled = shift <= tol or changed == 0
        inertia = clusters.inertia(exact=settled or n_iter >= max_iter)
        if settled and shift > tol:
            n_iter = min(n_iter + 1, max_iter)
