"""Mini-batches through a dense network: whole runs of steps in one compiled call.

For layers l = 1 … L of units and a batch of b samples, one a row:

    A⁽ˡ⁾ = σ(A⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾)                δ⁽ᴸ⁾ = ∂C/∂A⁽ᴸ⁾ ∘ σ'
    δ⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾ᵀ ∘ σ'                  ∂C/∂W⁽ˡ⁾ = A⁽ˡ⁻¹⁾ᵀ δ⁽ˡ⁾,  ∂C/∂b⁽ˡ⁾ = Σ δ⁽ˡ⁾

then the rule. Products go through registers (`_compute/matmul_loops.py`); the rest are passes
over memory that the compiler vectorises. The arrays are those of `records_loops.py`. Nothing is
allocated in a step that grows with it.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.atomics import barrier
from kiso._compute.jit import compiled, compiled_strict
from kiso._compute.matmul_loops import multiply, multiply_packed, pack, pack_transposed, packed_size
from kiso._validation import Array

from .activation_loops import activate, sigmoid_of, through
from .records_loops import Dense, Lanes, Rule, Samples, Steps, Values

SQUARED, SOFTMAX, SOFTMAX_OF_LABELS, SIGMOID_LOSS = 0, 1, 2, 3
DESCENT, MOMENTUM, NESTEROV, ADAM = 0, 1, 2, 3
DONE, BAD_LOSS, BAD_GRADIENT = 0, 1, 2


@compiled
def add_row(z: Array, row: Array) -> None:
    """Add the bias to each sample."""
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[i, k] += row[k]


@compiled
def sum_rows(d: Array, first: int, last: int, out: Array) -> None:
    """Add up these columns over samples."""
    begin, end = np.uintp(first), np.uintp(last)
    for k in range(begin, end):
        out[k] = 0.0
    for i in range(np.uintp(d.shape[0])):
        for k in range(begin, end):
            out[k] += d[i, k]


@compiled
def residuals(y: Array, T: Array, rows: Array, d: Array) -> float:
    """½ Σ w (y − t)²; d holds each sample's weight and takes w (y − t)."""
    total = 0.0
    for i in range(y.shape[0]):
        row = rows[i]
        loss = 0.0
        for k in range(y.shape[1]):
            r = y[i, k] - T[row, k]
            loss += np.float64(r) * r
            d[i, k] *= r
        total += loss * T[row, y.shape[1]]
    return 0.5 * total


@compiled
def log_sum(y: Array, i: int, d: Array) -> float:
    """Put e^(yₖ − max y) into row i of d; return log Σ e^yₖ."""
    top = y[i, 0]
    for k in range(1, y.shape[1]):
        top = max(top, y[i, k])
    total = 0.0
    for k in range(y.shape[1]):
        e = math.exp(np.float64(y[i, k]) - top)
        d[i, k] = e
        total += e
    return math.log(total) + top


@compiled
def cross_entropies(kind: int, y: Array, T: Array, labels: Array, rows: Array, d: Array) -> float:
    """Σ w ℓ of a cross-entropy on logits y; d takes w ∂ℓ/∂y."""
    total, n = 0.0, y.shape[1]
    for i in range(y.shape[0]):
        row = rows[i]
        w, loss = np.float64(T[row, T.shape[1] - 1]), 0.0
        if kind == SIGMOID_LOSS:
            for k in range(n):
                z, t = np.float64(y[i, k]), np.float64(T[row, k])
                loss += max(z, 0.0) + math.log1p(math.exp(-abs(z))) - t * z
                d[i, k] = w * (sigmoid_of(z) - t)
        else:
            log_total = log_sum(y, i, d)
            scale = 0.0
            for k in range(n):
                scale += d[i, k]
            if kind == SOFTMAX_OF_LABELS:
                loss = log_total - y[i, labels[row]]
                for k in range(n):
                    d[i, k] *= w / scale
                d[i, labels[row]] -= w
            else:
                mass = 0.0
                for k in range(n):
                    mass += T[row, k]
                    loss += T[row, k] * (log_total - y[i, k])
                for k in range(n):
                    d[i, k] = w * (mass * (d[i, k] / scale) - T[row, k])
        total += w * loss
    return total


@compiled
def move(
    kind: int, p: Array, g: Array, m: Array, v: Array, rate: float, hyper: Array, step: int
) -> None:
    """Take one step of the rule; the formulas are those of `kiso.optim`."""
    eta, zero = p.dtype.type(rate), p.dtype.type(0.0)
    if kind == DESCENT:
        for i in range(p.size):
            p[i] -= eta * g[i]
    elif kind == ADAM:
        keep1, add1 = p.dtype.type(hyper[0]), p.dtype.type(1.0 - hyper[0])
        keep2, add2 = p.dtype.type(hyper[1]), p.dtype.type(1.0 - hyper[1])
        size = p.dtype.type(rate / (1.0 - hyper[0] ** step))
        root = p.dtype.type(1.0 / math.sqrt(1.0 - hyper[1] ** step))
        tiny = p.dtype.type(hyper[2])
        for i in range(p.size):
            m[i] = keep1 * m[i] + add1 * g[i]
            v[i] = keep2 * v[i] + add2 * g[i] * g[i]
            p[i] -= size * m[i] / (np.sqrt(v[i]) * root + tiny)
    else:
        keep = p.dtype.type(hyper[0])
        after, part = (keep, p.dtype.type(1.0)) if kind == NESTEROV else (p.dtype.type(1.0), zero)
        for i in range(p.size):
            way = eta * g[i]
            m[i] = keep * m[i] - way
            p[i] += after * m[i] - part * way


@compiled_strict
def is_number(x: float) -> bool:
    """Say whether x is finite. Strict: where sums may be reordered, x − x is 0 even for ∞."""
    return math.isfinite(x)


@compiled_strict
def is_finite(g: Array) -> bool:
    """Say whether no number is NaN or infinite."""
    finite = True
    for i in range(g.size):
        finite &= np.isfinite(g[i])
    return finite


@compiled
def forward(net: Dense, values: Values, n: int, first: int, last: int) -> int:
    """Fill these of n samples in a, from the inputs on; return where the outputs begin in it."""
    at, start, m, place, a = 0, 0, last - first, 0, values.a
    for layer in range(net.codes.size):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        bias, there = at + n_in * n_out, start + n * n_in
        begin, end = there + first * n_out, there + last * n_out
        multiply_packed(
            a, start + first * n_in, n_in, 1, net.packed, place, a, begin, n_out, m, n_out, n_in,
            False,
        )  # fmt: skip
        add_row(a[begin:end].reshape(m, n_out), net.p[bias : bias + n_out])
        activate(net.codes[layer], net.leaks[layer], a[begin:end], values.s[begin:end])
        at, start = bias + n_out, there
        place += packed_room(net.packed, n_in, n_out, layer)
    return start


@compiled
def carry_back(net: Dense, values: Values, n: int, first: int, last: int) -> None:
    """Fill δ of these of n samples; the last numbers of d are ∂C/∂A⁽ᴸ⁾."""
    a, d, s = values.a, values.d, values.s
    start, place = n * (net.sizes.sum() - net.sizes[-1]), net.packed.size
    for up in range(net.codes.size):
        layer = net.codes.size - 1 - up
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        place -= packed_room(net.packed, n_in, n_out, layer)
        begin, end = start + first * n_out, start + last * n_out
        through(net.codes[layer], net.leaks[layer], a[begin:end], s[begin:end], d[begin:end])
        start -= n * n_in
        if layer > 0:
            transposed = place + packed_size(net.packed, n_out, n_in)
            multiply_packed(
                d, begin, n_out, 1, net.packed, transposed, d, start + first * n_in, n_in,
                last - first, n_in, n_out, False,
            )  # fmt: skip


@compiled
def share(n: int, lane: int, n_lanes: int) -> tuple[int, int]:
    """Return the lane's part of n things: the first, and the one after the last."""
    return n * lane // n_lanes, n * (lane + 1) // n_lanes


@compiled
def rows_of(packed: Array, n: int, lane: int, n_lanes: int) -> tuple[int, int]:
    """Return the lane's part of n rows of a weight matrix, in whole panels of Wᵀ."""
    width = packed_size(packed, 1, 1)
    first, last = share((n + width - 1) // width, lane, n_lanes)
    return first * width, min(n, last * width)


@compiled
def packed_room(packed: Array, n_in: int, n_out: int, layer: int) -> int:
    """Numbers that W and, but for the first layer, Wᵀ take in `packed`."""
    size = packed_size(packed, n_out, n_in)
    return size + packed_size(packed, n_in, n_out) if layer > 0 else size


@compiled
def size_of_packed(packed: Array, sizes: Array) -> int:
    """Numbers that `packed` holds."""
    total = 0
    for layer in range(sizes.size - 1):
        total += packed_room(packed, sizes[layer], sizes[layer + 1], layer)
    return total


@compiled
def gradients(
    net: Dense, values: Values, n: int, decay: float, lane: int, n_lanes: int, g: Array
) -> bool:
    """Fill the lane's part of g; say whether all of it is finite.

    It is some rows of each W and some numbers of each b. W, not b, adds its decay.
    """
    a, d, p, sizes = values.a, values.d, net.p, net.sizes
    at, start, finite = 0, 0, True
    for layer in range(sizes.size - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        bias, there = at + n_in * n_out, start + n * n_in
        first, last = rows_of(net.packed, n_in, lane, n_lanes)
        begin, end = at + first * n_out, at + last * n_out
        multiply(
            a, start + first, 1, n_in, d, there, n_out, g, begin, n_out,
            last - first, n_out, n, False,
        )  # fmt: skip
        if decay > 0.0:
            shrink = p.dtype.type(decay)
            for k in range(begin, end):
                g[k] += shrink * p[k]
        finite &= is_finite(g[begin:end])
        first, last = share(n_out, lane, n_lanes)
        delta = d[there : there + n * n_out].reshape(n, n_out)
        sum_rows(delta, first, last, g[bias : bias + n_out])
        finite &= is_finite(g[bias + first : bias + last])
        at, start = bias + n_out, there
    return finite


@compiled
def move_share(net: Dense, rule: Rule, rate: float, done: int, lane: int, n_lanes: int) -> None:
    """Take one step of the rule, `done` after `rule.step`, in the lane's part of p, and pack it."""
    at, p, g, m, v = 0, net.p, net.g, net.m, net.v
    kind, hyper, step = rule.kind, rule.hyper, rule.step + done + 1
    for layer in range(net.sizes.size - 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        first, last = rows_of(net.packed, n_in, lane, n_lanes)
        i, j = at + first * n_out, at + last * n_out
        move(kind, p[i:j], g[i:j], m[i:j], v[i:j], rate, hyper, step)
        at += n_in * n_out
        first, last = share(n_out, lane, n_lanes)
        i, j = at + first, at + last
        move(kind, p[i:j], g[i:j], m[i:j], v[i:j], rate, hyper, step)
        at += n_out
    pack_share(net, lane, n_lanes)


@compiled
def pack_share(net: Dense, lane: int, n_lanes: int) -> None:
    """Write the lane's rows of each W, and as columns of Wᵀ, as products read them."""
    at, place, p, packed = 0, 0, net.p, net.packed
    for layer in range(net.sizes.size - 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        first, last = rows_of(packed, n_in, lane, n_lanes)
        pack(p, at, n_out, first, last, n_out, n_in, packed, place)
        if layer > 0:
            transposed = place + packed_size(packed, n_out, n_in)
            pack_transposed(p, at, n_out, first, last, n_in, n_out, packed, transposed)
        at += (n_in + 1) * n_out
        place += packed_room(packed, n_in, n_out, layer)


@compiled
def loss_of(samples: Samples, y: Array, rows: Array, d: Array) -> float:
    """Return Σ w ℓ; d takes w ∂ℓ/∂y."""
    T = samples.T
    last = T.shape[1] - 1
    for i in range(rows.size):
        d[i] = T[rows[i], last]
    if samples.loss == SQUARED:
        return residuals(y, T, rows, d)
    return cross_entropies(samples.loss, y, T, samples.labels, rows, d)


@compiled
def forward_and_back(
    net: Dense, values: Values, samples: Samples, batch: Array, scale: float, lanes: Lanes
) -> None:
    """Fill a and d for the samples of these lanes; put Σ w ℓ of each into `lanes.sums`."""
    n, n_x, n_y, n_lanes = batch.size, net.sizes[0], net.sizes[-1], lanes.sums.shape[1]
    first, last = share(n, lanes.first, n_lanes)[0], share(n, lanes.last, n_lanes)[0]
    X, a, d = samples.X, values.a, values.d
    for i in range(first, last):
        row, to = np.uintp(batch[i]), np.uintp(i * n_x)
        for k in range(np.uintp(n_x)):
            a[to + k] = X[row, k]
    start = forward(net, values, n, first, last)
    for lane in range(lanes.first, lanes.last):
        i, j = share(n, lane, n_lanes)
        y = a[start + i * n_y : start + j * n_y].reshape(j - i, n_y)
        delta = d[start + i * n_y : start + j * n_y].reshape(j - i, n_y)
        lanes.sums[0, lane] = loss_of(samples, y, batch[i:j], delta)
    factor = net.p.dtype.type(scale)
    for k in range(start + first * n_y, start + last * n_y):
        d[k] *= factor
    carry_back(net, values, n, first, last)


@compiled
def descend_batches(
    net: Dense, values: Values, samples: Samples, steps: Steps, rule: Rule, lanes: Lanes
) -> tuple[int, float, float, int]:
    """Take steps; return how many were taken, Σ w ℓ, Σ w, and why it ended.

    A step whose loss is not finite, or (with `rule.check`) whose gradient is not, is not taken,
    nor any after it.

    The work of a step is cut into lanes, one for each column of `lanes.sums`, which holds their
    losses and whether their gradients are bad. Each lane computes its samples, then its part of
    the gradient, then its part of the parameters; after each there is a barrier for all.
    """
    n_lanes, T = lanes.sums.shape[1], samples.T
    losses, masses = 0.0, 0.0
    for lane in range(lanes.first, lanes.last):
        pack_share(net, lane, n_lanes)
    if not barrier(lanes.meeting, lanes.n_members):
        return 0, losses, masses, DONE
    for done in range(steps.rates.size):
        batch = steps.rows[steps.starts[done] : steps.starts[done + 1]]
        mass = 0.0
        for i in range(batch.size):
            mass += T[batch[i], T.shape[1] - 1]
        scale = (batch.size / steps.batch_size) / (mass if samples.mean else 1.0)
        forward_and_back(net, values, samples, batch, scale, lanes)
        barrier(lanes.meeting, lanes.n_members)
        loss = 0.0
        for lane in range(n_lanes):
            loss += lanes.sums[0, lane]
        if not is_number(loss):
            return done, losses, masses, BAD_LOSS
        for lane in range(lanes.first, lanes.last):
            finite = gradients(net, values, batch.size, rule.decay, lane, n_lanes, net.g)
            lanes.sums[1, lane] = 0.0 if finite or not rule.check else 1.0
        barrier(lanes.meeting, lanes.n_members)
        if lanes.sums[1].any():
            return done, losses, masses, BAD_GRADIENT
        losses, masses = losses + loss, masses + mass
        for lane in range(lanes.first, lanes.last):
            move_share(net, rule, steps.rates[done], done, lane, n_lanes)
        barrier(lanes.meeting, lanes.n_members)
    return steps.rates.size, losses, masses, DONE
