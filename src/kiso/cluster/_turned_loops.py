"""Lloyd's step over rows that lie turned: feature by feature, in panels.

Symbols
-------
x_i, w_i   row i and its weight; s the origin that sums are taken about
P          the rows less s, turned: panels of two vectors' width of rows, feature after
           feature, as `kiso._compute.matmul_loops` packs them; for few features (`direct`) one
           panel of all rows, and not shifted
c_j, a_i   the centres; the number of row i's centre
S_j, W_j   Σ w_i (x_i − s) and Σ w_i over the rows of cluster j; N_j how many have w_i > 0
T          a tile: T_ji + o_j is ‖x_i − c_j‖², less ‖x_i − s‖² where it is a product

What a lane of rows needs done is one call; all lanes one after the other, and many steps
of that, of several runs, is one call too (`iterate`): the same numbers.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.distances_loops import argmin2, direct
from kiso._compute.jit import compiled, compiled_strict
from kiso._compute.matmul_loops import multiply_whole, packed_size
from kiso._validation import Array

CANCELLED_SHARE = 1e-6  # φ / Σ w ‖x − s‖² below which φ is added up row by row

GOING, SETTLED, OVER, EMPTY, CANCELLED = range(5)  # how a run stands


@compiled
def in_tiles(m: int) -> int:
    """Round up m points to what fills the rows of a tile, which takes no longer."""
    return (m + 3) // 4 * 4


@compiled
def tile(
    P: Array, n_padded: int, d: int, first: int, b: int, is_direct: bool,
    Y: Array, doubled: Array, T: Array,
) -> None:  # fmt: skip
    """T for rows first … first + b and all points; `first` is a multiple of a panel's width."""
    if not is_direct:
        multiply_whole(
            doubled.reshape(-1), 0, P, first * d, T.reshape(-1), 0, T.shape[1], doubled.shape[0],
            packed_size(P, b, 1), d,
        )  # fmt: skip
        return
    for j in range(Y.shape[0]):
        out = T[j, :b]
        for f in range(0, d, 2):  # two features a turn: half the traffic of the sums
            x, y = P[f * n_padded + first : f * n_padded + first + b], Y[j, f]
            if f + 1 == d:
                for i in range(b):
                    g = x[i] - y
                    out[i] = g * g if f == 0 else out[i] + g * g
                continue
            at = (f + 1) * n_padded + first
            x_, y_ = P[at : at + b], Y[j, f + 1]
            if f == 0:
                for i in range(b):
                    g, h = x[i] - y, x_[i] - y_
                    out[i] = g * g + h * h
            else:
                for i in range(b):
                    g, h = x[i] - y, x_[i] - y_
                    out[i] += g * g + h * h


@compiled
def settle_ties(
    X: Array, Y: Array, T: Array, o: Array, reach: Array, largest: float, rounding: float,
    is_direct: bool, best: Array, second: Array, label: Array,
) -> None:  # fmt: skip
    """Decide by subtraction what rounding could have decided wrongly; ties to the smaller j."""
    b = X.shape[0]
    slack = best.dtype.type(2.0 * rounding)
    far = best.dtype.type(largest)
    relative = best.dtype.type(1.0 + 4.0 * rounding)
    ties = 0
    if is_direct:
        for i in range(b):
            ties += second[i] <= best[i] * relative
    else:
        for i in range(b):
            size = reach[i] + far
            ties += second[i] - best[i] <= slack * size * size
    if ties == 0:
        return
    for i in range(b):
        if is_direct:
            edge = best[i] * relative
        else:
            size = reach[i] + far
            edge = best[i] + slack * size * size
        if second[i] > edge:
            continue
        least, at = np.inf, label[i]
        for j in range(Y.shape[0]):
            if T[j, i] + o[j] <= edge:
                exact = direct(X[i], Y[j])
                if exact < least:
                    least, at = exact, np.int32(j)
        label[i] = at


@compiled
def add_rows(
    X: Array, weight: Array, start: int, b: int, label: Array, origin: Array,
    sums: Array, weights: Array, counts: Array,
) -> None:  # fmt: skip
    """Add b rows to S, W and N of their clusters."""
    d = X.shape[1]
    for i in range(b):
        at, a = start + i, label[i]
        w = np.float64(weight[at]) if weight.size else 1.0
        weights[a] += w
        counts[a] += 1 if w > 0 else 0
        for f in range(d):
            sums[a, f] += w * (np.float64(X[at, f]) - origin[f])


@compiled
def carry_rows(
    X: Array, weight: Array, start: int, b: int, new: Array, old: Array, origin: Array,
    sums: Array, weights: Array, counts: Array,
) -> None:  # fmt: skip
    """Carry those of b rows whose cluster changed from the old one to the new one."""
    d = X.shape[1]
    for i in range(b):
        at, a, before = start + i, new[i], old[i]
        if a == before:
            continue
        w = np.float64(weight[at]) if weight.size else 1.0
        weights[a] += w
        weights[before] -= w
        counts[a] += 1 if w > 0 else 0
        counts[before] -= 1 if w > 0 else 0
        for f in range(d):
            value = w * (np.float64(X[at, f]) - origin[f])
            sums[a, f] += value
            sums[before, f] -= value


@compiled
def assign_lane(
    P: Array, n_padded: int, is_direct: bool, X: Array, weight: Array, reach: Array,
    first: int, last: int, Y: Array, doubled: Array, o: Array, largest: float, rounding: float,
    anew: bool, origin: Array, T: Array, best: Array, second: Array, found: Array,
    label: Array, sums: Array, weights: Array, counts: Array,
) -> int:  # fmt: skip
    """Assign the rows of a lane; add to S, W and N what changes. Returns how many rows moved.

    `anew`: S, W and N (zeros) are added up from all rows.
    """
    d, size = X.shape[1], T.shape[1]
    moved = 0
    for start in range(first, last, size):
        b = min(size, last - start)
        tile(P, n_padded, d, start, b, is_direct, Y, doubled, T)
        moved += assign_rows(
            X, weight, reach, start, b, Y, T, o, largest, rounding, is_direct, anew, origin,
            best, second, found, label, sums, weights, counts,
        )  # fmt: skip
    return moved


@compiled
def assign_rows(
    X: Array, weight: Array, reach: Array, start: int, b: int, Y: Array, T: Array, o: Array,
    largest: float, rounding: float, is_direct: bool, anew: bool, origin: Array,
    best: Array, second: Array, found: Array,
    label: Array, sums: Array, weights: Array, counts: Array,
) -> int:  # fmt: skip
    """Assign the rows of a tile, as `assign_lane` does."""
    argmin2(T[: Y.shape[0]], o, b, best, second, found)
    settle_ties(
        X[start : start + b], Y, T, o, reach[start : start + b], largest, rounding,
        is_direct, best, second, found,
    )  # fmt: skip
    changed = 0
    was = label[start : start + b]
    for i in range(b):
        changed += found[i] != was[i]
    if anew:
        add_rows(X, weight, start, b, found, origin, sums, weights, counts)
    elif changed:
        carry_rows(X, weight, start, b, found, was, origin, sums, weights, counts)
    if changed:
        was[:] = found[:b]
    return changed


@compiled_strict
def combine(
    anew: bool, sums: Array, weights: Array, counts: Array,
    to_sums: Array, to_weights: Array, to_counts: Array,
) -> None:  # fmt: skip
    """Add what the lanes found, in order, to S, W and N; put it in their place if `anew`."""
    if anew:
        to_sums[:] = 0.0
        to_weights[:] = 0.0
        to_counts[:] = 0
    for lane in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            to_weights[j] += weights[lane, j]
            to_counts[j] += counts[lane, j]
            for f in range(sums.shape[2]):
                to_sums[j, f] += sums[lane, j, f]


@compiled_strict
def means(sums: Array, weights: Array, origin: Array, old: Array, new: Array) -> float:
    """new_j = s + S_j / W_j; returns Σ_j ‖new_j − old_j‖²."""
    shift = 0.0
    for j in range(sums.shape[0]):
        for f in range(sums.shape[1]):
            new[j, f] = sums[j, f] / weights[j] + origin[f]
            gap = np.float64(new[j, f]) - np.float64(old[j, f])
            shift += gap * gap
    return shift


@compiled_strict
def ready(Y: Array, origin: Array, doubled: Array, o: Array) -> float:
    """−2 (y_j − s), zeros in the rows beyond, and ‖y_j − s‖²; returns max_j ‖y_j − s‖."""
    largest = 0.0
    doubled[Y.shape[0] :] = 0
    for j in range(Y.shape[0]):
        total = 0.0
        for f in range(Y.shape[1]):
            value = doubled.dtype.type(np.float64(Y[j, f]) - origin[f])
            doubled[j, f] = -2 * value
            total += np.float64(value) * np.float64(value)
        o[j] = total
        largest = max(largest, total)
    return math.sqrt(largest)


@compiled_strict
def potential(energy: float, Y: Array, origin: Array, sums: Array, weights: Array) -> float:
    """Σ w_i ‖x_i − s‖² − Σ_j (2 (c_j − s)·S_j − W_j ‖c_j − s‖²)."""
    total = 0.0
    for j in range(Y.shape[0]):
        for f in range(Y.shape[1]):
            c = np.float64(Y[j, f]) - origin[f]
            total += 2.0 * c * sums[j, f] - weights[j] * c * c
    return energy - total


@compiled
def standing(done: int, shift: float, moved: int, tol: float, max_iter: int) -> int:
    """How a run stands after `done` iterations (0: the initial centres were assigned to)."""
    if done > 0 and (shift <= tol or moved == 0):
        return SETTLED
    return OVER if done >= max_iter else GOING


@compiled
def iterate(
    P: Array, n_padded: int, is_direct: bool, X: Array, weight: Array, reach: Array,
    bounds: Array, rounding: float, limit: int, energy: float, origin: Array,
    T: Array, best: Array, second: Array, found: Array,
    label: Array, sums: Array, weights: Array, counts: Array,
    lane_sums: Array, lane_weights: Array, lane_counts: Array,
    centers: Array, stacked: Array, doubled: Array, o: Array, largest: Array,
    tol: float, max_iter: int, n_steps: int,
    ages: Array, done: Array, moved: Array, shift: Array, path: Array, status: Array,
) -> None:  # fmt: skip
    """Do up to `n_steps` of Lloyd's iterations of several runs: one pass over the rows for all.

    Everything but the rows has one entry a run (lanes: a run and lane). A run is `GOING` until
    it is settled, has done `max_iter` iterations, or needs what is not done here: a cluster is
    `EMPTY`, or φ has `CANCELLED`. `path` receives φ after each step; how many are `done` is −1
    where not even the initial centres have been assigned to.
    """
    n_runs, k, d = centers.shape
    width, new = doubled.shape[0] // n_runs, np.empty_like(centers[0])
    going = np.empty(n_runs, np.intp)
    for step in range(n_steps):
        n_going = 0
        for r in range(n_runs):
            if status[r] == GOING and done[r] >= 0:
                if counts[r].min() == 0:
                    status[r] = EMPTY
                else:
                    shift[r] = means(sums[r], weights[r], origin, centers[r], new)
                    centers[r] = new
            if status[r] != GOING:
                continue
            at = n_going * width
            stacked[n_going * k : (n_going + 1) * k] = centers[r]
            if not is_direct:
                largest[r] = ready(centers[r], origin, doubled[at : at + width], o[r])
            lane_sums[r] = 0.0
            lane_weights[r] = 0.0
            lane_counts[r] = 0
            moved[r] = 0
            going[n_going] = r
            n_going += 1
        if n_going == 0:
            break
        for lane in range(bounds.size - 1):
            for start in range(bounds[lane], bounds[lane + 1], T.shape[1]):
                b = min(T.shape[1], bounds[lane + 1] - start)
                tile(
                    P, n_padded, d, start, b, is_direct, stacked[: n_going * k],
                    doubled[: n_going * width], T,
                )  # fmt: skip
                for at in range(n_going):
                    r, first = going[at], at * (k if is_direct else width)
                    moved[r] += assign_rows(
                        X, weight, reach, start, b, centers[r], T[first : first + k], o[r],
                        largest[r], rounding, is_direct, ages[r] >= limit, origin,
                        best, second, found, label[r],
                        lane_sums[r, lane], lane_weights[r, lane], lane_counts[r, lane],
                    )  # fmt: skip
        for at in range(n_going):
            r = going[at]
            anew = ages[r] >= limit
            combine(
                anew, lane_sums[r], lane_weights[r], lane_counts[r], sums[r], weights[r], counts[r]
            )
            ages[r] = 0 if anew else ages[r] + moved[r]
            done[r] += 1
            path[r, step] = potential(energy, centers[r], origin, sums[r], weights[r])
            status[r] = standing(done[r], shift[r], moved[r], tol, max_iter)
            if status[r] == GOING and path[r, step] <= CANCELLED_SHARE * energy:
                status[r] = CANCELLED
