"""Compiled loops: what a growing tree consists of, and how the rows of a node come into it.

    code[f, i]  rank of x_i among the distinct values of feature f; missing: one past the last
    w_i, y_i    weight and target of a row (class 0, 1 as a number where there are two)

A node owns a run of `rows`. For a search its targets and weights are gathered into the
scratch of a lane (`Work`), and its rows brought into the order of their codes as `Events`:
by a histogram where codes are few, else by a sort of integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from ._common_loops import ABSOLUTE, MOMENT, by_code


class Table(NamedTuple):
    """The training data; features as codes."""

    codes: Array  # (n_features, n) int32
    values: Array  # distinct values of all features, one after the other
    offset: Array  # (n_features + 1,) where a feature's values begin
    categorical: Array  # (n_features,) bool
    y: Array  # (n,) float64
    label: Array  # (n,) int32: class, or rank of y
    weight: Array  # (n,) float64
    outputs: Array  # (n_outputs, n) float64; empty where `y` and `label` say it all
    monotonic: Array  # (n_features,) int8: 1, -1 or 0


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
    by_cost: bool  # cut by `_cost_loops`
    n_outputs: int
    monotonic: bool


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
    bounds: Array  # (n, 2) least and largest value that monotonic constraints allow


class Best(NamedTuple):
    """Best split of each frontier node in each lane."""

    decrease: Array  # -inf: none
    feature: Array
    low: Array  # last code on the left
    high: Array  # first code on the right, or the class that orders categories
    threshold: Array
    missing_left: Array


class Events(NamedTuple):
    """Rows, or groups of equal rows, in the order of their codes."""

    code: Array
    label: Array
    rows: Array
    weight: Array
    moment: Array  # Σ w y


class Costs(NamedTuple):
    """Scratch of `_cost_loops`, for the node at hand; of no rows where it is not used."""

    y: Array  # (n_outputs, n)
    rank: Array  # of y among the rows of the node, and y in order: for the absolute error
    ordered: Array
    order: Array  # rows in the order of a feature
    left: Array  # costs of prefixes and suffixes, and their values
    right: Array
    left_value: Array
    right_value: Array
    share: Array  # weight of each class
    tree_weight: Array  # Fenwick trees over the ranks of y
    tree_moment: Array
    limits: Array  # sign of the constraint, least and largest value


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
    costs: Costs


@compiled
def make_work(n: Any, n_stats: Any, n_codes: Any, absolute: bool, n_costs: Any) -> Work:
    cells = max(2 * n, 64) + n_stats + 1
    m = n if absolute else 0
    events = Events(
        np.empty(cells, np.int32), np.empty(cells, np.int32), np.empty(cells, np.int32),
        np.empty(cells, np.float64), np.empty(cells, np.float64),
    )  # fmt: skip
    k = n if n_costs else 0
    ranks = n if n_costs and absolute else 0
    costs = Costs(
        np.empty((n_costs, k), np.float64), np.empty((n_costs, ranks), np.int32),
        np.empty((n_costs, ranks), np.float64), np.empty(k, np.int32), np.empty(k, np.float64),
        np.empty(k, np.float64), np.empty(k, np.float64), np.empty(k, np.float64),
        np.empty(n_stats, np.float64), np.empty(ranks + 1, np.float64),
        np.empty(ranks + 1, np.float64), np.empty(3, np.float64),
    )  # fmt: skip
    return Work(
        np.empty(n, np.int32), np.empty(n, np.float64), np.empty(n, np.int32),
        np.empty(n, np.float64), np.empty(n, np.uint64), np.empty(n, np.uint64), events,
        np.zeros(cells, np.int32), np.zeros(cells, np.float64), np.zeros(cells, np.float64),
        np.empty(n_codes, np.int32), np.empty(n_stats, np.float64), np.empty(n_stats, np.float64),
        np.empty(m + 1, np.float64), np.empty(m, np.int32), np.empty(m + 1, np.float64),
        np.empty(m + 1, np.float64), np.empty(n, np.int32), costs,
    )  # fmt: skip


@compiled
def gather(table: Table, rules: Rules, rows: Array, start: Any, stop: Any, work: Work) -> None:
    """Copy targets and weights of a node; for absolute error also ranks and sorted targets."""
    n = stop - start
    for i in range(n):
        r = rows[start + i]
        work.y[i] = table.y[r]
        work.label[i] = table.label[r]
        work.weight[i] = table.weight[r]
    if rules.mode == ABSOLUTE and not rules.by_cost:
        high = 0
        for i in range(n):
            high = max(high, work.label[i])
        by_code(work.label, n, 0, high, work.keys, work.spare)
        for j in range(n):
            i = np.intp(work.keys[j] & np.uint64(0xFFFFFFFF))  # type: ignore[assignment]
            work.label[i] = j
            work.cell_moment[j] = work.y[i]


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
