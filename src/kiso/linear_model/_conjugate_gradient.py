"""Conjugate gradient for least squares: what sparse data with many columns need.

Minimises  J(b) = ‖√w (y − ȳ − (X − x̄) b)‖² + α ‖b‖²  without forming XᵀX (CGLS, Hestenes &
Stiefel 1952; Björck 1996, section 7.4). X stays sparse: the centring is applied to vectors,

    (X − x̄) v = X v − (x̄ᵀ v) 1,      (X − x̄)ᵀ u = Xᵀ u − x̄ (1ᵀ u).

M, the diagonal of (X − x̄)ᵀ W (X − x̄) + α I, preconditions it (Jacobi). Without a penalty, or
with one that is lost in rounding, M is their mean for all columns: from b = 0 the iteration
then stays in the row space of X, and so ends at the solution of least norm. Every limit is
relative, so that scaling X, y or the weights scales the steps and does not change them. Each
target has its own step lengths; all share the products with X.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from kiso._compute import costs
from kiso._compute.threads import MAX_LANES, lanes, run_lanes
from kiso._validation import Array
from kiso.base import State

from ._moments import is_sparse


@dataclass(frozen=True, kw_only=True)
class GradientState(State):
    """A step of conjugate gradient.

    Attributes
    ----------
    coef : ndarray of shape (d, t)
    rss : ndarray of shape (t,)
        Weighted residual sum of squares.
    n_iter_target : ndarray of shape (t,)
        Steps that each target took until it met the stopping criterion.
    """

    coef: Array
    rss: Array
    n_iter_target: Array


class CentredRows:
    """√w (X − x̄) as an operator, X sparse (CSR) or dense, rows in lanes over threads."""

    def __init__(self, X: Any, Y: Array, weights: Array | None, *, center: bool):
        n, self.d = X.shape
        self.dtype = X.dtype
        size = X.nnz if is_sparse(X) else X.size
        self.cut = lanes(n, max_lanes=max(1, min(MAX_LANES, size // costs.CONJUGATE_LANE_ENTRIES)))
        self.parts = [_view(X, rows) for rows in self.cut]
        self.w = np.ones(n) if weights is None else weights.astype(np.float64)
        self.root_w = np.sqrt(self.w)[:, None]
        total = float(self.w.sum())
        self.x_mean, self.y_mean = np.zeros(self.d), np.zeros(Y.shape[1])
        if center:
            self.x_mean = self._back(self.w[:, None])[:, 0] / total
            self.y_mean = self.w @ Y / total
        self.C = self.root_w * (Y - self.y_mean)

    def forth(self, v: Array) -> Array:
        """Return √w (X − x̄) v, shape (n, t), for v of shape (d, t)."""
        v = v.astype(self.dtype, copy=False)
        parts = run_lanes(lambda rows: self.parts[self.cut.index(rows)] @ v, self.cut)
        return self.root_w * (np.concatenate(parts) - self.x_mean @ v)

    def back(self, u: Array) -> Array:
        """Return (X − x̄)ᵀ √w u, shape (d, t), for u of shape (n, t)."""
        weighted = self.root_w * u
        return self._back(weighted) - self.x_mean[:, None] * weighted.sum(axis=0)

    def _back(self, u: Array) -> Array:
        u = u.astype(self.dtype, copy=False)
        parts = run_lanes(lambda rows: self.parts[self.cut.index(rows)].T @ u[rows], self.cut)
        return np.asarray(np.sum(parts, axis=0, dtype=np.float64))

    def squares(self) -> Array:
        """Return the squared norms of the centred columns, shape (d,)."""

        def lane(rows: slice) -> Array:
            part, w = self.parts[self.cut.index(rows)], self.w[rows]
            if not is_sparse(part):
                return np.asarray(w @ np.square(part, dtype=np.float64))
            values = np.repeat(w, np.diff(part.indptr)) * part.data.astype(np.float64) ** 2
            return np.bincount(part.indices, weights=values, minlength=self.d)

        total = np.sum(run_lanes(lane, self.cut), axis=0)
        return np.maximum(total - self.w.sum() * self.x_mean**2, 0.0)


def _view(X: Any, rows: slice) -> Any:
    """Rows of a matrix, sharing its memory."""
    if not is_sparse(X):
        return X[rows]
    start, stop = X.indptr[rows.start], X.indptr[rows.stop]
    part = (X.data[start:stop], X.indices[start:stop], X.indptr[rows.start : rows.stop + 1] - start)
    return sp.csr_array(part, shape=(rows.stop - rows.start, X.shape[1]))


def conjugate_gradient(
    rows: CentredRows, alphas: Array, *, max_iter: int, tol: float
) -> Iterator[GradientState]:
    """Yield a state after each step, until ‖∇J‖ (in M⁻¹) has fallen to `tol` of its start."""
    t = len(alphas)
    squares = rows.squares()[:, None]
    eps = float(np.finfo(rows.dtype).eps)
    counts = alphas > eps * squares.max(initial=0.0)  # a penalty beside rounding of XᵀX
    mean = float(squares.mean()) if rows.d else 0.0
    M = np.where(counts, squares + alphas, mean if mean > 0 else 1.0)
    # ‖∇J‖² below this is rounding: (eps ‖r‖)² ‖M^(−1/2) Xᵀ‖²
    rounding = (2 * eps) ** 2 * ((squares + alphas) / M).sum(axis=0)
    b, r = np.zeros((rows.d, t)), rows.C.copy()
    s = rows.back(r)
    z = s / M
    p, gamma = z, np.einsum("ij,ij->j", s, z)
    target = tol**2 * gamma
    done = gamma <= target
    n_iter = np.zeros(t, dtype=np.int64)
    for step in range(1, max_iter + 1):
        n_iter[~done] = step
        q = rows.forth(p)
        curvature = np.einsum("ij,ij->j", q, q) + alphas * np.einsum("ij,ij->j", p, p)
        length = np.divide(gamma, curvature, out=np.zeros(t), where=~done & (curvature > 0))
        b = b + length * p
        r = r - length * q
        s = rows.back(r) - alphas * b
        z = s / M
        following = np.einsum("ij,ij->j", s, z)
        done = done | (following <= target) | (curvature <= 0)
        rss = np.einsum("ij,ij->j", r, r)
        costs = rss + alphas * np.einsum("ij,ij->j", b, b)
        done = done | (following <= rounding * costs)
        yield GradientState(
            n_iter=step,
            objective=float(costs.sum()),
            converged=bool(done.all()),
            coef=b,
            rss=rss,
            n_iter_target=n_iter.copy(),
        )
        if done.all():
            return
        p = z + np.divide(following, gamma, out=np.zeros(t), where=gamma > 0) * p
        gamma = following
