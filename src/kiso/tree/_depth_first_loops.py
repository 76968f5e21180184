"""Compiled loops of the trees of a forest: one call grows one tree, depth first.

    code[f, i]  rank of x_i among the distinct values of feature f; missing: one past the last
    w_i, y_i    weight (how often a row was drawn, times its own) and target
    W, S        Σ w and Σ w y of a node; w, s on the left of a cut, v, t on the right
    Δ           decrease of Σ w·impurity: s²/w + t²/v − S²/W, or Σ_c s_c²/w + Σ_c t_c²/v − ...

A node owns a run of `rows`, `weight` and `y`, which are parted in place. The rows of a node
become events in the order of the codes of a feature: through a histogram where the codes are
few, else by sorting integers (code, place). Of equal Δ the lowest feature and then the lowest
cut win, missing values to the right, as in the loops of a single tree; of features that were
drawn the first, since always the lowest would make the trees alike.

A forest searches some features of very many small nodes. What counts is the cost of a node,
not of a row: so there are few arrays and no records, features that are constant in a node
are not read again below it, and a node is finished before the next begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ENTROPY, LN2, MOMENT, centre_for, enough, mix, sort_keys, xlogx

LEFT, RIGHT, FEATURE, LOW, HIGH, MISSING_LEFT, ROWS = range(7)  # columns of `tree`


@compiled
def list_events(
    codes: Array, f: Any, n_codes: Any, rows: Array, weight: Array, y: Array, start: Any, n: Any,
    centre: float, n_labels: Any, cells: Array, keys: Array, spare: Array, event: Array,
    mass: Array,
) -> int:  # fmt: skip
    """Fill event (code, label, rows) and mass (Σ w, Σ w y); how many, 0 if f is constant.

    n_labels is 1 where targets are numbers. `cells` is all zero before and after.
    """
    labelled = n_labels > 1
    low, high = 0, n_codes - 1
    counted = n_codes * n_labels <= 2 * n
    if not counted:
        low, high = 2147483647, 0
        for i in range(n):
            k = np.int64(codes[f, rows[start + i]])
            low = min(low, k)  # type: ignore[assignment]
            high = max(high, k)
            keys[i] = (np.uint64(k) << np.uint64(32)) | np.uint64(i)
        if low == high:
            return 0
        if (high - low) * n_labels >= 2 * n:
            sort_keys(keys, spare, n, high + 1)
            for j in range(n):
                i = start + np.int64(keys[j] & np.uint64(0xFFFFFFFF))
                event[j, 0] = np.int32(keys[j] >> np.uint64(32))
                event[j, 1] = np.int32(y[i]) if labelled else 0
                event[j, 2] = 1
                mass[j, 0] = weight[i]
                mass[j, 1] = weight[i] * (y[i] - centre)
            return n
    for i in range(start, start + n):
        k = np.int64(codes[f, rows[i]]) - low
        at = k * n_labels + (np.int64(y[i]) if labelled else 0)
        cells[at, 0] += weight[i]
        cells[at, 1] += weight[i] * (y[i] - centre)
        cells[at, 2] += 1.0
    m = 0
    at = 0
    for k in range(low, high + 1):  # type: ignore[assignment]
        for label in range(n_labels):
            if cells[at, 2] != 0.0:
                event[m, 0] = k
                event[m, 1] = label
                event[m, 2] = np.int32(cells[at, 2])
                mass[m, 0] = cells[at, 0]
                mass[m, 1] = cells[at, 1]
                cells[at, 0] = 0.0
                cells[at, 1] = 0.0
                cells[at, 2] = 0.0
                m += 1
            at += 1
    return m if event[0, 0] != event[m - 1, 0] else 0


@compiled
def scan_moments(
    event: Array, mass: Array, m: Any, missing: Any, n: Any, W: float, S: float, min_leaf: Any,
    min_weight: float,
) -> tuple[float, int, int, bool]:  # fmt: skip
    """Maximise Δ = s²/w + t²/v − S²/W: Δ, the codes about the cut, whether missing go left."""
    best, low, high, to_left = -np.inf, -1, -1, False
    known = m
    while event[known - 1, 0] == missing:
        known -= 1
    for side in range(2 if known < m else 1):
        rows, w, s = 0, 0.0, 0.0
        if side == 1:
            for i in range(known, m):
                rows, w, s = rows + event[i, 2], w + mass[i, 0], s + mass[i, 1]
        before = event[0, 0]
        for i in range(known if side == 1 else m):
            k = event[i, 0]
            v = W - w
            if (
                k != before and rows >= min_leaf and n - rows >= min_leaf
                and w >= min_weight and v >= min_weight and v > 0.0
            ):  # fmt: skip
                t = S - s
                score = (s * s * v + t * t * w) / (w * v)
                if score > best:
                    best, low, high, to_left = score, before, k, side == 1
            rows, w, s = rows + event[i, 2], w + mass[i, 0], s + mass[i, 1]
            before = k
    return best - S * S / W, low, high, to_left


@compiled
def scan_classes(
    event: Array, mass: Array, m: Any, missing: Any, n: Any, W: float, totals: Array,
    left: Array, right: Array, entropy: bool, min_leaf: Any, min_weight: float,
) -> tuple[float, int, int, bool]:  # fmt: skip
    """The same for Gini, Σ_c s_c²/w, and entropy, Σ_c s_c log s_c − w log w, of both sides."""
    best, low, high, to_left = -np.inf, -1, -1, False
    whole = 0.0
    for c in range(len(totals)):
        whole += xlogx(totals[c]) if entropy else totals[c] * totals[c]
    known = m
    while event[known - 1, 0] == missing:
        known -= 1
    for side in range(2 if known < m else 1):
        rows, w, p, q = 0, 0.0, 0.0, whole
        for c in range(len(totals)):
            left[c], right[c] = 0.0, totals[c]
        first = m - known if side == 1 else 0
        before = event[0, 0]
        for j in range(m):
            # missing values come first where they go left
            i = j if side == 0 else (j - first if j >= first else known + j)
            k = event[i, 0]
            v = W - w
            if (
                j > first and k != before and rows >= min_leaf and n - rows >= min_leaf
                and w >= min_weight and v >= min_weight and v > 0.0
            ):  # fmt: skip
                score = p - xlogx(w) + q - xlogx(v) if entropy else p / w + q / v
                if score > best:
                    best, low, high, to_left = score, before, k, side == 1
            c, x = event[i, 1], mass[i, 0]
            s, t = left[c], right[c]
            left[c] = s + x
            right[c] = t - x
            if entropy:
                p += xlogx(s + x) - xlogx(s)
                q += xlogx(t - x) - xlogx(t)
            else:
                p += x * (2.0 * s + x)
                q += x * (x - 2.0 * t)
            rows += event[i, 2]
            w += x
            before = k
    return best - (whole - xlogx(W) if entropy else whole / W), low, high, to_left


@compiled
def measure(
    weight: Array, y: Array, start: Any, stop: Any, mode: Any, totals: Array
) -> tuple[float, float, float, float]:
    """W, S about the centre, the centre and the impurity; classes' weights, or mean, in totals."""
    W, S, same = 0.0, 0.0, True
    for i in range(start, stop):
        W += weight[i]
        S += weight[i] * y[i]
        same = same and y[i] == y[start]
    if len(totals) == 1:  # numbers
        mean = y[start] if same else S / W
        totals[0] = mean
        about_mean, error = 0.0, 0.0
        for i in range(start, stop):
            e = y[i] - mean
            about_mean += weight[i] * e
            error += weight[i] * e * e
        centre = centre_for(mean, error / W)
        return W, S if centre == 0.0 else about_mean, centre, error / W
    totals[:] = 0.0
    for i in range(start, stop):
        totals[np.int64(y[i])] += weight[i]
    if same:
        return W, S, 0.0, 0.0
    impurity = 0.0 if mode == ENTROPY else 1.0
    for c in range(len(totals)):
        share = totals[c] / W
        impurity -= xlogx(share) / LN2 if mode == ENTROPY else share * share
    return W, S, 0.0, max(impurity, 0.0)


@compiled
def part_rows(
    codes: Array, f: Any, cut: Any, missing: Any, missing_left: bool, start: Any, stop: Any,
    rows: Array, weight: Array, y: Array, spare_rows: Array, spare_weight: Array, spare_y: Array,
) -> tuple[int, bool]:  # fmt: skip
    """Move the rows on the left of a cut before the others; where these begin, any missing."""
    left, right, seen = start, 0, False
    for i in range(start, stop):
        r, w, target = rows[i], weight[i], y[i]
        k = np.int64(codes[f, r])
        absent = k == missing
        seen = seen or absent
        go = missing_left if absent else k <= cut
        rows[left], weight[left], y[left] = r, w, target
        spare_rows[right], spare_weight[right], spare_y[right] = r, w, target
        left += 1 if go else 0
        right += 0 if go else 1
    for i in range(right):
        rows[left + i] = spare_rows[i]
        weight[left + i] = spare_weight[i]
        y[left + i] = spare_y[i]
    return left, seen


@compiled
def grow(
    codes: Array, n_values: Array, n_codes: Array, rows: Array, weight: Array, y: Array,
    mode: Any, scale: float, seed: Any, max_features: Any, max_depth: Any, min_split: Any,
    min_leaf: Any, min_weight: float, min_decrease: float, tree: Array, stats: Array,
) -> int:  # fmt: skip
    """Grow a tree on rows of positive weight; how many nodes it has.

    Fills `tree` (see LEFT, ...) and `stats`: weight, impurity, then weights of the classes
    or the mean. Nodes come in the order of a walk, left before right. `scale` takes Δ of a
    scan to Δ of the criterion.
    """
    n_all, d, n_stats = len(rows), len(n_codes), stats.shape[1] - 2
    n_labels = 1 if mode == MOMENT else n_stats
    keys, spare_keys = np.empty(n_all, np.uint64), np.empty(n_all, np.uint64)
    spare_rows, spare_weight = np.empty(n_all, np.uint32), np.empty(n_all)
    spare_y = np.empty(n_all)
    cells = np.zeros((2 * n_all + n_labels, 3))
    event, mass = np.empty((2 * n_all + n_labels, 3), np.int32), np.empty((2 * n_all + n_labels, 2))
    left, right = np.empty(n_stats), np.empty(n_stats)
    features, constant = np.arange(d), np.empty(d, np.int64)
    stack = np.empty((n_all + 2, 6), np.int64)
    stack[0, :] = 0
    stack[0, 1], stack[0, 3] = n_all, -1
    top, made, total = 1, 0, 0.0
    state = np.uint64(seed)
    in_order = max_features >= d  # else ties go to the feature drawn first: trees should differ
    while top:
        top -= 1
        start, stop, depth = stack[top, 0], stack[top, 1], stack[top, 2]
        parent, side, n_known = stack[top, 3], stack[top, 4], stack[top, 5]
        n, node = stop - start, made
        made += 1
        if parent >= 0:
            tree[parent, side] = node
        totals = stats[node, 2:]
        W, S, centre, impurity = measure(weight, y, start, stop, mode, totals)
        total = W if node == 0 else total
        tree[node, LEFT], tree[node, RIGHT], tree[node, ROWS] = -1, -1, n
        stats[node, 0], stats[node, 1] = W, impurity
        if (
            impurity <= 0.0 or depth >= max_depth or n < min_split or n < 2 * min_leaf
            or 2.0 * min_weight > W
        ):  # fmt: skip
            continue
        best, best_f, best_a, best_b, best_side = -np.inf, -1, -1, -1, False
        open_, n_constant, n_drawn, n_found, visited = d, n_known, 0, 0, 0
        # scikit-learn's rule: constant features count, but one that varies must be found
        while open_ > n_constant and (visited < max_features or visited <= n_found + n_drawn):
            visited += 1
            state = mix(state)
            room = np.uint64(open_ - n_found - n_drawn)
            j = n_drawn + np.int64(((state >> np.uint64(32)) * room) >> np.uint64(32))
            if j < n_known:
                features[n_drawn], features[j] = features[j], features[n_drawn]
                n_drawn += 1
                continue
            j += n_found
            f = features[j]
            m = list_events(
                codes, f, n_codes[f], rows, weight, y, start, n, centre, n_labels, cells, keys,
                spare_keys, event, mass,
            )  # fmt: skip
            if m == 0:
                features[j], features[n_constant] = features[n_constant], f
                n_found += 1
                n_constant += 1
                continue
            open_ -= 1
            features[open_], features[j] = f, features[open_]
            if mode == MOMENT:
                score, a, b, to_left = scan_moments(
                    event, mass, m, n_values[f], n, W, S, min_leaf, min_weight
                )
            else:
                score, a, b, to_left = scan_classes(
                    event, mass, m, n_values[f], n, W, totals, left, right, mode == ENTROPY,
                    min_leaf, min_weight,
                )  # fmt: skip
            if a >= 0 and (score > best or (in_order and score == best and f < best_f)):
                best, best_f, best_a, best_b, best_side = score, f, a, b, to_left
        features[:n_known] = constant[:n_known]
        constant[n_known:n_constant] = features[n_known:n_constant]
        if best_f < 0 or not enough(best * scale / total, min_decrease):
            continue
        middle, seen = part_rows(
            codes, best_f, best_a, n_values[best_f], best_side, start, stop, rows, weight, y,
            spare_rows, spare_weight, spare_y,
        )  # fmt: skip
        tree[node, FEATURE], tree[node, LOW], tree[node, HIGH] = best_f, best_a, best_b
        tree[node, MISSING_LEFT] = best_side if seen else 2 * (middle - start) > n
        for child in range(2):  # the left one is on top
            at = top + child
            stack[at, 0] = middle if child == 0 else start
            stack[at, 1] = stop if child == 0 else middle
            stack[at, 2] = depth + 1
            stack[at, 3] = node
            stack[at, 4] = RIGHT if child == 0 else LEFT
            stack[at, 5] = n_constant
        top += 2
    return made
