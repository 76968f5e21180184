"""Stochastic gradient through a small dense network: the compiled steps.

Equations 22 to 25 of Higham & Higham (2019), for layers l = 1 … L of units:

    a⁽ˡ⁾ = σ(a⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾)          δ⁽ᴸ⁾ = σ'(z⁽ᴸ⁾) ∘ (a⁽ᴸ⁾ − t)
    δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾δ⁽ˡ⁺¹⁾        ∂C/∂b = δ,  ∂C/∂W = a⁽ˡ⁻¹⁾δᵀ

A network of a few hundred numbers is all call overhead in any array library; here a whole
run of steps is one call. Parameters p lie flat: W⁽ˡ⁾ (n_in × n_out, C order), b⁽ˡ⁾, layer by
layer. a and d hold the activations and δ of one sample, layer after layer.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

from .activation_loops import slope_of, value_of
from .dense_loops import is_number
from .records_loops import Dense, Samples, Steps, Values


@compiled
def forward(net: Dense, a: Array) -> None:
    """Fill a, whose first numbers are the sample."""
    at, here, p = np.uintp(0), np.uintp(0), net.p
    for layer in range(net.codes.size):
        n_in, n_out = np.uintp(net.sizes[layer]), np.uintp(net.sizes[layer + 1])
        there, bias = here + n_in, at + n_in * n_out
        for k in range(n_out):
            a[there + k] = p[bias + k]
        for j in range(n_in):
            x, row = a[here + j], at + j * n_out
            for k in range(n_out):
                a[there + k] += x * p[row + k]
        for k in range(n_out):
            a[there + k] = value_of(net.codes[layer], a[there + k], net.leaks[layer])
        at, here = bias + n_out, there


@compiled
def backward(net: Dense, a: Array, d: Array) -> None:
    """Add the sample's gradient to g; the last numbers of d are ∂C/∂a⁽ᴸ⁾."""
    p, g = net.p, net.g
    at, there = np.uintp(p.size), np.uintp(a.size)
    for up in range(net.codes.size):
        layer = net.codes.size - 1 - up
        n_in, n_out = np.uintp(net.sizes[layer]), np.uintp(net.sizes[layer + 1])
        there -= n_out
        bias = at - n_out
        at = bias - n_in * n_out
        here = there - n_in
        for k in range(n_out):
            d[there + k] *= slope_of(net.codes[layer], a[there + k], net.leaks[layer])
            g[bias + k] += d[there + k]
        for j in range(n_in):
            x, row, total = a[here + j], at + j * n_out, 0.0
            for k in range(n_out):
                total += p[row + k] * d[there + k]
                g[row + k] += x * d[there + k]
            d[here + j] = total


@compiled
def descend(net: Dense, values: Values, samples: Samples, steps: Steps) -> tuple[int, float]:
    """Take the steps p ← p − η g; return how many were taken, and the sum of all losses.

    A step whose loss is not finite is not taken, nor any after it.
    """
    X, T, a, d, p, g = samples.X, samples.T, values.a, values.d, net.p, net.g
    n_x, n_t = np.uintp(X.shape[1]), np.uintp(T.shape[1])
    out = np.uintp(a.size) - n_t
    losses = 0.0
    for step in range(steps.rates.size):
        g[:] = 0.0
        loss = 0.0
        for i in range(steps.starts[step], steps.starts[step + 1]):
            row = np.uintp(steps.rows[i])
            for j in range(n_x):
                a[j] = X[row, j]
            forward(net, a)
            for k in range(n_t):
                residual = a[out + k] - T[row, k]
                d[out + k] = residual
                loss += 0.5 * residual * residual
            backward(net, a, d)
        if not is_number(loss):
            return step, losses
        losses += loss
        share = 1.0 if samples.mean else float(steps.starts[step + 1] - steps.starts[step])
        scale = steps.rates[step] * share / steps.batch_size
        for j in range(p.size):
            p[j] -= scale * g[j]
    return steps.rates.size, losses
