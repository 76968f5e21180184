"""Compiled loops: what a metric is, feature by feature.

The symbols: a query q, reference rows x⁽ʲ⁾, and the *reduced* distance r(q, x), which orders
as the distance does and is cheaper:

    EUCLIDEAN  Σ (q − x)²     MANHATTAN  Σ |q − x|     CHEBYSHEV  max |q − x|
    MINKOWSKI  Σ |q − x|ᵖ     HAMMING    #(q ≠ x)      CANBERRA   Σ |q − x|/(|q| + |x|)
    BRAYCURTIS  Σ |q − x| / Σ (|q| + |x|)
    NAN_EUCLIDEAN  d/m Σ (q − x)² over the m features of d that neither row lacks

It is always added up in float64, from differences, feature after feature (squares: LANES
sums side by side, so that a pair alone is fast too), so that every algorithm finds the same
number to the last bit and ties are the same everywhere. Sums over several rows at once keep
to the order of `exact_square` and of `joined`.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled_strict
from kiso._validation import Array

EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI, HAMMING = 0, 1, 2, 3, 4
CANBERRA, BRAYCURTIS, NAN_EUCLIDEAN = 5, 6, 7  # of dense rows, by brute force

LANES = 8  # partial sums of `exact_square`


@compiled_strict
def exact_square(Q: Array, i: int, X: Array, j: int) -> float:
    """Squared Euclidean distance of two rows: LANES partial sums, then the rest in order.

    Rows come as indices: a view would cost two atomic operations.
    """
    d = Q.shape[1]
    whole = d - d % LANES
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    rest = 0.0
    for a in range(0, whole, LANES):
        g0 = np.float64(Q[i, a]) - np.float64(X[j, a])
        g1 = np.float64(Q[i, a + 1]) - np.float64(X[j, a + 1])
        g2 = np.float64(Q[i, a + 2]) - np.float64(X[j, a + 2])
        g3 = np.float64(Q[i, a + 3]) - np.float64(X[j, a + 3])
        g4 = np.float64(Q[i, a + 4]) - np.float64(X[j, a + 4])
        g5 = np.float64(Q[i, a + 5]) - np.float64(X[j, a + 5])
        g6 = np.float64(Q[i, a + 6]) - np.float64(X[j, a + 6])
        g7 = np.float64(Q[i, a + 7]) - np.float64(X[j, a + 7])
        s0 += g0 * g0
        s1 += g1 * g1
        s2 += g2 * g2
        s3 += g3 * g3
        s4 += g4 * g4
        s5 += g5 * g5
        s6 += g6 * g6
        s7 += g7 * g7
    for a in range(whole, d):
        gap = np.float64(Q[i, a]) - np.float64(X[j, a])
        rest += gap * gap
    return (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))) + rest


@compiled_strict
def power(gap: float, p: float) -> float:
    """gapᵖ of a gap >= 0; by products and a root, which are fast, where 2p is a small integer."""
    twice = halves(p)
    if twice == 0:
        return float(gap**p)
    square = gap * gap
    result = np.sqrt(gap) if twice & 1 else 1.0
    result = result * gap if twice & 2 else result
    result = result * square if twice & 4 else result
    return result * (square * square) if twice & 8 else result


@compiled_strict
def powers(gap: Array, p: float, out: Array) -> None:
    """`power` of many gaps, bit by bit of 2p, so that each pass is vector code."""
    n, twice = np.uintp(gap.size), halves(p)
    if twice == 0:
        for u in range(n):
            out[u] = gap[u] ** p
        return
    out[:] = 1.0
    if twice & 1:
        for u in range(n):
            out[u] = np.sqrt(gap[u])
    if twice & 2:
        for u in range(n):
            out[u] *= gap[u]
    if twice & 4:
        for u in range(n):
            out[u] *= gap[u] * gap[u]
    if twice & 8:
        for u in range(n):
            square = gap[u] * gap[u]
            out[u] *= square * square


@compiled_strict
def halves(p: float) -> int:
    """2p where it is an integer below 16, else 0."""
    return int(2.0 * p) if p < 8.0 and 2.0 * p == np.floor(2.0 * p) else 0


@compiled_strict
def term(gap: float, metric: int, p: float) -> float:
    """What one feature adds to the reduced distance."""
    if metric == EUCLIDEAN:
        return gap * gap
    if metric == MINKOWSKI:
        return power(abs(gap), p)
    if metric == HAMMING:
        return 1.0 if gap != 0.0 else 0.0
    return abs(gap)


@compiled_strict
def joined(total: float, one: float, metric: int) -> float:
    """The reduced distance over one feature more."""
    return max(total, one) if metric == CHEBYSHEV else total + one
