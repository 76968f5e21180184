"""Compiled loops: the normal equations of locally weighted regression, solved.

Each query's Gθ = r, with G = Σ w t tᵀ over terms t about a centre, by a Cholesky
factorisation that leaves out a term which the rows cannot tell from those before it.
"""

from __future__ import annotations

from math import inf

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

# A term is left out when its part that is independent of the terms before it has less than
# this share of its mean square: rounding in G would pass for signal below it.
COLLINEAR = 1e-11
# The same for a spread about the rows' own mean against the distance of the query, squared:
# rows so far off are one point to the query.
FLAT = 1e-24


@compiled
def _factor(G: Array, about_query: Array, n_features: int) -> None:
    """Cholesky in place, G = LLᵀ; a term left out has a zero row and column.

    `about_query` holds the mean square of each term about the query (times the weight).
    """
    n_terms = G.shape[0]
    for a in range(n_terms):
        flat = FLAT if a <= n_features else FLAT * FLAT
        least = max(COLLINEAR * G[a, a], flat * about_query[a])
        pivot = G[a, a]
        for k in range(a):
            pivot -= G[a, k] * G[a, k]
        if a > 0 and not pivot > least:
            G[a:, a] = 0.0
            G[a, :a] = 0.0
            continue
        root = np.sqrt(pivot)
        G[a, a] = root
        for b in range(a + 1, n_terms):
            total = G[b, a]
            for k in range(a):
                total -= G[b, k] * G[a, k]
            G[b, a] = total / root


@compiled
def _forward(L: Array, b: Array) -> None:
    """Solve Lz = b in place; zero where L leaves a term out."""
    for a in range(b.size):
        if L[a, a] == 0.0:
            b[a] = 0.0
            continue
        total = b[a]
        for k in range(a):
            total -= L[a, k] * b[k]
        b[a] = total / L[a, a]


@compiled
def _backward(L: Array, b: Array) -> None:
    """Solve Lᵀθ = z in place; zero where L leaves a term out."""
    for a in range(b.size - 1, -1, -1):
        if L[a, a] == 0.0:
            b[a] = 0.0
            continue
        total = b[a]
        for k in range(a + 1, b.size):
            total -= L[k, a] * b[k]
        b[a] = total / L[a, a]


@compiled
def _terms_at(offset: Array, degree: int, t: Array) -> None:
    """Terms of the single point at an offset from the centre."""
    t[0] = 1.0
    if degree > 0:
        t[1 : 1 + offset.size] = offset
    if degree > 1:
        k = 1 + offset.size
        for a in range(offset.size):
            for b in range(a, offset.size):
                t[k] = offset[a] * offset[b]
                k += 1


@compiled
def dot(a: Array, b: Array) -> float:
    """Σ a_j b_j."""
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@compiled
def solve_queries(
    Q: Array,
    degree: int,
    G: Array,
    r: Array,
    about_query: Array,
    centre: Array,
    values: Array,
    leverages: Array,
    thetas: Array,
) -> None:
    """Solve each query's equations; G and r are overwritten.

    Parameters
    ----------
    Q : (n_queries, n_features)
    G, r, about_query, centre
        As `Equations`. G = 0 where there were no rows: the value is then given.
    values : (n_queries, n_outputs), out
        The polynomial at the query.
    leverages : (n_queries,), out
        e₀ᵀG⁻¹e₀ about the query: times its own weight, a training row's leverage.
    thetas : (n_queries, n_terms, n_outputs), out; or (0, …)
        θ about the centre.
    """
    point = np.empty(r.shape[1])
    keep = thetas.shape[0] > 0
    for i in range(Q.shape[0]):
        if not G[i, 0, 0] > 0.0:
            leverages[i] = inf
            if keep:
                thetas[i] = 0.0
                thetas[i, 0] = values[i]
            continue
        _factor(G[i], about_query[i], Q.shape[1])
        _terms_at(Q[i] - centre[i], degree, point)
        _forward(G[i], point)
        leverages[i] = dot(point, point)
        for o in range(r.shape[2]):
            _forward(G[i], r[i, :, o])
            values[i, o] = dot(point, r[i, :, o])
            if keep:
                _backward(G[i], r[i, :, o])
                thetas[i, :, o] = r[i, :, o]
