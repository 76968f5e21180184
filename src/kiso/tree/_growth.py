"""Growing a tree: level by level, or best split first.

Both make the same splits, since a split depends on the rows of its node and on the path to
it alone; what differs is which are made when the number of leaves is bounded.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import lanes, n_threads, run_lanes
from kiso._validation import Array

from . import _growth_loops, _search_loops
from ._common_loops import ABSOLUTE
from ._records_loops import Best, Nodes, Rules, Table, make_work
from ._tree import Tree, Units

__all__ = ["Growth", "best_first", "grow_lane", "level_by_level"]


@dataclass
class Growth:
    """A tree that is growing: data, rules, nodes so far."""

    table: Table
    rules: Rules
    seed: int
    max_leaf_nodes: int | None = None
    n_classes: Any = ()  # of each output; nothing for regression
    centre: Any = 0.0
    n_categories: Any = None
    units: Units = field(default_factory=Units)
    rows: Array = field(init=False)
    nodes: Nodes = field(init=False)
    works: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = np.flatnonzero(self.table.weight > 0).astype(np.int32)
        room = 2 * len(self.rows) - 1
        if self.rules.max_depth < 40:
            room = min(room, 2 ** (self.rules.max_depth + 1) - 1)
        if self.max_leaf_nodes is not None:
            room = min(room, 2 * self.max_leaf_nodes - 1)
        self.nodes = _room_for(room, self.rules.n_stats, self._words())
        self.nodes.path[0] = np.uint64(self.seed)

    def _words(self) -> int:
        sizes = np.diff(self.table.offset)[self.table.categorical]
        return int(sizes.max() + 32) // 32 if len(sizes) else 1

    def work(self, lane: int = 0) -> Any:
        """Scratch of a lane, made when first asked for."""
        if lane not in self.works:
            n_codes = int(np.diff(self.table.offset).max()) + 1
            absolute = self.rules.mode == ABSOLUTE
            n_costs = self.rules.n_outputs if self.rules.by_cost else 0
            self.works[lane] = make_work(
                len(self.rows), self.rules.n_stats, n_codes, absolute, n_costs
            )
        return self.works[lane]

    def plant(self) -> bool:
        """Make the root; whether it may be split."""
        n = len(self.rows)
        root = _growth_loops.add_child(
            self.table, self.rules, self.nodes, -1, 0, 0, n, self.rows, self.work()
        )
        return bool(_growth_loops.splittable(self.rules, self.nodes, root))

    def search(self, frontier: Array, best: Best) -> int:
        """Find the best split of each node of the frontier; in how many lanes."""
        d = len(self.table.categorical)
        sizes = self.nodes.stop[frontier] - self.nodes.start[frontier]
        threads = n_threads() if int(sizes.sum()) * d > costs.TREE_LANE_ENTRIES else 1
        by_feature = self.rules.max_features >= d
        parts = lanes(d if by_feature else len(frontier), max_lanes=threads)
        number = {part.start: lane for lane, part in enumerate(parts)}
        works = [self.work(lane) for lane in range(len(parts))]

        def task(part: slice) -> None:
            lane = number[part.start]
            nodes: Any = (0, len(frontier)) if by_feature else (part.start, part.stop)
            features: Any = (part.start, part.stop) if by_feature else (0, d)
            _search_loops.search(  # type: ignore[call-arg]
                self.table, self.rules, self.nodes, frontier, *nodes, *features, self.rows,
                best, lane if by_feature else 0, works[lane],
            )  # fmt: skip

        run_lanes(task, parts)
        return len(parts) if by_feature else 1

    def best(self, n_nodes: int) -> Best:
        """Room for the best splits of so many nodes."""
        shape = (max(1, min(n_threads(), len(self.table.categorical))), n_nodes)
        return _best(shape)

    def objective(self) -> float:
        """Impurity of the leaves, weighted by their share of the rows' weight."""
        count = self.nodes.made[0]
        leaf = self.nodes.left[:count] < 0
        weight = self.nodes.weight[:count][leaf]
        mean = float(weight @ self.nodes.impurity[:count][leaf] / self.rules.total)
        return mean * self.units.impurity if mean > 0.0 else 0.0

    def tree(self, count: int | None = None) -> Tree:
        """The tree as it was when it had `count` nodes."""
        return Tree.from_nodes(
            self.nodes,
            int(self.nodes.made[0]) if count is None else count,
            self.n_classes,
            self.centre,
            self.n_categories,
            self.units,
        )


def _best(shape: tuple[int, int]) -> Best:
    return Best(
        np.full(shape, -np.inf), np.zeros(shape, np.int32), np.zeros(shape, np.int32),
        np.zeros(shape, np.int32), np.zeros(shape), np.zeros(shape, np.bool_),
    )  # fmt: skip


def _room_for(n: int, n_stats: int, words: int) -> Nodes:
    whole: Any = [np.empty(n, np.int64) for _ in range(3)]
    return Nodes(  # type: ignore[call-arg]
        np.zeros(1, np.int64), *whole, np.empty(n, np.uint64),
        np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n),
        np.empty(n, np.bool_), np.empty((n, words), np.uint32), np.empty(n), np.empty(n),
        np.empty((n, n_stats)), np.empty((n, 2)),
    )  # fmt: skip


def level_by_level(growth: Growth) -> Iterator[bool]:
    """Split all nodes of a level at once; yields after each level whether it was the last."""
    frontier = np.zeros(max(1, len(growth.rows)), dtype=np.int64)
    n = int(growth.plant())
    if not n:
        yield True
    while n:
        best = growth.best(n)
        used = growth.search(frontier[:n], best)
        n = _growth_loops.advance(
            growth.table, growth.rules, growth.nodes, frontier, n, growth.rows, best, used,
            growth.work(),
        )  # fmt: skip
        yield n == 0


def best_first(growth: Growth) -> Iterator[bool]:
    """Split, of all leaves, the one whose split decreases total impurity most.

    Of equal decreases the older node goes first. Yields after each split whether it was
    the last.
    """
    heap: list[tuple[float, int, Best]] = []
    limit = growth.max_leaf_nodes or len(growth.rows)

    def offer(nodes: list[int]) -> None:
        open_ = [k for k in nodes if _growth_loops.splittable(growth.rules, growth.nodes, k)]
        if not open_:
            return
        best = growth.best(len(open_))
        used = growth.search(np.array(open_, dtype=np.int64), best)
        for k, node in enumerate(open_):
            _search_loops.merge(best, used, k)
            if _growth_loops.worth(growth.rules, best, k):
                own = Best(*(a[:1, k : k + 1].copy() for a in best))
                heapq.heappush(heap, (-float(own.decrease[0, 0]), node, own))

    if growth.plant():
        offer([0])
    n_leaves = 1
    if not heap:
        yield True
    while heap:
        _, node, own = heapq.heappop(heap)
        _growth_loops.split(
            growth.table, growth.rules, growth.nodes, node, growth.rows, own, 0, growth.work()
        )
        n_leaves += 1
        if n_leaves < limit:
            offer([int(growth.nodes.left[node]), int(growth.nodes.right[node])])
        else:
            heap.clear()
        yield not heap


def grow_lane(growth: Growth) -> Tree:
    """Grow the whole tree in the lane of the caller (the trees of a forest are its lanes)."""
    if growth.max_leaf_nodes is not None:
        for _ in best_first(growth):
            pass
        return growth.tree()
    frontier = np.zeros(max(1, len(growth.rows)), dtype=np.int64)
    best = _best((1, len(frontier)))
    _growth_loops.grow_alone(
        growth.table, growth.rules, growth.nodes, frontier, growth.rows, best, growth.work()
    )
    return growth.tree()
