"""Squared distances by subtraction, and the two smallest of a tile of them.

Symbols
-------
T          a tile; T_ji + o_j is ‖x_i − y_j‖² less ‖x_i‖², x_i the rows of a block, y_j the points

In `argmin2` the rows lie along the inner axis, so that it is a vector loop without a reduction.
"""

from __future__ import annotations

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
