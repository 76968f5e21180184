"""Compiled loops: Gaussian moments about a query from cells of rows, not from the rows.

One feature, one output, the rows sorted. The rows of a cell, of width τ/2 about its centre
c, are summed once, whatever the number of queries. With s = (x − c)/τ, t = (q − c)/τ,

    exp(−(x − q)²/2τ²) = e^{−t²/2} · e^{−s²/2} · Σₖ tᵏ sᵏ / k!

so the moments of the cell's rows at a query follow from those of the cell itself:

    a_j = Σᵢ w⁽ⁱ⁾ sʲ = e^{−t²/2} Σₖ (tᵏ/k!) m_{k+j},    m_k = Σᵢ e^{−s²/2} sᵏ

and those about the query from Σᵢ w⁽ⁱ⁾ (s − t)ʲ, by the binomial theorem. |s| ≤ 1/4, so 20
powers leave out less than 1e-14 of a cell within 6 τ. A query costs the same whether a cell
has 50 rows or a million.

Where most of the weight lies far off, or the rows are bunched so that the terms of the
polynomial are nearly collinear, the query is left to be summed over the rows.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

WIDTH = 0.5  # of a cell, in τ
POWERS = 20
REACH = 10.0  # in τ: e^{−50}
LEAST_WEIGHT = 1e-4  # of the rows in reach
APART = 1e-2  # the share of a term that those before it do not explain


@compiled
def sum_cells(
    x: Array,
    y: Array,
    v: Array,
    starts: Array,
    tau: float,
    first: int,
    last: int,
    m: Array,
    my: Array,
) -> None:
    """Fill m (n_powers, n_cells) and my, the same with y, for some of the cells."""
    for cell in range(first, last):
        a, b = starts[cell], starts[cell + 1]
        s = (x[a:b] - x[0]) / tau - (cell + 0.5) * WIDTH
        power = v[a:b] * np.exp(-0.5 * s * s)
        ys = y[a:b]
        for k in range(m.shape[0]):
            total = totaly = 0.0
            for i in range(s.size):
                total += power[i]
                totaly += power[i] * ys[i]
                power[i] *= s[i]
            m[k, cell] = total
            my[k, cell] = totaly


@compiled
def equations_from_cells(
    Q: Array, x0: float, tau: float, m: Array, my: Array, G: Array, r: Array, todo: Array
) -> None:
    """Write the normal equations about each query: G, r as `Equations`; todo where not sure."""
    degree = r.shape[1] - 1
    n_x = 2 * degree + 1
    width = int(2 * REACH / WIDTH) + 2
    t, e = np.empty(width), np.empty(width)
    a = np.empty((n_x + degree + 1, width))
    moments, sums = np.empty(n_x), np.empty(degree + 1)
    for i in range(Q.shape[0]):
        at = (Q[i, 0] - x0) / tau
        if not (-REACH < at < m.shape[1] * WIDTH + REACH):
            continue
        first = max(int((at - REACH) / WIDTH), 0)
        last = min(int((at + REACH) / WIDTH) + 1, m.shape[1])
        n = last - first
        weight = 0.0
        for c in range(n):
            t[c] = at - (first + c + 0.5) * WIDTH
            e[c] = np.exp(-0.5 * t[c] * t[c])
            weight += m[0, first + c]
        a[:, :n] = 0.0
        for k in range(POWERS):
            for j in range(a.shape[0]):
                source = m[k + j] if j < n_x else my[k + j - n_x]
                for c in range(n):
                    a[j, c] += e[c] * source[first + c]
            for c in range(n):
                e[c] *= t[c] / (k + 1)
        _about_query(a[:n_x, :n], t, tau, moments)
        _about_query(a[n_x:, :n], t, tau, sums)
        todo[i] = not _sure(moments, weight, tau)
        for j in range(degree + 1):
            r[i, j, 0] = sums[j]
            for k in range(j + 1):
                G[i, j, k] = moments[j + k]


@compiled
def _about_query(a: Array, t: Array, tau: float, out: Array) -> None:
    """Sum over the cells of Σ w (s − t)ʲ τʲ; a is overwritten."""
    scale = 1.0
    for j in range(a.shape[0]):
        total = 0.0
        for c in range(a.shape[1]):
            total += a[0, c]
        out[j] = total * scale
        scale *= tau
        # a_k of (s − t)ʲ becomes that of (s − t)ʲ⁺¹: multiply by s − t
        for k in range(a.shape[0] - 1 - j):
            for c in range(a.shape[1]):
                a[k, c] = a[k + 1, c] - t[c] * a[k, c]


@compiled
def _sure(m: Array, weight: float, tau: float) -> bool:
    """Whether the terms stand well apart, so that rounding in the moments stays rounding."""
    if not m[0] > LEAST_WEIGHT * weight:
        return False
    if m.size == 1:
        return True
    variance = m[2] - m[1] * m[1] / m[0]
    if not variance > APART * max(m[2], m[0] * tau * tau):
        return False
    if m.size == 3:
        return True
    skew = m[3] - m[1] * m[2] / m[0]
    left = m[4] - m[2] * m[2] / m[0] - skew * skew / variance
    return left > APART * max(m[4], m[0] * tau * tau * tau * tau)
