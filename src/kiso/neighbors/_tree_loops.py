"""Compiled loops that build a KD-tree: medians, halves, boxes.

Node i of depth ℓ, the j-th from the left, holds the rows from n·j/2^ℓ to n·(j + 1)/2^ℓ,
rounded down, of a copy P of the rows, feature by feature; `order` says which row each one
was. There are two such copies: a level reads P[ℓ % 2] and writes the other. A node is cut at
the median of the feature in which its region is longest: the region is what the cuts above
leave of the box around all rows. Boxes around the rows of a node are made at the end, from
the leaves up, in one pass over the rows.

The median is looked for among the keys alone, a copy of one feature, and the rows are moved
once, when it is known. Nothing branches on a comparison, which the processor could only
guess, and nothing that was just written is read: every pass goes from one array to another.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

SAMPLE = 24  # values of which the pivot is one, at most
SHORT = 32  # so many keys are ranked by counting


@compiled
def _pivot(keys: Array, low: int, high: int, middle: int, sample: Array) -> float:
    """Guess the value of rank `middle` among keys `low` to `high`, from an even sample."""
    size = min(SAMPLE, max(3, (high - low) // 16))
    for s in range(size):
        value = keys[low + (high - low) * s // size]
        at = s
        while at > 0 and sample[at - 1] > value:
            sample[at] = sample[at - 1]
            at -= 1
        sample[at] = value
    return sample[(middle - low) * size // (high - low)]


@compiled
def _divide(source: Array, target: Array, low: int, high: int, pivot: float, equal: bool) -> int:
    """Copy keys, those below the pivot (or equal to it too) first; where the others begin.

    Each is written to both ends, of which one then moves.
    """
    front, back = np.uintp(low), np.uintp(high)
    one = np.uintp(1)
    for u in range(np.uintp(low), np.uintp(high)):
        key = source[u]
        below = np.uintp(key <= pivot) if equal else np.uintp(key < pivot)
        target[front] = key
        target[back - one] = key
        front += below
        back -= one - below
    return int(np.intp(front))  # signed, for a compiler too


@compiled
def _ranked(keys: Array, low: int, high: int, middle: int) -> tuple[float, int]:
    """`_median` of few keys: count for each how many are smaller."""
    for i in range(low, high):
        key, below, equal = keys[i], np.int32(0), np.int32(0)
        for u in range(np.uintp(low), np.uintp(high)):
            below += np.int32(keys[u] < key)
            equal += np.int32(keys[u] == key)
        if low + below <= middle < low + below + equal:
            return key, int(low + below)
    return keys[low], low  # never: a key of that rank is among them


@compiled
def _median(keys: Array, low: int, high: int, middle: int, sample: Array) -> tuple[float, int]:
    """The key that sorting would put at `middle` (quickselect); where those equal would begin.

    keys : (2, n): the keys, from `low` to `high`, and room for as many; both are overwritten.
    """
    at = 0
    while high - low > SHORT:
        source, target = keys[at], keys[1 - at]
        pivot = _pivot(source, low, high, middle, sample)
        cut = _divide(source, target, low, high, pivot, False)
        if cut == low:  # none is below it: those equal to it go first
            cut = _divide(source, target, low, high, pivot, True)
            if middle < cut:
                return pivot, low
        if middle < cut:
            high = cut
        else:
            low = cut
        at = 1 - at
    return _ranked(keys[at], low, high, middle)


@compiled
def _halve(
    P: Array,
    order: Array,
    keys: Array,
    goal: Array,
    at: int,
    axis: int,
    start: int,
    stop: int,
    middle: int,
    sample: Array,
) -> float:
    """Move rows `start` to `stop` to the other copy, the lower half of a feature first."""
    first, last, one = np.uintp(start), np.uintp(stop), np.uintp(1)
    for u in range(first, last):
        keys[0, u] = P[at, axis, u]
    median, smaller = _median(keys, start, stop, middle, sample)
    spare = middle - smaller  # of the rows equal to the median, so many go to the lower half
    front, back = first, last - one
    for u in range(first, last):
        key = P[at, axis, u]
        filler = (key == median) & (spare > 0)
        spare -= filler
        below = (key < median) | filler
        goal[u] = front if below else back
        front += np.uintp(below)
        back -= one - np.uintp(below)
    for a in range(P.shape[1]):
        for u in range(first, last):
            P[1 - at, a, goal[u]] = P[at, a, u]
    for u in range(first, last):
        order[1 - at, goal[u]] = order[at, u]
    return median


@compiled
def bound_rows(P: Array, start: int, stop: int, box: Array, node: int) -> None:
    """Write the box around rows of one copy."""
    for a in range(P.shape[0]):
        low = high = P[a, start]
        for u in range(np.uintp(start), np.uintp(stop)):
            low, high = min(low, P[a, u]), max(high, P[a, u])
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
    keys: Array,
    goal: Array,
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

    P : (2, d, n), order : (2, n); keys : (2, n) and goal : (n,) uintp are room to work in
    """
    n, sample = P.shape[2], np.empty(SAMPLE, P.dtype)
    while depth < until:
        for j in range(first, last):
            node = (1 << depth) - 1 + j
            start, stop = n * j >> depth, n * (j + 1) >> depth
            side = axis[node] = _longest(box, node)
            middle = n * (2 * j + 1) >> (depth + 1)
            cut = _halve(P, order, keys, goal, depth & 1, side, start, stop, middle, sample)
            for child in (2 * node + 1, 2 * node + 2):
                box[child] = box[node]
            box[2 * node + 1, 1, side] = box[2 * node + 2, 0, side] = cut
        depth, first, last = depth + 1, 2 * first, 2 * last


@compiled
def fill_leaves(
    P: Array, order: Array, box: Array, first: int, last: int, points: Array, index: Array
) -> None:
    """Bound the leaves and copy their rows, feature by feature, padded to the capacity.

    P : (d, n), order : (n,): the copy that the last level wrote.
    """
    n, (n_leaves, _, capacity) = P.shape[1], points.shape
    for j in range(first, last):
        start, stop = n * j // n_leaves, n * (j + 1) // n_leaves
        bound_rows(P, start, stop, box, n_leaves - 1 + j)
        for a in range(P.shape[0]):
            for i in range(capacity):
                points[j, a, i] = P[a, start + i] if start + i < stop else np.inf
        for i in range(capacity):
            index[j, i] = order[start + i] if start + i < stop else np.iinfo(np.intp).max


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
