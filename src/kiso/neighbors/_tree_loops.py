"""Compiled loops that build a KD-tree: boxes and medians.

Node i of depth ℓ, the j-th from the left, holds the rows from n·j/2^ℓ to n·(j + 1)/2^ℓ,
rounded down, of a copy P of the rows; `order` says which row each one was. A node is cut at
the median of the feature in which its region is longest: the region is what the cuts above
leave of the box around all rows. Boxes around the rows of a node are made at the end, from
the leaves up, in one pass over the rows.
"""

from __future__ import annotations

import numpy as np

from kiso._jit import compiled
from kiso._validation import Array

SAMPLE = 24  # values of which the pivot is one, at most


@compiled
def _pivot(P: Array, axis: int, low: int, high: int, middle: int, sample: Array) -> float:
    """Guess the value of rank `middle` among rows `low` to `high`, from an even sample."""
    size = min(SAMPLE, max(3, (high - low) // 16))
    for s in range(size):
        value = P[low + (high - low) * s // size, axis]
        at = s
        while at > 0 and sample[at - 1] > value:
            sample[at] = sample[at - 1]
            at -= 1
        sample[at] = value
    return sample[(middle - low) * size // (high - low)]


@compiled
def _partition(
    P: Array, order: Array, axis: int, low: int, high: int, pivot: float, equal: bool
) -> int:
    """Put rows below the pivot (or equal to it too) first; where the others begin.

    Every row is swapped and the comparison only moves the place: there is no branch for
    the processor to guess, which is most of what a selection costs.
    """
    place = low
    for i in range(low, high):
        value = P[i, axis]
        below = value <= pivot if equal else value < pivot
        for a in range(P.shape[1]):
            kept = P[i, a]
            P[i, a] = P[place, a]
            P[place, a] = kept
        row = order[i]
        order[i] = order[place]
        order[place] = row
        place += below
    return place


@compiled
def _select(
    P: Array, order: Array, axis: int, low: int, high: int, middle: int, sample: Array
) -> None:
    """Put the rows with smaller values of a feature before `middle` (quickselect)."""
    while high - low > 2:
        pivot = _pivot(P, axis, low, high, middle, sample)
        cut = _partition(P, order, axis, low, high, pivot, False)
        if middle < cut:
            high = cut
            continue
        if cut == low:  # none is below it: those equal to it go first
            cut = _partition(P, order, axis, low, high, pivot, True)
            if middle < cut:
                return
        low = cut
    if high - low == 2 and P[low, axis] > P[low + 1, axis]:
        _partition(P, order, axis, low, high, P[low, axis], False)


@compiled
def bound_rows(P: Array, start: int, stop: int, box: Array, node: int) -> None:
    """Write the box around rows."""
    for a in range(P.shape[1]):
        low = high = P[start, a]
        for i in range(start + 1, stop):
            low, high = min(low, P[i, a]), max(high, P[i, a])
        box[node, 0, a], box[node, 1, a] = low, high


@compiled
def _longest(box: Array, node: int) -> int:
    """Return the feature in which a box is longest."""
    longest, axis = -1.0, 0
    for a in range(box.shape[2]):
        side = 0.5 * box[node, 1, a] - 0.5 * box[node, 0, a]  # halves: no overflow
        if side > longest:
            longest, axis = side, a
    return axis


@compiled
def split_nodes(
    P: Array,
    order: Array,
    box: Array,
    axis: Array,
    depth: int,
    first: int,
    last: int,
    until: int,
) -> None:
    """Cut nodes `first` to `last` of a depth, and their descendants to a depth.

    `box` of these nodes is read as a region that holds their rows, and those of their
    children are written: a half of it each. The nodes of depth `until` are left as they are.
    """
    n, sample = P.shape[0], np.empty(SAMPLE, P.dtype)
    while depth < until:
        for j in range(first, last):
            node = (1 << depth) - 1 + j
            start, stop = n * j >> depth, n * (j + 1) >> depth
            side = axis[node] = _longest(box, node)
            middle = n * (2 * j + 1) >> (depth + 1)
            _select(P, order, side, start, stop, middle, sample)
            for child in (2 * node + 1, 2 * node + 2):
                box[child] = box[node]
            box[2 * node + 1, 1, side] = box[2 * node + 2, 0, side] = P[middle, side]
        depth, first, last = depth + 1, 2 * first, 2 * last


@compiled
def fill_leaves(
    P: Array, order: Array, box: Array, first: int, last: int, points: Array, index: Array
) -> None:
    """Bound the leaves and copy their rows, feature by feature, padded to the capacity."""
    n, n_leaves = P.shape[0], points.shape[0]
    for j in range(first, last):
        start, stop = n * j // n_leaves, n * (j + 1) // n_leaves
        bound_rows(P, start, stop, box, n_leaves - 1 + j)
        points[j] = np.inf
        index[j] = np.iinfo(np.intp).max
        for i in range(start, stop):
            for a in range(P.shape[1]):
                points[j, a, i - start] = P[i, a]
            index[j, i - start] = order[i]


@compiled
def join_boxes(box: Array, axis: Array, edge: Array) -> None:
    """Make the box of every inner node that of its two halves; where they end and begin."""
    for node in range(axis.size - 1, -1, -1):
        left, right = 2 * node + 1, 2 * node + 2
        for a in range(box.shape[2]):
            box[node, 0, a] = min(box[left, 0, a], box[right, 0, a])
            box[node, 1, a] = max(box[left, 1, a], box[right, 1, a])
        edge[node, 0] = box[left, 1, axis[node]]
        edge[node, 1] = box[right, 0, axis[node]]
