"""Compiled loops of gradient boosting: histograms, the best split of a histogram, its rows.

    g_i, h_i    first and second derivative of the loss of row i in its raw prediction
    G, H, n     Σ g, Σ h and number of the rows of a node or of one side of a cut
    v           value of a node, −G/(H + λ), within the bounds that constraints leave
    gain        G v − G_l v_l − G_r v_r: twice the decrease of the loss to second order

A cell of a histogram is (Σ g, Σ h, rows, 0): four numbers side by side, which are one addition
of a vector. Of two children the smaller one is counted, the other is the rest of the parent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kiso._compute.jit import compiled
from kiso._compute.microkernels import add_four
from kiso._validation import Array

GAIN, CUT, MISSING_LEFT, GRADIENT, HESSIAN, ROWS = range(6)  # columns of a found split
MIN_HESSIAN = 1e-3  # least H of a child
TINY = 1e-15  # keeps H + λ from 0
SUPPORT = 10.0  # rows of a category, in units of the mean hessian, below which it is not placed


class Bins(NamedTuple):
    """The training data, each number in its bin."""

    codes: Array  # (n_features, n) uint8
    n_bins: Array  # (n_features,) bins of values; the next one is that of missing values
    categorical: Array  # (n_features,) bool
    monotonic: Array  # (n_features,) int8


class Limits(NamedTuple):
    """What a split has to keep."""

    l2: float
    min_leaf: int


class Sums(NamedTuple):
    """What a node holds: G, H, n, its value, and the bounds of that."""

    gradient: float
    hessian: float
    rows: float
    value: float
    low: float
    high: float


@compiled
def encode(column: Array, cuts: Array, n_bins: Any, codes: Array) -> None:
    """Bin of each number: how many cuts are below it; missing: `n_bins`.

    Eight halvings without a branch, for which the cuts are filled up with infinity to 255.
    """
    full = np.full(255, np.inf, cuts.dtype)
    full[: len(cuts)] = cuts
    for i in range(len(column)):
        x = column[i]
        first = np.uint64(0)
        for k in range(8):
            step = np.uint64(128 >> k)
            first += step * np.uint64(full[first + step - np.uint64(1)] < x)
        codes[i] = n_bins if x != x else first


@compiled
def count(codes: Array, rows: Array, pairs: Array, whole: bool, hist: Array) -> None:
    """Add rows to a histogram of one feature; `pairs` has (g, h, 1, 0) in the order of `rows`."""
    hist[:] = 0.0
    n = len(pairs)
    if whole:
        for i in range(n):
            add_four(hist, np.int64(codes[i]), pairs, i)
        return
    for i in range(n):
        add_four(hist, np.int64(codes[np.uint32(rows[i])]), pairs, i)


@compiled
def value_of(g: float, h: float, l2: float, low: float, high: float) -> float:
    """−G/(H + λ) within its bounds."""
    return min(max(-g / (h + l2 + TINY), low), high)


@compiled
def scan_numbers(hist: Array, m: Any, sign: Any, node: Sums, limits: Limits, out: Array) -> None:
    """Best cut between two bins of a number; missing values on either side."""
    absent = hist[m, 2] > 0.0
    best = 0.0
    whole = node.gradient * node.value
    for side in range(2 if absent else 1):
        gl, hl, nl = 0.0, 0.0, 0.0
        if side == 1:
            gl, hl, nl = hist[m, 0], hist[m, 1], hist[m, 2]
        for b in range(m if absent and side == 0 else m - 1):
            gl += hist[b, 0]
            hl += hist[b, 1]
            nl += hist[b, 2]
            nr = node.rows - nl
            hr = node.hessian - hl
            if nl < limits.min_leaf or hl < MIN_HESSIAN:
                continue
            if nr < limits.min_leaf or hr < MIN_HESSIAN:
                break
            gr = node.gradient - gl
            vl = value_of(gl, hl, limits.l2, node.low, node.high)
            vr = value_of(gr, hr, limits.l2, node.low, node.high)
            if (vl - vr) * sign > 0.0:
                continue
            gain = whole - gl * vl - gr * vr
            if gain > best:
                best = gain
                out[GAIN], out[CUT], out[MISSING_LEFT] = gain, b, side
                out[GRADIENT], out[HESSIAN], out[ROWS] = gl, hl, nl


@compiled
def scan_categories(
    hist: Array, m: Any, node: Sums, limits: Limits, out: Array, bits: Array
) -> None:
    """Best set of categories to go left: a run from either end of their order by g/(h + 10).

    Categories with little support, and missing values where they have little, go right.
    """
    per_row = node.rows / node.hessian
    ratio, name = np.empty(m + 1), np.empty(m + 1, np.int64)
    k = 0
    for b in range(m + 1):  # a missing value is one more category
        if hist[b, 1] * per_row >= SUPPORT:
            ratio[k], name[k] = hist[b, 0] / (hist[b, 1] + SUPPORT), b
            k += 1
    order = np.argsort(ratio[:k], kind="mergesort")
    best, best_end, best_length = 0.0, 0, 0
    whole = node.gradient * node.value
    for end in range(2):
        gl, hl, nl = 0.0, 0.0, 0.0
        for j in range((k + 1) // 2 if k < m + 1 or k % 2 else k // 2):
            b = name[order[j if end == 0 else k - 1 - j]]
            gl += hist[b, 0]
            hl += hist[b, 1]
            nl += hist[b, 2]
            nr = node.rows - nl
            hr = node.hessian - hl
            if nl < limits.min_leaf or hl < MIN_HESSIAN:
                continue
            if nr < limits.min_leaf or hr < MIN_HESSIAN:
                break
            gr = node.gradient - gl
            vl = value_of(gl, hl, limits.l2, node.low, node.high)
            vr = value_of(gr, hr, limits.l2, node.low, node.high)
            gain = whole - gl * vl - gr * vr
            if gain > best:
                best, best_end, best_length = gain, end, j + 1
                out[GAIN], out[CUT] = gain, 0
                out[GRADIENT], out[HESSIAN], out[ROWS] = gl, hl, nl
    bits[:] = 0
    for j in range(best_length):
        b = name[order[j if best_end == 0 else k - 1 - j]]
        bits[b >> 5] |= np.uint32(1) << np.uint32(b & 31)
    out[MISSING_LEFT] = (bits[m >> 5] >> np.uint32(m & 31)) & np.uint32(1)


@compiled
def scan(
    bins: Bins, f: Any, hist: Array, node: Sums, limits: Limits, out: Array, bits: Array
) -> None:
    """Best split of a node by feature f."""
    out[:] = 0.0
    if bins.categorical[f]:
        scan_categories(hist, bins.n_bins[f], node, limits, out, bits)
    else:
        scan_numbers(hist, bins.n_bins[f], bins.monotonic[f], node, limits, out)


@compiled
def search_root(
    bins: Bins, pairs: Array, node: Sums, limits: Limits, allowed: Array, hist: Array,
    out: Array, bits: Array, first: Any, last: Any,
) -> None:  # fmt: skip
    """Count all rows and search the features first..last − 1."""
    rows = np.empty(0, np.int32)
    for f in range(first, last):
        count(bins.codes[f], rows, pairs, True, hist[f])
        out[0, f] = 0.0
        if allowed[0, f]:
            scan(bins, f, hist[f], node, limits, out[0, f], bits[0, f])


@compiled
def search_children(
    bins: Bins, rows: Array, pairs: Array, nodes: tuple[Sums, Sums], limits: Limits,
    allowed: Array, small: Array, large: Array, out: Array, bits: Array, first: Any, last: Any,
) -> None:  # fmt: skip
    """Count the rows of the smaller child, take them from its parent's, search both.

    `rows` and `pairs` are those of the smaller child, which is nodes[0]. `large` holds the
    histograms of the parent and in the end those of the other child.
    """
    for f in range(first, last):
        count(bins.codes[f], rows, pairs, False, small[f])
        for b in range(large.shape[1]):
            for c in range(3):
                large[f, b, c] -= small[f, b, c]
        for b in range(large.shape[1]):  # what rounding leaves where there are no rows
            if large[f, b, 2] == 0.0:
                large[f, b, 0] = 0.0
                large[f, b, 1] = 0.0
        out[0, f] = 0.0
        out[1, f] = 0.0
        if allowed[0, f]:
            scan(bins, f, small[f], nodes[0], limits, out[0, f], bits[0, f])
        if allowed[1, f]:
            scan(bins, f, large[f], nodes[1], limits, out[1, f], bits[1, f])


@compiled
def gather(pairs: Array, rows: Array, out: Array) -> None:
    """(g, h, 1, 0) of some rows, side by side."""
    for i in range(np.uint64(len(rows))):
        r = rows[i]
        a, b, c, d = pairs[r, 0], pairs[r, 1], pairs[r, 2], pairs[r, 3]
        out[i, 0] = a
        out[i, 1] = b
        out[i, 2] = c
        out[i, 3] = d


@compiled
def part_rows(
    codes: Array, rows: Array, spare: Array, cut: Any, missing: Any, missing_left: bool,
    categorical: bool, bits: Array,
) -> int:  # fmt: skip
    """Bring the rows that go left before the others, in order; how many they are."""
    left, right = 0, 0
    for i in range(len(rows)):
        r = rows[i]
        k = np.int64(codes[r])
        if categorical:
            go = ((bits[k >> 5] >> np.uint32(k & 31)) & np.uint32(1)) != 0
        else:
            go = missing_left if k == missing else k <= cut
        rows[left] = r
        spare[right] = r
        left += 1 if go else 0
        right += 0 if go else 1
    rows[left:] = spare[:right]
    return left


@compiled
def add_to_rows(rows: Array, value: float, raw: Array) -> None:
    """Add a leaf's value to the raw predictions of its rows."""
    for i in range(len(rows)):
        raw[rows[i]] += value
