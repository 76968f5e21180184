"""Least squares by orthogonal transformations: what the normal equations cannot solve.

Tall data are brought to a triangle, block by block (`kiso._compute.qr`), so that nothing of
the size of the data is held:

    √w [(X − x̄) S⁻¹ | Y − ȳ] = Q [R Z; 0 E],     Σ w r² = ‖R z − Z‖² + ‖E‖²,  b = S⁻¹ z

with S the norms of the columns. The triangle goes through a singular value decomposition:
values below `tol` of the largest count as zero, and of all solutions the one of least norm
‖b‖ (in the units of the data, as scikit-learn's) is taken. A ridge penalty α is d more
rows, √α S⁻¹.

Wide data (n < d) are decomposed as they are, in a centred copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from kiso._compute.qr import r_factor
from kiso._compute.threads import blocks, lanes, run_lanes
from kiso._parts import Part, Parts
from kiso._validation import Array

from ._moments import ROUNDINGS, Rows
from ._normal_equations import Solution


def solve_tall(
    X: Array,
    Y: Array,
    weights: Array | None,
    means: tuple[Array, Array],
    scale: Array,
    alphas: Array,
    tol: float,
) -> Solution:
    """Solve through the triangle of [X Y].

    Parameters
    ----------
    means : (x̄, ȳ)
        To subtract; zeros for a model without intercept.
    scale : ndarray of shape (d,)
        Norms of the centred columns, or anything of their size; zero leaves a column out.
    alphas : ndarray of shape (t,)
    tol : float
        Singular values of the data with columns scaled to norm one that are below
        `tol` times the largest count as zero.
    """
    d, t = X.shape[1], Y.shape[1]
    T = triangle(X, Y, weights, means, scale)
    R, Z, E = T[:d, :d], T[:d, d:], T[d:, d:]
    active = np.flatnonzero(scale)
    coef, rss, rank = np.zeros((d, t)), np.empty(t), 0
    for alpha in np.unique(alphas):
        of = np.flatnonzero(alphas == alpha)
        part = least_norm(R[:, active], Z[:, of], scale[active], float(alpha), tol)
        coef[np.ix_(active, of)], z, rank = part
        rss[of] = ((Z[:, of] - R[:, active] @ z) ** 2).sum(axis=0)
    rss += (E**2).sum(axis=0)
    return Solution(coef, rss, rank, R * scale, "svd")


def safe_scale(X: Array, weights: Array | None, *, center: bool) -> tuple[Array, Array]:
    """Return means and largest deviations of the columns, where squares would overflow.

    Two passes that square nothing: for data whose moments are not exact.
    """
    n, d = X.shape
    w = np.ones(n) if weights is None else weights.astype(np.float64, copy=False)
    part, total, size = lanes(n), float(w.sum()), 4096
    mean, top = np.zeros(d), np.zeros(d)
    if center:
        sums = run_lanes(lambda r: sum((w[b] / total) @ X[b] for b in blocks(r, size)), part)
        mean = np.asarray(sum(sums), dtype=np.float64)
    for rows in blocks(slice(0, n), size):
        deviation = np.abs(X[rows][w[rows] > 0] - mean)
        top = np.maximum(top, deviation.max(axis=0, initial=0.0))
    top[top <= ROUNDINGS * np.abs(mean)] = 0.0
    return mean, top


def triangle(
    X: Array | Parts, Y: Array, weights: Array | None, means: tuple[Array, Array], scale: Array
) -> Array:
    """The R of √w [(X − x̄)/S | Y − ȳ], (min(n, d + t), d + t); lanes side by side."""
    if isinstance(X, Parts):  # the R of the Rs of the parts
        found = X.sum_of(_triangle_of_part, means, scale, merge=_one_triangle)
        return np.asarray(found)
    rows = Rows(X, Y, weights, means)
    divisor = np.where(scale > 0, scale, np.inf)

    def scaled(block: slice) -> Array:
        b, c = rows.fill(block, *rows.buffers(block.stop - block.start))
        return np.hstack([b / divisor, c])

    return r_factor(scaled, len(X), X.shape[1] + Y.shape[1])


def _triangle_of_part(part: Part, means: tuple[Array, Array], scale: Array) -> Array:
    return triangle(part.X, part.y, part.weight, means, scale)


def _one_triangle(one: Array, other: Array) -> Array:
    return np.asarray(np.linalg.qr(np.vstack([one, other]), mode="r"))


def data_triangle(
    X: Array, Y: Array, weights: Array | None, means: tuple[Array, Array], scale: Array
) -> tuple[Array, Array, float]:
    """Return R (d, d), z (d,) and e with ‖√w (y − ȳ − (X − x̄) b)‖² = ‖R b − z‖² + e."""
    d = X.shape[1]
    T = triangle(X, Y, weights, means, scale)
    top = np.zeros((d, d + 1))
    top[: min(d, len(T))] = T[:d]
    return top[:, :d] * scale, top[:, d], float((T[d:, d:] ** 2).sum())


def least_norm(
    R: Array, Z: Array, scale: Array, alpha: float, tol: float
) -> tuple[Array, Array, int]:
    """Return b = S⁻¹ z of least ‖b‖ among the minimisers of ‖R z − Z‖² + α ‖b‖², z, the rank."""
    d, A, rhs = len(scale), R, Z
    if alpha > 0:
        A = np.vstack([R, np.diag(np.sqrt(alpha) / scale)])
        rhs = np.vstack([Z, np.zeros((d, Z.shape[1]))])
    if d == 0:
        return np.zeros((0, Z.shape[1])), np.zeros((0, Z.shape[1])), 0
    norms = np.sqrt(np.einsum("ij,ij->j", A, A))
    U, s, Vt = scipy.linalg.svd(A / norms, full_matrices=False, check_finite=False)
    smallest = max(tol, np.finfo(np.float64).eps * max(A.shape)) * s[0]
    rank = int((s > smallest).sum())
    z = (Vt[:rank].T @ ((U[:, :rank].T @ rhs) / s[:rank, None])) / norms[:, None]
    b = z / scale[:, None]
    if rank < d:  # remove what lies in the null space of X, in the units of b
        Q = _orthonormal(Vt[rank:].T / (scale * norms)[:, None])
        b = b - Q @ (Q.T @ b)
    return b, z, rank


def _orthonormal(N: Array) -> Array:
    """An orthonormal basis of the columns of N, whatever their sizes."""
    return np.asarray(np.linalg.qr(N / np.abs(N).max(axis=0))[0])


def solve_wide(
    centred: tuple[Array, Array], alphas: Array, tol: float
) -> tuple[Array, Array, int, Array]:
    """Solve from √w (X − x̄) and √w (Y − ȳ) themselves; returns b, Σ w r², rank, spectrum."""
    B, C = centred
    U, s, Vt = scipy.linalg.svd(B, full_matrices=False, check_finite=False)
    smallest = max(tol, np.finfo(np.float64).eps * max(B.shape)) * (s[0] if len(s) else 0.0)
    rank = int((s > smallest).sum())
    kept = s[:rank, None]
    shrink: Any = kept / (kept**2 + alphas)
    coef = Vt[:rank].T @ (shrink * (U[:, :rank].T @ C))
    return coef, ((C - B @ coef) ** 2).sum(axis=0), rank, s
