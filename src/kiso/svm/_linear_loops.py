"""Coordinate descent in the dual of a linear support vector machine, compiled.

Symbols
-------
x̃ = (x, a) a row and the constant a that the intercept multiplies (a = 0: none);
w̃ = (w, v) the weights, v the last entry; β the dual variables, w̃ = Σ βᵢ x̃ᵢ.

    min over β   ½ ‖Σ βᵢ x̃ᵢ‖² + ½ Σ λᵢ βᵢ² − Σ tᵢ βᵢ + ε Σ |βᵢ|     loᵢ ≤ βᵢ ≤ hiᵢ

Classification has tᵢ = yᵢ = ±1, ε = 0 and βᵢ = yᵢ αᵢ, so its box is [0, u] or [−u, 0];
regression has the targets in t and the box [−u, u].

One step minimises over one βᵢ. With G = x̃ᵢ·w̃ − tᵢ + λᵢ βᵢ, H = ‖x̃ᵢ‖² + λᵢ, it goes from
βᵢ to βᵢ − G/H, pulled towards 0 by ε/H and clipped to the box. The function has slopes to
the left L = G ± ε and to the right R = G ± ε of βᵢ; its violation is max(L, −R, 0), of
those that the box leaves.

Shrinking (Hsieh et al. 2008): a βᵢ from which both ways lead uphill, by slopes larger than
the largest violation of the last epoch, is left out until the rest has converged. The
order of the rows is a new random permutation each epoch (xorshift numbers).
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

AHEAD = 4  # rows between touching one, so that it is in cache, and using it


@compiled
def _random(state: Array) -> float:
    """Give the next number of a xorshift64* generator, in [0, 1)."""
    s = state[0]
    s ^= s >> np.uint64(12)
    s ^= s << np.uint64(25)
    s ^= s >> np.uint64(27)
    state[0] = s
    return ((s * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _slopes(G: float, b: float, lo: float, hi: float, eps: float) -> tuple[float, float]:
    """Slopes of the dual to the left and to the right of β; 0 where the box ends."""
    left = G + (eps if b > 0.0 else -eps) if b > lo else 0.0
    right = G + (eps if b >= 0.0 else -eps) if b < hi else 0.0
    return left, right


@compiled
def _minimise(G: float, H: float, b: float, lo: float, hi: float, eps: float) -> float:
    """Give the β that minimises over its own coordinate."""
    if H <= 0.0:  # an empty row: a linear function of β
        new = hi if G + eps < 0.0 else (lo if G - eps > 0.0 else b)
    else:
        free = b - G / H
        new = max(abs(free) - eps / H, 0.0)
        if free < 0.0:
            new = -new
    return min(max(new, lo), hi)


@compiled
def descend(
    X: Array, data: Array, indices: Array, indptr: Array, dense: bool, a: float,
    t: Array, lo: Array, hi: Array, lam: Array, eps: float, norms: Array,
    beta: Array, w: Array, active: Array, n_active: int, threshold: float, random: Array,
    caution: float, tol: float, budget: int,
) -> tuple[int, int, float, float]:  # fmt: skip
    """Go through the active rows again and again; beta, w, active and random are updated.

    Ends with the epoch of which no violation is above `tol`, or in which `budget` entries
    of the data, the intercept's among them, have been read.

    Parameters
    ----------
    X, data, indices, indptr, dense
        Rows: X[i], or CSR's; whichever is not used has size 1.
    a, t, lo, hi, lam, eps
        See the head of this file; norms[i] = ‖x̃ᵢ‖².
    active, n_active, threshold
        Row numbers, the first n_active of which take part; the slope above which a row
        is left out of the first epoch.
    caution : float
        What that is in later epochs, as a share of the largest violation of the last one.
    w : ndarray of shape (n_features + 1,), float64
        w̃.

    Returns
    -------
    work, n_active : int
        Entries read; rows that are active.
    violation : float
        The largest of the last epoch.
    touched : float
        Of no meaning; returned so that touching rows ahead is not optimised away.
    """
    d = np.uintp(w.size - 1)
    one = np.uintp(1)
    first, stop = np.uintp(0), d
    work, violation, touched = 0, np.inf, 0.0
    while violation > tol and (work < budget or work == 0):
        violation = 0.0
        at = 0
        for last in range(n_active - 1, 0, -1):
            pick = int(_random(random) * (last + 1.0))
            active[pick], active[last] = active[last], active[pick]
        while at < n_active:
            i, soon = active[at], active[min(at + AHEAD, n_active - 1)]
            touched += t[soon] + beta[soon]
            dot, odd = a * w[d], 0.0
            if dense:
                touched += X[soon, 0] + X[soon, X.shape[1] - 1]
                for j in range(X.shape[1]):
                    dot += X[i, j] * w[j]
            else:
                ahead = min(indptr[soon], data.size - 1)
                touched += data[ahead] + indices[ahead]
                first, stop = np.uintp(indptr[i]), np.uintp(indptr[i + 1])
                half = (stop - first) >> one  # two sums in flight
                for k in range(first, first + half):
                    dot += data[k] * w[np.uintp(indices[k])]
                    odd += data[k + half] * w[np.uintp(indices[k + half])]
                if (stop - first) & one:
                    odd += data[stop - one] * w[np.uintp(indices[stop - one])]
            work += int(stop - first) + 1
            b = beta[i]
            G = dot + odd - t[i] + lam[i] * b
            left, right = _slopes(G, b, lo[i], hi[i], eps)
            if (b <= lo[i] or left < -threshold) and (b >= hi[i] or right > threshold):
                n_active -= 1
                active[at] = active[n_active]
                active[n_active] = i
                continue
            at += 1
            violation = max(violation, left, -right)
            step = _minimise(G, norms[i] + lam[i], b, lo[i], hi[i], eps) - b
            if step != 0.0:
                beta[i] = b + step
                if dense:
                    for j in range(X.shape[1]):
                        w[j] += step * X[i, j]
                else:
                    for k in range(first, stop):
                        w[np.uintp(indices[k])] += step * data[k]
                w[d] += step * a
        threshold = caution * violation
    return work, n_active, violation, touched


@compiled
def _outside(over: float, lo: float, hi: float, eps: float) -> float:
    """How far the score is on a side that costs, beyond ε: signed, 0 where it costs nothing."""
    if over > eps and lo < 0.0:
        return over - eps
    if over < -eps and hi > 0.0:
        return over + eps
    return 0.0


@compiled
def activate(
    z: Array, t: Array, lo: Array, hi: Array, lam: Array, eps: float,
    beta: Array, squared: bool, threshold: float, active: Array,
) -> tuple[int, float, float]:  # fmt: skip
    """Choose the rows that take part, and sum the primal losses, from the scores z.

    Returns
    -------
    n_active : int
        Rows whose slopes do not both lead uphill by more than `threshold`; `active` holds
        them first.
    loss : float
        Σ of the primal losses: u · out, or out² / 2λ where `squared`.
    violation : float
        The largest violation.
    """
    n_active, last, loss, violation = 0, z.size, 0.0, 0.0
    for i in range(z.size):
        over, b = z[i] - t[i], beta[i]
        idle = lo[i] == hi[i]
        if not idle:
            out = _outside(over, lo[i], hi[i], eps)
            if squared:
                loss += 0.5 * out * out / lam[i]
            else:
                loss += abs(out) * max(hi[i], -lo[i])
            left, right = _slopes(over + lam[i] * b, b, lo[i], hi[i], eps)
            violation = max(violation, left, -right)
            idle = (b <= lo[i] or left < -threshold) and (b >= hi[i] or right > threshold)
        if idle:
            last -= 1
            active[last] = i
        else:
            active[n_active] = i
            n_active += 1
    return n_active, loss, violation


@compiled
def _nearest(
    gain: float, lo: float, hi: float, lam: float, eps: float, center: float
) -> tuple[float, bool]:
    """Maximise gain · β − ε|β| − ½ λ (β − center)² over the box; whether β is free there."""
    free = center + gain / lam
    b = max(abs(free) - eps / lam, 0.0)
    if free < 0.0:
        b = -b
    new = min(max(b, lo), hi)
    return new, lo < new < hi and (new != 0.0 or eps == 0.0)


@compiled
def respond(
    z: Array, t: Array, lo: Array, hi: Array, lam: Array, eps: float,
    center: Array, beta: Array, curvature: Array,
) -> tuple[float, float]:  # fmt: skip
    """Give the best β at the scores z, and its curvature 1/λ where it is free.

    With λ (β − center)² the proximal term where the losses are not squared, and the dual of
    the squared losses, center 0, where they are.

    Returns
    -------
    smooth, loss : float
        The sum of the maxima, whose slope by z is −β; Σ u · out, the losses not squared.
    """
    smooth, loss = 0.0, 0.0
    for i in range(z.size):
        beta[i], curvature[i] = 0.0, 0.0
        if lo[i] == hi[i]:
            continue
        gain = t[i] - z[i]
        b, free = _nearest(gain, lo[i], hi[i], lam[i], eps, center[i])
        beta[i] = b
        if free:
            curvature[i] = 1.0 / lam[i]
        smooth += gain * b - eps * abs(b) - 0.5 * lam[i] * (b - center[i]) ** 2
        out = _outside(-gain, lo[i], hi[i], eps)
        if out != 0.0:
            loss += abs(out) * max(hi[i], -lo[i])
    return smooth, loss


@compiled
def slope_along(
    z: Array, p: Array, t: Array, lo: Array, hi: Array, lam: Array, eps: float,
    center: Array, step: float,
) -> tuple[float, float]:  # fmt: skip
    """Slope and curvature, along p, of the `smooth` of `respond` at z + step · p."""
    slope, curvature = 0.0, 0.0
    for i in range(z.size):
        if lo[i] == hi[i]:
            continue
        gain = t[i] - z[i] - step * p[i]
        b, free = _nearest(gain, lo[i], hi[i], lam[i], eps, center[i])
        slope -= b * p[i]
        if free:
            curvature += p[i] * p[i] / lam[i]
    return slope, curvature


@compiled
def add_hessian_times(
    indptr: Array, indices: Array, data: Array, rows: Array, curvature: Array,
    a: float, v: Array, out: Array,
) -> None:  # fmt: skip
    """Out += Σ over the rows of curvature · x̃ (x̃ᵀ v): each row is read once."""
    d = v.size - 1
    for i in rows:
        first, stop = np.uintp(indptr[i]), np.uintp(indptr[i + 1])
        dot = a * v[d]
        for k in range(first, stop):
            dot += data[k] * v[np.uintp(indices[k])]
        dot *= curvature[i]
        for k in range(first, stop):
            out[np.uintp(indices[k])] += dot * data[k]
        out[d] += dot * a
