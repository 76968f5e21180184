"""Newton's method in the primal of a linear support vector machine.

For squared losses the primal is smooth:

    P(w̃) = ½ ‖w̃‖² + Σ uᵢ outᵢ²,      βᵢ = −2 uᵢ outᵢ   minus the slope of the loss at zᵢ,

    ∇P = w̃ − X̃ᵀ β,      H = I + X̃ᵀ diag(2 uᵢ, where outᵢ ≠ 0) X̃.

P is piecewise quadratic: H is constant while no row changes its side, so with an exact
line search the method ends after finitely many steps (Keerthi & DeCoste 2005). The system
H p = −∇P is solved by Cholesky where H is small, else by conjugate gradient. The duality gap
of w̃ and β is ½ ‖∇P‖²: the certificate is the gradient that the method has anyway.

The hinge and its like have no slope at the kink. Their dual is solved by the proximal
point method (the augmented Lagrangian of the primal, Rockafellar 1976): each round
maximises D(β) − ½ Σ λᵢ (βᵢ − centerᵢ)², whose own dual is of the form above with the losses
rounded off,

    lᵢ(z) = max over β in its box   (tᵢ − z) β − ε|β| − ½ λᵢ (β − centerᵢ)²,

then moves the centre to the β found and divides λ. Rounds get sharper and start nearer,
so that most take a step or two, whatever the scales of the features.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from kiso._compute import costs
from kiso._compute.threads import blocks, lanes, map_rows, one_blas_thread, run_lanes
from kiso._validation import Array

from . import _linear_loops as loops
from ._linear_machines import ROUNDING, Data, Dual, Standing

__all__ = ["Newton"]

_MAX_CONJUGATE = 250  # steps of conjugate gradient
_FORCING = 0.1  # largest relative residual that they leave
_MAX_SEARCH = 60  # steps of a line search
_INEXACT = 0.1  # of the gap that is left, how exactly a round is solved
_SOFT = 0.1  # λ u of the first round, as a share of the targets' size
_SHARPEST = 1e-9  # of the first λ
_SHARPER = 3.0  # by how much λ falls from a round to the next


class Newton:
    """One machine, stepping by Newton's method."""

    standing: Standing

    def __init__(self, data: Data, dual: Dual, tol: float, start: Standing | None = None):
        n, d = data.X.shape
        self.data, self.dual, self.tol = data, dual, tol
        self.w, self.center, n_iter = np.zeros(d + 1), np.zeros(n), 0
        self.bound = -np.inf, self.center  # the largest D so far, and its β
        if start is not None:
            n_iter, self.bound = start.n_iter, (start.dual, start.beta)
            if start.primal < dual.at_zero():
                self.w = start.w
                self.center = self.center if dual.squared else start.beta
        self.z = data.scores(self.w)
        self.beta, self.curvature = np.empty(n), np.empty(n)
        self.lam = dual.lam if dual.squared else self._softness()
        self.direct = d + 1 <= costs.NEWTON_CHOLESKY_COLUMNS
        self._stand(n_iter)
        self.first = self._norm()

    def advance(self, max_iter: int) -> None:
        """Do one step."""
        done = self.standing.n_iter
        if self.standing.converged:
            return
        p = self._direction()
        along = self.data.scores(p)
        step = self._search(p, along)
        before = self.smooth
        self.w = self.w + step * p
        self.z = self.z + step * along
        self._stand(done + 1)
        if self.standing.converged:
            return
        still = step == 0.0 or self.smooth >= before  # rounding hides any further decrease
        if self.dual.squared:
            if still and not self.direct:
                self.standing = replace(self.standing, converged=True)
            self.direct = self.direct and not still  # where Cholesky is stuck
        elif still or self.inner <= _INEXACT * (self.standing.primal - self.standing.dual):
            self._sharpen(done + 1)

    def _softness(self) -> Array:
        """λ of the first round: a loss is rounded over a tenth of the targets' size."""
        size = float(np.abs(self.dual.t).max(initial=0.0)) or 1.0
        with np.errstate(divide="ignore"):
            return _SOFT * size / np.maximum(self.dual.hi, -self.dual.lo)

    def _sharpen(self, n_iter: int) -> None:
        """Begin the next round of the proximal point method."""
        self.center = self.beta.copy()
        self.lam = np.maximum(self.lam / _SHARPER, _SHARPEST * self._softness())
        self._stand(n_iter)

    def _norm(self) -> float:
        return float(np.linalg.norm(self.gradient))

    def _stand(self, n_iter: int) -> None:
        """Respond to the scores: β, the gradient, and what they say of the gap."""
        smooth, loss = loops.respond(self.z, *self._rounded, self.center, self.beta, self.curvature)
        own = 0.5 * float(self.w @ self.w)
        sums = self.data.adjoint(self.beta)
        self.gradient = self.w - sums
        self.smooth = own + smooth
        self.inner = 0.5 * float(self.gradient @ self.gradient)  # gap of the rounded problem
        if self.dual.squared:
            primal, gap, beta = self.smooth, self.inner, self.beta.copy()
        else:
            primal, value = own + loss, self.dual.value(self.beta, float(sums @ sums))
            if value > self.bound[0]:  # a sharper round may begin with a β that proves less
                self.bound = value, self.beta.copy()
            gap, beta = primal - self.bound[0], self.bound[1]
        least = 0.0 if self.dual.squared else ROUNDING
        converged = gap <= max(self.tol, least) * primal
        self.standing = Standing(self.w, beta, primal, primal - gap, n_iter, converged)

    @property
    def _rounded(self) -> tuple[Array, Array, Array, Array, float]:
        t, lo, hi, _, eps = self.dual.arrays
        return t, lo, hi, self.lam, eps

    def _search(self, p: Array, along: Array) -> float:
        """Minimise P over w̃ + step · p: Newton on its slope, which is piecewise linear."""
        low, high, step = 0.0, np.inf, 1.0
        linear, square = float(self.w @ p), float(p @ p)
        start = float(self.gradient @ p)
        for _ in range(_MAX_SEARCH):
            slope, curvature = loops.slope_along(self.z, along, *self._rounded, self.center, step)
            slope += linear + step * square
            back = slope / (curvature + square)
            if abs(slope) <= 0.1 * abs(start) and back <= 0.1 * step:
                break
            if slope < 0.0:
                low = step
            else:
                high = step
            step -= back
            if not low < step < high:
                if high == np.inf:
                    step = 10.0 * low
                else:  # steps may lie many powers of ten apart where features do
                    step = float(np.sqrt(low * high)) if low > 0.0 else 0.01 * high
        return step

    def _direction(self) -> Array:
        if self.direct:
            try:
                with one_blas_thread():  # too little work for BLAS's threads
                    factor = cho_factor(self._hessian(), overwrite_a=True)
                    return -cho_solve(factor, self.gradient)
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
