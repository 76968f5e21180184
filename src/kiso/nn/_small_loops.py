"""Stochastic gradient through a small dense network: the compiled steps.

Equations 22 to 25 of Higham & Higham (2019), for layers l = 1 … L of units:

    a⁽ˡ⁾ = σ(a⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾)          δ⁽ᴸ⁾ = σ'(z⁽ᴸ⁾) ∘ (a⁽ᴸ⁾ − t)
    δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾δ⁽ˡ⁺¹⁾        ∂C/∂b = δ,  ∂C/∂W = a⁽ˡ⁻¹⁾δᵀ

A network of a few hundred numbers is all call overhead in any array library; here a whole
run of steps is one call. Parameters p lie flat: W⁽ˡ⁾ (n_in × n_out, C order), b⁽ˡ⁾, layer by
layer. a and d hold the activations and δ of one sample, layer after layer.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, SOFTPLUS = 0, 1, 2, 3, 4, 5


@compiled
def value_of(code: int, z: float, leak: float) -> float:
    """σ(z)."""
    if code == SIGMOID:
        return 1.0 / (1.0 + math.exp(-z))
    if code == TANH:
        return math.tanh(z)
    if code == RELU:
        return max(z, 0.0)
    if code == LEAKY_RELU:
        return z if z > 0.0 else leak * z
    if code == SOFTPLUS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))
    return z


@compiled
def slope_of(code: int, y: float, leak: float) -> float:
    """σ'(z) from y = σ(z)."""
    if code == SIGMOID:
        return y * (1.0 - y)
    if code == TANH:
        return 1.0 - y * y
    if code == RELU:
        return 1.0 if y > 0.0 else 0.0
    if code == LEAKY_RELU:
        return 1.0 if y > 0.0 else leak
    if code == SOFTPLUS:
        return -math.expm1(-y)
    return 1.0


@compiled
def forward(p: Array, sizes: Array, codes: Array, leaks: Array, a: Array) -> None:
    """Fill a, whose first numbers are the sample."""
    at, here = np.uintp(0), np.uintp(0)
    for layer in range(codes.size):
        n_in, n_out = np.uintp(sizes[layer]), np.uintp(sizes[layer + 1])
        there, bias = here + n_in, at + n_in * n_out
        for k in range(n_out):
            a[there + k] = p[bias + k]
        for j in range(n_in):
            x, row = a[here + j], at + j * n_out
            for k in range(n_out):
                a[there + k] += x * p[row + k]
        for k in range(n_out):
            a[there + k] = value_of(codes[layer], a[there + k], leaks[layer])
        at, here = bias + n_out, there


@compiled
def backward(
    p: Array, g: Array, sizes: Array, codes: Array, leaks: Array, a: Array, d: Array
) -> None:
    """Add the sample's gradient to g; the last numbers of d are ∂C/∂a⁽ᴸ⁾."""
    at, there = np.uintp(p.size), np.uintp(a.size)
    for up in range(codes.size):
        layer = codes.size - 1 - up
        n_in, n_out = np.uintp(sizes[layer]), np.uintp(sizes[layer + 1])
        there -= n_out
        bias = at - n_out
        at = bias - n_in * n_out
        here = there - n_in
        for k in range(n_out):
            d[there + k] *= slope_of(codes[layer], a[there + k], leaks[layer])
            g[bias + k] += d[there + k]
        for j in range(n_in):
            x, row, total = a[here + j], at + j * n_out, 0.0
            for k in range(n_out):
                total += p[row + k] * d[there + k]
                g[row + k] += x * d[there + k]
            d[here + j] = total


@compiled
def descend(
    p: Array,
    g: Array,
    sizes: Array,
    codes: Array,
    leaks: Array,
    X: Array,
    T: Array,
    rows: Array,
    starts: Array,
    rates: Array,
    batch_size: int,
    mean: bool,
    a: Array,
    d: Array,
) -> tuple[int, float]:
    """Take the steps p ← p − η g; return how many were taken, and the sum of all losses.

    A step whose loss is not finite is not taken, nor any after it.
    """
    n_x, n_t = np.uintp(X.shape[1]), np.uintp(T.shape[1])
    out = np.uintp(a.size) - n_t
    losses = 0.0
    for step in range(rates.size):
        g[:] = 0.0
        loss = 0.0
        for i in range(starts[step], starts[step + 1]):
            row = np.uintp(rows[i])
            for j in range(n_x):
                a[j] = X[row, j]
            forward(p, sizes, codes, leaks, a)
            for k in range(n_t):
                residual = a[out + k] - T[row, k]
                d[out + k] = residual
                loss += 0.5 * residual * residual
            backward(p, g, sizes, codes, leaks, a, d)
        if not math.isfinite(loss):
            return step, losses
        losses += loss
        share = 1.0 if mean else float(starts[step + 1] - starts[step])
        scale = rates[step] * share / batch_size
        for j in range(p.size):
            p[j] -= scale * g[j]
    return rates.size, losses
