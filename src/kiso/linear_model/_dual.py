"""Least squares with fewer rows than columns, through the n × n matrix of inner products.

    K = √w (X − x̄)(X − x̄)ᵀ √w,   (K + α I) λ = √w (Y − ȳ),   b = (X − x̄)ᵀ √w λ

α → 0 gives the solution of least norm. With an intercept u = √w/‖√w‖ is a null vector of
K, and the right-hand side is orthogonal to it; adding c u uᵀ makes K regular and leaves λ
as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg.blas import dsyrk

from kiso._parallel import blocks
from kiso._validation import Array

from ._normal_equations import FINE_RCOND, MIN_RCOND, Cholesky, Solution
from ._orthogonal import solve_wide

BLOCK_BYTES = 1 << 22


class WideRows:
    """√w (X − x̄)ᵀ in blocks of columns of X, and √w (Y − ȳ)."""

    def __init__(self, X: Array, Y: Array, weights: Array | None, *, center: bool):
        self.X, self.center = X, center
        self.w = np.ones(len(X)) if weights is None else weights.astype(np.float64)
        self.root_w = np.sqrt(self.w)
        self.total = float(self.w.sum())
        self.y_mean = self._mean(Y) if center else np.zeros(Y.shape[1])
        self.x_mean = np.zeros(X.shape[1])
        self.columns = max(64, BLOCK_BYTES // (8 * len(X)))
        if center:
            for cols in blocks(slice(0, X.shape[1]), self.columns):
                self.x_mean[cols] = self._mean(X[:, cols])
        self.C = self.root_w[:, None] * (Y - self.y_mean)

    def _mean(self, part: Array) -> Array:
        """Weighted mean in two steps: the second takes off the rounding of the first."""
        first = self.w @ part / self.total
        constant = (part == part[:1]).all(axis=0)
        return np.where(constant, part[0], first + self.w @ (part - first) / self.total)

    def __iter__(self) -> Iterator[tuple[slice, Array]]:
        for cols in blocks(slice(0, self.X.shape[1]), self.columns):
            yield cols, self.root_w[:, None] * (self.X[:, cols] - self.x_mean[cols])

    def gram(self) -> Array:
        """Return K, with the null vector of an intercept filled in."""
        n = len(self.X)
        K = np.zeros((n, n), order="F")
        for _, B in self:
            K = dsyrk(1.0, B.T, trans=True, beta=1.0, c=K, overwrite_c=True)
        K += np.triu(K, 1).T
        if self.center:
            K += np.trace(K) / n * np.outer(self.unit, self.unit)
        return K

    @property
    def unit(self) -> Array:
        """The null vector u of a centred K."""
        return self.root_w / np.sqrt(self.total)

    def coef(self, dual: Array) -> tuple[Array, Array]:
        """Return b = (X − x̄)ᵀ √w λ and √w (X − x̄) b."""
        b, fit = np.empty((self.X.shape[1], dual.shape[1])), np.zeros(dual.shape)
        for cols, B in self:
            b[cols] = B.T @ dual
            fit += B @ b[cols]
        return b, fit


def solve(
    X: Array,
    Y: Array,
    weights: Array | None,
    alphas: Array,
    tol: float,
    *,
    center: bool,
    svd: bool = False,
) -> tuple[Solution, Array, Array]:
    """Solve for every target; returns the solution and the means x̄, ȳ."""
    rows = WideRows(X, Y, weights, center=center)
    with np.errstate(all="ignore"):
        found = None if svd else _by_cholesky(rows, alphas, max(MIN_RCOND, 10 * tol**2))
    if found is None:
        B = np.hstack([block for _, block in rows])
        coef, rss, rank, s = solve_wide((B, rows.C), alphas, tol)
        found = Solution(coef, rss, rank, np.diag(s), "svd")
    return found, rows.x_mean, rows.y_mean


def _by_cholesky(rows: WideRows, alphas: Array, min_rcond: float) -> Solution | None:
    K = rows.gram()
    scale = np.sqrt(np.maximum(np.diagonal(K), 0.0))
    if not np.isfinite(scale).all():
        return None
    coef = np.empty((rows.X.shape[1], len(alphas)))
    rss = np.empty(len(alphas))
    for alpha in np.unique(alphas):
        of = alphas == alpha
        factor = Cholesky(K, float(alpha), scale)
        if not factor.rcond >= min_rcond:
            return None
        dual = factor.solve(rows.C[:, of])
        for _ in range(2 if factor.rcond < FINE_RCOND else 1):
            coef[:, of], fit = rows.coef(dual)
            error = rows.C[:, of] - fit - alpha * dual
            if factor.rcond < FINE_RCOND:
                dual += factor.solve(error)
        coef[:, of], fit = rows.coef(dual)
        rss[of] = ((rows.C[:, of] - fit) ** 2).sum(axis=0)
    rank = len(factor.active) - int(rows.center)
    triangle = factor.into_triangle()
    if rows.center:
        u = rows.unit[factor.active]
        triangle = triangle - np.outer(triangle @ u, u)
    return Solution(coef, rss, rank, triangle, "cholesky")
