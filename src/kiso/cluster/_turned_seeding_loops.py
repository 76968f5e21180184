"""k-means++ over rows that lie turned: the compiled loops of `_turned_seeding`.

Symbols
-------
x_i, w_i   row i and its weight;  y_t the candidates of the pool
D_i²       squared distance of row i to the nearest centre so far;  φ = Σ w_i D_i²

A pass over the rows lists, for each candidate, the rows that it is nearer to than their
nearest centre is: for D² only falls, nobody else can gain by it, neither now nor later. These
are few, about one row in j when j centres are chosen. Where candidates are for one centre
only, as the first centres' are, their distances are kept whole in the place of lists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kiso._compute.atomics import barrier, fetch_increment
from kiso._compute.distances_loops import direct
from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array

from ._seeding_loops import locate
from ._turned_loops import in_tiles, ready, tile

UNDECIDED = 1024.0  # a squared distance below so many roundings is computed by subtraction
CELL = 512  # rows whose Σ w_i D_i² is kept, so that a draw looks at few
GROUP = 32  # rows of which none is listed where none gains
LARGEST_POOL = 16  # centres that one pass over the rows serves at most
FILL = 0.5  # of the room for lists, as a pool is planned

# `place`: the next of the pool, how many it holds, draws used, centres that it was planned for
# and has served, how many of it are new, rows of a tile, whether distances stand there whole
NEXT, SIZE, USED, PLANNED, SERVED, NEW, WIDTH, WHOLE = range(8)


class Panels(NamedTuple):
    """The rows, turned (`Turned`), and what belongs to each."""

    P: Array
    n_padded: int
    is_direct: bool
    X: Array  # (n, d)
    weight: Array  # (n,), or of size 0 where all weigh 1
    squares: Array  # (n,): ‖x_i − s‖²
    origin: Array  # (d,): s
    rounding: float
    bounds: Array  # (n_lanes + 1,): where lanes begin, whole cells


class Pool(NamedTuple):
    """Candidates that were drawn at once, and what the rows have of them.

    Of several runs: everything has one entry a run (`pool_of` gives that of one).
    """

    rows: Array  # (size,): which rows they are
    before: Array  # (size,): D² of each when it was drawn
    Y: Array  # (size, d)
    place: Array  # (8,) intp: see above
    chosen: Array  # (trials,) intp: the candidates for the centre that is due
    listed: Array  # (n * trials,) int32: rows that gain, less where their lane begins
    nearer: Array  # (n * trials,): ‖x_i − y_t‖² of each; or of all rows of a lane, t by t
    parts: Array  # (n_lanes, size, n_tiles, 2) int32: where a tile's list begins and ends,
    # counted from the lane's first; lanes have room for their rows, `trials` times
    counts: Array  # (n_lanes,) intp: rows that gain, over all t; −1: there was no room for lists
    gains: Array  # (n_lanes, trials)


class Stack(NamedTuple):
    """The candidates of all runs that are new, as one pass over the rows takes them."""

    size: Array  # (1,) intp: how many
    run: Array  # (most,) intp: whose they are
    number: Array  # (most,) intp: and which of the pool
    Y: Array  # (most, d)
    doubled: Array  # (most, d): −2 (y_t − s); a few more rows than candidates
    offsets: Array  # (most,): ‖y_t − s‖²


@compiled
def pool_of(pools: Pool, run: int) -> Pool:
    """The pool of one run."""
    return Pool(
        pools.rows[run], pools.before[run], pools.Y[run], pools.place[run], pools.chosen[run],
        pools.listed[run], pools.nearer[run], pools.parts[run], pools.counts[run],
        pools.gains[run],
    )  # fmt: skip


@compiled
def pile(panels: Panels, pools: Pool, stack: Stack) -> None:
    """Put what is new in the pools on the stack."""
    at = 0
    for r in range(len(pools.place)):
        for t in range(pools.place[r, NEW]):
            stack.run[at], stack.number[at], stack.Y[at] = r, t, pools.Y[r, t]
            at += 1
        if pools.place[r, NEW] > 0:
            pools.counts[r] = 0
            pools.gains[r] = 0.0
        pools.place[r, NEW] = 0
    stack.size[0] = at
    if not panels.is_direct:
        ready(stack.Y[:at], panels.origin, stack.doubled[: in_tiles(at)], stack.offsets[:at])


@compiled
def list_lane(
    panels: Panels, pools: Pool, stack: Stack, closest: Array, lane: int, T: Array
) -> None:  # fmt: skip
    """List for each candidate on the stack the rows of a lane that it is nearer to than D_i."""
    base, end, trials = panels.bounds[lane], panels.bounds[lane + 1], pools.chosen.shape[1]
    room, size, doubt = (end - base) * trials, stack.size[0], T.dtype.type(UNDECIDED)
    doubt *= T.dtype.type(panels.rounding)
    for number, first in enumerate(range(base, end, T.shape[1])):
        b = min(T.shape[1], end - first)
        sizes = panels.squares[first : first + b]
        for start in range(0, size, T.shape[0]):
            m = min(T.shape[0], size - start)
            tile(
                panels.P, panels.n_padded, panels.X.shape[1], first, b, panels.is_direct,
                stack.Y[start : start + m], stack.doubled[start : start + in_tiles(m)], T,
            )  # fmt: skip
            for q in range(m):
                r, t, value = stack.run[start + q], stack.number[start + q], T[q, :b]
                at, near = pools.counts[r, lane], closest[r, first : first + b]
                if at < 0:
                    continue
                if panels.is_direct:
                    won = gained(value, near)
                else:
                    far = stack.offsets[start + q]
                    won, doubtful = finish(value, sizes, far, doubt, near)
                    if doubtful > 0:
                        y = stack.Y[start + q]
                        settle(value, sizes, far, doubt, panels.X[first : first + b], y)
                        won = gained(value, near)
                if pools.place[r, WHOLE] > 0:
                    to = base * trials + t * (end - base) + first - base
                    pools.nearer[r, to : to + b] = value
                    own = panels.weight[first : first + b] if panels.weight.size else panels.weight
                    more, hits = gain_of(value, near, own)
                    pools.gains[r, lane, t] += more
                    pools.counts[r, lane] = at + hits
                    continue
                pools.parts[r, lane, t, number, 0] = at
                if won > 0:
                    at = list_rows(
                        value, near, first - base, pools.listed[r, base * trials :],
                        pools.nearer[r, base * trials :], at, room,
                    )  # fmt: skip
                pools.parts[r, lane, t, number, 1] = at
                pools.counts[r, lane] = at


@compiled
def finish(value: Array, size: Array, far: float, doubt: float, near: Array) -> tuple[float, float]:
    """Add ‖x_i − s‖² + o_t to the numbers of a tile; what D² gains, and how many are doubtful."""
    nothing, one = value.dtype.type(0), value.dtype.type(1)
    won, doubtful = nothing, nothing
    for i in range(value.size):
        whole = size[i] + far
        v = value[i] + whole
        value[i] = v
        won += max(near[i] - v, nothing)
        doubtful += one if v <= doubt * whole else nothing
    return won, doubtful


@compiled
def gained(value: Array, near: Array) -> float:
    """Σ max(0, D_i² − value_i)."""
    won, nothing = value.dtype.type(0), value.dtype.type(0)
    for i in range(value.size):
        won += max(near[i] - value[i], nothing)
    return won


@compiled
def gain_of(value: Array, near: Array, weight: Array) -> tuple[float, int]:
    """Σ w_i max(0, D_i² − value_i), and of how many rows."""
    won, hits, one, nothing = 0.0, near.dtype.type(0), near.dtype.type(1), near.dtype.type(0)
    for i in range(value.size):
        hits += one if value[i] < near[i] else nothing
    if weight.size:
        for i in range(value.size):
            won += np.float64(max(near[i] - value[i], nothing)) * np.float64(weight[i])
    else:
        for i in range(value.size):
            won += np.float64(max(near[i] - value[i], nothing))
    return won, int(hits)


@compiled
def settle(value: Array, size: Array, far: float, doubt: float, X: Array, y: Array) -> None:
    """Compute the doubtful ones by subtraction."""
    for i in range(value.size):
        if value[i] <= doubt * (size[i] + far):
            value[i] = direct(X[i], y)


@compiled
def list_rows(
    value: Array, near: Array, first: int, listed: Array, nearer: Array, at: int, end: int
) -> int:  # fmt: skip
    """List those of the rows whose value is less than D²; where the list ends, −1: no room."""
    b, group, nothing = np.uintp(near.size), np.uintp(GROUP), value.dtype.type(0)
    for start in range(np.uintp(0), b, group):
        stop = min(start + group, b)
        if stop == start + group:
            won = nothing
            for i in range(group):  # `gained`, of a number of rows that the compiler knows
                won += max(near[start + i] - value[start + i], nothing)
            if not won > 0:
                continue
        if at + np.intp(stop - start) > end:
            return -1
        for i in range(start, stop):
            if value[i] < near[i]:
                listed[at] = np.int32(first + np.intp(i))
                nearer[at] = value[i]
                at += 1
    return at


@compiled
def gain(panels: Panels, pool: Pool, closest: Array, lane: int, t: int) -> float:
    """Return Σ w_i max(0, D_i² − ‖x_i − y_t‖²) of the rows of a lane."""
    base, weight, parts, won = panels.bounds[lane], panels.weight, pool.parts[lane, t], 0.0
    room = base * pool.chosen.size
    for number in range(n_tiles(panels, pool, lane)):
        for at in range(room + parts[number, 0], room + parts[number, 1]):
            i = base + pool.listed[at]
            gap = np.float64(closest[i] - pool.nearer[at])
            if gap > 0.0:
                won += gap * np.float64(weight[i]) if weight.size else gap
    return won


@compiled
def n_tiles(panels: Panels, pool: Pool, lane: int) -> int:
    """In how many tiles the rows of a lane are looked at."""
    return -(-(panels.bounds[lane + 1] - panels.bounds[lane]) // pool.place[WIDTH])


@compiled
def take(panels: Panels, pool: Pool, closest: Array, by_cell: Array, lane: int, t: int) -> None:
    """Make candidate t a centre: D_i² of the rows of a lane, Σ w_i D_i² of its cells."""
    base, end, weight = panels.bounds[lane], panels.bounds[lane + 1], panels.weight
    parts, room = pool.parts[lane, t], base * pool.chosen.size
    if pool.place[WHOLE] > 0:
        near, there = closest[base:end], pool.nearer[room + t * (end - base) :]
        for i in range(near.size):
            near[i] = min(near[i], there[i])
    else:
        for number in range(n_tiles(panels, pool, lane)):
            for at in range(room + parts[number, 0], room + parts[number, 1]):
                i = base + pool.listed[at]
                closest[i] = min(closest[i], pool.nearer[at])
    for first in range(base, end, CELL):
        near, mass = closest[first : min(first + CELL, end)], 0.0
        if weight.size:
            w = weight[first : first + near.size]
            for i in range(near.size):
                mass += np.float64(near[i]) * np.float64(w[i])
        else:
            for i in range(near.size):
                mass += np.float64(near[i])
        by_cell[first // CELL] = mass


@compiled_strict
def total(values: Array) -> float:
    """Return the sum, in order."""
    found = 0.0
    for i in range(values.size):
        found += values[i]
    return found


@compiled_strict
def draw(u: float, flat: bool, by_cell: Array, weight: Array, closest: Array) -> int:
    """Return the first row at which Σ w_i D_i² (Σ w_i where flat) exceeds u times the whole.

    Where rounding leaves the sum below: the last row of the cell that has any.
    """
    aim, cell = u * total(by_cell), 0
    while cell + 1 < by_cell.size and by_cell[cell] <= aim:
        aim -= by_cell[cell]
        cell += 1
    while cell > 0 and by_cell[cell] == 0:
        cell -= 1
        aim = np.inf
    first, end = cell * CELL, min(closest.size, (cell + 1) * CELL)
    own = weight[first:end] if weight.size else weight
    return first + locate(own, closest[first:end], flat, aim)


@compiled_strict
def pick(pool: Pool, closest: Array, uniform: Array, m: int) -> bool:
    """Choose the next m candidates of the pool; False where it does not hold enough.

    One that was drawn when D² was larger is taken with probability D² now / D² then: those
    that are taken are drawn with the probabilities of now.
    """
    place, found = pool.place, 0
    while found < m and place[NEXT] < place[SIZE]:
        at = place[NEXT]
        if uniform[place[USED]] * pool.before[at] < closest[pool.rows[at]]:
            pool.chosen[found] = at
            found += 1
        place[USED] += 1
        place[NEXT] += 1
    place[SERVED] += 1 if found == m else 0
    return found == m


@compiled
def pool_size(panels: Panels, pool: Pool, j: int, n_clusters: int) -> int:
    """How many candidates to draw when centre j is due: as the pool before has lasted.

    Twice as many where it was used up, for as many centres as it served where it was not, and
    no more than there is room for lists as long as the last.
    """
    place = pool.place
    planned = 2 * place[PLANNED] if place[SERVED] >= place[PLANNED] else place[SERVED]
    share = place[SIZE] * len(panels.X) / max(1, pool.counts.sum())
    planned = min(planned, int(FILL * share), LARGEST_POOL, n_clusters - j)
    place[PLANNED] = max(1, planned)
    return pool.chosen.size * place[PLANNED]


@compiled
def prepare(
    panels: Panels, pool: Pool, closest: Array, by_weight: Array, by_cell: Array,
    uniform: Array, j: int, n_clusters: int, m: int,
) -> None:  # fmt: skip
    """Choose m candidates for centre j, from the pool or from a new one."""
    flat, place = j == 0 or not total(by_cell) > 0.0, pool.place
    place[NEW] = 0
    if not flat and pick(pool, closest, uniform, m):
        return
    size = m if flat else pool_size(panels, pool, j, n_clusters)
    shares = by_weight if flat else by_cell
    for p in range(size):
        i = draw(uniform[place[USED] + p], flat, shares, panels.weight, closest)
        pool.rows[p], pool.before[p] = i, closest[i]
        pool.Y[p] = panels.X[i]
    place[USED] += size
    begin(place, pool.chosen, size, size if flat else m, m)


@compiled
def begin(place: Array, chosen: Array, size: int, next_: int, m: int) -> None:
    """Let the pool be its first `size` candidates, the first m of them for the centre due."""
    place[NEXT], place[SIZE], place[NEW], place[SERVED] = next_, size, size, 1
    place[WHOLE] = 1 if size == m else 0
    for t in range(m):
        chosen[t] = t


@compiled
def seed(
    panels: Panels, pools: Pool, stack: Stack, closest: Array, by_weight: Array, by_cell: Array,
    uniform: Array, T: Array, done: int, n_steps: int, indices: Array, path: Array,
    turns: Array, meeting: Array, n_members: int, leads: bool,
) -> int:  # fmt: skip
    """Choose up to `n_steps` more centres of each run by k-means++; how many there are then.

    Threads that share this, `n_members` of them, take lanes of rows by turns. One `leads`:
    it draws the candidates. What a lane gains stands in `gains`, so that it is added up in
    order whoever found it.
    """
    n_runs, n_clusters = indices.shape
    end, n_lanes = min(n_clusters, done + n_steps), panels.bounds.size - 1
    best = np.zeros(n_runs, np.intp)
    for j in range(done, end):
        m = pools.chosen.shape[1] if j else 1
        if leads:
            turns[:] = 0
            for r in range(n_runs):
                pool = pool_of(pools, r)
                pool.place[WIDTH] = T.shape[1]
                prepare(
                    panels, pool, closest[r], by_weight, by_cell[r], uniform[r], j, n_clusters, m
                )
            pile(panels, pools, stack)
        if not barrier(meeting, n_members):
            return j
        for attempt in range(2 if stack.size[0] > 0 else 0):
            lane = fetch_increment(turns[attempt])
            while lane < n_lanes:
                list_lane(panels, pools, stack, closest, lane, T)
                lane = fetch_increment(turns[attempt])
            barrier(meeting, n_members)
            if pools.counts.min() >= 0:
                break
            barrier(meeting, n_members)  # too much for the room: fewer candidates
            if leads:
                for r in range(n_runs):
                    if pools.counts[r].min() < 0:
                        begin(pools.place[r], pools.chosen[r], m, m, m)
                pile(panels, pools, stack)
            barrier(meeting, n_members)
        lane = fetch_increment(turns[2])
        while lane < n_lanes:
            for r in range(n_runs):
                pool = pool_of(pools, r)
                for t in range(0 if pool.place[WHOLE] else m):
                    pool.gains[lane, t] = gain(panels, pool, closest[r], lane, pool.chosen[t])
            lane = fetch_increment(turns[2])
        barrier(meeting, n_members)
        for r in range(n_runs):
            best[r], most = pools.chosen[r, 0], -1.0
            for t in range(m):
                won = total(pools.gains[r, :, t])
                if won > most:
                    best[r], most = pools.chosen[r, t], won
        lane = fetch_increment(turns[3])
        while lane < n_lanes:
            for r in range(n_runs):
                take(panels, pool_of(pools, r), closest[r], by_cell[r], lane, best[r])
            lane = fetch_increment(turns[3])
        barrier(meeting, n_members)
        if leads:
            for r in range(n_runs):
                indices[r, j], path[r, j] = pools.rows[r, best[r]], total(by_cell[r])
    return end
