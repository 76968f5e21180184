"""What is done with a tile of squared distances while it is in cache.

Symbols
-------
x_i        rows of a block; y_j the points (centres, stored samples) they are compared with
T          a tile; T_ji + o_j is ‖x_i − y_j‖² less ‖x_i‖²
ε_i        what rounding can have done to a value of row i

Two values of row i that differ by more than 2 ε_i are in the right order. Where they do
not, the loops compute Σ_f (x_if − y_jf)² by subtraction, added up in float64; what is then
still equal goes to the smaller j.

In `argmin2` the rows lie along the inner axis, so that it is a vector loop without a
reduction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


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
    ties: Any = 0  # how many; a NumPy integer for the type checker
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
