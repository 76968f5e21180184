"""Compiled loops: k-means++ for several runs, one pass over the rows for all candidates.

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

from ._assign_loops import Crew
from ._panels_loops import Panels, Room, dense_row, load, prepare_points, tile, whole_tiles

UNDECIDED = 1024.0  # a squared distance below so many roundings is computed by subtraction
CELL = 512  # rows whose Σ w_i D_i² is kept, so that a draw looks at few
GROUP = 32  # rows of which none is listed where none gains
LARGEST_POOL = 16  # centres that one pass over the rows serves at most
FILL = 0.5  # of the room for lists, as a pool is planned

# `place`: the next of the pool, how many it holds, draws used, centres that it was planned for
# and has served, how many of it are new, rows of a tile, whether distances stand there whole
NEXT, SIZE, USED, PLANNED, SERVED, NEW, WIDTH, WHOLE = range(8)
LISTED, STORED, GAINED = range(3)  # lists; whole distances; sums alone, where memory counts


class Pool(NamedTuple):
    """Candidates that were drawn at once, and what the rows have of them.

    Of several runs: everything has one entry a run (`pool_of` gives that of one).
    """

    rows: Array  # (size,): which rows they are
    before: Array  # (size,): D² of each when it was drawn
    Y: Array  # (size, d)
    place: Array  # (8,) intp: see above
    chosen: Array  # (trials,) intp: the candidates for the centre that is due
    listed: Array  # (n * room,) int32: rows that gain, less where their lane begins
    nearer: Array  # (n * room,): ‖x_i − y_t‖² of each; or of all rows of a lane, t by t
    parts: Array  # (n_lanes, size, n_tiles, 2) int32: where a tile's list begins and ends,
    # counted from the lane's first; lanes have room for their rows, `room` times
    counts: Array  # (n_lanes,) intp: rows that gain, over all t; −1: there was no room for lists
    gains: Array  # (n_lanes, trials)
    lanes: Array  # (n_lanes + 1,): where lanes of rows begin, whole cells; the same for all runs
    room: int  # rows that lists have room for, in rows; the same for all runs


class Seeding(NamedTuple):
    """The centres chosen so far, of several runs."""

    closest: Array  # (n_runs, n): D_i²
    by_weight: Array  # (n_cells,): Σ w_i of each cell
    by_cell: Array  # (n_runs, n_cells): Σ w_i D_i² of each cell
    uniform: Array  # (n_runs, most draws): random numbers in [0, 1)
    indices: Array  # (n_runs, n_clusters): the rows chosen
    path: Array  # (n_runs, n_clusters): φ after each
    best: Array  # (n_runs,) intp: the best of the candidates for the centre that is due


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
        pools.gains[run], pools.lanes, pools.room,
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
    if not panels.direct:
        prepare_points(
            stack.Y[:at], panels.origin, stack.doubled[: whole_tiles(at)], stack.offsets[:at]
        )


@compiled
def complete(
    panels: Panels, stack: Stack, q: int, X: Array, first: int, value: Array, near: Array
) -> float:  # fmt: skip
    """Complete the distances of a block to point q of the stack; return what D² gains."""
    if panels.direct:
        return gained(value, near)
    doubt = value.dtype.type(UNDECIDED) * value.dtype.type(panels.rounding)
    sizes, far = panels.squares[first : first + value.size], stack.offsets[q]
    won, doubtful = finish(value, sizes, far, doubt, near)
    if doubtful > 0:
        settle(value, sizes, far, doubt, X, stack.Y[q])
        won = gained(value, near)
    return won


@compiled
def list_lane(
    panels: Panels, pools: Pool, stack: Stack, closest: Array, lane: int, room: Room, lower: bool
) -> None:  # fmt: skip
    """List for each candidate on the stack the rows of a lane that it is nearer to than D_i.

    Or `lower` D_i² of these rows.
    """
    base, end, T = pools.lanes[lane], pools.lanes[lane + 1], room.T
    place, size = base * pools.room, stack.size[0]
    for number, first in enumerate(range(base, end, T.shape[1])):
        b = min(T.shape[1], end - first)
        block = load(panels, first, b, False, room)
        for start in range(0, size, T.shape[0]):
            m = min(T.shape[0], size - start)
            tile(
                block, panels.direct, stack.Y[start : start + m],
                stack.doubled[start : start + whole_tiles(m)], T,
            )  # fmt: skip
            for q in range(m):
                r, t, value = stack.run[start + q], stack.number[start + q], T[q, :b]
                at, near = pools.counts[r, lane], closest[r, first : first + b]
                if at < 0:
                    continue
                won = complete(panels, stack, start + q, block.X, first, value, near)
                if lower:
                    for i in range(b):
                        near[i] = min(near[i], value[i])
                    continue
                if pools.place[r, WHOLE] != LISTED:
                    if pools.place[r, WHOLE] == STORED:
                        to = place + t * (end - base) + first - base
                        pools.nearer[r, to : to + b] = value
                    own = panels.weight[first : first + b] if panels.weight.size else panels.weight
                    more, hits = gain_of(value, near, own)
                    pools.gains[r, lane, t] += more
                    pools.counts[r, lane] = at + hits
                    continue
                pools.parts[r, lane, t, number, 0] = at
                if won > 0:
                    at = list_rows(
                        value, near, first - base, pools.listed[r, place:],
                        pools.nearer[r, place:], at, (end - base) * pools.room,
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
    base, weight, parts, won = pool.lanes[lane], panels.weight, pool.parts[lane, t], 0.0
    room = base * pool.room
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
    return -(-(pool.lanes[lane + 1] - pool.lanes[lane]) // pool.place[WIDTH])


@compiled
def take(panels: Panels, pool: Pool, closest: Array, by_cell: Array, lane: int, t: int) -> None:
    """Make candidate t a centre: D_i² of the rows of a lane, Σ w_i D_i² of its cells."""
    base, end, weight = pool.lanes[lane], pool.lanes[lane + 1], panels.weight
    parts, room = pool.parts[lane, t], base * pool.room
    if pool.place[WHOLE] == STORED:
        near, there = closest[base:end], pool.nearer[room + t * (end - base) :]
        for i in range(near.size):
            near[i] = min(near[i], there[i])
    elif pool.place[WHOLE] == LISTED:
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
def locate(weight: Array, closest: Array, flat: bool, u: float) -> int:
    """Return the first row at which Σ w_i D_i² (Σ w_i where flat) exceeds u.

    Where rounding leaves the sum below u: the last row that has any.
    """
    total, last = 0.0, 0
    for i in range(closest.size):
        part = 1.0 if flat else np.float64(closest[i])
        if weight.size:
            part *= np.float64(weight[i])
        if part > 0.0:
            last = i
            total += part
            if total > u:
                return i
    return last


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
    share = place[SIZE] * pool.lanes[-1] / max(1, pool.counts.sum())
    share *= pool.room / pool.chosen.size
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
        dense_row(panels.X, panels.csr, i, pool.Y[p])
    place[USED] += size
    begin(pool, size, size if flat else m, m)


@compiled
def begin(pool: Pool, size: int, next_: int, m: int) -> None:
    """Let the pool be its first `size` candidates, the first m of them for the centre due."""
    place = pool.place
    place[NEXT], place[SIZE], place[NEW], place[SERVED] = next_, size, size, 1
    place[WHOLE] = LISTED
    if size == m:
        place[WHOLE] = STORED if pool.room >= m else GAINED
    for t in range(m):
        pool.chosen[t] = t


@compiled
def draw_pools(
    panels: Panels, pools: Pool, stack: Stack, seeds: Seeding, j: int, m: int, width: int
) -> None:  # fmt: skip
    """Choose m candidates for centre j of each run; put those that are new on the stack."""
    n_clusters = seeds.indices.shape[1]
    for r in range(len(seeds.indices)):
        pool = pool_of(pools, r)
        pool.place[WIDTH] = width
        prepare(
            panels, pool, seeds.closest[r], seeds.by_weight, seeds.by_cell[r], seeds.uniform[r],
            j, n_clusters, m,
        )  # fmt: skip
    pile(panels, pools, stack)


@compiled
def stack_best(panels: Panels, pools: Pool, stack: Stack, seeds: Seeding) -> None:
    """Put the best candidates on the stack, of runs whose distances were not kept."""
    at = 0
    for r in range(len(seeds.best)):
        if pools.place[r, WHOLE] == GAINED:
            stack.run[at], stack.number[at] = r, seeds.best[r]
            stack.Y[at] = pools.Y[r, seeds.best[r]]
            at += 1
    stack.size[0] = at
    if at > 0 and not panels.direct:
        prepare_points(
            stack.Y[:at], panels.origin, stack.doubled[: whole_tiles(at)], stack.offsets[:at]
        )


@compiled
def choose_best(pools: Pool, seeds: Seeding, m: int) -> None:
    """Of m candidates of each run, find the one that gains most."""
    for r in range(len(seeds.best)):
        best, most = pools.chosen[r, 0], -1.0
        for t in range(m):
            won = total(pools.gains[r, :, t])
            if won > most:
                best, most = pools.chosen[r, t], won
        seeds.best[r] = best


@compiled
def add_gains(panels: Panels, pools: Pool, seeds: Seeding, lane: int, m: int) -> None:
    """Add up what the rows of a lane gain by the candidates for the centre that is due."""
    for r in range(len(seeds.best)):
        pool = pool_of(pools, r)
        for t in range(m if pool.place[WHOLE] == LISTED else 0):
            pool.gains[lane, t] = gain(panels, pool, seeds.closest[r], lane, pool.chosen[t])


@compiled
def take_best(panels: Panels, pools: Pool, seeds: Seeding, lane: int) -> None:
    """Make the best candidate of each run a centre, for the rows of a lane."""
    for r in range(len(seeds.best)):
        take(panels, pool_of(pools, r), seeds.closest[r], seeds.by_cell[r], lane, seeds.best[r])


@compiled
def shrink_pools(panels: Panels, pools: Pool, stack: Stack, m: int) -> None:
    """Let pools whose lists had not room enough hold the candidates for one centre."""
    for r in range(len(pools.place)):
        if pools.counts[r].min() < 0:
            begin(pool_of(pools, r), m, m, m)
    pile(panels, pools, stack)


LIST, LIST_AGAIN, GAIN, LOWER, TAKE, PHASES = range(6)  # phases of a step, and their number


@compiled
def seed(
    panels: Panels, pools: Pool, stack: Stack, seeds: Seeding, room: Room, crew: Crew,
    done: int, n_steps: int,
) -> int:  # fmt: skip
    """Choose up to `n_steps` more centres of each run by k-means++; how many there are then.

    Threads that share this take lanes of rows by turns, and meet after each phase. One `leads`:
    it draws the candidates. What a lane gains stands in `gains`, so that it is added up in
    order whoever found it.
    """
    n_runs, n_clusters = seeds.indices.shape
    end, n_lanes = min(n_clusters, done + n_steps), pools.lanes.size - 1
    for j in range(done, end):
        m = pools.chosen.shape[1] if j else 1
        for phase in range(PHASES):
            if crew.leads:
                if phase == LIST:
                    crew.turns[:] = 0
                    draw_pools(panels, pools, stack, seeds, j, m, room.T.shape[1])
                elif phase == LIST_AGAIN:
                    shrink_pools(panels, pools, stack, m)
                elif phase == LOWER:
                    choose_best(pools, seeds, m)
                    stack_best(panels, pools, stack, seeds)
            if not barrier(crew.meeting, crew.n_members):
                return j
            lane = fetch_increment(crew.turns[phase])
            while lane < n_lanes:
                if phase == GAIN:
                    add_gains(panels, pools, seeds, lane, m)
                elif phase == TAKE:
                    take_best(panels, pools, seeds, lane)
                elif stack.size[0] > 0:
                    list_lane(panels, pools, stack, seeds.closest, lane, room, phase == LOWER)
                lane = fetch_increment(crew.turns[phase])
            barrier(crew.meeting, crew.n_members)
        if crew.leads:
            for r in range(n_runs):
                seeds.indices[r, j] = pools.rows[r, seeds.best[r]]
                seeds.path[r, j] = total(seeds.by_cell[r])
    return end
