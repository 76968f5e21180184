"""Compiled loops of locally weighted regression: which rows a query reaches.

The rows stand in leaves, runs of rows that are neighbours, each with the box that holds
it: a query visits the leaves whose box its kernel reaches. One feature is simply sorted.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


class Rows(NamedTuple):
    """The training rows, in the order of the leaves; one array row a feature or output."""

    X: Array  # (n_features, n): what the polynomial is in
    Z: Array  # (n_coordinates, n): where distances are Euclidean
    Y: Array  # (n_outputs, n)
    weight: Array  # (n,) float64: v, at least 0
    starts: Array  # (n_leaves + 1,) intp: leaf l is rows starts[l] to starts[l + 1]
    low: Array  # (n_leaves, n_coordinates): the corners of the boxes
    high: Array


@compiled
def box_distances(z: Array, rows: Rows, box: Array) -> None:
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
def _nearest_sorted(q: float, rows: Rows, skip: int, beyond: float) -> float:
    """`nearest_square` among sorted rows: walk away from the query on both sides."""
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
def nearest_square(z: Array, rows: Rows, box: Array, skip: int, beyond: float) -> float:
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
def nearest_squares(Z: Array, rows: Rows, skip: Array, beyond: float, out: Array) -> None:
    """Squared distance of each query's nearest row that is farther than `beyond`, squared."""
    box = np.empty(rows.low.shape[0])
    for i in range(out.size):
        box_distances(Z[i], rows, box)
        out[i] = nearest_square(Z[i], rows, box, skip[i], beyond)


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
def kth_distance(z: Array, rows: Rows, k: int, squares: Array) -> float:
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
def list_runs(z: Array, rows: Rows, box: Array, reach: float, skip: int, segments: Array) -> int:
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
