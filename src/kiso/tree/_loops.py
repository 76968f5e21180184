"""Compiled loops of the trees: find the best split of each node, split, route rows.

    code[f, i]  rank of x_i among the distinct values of feature f; missing: one past the last
    w_i, y_i    weight and target of a row (class 0, 1 as a number where there are two)
    Δ           decrease of Σ w·impurity by a split, what a search maximises

A node owns a run of `rows`. A feature is searched by bringing the rows of the node into the
order of their codes (a histogram where codes are few, else a sort of integers) and one scan
over that order. Of equal Δ the lowest feature and then the lowest cut win, missing values to
the right. Random numbers of a node are a hash of the seed and the path to the node: they do
not depend on the order in which nodes are met.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kiso._jit import compiled
from kiso._validation import Array

MOMENT, GINI, ENTROPY, ABSOLUTE = range(4)
SMALL = 48  # rows up to which insertion beats counting
LN2 = 0.6931471805599453
EPS = 2.220446049250313e-16


class Table(NamedTuple):
    """The training data; features as codes."""

    codes: Array  # (n_features, n) int32
    values: Array  # distinct values of all features, one after the other
    offset: Array  # (n_features + 1,) where a feature's values begin
    categorical: Array  # (n_features,) bool
    y: Array  # (n,) float64
    label: Array  # (n,) int32: class, or rank of y
    weight: Array  # (n,) float64


class Rules(NamedTuple):
    """When and how a node is split."""

    mode: int
    n_stats: int  # classes, or 1
    scale: float  # Δ of the scan to Δ of the criterion
    max_features: int
    random: bool
    min_split: int
    min_leaf: int
    min_weight: float
    max_depth: int
    min_decrease: float
    total: float  # weight of all rows


class Nodes(NamedTuple):
    """The nodes, in order of creation; room for as many as there can be."""

    made: Array  # (1,) nodes so far
    start: Array
    stop: Array
    depth: Array
    path: Array  # uint64, hash of the way down
    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    bits: Array  # (n, words) uint32: categories that go left
    impurity: Array
    weight: Array
    stats: Array  # (n, n_stats) class weights, or mean or median


class Best(NamedTuple):
    """Best split of each frontier node in each lane."""

    decrease: Array  # -inf: none
    feature: Array
    low: Array  # last code on the left
    high: Array  # first code on the right, or the class that orders categories
    threshold: Array
    missing_left: Array


@compiled
def mix(z: Any) -> Any:
    """Splitmix64."""
    z = np.uint64(z) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def uniform(z: Any) -> float:
    return float(mix(z) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def xlogx(x: float) -> float:
    return x * np.log(x) if x > 0.0 else 0.0


@compiled
def sort_keys(keys: Array, spare: Array, n: Any, bits: Any) -> None:
    """Sort keys[:n] by their upper halves, of which `bits` are used; stable."""
    if n <= SMALL:
        for i in range(1, n):
            key = keys[i]
            j = i - 1
            while j >= 0 and keys[j] > key:
                keys[j + 1] = keys[j]
                j -= 1
            keys[j + 1] = key
        return
    digit = 8 if n < 4096 else 11
    passes = (bits + digit - 1) // digit
    digit = (bits + passes - 1) // passes
    size = 1 << digit
    mask = np.uint64(size - 1)
    count = np.empty(size, np.int64)
    source, target = keys, spare
    for p in range(passes):
        shift = np.uint64(32 + p * digit)
        count[:] = 0
        for i in range(n):
            count[np.intp((source[i] >> shift) & mask)] += 1
        total = 0
        for b in range(size):
            here = count[b]
            count[b] = total
            total += here
        for i in range(n):
            b = np.intp((source[i] >> shift) & mask)  # type: ignore[assignment]
            target[count[b]] = source[i]
            count[b] += 1
        source, target = target, source
    if passes % 2 == 1:
        keys[:n] = spare[:n]


@compiled
def by_code(code: Array, n: Any, low: Any, high: Any, keys: Array, spare: Array) -> None:
    """Positions 0..n-1 in the order of their codes, in the lower halves of keys[:n]."""
    for i in range(n):
        keys[i] = (np.uint64(code[i] - low) << np.uint64(32)) | np.uint64(i)
    bits = 1
    while (high - low) >> bits:
        bits += 1
    sort_keys(keys, spare, n, bits)


class Events(NamedTuple):
    """Rows, or groups of equal rows, in the order of their codes."""

    code: Array
    label: Array
    rows: Array
    weight: Array
    moment: Array  # Σ w y


class Work(NamedTuple):
    """Scratch of one lane; `y`, `label`, `weight` are the rows of the node at hand."""

    code: Array
    y: Array
    label: Array
    weight: Array
    keys: Array
    spare: Array
    events: Events
    cell_rows: Array
    cell_weight: Array
    cell_moment: Array
    position: Array  # of each category in the order
    before: Array  # (n_stats,) weights left of the cut
    after: Array
    error: Array  # absolute error of what is left of a cut
    rank: Array
    tree_weight: Array  # Fenwick trees over the ranks of y
    tree_moment: Array
    spare_rows: Array


@compiled
def make_work(n: Any, n_stats: Any, n_codes: Any, absolute: bool) -> Work:
    cells = max(2 * n, 64) + n_stats + 1
    m = n if absolute else 0
    events = Events(
        np.empty(cells, np.int32), np.empty(cells, np.int32), np.empty(cells, np.int32),
        np.empty(cells, np.float64), np.empty(cells, np.float64),
    )  # fmt: skip
    return Work(
        np.empty(n, np.int32), np.empty(n, np.float64), np.empty(n, np.int32),
        np.empty(n, np.float64), np.empty(n, np.uint64), np.empty(n, np.uint64), events,
        np.zeros(cells, np.int32), np.zeros(cells, np.float64), np.zeros(cells, np.float64),
        np.empty(n_codes, np.int32), np.empty(n_stats, np.float64), np.empty(n_stats, np.float64),
        np.empty(m + 1, np.float64), np.empty(m, np.int32), np.empty(m + 1, np.float64),
        np.empty(m + 1, np.float64), np.empty(n, np.int32),
    )  # fmt: skip


@compiled
def list_events(work: Work, n: Any, low: Any, high: Any, mode: Any, n_stats: Any) -> int:
    """Fill `work.events` from `work.code[:n]`, which lie in low..high; how many there are."""
    ev = work.events
    width = 1 if mode == MOMENT else n_stats
    cells = (high - low + 1) * width
    code, y, label, weight = work.code, work.y, work.label, work.weight
    if mode == ABSOLUTE or cells > max(2 * n, 64):
        by_code(code, n, low, high, work.keys, work.spare)
        for j in range(n):
            i = np.intp(work.keys[j] & np.uint64(0xFFFFFFFF))
            ev.code[j] = code[i]
            ev.label[j] = label[i]
            ev.rows[j] = 1
            ev.weight[j] = weight[i]
            ev.moment[j] = weight[i] * y[i]
        return n
    rows, mass, moment = work.cell_rows, work.cell_weight, work.cell_moment
    if mode == MOMENT:
        for i in range(n):  # type: ignore[assignment]
            k = code[i] - low
            rows[k] += 1
            mass[k] += weight[i]
            moment[k] += weight[i] * y[i]
    else:
        for i in range(n):  # type: ignore[assignment]
            k = (code[i] - low) * width + label[i]
            rows[k] += 1
            mass[k] += weight[i]
    m = 0
    for k in range(cells):
        if rows[k]:
            ev.code[m] = low + k // width
            ev.label[m] = k % width
            ev.rows[m] = rows[k]
            ev.weight[m] = mass[k]
            ev.moment[m] = moment[k]
            m += 1
            rows[k] = 0
            mass[k] = 0.0
            moment[k] = 0.0
    return m


@compiled
def scan_moment(
    ev: Events, m0: Any, m: Any, n: Any, W: float, S: float, min_leaf: Any, min_weight: float
) -> tuple[float, int, int, bool]:
    """Maximise Δ = S_l²/W_l + S_r²/W_r − S²/W over the cuts; events from m0 on are missing."""
    best, low, high, to_left = -np.inf, -1, -1, False
    parent = S * S / W
    for side in range(2 if m0 < m else 1):
        rows, w, s = 0, 0.0, 0.0
        if side == 1:
            for i in range(m0, m):
                rows += ev.rows[i]
                w += ev.weight[i]
                s += ev.moment[i]
        for i in range(m0):
            rows += ev.rows[i]
            w += ev.weight[i]
            s += ev.moment[i]
            here = ev.code[i]
            if i + 1 == m0 and (side == 1 or m0 == m):
                break
            following = ev.code[i + 1]
            if following == here or rows < min_leaf:
                continue
            if n - rows < min_leaf:
                break
            v = W - w
            if w < min_weight or v < min_weight or v <= 0.0:
                continue
            t = S - s
            score = (s * s * v + t * t * w) / (w * v) - parent
            if score > best:
                best, low, high, to_left = score, here, following, side == 1
    return best, low, high, to_left


@compiled
def add_event(
    ev: Events, i: Any, before: Array, after: Array, entropy: bool
) -> tuple[float, float]:
    """Move an event to the left; how far Σ s² (or Σ s log s) changes on either side."""
    c, w = ev.label[i], ev.weight[i]
    b, a = before[c], after[c]
    before[c] = b + w
    after[c] = a - w
    if entropy:
        return xlogx(b + w) - xlogx(b), xlogx(a - w) - xlogx(a)
    return w * (2.0 * b + w), w * (w - 2.0 * a)


@compiled
def scan_classes(
    ev: Events, m0: Any, m: Any, n: Any, W: float, total: Array, work: Work,
    entropy: bool, min_leaf: Any, min_weight: float,
) -> tuple[float, int, int, bool]:  # fmt: skip
    """The same for Gini, Σ s²/W, and entropy, Σ s log s − W log W, summed over two sides."""
    best, low, high, to_left = -np.inf, -1, -1, False
    before, after = work.before, work.after
    whole = 0.0
    for c in range(len(total)):
        whole += xlogx(total[c]) if entropy else total[c] * total[c]
    parent = whole - xlogx(W) if entropy else whole / W
    for side in range(2 if m0 < m else 1):
        rows, w, p, q = 0, 0.0, 0.0, whole
        before[:] = 0.0
        after[:] = total
        for j in range(m if side == 1 else m0):
            # with missing values on the left these come first
            i = j if side == 0 else (m0 + j if j < m - m0 else j - (m - m0))
            dp, dq = add_event(ev, i, before, after, entropy)
            p += dp
            q += dq
            rows += ev.rows[i]
            w += ev.weight[i]
            if i >= m0:
                continue
            if i + 1 == m0 and (side == 1 or m0 == m):
                break
            following = ev.code[i + 1]
            if following == ev.code[i] or rows < min_leaf or n - rows < min_leaf:
                continue
            v = W - w
            if w < min_weight or v < min_weight or v <= 0.0:
                continue
            score = (p - xlogx(w) + q - xlogx(v) if entropy else p / w + q / v) - parent
            if score > best:
                best, low, high, to_left = score, ev.code[i], following, side == 1
    return best, low, high, to_left


@compiled
def absolute_error(work: Work, n: Any, W: float, S: float) -> float:
    """Σ w |y − median| of what the Fenwick trees hold, from weights and Σ w y up to it."""
    step = 1
    while step * 2 <= n:
        step *= 2
    at, below, moment = 0, 0.0, 0.0
    while step:
        if at + step <= n and below + work.tree_weight[at + step] < 0.5 * W:
            at += step
            below += work.tree_weight[at]
            moment += work.tree_moment[at]
        step //= 2
    median = work.cell_moment[min(at, n - 1)]
    return median * below - moment + (S - moment) - median * (W - below)


@compiled
def scan_absolute(
    work: Work, m0: Any, n: Any, W: float, parent: float, min_leaf: Any, min_weight: float
) -> tuple[float, int, int, bool]:
    """The same for Σ w |y − median|: forwards for the left side, backwards for the right."""
    ev = work.events
    best, low, high, to_left = -np.inf, -1, -1, False
    for side in range(2 if m0 < n else 1):
        shift = n - m0 if side == 1 else 0
        for forward in range(2):
            work.tree_weight[: n + 1] = 0.0
            work.tree_moment[: n + 1] = 0.0
            rows, w, s = 0, 0.0, 0.0
            for j in range(n):
                place = j if forward == 0 else n - 1 - j
                i = place if shift == 0 else (m0 + place if place < shift else place - shift)
                if forward == 1:
                    v = W - w
                    cut = rows >= min_leaf and n - rows >= min_leaf and w >= min_weight
                    cut = cut and v >= min_weight and w > 0.0 and v > 0.0
                    cut = cut and i < m0 and (i + 1 < m0 or (side == 0 and m0 < n))
                    if cut and ev.code[i] != ev.code[i + 1]:
                        score = parent - work.error[place] - absolute_error(work, n, w, s)
                        # backwards: of equal scores of a side the last, which is the lowest cut
                        if score > best or (score == best and (side == 1) == to_left):
                            best, low, high = score, ev.code[i], ev.code[i + 1]
                            to_left = side == 1
                rows = j + 1
                w += ev.weight[i]
                s += ev.moment[i]
                r = ev.label[i] + 1
                while r <= n:
                    work.tree_weight[r] += ev.weight[i]
                    work.tree_moment[r] += ev.moment[i]
                    r += r & -r
                if forward == 0:
                    work.error[place] = absolute_error(work, n, w, s)
    return best, low, high, to_left


@compiled
def gather(table: Table, rules: Rules, rows: Array, start: Any, stop: Any, work: Work) -> None:
    """Copy targets and weights of a node; for absolute error also ranks and sorted targets."""
    n = stop - start
    for i in range(n):
        r = rows[start + i]
        work.y[i] = table.y[r]
        work.label[i] = table.label[r]
        work.weight[i] = table.weight[r]
    if rules.mode == ABSOLUTE:
        high = 0
        for i in range(n):
            high = max(high, work.label[i])
        by_code(work.label, n, 0, high, work.keys, work.spare)
        for j in range(n):
            i = np.intp(work.keys[j] & np.uint64(0xFFFFFFFF))  # type: ignore[assignment]
            work.label[i] = j
            work.cell_moment[j] = work.y[i]


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
def best_cut(
    rules: Rules, n: Any, low: Any, high: Any, missing: Any, W: float, total: Array,
    moment: float, parent: float, work: Work,
) -> tuple[float, int, int, bool]:  # fmt: skip
    """Best cut of the node at hand along `work.code[:n]`; `missing` is the code of missing."""
    m = list_events(work, n, low, high, rules.mode, rules.n_stats)
    m0 = m
    while m0 > 0 and work.events.code[m0 - 1] == missing:
        m0 -= 1
    leaf, weight = rules.min_leaf, rules.min_weight
    if rules.mode == MOMENT:
        return scan_moment(work.events, m0, m, n, W, moment, leaf, weight)
    if rules.mode == ABSOLUTE:
        return scan_absolute(work, m0, n, W, parent, leaf, weight)
    entropy = rules.mode == ENTROPY
    return scan_classes(work.events, m0, m, n, W, total, work, entropy, leaf, weight)


@compiled
def random_cut(
    table: Table, rules: Rules, n: Any, f: Any, low: Any, high: Any, missing: Any, seed: Any,
    work: Work,
) -> tuple[float, int, bool]:  # fmt: skip
    """Threshold drawn between least and largest value, its code, side of the missing."""
    values = table.values[table.offset[f] : table.offset[f + 1]]
    last = low
    for i in range(n):
        if work.code[i] != missing:
            last = max(last, work.code[i])
    a, b = values[low], values[last]
    u = uniform(seed)
    threshold = a * (1.0 - u) + b * u
    if not (threshold < b):
        threshold = a
    cut = low
    while values[cut + 1] <= threshold and cut + 1 < last:
        cut += 1
    return threshold, cut, high == missing and uniform(mix(seed)) < 0.5


@compiled
def two_sided(code: Array, n: Any, cut: Any, missing: Any, missing_left: bool) -> None:
    """Replace codes by 0 on the left and 1 on the right of a cut."""
    for i in range(n):
        k = code[i]
        code[i] = 0 if (missing_left if k == missing else k <= cut) else 1


@compiled
def search_feature(
    table: Table, rules: Rules, nodes: Nodes, node: Any, f: Any, rows: Array, moment: float,
    best: Best, lane: Any, k: Any, work: Work,
) -> bool:  # fmt: skip
    """Search one feature; keep it where it beats `best[lane, k]`. False: it is constant."""
    start, n = nodes.start[node], nodes.stop[node] - nodes.start[node]
    W, total = nodes.weight[node], nodes.stats[node]
    low, high = np.int32(2147483647), np.int32(-1)
    codes, code = table.codes[f], work.code
    for i in range(n):
        c = codes[rows[start + i]]
        code[i] = c
        low = min(low, c)
        high = max(high, c)
    if low == high:
        return False
    n_values = table.offset[f + 1] - table.offset[f]
    parent = nodes.impurity[node] * W
    if not table.categorical[f]:
        threshold = 0.0
        if rules.random:
            only = True
            for i in range(n):
                if code[i] != low and code[i] != n_values:
                    only = False
                    break
            if only:  # one value and missing ones: a best cut is the only cut
                found, a, b, side = best_cut(
                    rules, n, low, high, n_values, W, total, moment, parent, work
                )
                threshold = np.inf
            else:
                seed = mix(nodes.path[node] ^ mix(np.uint64(f + 1)))
                threshold, a, side = random_cut(table, rules, n, f, low, high, n_values, seed, work)
                two_sided(code, n, a, n_values, side)
                found, _, b, _ = best_cut(rules, n, 0, 1, -1, W, total, moment, parent, work)
        else:
            found, a, b, side = best_cut(
                rules, n, low, high, n_values, W, total, moment, parent, work
            )
            if a >= 0:
                values = table.values[table.offset[f] : table.offset[f + 1]]
                if b == n_values:
                    threshold = np.inf
                else:
                    threshold = 0.5 * values[a] + 0.5 * values[b]
                    if not (threshold < values[b]):
                        threshold = values[a]
        keep(best, lane, k, found, f, a, b, threshold, side)
        return True
    classes = rules.mode == GINI or rules.mode == ENTROPY
    raw = code[:n].copy()
    many = classes and rules.n_stats > 2
    for klass in range(rules.n_stats if many else 1):
        order = klass if many else (1 if classes else -1)
        if classes and total[order] <= 0.0:
            continue
        code[:n] = raw
        m = order_categories(work, n, n_values + 1, order)
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
    return True


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
        if rules.mode == MOMENT:
            n = nodes.stop[node] - nodes.start[node]
            centre = 0.0 if rules.n_stats == 2 else nodes.stats[node, 0]
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
    if rules.n_stats > 1:
        for i in range(n):
            stats[work.label[i]] += work.weight[i]
        total = 0.0
        for c in range(rules.n_stats):
            p = stats[c] / W
            total -= xlogx(p) / LN2 if rules.mode == ENTROPY else p * p
        impurity = total if rules.mode == ENTROPY else 1.0 + total
        nodes.impurity[node] = max(impurity, 0.0)
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
def merge(best: Best, lanes: Any, k: Any) -> None:
    """Put the best of all lanes into lane 0."""
    for lane in range(1, lanes):
        keep(
            best, 0, k, best.decrease[lane, k], best.feature[lane, k], best.low[lane, k],
            best.high[lane, k], best.threshold[lane, k], best.missing_left[lane, k],
        )  # fmt: skip


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
        if rules.mode == MOMENT and rules.n_stats != 2:
            for i in range(n):
                work.y[i] -= nodes.stats[node, 0]
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
    if parent >= 0:
        nodes.path[node] = mix(nodes.path[parent] ^ np.uint64(which + 1))
    measure(table, rules, nodes, node, rows, work)
    return node


@compiled
def splittable(rules: Rules, nodes: Nodes, node: Any) -> bool:
    n = nodes.stop[node] - nodes.start[node]
    return (
        nodes.depth[node] < rules.max_depth
        and n >= rules.min_split
        and n >= 2 * rules.min_leaf
        and nodes.weight[node] >= 2.0 * rules.min_weight
        and nodes.impurity[node] > EPS
    )


@compiled
def worth(rules: Rules, best: Best, k: Any) -> bool:
    """Whether a split exists and decreases impurity by as much as asked for."""
    gain = best.decrease[0, k] * rules.scale / rules.total
    return best.decrease[0, k] > -np.inf and gain + EPS >= rules.min_decrease


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


@compiled
def preorder(left: Array, right: Array, order: Array) -> int:
    """Fill `order` with the nodes as a walk meets them, left before right; how many."""
    stack = np.empty(len(left) + 1, np.int64)
    stack[0] = 0
    top, n = 1, 0
    while top:
        top -= 1
        node = stack[top]
        order[n] = node
        n += 1
        if left[node] >= 0:
            stack[top] = right[node]
            stack[top + 1] = left[node]
            top += 2
    return n


@compiled
def leaves_of(
    X: Array, left: Array, right: Array, feature: Array, threshold: Array, missing_left: Array,
    bits: Array, n_values: Array, first: Any, last: Any, out: Array,
) -> None:  # fmt: skip
    """The leaf of each row; n_values[f] < 0 for a numeric feature."""
    for i in range(first, last):
        node = 0
        while left[node] >= 0:
            f = feature[node]
            x = X[i, f]
            if n_values[f] < 0:
                go = missing_left[node] if np.isnan(x) else x <= threshold[node]
            else:
                c = n_values[f] if np.isnan(x) else np.int64(x)
                if c < 0 or c > n_values[f]:
                    go = missing_left[node]
                else:
                    go = (bits[node, c >> 5] >> np.uint32(c & 31)) & np.uint32(1) != 0
            node = left[node] if go else right[node]
        out[i] = node
