"""Which cluster each row belongs to, and what moves the centres, as they move.

`Assignment` keeps the bounds of Hamerly (2010), at no cost, by the pass over blocks that
`kiso._compute.distances` makes: a row whose upper bound on the own distance lies below the lower
bound on the others is not looked at again. Where they leave more than `_OPEN_SHARE` of a
lane open, the lane goes through whole, as it would without them.

`PlainAssignment` has no bounds: where centres and features are few, a pass over rows that
lie turned (`_turned`) is less work than looking at bounds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kiso._compute.distances import Tile
from kiso._compute.threads import blocks, lanes, one_blas_thread, run_lanes
from kiso._validation import Array

from . import _turned_loops as loops
from ._lloyd_loops import accumulate, drift, tighten
from ._rows import MIN_ROWS, Rows
from ._turned import Turned, room

__all__ = ["Assignment", "PlainAssignment", "assignment"]

_OPEN_SHARE = 0.6
_LANE_WORK = 1 << 20  # rows × features × clusters that are worth a lane of their own
_CANCELLED = loops.CANCELLED_SHARE
_PLAIN_WORK = 1500  # features × clusters up to which bounds cost more than they save


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
        # sums are added up anew after as many moves, each a rounding, as a sum has terms
        self.limit = rows.n if rows.even else 0
        self.age = self.limit
        # a lane has sums of its own, and costs a message: not more lanes than rows pay for
        self.least = max(MIN_ROWS, 4 * n_clusters, _LANE_WORK // (rows.d * n_clusters))
        self.lanes = lanes(rows.n, min_rows=self.least)

    def assign(self, centers: Array) -> int:
        """Assign every row to its nearest centre; return how many changed."""
        labels = self.labels.copy()  # the old ones belong to a state
        points = self.rows.points(centers)
        moved = self._moved(centers)
        old, first = self.labels, self.centers is None

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
        if self.age >= self.limit and not first:
            self._add_up()
            self.age = 0
        elif changed:
            for _, sums, weights in parts:
                self.sums += sums
                self.weights += weights
            self.age = 0 if first else self.age + changed
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
        return self.rows.inertia(self.centers, self.labels)

    def move(self) -> tuple[Array, float]:
        """Give the means of the clusters, and the squared distance to the centres as they are."""
        assert self.centers is not None
        centers = self.means()
        return centers, float(np.sum((centers.astype(np.float64) - self.centers) ** 2))

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


class PlainAssignment(Assignment):
    """Labels and sums over clusters, without bounds."""

    def __init__(self, rows: Rows, turned: Turned, n_clusters: int) -> None:
        super().__init__(rows, n_clusters)
        self.turned, self.bounds = turned, turned.bounds(self.least)
        self.counts = np.zeros(n_clusters, np.intp)
        shape = (len(self.bounds) - 1, n_clusters)
        self.parts = np.empty((*shape, rows.d)), np.empty(shape), np.empty(shape, np.intp)
        self.doubled = np.empty((loops.in_tiles(n_clusters), rows.d), rows.dtype)
        self.offsets = np.zeros(n_clusters, rows.dtype)

    def assign(self, centers: Array) -> int:
        rows, turned = self.rows, self.turned
        self.labels, self.centers = self.labels.copy(), centers  # the old belong to a state
        largest = 0.0
        if not turned.direct:
            largest = loops.ready(centers, rows.origin, self.doubled, self.offsets)
        anew = self.age >= self.limit
        for part in self.parts:
            part[:] = 0

        def lane(which: slice) -> int:
            i = which.start
            return loops.assign_lane(
                *self.given, self.bounds[i], self.bounds[i + 1], centers, self.doubled,
                self.offsets, largest, turned.rounding, anew, rows.origin,
                *room(self.k, rows.dtype), self.labels, *(part[i] for part in self.parts),
            )  # fmt: skip

        changed = sum(run_lanes(lane, [slice(i, i + 1) for i in range(len(self.bounds) - 1)]))
        loops.combine(anew, *self.parts, self.sums, self.weights, self.counts)
        self.age = 0 if anew else self.age + changed
        return changed

    @property
    def given(self) -> tuple[Array, int, bool, Array, Array, Array]:
        """The rows, as `_turned_loops` takes them."""
        rows, turned = self.rows, self.turned
        return (
            turned.values, turned.n_padded, turned.direct, turned.rows, rows.weight, turned.reach,
        )  # fmt: skip

    def move(self) -> tuple[Array, float]:
        assert self.centers is not None
        if self.counts.min() == 0:
            return super().move()
        centers = np.empty_like(self.centers)
        shift = loops.means(self.sums, self.weights, self.rows.origin, self.centers, centers)
        return centers, shift

    def inertia(self, *, exact: bool = False) -> float:
        assert self.centers is not None
        if not exact:
            value = loops.potential(
                self.rows.energy, self.centers, self.rows.origin, self.sums, self.weights
            )
            if value > _CANCELLED * self.rows.energy:
                return value
        return super().inertia(exact=True)


def assignment(rows: Rows, n_clusters: int) -> Assignment:
    """Give the kind of assignment that is less work."""
    plain = rows.d * n_clusters <= _PLAIN_WORK
    turned = rows.turned if plain else None
    return (
        Assignment(rows, n_clusters)
        if turned is None
        else PlainAssignment(rows, turned, n_clusters)
    )
