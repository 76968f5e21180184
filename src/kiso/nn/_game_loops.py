"""Steps of a game of two dense networks: many in one compiled call.

    k times   D ← a step down L_D(r, f),   r = D(x), f = D(G(z));        once   G down L_G(f)

with the losses of `_game_losses.py` and the products and passes of `_dense_loops.py`. A batch
of n is cut into lanes by rows, whose number does not depend on the threads. A lane takes its
rows there and back through both networks and adds up their part of the gradient alone, in
buffers of its own that stay in a core's cache; then all `meet`, the parts are added in the
order of the lanes, and each lane moves its part of the parameters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kiso._compute.atomics import barrier
from kiso._compute.jit import compiled
from kiso._compute.matmul_loops import multiply_transposed
from kiso._validation import Array

from ._dense_loops import (
    carry_back,
    forward,
    gradients,
    is_finite,
    move_share,
    pack_share,
    share,
    sigmoid_of,
)

MINIMAX, NON_SATURATING, LEAST_SQUARES, WASSERSTEIN = 0, 1, 2, 3
DONE, BAD_DISCRIMINATOR, BAD_GENERATOR = 0, 1, 2

# what a lane tells: its sums of the loss, of r and f, of |∂L_G/∂f|; Σ g² of its part, and
# whether something in that is not finite
LOSS, REAL, FAKE, SLOPE, SQUARES, BAD, N_TOLD = 0, 1, 2, 3, 4, 5, 8


class Side(NamedTuple):
    """A network and what moves it, flat (see `_dense_loops.py`).

    p, g, and the rule's m and v; `mean`, the running mean of p, empty if there is none;
    a, d, s and `parts` of the gradient hold one row a lane. `rates` has one a step.
    """

    p: Array
    g: Array
    m: Array
    v: Array
    mean: Array
    sizes: Array
    codes: Array
    leaks: Array
    packed: Array
    a: Array
    d: Array
    s: Array
    parts: Array
    rule: int
    hyper: Array
    rates: Array
    step: int
    check: bool


@compiled
def softplus(z: float) -> float:
    """Ln(1 + eᶻ)."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


@compiled
def loss_of_scores(kind: int, n: int, r: Array, f: Array, d: Array, told: Array) -> None:
    """Tell Σ of what D minimises, Σ r and Σ f; d takes the slopes in r, then those in f."""
    loss, real, fake, m = 0.0, 0.0, 0.0, np.uintp(r.size)
    for i in range(m):
        x, y = np.float64(r[i]), np.float64(f[i])
        real, fake = real + x, fake + y
        if kind == LEAST_SQUARES:
            loss += 0.5 * ((x - 1.0) * (x - 1.0) + y * y)
            d[i], d[m + i] = (x - 1.0) / n, y / n
        elif kind == WASSERSTEIN:
            loss += y - x
            d[i], d[m + i] = -1.0 / n, 1.0 / n
        else:
            loss += softplus(-x) + softplus(y)
            d[i], d[m + i] = -sigmoid_of(-x) / n, sigmoid_of(y) / n
    told[LOSS], told[REAL], told[FAKE] = loss, real, fake


@compiled
def loss_of_samples(kind: int, n: int, f: Array, d: Array, told: Array) -> None:
    """Tell Σ of what G minimises and Σ |slope|; d takes the slopes."""
    loss, slopes = 0.0, 0.0
    for i in range(f.size):
        y = float(f[i])
        if kind == LEAST_SQUARES:
            loss += 0.5 * (y - 1.0) * (y - 1.0)
            slope = (y - 1.0) / n
        elif kind == WASSERSTEIN:
            loss -= y
            slope = -1.0 / n
        elif kind == MINIMAX:
            loss -= softplus(y)
            slope = -sigmoid_of(y) / n
        else:
            loss += softplus(-y)
            slope = -sigmoid_of(-y) / n
        d[i] = slope
        slopes += abs(slope)
    told[LOSS], told[SLOPE] = loss, slopes


@compiled
def make_samples(gen: Side, z: Array, lane: int, n_lanes: int, to: Array, place: int) -> int:
    """Put G(z) of the lane's rows into `to`; return where they begin in G's a."""
    first, last = share(z.shape[0], lane, n_lanes)
    m, n_z, n_x, a = last - first, z.shape[1], gen.sizes[-1], gen.a[lane]
    for i in range(m):
        for k in range(n_z):
            a[i * n_z + k] = z[first + i, k]
    start = forward(
        gen.p, gen.packed, gen.sizes, gen.codes, gen.leaks, m, 0, m, a, gen.s[lane]
    )  # fmt: skip
    for k in range(m * n_x):
        to[place + k] = a[start + k]
    return start


@compiled
def discriminate(
    gen: Side, dis: Side, X: Array, rows: Array, z: Array, kind: int, told: Array, lane: int
) -> None:
    """Fill the lane's part of D's gradient."""
    n, n_lanes, n_x = rows.size, told.shape[0], X.shape[1]
    first, last = share(n, lane, n_lanes)
    m, a, d, s = last - first, dis.a[lane], dis.d[lane], dis.s[lane]
    for i in range(m):
        row = np.uintp(rows[first + i])
        for k in range(n_x):
            a[i * n_x + k] = X[row, k]
    make_samples(gen, z, lane, n_lanes, a, m * n_x)
    at = forward(dis.p, dis.packed, dis.sizes, dis.codes, dis.leaks, 2 * m, 0, 2 * m, a, s)
    r, f = a[at : at + m], a[at + m : at + 2 * m]
    loss_of_scores(kind, n, r, f, d[at : at + 2 * m], told[lane])
    carry_back(dis.packed, dis.sizes, dis.codes, dis.leaks, 2 * m, 0, 2 * m, a, d, s)
    gradients(dis.p, dis.packed, dis.parts[lane], dis.sizes, 2 * m, 0.0, 0, 1, a, d)


@compiled
def generate(gen: Side, dis: Side, z: Array, kind: int, told: Array, lane: int) -> None:
    """Fill the lane's part of G's gradient, through a D that stands still."""
    n, n_lanes, n_x = z.shape[0], told.shape[0], gen.sizes[-1]
    first, last = share(n, lane, n_lanes)
    m, a, d, s = last - first, dis.a[lane], dis.d[lane], dis.s[lane]
    start = make_samples(gen, z, lane, n_lanes, a, 0)
    at = forward(dis.p, dis.packed, dis.sizes, dis.codes, dis.leaks, m, 0, m, a, s)
    loss_of_samples(kind, n, a[at : at + m], d[at : at + m], told[lane])
    carry_back(dis.packed, dis.sizes, dis.codes, dis.leaks, m, 0, m, a, d, s)
    width = dis.sizes[1]
    multiply_transposed(
        d, m * n_x, width, 1, dis.p, 0, width, gen.d[lane], start, n_x, m, n_x, width
    )  # fmt: skip
    carry_back(
        gen.packed, gen.sizes, gen.codes, gen.leaks, m, 0, m, gen.a[lane], gen.d[lane],
        gen.s[lane],
    )  # fmt: skip
    gradients(
        gen.p, gen.packed, gen.parts[lane], gen.sizes, m, 0.0, 0, 1, gen.a[lane], gen.d[lane]
    )  # fmt: skip


@compiled
def add_parts(side: Side, told: Array, lane: int) -> None:
    """Add up the lane's part of the gradient over all lanes; tell how long and whether finite."""
    first, last = share(side.g.size, lane, told.shape[0])
    g = side.g[first:last]
    part = side.parts[0, first:last]
    for i in range(g.size):
        g[i] = part[i]
    for other in range(1, told.shape[0]):
        part = side.parts[other, first:last]
        for i in range(g.size):
            g[i] += part[i]
    squares = 0.0
    for i in range(g.size):
        squares += np.float64(g[i]) * np.float64(g[i])
    told[lane, SQUARES] = squares
    told[lane, BAD] = 1.0 if side.check and not is_finite(g) else 0.0


@compiled
def total_of(told: Array, what: int) -> float:
    """Add up what the lanes told, in their order."""
    total = 0.0
    for lane in range(told.shape[0]):
        total += told[lane, what]
    return total


@compiled
def move_side(
    side: Side, turn: int, told: Array, first_lane: int, last_lane: int, meeting: Array,
    n_members: int,
) -> bool:  # fmt: skip
    """When all parts of the gradient are there: take the step, unless something is not finite."""
    n_lanes = told.shape[0]
    barrier(meeting, n_members)
    for lane in range(first_lane, last_lane):
        add_parts(side, told, lane)
    barrier(meeting, n_members)
    if not math.isfinite(total_of(told, LOSS)) or total_of(told, BAD) > 0.0:
        return False
    for lane in range(first_lane, last_lane):
        move_share(
            side.rule, side.p, side.packed, side.g, side.m, side.v, side.rates[turn], side.hyper,
            side.step + turn + 1, side.sizes, lane, n_lanes,
        )  # fmt: skip
    return True


@compiled
def follow(mean: Array, p: Array, new: float) -> None:
    """θ̄ ← β θ̄ + (1 − β) θ with 1 − β = `new`."""
    some = p.dtype.type(new)
    for i in range(p.size):
        mean[i] += some * (p[i] - mean[i])


@compiled
def play_steps(
    gen: Side, dis: Side, X: Array, rows: Array, Z: Array, kind: int, n_turns: int, new: float,
    told: Array, first_lane: int, last_lane: int, meeting: Array, n_members: int, report: Array,
) -> tuple[int, int, int]:  # fmt: skip
    """Take steps; return how many whole ones, how many of D beyond those, and why it ended.

    `rows` has a line for each step of D, Z a batch for each step of D and of G in the order
    of play. Each line of `told` belongs to a lane; of `n_members` that share the work this one
    has the lanes from `first_lane` to `last_lane`. A step of D or G whose loss is not finite,
    or (with `check`) whose gradient is not, is not taken, nor any after it. `report`, one of
    this member's own: Σ of D's losses, D's and G's last loss, means of r and f, Σ |∂L_G/∂f|,
    and the largest length of G's gradient.
    """
    n, n_lanes = rows.shape[1], told.shape[0]
    for lane in range(first_lane, last_lane):
        pack_share(gen.p, gen.sizes, lane, n_lanes, gen.packed)
        pack_share(dis.p, dis.sizes, lane, n_lanes, dis.packed)
    if not barrier(meeting, n_members):
        return 0, 0, DONE
    for done in range(gen.rates.size):
        for extra in range(n_turns):
            turn, draw = done * n_turns + extra, done * (n_turns + 1) + extra
            for lane in range(first_lane, last_lane):
                discriminate(gen, dis, X, rows[turn], Z[draw], kind, told, lane)
            good = move_side(dis, turn, told, first_lane, last_lane, meeting, n_members)
            report[1] = total_of(told, LOSS) / n
            report[0] += report[1]
            report[3], report[4] = total_of(told, REAL) / n, total_of(told, FAKE) / n
            if not good:
                return done, extra, BAD_DISCRIMINATOR
            barrier(meeting, n_members)
        for lane in range(first_lane, last_lane):
            generate(gen, dis, Z[done * (n_turns + 1) + n_turns], kind, told, lane)
        good = move_side(gen, done, told, first_lane, last_lane, meeting, n_members)
        report[2], report[5] = total_of(told, LOSS) / n, total_of(told, SLOPE)
        if not good:
            return done, n_turns, BAD_GENERATOR
        length = math.sqrt(total_of(told, SQUARES))
        if math.isfinite(length):
            report[6] = max(report[6], length)
        barrier(meeting, n_members)
        if gen.mean.size > 0:
            first, last = share(gen.p.size, first_lane, n_lanes)[0], gen.p.size
            if last_lane < n_lanes:
                last = share(gen.p.size, last_lane, n_lanes)[0]
            follow(gen.mean[first:last], gen.p[first:last], new)
    return gen.rates.size, 0, DONE
