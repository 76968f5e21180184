"""What is done with a tile of squared distances while it is in cache.

Symbols
-------
x_i        rows of a block; y_j the points (centres, stored samples) they are compared with
T          a tile; T_ji + o_j, or T_ij + o_j, is ‖x_i − y_j‖² less ‖x_i‖²
ε_i        what rounding can have done to a value of row i

Two values of row i that differ by more than 2 ε_i are in the right order. Where they do
not, the loops compute Σ_f (x_if − y_jf)² by subtraction, added up in float64; what is then
still equal goes to the smaller j.

In `argmin2` the rows lie along the inner axis, so that it is a vector loop without a
reduction; in `k_best` the points do, because a row's threshold turns nearly all away.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._jit import compiled
from kiso._validation import Array

CHUNK = 64  # values that one look at the threshold turns away together


@compiled
def direct(x: Array, y: Array) -> float:
    """Return ‖x − y‖² by subtraction, in float64."""
    total = 0.0
    for f in range(x.size):
        gap = np.float64(x[f]) - np.float64(y[f])
        total += gap * gap
    return total


@compiled
def row_squares(X: Array, out: Array) -> None:
    """out_i = ‖x_i‖², added up in float64."""
    for i in range(X.shape[0]):
        total = 0.0
        for f in range(X.shape[1]):
            value = np.float64(X[i, f])
            total += value * value
        out[i] = total


@compiled
def direct_tile(X: Array, Y: Array, columns: Array, T: Array) -> None:
    """T_ji = ‖x_i − y_j‖² by subtraction: for few features faster than a product.

    `columns` (d, b) is room for the block with its features along the first axis.
    """
    b, d = X.shape
    for f in range(d):
        for i in range(b):
            columns[f, i] = X[i, f]
    for j in range(Y.shape[0]):
        y = Y[j, 0]
        for i in range(b):
            gap = columns[0, i] - y
            T[j, i] = gap * gap
        for f in range(1, d):
            y = Y[j, f]
            for i in range(b):
                gap = columns[f, i] - y
                T[j, i] += gap * gap


@compiled
def argmin2(T: Array, o: Array, b: int, best: Array, second: Array, label: Array) -> None:
    """Give each of b rows its smallest and second smallest T_ji + o_j, and the smallest's j."""
    k = T.shape[0]
    for i in range(b):
        best[i] = T[0, i] + o[0]
        second[i] = np.inf
        label[i] = 0
    j = 1
    while j + 1 < k:  # two points a turn: half the traffic of the running minima
        o0, o1 = o[j], o[j + 1]
        j0, j1 = np.int32(j), np.int32(j + 1)
        for i in range(b):
            v0, v1 = T[j, i] + o0, T[j + 1, i] + o1
            low, high, at = v0, v1, j0
            if v1 < v0:
                low, high, at = v1, v0, j1
            first, next_ = best[i], second[i]
            if low < first:
                best[i] = low
                label[i] = at
                second[i] = first if first < high else high
            else:
                second[i] = low if low < next_ else next_
        j += 2
    if j < k:
        for i in range(b):
            v = T[j, i] + o[j]
            first, next_ = best[i], second[i]
            if v < first:
                best[i] = v
                label[i] = np.int32(j)
                second[i] = first
            else:
                second[i] = v if v < next_ else next_


@compiled
def settle(
    X: Array,
    Y: Array,
    T: Array,
    o: Array,
    squares: Array,
    largest: float,
    rounding: float,
    best: Array,
    second: Array,
    label: Array,
    upper: Array,
    lower: Array,
) -> None:
    """Settle near ties of `argmin2` by subtraction; bound the two smallest distances.

    X and Y are as given, not shifted. `rounding` (‖x_i‖ + largest)² is ε_i, `squares` are
    the ‖x_i‖² that the tile lacks (size 0 where it was made by subtraction and lacks
    nothing; ε_i is then relative to the distance). `upper` and `lower` receive a bound from
    above on the distance (not squared) to y_label and one from below on that to every
    other point.
    """
    whole = squares.size == 0
    ties = 0
    if whole:
        for i in range(X.shape[0]):
            low, high = np.float64(best[i]), np.float64(second[i])
            ties += high <= low * (1.0 + 4.0 * rounding)
            upper[i] = math.sqrt(low * (1.0 + rounding)) * (1.0 + 1e-12)
            lower[i] = math.sqrt(high * (1.0 - rounding)) * (1.0 - 1e-12)
    else:
        for i in range(X.shape[0]):
            low, high = np.float64(best[i]), np.float64(second[i])
            reach = math.sqrt(squares[i]) + largest
            slack = rounding * reach * reach
            ties += high - low <= 2.0 * slack
            upper[i] = math.sqrt(max(low + squares[i] + slack, 0.0)) * (1.0 + 1e-12)
            lower[i] = math.sqrt(max(high + squares[i] - slack, 0.0)) * (1.0 - 1e-12)
    if ties == 0:
        return
    for i in range(X.shape[0]):
        low, high = np.float64(best[i]), np.float64(second[i])
        if whole:
            edge = low * (1.0 + 4.0 * rounding)
        else:
            reach = math.sqrt(squares[i]) + largest
            edge = low + 2.0 * rounding * reach * reach
        if high > edge:
            continue
        least, at = np.inf, label[i]
        for j in range(Y.shape[0]):
            if np.float64(T[j, i]) + np.float64(o[j]) <= edge:
                exact = direct(X[i], Y[j])
                if exact < least:
                    least, at = exact, np.int32(j)
        label[i] = at
        upper[i] = math.sqrt(least) * (1.0 + 1e-12)
        lower[i] = 0.0  # not worth more: the row is looked at again


@compiled
def sift(values: Array, indices: Array, size: int, value: float, index: int) -> None:
    """Replace the worst of a heap (largest value first) by something better."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[at], indices[at] = values[child], indices[child]
        at = child
    values[at], indices[at] = value, index


@compiled
def k_best(T: Array, o: Array, first: int, values: Array, indices: Array) -> None:
    """Keep, for each row of a tile, the smallest T_ij + o_j of all tiles so far.

    `values` and `indices` (b, m) are a heap for each row, begun with infinity and −1;
    `first` is the index of the tile's first point.
    """
    n, m = T.shape[1], values.shape[1]
    for i in range(T.shape[0]):
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            worst = values[i, 0]
            below = 0
            for j in range(start, stop):
                below += T[i, j] + o[j] < worst
            if below == 0:
                continue
            for j in range(start, stop):
                value = T[i, j] + o[j]
                if value < values[i, 0]:
                    sift(values[i], indices[i], m, value, first + j)


@compiled
def insert(distance: float, index: int, distances: Array, indices: Array, size: int) -> int:
    """Insert into a row sorted by (distance, index), of at most k entries; the new size."""
    k = distances.size
    at = size
    while at > 0 and (
        distance < distances[at - 1] or (distance == distances[at - 1] and index < indices[at - 1])
    ):
        at -= 1
    if at >= k:
        return size
    stop = min(size, k - 1)
    for move in range(stop, at, -1):
        distances[move], indices[move] = distances[move - 1], indices[move - 1]
    distances[at], indices[at] = distance, index
    return min(size + 1, k)


@compiled
def settle_k(
    X: Array,
    Y: Array,
    squares: Array,
    largest: float,
    rounding: float,
    values: Array,
    candidates: Array,
    distances: Array,
    indices: Array,
) -> int:
    """Make k neighbours, exact and sorted by (distance², index), of a row's candidates.

    Where a point that is no candidate could still belong to the k, by the bound on
    rounding, the row is compared with every point by subtraction. Returns how many were.
    """
    k, m = distances.shape[1], values.shape[1]
    again = 0
    for i in range(X.shape[0]):
        size = 0
        for c in range(m):
            if candidates[i, c] >= 0:
                exact = direct(X[i], Y[candidates[i, c]])
                size = insert(exact, candidates[i, c], distances[i], indices[i], size)
        if m >= Y.shape[0]:
            continue
        reach = math.sqrt(squares[i]) + largest
        slack = rounding * reach * reach
        if distances[i, k - 1] < np.float64(values[i, 0]) + squares[i] - slack:
            continue
        again += 1
        size = 0
        for j in range(Y.shape[0]):
            size = insert(direct(X[i], Y[j]), j, distances[i], indices[i], size)
    return again
