"""Stochastic gradient descent, one row at a time: the compiled epoch.

Symbols
-------
x_i, y_i   row i and its target; p = w·x_i + b its score; ℓ(y, p) the loss, ℓ' = ∂ℓ/∂p
η, α, ρ    step length, strength of the penalty, share of L1 in it (0 is L2, 1 is L1)
w = s v    the weights, kept as a scale and a vector so that shrinking them costs O(1)
w̄          their mean over k rows, kept as (z + a v)/k with a = Σ s: also O(1) a row
u, q       what L1 could have taken from every weight so far, and what it took from each

One step on row i, with weight c_i:

    w ← max(0, 1 − η α (1 − ρ)) w − η c_i ℓ'(y_i, p) x_i        b ← b − d η c_i ℓ'(y_i, p)

then the cumulative L1 penalty clips w_j towards 0 for the features j of x_i (Tsuruoka,
Tsujii & Ananiadou 2009), so that a step costs O(nonzeros of x_i) whatever the penalty.

Dense rows are `X[i]`, sparse ones CSR's `data[indptr[i]:indptr[i+1]]` at `indices[...]`;
one compiled function serves both, and whichever is not used has size 1. Two things here
look odd and are measured: positions that come out of arrays are unsigned (a signed one
costs a test for negative indices, half the speed of a sparse row), and the inner loops
stand in `epoch` itself (as functions of their own they made it three times slower).
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

# losses
HINGE, SQUARED_HINGE, LOG, MODIFIED_HUBER = 0, 1, 2, 3
SQUARED_ERROR, HUBER, TUBE, SQUARED_TUBE = 4, 5, 6, 7
# learning rates
CONSTANT, OPTIMAL, INVSCALING, PA1, PA2 = 0, 1, 2, 3, 4

LARGEST_SLOPE = 1e12  # steeper ones are cut there, as scikit-learn does
SMALLEST_SCALE = 1e-9  # below it s is multiplied out
LARGEST_PRODUCT = 1e200
AHEAD = 4  # rows between touching one, so that it is in cache, and using it


@compiled
def shuffle(order: Array, uniform: Array) -> None:
    """Permute row numbers in place (Fisher and Yates) with numbers drawn from [0, 1)."""
    for last in range(order.size - 1, 0, -1):
        i, j = np.uintp(last), np.uintp(uniform[last] * (last + 1.0))
        order[i], order[j] = order[j], order[i]


@compiled
def loss_and_slope(loss: int, y: float, p: float, c: float) -> tuple[float, float, float]:
    """Return (f, g, ℓ') with ℓ = f + log g; g is 1 but for the log loss.

    c is the margin of a hinge, the width of Huber's parabola or half that of the tube.
    """
    if loss == HINGE:
        gap = c - y * p
        return (gap, 1.0, -y) if gap >= 0.0 else (0.0, 1.0, 0.0)
    if loss == LOG:
        margin = y * p
        e = math.exp(-abs(margin))  # of a number ≤ 0: never overflows
        share = e if margin > 0.0 else 1.0
        return max(0.0, -margin), 1.0 + e, -y * share / (1.0 + e)
    if loss == SQUARED_HINGE or (loss == MODIFIED_HUBER and y * p >= -1.0):
        gap = max(0.0, c - y * p)
        return gap * gap, 1.0, -2.0 * y * gap
    if loss == MODIFIED_HUBER:
        return -4.0 * y * p, 1.0, -4.0 * y
    r = p - y
    size = abs(r)
    if loss == SQUARED_ERROR or (loss == HUBER and size <= c):
        return 0.5 * r * r, 1.0, r
    sign = 1.0 if r > 0.0 else -1.0
    if loss == HUBER:
        return c * size - 0.5 * c * c, 1.0, c * sign
    out = max(0.0, size - c)
    if loss == TUBE:
        return out, 1.0, (sign if out > 0.0 else 0.0)
    return out * out, 1.0, 2.0 * sign * out


@compiled
def _sizes(
    indices: Array, first: np.uintp, stop: np.uintp, dense: bool, v: Array
) -> tuple[float, float]:
    """Σ|v_j| and Σ v_j² over the features of a row."""
    ones, squares = 0.0, 0.0
    for k in range(first, stop):
        value = v[k] if dense else v[np.uintp(indices[k])]
        ones += abs(value)
        squares += value * value
    return ones, squares


@compiled
def _clip(
    indices: Array, first: np.uintp, stop: np.uintp, dense: bool,
    v: Array, s: float, q: Array, u: float, z: Array, a: float,
) -> None:  # fmt: skip
    """Cumulative L1 penalty on the features of a row; z + a v stays what it is."""
    for k in range(first, stop):
        j = k if dense else np.uintp(indices[k])
        before = v[j]
        if before > 0.0:
            v[j] = max(0.0, before - (u + q[j]) / s)
        elif before < 0.0:
            v[j] = min(0.0, before + (u - q[j]) / s)
        change = v[j] - before
        q[j] += s * change
        if z.size > 0:
            z[j] -= a * change


@compiled
def _multiply_out(v: Array, s: float, z: Array, a: float) -> None:
    """Set v ← s v, after handing a v to the running sum: s = 1 and a = 0 from here on."""
    for j in range(v.size):
        if z.size > 0:
            z[j] += a * v[j]
        v[j] *= s


@compiled
def epoch(
    X: Array, data: Array, indices: Array, indptr: Array, dense: bool,
    order: Array, y: Array, weight: Array, norms: Array,
    v: Array, b: float, z: Array, mean_b: float, average: int, q: Array, u: float,
    loss: int, c: float, l2: float, l1: float,
    rate: int, eta: float, power_t: float, t0: float, t: float, decay: float,
) -> tuple[float, float, float, float, float, float, int, float]:  # fmt: skip
    """Visit rows in the given order; v, z and q are updated in place.

    Parameters
    ----------
    X, data, indices, indptr, dense
        The rows, see the head of this file.
    order : ndarray of intp
        Row numbers.
    y : ndarray of shape (n_samples,)
        Targets, ±1 for the losses of classification.
    weight, norms : ndarray of shape (n_samples,), or of size 0
        c_i, none for all 1; ‖x_i‖², which only passive-aggressive steps look at.
    v : ndarray of shape (n_features,)
        w, in and out.
    b, mean_b : float
        Intercept and its mean.
    z : ndarray of shape (n_features,), or of size 0 without averaging
        k w̄ in and out.
    average : int
        The first t that enters the means; 0 for no averaging.
    q, u
        The account of L1; q of size 0 without it.
    loss, c
        See `loss_and_slope`.
    l2, l1 : float
        α (1 − ρ) and α ρ.
    rate, eta, power_t, t0
        η is `eta`, `eta`/(t0 + t − 1) (OPTIMAL), `eta`/t^power_t (INVSCALING), or the
        aggressiveness of a passive-aggressive step.
    t : float
        Number of the next row, from 1.
    decay : float
        d, the intercept's share of a step; 0 for no intercept.

    Returns
    -------
    b, mean_b, u, t : float
        As they stand after the epoch.
    loss_sum, penalty_sum : float
        Σ c_i ℓ_i and the sum of the penalty, each as it stood when its row was met.
    n_updates : int
        Rows whose loss moved the weights.
    touched : float
        Of no meaning; returned so that touching rows ahead is not optimised away.
    """
    s, a, product, touched = 1.0, 0.0, 1.0, 0.0
    zero, one = v.dtype.type(0), np.uintp(1)
    first, stop = np.uintp(0), np.uintp(v.size)
    absolute, square = _sizes(indices, first, stop, True, v)
    penalised = l1 + l2 > 0.0 and rate < PA1  # passive-aggressive reports its loss alone
    loss_sum, penalty_sum, n_updates = 0.0, 0.0, 0
    step_length, weight_i = eta, 1.0
    for n in range(order.size):
        i, soon = order[n], order[min(n + AHEAD, order.size - 1)]
        touched += y[soon]
        if weight.size > 0:
            weight_i = weight[i]
        dot, odd = zero, zero
        if dense:
            touched += X[soon, 0] + X[soon, X.shape[1] - 1]
            for j in range(X.shape[1]):
                dot += X[i, j] * v[j]
        else:
            at = min(indptr[soon], data.size - 1)
            touched += data[at] + indices[at]
            first, stop = np.uintp(indptr[i]), np.uintp(indptr[i + 1])
            half = (stop - first) >> one  # two halves side by side: two sums in flight
            for k in range(first, first + half):
                dot += data[k] * v[np.uintp(indices[k])]
                odd += data[k + half] * v[np.uintp(indices[k + half])]
            if (stop - first) & one:
                odd += data[stop - one] * v[np.uintp(indices[stop - one])]
        score = s * (dot + odd)
        f, g, slope = loss_and_slope(loss, y[i], score + b, c)
        if g > 1.0:
            if weight_i == 1.0:  # Σ log g = log Π g: one logarithm for many rows
                product *= g
                if product > LARGEST_PRODUCT:
                    loss_sum += math.log(product)
                    product = 1.0
            else:
                f += math.log(g)
        loss_sum += weight_i * f
        if penalised:
            penalty_sum += 0.5 * l2 * s * s * square + l1 * s * absolute
        if rate == OPTIMAL:
            step_length = eta / (t0 + t - 1.0)
        elif rate == INVSCALING:
            step_length = eta / t**power_t
        slope = min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE)
        step = -step_length * slope * weight_i
        if rate >= PA1:
            if rate == PA1 and norms[i] == 0.0:
                continue
            size = min(eta, f / norms[i]) if rate == PA1 else f / (norms[i] + 0.5 / eta)
            step = (size if slope < 0.0 else -size) * weight_i
        if l2 > 0.0:
            shrink = max(0.0, 1.0 - step_length * l2)
            s *= shrink
            score *= shrink
            if s < SMALLEST_SCALE:
                _multiply_out(v, s, z, a)
                square *= s * s
                absolute *= s
                s, a = 1.0, 0.0
        if l1 > 0.0:
            ones, squares = _sizes(indices, first, stop, dense, v)
            absolute -= ones
            square -= squares
        if step != 0.0:
            n_updates += 1
            move, back, norm = v.dtype.type(step / s), v.dtype.type(-a * step / s), zero
            if dense:
                for j in range(X.shape[1]):
                    v[j] += move * X[i, j]
                    norm += X[i, j] * X[i, j]
                if average > 0:
                    for j in range(X.shape[1]):
                        z[j] += back * X[i, j]
            else:
                for k in range(first, stop):
                    v[np.uintp(indices[k])] += move * data[k]
                    norm += data[k] * data[k]
                if average > 0:
                    for k in range(first, stop):
                        z[np.uintp(indices[k])] += back * data[k]
            if l1 == 0.0:  # ‖w + step x‖² without a pass over w
                square = max(0.0, square + step * (2.0 * score + step * norm) / (s * s))
            b += decay * step
        if l1 > 0.0:
            u += step_length * l1
            _clip(indices, first, stop, dense, v, s, q, u, z, a)
            ones, squares = _sizes(indices, first, stop, dense, v)
            absolute += ones
            square += squares
        if average > 0 and t >= average:
            a += s
            mean_b += (b - mean_b) / (t - average + 1.0)
        t += 1.0
    _multiply_out(v, s, z, a)
    return b, mean_b, u, t, loss_sum + math.log(product), penalty_sum, n_updates, touched
