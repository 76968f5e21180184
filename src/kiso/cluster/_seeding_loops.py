"""One pass of k-means++ over the rows of a lane.

Symbols
-------
x_i, w_i   row i and its weight;  y_t the candidates for the next centre
D_i², a_i  squared distance of row i to the nearest centre so far, and that centre's number

A candidate can come nearer to row i than D_i only if ‖y_t − c_{a_i}‖ < 2 D_i, by the
triangle inequality; rows for which no candidate can are not looked at (Elkan 2003). All
distances are by subtraction, so that a copy of a centre is at distance 0 exactly.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

SAFETY = 0.999  # of the triangle inequality's limit: more than float32 rounds


@compiled
def one(x: Array, a: Array) -> float:
    """Return ‖x − a‖² in the data's precision."""
    s = x.dtype.type(0)
    for f in range(x.size):
        gap = x[f] - a[f]
        s += gap * gap
    return s


@compiled
def three(x: Array, a: Array, b: Array, c: Array) -> tuple[float, float, float]:
    """Return the squared distances of x to three points, reading x once."""
    s = x.dtype.type(0)
    t = x.dtype.type(0)
    u = x.dtype.type(0)
    for f in range(x.size):
        value = x[f]
        p, q, r = value - a[f], value - b[f], value - c[f]
        s += p * p
        t += q * q
        u += r * r
    return s, t, u


@compiled
def limits(centers: Array, candidates: Array, out: Array) -> None:
    """out_j: rows of centre j with D_i² below it are out of every candidate's reach."""
    for j in range(centers.shape[0]):
        least = np.inf
        for t in range(candidates.shape[0]):
            least = min(least, np.float64(one(centers[j], candidates[t])))
        out[j] = 0.25 * SAFETY * least


@compiled
def propose(
    X: Array,
    candidates: Array,
    weight: Array,
    label: Array,
    limit: Array,
    closest: Array,
    rows: Array,
    values: Array,
    gain: Array,
) -> int:
    """List the rows within a candidate's reach, with their distances to all candidates.

    values[at, t] = ‖x_i − y_t‖² for i = rows[at]; adds Σ w_i max(0, D_i² − values) to
    gain_t. Returns how many rows are listed.
    """
    count = 0
    for i in range(X.shape[0]):
        rows[count] = i
        count += closest[i] >= limit[label[i]]
    m = candidates.shape[0]
    for at in range(count):
        i = rows[at]
        x, t = X[i], 0
        while t + 2 < m:
            values[at, t], values[at, t + 1], values[at, t + 2] = three(
                x, candidates[t], candidates[t + 1], candidates[t + 2]
            )
            t += 3
        while t < m:
            values[at, t] = one(x, candidates[t])
            t += 1
        w = np.float64(weight[i]) if weight.size else 1.0
        for t in range(m):
            gain[t] += w * max(0.0, np.float64(closest[i]) - np.float64(values[at, t]))
    return count


@compiled
def take(
    rows: Array,
    values: Array,
    chosen: int,
    j: int,
    weight: Array,
    closest: Array,
    label: Array,
) -> float:
    """Make the candidate chosen centre j: lower D² of the rows listed. Returns Σ w_i D_i²."""
    for at in range(rows.size):
        i = rows[at]
        if values[at, chosen] < closest[i]:
            closest[i] = values[at, chosen]
            label[i] = np.int32(j)
    total = 0.0
    if weight.size:
        for i in range(closest.size):
            total += np.float64(closest[i]) * np.float64(weight[i])
    else:
        for i in range(closest.size):
            total += np.float64(closest[i])
    return total


@compiled_strict
def locate(weight: Array, closest: Array, flat: bool, u: float) -> int:
    """Return the first row at which Σ w_i D_i² (Σ w_i where flat) exceeds u.

    Where rounding leaves the sum below u: the last row that has any.
    """
    total, last = 0.0, 0
    for i in range(closest.size):
        part = 1.0 if flat else np.float64(closest[i])
        if weight.size:
            part *= np.float64(weight[i])
        if part > 0.0:
            last = i
            total += part
            if total > u:
                return i
    return last
