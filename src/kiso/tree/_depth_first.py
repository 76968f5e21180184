"""Growing the trees of a forest fast: the common case, by `_depth_first_loops`.

Categories, absolute error and a bound on the number of leaves are left to `_growth`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._validation import Array

from . import _depth_first_loops as loops
from ._problem import Problem, power_of_two
from ._tree import Tree

__all__ = ["DepthFirst"]


@dataclass
class DepthFirst:
    """What all trees of a forest read."""

    problem: Problem
    codes: Array  # uint16 where that suffices: half as much to read
    n_codes: Array  # codes of each feature, with that of missing values
    n_values: Array  # codes without it, which is the code of missing values
    max_nodes: int  # of depth-limited trees

    @classmethod
    def of(cls, problem: Problem) -> DepthFirst | None:
        """Prepare; None where the problem asks for more than these loops can do."""
        if (
            np.any(problem.n_categories >= 0)
            or problem.by_cost
            or problem.settings["criterion"] == "absolute_error"
            or problem.settings["max_leaf_nodes"] is not None
        ):
            return None
        n_codes = problem.codes.max(axis=1).astype(np.int64) + 1
        codes = problem.codes.astype(np.uint16) if n_codes.max() <= 2**16 else problem.codes
        depth = problem.settings["max_depth"]
        max_nodes = 2 ** (depth + 1) - 1 if depth is not None and depth < 40 else 2**62
        return cls(problem, codes, n_codes, np.diff(problem.offset), max_nodes)

    def grow(self, seed: int, weight: Array) -> Tree:
        """Grow a tree in the lane of the caller."""
        rows = np.flatnonzero(weight > 0).astype(np.uint32)
        weight, targets = weight[rows], self.problem.targets
        mass = power_of_two(float(weight.max()))
        weight = weight / mass
        rules = self.problem.rules(float(weight.sum()))
        labels = targets.y if rules.n_stats == 1 else targets.label
        room = min(2 * len(rows) - 1, self.max_nodes)
        nodes = np.empty((room, 7), dtype=np.int32)
        stats = np.empty((room, 2 + rules.n_stats))
        count = loops.grow(
            self.codes, self.n_values, self.n_codes, rows, weight,
            labels[rows].astype(np.float64), rules.mode, rules.scale, np.uint64(seed),
            rules.max_features, rules.max_depth, rules.min_split, rules.min_leaf,
            rules.min_weight, rules.min_decrease, nodes, stats,
        )  # fmt: skip
        return self._tree(nodes[:count], stats[:count]).in_units(self.problem.units(mass))

    def _tree(self, nodes: Array, stats: Array) -> Tree:
        left = nodes[:, loops.LEFT].astype(np.int64)
        leaf = left < 0
        targets, totals = self.problem.targets, stats[:, 2:]
        n_classes = max(targets.n_classes, default=0)
        shares = totals[:, :n_classes] / stats[:, :1]
        value = shares if n_classes else totals + targets.centre
        return Tree(
            children_left=left,
            children_right=nodes[:, loops.RIGHT].astype(np.int64),
            feature=np.where(leaf, -2, nodes[:, loops.FEATURE]).astype(np.int64),
            threshold=self._thresholds(nodes, leaf),
            missing_go_to_left=~leaf & (nodes[:, loops.MISSING_LEFT] > 0),
            category_bits=np.zeros((len(nodes), 1), dtype=np.uint32),
            impurity=stats[:, 1].copy(),
            n_node_samples=nodes[:, loops.ROWS].astype(np.int64),
            weighted_n_node_samples=stats[:, 0].copy(),
            value=value[:, None, :],
            n_categories=self.problem.n_categories,
            classes=np.array(targets.n_classes, dtype=np.int64) if n_classes else None,
        )

    def _thresholds(self, nodes: Array, leaf: Array) -> Array:
        """Half-way between the values about a cut; infinity before missing values."""
        threshold = np.full(len(nodes), -2.0)
        inner = nodes[~leaf]
        feature = inner[:, loops.FEATURE]
        begin, values = self.problem.offset[feature], self.problem.values
        before_missing = inner[:, loops.HIGH] == self.n_values[feature]
        low = values[begin + inner[:, loops.LOW]]
        high = values[begin + np.where(before_missing, inner[:, loops.LOW], inner[:, loops.HIGH])]
        middle = 0.5 * low + 0.5 * high
        middle = np.where(middle < high, middle, low)  # where no number lies between
        threshold[~leaf] = np.where(before_missing, np.inf, middle)
        return threshold
