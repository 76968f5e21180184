"""A KD-tree: built level by level over threads, queried in lanes."""

from __future__ import annotations

from functools import partial

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import map_rows, n_threads, one_blas_thread
from kiso._validation import Array

from . import _query_loops, _tree_loops
from ._best_loops import sort_best
from ._memory import arrays
from ._metrics import Metric
from ._query_loops import GROUP, Tree

__all__ = ["build_tree", "tree_neighbors", "tree_radius"]


def build_tree(X: Array, leaf_size: int) -> Tree:
    """Build a KD-tree over rows.

    Parameters
    ----------
    X : ndarray of shape (n, d), C order
    leaf_size : int
        Rows of a leaf, rounded up to a multiple of 16: a leaf holds at most so many and,
        where there are more rows than that, more than half as many.
    """
    n, d = X.shape
    capacity = -(-leaf_size // GROUP) * GROUP
    depth = 0
    while -(-n // (1 << depth)) > capacity:
        depth += 1
    n_leaves = 1 << depth
    P, order, keys, goal = arrays(
        ((2, d, n), X.dtype), ((2, n), np.intp), ((2, n), X.dtype), ((n,), np.uintp)
    )
    P[0], order[0] = X.T, np.arange(n)
    points, index, box, axis, edge = arrays(
        ((n_leaves, d, capacity), X.dtype),
        ((n_leaves, capacity), np.intp),
        ((2 * n_leaves - 1, 2, d), X.dtype),
        ((n_leaves - 1,), np.intp),
        ((n_leaves - 1, 2), X.dtype),
    )
    top = (
        min(depth, (costs.KD_SUBTREES * n_threads() - 1).bit_length())
        if n > costs.KD_SMALL_ROWS
        else 0
    )
    _tree_loops.bound_rows(P[0], 0, n, box, 0)

    def cut(nodes: slice, level: int) -> None:
        _tree_loops.split_nodes(
            P, order, keys, goal, box, axis, level, nodes.start, nodes.stop, level + 1
        )

    def finish(nodes: slice) -> None:
        _tree_loops.split_nodes(
            P, order, keys, goal, box, axis, top, nodes.start, nodes.stop, depth
        )
        first, last = nodes.start << (depth - top), nodes.stop << (depth - top)
        last_copy = P[depth % 2], order[depth % 2]
        _tree_loops.fill_leaves(*last_copy, box, first, last, points, index)

    with one_blas_thread():  # taken once: each of the short passes below would take it anew
        for level in range(top):  # the nodes of a level are cut side by side
            map_rows(partial(cut, level=level), 1 << level)
        map_rows(finish, 1 << top)
    _tree_loops.join_boxes(box, axis, edge)
    return Tree(points, index, box, axis, edge)


def _slack(tree: Tree) -> float:
    """Rounding of a box's distance: what bounds must be multiplied by to stay below."""
    return 1.0 - 8.0 * (tree.points.shape[1] + 8) * float(np.finfo(np.float64).eps)


def tree_neighbors(
    Q: Array, tree: Tree, metric: Metric, skip: Array, distance: Array, index: Array
) -> int:
    """Fill the heaps (sorted at the end) of all queries; how many leaves were visited."""

    def lane(rows: slice) -> int:
        visited = _query_loops.query_tree(
            Q[rows], tree, metric.code, metric.p, _slack(tree), skip[rows],
            distance[rows], index[rows],
        )  # fmt: skip
        sort_best(distance[rows], index[rows])
        return visited

    return sum(map_rows(lane, len(Q), min_rows=costs.KD_LANE_QUERIES))


def tree_radius(Q: Array, tree: Tree, metric: Metric, limit: float) -> tuple[Array, Array, Array]:
    """Rows within a reduced distance: bounds of each query's run, rows, reduced distances."""
    start = np.zeros(len(Q) + 1, np.intp)
    found: list[tuple[Array, Array]] = [(np.empty(0, np.intp), np.empty(0))]

    def search(rows: slice) -> None:
        _query_loops.tree_within(
            Q[rows], tree, metric.code, metric.p, _slack(tree), limit,
            start[rows.start : rows.stop + 1], *found[-1],
        )  # fmt: skip

    map_rows(search, len(Q), min_rows=costs.KD_LANE_QUERIES)
    np.cumsum(start, out=start)
    if start[-1] > 0:
        found.append((np.empty(start[-1], np.intp), np.empty(start[-1])))
        map_rows(search, len(Q), min_rows=costs.KD_LANE_QUERIES)
    index, distance = found[-1]
    return start, index, distance
