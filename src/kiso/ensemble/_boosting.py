r"""Gradient boosting on histograms: a tree a step.

With raw predictions f and the loss L, a step adds to f a tree whose leaves have the values

    v_leaf = −ν G/(H + λ),   G = Σ ∂L/∂f,  H = Σ ∂²L/∂f²  over the rows of the leaf,

the minimum of the loss to second order plus λ v²/2, times the learning rate ν. The tree is
grown best leaf first (`_boosting_loops` has the gain of a split).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import lanes, n_threads, run_lanes
from kiso._validation import Array
from kiso.base import State
from kiso.tree._tree import Tree

from . import _boosting_loops as loops
from ._binning import Binner
from ._boosting_loops import Bins, Limits, Sums
from ._losses import Loss
from ._voting_loops import add_values

__all__ = ["BoostingProblem", "BoostingState", "Held", "TreeRules", "add_tree", "boost"]


@dataclass(frozen=True, kw_only=True)
class BoostingState(State):
    """The ensemble after one more tree (one for each class, where there are several).

    Attributes
    ----------
    n_iter : int
        Steps so far.
    objective : float
        Mean loss over the training rows, weighted.
    train_score, validation_score : float or None
        What early stopping looks at; None where it does not.
    """

    train_score: float | None = None
    validation_score: float | None = None
    trees: tuple[tuple[Tree, ...], ...] = field(repr=False)


@dataclass(frozen=True)
class TreeRules:
    """When a leaf is split, and by which features."""

    limits: Limits
    learning_rate: float
    max_leaf_nodes: int | None
    max_depth: int | None
    max_features: float
    groups: list[set[int]] | None  # features that may be together on a way down


@dataclass
class Held:
    """Rows kept out of training, and what the trees so far say of them."""

    X: Array
    y: Array
    weight: Array | None
    raw: Array


@dataclass
class BoostingProblem:
    """Everything a fit works on."""

    X: Array
    y: Array
    weight: Array | None
    bins: Bins
    binner: Binner
    loss: Loss
    rules: TreeRules
    baseline: Array
    seed: int
    max_iter: int
    held: Held | None
    # (trees, mean training loss, raw predictions of the rows held out) -> scores, over
    stop: Callable[[Any, float, Array | None], tuple[float | None, float | None, bool]]
    begun: tuple[tuple[Tree, ...], ...] = ()


@dataclass
class _Node:
    """A node of the tree that grows; `rows` is its run of the rows."""

    rows: slice
    sums: Sums
    depth: int
    hist: Array | None = None
    groups: list[set[int]] | None = None
    split: Any = None  # the record of loops.GAIN, ...
    feature: int = -1
    bits: Array | None = None
    left: int = -1
    right: int = -1


class Grower:
    """Grows one tree on the derivatives of a step."""

    def __init__(
        self, problem: BoostingProblem, pairs: Array, missing: Array, rng: np.random.Generator
    ):
        self.missing = missing  # which features have any
        self.bins, self.rules = problem.bins, problem.rules
        self.binner, self.pairs, self.rng = problem.binner, pairs, rng
        n, d = len(pairs), len(self.bins.n_bins)
        self.rows = np.arange(n, dtype=np.int32)
        self.spare = np.empty(n, np.int32)
        self.cells = int(self.bins.n_bins.max()) + 1
        self.free: list[Array] = []
        self.shape = (d, self.cells, 4)
        self.nodes: list[_Node] = []

    def _hist(self) -> Array:
        return self.free.pop() if self.free else np.empty(self.shape)

    def _allowed(self, nodes: list[_Node]) -> Array:
        """Which features each node may ask: its groups', of these some by chance."""
        d = self.shape[0]
        out = np.ones((len(nodes), d), np.bool_)
        for mask, node in zip(out, nodes, strict=True):
            if node.groups is not None:
                mask[:] = False
                mask[list(set().union(*node.groups))] = True
            if self.rules.max_features < 1.0:
                among = np.flatnonzero(mask)
                size = max(1, int(self.rules.max_features * len(among)))
                mask[:] = False
                mask[self.rng.choice(among, size, replace=False)] = True
        return out

    def _may_split(self, node: _Node) -> bool:
        depth = self.rules.max_depth
        return (
            node.sums.rows >= 2 * self.rules.limits.min_leaf
            and node.sums.hessian >= 2 * loops.MIN_HESSIAN
            and (depth is None or node.depth < depth)
        )

    def _search(self, nodes: list[_Node], call: Callable[[Array, Array, int, int], Any]) -> None:
        """Let lanes of features find the best split of each node by each feature."""
        d = self.shape[0]
        out, bits = np.zeros((2, d, 6)), np.zeros((2, d, 8), np.uint32)
        size = min(node.sums.rows for node in nodes) * d
        parts = lanes(d, max_lanes=n_threads() if size > costs.BOOSTING_LANE_ENTRIES else 1)
        run_lanes(lambda part: call(out, bits, part.start, part.stop), parts)
        for node, found, sets in zip(nodes, out, bits, strict=False):
            f = int(found[:, loops.GAIN].argmax())
            if found[f, loops.GAIN] > 0.0 and self._may_split(node):
                node.split, node.feature, node.bits = found[f].copy(), f, sets[f].copy()

    def grow(self) -> tuple[list[_Node], Array]:
        """Grow the tree; its nodes and the rows in the order of its leaves."""
        # sums of the derivatives in float64, by NumPy's pairwise addition
        g, h = (float(self.pairs[:, k].sum(dtype=np.float64)) for k in (0, 1))
        limits, n = self.rules.limits, len(self.rows)
        value = float(-g / (h + limits.l2 + loops.TINY))
        root = _Node(
            slice(0, n), Sums(g, h, float(n), value, -np.inf, np.inf), 0, groups=self.rules.groups
        )
        self.nodes.append(root)
        heap: list[tuple[float, int]] = []
        if self._may_split(root):
            root.hist = hist = self._hist()
            allowed = self._allowed([root])
            self._search(
                [root],
                lambda out, bits, a, b: loops.search_root(
                    self.bins, self.pairs, root.sums, limits, allowed, hist, out, bits, a, b
                ),
            )
            self._offer(heap, 0)
        n_leaves, most = 1, self.rules.max_leaf_nodes or n
        while heap:
            _, index = heapq.heappop(heap)
            n_leaves += 1
            left, right = self._split(self.nodes[index])
            if n_leaves >= most:
                break
            self._search_children(self.nodes[index], self.nodes[left], self.nodes[right])
            self._offer(heap, left)
            self._offer(heap, right)
        return self.nodes, self.rows

    def _offer(self, heap: list[tuple[float, int]], index: int) -> None:
        node = self.nodes[index]
        if node.split is not None:
            heapq.heappush(heap, (-float(node.split[loops.GAIN]), index))
        elif node.hist is not None:
            self.free.append(node.hist)
            node.hist = None

    def _split(self, node: _Node) -> tuple[int, int]:
        """Part the rows of a node and make its children."""
        f, found, s = node.feature, node.split, node.sums
        categorical = bool(self.bins.categorical[f])
        run = self.rows[node.rows]
        middle = node.rows.start + loops.part_rows(
            self.bins.codes[f], run, self.spare, int(found[loops.CUT]), int(self.bins.n_bins[f]),
            bool(found[loops.MISSING_LEFT]), categorical, np.asarray(node.bits),
        )  # fmt: skip
        l2, sign = self.rules.limits.l2, int(self.bins.monotonic[f])
        left = (found[loops.GRADIENT], found[loops.HESSIAN], found[loops.ROWS])
        right = (s.gradient - left[0], s.hessian - left[1], s.rows - left[2])
        values = [
            float(np.clip(-g / (h + l2 + loops.TINY), s.low, s.high)) for g, h, _ in (left, right)
        ]
        between = 0.5 * values[0] + 0.5 * values[1]
        groups = None if node.groups is None else [own for own in node.groups if f in own]
        made = []
        for side, ((g, h, n), value) in enumerate(zip((left, right), values, strict=True)):
            low, high = s.low, s.high
            if sign != 0:
                low, high = (between, high) if (side == 1) == (sign > 0) else (low, between)
            rows = slice(node.rows.start, middle) if side == 0 else slice(middle, node.rows.stop)
            sums = Sums(float(g), float(h), float(n), value, low, high)
            made.append(len(self.nodes))
            self.nodes.append(_Node(rows, sums, node.depth + 1, groups=groups))
        node.left, node.right = made
        return node.left, node.right

    def _search_children(self, parent: _Node, left: _Node, right: _Node) -> None:
        large = parent.hist
        parent.hist = None
        assert large is not None
        pair = sorted((left, right), key=lambda node: node.sums.rows)
        if not (self._may_split(left) or self._may_split(right)):
            self.free.append(large)
            return
        small = self._hist()
        rows = self.rows[pair[0].rows]
        pairs = np.empty((len(rows), 4), self.pairs.dtype)
        loops.gather(self.pairs, rows, pairs)
        allowed, limits = self._allowed(pair), self.rules.limits
        sums = (pair[0].sums, pair[1].sums)
        pair[0].hist, pair[1].hist = small, large
        self._search(
            pair,
            lambda out, bits, a, b: loops.search_children(
                self.bins, rows, pairs, sums, limits, allowed, small, large, out, bits, a, b
            ),
        )

    def tree(self, values: dict[int, float]) -> Tree:
        """The tree as arrays; `values` of the leaves."""
        count, n_categories = len(self.nodes), self.binner.n_categories
        inner = np.array([node.left >= 0 for node in self.nodes])
        threshold = np.full(count, -2.0)
        words = max(1, -(-int(n_categories.max(initial=0) + 1) // 32))
        bits = np.zeros((count, words), np.uint32)
        missing_left = np.zeros(count, dtype=bool)
        for i in np.flatnonzero(inner):
            node = self.nodes[i]
            f, cut = node.feature, int(node.split[loops.CUT])
            n_bins = int(self.bins.n_bins[f])
            if self.bins.categorical[f]:
                assert node.bits is not None
                bits[i] = node.bits[:words]
            else:
                last = cut >= n_bins - 1
                threshold[i] = np.inf if last else float(self.binner.cuts[f][cut])
            seen = node.split[loops.MISSING_LEFT] > 0
            left, right = self.nodes[node.left], self.nodes[node.right]
            # where no missing value was seen they go with most of the rows
            missing_left[i] = seen if self.missing[f] else left.sums.rows > right.sums.rows
            if not self.missing[f] and self.bins.categorical[f] and missing_left[i]:
                bits[i, n_bins >> 5] |= np.uint32(1) << np.uint32(n_bins & 31)
        return Tree(
            children_left=np.array([node.left for node in self.nodes]),
            children_right=np.array([node.right for node in self.nodes]),
            feature=np.array([node.feature if node.left >= 0 else -2 for node in self.nodes]),
            threshold=threshold,
            missing_go_to_left=missing_left,
            category_bits=bits,
            impurity=np.zeros(count),
            n_node_samples=np.array([int(node.sums.rows) for node in self.nodes]),
            weighted_n_node_samples=np.array([node.sums.hessian for node in self.nodes]),
            value=np.array([values.get(i, 0.0) for i in range(count)]).reshape(-1, 1, 1),
            n_categories=n_categories,
        )._walked()


def add_tree(tree: Tree, X: Array, raw: Array) -> None:
    """Add a tree's values to raw predictions of shape (n,), in lanes."""
    numeric = bool(np.all(tree.n_categories < 0))
    routes, value = tree.routes(), tree.value[:, 0]

    def task(rows: slice) -> None:
        if numeric:
            part = np.ascontiguousarray(X[rows])
            add_values(part, routes[0], routes[1], value, raw[rows].reshape(-1, 1))
        else:
            raw[rows] += value[tree.apply(X[rows]), 0]

    run_lanes(task, lanes(len(X), min_rows=1024))


def boost(problem: BoostingProblem) -> Iterator[BoostingState]:
    """The solver: yields after each step."""
    loss, held, rules = problem.loss, problem.held, problem.rules
    n, k = len(problem.y), loss.n_outputs
    raw = np.repeat(problem.baseline, n, axis=1)
    trees = problem.begun
    for past in trees:
        for c, tree in enumerate(past):
            add_tree(tree, problem.X, raw[c])
            if held is not None:
                add_tree(tree, held.X, held.raw[c])
    missing = np.array(
        [
            bool(np.any(codes == m))
            for codes, m in zip(problem.bins.codes, problem.bins.n_bins, strict=True)
        ]
    )
    pairs = np.empty((k, n, 4), np.float32)
    objective = loss.derivatives(raw, problem.y, problem.weight, pairs)
    if not trees:  # the score of the constant is the first one
        problem.stop(trees, objective, None if held is None else held.raw)
    if len(trees) >= problem.max_iter:
        yield BoostingState(n_iter=len(trees), objective=objective, converged=True, trees=trees)
        return
    for i in range(len(trees), problem.max_iter):
        step: list[Tree] = []
        for c in range(k):
            rng = np.random.default_rng([problem.seed, i, c])
            grower = Grower(problem, pairs[c], missing, rng)
            nodes, rows = grower.grow()
            values = {}
            for index, node in enumerate(nodes):
                if node.left >= 0:
                    continue
                own, s = rows[node.rows], node.sums
                new = s.value
                if loss.name in ("absolute_error", "quantile"):
                    w = np.ones(len(own)) if problem.weight is None else problem.weight[own]
                    found = loss.renewed(problem.y[own] - raw[c, own], w)
                    new = float(np.clip(found, s.low, s.high))
                values[index] = new * rules.learning_rate
                loops.add_to_rows(own, values[index], raw[c])
            step.append(grower.tree(values))
            if held is not None:
                add_tree(step[-1], held.X, held.raw[c])
        trees = (*trees, tuple(step))
        objective = loss.derivatives(raw, problem.y, problem.weight, pairs)
        train, valid, over = problem.stop(trees, objective, None if held is None else held.raw)
        yield BoostingState(
            n_iter=i + 1, objective=objective, converged=over or i + 1 == problem.max_iter,
            train_score=train, validation_score=valid, trees=trees,
        )  # fmt: skip
        if over:
            return
