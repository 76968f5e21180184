"""Least squares with fewer rows than columns, through the n × n matrix of inner products.

    K = √w (X − x̄)(X − x̄)ᵀ √w,   (K + α I) λ = √w (Y − ȳ),   b = (X − x̄)ᵀ √w λ

α → 0 gives the solution of least norm. With an intercept u = √w/‖√w‖ is a null vector of
K, and the right-hand side is orthogonal to it; adding c u uᵀ makes K regular and leaves λ
as it is.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.threads import block_rows, blocks, lanes, run_lanes
from kiso._validation import Array

from ._normal_equations import FINE_RCOND, MIN_RCOND, Cholesky, Solution
from ._orthogonal import solve_wide


class WideRows:
    """√w (X − x̄) in blocks of columns, in lanes over threads, and √w (Y − ȳ)."""

    def __init__(self, X: Array, Y: Array, weights: Array | None, *, center: bool):
        n, d = X.shape
        self.X, self.center = X, center
        self.w = np.ones(n) if weights is None else weights
        self.root_w = np.sqrt(self.w)[:, None]
        self.total = float(self.w.sum())
        self.size = block_rows(n, 8)
        # as many lanes as have their n × n products in a quarter of the data
        self.cut = lanes(d, max_lanes=max(1, min(16, d // (8 * n))), min_rows=256)
        self.x_mean = np.zeros(d)
        y_mean = self._mean(Y)
        self.y_mean = y_mean if center else np.zeros_like(y_mean)
        self.C = self.root_w * (Y - self.y_mean)
        if center:
            run_lanes(self._set_means, self.cut)

    def _mean(self, part: Array) -> Array:
        """Weighted mean in two steps: the second takes off the rounding of the first."""
        first = self.w @ part / self.total
        return np.asarray(first + self.w @ (part - first) / self.total)

    def _set_means(self, lane: slice) -> None:
        for cols in blocks(lane, self.size):
            self.x_mean[cols] = self._mean(self.X[:, cols])

    def block(self, cols: slice) -> Array:
        """Return √w (X − x̄) for some columns, float64."""
        part = self.X[:, cols] - self.x_mean[cols]
        part *= self.root_w
        return part

    def gram(self) -> Array:
        """Return K, with the null vector of an intercept filled in."""
        n = len(self.X)

        def lane_gram(lane: slice) -> Array:
            K, step = np.zeros((n, n)), np.empty((n, n))
            with np.errstate(all="ignore"):
                for cols in blocks(lane, max(self.size, 2 * n)):
                    B = self.block(cols)
                    K += np.matmul(B, B.T, out=step)
            return K

        K, *others = run_lanes(lane_gram, self.cut)
        for other in others:
            K += other
        if self.center:
            K += np.trace(K) / n * np.outer(self.unit, self.unit)
        return K

    @property
    def unit(self) -> Array:
        """The null vector u of a centred K."""
        return self.root_w[:, 0] / np.sqrt(self.total)

    def coef(self, dual: Array) -> tuple[Array, Array]:
        """Return b = (X − x̄)ᵀ √w λ and √w (X − x̄) b."""
        b = np.empty((self.X.shape[1], dual.shape[1]))

        def lane_fit(lane: slice) -> Array:
            fit = np.zeros(dual.shape)
            for cols in blocks(lane, self.size):
                B = self.block(cols)
                b[cols] = B.T @ dual
                fit += B @ b[cols]
            return fit

        return b, np.sum(run_lanes(lane_fit, self.cut), axis=0)


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
        whole = rows.block(slice(None))
        coef, rss, rank, s = solve_wide((whole, rows.C), alphas, tol)
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
        coef[:, of], fit = rows.coef(dual)
        for _ in range(2 if factor.rcond < FINE_RCOND else 0):
            dual += factor.solve(rows.C[:, of] - fit - alpha * dual)
            coef[:, of], fit = rows.coef(dual)
        rss[of] = ((rows.C[:, of] - fit) ** 2).sum(axis=0)
    rank = len(factor.active) - int(rows.center)
    triangle = factor.into_triangle()
    if rows.center:
        u = rows.unit[factor.active]
        triangle = triangle - np.outer(triangle @ u, u)
    return Solution(coef, rss, rank, triangle, "cholesky")
