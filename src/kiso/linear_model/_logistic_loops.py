"""Loops of logistic regression: pointwise losses, coordinate descent.

Symbols
-------
z = x·w + b the margins of a row; σ(z) = 1/(1+e⁻ᶻ); p = softmax(z); s ≥ 0 the row's weight.
For two classes y ∈ {0, 1}:  ℓ = log(1 + eᶻ) − y z  and  ∂ℓ/∂z = σ(z) − y;
for K classes, y the row's class:  ℓ = log Σₖ e^{zₖ} − z_y  and  ∂ℓ/∂zₖ = pₖ − [k = y].

The loss loops turn margins into residuals s·∂ℓ/∂z in place and return Σ s ℓ with the
largest probability given to a wrong side, 1 − p_y, over the rows that count (s > 0).
No argument of an exponential is positive, so margins of any size are safe; and 1 − p_y is
summed from the other classes, so it keeps its digits where p_y rounds to 1.
"""

from __future__ import annotations

import math

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def _log1p(e: float) -> float:
    # libm's log1p costs ten times log; below 1e-4 three terms are exact to 1e-12
    if e > 1e-4:
        return math.log(1.0 + e)
    return e * (1.0 - e * (0.5 - e / 3.0))


@compiled
def binary_residuals(z: Array, b: float, y: Array, s: Array) -> tuple[float, float]:
    """Turn the margins z (without b) of rows into residuals; (loss, largest 1 − p_y)."""
    loss, worst = 0.0, 0.0
    for i in range(z.shape[0]):
        t = z[i, 0] + b
        e = math.exp(-abs(t))
        small = e / (1.0 + e)  # σ(−|t|)
        right = (t >= 0.0) == (y[i] == 1)
        miss = small if right else 1.0 - small
        loss += s[i] * (_log1p(e) + (0.0 if right else abs(t)))
        z[i, 0] = s[i] * (-miss if y[i] == 1 else miss)
        if s[i] > 0.0 and miss > worst:
            worst = miss
    return loss, worst


@compiled
def softmax_residuals(z: Array, b: Array, y: Array, s: Array) -> tuple[float, float]:
    """Turn the margins z (rows, K) (without b) into residuals; (loss, largest 1 − p_y)."""
    n, K = z.shape
    loss, worst = 0.0, 0.0
    for i in range(n):
        top = 0
        for k in range(K):
            z[i, k] += b[k]
            if z[i, k] > z[i, top]:
                top = k
        highest = z[i, top]
        at_y = highest - z[i, y[i]]
        rest = 0.0
        for k in range(K):
            if k != top:
                z[i, k] = math.exp(z[i, k] - highest)
                rest += z[i, k]
        z[i, top] = 1.0
        scale = 1.0 / (1.0 + rest)
        miss = 0.0
        for k in range(K):
            if k != y[i]:
                miss += z[i, k]
                z[i, k] *= scale * s[i]
        miss *= scale
        z[i, y[i]] = -s[i] * miss
        loss += s[i] * (at_y + _log1p(rest))
        if s[i] > 0.0 and miss > worst:
            worst = miss
    return loss, worst


@compiled
def coordinate_descent(
    H: Array, g: Array, theta: Array, l1: Array, tol: float, max_sweeps: int
) -> Array:
    """Minimise g·δ + ½ δᵀHδ + Σⱼ l1ⱼ |θⱼ + δⱼ| over δ, one coordinate at a time.

    After each sweep over all coordinates those that moved are swept alone until they rest.
    Ends when no coordinate's move changes its own slope by more than tol.
    """
    p = len(g)
    delta = g * 0.0
    slope = g.copy()  # g + Hδ
    active = theta != 0.0
    everything = True
    for _ in range(max_sweeps):
        largest = 0.0
        for j in range(p):
            h = H[j, j]
            if h <= 0.0 or not (everything or active[j]):
                continue
            old = theta[j] + delta[j]
            free = old - slope[j] / h
            new = max(abs(free) - l1[j] / h, 0.0)
            if free < 0.0:
                new = -new
            move = new - old
            if move != 0.0:
                active[j] = True
                delta[j] += move
                for k in range(p):
                    slope[k] += move * H[j, k]
                largest = max(largest, abs(move) * h)
        if largest <= tol:
            if everything:
                break
            everything = True
        else:
            everything = False
    return delta
