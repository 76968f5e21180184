"""Compiled loops of locally weighted regression: weights and normal equations of each query.

The symbols: a query q, rows x⁽ⁱ⁾ with outputs y⁽ⁱ⁾ and own weights v⁽ⁱ⁾, a bandwidth τ, the
kernel weights w⁽ⁱ⁾ of the rows at the query, a centre c, and the terms of the polynomial

    t(x) = 1, δ₁ … δ_d, δ₁δ₁, δ₁δ₂ … δ_dδ_d,        δ = x − c,

cut off at the degree. Each query accumulates the small normal equations Gθ = r,

    G = Σᵢ v⁽ⁱ⁾w⁽ⁱ⁾ t(x⁽ⁱ⁾) t(x⁽ⁱ⁾)ᵀ,    r = Σᵢ v⁽ⁱ⁾w⁽ⁱ⁾ t(x⁽ⁱ⁾) y⁽ⁱ⁾ᵀ

first with c = q; where the rows lie off to one side, so that the constant and the slopes
are nearly collinear, a second pass takes c = the weighted mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._local_loops import Rows, box_distances, kth_distance, list_runs, nearest_square
from ._local_solve_loops import dot

GAUSSIAN, TRICUBE = 0, 1

BLOCK = 256  # rows whose terms are held in the L1 cache at a time

# exp(−37) = 8.5e-17: with the logarithm of the number of rows added, all the rows left out
# together weigh less than a rounding of the nearest one
NEGLIGIBLE = 37.0

# Below this share the mean is taken out before squaring and not after: the second pass.
OFF_CENTRE = 1e-2

_LOG2E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01  # 32 bits: its product with an integer is exact
_LN2_LOW = 1.90821492927058770002e-10


class Local(NamedTuple):
    """What is fitted around a query."""

    kernel: int
    degree: int
    tau: float
    k: int  # where positive, the bandwidth is the distance of the k-th nearest row instead


class Equations(NamedTuple):
    """Gθ = r of some queries, each about its centre."""

    G: Array  # (n_queries, n_terms, n_terms), the lower triangle
    r: Array  # (n_queries, n_terms, n_outputs)
    about_query: Array  # (n_queries, n_terms): the diagonal of G with c = q
    centre: Array  # (n_queries, n_features): c


class Scratch(NamedTuple):
    """Buffers of one thread, overwritten by every query."""

    box: Array  # (n_leaves,): squared distance of the query to each box
    runs: Array  # (n_leaves + 1, 2): the rows in reach, from and to
    squares: Array  # (n,): squared distances, for the k-th nearest in several dimensions
    w: Array  # (BLOCK,): row weight times kernel weight
    t: Array  # (n_terms + 1, BLOCK): the terms, and one of them weighted
    G: Array  # (n_terms, n_terms)
    r: Array  # (n_terms, n_outputs)


@compiled
def _exp(s: float) -> float:
    """Compute e^s for s ≤ 0 to 2 ulp, in a form that the compiler turns into SIMD code."""
    s = max(s, -700.0)
    n = np.floor(s * _LOG2E + 0.5)
    r = (s - n * _LN2_HIGH) - n * _LN2_LOW
    p = r * (1 / 6227020800) + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    bits = np.int64(np.int64(np.int32(n)) + np.int64(1023)) << np.int64(52)
    return p * np.int64(bits).view(np.float64)


@compiled
def _weights(
    z: Array, rows: Rows, start: int, stop: int, kernel: int, shift: float, scale: float, w: Array
) -> None:
    """Row weight times kernel weight of rows `start` to `stop`.

    Gaussian: exp((shift − distance²) scale) with scale = 1/2τ², so that the nearest row has
    weight 1 however far it is. Tricube: (1 − distance³ scale)³ with scale = 1/τ³.
    """
    v = rows.weight[start:stop]
    w[: v.size] = 0.0
    for a in range(z.size):
        x = rows.Z[a, start:stop]
        for j in range(v.size):
            gap = x[j] - z[a]
            w[j] += gap * gap
    if kernel == TRICUBE:
        for j in range(v.size):
            u = max(1.0 - w[j] * np.sqrt(w[j]) * scale, 0.0)
            w[j] = v[j] * (u * u * u)
    else:
        for j in range(v.size):
            w[j] = v[j] * _exp(min(shift - w[j], 0.0) * scale)


@compiled
def _line_moments(
    x: Array,
    y: Array,
    v: Array,
    z: Array,
    centre: float,
    q: float,
    kernel: int,
    shift: float,
    scale: float,
    G: Array,
    r: Array,
) -> None:
    """Add Σ vw δᵏ and Σ vw δᵏ y of one feature and one output: weights and sums in one pass."""
    m0 = m1 = m2 = m3 = m4 = r0 = r1 = r2 = 0.0
    for j in range(x.size):
        gap = abs(z[j] - q)
        if kernel == TRICUBE:
            u = max(1.0 - gap * gap * gap * scale, 0.0)
            w0 = v[j] * (u * u * u)
        else:
            w0 = v[j] * _exp(min(shift - gap * gap, 0.0) * scale)
        d = x[j] - centre
        w1 = w0 * d
        w2 = w1 * d
        m0 += w0
        m1 += w1
        m2 += w2
        m3 += w2 * d
        m4 += w2 * d * d
        r0 += w0 * y[j]
        r1 += w1 * y[j]
        r2 += w2 * y[j]
    moments = (m0, m1, m2, m3, m4)
    sums = (r0, r1, r2)
    for a in range(r.size):
        r[a] += sums[a]
        for b in range(a + 1):
            G[a, b] += moments[a + b]


@compiled
def _fill_terms(X: Array, start: int, stop: int, centre: Array, degree: int, t: Array) -> None:
    """Write the terms of rows `start` to `stop`, one array row a term."""
    n, d = stop - start, X.shape[0]
    t[0, :n] = 1.0
    if degree == 0:
        return
    for a in range(d):
        x, out = X[a, start:stop], t[1 + a]
        for j in range(n):
            out[j] = x[j] - centre[a]
    if degree == 1:
        return
    k = 1 + d
    for a in range(d):
        for b in range(a, d):
            left, right, out = t[1 + a], t[1 + b], t[k]
            for j in range(n):
                out[j] = left[j] * right[j]
            k += 1


@compiled
def _normal_equations(
    z: Array,
    centre: Array,
    rows: Rows,
    segments: Array,
    local: Local,
    shift: float,
    scale: float,
    s: Scratch,
) -> None:
    """Accumulate G (its lower triangle) and r over the segments, a block at a time."""
    G, r, t, kernel = s.G, s.r, s.t, local.kernel
    n_terms, n_outputs = r.shape
    G[:] = 0.0
    r[:] = 0.0
    line = rows.X.shape[0] == 1 and rows.Z.shape[0] == 1 and n_outputs == 1
    for segment in range(segments.shape[0]):
        first, end = segments[segment, 0], segments[segment, 1]
        if line:
            x, y, v = rows.X[0, first:end], rows.Y[0, first:end], rows.weight[first:end]
            at = rows.Z[0, first:end]
            _line_moments(x, y, v, at, centre[0], z[0], kernel, shift, scale, G, r[:, 0])
            continue
        for start in range(first, end, BLOCK):
            stop = min(start + BLOCK, end)
            n = stop - start
            _weights(z, rows, start, stop, kernel, shift, scale, s.w)
            _fill_terms(rows.X, start, stop, centre, local.degree, t)
            wt = t[n_terms, :n]
            for a in range(n_terms):
                for j in range(n):
                    wt[j] = s.w[j] * t[a, j]
                for b in range(a + 1):
                    G[a, b] += dot(wt, t[b, :n])
                for o in range(n_outputs):
                    r[a, o] += dot(wt, rows.Y[o, start:stop])


@compiled
def _off_centre(G: Array, n_features: int) -> bool:
    """Whether the rows lie so far to one side of the centre that squaring loses digits."""
    if G.shape[0] == 1:
        return False
    for a in range(1, 1 + n_features):
        if G[a, a] * G[0, 0] - G[a, 0] * G[a, 0] < OFF_CENTRE * G[a, a] * G[0, 0]:
            return True
    return False


@compiled
def _sum(
    q: Array,
    z: Array,
    skip: int,
    rows: Rows,
    local: Local,
    s: Scratch,
    about_query: Array,
    centre: Array,
) -> None:
    """Normal equations about the query or, where that loses digits, about the mean."""
    tau = local.tau
    box_distances(z, rows, s.box)
    if local.k > 0:
        tau = kth_distance(z, rows, local.k, s.squares)
    if local.kernel == TRICUBE:
        shift, reach = 0.0, tau * tau
        scale = 1.0 / min(max(tau * tau * tau, 1e-300), 1e300)
    else:
        nearest = nearest_square(z, rows, s.box, skip, -1.0)
        shift = nearest * (1.0 + 1e-15)  # rows as near, to rounding, weigh the same
        scale = 0.5 / min(max(tau * tau, 1e-300), 1e300)
        reach = shift + (NEGLIGIBLE + np.log(rows.weight.size)) / scale
    segments = s.runs[: list_runs(z, rows, s.box, reach, skip, s.runs)]
    centre[:] = q
    _normal_equations(z, centre, rows, segments, local, shift, scale, s)
    for a in range(about_query.size):
        about_query[a] = s.G[a, a]
    if _off_centre(s.G, q.size):
        for a in range(q.size):
            centre[a] += s.G[1 + a, 0] / s.G[0, 0]
        _normal_equations(z, centre, rows, segments, local, shift, scale, s)


@compiled
def _nearest_mean(z: Array, rows: Rows, nearest: float, skip: int, value: Array) -> None:
    """Mean of the rows at the nearest distance: all that can be said without neighbours."""
    limit = nearest * (1.0 + 1e-12)
    total = 0.0
    value[:] = 0.0
    for i in range(rows.weight.size):
        if i == skip or rows.weight[i] == 0:
            continue
        square = 0.0
        for a in range(z.size):
            gap = rows.Z[a, i] - z[a]
            square += gap * gap
        if square <= limit:
            total += rows.weight[i]
            for o in range(value.size):
                value[o] += rows.weight[i] * rows.Y[o, i]
    value /= total


@compiled
def sum_rows(
    Q: Array,
    Z: Array,
    skip: Array,
    todo: Array,
    rows: Rows,
    local: Local,
    equations: Equations,
    values: Array,
) -> None:
    """Write the normal equations of each query that is still to do.

    Parameters
    ----------
    Q, Z : (n_queries, …) float64
        The queries, and their coordinates for distances.
    skip : (n_queries,) intp
        A row to leave out of each, −1 for none.
    todo : (n_queries,) bool
    values : (n_queries, n_outputs), out
        Written, with G = 0, where no row is in reach: the mean of the nearest.
    """
    n_terms, n_outputs = equations.r.shape[1:]
    n_leaves = rows.low.shape[0]
    several = local.k > 0 and Z.shape[1] > 1
    s = Scratch(
        np.empty(n_leaves),
        np.empty((n_leaves + 1, 2), np.intp),
        np.empty(rows.weight.size if several else 0),
        np.empty(BLOCK),
        np.empty((n_terms + 1, BLOCK)),
        np.empty((n_terms, n_terms)),
        np.empty((n_terms, n_outputs)),
    )
    for i in range(Q.shape[0]):
        if not todo[i]:
            continue
        about_query, centre = equations.about_query[i], equations.centre[i]
        _sum(Q[i], Z[i], skip[i], rows, local, s, about_query, centre)
        equations.G[i] = s.G
        equations.r[i] = s.r
        if not s.G[0, 0] > 0.0:
            nearest = nearest_square(Z[i], rows, s.box, skip[i], -1.0)
            _nearest_mean(Z[i], rows, nearest, skip[i], values[i])
