"""One step of each rule over flat arrays: one pass, nothing allocated.

p parameters, g gradients, m, v, r running averages: 1-D, of one dtype and length. Numbers
come in as float64 and are used in the precision of the arrays.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled, compiled_strict
from kiso._validation import Array


@compiled_strict
def all_finite(g: Array) -> bool:
    """Say whether no number is NaN or infinite; looks at all, which is faster than to stop."""
    finite = True
    for i in range(g.size):
        finite &= np.isfinite(g[i])
    return finite


@compiled
def gradient_descent(p: Array, g: Array, rate: float) -> None:
    """Step: p ← p − η g."""
    eta = p.dtype.type(rate)
    for i in range(p.size):
        p[i] -= eta * g[i]


@compiled
def momentum(p: Array, g: Array, v: Array, rate: float, alpha: float) -> None:
    """Step: v ← α v − η g;  p ← p + v."""
    eta, a = p.dtype.type(rate), p.dtype.type(alpha)
    for i in range(p.size):
        v[i] = a * v[i] - eta * g[i]
        p[i] += v[i]


@compiled
def nesterov(p: Array, g: Array, v: Array, rate: float, alpha: float) -> None:
    """Step: v ← α v − η g;  p ← p + α v − η g."""
    eta, a = p.dtype.type(rate), p.dtype.type(alpha)
    for i in range(p.size):
        move = eta * g[i]
        v[i] = a * v[i] - move
        p[i] += a * v[i] - move


@compiled
def adagrad(p: Array, g: Array, r: Array, rate: float, eps: float) -> None:
    """Step: r ← r + g²;  p ← p − η g/(√r + ε)."""
    eta, tiny = p.dtype.type(rate), p.dtype.type(eps)
    for i in range(p.size):
        r[i] += g[i] * g[i]
        p[i] -= eta * g[i] / (np.sqrt(r[i]) + tiny)


@compiled
def rmsprop(p: Array, g: Array, r: Array, rate: float, rho: float, eps: float) -> None:
    """Step: r ← ρ r + (1 − ρ) g²;  p ← p − η g/(√r + ε)."""
    eta, tiny = p.dtype.type(rate), p.dtype.type(eps)
    keep, add = p.dtype.type(rho), p.dtype.type(1.0 - rho)
    for i in range(p.size):
        r[i] = keep * r[i] + add * g[i] * g[i]
        p[i] -= eta * g[i] / (np.sqrt(r[i]) + tiny)


@compiled
def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    step: int,
) -> None:
    """Moments with bias correction; `shrink` = 1 − ηλ multiplies p first (AdamW).

    m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;
    p ← shrink·p − η (m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε).
    """
    keep1, add1 = p.dtype.type(beta1), p.dtype.type(1.0 - beta1)
    keep2, add2 = p.dtype.type(beta2), p.dtype.type(1.0 - beta2)
    eta = p.dtype.type(rate / (1.0 - beta1**step))
    root = p.dtype.type(1.0 / np.sqrt(1.0 - beta2**step))
    tiny, left = p.dtype.type(eps), p.dtype.type(shrink)
    for i in range(p.size):
        gi = g[i]
        mi = keep1 * m[i] + add1 * gi
        vi = keep2 * v[i] + add2 * gi * gi
        m[i] = mi
        v[i] = vi
        p[i] = left * p[i] - eta * mi / (np.sqrt(vi) * root + tiny)


@compiled
def lion(
    p: Array,
    g: Array,
    m: Array,
    rate: float,
    beta1: float,
    beta2: float,
    shrink: float,
) -> None:
    """Step: p ← shrink·p − η sign(β₁m + (1 − β₁)g);  m ← β₂m + (1 − β₂)g."""
    keep1, add1 = p.dtype.type(beta1), p.dtype.type(1.0 - beta1)
    keep2, add2 = p.dtype.type(beta2), p.dtype.type(1.0 - beta2)
    eta, left = p.dtype.type(rate), p.dtype.type(shrink)
    for i in range(p.size):
        gi = g[i]
        c = keep1 * m[i] + add1 * gi
        m[i] = keep2 * m[i] + add2 * gi
        p[i] = left * p[i] - eta * np.sign(c)
