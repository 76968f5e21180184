"""Compiled loops of brute force: what is done with a block of products or of distances.

Loops over unsigned indices (u) are those that have to become vector code: for a signed one
Numba first asks whether it counts from the end. Where distances are added up one by one the
rows lie along the vectors: a block of them is there feature by feature.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

from ._best_loops import offer
from ._metric_loops import CHEBYSHEV, MANHATTAN, MINKOWSKI, exact_square, joined, powers

CHUNK = 64  # products that are tested at once
STEP = 4  # features that are added at once
AT_ONCE = 32  # queries whose distances stay in the first cache meanwhile
LINE = 16  # rows that are turned at once


@compiled
def scan_products(
    S: Array,
    half: Array,
    Q: Array,
    X: Array,
    base: int,
    lift: Array,
    skip: Array,
    distance: Array,
    index: Array,
) -> int:
    """Look through a block of inner products for rows that may be among the k best.

    With E a bound on the error of the products, a row can only be nearer than the farthest
    kept, at D, if ‖x‖² − 2q·x + ‖q‖² − E ≤ D. Such a row is measured exactly. A product
    that overflowed fails no test: it is measured too.

    Parameters
    ----------
    S : (m, n) : q·x
    half : (n,) : ‖x‖²/2, of the type of S
    Q, X : (m, d), (n, d) : the rows as they were given
    base : index of the first row of X
    lift : (m,) float64 : (‖q‖² − E)/2
    skip : (m,) intp : a row that is no neighbour of the query, −1 for none
    distance, index : (m, k), in and out : the heaps

    Returns
    -------
    int
        How many rows were measured.
    """
    m, n = S.shape
    cut = np.empty(1, S.dtype)
    measured = 0
    for i in range(m):
        s, far, which = S[i], distance[i], index[i]
        cut[0] = lift[i] - 0.5 * far[0]
        level = cut[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            candidates = np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(not (s[u] < half[u] + level))
            if candidates == 0:
                continue
            for j in range(start, stop):
                if not (s[j] < half[j] + level) and base + j != skip[i]:
                    offer(far, which, exact_square(Q, i, X, j), base + j)
                    cut[0] = lift[i] - 0.5 * far[0]
                    level = cut[0]
                    measured += 1
    return measured


@compiled
def collect_products(
    S: Array,
    half: Array,
    Q: Array,
    X: Array,
    lift: Array,
    limit: float,
    hits: Array,
    distance: Array,
) -> int:
    """`scan_products` for all rows within a reduced distance; how many were found.

    hits : (m · n, 2) intp, out: query and row of the block; distance : (m · n,) float64, out.
    """
    m, n = S.shape
    cut = np.empty(1, S.dtype)
    count = 0
    for i in range(m):
        cut[0] = lift[i] - 0.5 * limit
        level = cut[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            candidates = np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(not (S[i, u] < half[u] + level))
            if candidates == 0:
                continue
            for j in range(start, stop):
                if not (S[i, j] < half[j] + level):
                    d = exact_square(Q, i, X, j)
                    if d <= limit:
                        hits[count, 0], hits[count, 1] = i, j
                        distance[count] = d
                        count += 1
    return count


@compiled
def lay_columns(X: Array, columns: Array) -> None:
    """Write rows feature by feature; features and rows beyond them are zeros."""
    n, d = X.shape
    columns[:] = 0.0
    for start in range(0, n, LINE):
        for a in range(d):
            for j in range(start, min(start + LINE, n)):
                columns[a, j] = X[j, a]


@compiled_strict
def add_features(Q: Array, columns: Array, metric: int, p: float, D: Array) -> None:
    """Write the reduced distance of each query to each row.

    Q : (m, d'), columns : (d', n): d' a multiple of STEP; zeros, which change nothing, stand
    for features that there are not. D : (m, n). All are float64, or all float32.
    """
    gap, raised = np.empty(columns.shape[1]), np.empty(columns.shape[1])
    for first in range(0, Q.shape[0], AT_ONCE):
        last = min(first + AT_ONCE, Q.shape[0])
        D[first:last] = 0.0
        for a in range(0, Q.shape[1], STEP):
            for i in range(first, last):
                if metric == MINKOWSKI:
                    _add_powers(Q, i, a, columns, p, gap, raised, D)
                else:
                    _add_terms(Q, i, a, columns, metric, D)


@compiled_strict
def _add_terms(Q: Array, i: int, a: int, columns: Array, metric: int, D: Array) -> None:
    """Add the next STEP features to the distances of query i."""
    n = np.uintp(columns.shape[1])
    q0, q1, q2, q3 = Q[i, a], Q[i, a + 1], Q[i, a + 2], Q[i, a + 3]
    if metric == MANHATTAN:
        for u in range(n):
            total = D[i, u] + abs(q0 - columns[a, u])
            total += abs(q1 - columns[a + 1, u])
            total += abs(q2 - columns[a + 2, u])
            D[i, u] = total + abs(q3 - columns[a + 3, u])
    elif metric == CHEBYSHEV:
        for u in range(n):
            g0, g1 = abs(q0 - columns[a, u]), abs(q1 - columns[a + 1, u])
            g2, g3 = abs(q2 - columns[a + 2, u]), abs(q3 - columns[a + 3, u])
            g0 = g0 if g0 > g1 else g1
            g2 = g2 if g2 > g3 else g3
            g0 = g0 if g0 > g2 else g2
            D[i, u] = D[i, u] if D[i, u] > g0 else g0
    else:
        for u in range(n):
            total = D[i, u] + np.float64(q0 != columns[a, u])
            total += np.float64(q1 != columns[a + 1, u])
            total += np.float64(q2 != columns[a + 2, u])
            D[i, u] = total + np.float64(q3 != columns[a + 3, u])


@compiled_strict
def add_shares(Q: Array, columns: Array, d: int, D: Array) -> None:
    """Write the Canberra distance Σ |q − x|/(|q| + |x|) of each query to each row; 0/0 is 0."""
    n, zero = np.uintp(columns.shape[1]), 0.0
    for first in range(0, Q.shape[0], AT_ONCE):
        last = min(first + AT_ONCE, Q.shape[0])
        D[first:last] = 0.0
        for a in range(d):
            for i in range(first, last):
                q = Q[i, a]
                size = abs(q)
                for u in range(n):
                    x = columns[a, u]
                    whole = size + abs(x)
                    share = abs(q - x) / whole
                    D[i, u] += share if whole > zero else zero


@compiled
def add_present(Q: Array, columns: Array, d: int, count: Array, D: Array) -> None:
    """Write d/m Σ (q − x)² over the m features that neither lacks; infinity where m = 0.

    count : (AT_ONCE, n) is room to work in.
    """
    n = np.uintp(columns.shape[1])
    for first in range(0, Q.shape[0], AT_ONCE):
        last = min(first + AT_ONCE, Q.shape[0])
        D[first:last] = 0.0
        count[:] = 0.0
        for a in range(d):
            for i in range(first, last):
                q = Q[i, a]
                if np.isnan(q):
                    continue
                for u in range(n):
                    gap = q - columns[a, u]
                    there = gap == gap
                    D[i, u] += gap * gap if there else 0.0
                    count[i - first, u] += 1.0 if there else 0.0
        for i in range(first, last):
            for u in range(n):
                m = count[i - first, u]
                D[i, u] = D[i, u] * (d / m) if m > 0.0 else np.inf


@compiled_strict
def _add_powers(
    Q: Array, i: int, a: int, columns: Array, p: float, gap: Array, raised: Array, D: Array
) -> None:
    n = np.uintp(columns.shape[1])
    for b in range(a, a + STEP):
        q = Q[i, b]
        for u in range(n):
            gap[u] = abs(q - columns[b, u])
        powers(gap, p, raised)
        for u in range(n):
            D[i, u] += raised[u]


@compiled
def scan_distances(D: Array, base: int, skip: Array, distance: Array, index: Array) -> None:
    """Offer each query all distances of a block, the first of which is of row `base`."""
    n = D.shape[1]
    for i in range(D.shape[0]):
        far, which = distance[i], index[i]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            level, candidates = far[0], np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(D[i, u] <= level)
            if candidates == 0:
                continue
            for j in range(start, stop):
                if D[i, j] <= far[0] and base + j != skip[i]:
                    offer(far, which, D[i, j], base + j)


@compiled
def scan_narrow(
    D: Array,
    Q: Array,
    X: Array,
    base: int,
    slack: float,
    metric: int,
    skip: Array,
    distance: Array,
    index: Array,
) -> None:
    """`scan_distances` where D is rounded, by less than `slack` times: what is near is measured.

    A distance that overflowed is larger than any that `far` holds, or `far` overflows too.
    """
    n = D.shape[1]
    cut = np.empty(1, D.dtype)
    for i in range(D.shape[0]):
        far, which = distance[i], index[i]
        cut[0] = slack * far[0]
        level = cut[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            candidates = np.int32(0)
            for u in range(np.uintp(start), np.uintp(stop)):
                candidates += np.int32(D[i, u] <= level)
            if candidates == 0:
                continue
            for j in range(start, stop):
                if D[i, j] <= level and base + j != skip[i]:
                    offer(far, which, _exact_sum(Q, i, X, j, metric), base + j)
                    cut[0] = slack * far[0]
                    level = cut[0]


@compiled_strict
def _exact_sum(Q: Array, i: int, X: Array, j: int, metric: int) -> float:
    total = 0.0
    for a in range(Q.shape[1]):
        total = joined(total, abs(np.float64(Q[i, a]) - np.float64(X[j, a])), metric)
    return total
