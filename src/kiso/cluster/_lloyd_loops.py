"""Loops of Lloyd's algorithm over the rows of a lane or a block.

Symbols
-------
x_i, w_i   row i and its weight; s the origin that sums are taken about
c_j, a_i   the centres; the number of row i's centre
u_i, l_i   bounds: ‖x_i − c_{a_i}‖ ≤ u_i, and ‖x_i − c_j‖ ≥ l_i for every other j
δ_j        how far centre j has moved
S_j, W_j   Σ w_i (x_i − s) and Σ w_i over the rows of cluster j
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array


@compiled
def drift(
    upper: Array,
    lower: Array,
    label: Array,
    moved: Array,
    furthest: int,
    second: float,
    rows: Array,
) -> int:
    """Move the bounds with the centres; list and count the rows that they leave open.

    u_i grows by δ of its centre, l_i shrinks by the largest δ of another (`second` where
    the centre that moved furthest is the row's own). A row stays where u_i < l_i.
    """
    count = 0
    largest = moved[furthest]
    for i in range(label.size):
        a = label[i]
        upper[i] += moved[a]
        lower[i] -= second if a == furthest else largest
        rows[count] = i
        count += upper[i] >= lower[i]
    return count


@compiled
def tighten(
    X: Array, centers: Array, upper: Array, lower: Array, label: Array, rows: Array, count: int
) -> int:
    """Make u_i exact for the first `count` of the rows listed; keep those still open."""
    kept = 0
    for at in range(count):
        i = rows[at]
        total = 0.0
        c = centers[label[i]]
        for f in range(c.size):
            gap = np.float64(X[i, f]) - np.float64(c[f])
            total += gap * gap
        upper[i] = math.sqrt(total) * (1.0 + 1e-12)
        rows[kept] = i
        kept += upper[i] >= lower[i]
    return kept


@compiled
def accumulate(
    X: Array,
    weight: Array,
    new: Array,
    old: Array,
    origin: Array,
    sums: Array,
    weights: Array,
) -> int:
    """Carry the rows whose cluster changed from the old one (−1: none) to the new one.

    Adds to S and W (float64) and returns how many rows changed. `weight` has size 0 where
    every row weighs 1.
    """
    changed = 0
    d = X.shape[1]
    for i in range(X.shape[0]):
        a, b = new[i], old[i]
        if a == b:
            continue
        changed += 1
        w = np.float64(weight[i]) if weight.size else 1.0
        weights[a] += w
        if b < 0:  # no views of rows here: to count who holds them took most of the time
            for f in range(d):
                sums[a, f] += w * (np.float64(X[i, f]) - origin[f])
        else:
            weights[b] -= w
            for f in range(d):
                value = w * (np.float64(X[i, f]) - origin[f])
                sums[a, f] += value
                sums[b, f] -= value
    return changed


@compiled
def own_distances(X: Array, centers: Array, label: Array, out: Array) -> None:
    """out_i = ‖x_i − c_{a_i}‖², by subtraction."""
    for i in range(X.shape[0]):
        total = 0.0
        c = centers[label[i]]
        for f in range(c.size):
            gap = np.float64(X[i, f]) - np.float64(c[f])
            total += gap * gap
        out[i] = total


@compiled
def shifted_squares(X: Array, origin: Array, out: Array) -> None:
    """out_i = ‖x_i − s‖²."""
    for i in range(X.shape[0]):
        total = 0.0
        for f in range(X.shape[1]):
            value = np.float64(X[i, f]) - origin[f]
            total += value * value
        out[i] = total


@compiled
def whole_distances(
    products: Array, Y: Array, y_squares: Array, X: Array, squares: Array, rounding: float
) -> None:
    """Complete products −2 y_j·x_i to ‖x_i − y_j‖², in place.

    Where rounding could have made more than a small part of it, by subtraction.
    """
    for j in range(Y.shape[0]):
        doubtful = 0
        for i in range(X.shape[0]):
            size = squares[i] + y_squares[j]
            value = products[j, i] + size
            doubtful += value <= 1024.0 * rounding * size
            products[j, i] = value
        if doubtful == 0:
            continue
        for i in range(X.shape[0]):
            if products[j, i] <= 1024.0 * rounding * (squares[i] + y_squares[j]):
                total = 0.0
                for f in range(X.shape[1]):
                    gap = np.float64(X[i, f]) - np.float64(Y[j, f])
                    total += gap * gap
                products[j, i] = total
