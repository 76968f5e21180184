"""Compiled loops of locally weighted regression: distances, weights, normal equations.

The symbols: a query q, rows x⁽ⁱ⁾ with outputs y⁽ⁱ⁾ and own weights v⁽ⁱ⁾, a bandwidth τ, the
kernel weights w⁽ⁱ⁾ of the rows at the query, a centre c, and the terms of the polynomial

    t(x) = 1, δ₁ … δ_d, δ₁δ₁, δ₁δ₂ … δ_dδ_d,        δ = x − c,

cut off at the degree. Each query accumulates the small normal equations Gθ = r,

    G = Σᵢ v⁽ⁱ⁾w⁽ⁱ⁾ t(x⁽ⁱ⁾) t(x⁽ⁱ⁾)ᵀ,    r = Σᵢ v⁽ⁱ⁾w⁽ⁱ⁾ t(x⁽ⁱ⁾) y⁽ⁱ⁾ᵀ

first with c = q; where the rows lie off to one side, so that the constant and the slopes
are nearly collinear, a second pass takes c = the weighted mean.

The rows stand in leaves, runs of rows that are neighbours, each with the box that holds
it: a query visits the leaves whose box its kernel reaches. One feature is simply sorted.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from kiso._jit import compiled
from kiso._validation import Array

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


class Rows(NamedTuple):
    """The training rows, in the order of the leaves; one array row a feature or output."""

    X: Array  # (n_features, n): what the polynomial is in
    Z: Array  # (n_coordinates, n): where distances are Euclidean
    Y: Array  # (n_outputs, n)
    weight: Array  # (n,) float64: v, at least 0
    starts: Array  # (n_leaves + 1,) intp: leaf l is rows starts[l] to starts[l + 1]
    low: Array  # (n_leaves, n_coordinates): the corners of the boxes
    high: Array


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
def _box_distances(z: Array, rows: Rows, box: Array) -> None:
    """Squared distance of the query to every box (one dimension has no use for them)."""
    if z.size == 1:
        return
    for leaf in range(box.size):
        total = 0.0
        for a in range(z.size):
            gap = max(rows.low[leaf, a] - z[a], z[a] - rows.high[leaf, a], 0.0)
            total += gap * gap
        box[leaf] = total


@compiled
def _nearest_in(z: Array, rows: Rows, leaf: int, skip: int, beyond: float, nearest: float) -> float:
    for i in range(rows.starts[leaf], rows.starts[leaf + 1]):
        total = 0.0
        for a in range(z.size):
            gap = rows.Z[a, i] - z[a]
            total += gap * gap
        if beyond < total < nearest and rows.weight[i] > 0 and i != skip:
            nearest = total
    return nearest


@compiled
def _nearest(z: Array, rows: Rows, box: Array, skip: int, beyond: float) -> float:
    """Squared distance, more than `beyond`, of the nearest row that has weight."""
    if z.size == 1:
        return _nearest_sorted(z[0], rows, skip, beyond)
    first = int(np.argmin(box))
    nearest = _nearest_in(z, rows, first, skip, beyond, inf)
    for leaf in range(box.size):
        if box[leaf] < nearest and leaf != first:
            nearest = _nearest_in(z, rows, leaf, skip, beyond, nearest)
    return nearest


@compiled
def _nearest_sorted(q: float, rows: Rows, skip: int, beyond: float) -> float:
    """`_nearest` among sorted rows: walk away from the query on both sides."""
    x, v = rows.Z[0], rows.weight
    nearest = inf
    right = _count_below(x, q)
    left = right - 1
    while left >= 0 and (left == skip or v[left] == 0 or (q - x[left]) ** 2 <= beyond):
        left -= 1
    while right < x.size and (right == skip or v[right] == 0 or (x[right] - q) ** 2 <= beyond):
        right += 1
    if left >= 0:
        nearest = (q - x[left]) ** 2
    if right < x.size:
        nearest = min(nearest, (x[right] - q) ** 2)
    return nearest


@compiled
def _count_below(x: Array, value: float) -> int:
    """How many of the sorted x are less than a value."""
    low, high = 0, x.size
    while low < high:
        middle = (low + high) // 2
        if x[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _select(values: Array, k: int) -> float:
    """Value that stands at index k after sorting (Hoare's selection, in place)."""
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@compiled
def _kth_distance(z: Array, rows: Rows, k: int, squares: Array) -> float:
    """Distance of the k-th nearest row, whatever its weight."""
    n = rows.Z.shape[1]
    if z.size == 1:  # sorted: find the window of k rows whose ends are equally far
        x = rows.Z[0]
        left, right = 0, n - k
        while left < right:
            middle = (left + right) // 2
            if z[0] - x[middle] > x[middle + k] - z[0]:
                left = middle + 1
            else:
                right = middle
        return max(z[0] - x[left], x[left + k - 1] - z[0])
    squares[:] = 0.0
    for a in range(z.size):
        x = rows.Z[a]
        for i in range(n):
            gap = x[i] - z[a]
            squares[i] += gap * gap
    return np.sqrt(_select(squares, k - 1))


@compiled
def _segments(z: Array, rows: Rows, box: Array, reach: float, skip: int, segments: Array) -> int:
    """Runs of rows that hold all those within reach (squared), without the row to skip."""
    if z.size == 1:
        x, radius = rows.Z[0], np.sqrt(reach) * (1.0 + 1e-15)
        first, last = _count_below(x, z[0] - radius), _count_below(x, z[0] + radius)
        while last < x.size and x[last] <= z[0] + radius:
            last += 1
        return _add_run(first, last, skip, segments, 0)
    count = 0
    for leaf in range(box.size):
        if box[leaf] <= reach:
            count = _add_run(rows.starts[leaf], rows.starts[leaf + 1], skip, segments, count)
    return count


@compiled
def _add_run(start: int, stop: int, skip: int, segments: Array, count: int) -> int:
    if start <= skip < stop:
        segments[count] = start, skip
        segments[count + 1] = skip + 1, stop
        return count + 2
    if count > 0 and segments[count - 1, 1] == start:
        segments[count - 1, 1] = stop
        return count
    segments[count] = start, stop
    return count + 1


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
def _dot(a: Array, b: Array) -> float:
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


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
                    G[a, b] += _dot(wt, t[b, :n])
                for o in range(n_outputs):
                    r[a, o] += _dot(wt, rows.Y[o, start:stop])


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
def nearest_squares(Z: Array, rows: Rows, skip: Array, beyond: float, out: Array) -> None:
    """Squared distance of each query's nearest row that is farther than `beyond`, squared."""
    box = np.empty(rows.low.shape[0])
    for i in range(out.size):
        _box_distances(Z[i], rows, box)
        out[i] = _nearest(Z[i], rows, box, skip[i], beyond)


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
            nearest = _nearest(Z[i], rows, s.box, skip[i], -1.0)
            _nearest_mean(Z[i], rows, nearest, skip[i], values[i])


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
    _box_distances(z, rows, s.box)
    if local.k > 0:
        tau = _kth_distance(z, rows, local.k, s.squares)
    if local.kernel == TRICUBE:
        shift, reach = 0.0, tau * tau
        scale = 1.0 / min(max(tau * tau * tau, 1e-300), 1e300)
    else:
        nearest = _nearest(z, rows, s.box, skip, -1.0)
        shift = nearest * (1.0 + 1e-15)  # rows as near, to rounding, weigh the same
        scale = 0.5 / min(max(tau * tau, 1e-300), 1e300)
        reach = shift + (NEGLIGIBLE + np.log(rows.weight.size)) / scale
    segments = s.runs[: _segments(z, rows, s.box, reach, skip, s.runs)]
    centre[:] = q
    _normal_equations(z, centre, rows, segments, local, shift, scale, s)
    for a in range(about_query.size):
        about_query[a] = s.G[a, a]
    if _off_centre(s.G, q.size):
        for a in range(q.size):
            centre[a] += s.G[1 + a, 0] / s.G[0, 0]
        _normal_equations(z, centre, rows, segments, local, shift, scale, s)
