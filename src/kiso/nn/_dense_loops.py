"""Mini-batches through a dense network: whole runs of steps in one compiled call.

For layers l = 1 … L of units and a batch of b samples, one a row:

    A⁽ˡ⁾ = σ(A⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾)                δ⁽ᴸ⁾ = ∂C/∂A⁽ᴸ⁾ ∘ σ'
    δ⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾ᵀ ∘ σ'                  ∂C/∂W⁽ˡ⁾ = A⁽ˡ⁻¹⁾ᵀ δ⁽ˡ⁾,  ∂C/∂b⁽ˡ⁾ = Σ δ⁽ˡ⁾

then the rule. Products go through registers (`_compute.matmul_loops`); the rest are passes over
memory that the compiler vectorises. Parameters p, gradients g and the rule's averages m, v lie
flat: W⁽ˡ⁾ (n_in × n_out, C order), b⁽ˡ⁾, layer by layer; `packed` holds W and Wᵀ as products
read them. a, d, s hold activations, δ and the slopes that values do not tell, layer after
layer, each b × n. Nothing is allocated in a step that grows with it.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.atomics import barrier
from kiso._compute.jit import compiled, compiled_strict
from kiso._compute.matmul_loops import multiply, multiply_packed, pack, pack_transposed, packed_size
from kiso._validation import Array

LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, SOFTPLUS, GELU = 0, 1, 2, 3, 4, 5, 6
SQUARED, SOFTMAX, SOFTMAX_OF_LABELS, SIGMOID_LOSS = 0, 1, 2, 3
DESCENT, MOMENTUM, NESTEROV, ADAM = 0, 1, 2, 3
DONE, BAD_LOSS, BAD_GRADIENT = 0, 1, 2

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
EXPONENT_BIAS = 6755399441055744.0 + 1023.0  # 1.5 · 2⁵²: the sum's low bits are an integer


@compiled_strict
def expm1_of(y: float) -> float:
    """eʸ − 1 for |y| ≤ 708, to 2 ulp; no branch and no call, so that loops vectorise.

    y = k log 2 + r with |r| ≤ ½ log 2;  eʸ − 1 = 2ᵏ(eʳ − 1) + (2ᵏ − 1).
    """
    k = math.floor(y * LOG2_E + 0.5)
    r = (y - k * LN2_HIGH) - k * LN2_LOW
    q = 1.0 / 6227020800.0
    q = q * r + 1.0 / 479001600.0
    q = q * r + 1.0 / 39916800.0
    q = q * r + 1.0 / 3628800.0
    q = q * r + 1.0 / 362880.0
    q = q * r + 1.0 / 40320.0
    q = q * r + 1.0 / 5040.0
    q = q * r + 1.0 / 720.0
    q = q * r + 1.0 / 120.0
    q = q * r + 1.0 / 24.0
    q = q * r + 1.0 / 6.0
    q = q * r + 0.5
    q = r + r * r * q
    two_k = np.int64(np.float64(k + EXPONENT_BIAS).view(np.int64) << np.int64(52)).view(np.float64)
    return two_k * q + (two_k - 1.0)


@compiled_strict
def tanh_of(x: float) -> float:
    """Tanh x = (e²ˣ − 1)/(e²ˣ + 1) of |x|, to 3 ulp; 1 beyond 20; NaN stays NaN."""
    y = abs(x) * 2.0
    e = expm1_of(40.0 if y > 40.0 else y)
    t = e / (e + 2.0)
    return t if x > 0.0 else -t


@compiled_strict
def sigmoid_of(x: float) -> float:
    """1/(1 + e⁻ˣ); NaN stays NaN."""
    y = -x
    y = 708.0 if y > 708.0 else y
    return 1.0 / (2.0 + expm1_of(-708.0 if y < -708.0 else y))


@compiled
def tanhs(z: Array) -> None:
    """Put tanh z in the place of z, flat."""
    for i in range(z.size):
        z[i] = tanh_of(np.float64(z[i]))


@compiled
def sigmoids(z: Array) -> None:
    """Put σ(z) in the place of z, flat."""
    for i in range(z.size):
        z[i] = sigmoid_of(np.float64(z[i]))


@compiled
def activate(code: int, leak: float, z: Array, s: Array) -> None:
    """Put σ(z) in the place of z, flat; s takes the slopes of GELU."""
    zero, slope = z.dtype.type(0.0), z.dtype.type(leak)
    if code == SIGMOID:
        sigmoids(z)
    elif code == TANH:
        tanhs(z)
    elif code == RELU:
        for i in range(z.size):
            z[i] = zero if z[i] < zero else z[i]
    elif code == LEAKY_RELU:
        for i in range(z.size):
            z[i] = slope * z[i] if z[i] < zero else z[i]
    elif code == SOFTPLUS:
        for i in range(z.size):
            z[i] = max(z[i], zero) + math.log1p(math.exp(-abs(z[i])))
    elif code == GELU:
        for i in range(z.size):
            x = np.float64(z[i])
            share = 0.5 * math.erfc(-x / math.sqrt(2.0))
            s[i] = share + x * math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
            z[i] = x * share


@compiled
def through(code: int, leak: float, a: Array, s: Array, d: Array) -> None:
    """Multiply d by σ', from the values a = σ(z), flat."""
    zero, one, slope = a.dtype.type(0.0), a.dtype.type(1.0), a.dtype.type(leak)
    if code == SIGMOID:
        for i in range(d.size):
            d[i] *= a[i] * (one - a[i])
    elif code == TANH:
        for i in range(d.size):
            d[i] *= one - a[i] * a[i]
    elif code == RELU:
        for i in range(d.size):
            d[i] = d[i] if a[i] > zero else zero
    elif code == LEAKY_RELU:
        for i in range(d.size):
            d[i] *= one if a[i] > zero else slope
    elif code == SOFTPLUS:
        for i in range(d.size):
            d[i] *= -math.expm1(-a[i])
    elif code == GELU:
        for i in range(d.size):
            d[i] *= s[i]


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


@compiled
def is_finite(g: Array) -> bool:
    """Say whether no number is NaN or infinite."""
    finite = True
    for i in range(g.size):
        finite &= np.isfinite(g[i])
    return finite


@compiled
def forward(
    p: Array, packed: Array, sizes: Array, codes: Array, leaks: Array, n: int, first: int,
    last: int, a: Array, s: Array,
) -> int:  # fmt: skip
    """Fill these of n samples in a, from the inputs on; return where the outputs begin in it."""
    at, start, m, place = 0, 0, last - first, 0
    for layer in range(codes.size):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        bias, there = at + n_in * n_out, start + n * n_in
        begin, end = there + first * n_out, there + last * n_out
        multiply_packed(
            a, start + first * n_in, n_in, 1, packed, place, a, begin, n_out, m, n_out, n_in, False
        )
        add_row(a[begin:end].reshape(m, n_out), p[bias : bias + n_out])
        activate(codes[layer], leaks[layer], a[begin:end], s[begin:end])
        at, start = bias + n_out, there
        place += room(packed, n_in, n_out, layer)
    return start


@compiled
def carry_back(
    packed: Array, sizes: Array, codes: Array, leaks: Array, n: int, first: int, last: int,
    a: Array, d: Array, s: Array,
) -> None:  # fmt: skip
    """Fill δ of these of n samples; the last numbers of d are ∂C/∂A⁽ᴸ⁾."""
    start, place = n * (sizes.sum() - sizes[-1]), packed.size
    for up in range(codes.size):
        layer = codes.size - 1 - up
        n_in, n_out = sizes[layer], sizes[layer + 1]
        place -= room(packed, n_in, n_out, layer)
        begin, end = start + first * n_out, start + last * n_out
        through(codes[layer], leaks[layer], a[begin:end], s[begin:end], d[begin:end])
        start -= n * n_in
        if layer > 0:
            turned = place + packed_size(packed, n_out, n_in)
            multiply_packed(
                d, begin, n_out, 1, packed, turned, d, start + first * n_in, n_in,
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
def room(packed: Array, n_in: int, n_out: int, layer: int) -> int:
    """Numbers that W and, but for the first layer, Wᵀ take in `packed`."""
    size = packed_size(packed, n_out, n_in)
    return size + packed_size(packed, n_in, n_out) if layer > 0 else size


@compiled
def room_of(packed: Array, sizes: Array) -> int:
    """Numbers that `packed` holds."""
    total = 0
    for layer in range(sizes.size - 1):
        total += room(packed, sizes[layer], sizes[layer + 1], layer)
    return total


@compiled
def gradients(
    p: Array, packed: Array, g: Array, sizes: Array, n: int, decay: float, lane: int,
    n_lanes: int, a: Array, d: Array,
) -> bool:  # fmt: skip
    """Fill the lane's part of g; say whether all of it is finite.

    It is some rows of each W and some numbers of each b. W, not b, adds its decay.
    """
    at, start, finite = 0, 0, True
    for layer in range(sizes.size - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        bias, there = at + n_in * n_out, start + n * n_in
        first, last = rows_of(packed, n_in, lane, n_lanes)
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
def move_share(
    kind: int, p: Array, packed: Array, g: Array, m: Array, v: Array, rate: float, hyper: Array,
    step: int, sizes: Array, lane: int, n_lanes: int,
) -> None:  # fmt: skip
    """Take one step of the rule in the lane's part of p, and pack it."""
    at = 0
    for layer in range(sizes.size - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        first, last = rows_of(packed, n_in, lane, n_lanes)
        i, j = at + first * n_out, at + last * n_out
        move(kind, p[i:j], g[i:j], m[i:j], v[i:j], rate, hyper, step)
        at += n_in * n_out
        first, last = share(n_out, lane, n_lanes)
        i, j = at + first, at + last
        move(kind, p[i:j], g[i:j], m[i:j], v[i:j], rate, hyper, step)
        at += n_out
    pack_share(p, sizes, lane, n_lanes, packed)


@compiled
def pack_share(p: Array, sizes: Array, lane: int, n_lanes: int, packed: Array) -> None:
    """Write the lane's rows of each W, and as columns of Wᵀ, as products read them."""
    at, place = 0, 0
    for layer in range(sizes.size - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        first, last = rows_of(packed, n_in, lane, n_lanes)
        pack(p, at, n_out, first, last, n_out, n_in, packed, place)
        if layer > 0:
            turned = place + packed_size(packed, n_out, n_in)
            pack_transposed(p, at, n_out, first, last, n_in, n_out, packed, turned)
        at += (n_in + 1) * n_out
        place += room(packed, n_in, n_out, layer)


@compiled
def loss_of(kind: int, y: Array, T: Array, labels: Array, rows: Array, d: Array) -> float:
    """Return Σ w ℓ; d takes w ∂ℓ/∂y."""
    last = T.shape[1] - 1
    for i in range(rows.size):
        d[i] = T[rows[i], last]
    if kind == SQUARED:
        return residuals(y, T, rows, d)
    return cross_entropies(kind, y, T, labels, rows, d)


@compiled
def there_and_back(
    p: Array, packed: Array, sizes: Array, codes: Array, leaks: Array, X: Array, T: Array,
    labels: Array, batch: Array, scale: float, loss_kind: int, first_lane: int, last_lane: int,
    a: Array, d: Array, s: Array, told: Array,
) -> None:  # fmt: skip
    """Fill a and d for the samples of these lanes; tell Σ w ℓ of each."""
    n, n_x, n_y, n_lanes = batch.size, sizes[0], sizes[-1], told.shape[1]
    first, last = share(n, first_lane, n_lanes)[0], share(n, last_lane, n_lanes)[0]
    for i in range(first, last):
        row, to = np.uintp(batch[i]), np.uintp(i * n_x)
        for k in range(np.uintp(n_x)):
            a[to + k] = X[row, k]
    start = forward(p, packed, sizes, codes, leaks, n, first, last, a, s)
    for lane in range(first_lane, last_lane):
        i, j = share(n, lane, n_lanes)
        y = a[start + i * n_y : start + j * n_y].reshape(j - i, n_y)
        delta = d[start + i * n_y : start + j * n_y].reshape(j - i, n_y)
        told[0, lane] = loss_of(loss_kind, y, T, labels, batch[i:j], delta)
    factor = p.dtype.type(scale)
    for k in range(start + first * n_y, start + last * n_y):
        d[k] *= factor
    carry_back(packed, sizes, codes, leaks, n, first, last, a, d, s)


@compiled
def descend_batches(
    p: Array, g: Array, m: Array, v: Array,
    sizes: Array, codes: Array, leaks: Array,
    X: Array, T: Array, labels: Array, rows: Array, starts: Array,
    loss_kind: int, mean: bool, batch_size: int,
    rule_kind: int, rates: Array, hyper: Array, decay: float, step: int, check: bool,
    a: Array, d: Array, s: Array, packed: Array,
    told: Array, first_lane: int, last_lane: int, meeting: Array, n_members: int,
) -> tuple[int, float, float, int]:  # fmt: skip
    """Take steps; return how many were taken, Σ w ℓ, Σ w, and why it ended.

    The last column of T holds the weights w of the samples. A step whose loss is not finite,
    or (with `check`) whose gradient is not, is not taken, nor any after it.

    The work of a step is cut into lanes, one for each column of `told`, which holds their losses
    and whether their gradients are bad. Of `n_members` that share the work this one has the
    lanes `first_lane` to `last_lane`: their samples, then their part of the gradient, then
    their part of the parameters; after each, all `meet`.
    """
    n_lanes = told.shape[1]
    losses, masses = 0.0, 0.0
    for lane in range(first_lane, last_lane):
        pack_share(p, sizes, lane, n_lanes, packed)
    if not barrier(meeting, n_members):
        return 0, losses, masses, DONE
    for done in range(rates.size):
        batch = rows[starts[done] : starts[done + 1]]
        mass = 0.0
        for i in range(batch.size):
            mass += T[batch[i], T.shape[1] - 1]
        scale = (batch.size / batch_size) / (mass if mean else 1.0)
        there_and_back(
            p, packed, sizes, codes, leaks, X, T, labels, batch, scale, loss_kind, first_lane,
            last_lane, a, d, s, told,
        )  # fmt: skip
        barrier(meeting, n_members)
        loss = 0.0
        for lane in range(n_lanes):
            loss += told[0, lane]
        if not math.isfinite(loss):
            return done, losses, masses, BAD_LOSS
        for lane in range(first_lane, last_lane):
            finite = gradients(p, packed, g, sizes, batch.size, decay, lane, n_lanes, a, d)
            told[1, lane] = 0.0 if finite or not check else 1.0
        barrier(meeting, n_members)
        if told[1].any():
            return done, losses, masses, BAD_GRADIENT
        losses, masses = losses + loss, masses + mass
        for lane in range(first_lane, last_lane):
            move_share(
                rule_kind, p, packed, g, m, v, rates[done], hyper, step + done + 1, sizes, lane,
                n_lanes,
            )  # fmt: skip
        barrier(meeting, n_members)
    return rates.size, losses, masses, DONE
