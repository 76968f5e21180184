"""Compiled loops that search a KD-tree: nearer boxes first, leaves by whole vectors.

Loops over unsigned indices (u) are those that have to become vector code: for a signed one
Numba first asks whether it counts from the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

from ._best_loops import FEW, offer
from ._metric_loops import EUCLIDEAN, LANES, joined, term

GROUP = 16  # the capacity of a leaf is a multiple: whole vectors
MAX_DEPTH = 64


class Tree(NamedTuple):
    """A balanced KD-tree without pointers: the children of node i are 2i + 1 and 2i + 2."""

    points: Array  # (n_leaves, d, capacity): the rows, leaf by leaf, padded with infinity
    which: Array  # (n_leaves, capacity) intp: which row each point is, padded with the largest
    box: Array  # (n_nodes, 2, d): the corners of the box around a node's points
    axis: Array  # (n_inner,) intp: the feature in which a node is cut
    edge: Array  # (n_inner, 2): where the left half ends in it, and where the right one begins

    def check_loaded(self, n_features: int | None) -> None:
        """Refuse arrays of a file that do not make a tree: loops follow them without asking."""
        points, which, box, axis, edge = self
        n_leaves, d, capacity = points.shape
        n_inner = len(axis)
        shapes = (
            which.shape == (n_leaves, capacity) and box.shape == (n_inner + n_leaves, 2, d)
            and edge.shape == (n_inner, 2) and n_leaves == n_inner + 1
            and n_leaves & (n_leaves - 1) == 0
        )  # fmt: skip
        if not shapes or (n_features is not None and d != n_features):
            raise ValueError("a KD-tree whose arrays do not fit together")
        if n_inner and (axis.min() < 0 or axis.max() >= d):
            raise ValueError("a KD-tree that cuts a feature that is not there")
        if which.dtype.kind not in "iu" or which.min() < 0:
            raise ValueError("a KD-tree whose rows are not whole numbers")


@compiled_strict
def _box_distance(Q: Array, i: int, box: Array, node: int, metric: int, p: float) -> float:
    """Reduced distance from a query to a box: no point in it is nearer."""
    total = 0.0
    for a in range(Q.shape[1]):
        value = np.float64(Q[i, a])
        gap = max(np.float64(box[node, 0, a]) - value, value - np.float64(box[node, 1, a]), 0.0)
        if metric == EUCLIDEAN:
            total += gap * gap
        else:
            total = joined(total, term(gap, metric, p), metric)
    return total


@compiled_strict
def _leaf_distances(
    Q: Array, i: int, points: Array, leaf: int, metric: int, p: float, sums: Array
) -> None:
    """Reduced distances to a leaf's points into the last row of `sums`.

    They are added up in the order of `exact_square` and of `joined`.

    sums : (LANES + 1, capacity)
    """
    _, d, capacity = points.shape
    n, last = np.uintp(capacity), np.uintp(LANES)
    if d == 3 and metric == EUCLIDEAN:  # what points in space cost is worth a loop of its own
        x, y, z = np.float64(Q[i, 0]), np.float64(Q[i, 1]), np.float64(Q[i, 2])
        for u in range(n):
            gx = x - np.float64(points[leaf, 0, u])
            gy = y - np.float64(points[leaf, 1, u])
            gz = z - np.float64(points[leaf, 2, u])
            sums[last, u] = (gx * gx + gy * gy) + gz * gz
        return
    whole = d - d % LANES if metric == EUCLIDEAN else 0
    for row in range(0 if whole else LANES, LANES + 1):
        for j in range(n):
            sums[row, j] = 0.0
    for a in range(d):
        row, value = a % LANES if a < whole else LANES, np.float64(Q[i, a])
        if metric == EUCLIDEAN:
            for j in range(n):
                gap = value - np.float64(points[leaf, a, j])
                sums[row, j] += gap * gap
        else:
            for j in range(n):
                one = term(value - np.float64(points[leaf, a, j]), metric, p)
                sums[row, j] = joined(sums[row, j], one, metric)
    if whole:
        for j in range(n):
            low = (sums[0, j] + sums[1, j]) + (sums[2, j] + sums[3, j])
            high = (sums[4, j] + sums[5, j]) + (sums[6, j] + sums[7, j])
            sums[LANES, j] += low + high


@compiled
def _offer_leaf(sums: Array, rows: Array, leaf: int, skip: int, far: Array, which: Array) -> None:
    """Offer a leaf's points, GROUP at once looked at for one that may be among the best."""
    last = np.uintp(LANES)
    for start in range(0, sums.shape[1], GROUP):
        level, candidates = far[0], np.int32(0)
        for u in range(np.uintp(start), np.uintp(start + GROUP)):
            candidates += np.int32(sums[last, u] <= level)
        if candidates == 0:
            continue
        for j in range(start, start + GROUP):
            if sums[last, j] <= far[0] and rows[leaf, j] != skip:
                offer(far, which, sums[last, j], rows[leaf, j])


@compiled
def _take_leaf(
    sums: Array, bits: Array, rows: Array, leaf: int, skip: int, far: Array, which: Array
) -> None:
    """Take the k best of the first leaf that a query meets, the nearest first.

    Offered one after another most of the leaf's points would be kept, only to be put out
    again. The heap is empty.

    bits : view of `sums` as whole numbers, which for numbers >= 0 are in the same order;
    what is taken becomes the largest of them.
    """
    n, last, none = np.uintp(bits.shape[1]), np.uintp(LANES), np.iinfo(np.int64).max
    if skip >= 0:
        for u in range(n):
            bits[last, u] = none if rows[leaf, u] == skip else bits[last, u]
    least = none
    for u in range(n):
        least = min(least, bits[last, u])
    for place in range(far.size - 1, -1, -1):
        if least == none:  # the leaf holds fewer
            break
        row = none
        for u in range(n):
            row = min(row, rows[leaf, u] if bits[last, u] == least else none)
        bits[0, 0] = least
        far[place], which[place] = sums[0, 0], row
        following = none
        for u in range(n):
            taken = (bits[last, u] == least) & (rows[leaf, u] == row)
            bits[last, u] = none if taken else bits[last, u]
            following = min(following, bits[last, u])
        least = following


@compiled
def query_tree(
    Q: Array,
    tree: Tree,
    metric: int,
    p: float,
    slack: float,
    skip: Array,
    distance: Array,
    index: Array,
) -> int:
    """Find the k best of each query, nearer boxes first; how many leaves were looked at.

    A box is left out only where it is farther than the farthest kept by more than rounding
    can explain (`slack`), so that a tie with a lower index is found as well.
    """
    points, rows, box, axis, edge = tree
    n_inner = points.shape[0] - 1
    sums = np.empty((LANES + 1, points.shape[2]))
    bits = sums.view(np.int64)
    few = distance.shape[1] <= FEW
    stack, bound = np.empty(MAX_DEPTH, np.intp), np.empty(MAX_DEPTH)
    visited = 0
    for i in range(Q.shape[0]):
        far, which = distance[i], index[i]
        stack[0], bound[0], height = 0, -1.0, 1
        first = few
        while height > 0:
            height -= 1
            node = stack[height]
            if bound[height] > far[0] or (
                bound[height] >= 0.0 and _box_distance(Q, i, box, node, metric, p) * slack > far[0]
            ):
                continue
            while node < n_inner:
                value = np.float64(Q[i, axis[node]])
                beyond = value - np.float64(edge[node, 0])  # past the end of the left half
                before = np.float64(edge[node, 1]) - value  # short of where the right begins
                right = beyond > before
                gap = max(beyond if right else before, 0.0)
                stack[height] = 2 * node + 1 + (1 - right)
                bound[height] = term(gap, metric, p) * slack
                height += 1
                node = 2 * node + 1 + right
            leaf = node - n_inner
            visited += 1
            _leaf_distances(Q, i, points, leaf, metric, p, sums)
            if first:
                _take_leaf(sums, bits, rows, leaf, skip[i], far, which)
                first = False
            else:
                _offer_leaf(sums, rows, leaf, skip[i], far, which)
    return visited


@compiled
def tree_within(
    Q: Array,
    tree: Tree,
    metric: int,
    p: float,
    slack: float,
    limit: float,
    start: Array,
    index: Array,
    distance: Array,
) -> None:
    """Find the rows within a reduced distance of each query.

    With an empty `index` they are only counted: `start[i + 1]` becomes their number.
    Otherwise they are written from `start[i]` on, in the order of the tree.
    """
    points, rows, box, _, _ = tree
    n_inner = points.shape[0] - 1
    sums = np.empty((LANES + 1, points.shape[2]))
    stack = np.empty(MAX_DEPTH, np.intp)
    write = index.size > 0
    for i in range(Q.shape[0]):
        at = start[i] if write else 0
        stack[0], height = 0, 1
        while height > 0:
            height -= 1
            node = stack[height]
            if _box_distance(Q, i, box, node, metric, p) * slack > limit:
                continue
            if node < n_inner:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node + 2
                height += 2
                continue
            leaf = node - n_inner
            _leaf_distances(Q, i, points, leaf, metric, p, sums)
            for j in range(sums.shape[1]):
                if sums[LANES, j] <= limit and rows[leaf, j] < np.iinfo(np.intp).max:
                    if write:
                        index[at], distance[at] = rows[leaf, j], sums[LANES, j]
                    at += 1
        if not write:
            start[i + 1] = at
