"""Linear machines beside the usual one: an L1 penalty, and all classes in one problem.

Symbols as in `_linear_machines`: x̃ = (x, a), w̃ = (w, v), z = X̃ w̃.

**L1 penalty**, squared hinge, C_i = C s_i:

    P(w̃) = ‖w̃‖₁ + Σ C_i max(0, 1 − y_i z_i)²
    D(α) = Σ α_i − Σ α_i² / 4 C_i     for α ≥ 0 with |Σ α_i y_i x̃_ij| ≤ 1 for every j.

At w̃ the slopes α_i = 2 C_i max(0, 1 − y_i z_i), shrunk until they are feasible, give the bound.

**Crammer & Singer**, one w̃_k a class:

    P(W) = ½ Σ_k ‖w̃_k‖² + Σ C_i max_k (x̃_i·w̃_k − x̃_i·w̃_{y_i} + [k ≠ y_i])
    D(α) = −½ Σ_k ‖Σ_i α_ik x̃_i‖² − Σ_i Σ_{k ≠ y_i} α_ik     Σ_k α_ik = 0, α_ik ≤ C_i [k = y_i]

with w̃_k = Σ_i α_ik x̃_i, so that every sweep of the dual knows its gap.

Sources: Yuan, Chang, Hsieh & Lin (2010), A comparison of optimization methods for large-scale
L1-regularized linear classification. Crammer & Singer (2001); Keerthi et al. (2008), A
sequential dual method for large scale multi-class linear SVMs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from kiso._validation import Array

from . import _linear_l1_loops as loops
from ._linear_machines import ROUNDING, Data, Dual, Standing

__all__ = ["CrammerSinger", "L1Descent"]

_MOST_NEWTON = 512  # weights that are not zero, for Newton's steps on them
_SHORTER = 8  # halvings of such a step
_SWEEPS = 8  # between two looks at the gap, where a look costs as much as a sweep


class L1Descent:
    """Coordinate descent in the primal of a machine with an L1 penalty."""

    def __init__(self, data: Data, dual: Dual, tol: float, seed: int):
        n, d = data.X.shape
        self.data, self.tol = data, tol
        self.y = dual.t
        with np.errstate(divide="ignore"):
            self.C = np.where(np.isinf(dual.lam), 0.0, 0.5 / dual.lam)
        self.columns = _with_constant(data).tocsc()
        self.rng = np.random.default_rng(seed)
        self.w, self.m = np.zeros(d + 1), np.ones(n)
        self.n_iter = 0
        self.standing = Standing(self.w.copy(), np.zeros(n), np.inf, -np.inf, 0, False)

    def advance(self, max_iter: int) -> None:
        """Do a few sweeps; then look at the gap."""
        X = self.columns
        for _ in range(min(_SWEEPS, max_iter - self.n_iter)):
            order = self.rng.permutation(len(self.w))
            violation = loops.sweep_weights(
                X.indptr, X.indices, X.data, self.y, self.C, order, self.w, self.m
            )
            self.n_iter += 1
            if violation == 0.0:
                break
        self._newton()
        self.m = 1.0 - self.y * (X @ self.w)  # anew: sums of steps drift
        out = np.maximum(0.0, self.m)
        primal = float(np.abs(self.w).sum() + self.C @ out**2)
        alpha = 2.0 * self.C * out
        slopes = np.abs(X.T @ (alpha * self.y)).max(initial=0.0)
        linear, square = float(alpha.sum()), float(self.C @ out**2)  # Σ α² / 4C
        scale = 1.0 / slopes if slopes > 1.0 else 1.0
        if square > 0.0:
            scale = min(scale, 0.5 * linear / square)
        bound = scale * linear - scale**2 * square
        dual = max(bound, self.standing.dual)
        converged = primal - dual <= max(self.tol, ROUNDING) * abs(primal)
        self.standing = Standing(
            self.w.copy(), scale * alpha * self.y, primal, dual, self.n_iter, converged
        )

    def _newton(self) -> None:
        """Move the weights that are not zero together, where sweeps would take turns for long.

        With their signs kept, P is smooth in them; the step ends where one becomes zero.
        """
        some = np.flatnonzero(self.w)
        if not 0 < len(some) <= _MOST_NEWTON:
            return
        X = self.columns[:, some]
        m = 1.0 - self.y * (X @ self.w[some])
        weight = np.where(m > 0, 2.0 * self.C, 0.0)
        slope = np.sign(self.w[some]) - X.T @ (weight * self.y * m)
        H = (X.T @ X.multiply(weight[:, None])).toarray()
        H[np.diag_indices_from(H)] += 1e-12 * max(float(np.diagonal(H).max()), 1e-300)
        try:
            step = -np.linalg.solve(H, slope)
        except np.linalg.LinAlgError:
            return
        before = float(np.abs(self.w).sum() + self.C @ np.maximum(0.0, m) ** 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.where(step * self.w[some] < 0, -self.w[some] / step, np.inf)
        length = min(1.0, float(ends.min()))
        for _ in range(_SHORTER):
            w = self.w[some] + length * step
            w[ends <= length] = 0.0
            out = np.maximum(0.0, 1.0 - self.y * (X @ w))
            if float(np.abs(w).sum() + self.C @ out**2) < before:
                self.w[some] = w
                return
            length *= 0.5


class CrammerSinger:
    """Dual coordinate descent, a row at a time, of all classes together."""

    def __init__(self, data: Data, codes: Array, C: Array, n_classes: int, tol: float, seed: int):
        n, d = data.X.shape
        self.tol, self.codes, self.C = tol, codes.astype(np.intp), C
        self.rows = _with_constant(data).tocsr()
        self.norms = np.asarray(self.rows.multiply(self.rows).sum(axis=1)).ravel()
        self.rng = np.random.default_rng(seed)
        self.alpha, self.W = np.zeros((n, n_classes)), np.zeros((d + 1, n_classes))
        self.n_iter = 0
        self.standing = Standing(
            self.W.T.copy(), self.alpha.T.copy(), np.inf, -np.inf, 0, False
        )  # fmt: skip

    def advance(self, max_iter: int) -> None:
        """Do a few sweeps; then look at the gap."""
        X = self.rows
        for _ in range(min(_SWEEPS, max_iter - self.n_iter)):
            order = self.rng.permutation(len(self.codes))
            loops.sweep_rows(
                X.indptr, X.indices, X.data, self.codes, self.C, self.norms, order,
                self.alpha, self.W,
            )  # fmt: skip
            self.n_iter += 1
        self.W = np.ascontiguousarray(X.T @ self.alpha)
        z = X @ self.W
        at = np.arange(len(z)), self.codes
        z += 1.0
        z[at] -= 1.0
        out = z.max(axis=1) - z[at]
        square = 0.5 * float((self.W**2).sum())
        primal = square + float(self.C @ out)
        dual = -square - float(self.alpha.sum() - self.alpha[at].sum())
        converged = primal - dual <= max(self.tol, ROUNDING) * abs(primal)
        self.standing = Standing(
            self.W.T.copy(), self.alpha.T.copy(), primal, dual, self.n_iter, converged
        )


def _with_constant(data: Data) -> Any:
    """X with the constant a as its last column, float64, sparse; no column of zeros is stored."""
    constant = np.full((data.X.shape[0], 1), data.a)
    parts = [sparse.csr_array(data.X.astype(np.float64)), sparse.csr_array(constant)]
    return sparse.hstack(parts, format="csr")
