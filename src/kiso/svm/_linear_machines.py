"""One linear support vector machine: its primal, its dual, and coordinate descent in the dual.

Symbols as in `_linear_loops`: x̃ = (x, a), w̃ = (w, v), z = X̃ w̃ the scores, β the dual
variables, u = C sᵢ. With `out` the part of z − t that is beyond ε on a side that costs,

    P(w̃) = ½ ‖w̃‖² + Σ u |out|            (hinge, ε-insensitive;   λ = 0,      |β| ≤ u)
    P(w̃) = ½ ‖w̃‖² + Σ u out²             (their squares;          λ = 1/2u,  |β| < ∞)
    D(β) = Σ t β − ε Σ |β| − ½ ‖Σ βᵢ x̃ᵢ‖² − ½ Σ λ β²  ≤  P(w̃)   for every w̃ and β,

equal at the solution alone: P − D, the duality gap, bounds how far both are from it. As P
is strongly convex, also ½ ‖w̃ − w̃*‖² ≤ P(w̃) − P*  ≤  P − D.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from sklearn.utils.extmath import row_norms

from kiso._compute import costs
from kiso._compute.rows import CsrRows, DenseRows, rows_of
from kiso._compute.threads import blocks, map_rows, one_blas_thread
from kiso._validation import Array

from . import _linear_loops as loops

__all__ = ["ROUNDING", "CoordinateDescent", "Data", "Dual", "Machine", "Standing"]

_FIRST = 0.1  # violation that the first chunk aims at, for targets of size 1
_CAUTION = {False: 0.3, True: 0.1}  # by whether losses are squared; measured on a9a and reuters
ROUNDING = 1e-14  # relative gap below which primal and dual differ by rounding


@dataclass(frozen=True)
class Data:
    """The rows x̃ = (x, a) that every machine of a fit shares.

    Attributes
    ----------
    X : C-contiguous ndarray or CSR matrix of shape (n, d), float32 or float64
    a : float
        The constant that the intercept multiplies, 0 for no intercept.
    """

    X: Any
    a: float

    @cached_property
    def rows(self) -> DenseRows | CsrRows:
        return rows_of(self.X)

    @property
    def dense(self) -> bool:
        return isinstance(self.X, np.ndarray)

    @property
    def n_entries(self) -> int:
        """Numbers that a pass reads."""
        return int(self.X.size if self.dense else self.X.nnz)

    @cached_property
    def min_rows(self) -> int:
        """Rows of a lane that is worth a thread."""
        return max(1, costs.DUAL_LANE_ENTRIES * self.X.shape[0] // max(1, self.n_entries))

    @cached_property
    def parts(self) -> tuple[Array, Array, Array, Array, bool]:
        """X, and CSR's data, indices and indptr; those that are not there of size 1."""
        if self.dense:
            index = np.zeros(1, np.int32)
            return self.X, np.zeros(1, self.X.dtype), index, index, True
        X = self.X
        return np.zeros((1, 1), X.dtype), X.data, X.indices, X.indptr, False

    @cached_property
    def norms(self) -> Array:
        """‖x̃ᵢ‖²."""
        return np.asarray(row_norms(self.X, squared=True), np.float64) + self.a**2

    def quiet(self) -> AbstractContextManager[None]:
        """Hold BLAS to one thread where a pass uses it: it has too little work for more."""
        return one_blas_thread() if self.dense else nullcontext()

    def scores(self, w: Array) -> Array:
        """Give z = X̃ w̃."""
        z = np.empty((self.X.shape[0], 1))
        W = np.ascontiguousarray(w[:-1, None], dtype=self.X.dtype if self.dense else None)

        def lane(rows: slice) -> None:
            self.rows.margins(rows, W, z[rows])

        with self.quiet():
            map_rows(lane, len(z), min_rows=self.min_rows)
        z += self.a * w[-1]
        return z[:, 0]

    def adjoint(self, r: Array) -> Array:
        """Give X̃ᵀ r."""
        d = self.X.shape[1]
        R = r.astype(self.X.dtype if self.dense else np.float64, copy=False)[:, None]
        size = self.rows.block_rows(1)

        def lane(rows: slice) -> Array:
            G = np.zeros((d, 1))
            for block in blocks(rows, size):
                self.rows.add_adjoint(block, R[block], G)
            return G

        with self.quiet():
            parts = map_rows(lane, len(r), min_rows=self.min_rows)
        return np.append(np.sum(parts, axis=0)[:, 0], self.a * r.sum())


@dataclass(frozen=True)
class Dual:
    """What one machine learns: targets, the box of its dual variables, and λ.

    Attributes
    ----------
    t, lo, hi, lam : ndarray of shape (n,), float64
    eps : float
    squared : bool
        Whether the losses are squared (λ > 0, hi or −lo infinite).
    """

    t: Array
    lo: Array
    hi: Array
    lam: Array
    eps: float
    squared: bool

    @classmethod
    def of(cls, t: Array, u: Array, eps: float, *, squared: bool, one_sided: bool) -> Dual:
        """Build it from the weights u = C sᵢ; `one_sided` for t = ±1 as classes."""
        limit = np.where(u > 0.0, np.inf, 0.0) if squared else u
        with np.errstate(divide="ignore"):
            lam = 0.5 / u if squared else np.zeros_like(u)
        hi = np.where(t > 0, limit, 0.0) if one_sided else limit
        lo = np.where(t > 0, 0.0, -limit) if one_sided else -limit
        return cls(t, lo, hi, lam, eps, squared)

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array, float]:
        return self.t, self.lo, self.hi, self.lam, self.eps

    def at_zero(self) -> float:
        """Give P(0)."""
        out = np.maximum(0.0, np.abs(self.t) - self.eps)
        losses = 0.5 * out**2 / self.lam if self.squared else np.maximum(self.hi, -self.lo) * out
        return float(losses.sum())

    def value(self, beta: Array, square: float) -> float:
        """Give D(β), with ‖Σ βᵢ x̃ᵢ‖² known."""
        value = float(self.t @ beta) - 0.5 * square
        if self.eps:
            value -= self.eps * float(np.abs(beta).sum())
        if self.squared:
            used = beta != 0.0
            value -= 0.5 * float(self.lam[used] @ beta[used] ** 2)
        return value


@dataclass(frozen=True)
class Standing:
    """Where one machine stands.

    Attributes
    ----------
    w : ndarray of shape (d + 1,)
    beta : ndarray of shape (n,)
    primal, dual : float
    n_iter : int
    converged : bool
    """

    w: Array
    beta: Array
    primal: float
    dual: float
    n_iter: int
    converged: bool


class Machine(Protocol):
    """What a solver of one machine has to do."""

    standing: Standing

    def advance(self, max_iter: int) -> None:
        """Do a chunk of iterations, up to `max_iter` of them in all; then stand."""


class CoordinateDescent:
    """Dual coordinate descent with shrinking (Hsieh et al. 2008; Ho & Lin 2012).

    A chunk goes through the active rows until their violations are small, or the work is
    enough. Then one pass over all rows gives the primal, the gap, and the rows that are
    active from here on: a row that was left out wrongly comes back.
    """

    def __init__(self, data: Data, dual: Dual, tol: float, seed: int):
        n, d = data.X.shape
        self.data, self.dual, self.tol = data, dual, tol
        self.beta, self.w = np.zeros(n), np.zeros(d + 1)
        self.active = np.flatnonzero(dual.lo != dual.hi).astype(np.int32)
        self.n_active, self.threshold = len(self.active), np.inf
        idle = np.flatnonzero(dual.lo == dual.hi).astype(np.int32)
        self.active = np.concatenate([self.active, idle])
        self.random = np.array([seed | 1], dtype=np.uint64)
        self.work = 0  # entries read; as many as the data hold count as one iteration
        self.goal = _FIRST * float(np.abs(dual.t).max(initial=0.0)) or _FIRST
        self.standing = Standing(self.w.copy(), self.beta.copy(), np.inf, -np.inf, 0, False)

    def advance(self, max_iter: int) -> None:
        """Do one chunk."""
        data = self.data
        a_pass = data.n_entries + len(self.beta)
        budget = min(costs.DUAL_CHUNK_ENTRIES, max_iter * a_pass - self.work)
        if (
            data.n_entries <= costs.DUAL_SMALL_ENTRIES
        ):  # an epoch a chunk at first, for who looks on
            budget = min(budget, self.work // 8)
        work, self.n_active, violation, _ = loops.descend(
            *data.parts, data.a, *self.dual.arrays, data.norms, self.beta, self.w,
            self.active, self.n_active, self.threshold, self.random,
            _CAUTION[self.dual.squared], self.goal, budget,
        )  # fmt: skip
        self.work += work
        z = data.scores(self.w)
        self.n_active, loss, largest = loops.activate(
            z, *self.dual.arrays, self.beta, self.dual.squared, violation, self.active
        )
        self.threshold = largest if largest > 0.0 else np.inf
        square = float(self.w @ self.w)
        primal, dual = 0.5 * square + loss, self.dual.value(self.beta, square)
        if violation <= self.goal:  # the gap goes about with the square of the violation
            wanted = np.sqrt(self.tol * primal / max(primal - dual, 1e-300))
            self.goal *= min(max(0.7 * wanted, 0.1), 0.5)
        self.standing = Standing(
            self.w.copy(), self.beta.copy(), primal, dual,
            min(max_iter, -(-self.work // a_pass)),
            largest == 0.0 or primal - dual <= max(self.tol, ROUNDING) * abs(primal),
        )  # fmt: skip
