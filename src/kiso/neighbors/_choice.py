"""Tree or brute force: what each would cost on these rows, counted, not guessed.

How well a tree prunes depends on the dimension that the rows really have, so it is asked:
it is built, a few of the rows are searched for, and the leaves looked at are counted. With
v leaves a query, each of room for c points, against n rows by products of s bytes a number,

    tree ≈ DESCENT + v (LEAF + c d POINT),    brute ≈ KEEPING + n (ROW + d PRODUCT) s/4

nanoseconds. The constants are fitted to times measured side by side
(`python -m benchmarks.neighbors._choice`); counts, and so the choice, are the same on every
machine. What building costs is not weighed: it is over before the choice is made.
"""

from __future__ import annotations

import numpy as np

from kiso._validation import Array

from ._loops import Tree
from ._metrics import Metric
from ._tree import build_tree, tree_neighbors

__all__ = ["worthwhile_tree"]

DESCENT, LEAF, POINT = 500.0, 100.0, 0.7  # POINT: one feature of one point
KEEPING, ROW, PRODUCT = 2000.0, 0.65, 0.02  # ROW: one product looked at

_MAX_FEATURES = 48  # beyond, no data met pruned enough to pay for trying
_MIN_ROWS = 256
_PROBES = 64


def worthwhile_tree(X: Array, metric: Metric, leaf_size: int, k: int) -> Tree | None:
    """Build a tree and give it if it is cheaper to search than the rows themselves."""
    n, d = X.shape
    if n < _MIN_ROWS or d > _MAX_FEATURES or k > n // 2:
        return None
    tree = build_tree(X, leaf_size)
    some = np.linspace(0, n - 1, _PROBES).astype(np.intp)
    k = min(k, n - 1)
    distance = np.full((_PROBES, k), np.inf)
    index = np.full((_PROBES, k), np.iinfo(np.intp).max)
    visited = tree_neighbors(X[some], tree, metric, some, distance, index) / _PROBES
    return tree if tree_cost(visited, tree) < brute_cost(n, d, X.dtype.itemsize) else None


def tree_cost(visited: float, tree: Tree) -> float:
    """Nanoseconds of a query that looks at so many leaves."""
    _, d, capacity = tree.points.shape
    return DESCENT + visited * (LEAF + capacity * d * POINT)


def brute_cost(n: int, d: int, itemsize: int) -> float:
    """Nanoseconds of a query against n rows by products."""
    return KEEPING + n * (ROW + d * PRODUCT) * itemsize / 4
