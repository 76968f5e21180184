"""Compiled loops that build a KD-tree: boxes and medians.

Node i of depth ℓ, the j-th from the left, holds the rows from n·j/2^ℓ to n·(j + 1)/2^ℓ,
rounded down, of a copy P of the rows; `order` says which row each one was. A node is cut at
the median of the feature in which its box is longest.
"""

from __future__ import annotations

import numpy as np

from kiso._jit import compiled
from kiso._validation import Array


@compiled
def _swap(P: Array, order: Array, i: int, j: int) -> None:
    for a in range(P.shape[1]):
        P[i, a], P[j, a] = P[j, a], P[i, a]
    order[i], order[j] = order[j], order[i]


@compiled
def _median_of_three(P: Array, axis: int, low: int, high: int) -> float:
    a, b, c = P[low, axis], P[(low + high) // 2, axis], P[high, axis]
    return max(min(a, b), min(max(a, b), c))


@compiled
def _select(P: Array, order: Array, axis: int, start: int, stop: int, middle: int) -> None:
    """Put the rows with smaller values of a feature before `middle` (Hoare's selection)."""
    low, high = start, stop - 1
    while low < high:
        pivot = _median_of_three(P, axis, low, high)
        i, j = low, high
        while i <= j:
            while P[i, axis] < pivot:
                i += 1
            while P[j, axis] > pivot:
                j -= 1
            if i <= j:
                if i != j:
                    _swap(P, order, i, j)
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            break


@compiled
def _bound(P: Array, start: int, stop: int, box: Array) -> int:
    """Write the box around rows; return its longest side."""
    d = P.shape[1]
    box[0, :], box[1, :] = P[start], P[start]
    for i in range(start + 1, stop):
        for a in range(d):
            box[0, a] = min(box[0, a], P[i, a])
            box[1, a] = max(box[1, a], P[i, a])
    longest, axis = -1.0, 0
    for a in range(d):
        side = 0.5 * box[1, a] - 0.5 * box[0, a]  # halves: no overflow
        if side > longest:
            longest, axis = side, a
    return axis


@compiled
def split_nodes(
    P: Array, order: Array, box: Array, depth: int, first: int, last: int, until: int
) -> None:
    """Bound and cut nodes `first` to `last` of a depth, and their descendants to a depth.

    The nodes of depth `until` are left as they are.
    """
    n = P.shape[0]
    while depth < until:
        for j in range(first, last):
            start, stop = n * j >> depth, n * (j + 1) >> depth
            axis = _bound(P, start, stop, box[(1 << depth) - 1 + j])
            _select(P, order, axis, start, stop, n * (2 * j + 1) >> (depth + 1))
        depth, first, last = depth + 1, 2 * first, 2 * last


@compiled
def fill_leaves(
    P: Array, order: Array, box: Array, first: int, last: int, points: Array, index: Array
) -> None:
    """Bound the leaves and copy their rows, feature by feature, padded to the capacity."""
    n, n_leaves = P.shape[0], points.shape[0]
    for j in range(first, last):
        start, stop = n * j // n_leaves, n * (j + 1) // n_leaves
        _bound(P, start, stop, box[n_leaves - 1 + j])
        points[j] = np.inf
        index[j] = np.iinfo(np.intp).max
        for i in range(start, stop):
            points[j, :, i - start] = P[i]
            index[j, i - start] = order[i]
