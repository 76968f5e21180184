"""Compiled loops: the best split of each node, over all features or over some drawn by chance.

    code    rank of a value among the distinct values of its feature; missing: one past the last
    Δ       decrease of Σ w·impurity by a split, what a search maximises

A numeric feature is cut between two codes, or at a random threshold; the categories of a
categorical one are ordered first, by their mean target. Of equal Δ the lowest feature wins,
in it the lowest cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ENTROPY, GINI, MOMENT, centre_for, mix, uniform
from ._cost_loops import centre_outputs, gather_outputs
from ._records_loops import Best, Nodes, Rules, Table, Work, gather
from ._scan_loops import best_cut


@compiled
def last_value(code: Array, n: Any, low: Any, missing: Any) -> Any:
    """Largest code of a value that is not missing."""
    last = low
    for i in range(n):
        if code[i] != missing:
            last = max(last, code[i])
    return last


@compiled
def random_cut(values: Array, low: Any, last: Any, seed: Any) -> tuple[float, int]:
    """Threshold drawn between two values, and the last code on its left."""
    a, b = values[low], values[last]
    u = uniform(seed)
    threshold = a * (1.0 - u) + b * u
    if not (threshold < b):
        threshold = a
    cut = low
    while values[cut + 1] <= threshold and cut + 1 < last:
        cut += 1
    return threshold, cut


@compiled
def order_categories(work: Work, n: Any, n_codes: Any, klass: Any) -> int:
    """Fill `work.position`: place of each category by its mean target (share of a class).

    Returns how many categories the node has; the others are at -1.
    """
    mass = np.zeros(n_codes)
    moment = np.zeros(n_codes)
    for i in range(n):
        k = work.code[i]
        mass[k] += work.weight[i]
        moment[k] += work.weight[i] * (
            work.y[i] if klass < 0 else (1.0 if work.label[i] == klass else 0.0)
        )
    present = np.empty(n_codes, np.int32)
    mean = np.empty(n_codes)
    m = 0
    for k in range(n_codes):
        work.position[k] = -1
        if mass[k] > 0.0:
            present[m] = k
            mean[m] = moment[k] / mass[k]
            m += 1
    order = np.argsort(mean[:m], kind="mergesort")
    for j in range(m):
        work.position[present[order[j]]] = j
    return m


@compiled
def two_sided(code: Array, n: Any, cut: Any, missing: Any, missing_left: bool) -> None:
    """Replace codes by 0 on the left and 1 on the right of a cut."""
    for i in range(n):
        k = code[i]
        code[i] = 0 if (missing_left if k == missing else k <= cut) else 1


@compiled
def keep(
    best: Best, lane: Any, k: Any, score: float, f: Any, low: Any, high: Any, threshold: float,
    missing_left: bool,
) -> None:  # fmt: skip
    old = best.decrease[lane, k]
    if score > old or (score == old and score > -np.inf and f < best.feature[lane, k]):
        best.decrease[lane, k] = score
        best.feature[lane, k] = f
        best.low[lane, k] = low
        best.high[lane, k] = high
        best.threshold[lane, k] = threshold
        best.missing_left[lane, k] = missing_left


@compiled
def search_categories(
    table: Table, rules: Rules, nodes: Nodes, node: Any, f: Any, moment: float, best: Best,
    lane: Any, k: Any, work: Work,
) -> None:  # fmt: skip
    """Search a categorical feature; with more than two classes, in the order of each class."""
    n = nodes.stop[node] - nodes.start[node]
    W, total = nodes.weight[node], nodes.stats[node]
    parent = nodes.impurity[node] * W
    n_codes = table.offset[f + 1] - table.offset[f] + 1
    code = work.code
    raw = code[:n].copy()
    classes = rules.mode == GINI or rules.mode == ENTROPY
    width = rules.n_stats // rules.n_outputs  # of several outputs the first gives the order
    many = classes and width > 2
    for klass in range(width if many else 1):
        order = klass if many else (1 if classes else -1)
        if classes and total[order] <= 0.0:
            continue
        code[:n] = raw
        m = order_categories(work, n, n_codes, order)
        for i in range(n):
            code[i] = work.position[raw[i]]
        if rules.random:
            u = uniform(mix(nodes.path[node] ^ mix(np.uint64(f + 1))))
            cut = min(np.int64(u * (m - 1)), m - 2)
            two_sided(code, n, cut, -1, False)
            found, _, _, _ = best_cut(rules, n, 0, 1, -1, W, total, moment, parent, work)
            keep(best, lane, k, found, f, cut, order, 0.0, False)
        else:
            found, a, _, _ = best_cut(rules, n, 0, m - 1, -1, W, total, moment, parent, work)
            keep(best, lane, k, found, f, a, order, 0.0, False)


@compiled
def search_feature(
    table: Table, rules: Rules, nodes: Nodes, node: Any, f: Any, rows: Array, moment: float,
    best: Best, lane: Any, k: Any, work: Work,
) -> bool:  # fmt: skip
    """Search one feature; keep it where it beats `best[lane, k]`. False: it is constant.

    Numbers are searched here and not in a function of their own: a call passes each array of
    each record, which a small node would feel.
    """
    start, n = nodes.start[node], nodes.stop[node] - nodes.start[node]
    low, high = np.int32(2147483647), np.int32(-1)
    codes, code = table.codes[f], work.code
    for i in range(n):
        c = codes[rows[start + i]]
        code[i] = c
        low = min(low, c)
        high = max(high, c)
    if low == high:
        return False
    if rules.monotonic:
        limits = work.costs.limits
        limits[0] = table.monotonic[f]
        centre = 0.0
        if rules.mode == MOMENT:
            centre = centre_for(nodes.stats[node, 0], nodes.impurity[node])
        limits[1] = nodes.bounds[node, 0] - centre
        limits[2] = nodes.bounds[node, 1] - centre
    if table.categorical[f]:
        search_categories(table, rules, nodes, node, f, moment, best, lane, k, work)
        return True
    W, total = nodes.weight[node], nodes.stats[node]
    parent = nodes.impurity[node] * W
    values = table.values[table.offset[f] : table.offset[f + 1]]
    missing = len(values)
    last = last_value(code, n, low, missing) if rules.random else low
    if last > low:
        seed = mix(nodes.path[node] ^ mix(np.uint64(f + 1)))
        threshold, a = random_cut(values, low, last, seed)
        side = high == missing and uniform(mix(seed)) < 0.5
        two_sided(code, n, a, missing, side)
        found, _, b, _ = best_cut(rules, n, 0, 1, -1, W, total, moment, parent, work)
    else:  # also at random: between one value and missing ones there is one cut
        found, a, b, side = best_cut(rules, n, low, high, missing, W, total, moment, parent, work)
        threshold = np.inf
        if a >= 0 and b != missing:
            threshold = 0.5 * values[a] + 0.5 * values[b]
            if not (threshold < values[b]):
                threshold = values[a]
    keep(best, lane, k, found, f, a, b, threshold, side)
    return True


@compiled
def search(
    table: Table, rules: Rules, nodes: Nodes, frontier: Array, first: Any, last: Any,
    f_first: Any, f_last: Any, rows: Array, best: Best, lane: Any, work: Work,
) -> None:  # fmt: skip
    """Best splits of frontier[first:last] among the features f_first..f_last - 1.

    Where fewer features than there are may be tried, they are drawn anew for each node:
    `max_features` of them, and more as long as all were constant.
    """
    d = len(table.categorical)
    features = np.arange(d)
    for k in range(first, last):
        node = frontier[k]
        best.decrease[lane, k] = -np.inf
        gather(table, rules, rows, nodes.start[node], nodes.stop[node], work)
        moment = 0.0
        n = nodes.stop[node] - nodes.start[node]
        if rules.by_cost:
            gather_outputs(table, rules, rows, nodes.start[node], n, work)
            centre_outputs(rules, nodes.stats[node], nodes.impurity[node], n, work.costs)
        elif rules.mode == MOMENT:
            centre = 0.0
            if rules.n_stats != 2:
                centre = centre_for(nodes.stats[node, 0], nodes.impurity[node])
            for i in range(n):
                work.y[i] -= centre
                moment += work.weight[i] * work.y[i]
        if rules.max_features >= d:
            for f in range(f_first, f_last):
                search_feature(table, rules, nodes, node, f, rows, moment, best, lane, k, work)
            continue
        state = nodes.path[node]
        varied = False
        for j in range(d):  # a draw owes nothing to the nodes before
            features[j] = j
        for j in range(d):
            if j >= rules.max_features and varied:
                break
            state = mix(state)
            i = j + np.intp(state % np.uint64(d - j))  # type: ignore[assignment]
            features[j], features[i] = features[i], features[j]
            if search_feature(
                table, rules, nodes, node, features[j], rows, moment, best, lane, k, work
            ):
                varied = True


@compiled
def merge(best: Best, lanes: Any, k: Any) -> None:
    """Put the best of all lanes into lane 0."""
    for lane in range(1, lanes):
        keep(
            best, 0, k, best.decrease[lane, k], best.feature[lane, k], best.low[lane, k],
            best.high[lane, k], best.threshold[lane, k], best.missing_left[lane, k],
        )  # fmt: skip
