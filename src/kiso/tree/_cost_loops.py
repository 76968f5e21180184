"""Compiled loops for whatever the scans of `_scan_loops` cannot do, one cost for all of it.

Several outputs, Poisson deviance and monotonic constraints are cut by the costs of prefixes:
the rows of a node in the order of a feature, a cost for the first j of them and one for the
rest, summed over the outputs. Σ w·impurity of a side is its cost but for what both sides
together have anyway:

    squared error     −s²/w              Gini       −Σ_c s_c²/w
    Poisson           −s log(s/w)        entropy    −Σ_c s_c log s_c + w log w
    absolute error    Σ w |y − median|

w is the weight of a side, s its Σ w y, s_c the weight of its class c. The decrease of a cut
is cost(all) − cost(left) − cost(right).

A monotonic constraint refuses cuts. The value of a side is its mean, its median or its share
of class 0; it has to lie between the bounds of the node, and the two sides in the right order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ABSOLUTE, ENTROPY, GINI, LN2, MOMENT, POISSON, by_code, centre_for, xlogx
from ._records_loops import Costs, Nodes, Rules, Table, Work


@compiled
def gather_outputs(table: Table, rules: Rules, rows: Array, start: Any, n: Any, work: Work) -> None:
    """Copy all outputs of a node; for the absolute error also their ranks and order."""
    own = work.costs
    for o in range(rules.n_outputs):
        source, target = table.outputs[o], own.y[o]
        for i in range(n):
            target[i] = source[rows[start + i]]
        if rules.mode == ABSOLUTE:
            order = np.argsort(target[:n], kind="mergesort")
            for j in range(n):
                own.rank[o, order[j]] = j
                own.ordered[o, j] = target[order[j]]


@compiled
def centre_outputs(rules: Rules, stats: Array, impurity: float, n: Any, own: Costs) -> None:
    """Take large means from the targets: squares of small numbers keep their digits."""
    if rules.mode == MOMENT:
        for o in range(rules.n_outputs):
            centre = centre_for(stats[o], impurity * rules.n_outputs)
            for i in range(n):
                own.y[o, i] -= centre


@compiled
def middle(own: Costs, o: Any, n: Any, W: float) -> tuple[float, float]:
    """Weighted median of what the Fenwick trees hold, and Σ w |y − median| but for Σ w y."""
    step = 1
    while step * 2 <= n:
        step *= 2
    size = step
    at, below, moment = 0, 0.0, 0.0
    while step:
        if at + step <= n and below + own.tree_weight[at + step] < 0.5 * W:
            at += step
            below += own.tree_weight[at]
            moment += own.tree_moment[at]
        step //= 2
    over, mass, step = 0, 0.0, size
    while step:
        if over + step <= n and mass + own.tree_weight[over + step] <= 0.5 * W:
            over += step
            mass += own.tree_weight[over]
        step //= 2
    first, last = own.ordered[o, min(at, n - 1)], own.ordered[o, min(over, n - 1)]
    median = first if first == last else 0.5 * first + 0.5 * last
    # of all medians any has the least error: the lower one spares a second sum
    return median, first * below - moment - moment - first * (W - below)


@compiled
def add_absolute(
    rules: Rules, o: Any, n: Any, backward: bool, work: Work, cost: Array, value: Array
) -> None:
    own = work.costs
    own.tree_weight[: n + 1] = 0.0
    own.tree_moment[: n + 1] = 0.0
    w, s = 0.0, 0.0
    for j in range(n):
        place = n - 1 - j if backward else j
        i = own.order[place]
        mass = work.weight[i]
        w += mass
        s += mass * own.y[o, i]
        r = own.rank[o, i] + 1
        while r <= n:
            own.tree_weight[r] += mass
            own.tree_moment[r] += mass * own.y[o, i]
            r += r & -r
        median, error = middle(own, o, n, w)
        cost[place] += error + s
        value[place] = median


@compiled
def add_costs(rules: Rules, o: Any, n: Any, backward: bool, work: Work) -> None:
    """Add the costs of output o for all prefixes, or (backward) for all suffixes, in order."""
    own = work.costs
    cost = own.right if backward else own.left
    value = own.right_value if backward else own.left_value
    if rules.mode == ABSOLUTE:
        add_absolute(rules, o, n, backward, work, cost, value)
        return
    w, s, whole = 0.0, 0.0, 0.0
    share = own.share
    share[:] = 0.0
    for j in range(n):
        place = n - 1 - j if backward else j
        i = own.order[place]
        mass = work.weight[i]
        w += mass
        if rules.mode == GINI or rules.mode == ENTROPY:
            c = np.intp(own.y[o, i])
            before = share[c]
            share[c] = before + mass
            if rules.mode == GINI:
                whole += mass * (2.0 * before + mass)
                cost[place] -= whole / w
            else:
                whole += xlogx(before + mass) - xlogx(before)
                cost[place] -= whole - xlogx(w)
            value[place] = share[0] / w
            continue
        s += mass * own.y[o, i]
        if rules.mode == MOMENT:
            cost[place] -= s * s / w
        else:
            cost[place] = cost[place] - s * np.log(s / w) if s > 0.0 else np.inf
        value[place] = s / w


@compiled
def order_rows(code: Array, n: Any, low: Any, high: Any, shift: Any, work: Work) -> None:
    """Places of the rows in the order of their codes, the last `shift` of them first."""
    by_code(code, n, low, high, work.keys, work.spare)
    for j in range(n):
        at = j + shift if j + shift < n else j + shift - n
        work.costs.order[at] = np.int32(work.keys[j] & np.uint64(0xFFFFFFFF))


@compiled
def cut_by_cost(
    rules: Rules, n: Any, low: Any, high: Any, missing: Any, W: float, work: Work
) -> tuple[float, int, int, bool]:
    """Best cut of the node at hand along `work.code[:n]`, as `_scan_loops.best_cut`."""
    own, code = work.costs, work.code
    best, a, b, to_left = -np.inf, -1, -1, False
    absent = 0
    for i in range(n):
        absent += code[i] == missing
    sign, lower, upper = own.limits[0], own.limits[1], own.limits[2]
    for side in range(2 if 0 < absent < n else 1):
        shift = absent if side == 1 else 0
        order_rows(code, n, low, high, shift, work)
        own.left[:n] = 0.0
        own.right[:n] = 0.0
        for o in range(rules.n_outputs):
            add_costs(rules, o, n, False, work)
            add_costs(rules, o, n, True, work)
        whole = own.left[n - 1]
        w = 0.0
        for j in range(n - 1):
            w += work.weight[own.order[j]]
            here, after = code[own.order[j]], code[own.order[j + 1]]
            v = W - w
            if (
                here == after or j < shift or j + 1 < rules.min_leaf
                or n - j - 1 < rules.min_leaf or w < rules.min_weight or v < rules.min_weight
                or v <= 0.0
            ):  # fmt: skip
                continue
            score = (whole - own.left[j] - own.right[j + 1]) / rules.n_outputs
            if not score > best:
                continue
            if rules.monotonic:
                x, y = own.left_value[j], own.right_value[j + 1]
                if min(x, y) < lower or max(x, y) > upper or (x - y) * sign > 0.0:
                    continue
            best, a, b, to_left = score, here, after, side == 1
    return best, a, b, to_left


@compiled
def measure_outputs(rules: Rules, stats: Array, n: Any, W: float, work: Work) -> float:
    """Class weights, means or medians of a new node into `stats`; its impurity."""
    own = work.costs
    width = rules.n_stats // rules.n_outputs
    stats[:] = 0.0
    impurity = 0.0
    for o in range(rules.n_outputs):
        y = own.y[o]
        if rules.mode == GINI or rules.mode == ENTROPY:
            total, present = 0.0, 0
            for i in range(n):
                stats[o * width + np.intp(y[i])] += work.weight[i]
            for c in range(o * width, (o + 1) * width):
                present += stats[c] > 0.0
                p = stats[c] / W
                total -= xlogx(p) / LN2 if rules.mode == ENTROPY else p * p
            if present > 1:
                impurity += max(total if rules.mode == ENTROPY else 1.0 + total, 0.0)
            continue
        if rules.mode == ABSOLUTE:
            own.order[:n] = np.argsort(y[:n], kind="mergesort")
            below = 0.0
            for j in range(n):
                here = y[own.order[j]]
                below += work.weight[own.order[j]]
                if below >= 0.5 * W or j == n - 1:
                    even = below == 0.5 * W and j + 1 < n
                    stats[o] = 0.5 * here + 0.5 * y[own.order[j + 1]] if even else here
                    break
        else:
            mean, same = 0.0, True
            for i in range(n):
                mean += work.weight[i] * y[i]
                same = same and y[i] == y[0]
            stats[o] = y[0] if same else mean / W
        error = 0.0
        for i in range(n):
            if rules.mode == POISSON:
                if y[i] != stats[o] and y[i] > 0.0:
                    error += work.weight[i] * y[i] * np.log(y[i] / stats[o])
            else:
                e = y[i] - stats[o]
                error += work.weight[i] * (abs(e) if rules.mode == ABSOLUTE else e * e)
        impurity += max(error / W, 0.0)
    return impurity / rules.n_outputs


@compiled
def node_value(rules: Rules, nodes: Nodes, node: Any) -> float:
    """What a monotonic constraint compares: mean, median, or share of class 0."""
    value = nodes.stats[node, 0]
    return value / nodes.weight[node] if rules.n_stats > 1 else value


@compiled
def bound_children(table: Table, rules: Rules, nodes: Nodes, node: Any) -> None:
    """Give the children their bounds, the middle of their values between them."""
    left, right = nodes.left[node], nodes.right[node]
    sign = table.monotonic[nodes.feature[node]]
    between = 0.5 * node_value(rules, nodes, left) + 0.5 * node_value(rules, nodes, right)
    for child in (left, right):
        nodes.bounds[child, :] = nodes.bounds[node]
        if sign != 0:
            nodes.bounds[child, 1 if (child == left) == (sign > 0) else 0] = between
        value = node_value(rules, nodes, child)
        inside = min(max(value, nodes.bounds[child, 0]), nodes.bounds[child, 1])
        if inside != value:  # by rounding
            if rules.n_stats > 1:
                nodes.stats[child, 0] = inside * nodes.weight[child]
                nodes.stats[child, 1] = nodes.weight[child] - nodes.stats[child, 0]
            else:
                nodes.stats[child, 0] = inside
