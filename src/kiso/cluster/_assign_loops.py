"""Compiled loops: Lloyd's iterations of several runs, one pass over the rows for all.

Symbols
-------
x_i, w_i   row i and its weight; s the origin that sums are taken about
c_j, a_i   the centres of a run; the number of row i's centre
u_i, l_i   bounds: ‖x_i − c_{a_i}‖ ≤ u_i, and ‖x_i − c_j‖ ≥ l_i for every other j
δ_j        how far centre j has moved
S_j, W_j   Σ w_i (x_i − s) and Σ w_i over the rows of cluster j; N_j how many have w_i > 0
T          a tile of distances, as of `_panels_loops`

Threads that share `iterate` take lanes of rows by turns and meet before and after each pass.
What the lanes add up is combined in order, so it is the same whoever found it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kiso._compute.atomics import barrier, fetch_increment
from kiso._compute.distances_loops import argmin2, direct
from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

from ._panels_loops import (
    Nearest,
    Panels,
    Room,
    block_size,
    dense_row,
    load,
    prepare_points,
    tile,
)

CANCELLED_SHARE = 1e-6  # φ / Σ w ‖x − s‖² below which φ is added up row by row
EPS32 = 2.0**-23
OPEN_SHARE = 0.6  # rows of a lane that bounds leave open, from which all are looked at

# how a run stands: SETTLED and OVER are ends; for EMPTY and CANCELLED it needs what is not
# done here; in RELOCATED its next centres are given
GOING, SETTLED, OVER, EMPTY, CANCELLED, RELOCATED = range(6)


class Sums(NamedTuple):
    """S, W and N of the clusters; of size 0 where they are not wanted."""

    S: Array  # (k, d)
    W: Array  # (k,)
    N: Array  # (k,) intp


class Runs(NamedTuple):
    """Labels, centres and sums of each run."""

    label: Array  # (n_runs, n) int32, −1 at first
    centers: Array  # (n_runs, k, d)
    following: Array  # (n_runs, k, d): the next centres
    sums: Sums  # of arrays with a leading axis of runs
    lanes: Array  # (n_lanes + 1,): where lanes of rows begin, and the end
    lane_sums: Sums  # of arrays with leading axes of runs and lanes
    lane_moved: Array  # (n_runs, n_lanes): rows whose label has changed


class Bounds(NamedTuple):
    """Bounds of Hamerly (2010), and how centres move them; of size 0 where none are kept."""

    upper: Array  # (n_runs, n): u
    lower: Array  # (n_runs, n): l
    delta: Array  # (n_runs, k): δ
    margin: float  # relative, for the rounding of a step


class Progress(NamedTuple):
    """How each run stands."""

    status: Array  # (n_runs,) intp
    done: Array  # (n_runs,) intp: iterations; −1 before the initial centres have rows
    moved: Array  # (n_runs,) intp: rows whose label the last step has changed
    shift: Array  # (n_runs,): Σ_j ‖c_j − previous c_j‖²
    age: Array  # (n_runs,) intp: rows carried since sums were added up
    path: Array  # (n_runs, n_steps): φ after each step


class Rule(NamedTuple):
    """When runs end, and when sums are added up anew."""

    tol: float
    max_iter: int
    limit: int  # of `age`
    energy: float  # Σ w_i ‖x_i − s‖²


class Stack(NamedTuple):
    """The centres of the runs that go on, one run after the other, as a pass takes them."""

    size: Array  # (1,) intp: how many runs
    run: Array  # (n_runs,) intp: which
    Y: Array  # (n_runs * k, d)
    doubled: Array  # (n_runs * whole_tiles(k), d): −2 (c_j − s)
    offsets: Array  # (n_runs, k): ‖c_j − s‖²
    largest: Array  # (n_runs,): max_j ‖c_j − s‖


class Crew(NamedTuple):
    """The threads that share a loop."""

    turns: Array  # (m, 1) int64: counters of lanes
    meeting: Array  # (1,) int64: of the barrier
    n_members: int
    leads: bool


@compiled
def find_nearest(
    X: Array, reach: Array, Y: Array, T: Array, o: Array, far: float, rounding: float,
    found: Nearest,
) -> None:  # fmt: skip
    """Find the nearest of the points Y for each row of a block; ties go to the smaller j.

    What rounding could have decided wrongly is decided by subtraction. `reach` is of size 0
    where the tile was made by subtraction.
    """
    best, second, label, b = found.best, found.second, found.label, X.shape[0]
    argmin2(T, o, b, best, second, label)
    slack, largest = best.dtype.type(2.0 * rounding), best.dtype.type(far)
    relative, ties = best.dtype.type(1.0 + 4.0 * rounding), 0
    if reach.size == 0:
        for i in range(b):
            ties += second[i] <= best[i] * relative
    else:
        for i in range(b):
            size = reach[i] + largest
            ties += second[i] - best[i] <= slack * size * size
    if ties == 0:
        return
    for i in range(b):
        if reach.size == 0:
            edge = best[i] * relative
        else:
            size = reach[i] + largest
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
    X: Array, weight: Array, start: int, label: Array, origin: Array, sums: Sums
) -> None:  # fmt: skip
    """Add the rows of a block, which begins at row `start`, to the sums of their clusters."""
    d = X.shape[1]
    S, W, N = sums.S, sums.W, sums.N
    for i in range(X.shape[0]):
        a = label[i]
        w = np.float64(weight[start + i]) if weight.size > 0 else 1.0
        W[a] += w
        N[a] += 1 if w > 0 else 0
        for f in range(d):
            S[a, f] += w * (np.float64(X[i, f]) - origin[f])


@compiled
def carry_row(x: Array, w: float, new: int, old: int, origin: Array, sums: Sums) -> None:
    """Carry a row from the sums of one cluster to those of another."""
    S, W, N = sums.S, sums.W, sums.N
    W[new] += w
    W[old] -= w
    N[new] += 1 if w > 0 else 0
    N[old] -= 1 if w > 0 else 0
    for f in range(x.size):
        value = w * (np.float64(x[f]) - origin[f])
        S[new, f] += value
        S[old, f] -= value


@compiled
def assign_block(
    X: Array, weight: Array, start: int, found: Array, label: Array, origin: Array, sums: Sums,
    anew: bool,
) -> int:  # fmt: skip
    """Let the rows of a block, which begins at row `start`, have the labels found.

    The sums of the lane receive what changes, or all rows where they are added up `anew`.
    Returns how many labels have changed.
    """
    b = X.shape[0]
    was, changed = label[start : start + b], 0
    for i in range(b):
        changed += found[i] != was[i]
    if sums.W.size > 0 and anew:
        add_rows(X, weight, start, found, origin, sums)
    elif sums.W.size > 0 and changed > 0:
        for i in range(b):
            if found[i] != was[i]:
                w = np.float64(weight[start + i]) if weight.size > 0 else 1.0
                carry_row(X[i], w, found[i], was[i], origin, sums)
    if changed > 0:
        was[:] = found[:b]
    return changed


@compiled
def assign_listed(
    X: Array, weight: Array, listed: Array, found: Array, label: Array, origin: Array, sums: Sums,
    anew: bool,
) -> int:  # fmt: skip
    """`assign_block` for rows that are listed; nothing is added up here if `anew`."""
    changed = 0
    for at in range(X.shape[0]):
        q, new = listed[at], found[at]
        if new != label[q]:
            changed += 1
            w = np.float64(weight[q]) if weight.size > 0 else 1.0
            if not anew:
                carry_row(X[at], w, new, label[q], origin, sums)
            label[q] = new
    return changed


@compiled
def bound(
    found: Nearest, squares: Array, reach: Array, far: float, rounding: float, margin: float,
    at: int, q: int,
) -> tuple[float, float]:  # fmt: skip
    """Return u and l of row q, which is row `at` of a block.

    `margin`: relative, for the precision of the bounds. l is 0 where rounding could have
    decided wrongly: the row is looked at again.
    """
    low, high, square = np.float64(found.best[at]), np.float64(found.second[at]), 0.0
    below, above = 2.0 * rounding * low, 2.0 * rounding * high
    if reach.size > 0:
        size = np.float64(reach[q]) + far
        below = above = 1.5 * rounding * size * size
        square = np.float64(squares[q])
    if high - low <= 2.0 * below:
        return math.sqrt(max(low + square + 4.0 * below, 0.0)) * (1.0 + margin), 0.0
    upper = math.sqrt(max(low + square + below, 0.0)) * (1.0 + margin)
    return upper, math.sqrt(max(high + square - above, 0.0)) * (1.0 - margin)


@compiled
def drift(
    upper: Array, lower: Array, label: Array, delta: Array, margin: float, first: int, last: int
) -> int:
    """Move the bounds with the centres; return how many rows they leave open.

    u_i grows by δ of its centre, l_i shrinks by the largest δ of another. Rounding never
    makes a bound narrower. A row stays where u_i < l_i.
    """
    furthest, second, count = delta.argmax(), 0.0, 0
    for j in range(delta.size):
        if j != furthest:
            second = max(second, delta[j])
    for i in range(first, last):
        a = label[i]
        upper[i] = (np.float64(upper[i]) + delta[a]) * (1.0 + margin)
        low = np.float64(lower[i]) - (second if a == furthest else delta[furthest])
        lower[i] = low * (1.0 - margin) if low > 0 else 0.0
        count += upper[i] >= lower[i]
    return count


@compiled
def list_open(
    X: Array, centers: Array, label: Array, upper: Array, lower: Array, start: int, last: int,
    listed: Array,
) -> tuple[int, int]:  # fmt: skip
    """List open rows from `start` on, u made exact; return how many, and where to go on."""
    count, i = 0, start
    while i < last and count < listed.size:
        if upper[i] >= lower[i] and X.shape[0] > 0:
            exact = math.sqrt(direct(X[i], centers[label[i]])) * (1.0 + 1e-12)
            upper[i] = exact * (1.0 + 4.0 * EPS32) if upper.itemsize == 4 else exact
        if upper[i] >= lower[i]:
            listed[count] = i
            count += 1
        i += 1
    return count, i


@compiled
def listed_values(values: Array, listed: Array, n: int) -> Array:
    """Return values[listed[:n]]; the same as an index compiles five seconds longer."""
    out = np.empty(n, values.dtype)
    for i in range(n):
        out[i] = values[listed[i]]
    return out


@compiled
def any_empty(N: Array) -> bool:
    """Return whether a cluster has no row."""
    empty = 0
    for j in range(N.size):
        empty += N[j] == 0
    return empty > 0


@compiled
def lane_sums(runs: Runs, r: int, lane: int) -> Sums:
    """What a lane adds to the sums of a run."""
    some = runs.lane_sums
    return Sums(some.S[r, lane], some.W[r, lane], some.N[r, lane])


@compiled
def assign_lane(
    panels: Panels, runs: Runs, progress: Progress, stack: Stack, bounds: Bounds, room: Room,
    lane: int, limit: int,
) -> None:  # fmt: skip
    """Assign the rows of a lane to the nearest centres of each run that goes on."""
    first, last, margin = runs.lanes[lane], runs.lanes[lane + 1], bounds.margin
    n_going, k, b, start = stack.size[0], runs.centers.shape[1], 0, runs.lanes[lane]
    width, bounded = stack.doubled.shape[0] // len(stack.run), bounds.upper.shape[1] > 0
    reach, found, listed = panels.reach[:0], room.nearest, False
    if bounded and progress.done[0] >= 0:  # of one run
        n_open = drift(
            bounds.upper[0], bounds.lower[0], runs.label[0], bounds.delta[0], margin, first, last
        )
        listed = n_open <= OPEN_SHARE * (last - first)
    while start < last:
        at_first = start
        if listed:
            b, start = list_open(
                panels.X, runs.centers[0], runs.label[0], bounds.upper[0], bounds.lower[0],
                start, last, room.listed,
            )  # fmt: skip
            if b == 0:
                break
            if panels.reach.size > 0:
                reach = listed_values(panels.reach, room.listed, b)
        else:
            b = block_size(panels, start, last, room.T.shape[1])
            start += b
            if panels.reach.size > 0:
                reach = panels.reach[at_first:start]
        block = load(panels, at_first, b, listed, room)
        tile(block, panels.direct, stack.Y[: n_going * k], stack.doubled[: n_going * width], room.T)
        for at in range(n_going):
            r, top = stack.run[at], at * (k if panels.direct else width)
            centers, o, far = runs.centers[r], stack.offsets[r], stack.largest[r]
            T = room.T[top : top + k]
            find_nearest(block.X, reach, centers, T, o, far, panels.rounding, found)
            if bounded:
                for i in range(b):
                    q = room.listed[i] if listed else at_first + i
                    bounds.upper[r, q], bounds.lower[r, q] = bound(
                        found, panels.squares, panels.reach, far, panels.rounding, margin, i, q
                    )
            anew, sums = progress.age[r] >= limit, lane_sums(runs, r, lane)
            if listed:
                runs.lane_moved[r, lane] += assign_listed(
                    block.X, panels.weight, room.listed, found.label, runs.label[r],
                    panels.origin, sums, anew,
                )  # fmt: skip
            else:
                runs.lane_moved[r, lane] += assign_block(
                    block.X, panels.weight, at_first, found.label, runs.label[r], panels.origin,
                    sums, anew,
                )  # fmt: skip
    if listed and progress.age[0] >= limit:
        add_lane(panels, runs.label[0], first, last, lane_sums(runs, 0, lane))


@compiled
def add_lane(panels: Panels, label: Array, first: int, last: int, sums: Sums) -> None:
    """Add all rows of a lane to the sums of their clusters."""
    row = np.empty((1, panels.origin.size), panels.shift.dtype)
    for i in range(first, last):
        dense_row(panels.X, panels.csr, i, row[0])
        add_rows(row, panels.weight, i, label[i : i + 1], panels.origin, sums)


@compiled_strict
def combine(anew: bool, found: Sums, sums: Sums) -> None:
    """Add what the lanes found, in order, to S, W and N; put it in their place if `anew`."""
    if anew:
        sums.S[:] = 0.0
        sums.W[:] = 0.0
        sums.N[:] = 0
    for lane in range(found.W.shape[0]):
        for j in range(found.W.shape[1]):
            sums.W[j] += found.W[lane, j]
            sums.N[j] += found.N[lane, j]
            for f in range(found.S.shape[2]):
                sums.S[j, f] += found.S[lane, j, f]


@compiled_strict
def means(sums: Sums, origin: Array, new: Array) -> None:
    """new_j = s + S_j / W_j."""
    for j in range(new.shape[0]):
        for f in range(new.shape[1]):
            new[j, f] = sums.S[j, f] / sums.W[j] + origin[f]


@compiled_strict
def shifts(new: Array, old: Array, delta: Array) -> float:
    """δ_j, rounded up; returns Σ_j ‖new_j − old_j‖²."""
    shift = 0.0
    for j in range(new.shape[0]):
        own = 0.0
        for f in range(new.shape[1]):
            gap = np.float64(new[j, f]) - np.float64(old[j, f])
            shift += gap * gap
            own += gap * gap
        if delta.size > 0:
            delta[j] = math.sqrt(own) * (1.0 + 1e-12)
    return shift


@compiled_strict
def potential(energy: float, Y: Array, origin: Array, sums: Sums) -> float:
    """Σ w_i ‖x_i − s‖² − Σ_j (2 (c_j − s)·S_j − W_j ‖c_j − s‖²)."""
    total = 0.0
    for j in range(Y.shape[0]):
        for f in range(Y.shape[1]):
            c = np.float64(Y[j, f]) - origin[f]
            total += 2.0 * c * sums.S[j, f] - sums.W[j] * c * c
    return energy - total


@compiled
def move_centers(
    panels: Panels, runs: Runs, progress: Progress, stack: Stack, bounds: Bounds
) -> None:  # fmt: skip
    """Move the centres of the runs that go on, and put them on the stack."""
    n_runs, k, _ = runs.centers.shape
    width, at = stack.doubled.shape[0] // n_runs, 0
    for r in range(n_runs):
        if progress.status[r] == GOING and progress.done[r] >= 0:
            if any_empty(runs.sums.N[r]):
                progress.status[r] = EMPTY
            else:
                means(Sums(runs.sums.S[r], runs.sums.W[r], runs.sums.N[r]), panels.origin,
                      runs.following[r])  # fmt: skip
        if progress.status[r] != GOING and progress.status[r] != RELOCATED:
            continue
        if progress.done[r] >= 0:
            progress.shift[r] = shifts(runs.following[r], runs.centers[r], bounds.delta[r])
            runs.centers[r] = runs.following[r]
        progress.status[r] = GOING
        stack.Y[at * k : (at + 1) * k] = runs.centers[r]
        if not panels.direct:
            doubled = stack.doubled[at * width : (at + 1) * width]
            stack.largest[r] = prepare_points(
                runs.centers[r], panels.origin, doubled, stack.offsets[r]
            )
        runs.lane_sums.S[r] = 0.0
        runs.lane_sums.W[r] = 0.0
        runs.lane_sums.N[r] = 0
        runs.lane_moved[r] = 0
        stack.run[at] = r
        at += 1
    stack.size[0] = at


@compiled
def end_step(
    panels: Panels, runs: Runs, progress: Progress, stack: Stack, rule: Rule, step: int
) -> None:  # fmt: skip
    """Combine what the lanes found, and see how each run stands."""
    for at in range(stack.size[0]):
        r = stack.run[at]
        anew, moved = progress.age[r] >= rule.limit, runs.lane_moved[r].sum()
        sums = Sums(runs.sums.S[r], runs.sums.W[r], runs.sums.N[r])
        some = runs.lane_sums
        combine(anew, Sums(some.S[r], some.W[r], some.N[r]), sums)
        progress.moved[r] = moved
        progress.age[r] = 0 if anew else progress.age[r] + moved
        progress.done[r] += 1
        value = potential(rule.energy, runs.centers[r], panels.origin, sums)
        progress.path[r, step] = value
        if progress.done[r] > 0 and (progress.shift[r] <= rule.tol or moved == 0):
            progress.status[r] = SETTLED
        elif progress.done[r] >= rule.max_iter:
            progress.status[r] = OVER
        elif value <= CANCELLED_SHARE * rule.energy:
            progress.status[r] = CANCELLED


@compiled
def iterate(
    panels: Panels, runs: Runs, progress: Progress, stack: Stack, bounds: Bounds, rule: Rule,
    room: Room, crew: Crew,
) -> None:  # fmt: skip
    """Do as many of Lloyd's iterations as `path` has columns.

    A run goes on until it has come to its end, or needs what is not done here (see the head
    of this module). One thread `leads`: it moves the centres and combines the sums.
    """
    for step in range(progress.path.shape[1]):
        if crew.leads:
            crew.turns[:] = 0
            move_centers(panels, runs, progress, stack, bounds)
        if not barrier(crew.meeting, crew.n_members) or stack.size[0] == 0:
            return
        lane = fetch_increment(crew.turns[0])
        while lane < runs.lanes.size - 1:
            assign_lane(panels, runs, progress, stack, bounds, room, lane, rule.limit)
            lane = fetch_increment(crew.turns[0])
        barrier(crew.meeting, crew.n_members)
        if crew.leads and runs.sums.W.shape[1] > 0:
            end_step(panels, runs, progress, stack, rule, step)
