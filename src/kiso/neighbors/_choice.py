"""Tree or brute force: what each would cost for these queries, counted, not guessed.

How well a tree prunes depends on the dimension that the rows really have, so it is asked: trees
over two small samples are searched for some of the queries, and the leaves looked at are
counted. With n rows they grow as between the samples, v ∝ n^α. With v leaves a query, each
of room for c points,

    tree  ≈ DESCENT + v (LEAF + c d POINT) + OFFER κ(vc),    κ(n) = k (1 + log n/k)
    brute ≈ n (ROW + d PRODUCT) s/4 + MEASURE κ(n)           by products of s bytes a number
    brute ≈ n (PAIR + d FEATURE) + OFFER κ(n)                one by one: the other metrics (in
                                                             float32 half of FEATURE)
    build ≈ n (LEVEL log₂(n/c) + d MOVE)

nanoseconds on two cores; κ is how often a row is among the k best so far. The constants are
fitted to times measured side by side (`python -m benchmarks.neighbors._choice`); counts, and
so the choice, are the same on every machine.

A fit does not know how many queries will come. Rows are searched by brute force until what
a tree would have saved is what building it costs: never more than twice the least.
"""

from __future__ import annotations

from math import log, log2

import numpy as np

from kiso._compute import costs
from kiso._validation import Array

from ._metric_loops import CHEBYSHEV, EUCLIDEAN, MANHATTAN, MINKOWSKI, halves
from ._metrics import Metric
from ._query_loops import GROUP, Tree
from ._tree import build_tree, tree_neighbors

__all__ = ["TreeChoice", "brute_cost", "build_cost", "tree_cost"]

DESCENT, LEAF, OFFER = 500.0, 150.0, 20.0
POINT = {EUCLIDEAN: 0.12, MANHATTAN: 0.25, CHEBYSHEV: 0.22}  # one feature of one point
ROW, PRODUCT, MEASURE = 0.25, 0.018, 60.0
PAIR, FEATURE = 0.3, 0.06
ROOTED, POWER = 0.25, 6.0  # a feature where powers are taken: by products and a root, or not
LEVEL, MOVE = 12.0, 5.0
TRIAL, TRIED = 1e6, 300.0  # what asking costs, and a row of the samples

_SAMPLE, _MOST = 2048, 16_384


class TreeChoice:
    """Which way to search rows, and the tree once it has paid.

    Attributes
    ----------
    tree : Tree, optional
    saved : float
        Nanoseconds that a tree would have saved so far.
    leaves : dict
        Leaves that a query looks at, by k.
    """

    def __init__(self, X: Array, metric: Metric, leaf_size: int):
        self.X, self.metric, self.leaf_size = X, metric, leaf_size
        self.tree: Tree | None = None
        self.saved = self.untried = 0.0
        self.leaves: dict[int, float] = {}

    def tree_for(self, Q: Array, k: int) -> Tree | None:
        """Give the tree if queries had better be searched for in it, now that they are here."""
        n, d = self.X.shape
        if n < costs.KD_LEAST_ROWS or d > costs.KD_MOST_FEATURES or k > n // 2 or len(Q) == 0:
            return None
        brute = brute_cost(n, d, k, self.metric, self.X.dtype.itemsize)
        if k not in self.leaves:
            self.untried += len(Q) * brute
            if self.untried < TRIAL + TRIED * _sample(n):
                return None
            self.leaves[k] = self._count_leaves(Q, k)
        tree = tree_cost(self.leaves[k], d, k, self.metric, self.capacity)
        saving = len(Q) * (brute - tree)
        if saving <= 0:
            return None
        if self.tree is None:
            self.saved += saving
            if self.saved < build_cost(n, d, self.capacity):
                return None
            self.tree = build_tree(self.X, self.leaf_size)
        return self.tree

    @property
    def capacity(self) -> int:
        return -(-self.leaf_size // GROUP) * GROUP

    def _count_leaves(self, Q: Array, k: int) -> float:
        """Leaves that a query would look at in a tree over all rows."""
        n = len(self.X)
        if self.tree is not None or n <= 2 * _SAMPLE:
            self.tree = self.tree or build_tree(self.X, self.leaf_size)
            return _visited(Q, self.tree, self.metric, k)
        halvings = max(1, round(log2(n / max(_sample(n), 8 * k))))  # leaves as full as the whole's
        large, small = n >> halvings, n >> (halvings + 2)
        v = []
        for size in (small, large):
            some = np.linspace(0, n - 1, size).astype(np.intp)
            tree = build_tree(self.X[some], self.leaf_size)
            v.append(_visited(Q, tree, self.metric, min(k, size)))
        growth = min(max(log(v[1] / v[0]) / log(large / small), 0.0), 1.0)
        return float(v[1] * (n / large) ** growth)


def _sample(n: int) -> int:
    return min(max(_SAMPLE, n // 8), _MOST, n)


def _visited(Q: Array, tree: Tree, metric: Metric, k: int) -> float:
    """Mean number of leaves that some of the queries look at."""
    some = Q[np.linspace(0, len(Q) - 1, min(costs.KD_PROBES, len(Q))).astype(np.intp)]
    m = len(some)
    heaps = np.full((m, k), np.inf), np.full((m, k), np.iinfo(np.intp).max)
    return max(1.0, tree_neighbors(some, tree, metric, np.full(m, -1), *heaps) / m)


def _offers(n: float, k: int) -> float:
    return k * (1.0 + log(max(1.0, n / k)))


def tree_cost(visited: float, d: int, k: int, metric: Metric, capacity: int) -> float:
    """Nanoseconds of a query that looks at so many leaves."""
    leaf = LEAF + capacity * d * POINT.get(metric.code, _power(metric))
    return DESCENT + visited * leaf + OFFER * _offers(visited * capacity, k)


def brute_cost(n: int, d: int, k: int, metric: Metric, itemsize: int) -> float:
    """Nanoseconds of a query against n rows."""
    if metric.code == EUCLIDEAN:
        return n * (ROW + d * PRODUCT) * itemsize / 4 + MEASURE * _offers(n, k)
    feature = _power(metric) if metric.code == MINKOWSKI else FEATURE
    if metric.code in (MANHATTAN, CHEBYSHEV):  # float32 is added up as it is
        feature *= itemsize / 8
    return n * (PAIR + d * feature) + OFFER * _offers(n, k)


def _power(metric: Metric) -> float:
    return ROOTED if halves(metric.p) else POWER


def build_cost(n: int, d: int, capacity: int) -> float:
    """Nanoseconds of building a tree over n rows."""
    return n * (LEVEL * log2(max(2.0, n / capacity)) + d * MOVE)
