"""k-means of rows in parts: seeds from a sample or by k-means||, one pass over the parts a step.

A pass gives, for every cluster, Σ w_i (x_i − s), Σ w_i, the number of rows, and φ; s is the mean
of all rows. Nothing is kept of a row from one pass to the next. Labels have not changed where no
sum has: sums are taken in the same order each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from kiso._compute.gram import centred_gram
from kiso._parts import Part, Parts
from kiso._validation import Array

from ._assignment import Assignment, nearest_centers
from ._lloyd import LloydState, lloyd
from ._rows import Rows
from ._seeding import SeedingState, last_seeds, plus_plus, random_rows

__all__ = ["Spread", "lloyd_of_parts", "sample_of", "seeds_of_parts", "spread_of"]

_SAMPLE = 4096  # rows that seeds are drawn from, at least
_SAMPLE_PER_CLUSTER = 64
_TRIES = 3  # seedings on a sample
_SETTLING = 20  # iterations on a sample
_ROUNDS = 5
_OVERSAMPLING = 2.0


class Spread(NamedTuple):
    """Mean and Σ (x − x̄)² of each feature, rows and weight of all rows."""

    n: int
    weight: float
    mean: Array
    squares: Array


class ClusterSums(NamedTuple):
    """What a pass finds."""

    S: Array  # (k, d): Σ w_i (x_i − s)
    W: Array  # (k,)
    N: Array  # (k,): rows of positive weight
    inertia: float


class Far(NamedTuple):
    """The rows furthest from their centres, furthest first."""

    distance: Array
    x: Array
    weight: Array
    label: Array


def spread_of(rows: Parts) -> Spread:
    """Take means and variances of the features in one pass."""
    found: Spread = rows.sum_of(_spread_of_part, merge=_both_spreads)
    if not found.weight > 0:
        raise ValueError("sample_weight: at least one row needs a weight > 0")
    return found


def _spread_of_part(part: Part) -> Spread:
    n = len(part)
    weight = float(n) if part.weight is None else float(part.weight.sum())
    if sparse.issparse(part.X):
        mean, variance = mean_variance_axis(part.X, axis=0)
        return Spread(n, weight, mean.astype(np.float64), variance.astype(np.float64) * n)
    found = centred_gram(part.X, diagonal=True)
    return Spread(n, weight, found.mean, found.scatter)


def _both_spreads(one: Spread, other: Spread) -> Spread:
    n = one.n + other.n
    delta = other.mean - one.mean
    squares = one.squares + other.squares + delta**2 * (one.n * other.n / n)
    return Spread(n, one.weight + other.weight, one.mean + delta * (other.n / n), squares)


def _rows(part: Part) -> Rows:
    weight = None if part.weight is None else part.weight.astype(part.X.dtype)
    return Rows(part.X, weight)


# ------------------------------------------------------------------------------- seeds


def sample_of(rows: Parts, size: int, rng: np.random.Generator) -> tuple[Rows, Array]:
    """Draw rows without repetition; all of them where there are no more. Also their numbers."""
    n = rows.n_rows
    numbers = np.arange(n) if n <= size else np.sort(rng.choice(n, size, replace=False))
    return _rows(rows.take(numbers)), numbers


def seeds_of_parts(
    rows: Parts, n_clusters: int, init: str, rng: np.random.Generator
) -> Iterator[SeedingState]:
    """Choose centres: "k-means++" and "random" from a sample, "k-means||" from all rows."""
    if init == "k-means||":
        yield _parallel(rows, n_clusters, rng)
        return
    some, numbers = sample_of(rows, max(_SAMPLE, _SAMPLE_PER_CLUSTER * n_clusters), rng)
    share = len(numbers) / rows.n_rows
    choose = plus_plus if init == "k-means++" else random_rows
    for state in choose(some, n_clusters, rng):
        inertia = state.inertia / share
        yield replace(state, indices=numbers[state.indices], inertia=inertia, objective=inertia)
    if init == "k-means++" and share < 1.0:
        centers, inertia = _settled(some, state.centers, rng)
        yield replace(state, centers=centers, inertia=inertia / share, objective=inertia / share)


def _settled(some: Rows, centers: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """Let seeds settle on the sample, which is cheaper than on all rows: the best of a few."""
    k, ends = len(centers), []
    for _ in range(_TRIES):
        *_, last = lloyd(some, centers, max_iter=_SETTLING, tol=0.0)
        ends.append(last)
        centers = last_seeds(plus_plus(some, k, rng)).centers
    best = min(ends, key=lambda end: end.inertia)
    return best.centers, best.inertia


def _parallel(rows: Parts, n_clusters: int, rng: np.random.Generator) -> SeedingState:
    """k-means||: about 2k rows a round, with probability min(1, 2 k w_i D_i² / φ), one pass each.

    A row with a uniform number u_i is taken where u_i / (w_i D_i²) < 2k / φ. So a pass need not
    know φ: it brings the rows of smallest u_i / (w_i D_i²), with φ.
    """
    expected = _OVERSAMPLING * n_clusters
    most = int(4 * expected) + 16
    first, _ = sample_of(rows, 1, rng)
    chosen = first.block(slice(0, 1))
    for _ in range(_ROUNDS):
        seed = int(rng.integers(2**31))
        inertia, key, x = rows.sum_of(_drawn, chosen, seed, most, merge=_smallest)
        if not inertia > 0:
            break
        chosen = np.concatenate([chosen, x[key * inertia < expected]])
    if len(chosen) < n_clusters:  # too few rows apart from each other
        some, _ = sample_of(rows, max(_SAMPLE, n_clusters), rng)
        chosen = np.concatenate([chosen, last_seeds(plus_plus(some, n_clusters, rng)).centers])
    found = _sums(rows, chosen, chosen.mean(axis=0, dtype=np.float64))
    kept = found.W > 0
    if np.count_nonzero(kept) < n_clusters:
        kept[:] = True
    reduced = Rows(np.ascontiguousarray(chosen[kept]), found.W[kept].astype(rows.dtype))
    state = last_seeds(plus_plus(reduced, n_clusters, rng))
    return replace(state, indices=np.full(n_clusters, -1))


def _drawn(part: Part, chosen: Array, seed: int, most: int) -> tuple[float, Array, Array]:
    rows = _rows(part)
    closest = rows.own_distances(chosen, nearest_centers(rows, chosen))
    mass = closest * (rows.weight if rows.weight.size else 1.0)
    u = np.random.default_rng([seed, part.number]).random(rows.n)
    with np.errstate(divide="ignore"):
        key = np.where(mass > 0, u / mass, np.inf)
    at = np.argsort(key, kind="stable")[:most]
    at = at[np.isfinite(key[at])]
    return float(mass.sum()), key[at], rows.block(at)


def _smallest(one: Any, other: Any) -> Any:
    most = max(len(one[1]), len(other[1]))
    key, x = np.concatenate([one[1], other[1]]), np.concatenate([one[2], other[2]])
    at = np.argsort(key, kind="stable")[:most]
    return one[0] + other[0], key[at], x[at]


# ------------------------------------------------------------------------------- steps


def _sums(rows: Parts, centers: Array, origin: Array) -> ClusterSums:
    return rows.sum_of(_sums_of_part, centers, origin)


def _sums_of_part(part: Part, centers: Array, origin: Array) -> ClusterSums:
    rows = _rows(part)
    run = Assignment(rows, centers[None], max_iter=1, keeps_bounds=False)
    run.advance(1)
    S, W, N = (np.array(member[0]) for member in run.runs.sums)
    S += W[:, None] * (rows.origin - origin)
    return ClusterSums(S, W, N, float(run.paths[0][-1]))


def lloyd_of_parts(
    rows: Parts, centers: Array, *, origin: Array, max_iter: int, tol: float
) -> Iterator[LloydState]:
    """Run Lloyd's algorithm: a state for the initial centres, and one an iteration.

    Each is one pass over the parts (two where a cluster became empty). `n_changed` of a state
    is the least number of rows whose label can have changed; 0 where none has.
    """
    centers = np.ascontiguousarray(centers, dtype=rows.dtype)
    found = _sums(rows, centers, origin)
    state = _state(0, centers, found.inertia, np.inf, int(found.N.sum()), settled=False)
    yield state
    for n_iter in range(1, max_iter + 1):
        new = _means(rows, found, centers, origin)
        shift = float(np.sum((new.astype(np.float64) - centers) ** 2))
        centers, before = new, found
        found = _sums(rows, centers, origin)
        same = np.array_equal(found.S, before.S) and np.array_equal(found.W, before.W)
        changed = 0 if same else max(1, int(np.abs(found.N - before.N).sum()) // 2)
        settled = shift <= tol or same
        counted = min(n_iter + 1, max_iter) if settled and shift > tol else n_iter
        yield _state(counted, centers, found.inertia, shift, changed, settled=settled)
        if settled:
            return


def _state(
    n_iter: int, centers: Array, inertia: float, shift: float, changed: int, *, settled: bool
) -> LloydState:
    return LloydState(
        n_iter=n_iter,
        objective=inertia,
        centers=centers,
        labels=np.empty(0, np.int32),
        inertia=inertia,
        shift=shift,
        n_changed=changed,
        settled=settled,
    )


def _means(rows: Parts, found: ClusterSums, centers: Array, origin: Array) -> Array:
    """The means of clusters; an empty one goes to the row furthest from its centre."""
    S, W = found.S.copy(), found.W.copy()
    empty = np.flatnonzero(found.N == 0)
    if len(empty):
        _fill(S, W, empty, rows, centers, origin)
    heaviest, full = int(W.argmax()), W > 0
    means = S / np.where(full, W, 1.0)[:, None]
    means[~full] = means[heaviest]
    return np.ascontiguousarray(means + origin, dtype=rows.dtype)


def _fill(S: Array, W: Array, empty: Array, rows: Parts, centers: Array, origin: Array) -> None:
    """Let the furthest rows leave their clusters, one for each cluster that is empty."""
    S[empty], W[empty] = 0.0, 0.0
    most = len(empty) + len(centers)
    far: Far = rows.sum_of(_far_of_part, centers, most, merge=_furthest)
    free = list(empty[::-1])
    for x, w, label in zip(far.x, far.weight, far.label, strict=True):
        if not free:
            break
        if w > (1 - 1e-9) * W[label]:
            continue  # alone in its cluster: that would be empty instead
        moved = w * (x.astype(np.float64) - origin)
        S[label] -= moved
        W[label] -= w
        j = free.pop()
        S[j], W[j] = moved, w


def _far_of_part(part: Part, centers: Array, most: int) -> Far:
    rows = _rows(part)
    labels = nearest_centers(rows, centers)
    distance = rows.own_distances(centers, labels)
    # a mean of equal rows is rounded: it lies on them all the same
    size = rows.lengths() + rows.origin @ rows.origin
    apart = distance > (4 * np.finfo(rows.dtype).eps) ** 2 * size
    if rows.weight.size:
        apart &= rows.weight > 0
    at = np.argsort(-np.where(apart, distance, 0.0), kind="stable")[:most]
    at = at[apart[at]]
    weight = rows.weights(at) if rows.weight.size else np.ones(len(at))
    return Far(distance[at], rows.block(at), np.asarray(weight, np.float64), labels[at])


def _furthest(one: Far, other: Far) -> Far:
    most = max(len(one.distance), len(other.distance))
    both = Far(*(np.concatenate(members) for members in zip(one, other, strict=True)))
    at = np.argsort(-both.distance, kind="stable")[:most]
    return Far(*(member[at] for member in both))
