"""Compiled loops of sparse search: inverted lists propose, a walk along two rows measures.

For all metrics that are sums of terms f(q, x) over features, with f(0, 0) = 0,

    r(q, x) = F(q) + F(x) − 2 s(q, x),   s = ½ Σ [f(q, 0) + f(0, x) − f(q, x)]

where F(x) = r(0, x), and the sum runs over features that neither row lacks (s = q·x for the
Euclidean distance). So s of a query and all rows takes the lists of the rows that have each of
its features, not a pass over all rows. It is added up in float64, with a bound E on its error;
rows that may be near enough are measured by `exact_pair`, from differences.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

from ._best_loops import offer
from ._metric_loops import EUCLIDEAN, joined, term

CHUNK = 64  # rows that are tested at once


class Rows(NamedTuple):
    """CSR rows with sorted indices."""

    data: Array
    feature: Array
    start: Array


class Lists(NamedTuple):
    """Inverted lists of a block of rows: CSC columns."""

    data: Array
    row: Array
    start: Array


@compiled_strict
def exact_pair(q: Rows, i: int, x: Rows, j: int, metric: int, p: float) -> float:
    """Reduced distance of two rows: both are walked at once."""
    a, a_end, b, b_end = q.start[i], q.start[i + 1], x.start[j], x.start[j + 1]
    total = 0.0
    while a < a_end or b < b_end:
        gap = 0.0
        left = q.feature[a] if a < a_end else x.feature[b]
        right = x.feature[b] if b < b_end else left
        if a < a_end and left <= right:
            gap += np.float64(q.data[a])
            a += 1
        if b < b_end and right <= left:
            gap -= np.float64(x.data[b])
            b += 1
        total = joined(total, term(gap, metric, p), metric)
    return total


@compiled_strict
def fill_pairs(q: Rows, x: Rows, metric: int, p: float, D: Array) -> None:
    """Write the reduced distance of each query to each row, for metrics that are no sums."""
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            D[i, j] = exact_pair(q, i, x, j, metric, p)


@compiled_strict
def own_terms(x: Rows, metric: int, p: float, F: Array) -> None:
    """F(x) = r(0, x) of each row."""
    for i in range(F.size):
        total = 0.0
        for a in range(x.start[i], x.start[i + 1]):
            total += term(np.float64(x.data[a]), metric, p)
        F[i] = total


@compiled
def _shared_terms(q: Rows, i: int, lists: Lists, metric: int, p: float, s: Array) -> None:
    """Write s(q, x) of a query and all rows of the lists."""
    for u in range(np.uintp(s.size)):
        s[u] = 0.0
    for a in range(q.start[i], q.start[i + 1]):
        value, feature = np.float64(q.data[a]), q.feature[a]
        first, last = np.uintp(lists.start[feature]), np.uintp(lists.start[feature + 1])
        if metric == EUCLIDEAN:
            for u in range(first, last):
                s[np.uintp(lists.row[u])] += value * np.float64(lists.data[u])
            continue
        alone = term(value, metric, p)
        for u in range(first, last):
            other = np.float64(lists.data[u])
            gain = alone + term(other, metric, p) - term(value - other, metric, p)
            s[np.uintp(lists.row[u])] += 0.5 * gain


@compiled
def _any_above(s: Array, half: Array, level: float, start: int, stop: int) -> bool:
    """Whether a row of a chunk may be near enough; one that overflowed may."""
    candidates = np.int32(0)
    for u in range(np.uintp(start), np.uintp(stop)):
        candidates += np.int32(not (s[u] < half[u] + level))
    return bool(candidates > 0)


@compiled
def _least(s: Array, half: Array, skip: int, level: float, near: Array, which: Array) -> None:
    """Find the k least of F(x)/2 − s(q, x) as added up; those at the root are the farthest."""
    n = s.size
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        if not _any_above(s, half, -near[0] if -near[0] > level else level, start, stop):
            continue
        for j in range(start, stop):
            if j != skip:
                offer(near, which, half[j] - s[j], j)


@compiled
def scan_lists(
    q: Rows,
    x: Rows,
    lists: Lists,
    base: int,
    half: Array,
    lift: Array,
    error: Array,
    metric: int,
    p: float,
    skip: Array,
    distance: Array,
    index: Array,
) -> None:
    """Offer each query the rows of the lists that may be among the k best.

    The k that seem least bound the distance of the k-th, so little more than k are measured.

    Parameters
    ----------
    q, x : the queries, all rows
    lists, base : the lists of the rows from `base` on
    half : (n_block,) : F(x)/2
    lift, error : (m,) : (F(q) − E)/2, E
    skip : (m,) intp : a row that is no neighbour of the query, −1 for none
    distance, index : (m, k), in and out : the heaps
    """
    n, k = half.size, distance.shape[1]
    s, near, place = np.empty(n), np.empty(k), np.empty(k, np.intp)
    for i in range(lift.size):
        _shared_terms(q, i, lists, metric, p, s)
        far, which = distance[i], index[i]
        near[:], place[:] = np.inf, n
        _least(s, half, skip[i] - base, lift[i] - 0.5 * far[0], near, place)
        enough = -near[0] - error[i]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            kept = lift[i] - 0.5 * far[0]
            if not _any_above(s, half, enough if enough > kept else kept, start, stop):
                continue
            for j in range(start, stop):
                kept = lift[i] - 0.5 * far[0]
                level = enough if enough > kept else kept  # a kept that is no number stays
                if not (s[j] < half[j] + level) and base + j != skip[i]:
                    offer(far, which, exact_pair(q, i, x, base + j, metric, p), base + j)


@compiled
def collect_lists(
    q: Rows,
    x: Rows,
    lists: Lists,
    base: int,
    half: Array,
    lift: Array,
    metric: int,
    p: float,
    limit: float,
    hits: Array,
    distance: Array,
) -> int:
    """`scan_lists` for all rows within a reduced distance; how many were found.

    hits : (at least as many, 2) intp, out: query and row of the block; distance : float64, out.
    Where they are empty, rows are only counted.
    """
    n, count = half.size, 0
    s = np.empty(n)
    for i in range(lift.size):
        _shared_terms(q, i, lists, metric, p, s)
        level = lift[i] - 0.5 * limit
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            if not _any_above(s, half, level, start, stop):
                continue
            for j in range(start, stop):
                if s[j] < half[j] + level:
                    continue
                d = exact_pair(q, i, x, base + j, metric, p)
                if d <= limit:
                    if hits.size > 0:
                        hits[count, 0], hits[count, 1] = i, j
                        distance[count] = d
                    count += 1
    return count
