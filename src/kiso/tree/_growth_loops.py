"""Compiled loops: splitting nodes by the best splits found, and measuring the children.

A split moves the rows of its node, those that go left before the others, and makes two nodes
of the two runs. A node's weight, impurity and class weights (or mean, or median) are measured
when it is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ABSOLUTE, ENTROPY, LN2, MOMENT, centre_for, enough, mix, xlogx
from ._cost_loops import bound_children, gather_outputs, measure_outputs
from ._records_loops import Best, Nodes, Rules, Table, Work, gather
from ._search_loops import merge, order_categories, search, two_sided


@compiled
def splittable(rules: Rules, nodes: Nodes, node: Any) -> bool:
    n = nodes.stop[node] - nodes.start[node]
    return (
        nodes.depth[node] < rules.max_depth
        and n >= rules.min_split
        and n >= 2 * rules.min_leaf
        and nodes.weight[node] >= 2.0 * rules.min_weight
        and nodes.impurity[node] > 0.0
    )


@compiled
def worth(rules: Rules, best: Best, k: Any) -> bool:
    """Whether a split exists and decreases impurity by as much as asked for."""
    return best.decrease[0, k] > -np.inf and enough(
        best.decrease[0, k] * rules.scale / rules.total, rules.min_decrease
    )


@compiled
def side_of(
    table: Table, rules: Rules, nodes: Nodes, node: Any, rows: Array, best: Best, k: Any,
    work: Work,
) -> int:  # fmt: skip
    """Set work.code to 0 (left) or 1 for the rows of a node; how many go left."""
    start, n = nodes.start[node], nodes.stop[node] - nodes.start[node]
    f, cut = best.feature[0, k], best.low[0, k]
    codes, code = table.codes[f], work.code
    for i in range(n):
        code[i] = codes[rows[start + i]]
    n_values = table.offset[f + 1] - table.offset[f]
    if table.categorical[f]:
        gather(table, rules, rows, start, start + n, work)
        if rules.mode == MOMENT and rules.n_stats != 2 and not rules.by_cost:
            for i in range(n):
                work.y[i] -= centre_for(nodes.stats[node, 0], nodes.impurity[node])
        order_categories(work, n, n_values + 1, best.high[0, k])
        for i in range(n):
            code[i] = 0 if work.position[code[i]] <= cut else 1
    else:
        two_sided(code, n, cut, n_values, best.missing_left[0, k])
    left = 0
    for i in range(n):
        left += 1 - code[i]
    return left


@compiled
def write_split(
    table: Table, rules: Rules, nodes: Nodes, node: Any, best: Best, k: Any, left: Any, work: Work
) -> None:
    """Feature, threshold and where missing and unknown values go."""
    f = best.feature[0, k]
    n = nodes.stop[node] - nodes.start[node]
    nodes.feature[node] = f
    nodes.threshold[node] = best.threshold[0, k]
    larger = 2 * left > n
    if not table.categorical[f]:
        seen = False
        n_values = table.offset[f + 1] - table.offset[f]
        codes = table.codes[f]
        rows = work.spare_rows
        for i in range(n):
            if codes[rows[i]] == n_values:
                seen = True
                break
        nodes.missing_left[node] = best.missing_left[0, k] if seen else larger
        return
    nodes.missing_left[node] = larger
    words = nodes.bits[node]
    words[:] = 0
    n_codes = table.offset[f + 1] - table.offset[f] + 1
    for c in range(n_codes):
        p = work.position[c]
        if larger if p < 0 else p <= best.low[0, k]:
            words[c >> 5] |= np.uint32(1) << np.uint32(c & 31)


@compiled
def median_of(work: Work, n: Any, W: float) -> float:
    """Weighted median; half-way between two values where both sides weigh the same."""
    below = 0.0
    for j in range(n):
        i = np.intp(work.keys[j] & np.uint64(0xFFFFFFFF))
        below += work.weight[i]
        if below > 0.5 * W or j == n - 1:
            return work.y[i]
        if below == 0.5 * W:
            return 0.5 * (work.y[i] + work.cell_moment[j + 1])
    return 0.0


@compiled
def measure(table: Table, rules: Rules, nodes: Nodes, node: Any, rows: Array, work: Work) -> None:
    """Weight, class weights (or mean or median) and impurity of a new node."""
    start, stop = nodes.start[node], nodes.stop[node]
    n = stop - start
    gather(table, rules, rows, start, stop, work)
    stats = nodes.stats[node]
    stats[:] = 0.0
    W = 0.0
    for i in range(n):
        W += work.weight[i]
    nodes.weight[node] = W
    if rules.by_cost:
        gather_outputs(table, rules, rows, start, n, work)
        nodes.impurity[node] = measure_outputs(rules, stats, n, W, work)
        return
    if rules.n_stats > 1:
        for i in range(n):
            stats[work.label[i]] += work.weight[i]
        total, present = 0.0, 0
        for c in range(rules.n_stats):
            present += stats[c] > 0.0
            p = stats[c] / W
            total -= xlogx(p) / LN2 if rules.mode == ENTROPY else p * p
        impurity = total if rules.mode == ENTROPY else 1.0 + total
        # one class is pure whatever the rounding of its share
        nodes.impurity[node] = max(impurity, 0.0) if present > 1 else 0.0
        return
    if rules.mode == ABSOLUTE:
        stats[0] = median_of(work, n, W)
    else:
        mean = 0.0
        same = True
        for i in range(n):
            mean += work.weight[i] * work.y[i]
            same = same and work.y[i] == work.y[0]
        stats[0] = work.y[0] if same else mean / W
    error = 0.0
    for i in range(n):
        e = work.y[i] - stats[0]
        error += work.weight[i] * (abs(e) if rules.mode == ABSOLUTE else e * e)
    nodes.impurity[node] = error / W


@compiled
def add_child(
    table: Table, rules: Rules, nodes: Nodes, parent: Any, which: Any, start: Any, stop: Any,
    rows: Array, work: Work,
) -> int:  # fmt: skip
    node = nodes.made[0]
    nodes.made[0] += 1
    nodes.start[node] = start
    nodes.stop[node] = stop
    nodes.depth[node] = nodes.depth[parent] + 1 if parent >= 0 else 0
    nodes.left[node] = -1
    nodes.right[node] = -1
    nodes.feature[node] = -2
    nodes.threshold[node] = -2.0
    nodes.missing_left[node] = False
    nodes.bits[node, :] = 0
    nodes.bounds[node, 0], nodes.bounds[node, 1] = -np.inf, np.inf
    if parent >= 0:
        nodes.path[node] = mix(nodes.path[parent] ^ np.uint64(which + 1))
    measure(table, rules, nodes, node, rows, work)
    return node


@compiled
def split(
    table: Table, rules: Rules, nodes: Nodes, node: Any, rows: Array, best: Best, k: Any,
    work: Work,
) -> None:  # fmt: skip
    """Split a node by best[0, k]: move its rows, make two children."""
    start, stop = nodes.start[node], nodes.stop[node]
    n = stop - start
    left = side_of(table, rules, nodes, node, rows, best, k, work)
    work.spare_rows[:n] = rows[start:stop]
    i, j = start, start + left
    for p in range(n):
        if work.code[p] == 0:
            rows[i] = work.spare_rows[p]
            i += 1
        else:
            rows[j] = work.spare_rows[p]
            j += 1
    write_split(table, rules, nodes, node, best, k, left, work)
    nodes.left[node] = add_child(table, rules, nodes, node, 0, start, start + left, rows, work)
    nodes.right[node] = add_child(table, rules, nodes, node, 1, start + left, stop, rows, work)
    if rules.monotonic:
        bound_children(table, rules, nodes, node)


@compiled
def advance(
    table: Table, rules: Rules, nodes: Nodes, frontier: Array, n: Any, rows: Array, best: Best,
    lanes: Any, work: Work,
) -> int:  # fmt: skip
    """Split the searched frontier; put the children that may be split into it; how many."""
    first = nodes.made[0]
    for k in range(n):
        merge(best, lanes, k)
        if worth(rules, best, k):
            split(table, rules, nodes, frontier[k], rows, best, k, work)
    m = 0
    for node in range(first, nodes.made[0]):
        if splittable(rules, nodes, node):
            frontier[m] = node
            m += 1
    return m


@compiled
def grow_alone(
    table: Table, rules: Rules, nodes: Nodes, frontier: Array, rows: Array, best: Best, work: Work
) -> None:
    """Grow a whole tree in one lane, level by level, from its root."""
    root = add_child(table, rules, nodes, -1, 0, 0, len(rows), rows, work)
    n = 0
    if splittable(rules, nodes, root):
        frontier[0] = root
        n = 1
    d = len(table.categorical)
    while n:
        search(table, rules, nodes, frontier, 0, n, 0, d, rows, best, 0, work)
        n = advance(table, rules, nodes, frontier, n, rows, best, 1, work)
