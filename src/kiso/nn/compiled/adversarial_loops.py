"""Adversarial training of two dense networks: many steps in one compiled call.

    k times   D ← a step down L_D(r, f),   r = D(x), f = D(G(z));        once   G down L_G(f)

with the losses of `gan/losses.py` and the products and passes of `dense_loops.py`. A batch
of n is cut into lanes by rows, whose number does not depend on the threads. A lane takes its
rows forward and back through both networks and adds up their part of the gradient alone, in
buffers of its own that stay in a core's cache; after a barrier the parts are added in the
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

from .activation_loops import sigmoid_of
from .dense_loops import (
    carry_back,
    forward,
    gradients,
    is_finite,
    is_number,
    move_share,
    pack_share,
    share,
)
from .records_loops import Dense, Lanes, Rule, Values

MINIMAX, NON_SATURATING, LEAST_SQUARES, WASSERSTEIN = 0, 1, 2, 3
DONE, BAD_DISCRIMINATOR, BAD_GENERATOR = 0, 1, 2

# what a lane adds up: the loss, r and f, |∂L_G/∂f|; Σ g² of its part of the gradient, and
# whether something in that is not finite
LOSS, REAL, FAKE, SLOPE, SQUARES, BAD, N_SUMS = 0, 1, 2, 3, 4, 5, 8


class Player(NamedTuple):
    """A network and what moves it.

    `values` and `parts`, of the gradient, hold one row a lane; `mean` is the running mean of
    the parameters, empty if there is none, and `follow` the weight of the newest in it.
    """

    net: Dense
    rule: Rule
    rates: Array
    values: Values
    parts: Array
    mean: Array
    follow: float


class Draws(NamedTuple):
    """Data X, the rows of it for each step of D, and z for each step of D and of G in turn."""

    X: Array
    rows: Array
    Z: Array
    n_turns: int


@compiled
def softplus(z: float) -> float:
    """Ln(1 + eᶻ)."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


@compiled
def loss_of_scores(kind: int, n: int, r: Array, f: Array, d: Array, sums: Array) -> None:
    """Put Σ of D's loss, Σ r and Σ f into sums; d takes the slopes in r, then those in f."""
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
    sums[LOSS], sums[REAL], sums[FAKE] = loss, real, fake


@compiled
def loss_of_samples(kind: int, n: int, f: Array, d: Array, sums: Array) -> None:
    """Put Σ of what G minimises and Σ |slope| into sums; d takes the slopes."""
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
    sums[LOSS], sums[SLOPE] = loss, slopes


@compiled
def lane_values(player: Player, lane: int) -> Values:
    """Return the lane's own buffers."""
    values = player.values
    return Values(values.a[lane], values.d[lane], values.s[lane])


@compiled
def make_samples(gen: Player, z: Array, lane: int, n_lanes: int, to: Array, place: int) -> int:
    """Put G(z) of the lane's rows into `to`; return where they begin in G's a."""
    first, last = share(z.shape[0], lane, n_lanes)
    values = lane_values(gen, lane)
    m, n_z, n_x, a = last - first, z.shape[1], gen.net.sizes[-1], values.a
    for i in range(m):
        for k in range(n_z):
            a[i * n_z + k] = z[first + i, k]
    start = forward(gen.net, values, m, 0, m)
    for k in range(m * n_x):
        to[place + k] = a[start + k]
    return start


@compiled
def discriminate(
    gen: Player, dis: Player, draws: Draws, turn: int, draw: int, kind: int, sums: Array, lane: int
) -> None:
    """Fill the lane's part of D's gradient."""
    X, rows = draws.X, draws.rows[turn]
    n, n_lanes, n_x = rows.size, sums.shape[0], X.shape[1]
    first, last = share(n, lane, n_lanes)
    values = lane_values(dis, lane)
    m, a, d = last - first, values.a, values.d
    for i in range(m):
        row = np.uintp(rows[first + i])
        for k in range(n_x):
            a[i * n_x + k] = X[row, k]
    make_samples(gen, draws.Z[draw], lane, n_lanes, a, m * n_x)
    at = forward(dis.net, values, 2 * m, 0, 2 * m)
    r, f = a[at : at + m], a[at + m : at + 2 * m]
    loss_of_scores(kind, n, r, f, d[at : at + 2 * m], sums[lane])
    carry_back(dis.net, values, 2 * m, 0, 2 * m)
    gradients(dis.net, values, 2 * m, 0.0, 0, 1, dis.parts[lane])


@compiled
def generate(gen: Player, dis: Player, z: Array, kind: int, sums: Array, lane: int) -> None:
    """Fill the lane's part of G's gradient, through a D that stands still."""
    n, n_lanes, n_x = z.shape[0], sums.shape[0], gen.net.sizes[-1]
    first, last = share(n, lane, n_lanes)
    mine, values = lane_values(gen, lane), lane_values(dis, lane)
    m, a, d = last - first, values.a, values.d
    start = make_samples(gen, z, lane, n_lanes, a, 0)
    at = forward(dis.net, values, m, 0, m)
    loss_of_samples(kind, n, a[at : at + m], d[at : at + m], sums[lane])
    carry_back(dis.net, values, m, 0, m)
    width = dis.net.sizes[1]
    multiply_transposed(
        d, m * n_x, width, 1, dis.net.p, 0, width, mine.d, start, n_x, m, n_x, width
    )  # fmt: skip
    carry_back(gen.net, mine, m, 0, m)
    gradients(gen.net, mine, m, 0.0, 0, 1, gen.parts[lane])


@compiled
def add_parts(player: Player, sums: Array, lane: int) -> None:
    """Add up the lane's part of the gradient over all lanes; note how long and whether finite."""
    first, last = share(player.net.g.size, lane, sums.shape[0])
    g = player.net.g[first:last]
    part = player.parts[0, first:last]
    for i in range(g.size):
        g[i] = part[i]
    for other in range(1, sums.shape[0]):
        part = player.parts[other, first:last]
        for i in range(g.size):
            g[i] += part[i]
    squares = 0.0
    for i in range(g.size):
        squares += np.float64(g[i]) * np.float64(g[i])
    sums[lane, SQUARES] = squares
    sums[lane, BAD] = 1.0 if player.rule.check and not is_finite(g) else 0.0


@compiled
def total_of(sums: Array, what: int) -> float:
    """Add up what the lanes added up, in their order."""
    total = 0.0
    for lane in range(sums.shape[0]):
        total += sums[lane, what]
    return total


@compiled
def move_player(player: Player, turn: int, lanes: Lanes) -> bool:
    """When all parts of the gradient are there: take the step, unless something is not finite."""
    sums = lanes.sums
    n_lanes = sums.shape[0]
    barrier(lanes.meeting, lanes.n_members)
    for lane in range(lanes.first, lanes.last):
        add_parts(player, sums, lane)
    barrier(lanes.meeting, lanes.n_members)
    if not is_number(total_of(sums, LOSS)) or total_of(sums, BAD) > 0.0:
        return False
    for lane in range(lanes.first, lanes.last):
        move_share(player.net, player.rule, player.rates[turn], turn, lane, n_lanes)
    return True


@compiled
def follow(mean: Array, p: Array, new: float) -> None:
    """θ̄ ← β θ̄ + (1 − β) θ with 1 − β = `new`."""
    some = p.dtype.type(new)
    for i in range(p.size):
        mean[i] += some * (p[i] - mean[i])


@compiled
def train_adversarially(
    gen: Player, dis: Player, draws: Draws, kind: int, lanes: Lanes, report: Array
) -> tuple[int, int, int]:
    """Take steps; return how many whole ones, how many of D beyond those, and why it ended.

    Each row of `lanes.sums` belongs to a lane. A step of D or G whose loss is not finite, or
    (with `rule.check`) whose gradient is not, is not taken, nor any after it. `report`, one for
    each member: Σ of D's losses, D's and G's last loss, means of r and f, Σ |∂L_G/∂f|, and the
    largest length of G's gradient.
    """
    sums, n_turns, Z = lanes.sums, draws.n_turns, draws.Z
    n, n_lanes = draws.rows.shape[1], sums.shape[0]
    for lane in range(lanes.first, lanes.last):
        pack_share(gen.net, lane, n_lanes)
        pack_share(dis.net, lane, n_lanes)
    if not barrier(lanes.meeting, lanes.n_members):
        return 0, 0, DONE
    for done in range(gen.rates.size):
        for extra in range(n_turns):
            turn, draw = done * n_turns + extra, done * (n_turns + 1) + extra
            for lane in range(lanes.first, lanes.last):
                discriminate(gen, dis, draws, turn, draw, kind, sums, lane)
            good = move_player(dis, turn, lanes)
            report[1] = total_of(sums, LOSS) / n
            report[0] += report[1]
            report[3], report[4] = total_of(sums, REAL) / n, total_of(sums, FAKE) / n
            if not good:
                return done, extra, BAD_DISCRIMINATOR
            barrier(lanes.meeting, lanes.n_members)
        for lane in range(lanes.first, lanes.last):
            generate(gen, dis, Z[done * (n_turns + 1) + n_turns], kind, sums, lane)
        good = move_player(gen, done, lanes)
        report[2], report[5] = total_of(sums, LOSS) / n, total_of(sums, SLOPE)
        if not good:
            return done, n_turns, BAD_GENERATOR
        length = math.sqrt(total_of(sums, SQUARES))
        if is_number(length):
            report[6] = max(report[6], length)
        barrier(lanes.meeting, lanes.n_members)
        if gen.mean.size > 0:
            size = gen.mean.size
            first, last = share(size, lanes.first, n_lanes)[0], size
            if lanes.last < n_lanes:
                last = share(size, lanes.last, n_lanes)[0]
            follow(gen.mean[first:last], gen.net.p[first:last], gen.follow)
    return gen.rates.size, 0, DONE
