"""Compiled loops: the best cut along one feature, by one scan over the events of a node.

    W, S    Σ w and Σ w y of the node; w, s of what is left of a cut, v, t of what is right
    Δ       decrease of Σ w·impurity by the cut, what a scan maximises

Of equal Δ the lowest cut wins, missing values to the right. A scan returns Δ (−inf: there is
no cut), the codes on both sides of the cut, and whether missing values go left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ABSOLUTE, ENTROPY, MOMENT, xlogx
from ._cost_loops import cut_by_cost
from ._records_loops import Events, Rules, Work, list_events


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
def best_cut(
    rules: Rules, n: Any, low: Any, high: Any, missing: Any, W: float, total: Array,
    moment: float, parent: float, work: Work,
) -> tuple[float, int, int, bool]:  # fmt: skip
    """Best cut of the node at hand along `work.code[:n]`; `missing` is the code of missing."""
    if rules.by_cost:
        return cut_by_cost(rules, n, low, high, missing, W, work)
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
