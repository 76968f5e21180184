"""Newton's method in the primal of a linear support vector machine with a squared loss.

    P(w̃) = ½ ‖w̃‖² + Σ uᵢ outᵢ²,      rᵢ = 2 uᵢ outᵢ  the slope of the loss at the score zᵢ,

    ∇P = w̃ + X̃ᵀ r,      H = I + X̃ᵀ diag(2 uᵢ, where outᵢ ≠ 0) X̃.

P is piecewise quadratic: H is constant while no row changes its side, so with an exact
line search the method ends after finitely many steps (Keerthi & DeCoste 2005). The system
H p = −∇P is solved by Cholesky where H is small, else by conjugate gradient.

β = −r are dual variables, and their duality gap is P(w̃) − D(β) = ½ ‖∇P(w̃)‖²: the
certificate of a fit is the gradient that the method has anyway.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from kiso._parallel import blocks, lanes, map_rows, one_blas_thread, run_lanes
from kiso._validation import Array

from . import _linear_loops as loops
from ._linear_machines import Data, Dual, Standing

__all__ = ["Newton"]

_MAX_CHOLESKY = 512  # columns of H up to which it is formed
_MAX_CONJUGATE = 250  # steps of conjugate gradient
_FORCING = 0.1  # largest relative residual that they leave
_MAX_SEARCH = 50  # steps of a line search


class Newton:
    """One machine, stepping by Newton's method."""

    standing: Standing

    def __init__(self, data: Data, dual: Dual, tol: float):
        n, d = data.X.shape
        self.data, self.dual, self.tol = data, dual, tol
        self.w, self.z = np.zeros(d + 1), np.zeros(n)
        self.r, self.curvature = np.empty(n), np.empty(n)
        self.direct = d + 1 <= _MAX_CHOLESKY
        self._stand(0)
        self.first = self._norm()

    def advance(self, max_iter: int) -> None:
        """Do one step."""
        done = self.standing.n_iter
        if self.standing.converged:
            return
        p = self._direction()
        along = self.data.scores(p)
        step = self._search(p, along)
        before = self.standing.primal
        self.w = self.w + step * p
        self.z = self.z + step * along
        self._stand(done + 1)
        if step == 0.0 or self.standing.primal >= before:  # rounding hides any further decrease
            s = self.standing
            self.standing = Standing(s.w, s.beta, s.primal, s.dual, s.n_iter, converged=True)

    def _norm(self) -> float:
        return float(np.linalg.norm(self.gradient))

    def _stand(self, n_iter: int) -> None:
        loss = loops.residuals(self.z, *self.dual.arrays, self.r, self.curvature)
        self.gradient = self.w + self.data.adjoint(self.r)
        primal = 0.5 * float(self.w @ self.w) + loss
        gap = 0.5 * float(self.gradient @ self.gradient)
        converged = gap <= self.tol * primal
        self.standing = Standing(self.w, -self.r, primal, primal - gap, n_iter, converged)

    def _search(self, p: Array, along: Array) -> float:
        """Minimise P over w̃ + step · p: Newton on its slope, which is piecewise linear."""
        low, high, step = 0.0, np.inf, 1.0
        linear, square = float(self.w @ p), float(p @ p)
        start = float(self.gradient @ p)
        for _ in range(_MAX_SEARCH):
            slope, curvature = loops.slope_along(self.z, along, *self.dual.arrays, step)
            slope += linear + step * square
            if abs(slope) <= 1e-3 * abs(start):
                break
            if slope < 0.0:
                low = step
            else:
                high = step
            step -= slope / (curvature + square)
            if not low < step < high:
                step = 0.5 * (low + high) if high < np.inf else 2.0 * low
        return step

    def _direction(self) -> Array:
        if self.direct:
            try:
                return -cho_solve(cho_factor(self._hessian(), overwrite_a=True), self.gradient)
            except LinAlgError:  # H is not positive to the digits of the data
                self.direct = False
        return self._conjugate_gradient()

    def _hessian(self) -> Array:
        data, c = self.data, self.curvature
        p = len(self.w)
        size = data.rows.block_rows(p)

        def lane(rows: slice) -> Array:
            H = np.zeros((p, p))
            for block in blocks(rows, size) if data.dense else [rows]:
                data.rows.add_gram(block, c[block], H)
            return H

        with one_blas_thread():
            H = np.sum(map_rows(lane, len(c), min_rows=max(p, data.min_rows)), axis=0)
        H[-1] *= data.a
        H[:, -1] *= data.a
        H[np.diag_indices(p)] += 1.0
        return np.asarray(H)

    def _conjugate_gradient(self) -> Array:
        """Solve H p = −∇P, the better the nearer the solution is, with H's diagonal before it."""
        diagonal = self._diagonal()
        p, r = np.zeros_like(self.w), -self.gradient
        forcing = min(_FORCING, self._norm() / self.first)
        y = r / diagonal
        q, energy = y, float(r @ y)
        goal = forcing**2 * energy
        rows = np.flatnonzero(self.curvature).astype(np.int32)
        for _ in range(_MAX_CONJUGATE):
            Hq = q + self._times(q, rows)
            length = energy / float(q @ Hq)
            p = p + length * q
            r = r - length * Hq
            y = r / diagonal
            energy, last = float(r @ y), energy
            if energy <= goal:
                break
            q = y + (energy / last) * q
        return p

    def _diagonal(self) -> Array:
        data = self.data
        c = self.curvature.astype(data.X.dtype, copy=False)[:, None]

        def lane(rows: slice) -> Array:
            D = np.zeros((len(self.w) - 1, 1))
            for block in blocks(rows, data.rows.block_rows(1)):
                data.rows.add_squares(block, c[block], D)
            return D

        parts = map_rows(lane, len(c), min_rows=data.min_rows)
        squares = np.append(np.sum(parts, axis=0)[:, 0], data.a**2 * self.curvature.sum())
        return np.asarray(1.0 + squares)

    def _times(self, v: Array, rows: Array) -> Array:
        """Give X̃ᵀ diag(curvature) X̃ v."""
        if self.data.dense:
            return self.data.adjoint(self.curvature * self.data.scores(v))
        X = self.data.X

        def lane(part: slice) -> Array:
            out = np.zeros_like(v)
            loops.add_hessian_times(
                X.indptr, X.indices, X.data, rows[part], self.curvature, self.data.a, v, out
            )
            return out

        cut = lanes(len(rows), min_rows=self.data.min_rows)
        return np.asarray(np.sum(run_lanes(lane, cut), axis=0))
