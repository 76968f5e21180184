"""Compiled loops of the losses of boosting: derivatives and value in one pass over the rows.

    f    raw prediction of a row; y its target, w its weight
    p    probability of a class: σ(f), or softmax over the classes

Each fills pairs with (w g, w h, 1, 0), where g and h are the derivatives of the loss in f, and
returns Σ w·loss:

    squared_error   (f − y)²/2                    g = f − y                   h = 1
    absolute_error  |f − y|                       g = sign(f − y)             h = 1
    quantile        (y − f)(q − 1[y < f])         g = 1[y < f] − q            h = 1
    poisson         eᶠ − y f                      g = eᶠ − y                  h = eᶠ
    gamma           f + y e⁻ᶠ                     g = 1 − y e⁻ᶠ               h = y e⁻ᶠ
    log_loss        −log p_y                      g_c = p_c − 1[c = y]        h_c = p_c (1 − p_c)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

SQUARED, ABSOLUTE, QUANTILE, POISSON, GAMMA, BINARY = range(6)


@compiled
def derivatives(
    kind: Any, quantile: float, f: Array, y: Array, weight: Array, pairs: Array
) -> float:
    """Of one raw prediction a row; see the table above."""
    total = 0.0
    weighted = len(weight) > 0
    for i in range(len(f)):
        w = weight[i] if weighted else 1.0
        g, h, loss = 0.0, 1.0, 0.0
        if kind == SQUARED:
            g = f[i] - y[i]
            loss = 0.5 * g * g
        elif kind == ABSOLUTE:
            g = np.sign(f[i] - y[i])
            loss = abs(f[i] - y[i])
        elif kind == QUANTILE:
            below = 1.0 if y[i] < f[i] else 0.0
            g = below - quantile
            loss = (f[i] - y[i]) * g
        elif kind == POISSON:
            h = np.exp(f[i])
            g = h - y[i]
            loss = h - y[i] * f[i]
        elif kind == GAMMA:
            h = y[i] * np.exp(-f[i])
            g = 1.0 - h
            loss = f[i] + h
        else:
            e = np.exp(-abs(f[i]))
            p = 1.0 / (1.0 + e)
            g = (p if f[i] >= 0.0 else e * p) - y[i]
            h = e * p * p
            loss = max(f[i], 0.0) - y[i] * f[i] - np.log(p)
        total += w * loss
        pairs[i, 0] = w * g
        pairs[i, 1] = w * h
        pairs[i, 2] = 1.0
        pairs[i, 3] = 0.0
    return total


@compiled
def class_derivatives(f: Array, y: Array, weight: Array, pairs: Array) -> float:
    """Of several classes; f is (n_classes, n) and pairs (n_classes, n, 4)."""
    n_classes, n = f.shape
    p = np.empty(n_classes)
    total = 0.0
    weighted = len(weight) > 0
    for i in range(n):
        w = weight[i] if weighted else 1.0
        high = f[0, i]
        for c in range(1, n_classes):
            high = max(high, f[c, i])
        mass = 0.0
        for c in range(n_classes):
            p[c] = np.exp(f[c, i] - high)
            mass += p[c]
        own = np.intp(y[i])
        total += w * (np.log(mass) + high - f[own, i])
        for c in range(n_classes):
            share = p[c] / mass
            pairs[c, i, 0] = w * (share - (1.0 if c == own else 0.0))
            pairs[c, i, 1] = w * share * (1.0 - share)
            pairs[c, i, 2] = 1.0
            pairs[c, i, 3] = 0.0
    return total
