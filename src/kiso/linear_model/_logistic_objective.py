"""The objective of logistic regression, its gradient and its curvature, in one pass each.

With x̃ = (x, 1) (or x, where there is no intercept), rows i of weight sᵢ, Σ sᵢ = 1, and
parameters θ of shape (p, K): p = d + 1 (or d); K = 1 for two classes, else the number of
classes,

    f(θ) = Σᵢ sᵢ ℓ(yᵢ, x̃ᵢᵀθ) + (λ/2) ‖θ without the intercept‖²

    ∇f = Σᵢ x̃ᵢ rᵢᵀ + λθ,     rᵢ = sᵢ ∂ℓ/∂z,

    ∇²f = Σᵢ Cᵢ ⊗ x̃ᵢ x̃ᵢᵀ + λI,   Cᵢ = sᵢ σ(1 − σ), or sᵢ (diag(pᵢ) − pᵢ pᵢᵀ).

A pass walks the rows in cache-sized blocks: margins, residuals and the products with the
rows are made of a block while it is in cache, so the data are read once, whatever is
asked for. Lanes of rows run on threads, each with sums of its own in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from kiso._compute import costs
from kiso._compute.rows import CsrRows, DenseRows, rows_of
from kiso._compute.threads import blocks, map_rows, one_blas_thread
from kiso._validation import Array

from . import _logistic_loops as loops

__all__ = ["Evaluation", "Objective"]


@dataclass(frozen=True)
class Evaluation:
    """The objective at a point.

    Attributes
    ----------
    value : float
        f(θ).
    gradient : ndarray of shape (p, K)
        ∇f(θ), float64.
    worst : float
        The largest 1 − p_y over the rows; below ½ the point separates the classes.
    hessian : ndarray of shape (K·p, K·p) or None
        ∇²f(θ), class by class, where it was asked for.
    """

    value: float
    gradient: Array
    worst: float
    hessian: Array | None = None


Rows = Callable[
    [slice, Array], None
]  # what a pass does with a block: its rows and their probabilities


@dataclass(frozen=True)
class Objective:
    """f, its gradient and its curvature on given data.

    Attributes
    ----------
    X : ndarray or CSR array of shape (n, d), float32 or float64
    y : ndarray of shape (n,), intp
        The classes, numbered from 0.
    s : ndarray of shape (n,), float64
        The rows' weights; they sum to 1.
    n_classes : int
    intercept : bool
    l2 : float
        λ.
    """

    X: Any
    y: Array
    s: Array
    n_classes: int
    intercept: bool
    l2: float

    @property
    def shape(self) -> tuple[int, int]:
        """(p, K), the shape of θ."""
        K = 1 if self.n_classes == 2 else self.n_classes
        return self.X.shape[1] + self.intercept, K

    @property
    def n_rows(self) -> int:
        """Rows."""
        return len(self.y)

    @property
    def n_entries(self) -> int:
        """Numbers that a pass reads."""
        return int(self.X.size if isinstance(self.X, np.ndarray) else self.X.nnz)

    @cached_property
    def _design(self) -> DenseRows | CsrRows:
        return rows_of(self.X)

    def subset(self, rows: Array) -> Objective:
        """Return the objective of some of the rows alone, their weights summing to 1."""
        s = self.s[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], s=s / s.sum())

    def value_gradient(self, theta: Array) -> Evaluation:
        """Give f and ∇f at θ, in one pass."""
        evaluation, _ = self._walk(theta, None)
        return evaluation

    def hessian(self, theta: Array) -> Evaluation:
        """Give f, ∇f and ∇²f at θ, in one pass.

        The blocks of ∇²f off the diagonal are −Σᵢ sᵢ pₖ pₗ x̃ᵢ x̃ᵢᵀ, and each row of blocks
        sums to zero: so those above the diagonal are all that is computed.
        """
        p, K = self.shape
        pairs = [(k, m) for k in range(K) for m in range(k + 1, K)]
        evaluation, grams = self._pass_with_grams(theta, pairs or [(0, 0)])
        if K == 1:
            H = grams[0]
        else:
            H = np.zeros((K, p, K, p))
            for (k, m), gram in zip(pairs, grams, strict=True):
                H[k, :, m] = H[m, :, k] = -gram
                H[k, :, k] += gram
                H[m, :, m] += gram
            H = H.reshape(K * p, K * p)
        self._add_penalty(H)
        return replace(evaluation, hessian=H)

    def class_hessians(self, theta: Array) -> list[Array]:
        """Compute the K diagonal blocks of ∇²f, each (p, p); at θ = 0 they are one array.

        One pass a class: the margins, done K times, are little work beside the products,
        and K sums in each lane at once would take more memory than the data.
        """
        K = self.shape[1]
        blocks = []
        for k in range(K if theta.any() else 1):
            _, (gram,) = self._pass_with_grams(theta, [(k, k)])
            self._add_penalty(gram)
            blocks.append(gram)
        return blocks * (K // len(blocks))

    def diagonal(self, theta: Array) -> Array:
        """Compute the diagonal of ∇²f, shape (p, K)."""
        p, K = self.shape
        d = self.X.shape[1]

        def start() -> tuple[Array, Rows]:
            D = np.zeros((p, K))

            def use(rows: slice, prob: Array) -> None:
                c = self.s[rows, None] * prob * (1.0 - prob)
                self._design.add_squares(rows, c.astype(self.X.dtype), D[:d])
                if self.intercept:
                    D[d] += c.sum(axis=0)

            return D, use

        _, parts = self._walk(theta, start)
        D = np.sum(parts, axis=0)
        D[:d] += self.l2
        return D

    def _add_penalty(self, H: Array) -> None:
        p, _ = self.shape
        penalised = np.arange(len(H)) % p < self.X.shape[1]
        H[penalised, penalised] += self.l2

    def _pass_with_grams(
        self, theta: Array, pairs: list[tuple[int, int]]
    ) -> tuple[Evaluation, list[Array]]:
        """Sum sᵢ pₖ pₘ x̃ᵢ x̃ᵢᵀ for each pair k ≠ m, sᵢ pₖ(1 − pₖ) x̃ᵢ x̃ᵢᵀ for k = m."""
        p, _ = self.shape

        def start() -> tuple[list[Array], Rows]:
            grams = [np.zeros((p, p)) for _ in pairs]

            def use(rows: slice, prob: Array) -> None:
                for (k, m), gram in zip(pairs, grams, strict=True):
                    other = 1.0 - prob[:, k] if k == m else prob[:, m]
                    self._design.add_gram(rows, self.s[rows] * prob[:, k] * other, gram)

            return grams, use

        evaluation, parts = self._walk(theta, start)
        return evaluation, [np.sum(grams, axis=0) for grams in zip(*parts, strict=True)]

    def _walk(
        self, theta: Array, start: Callable[[], tuple[Any, Rows]] | None
    ) -> tuple[Evaluation, list[Any]]:
        """One pass: f and ∇f, and what `use(rows, probabilities)` gathers in each lane."""
        d = self.X.shape[1]
        p, K = self.shape
        dtype = self.X.dtype
        W = np.ascontiguousarray(theta[:d], dtype=dtype)
        b = theta[d] if self.intercept else np.zeros(K)
        size = self._design.block_rows(K)

        def lane(rows: slice) -> tuple[float, Array, float, Any]:
            z = np.empty((min(size, rows.stop - rows.start), K), dtype)
            G, loss, worst = np.zeros((p, K)), 0.0, 0.0
            gathered, use = start() if start else (None, None)
            for block in blocks(rows, size):
                r = z[: block.stop - block.start]
                self._design.margins(block, W, r)
                more, miss = self._residuals(r, b, block)
                loss, worst = loss + more, max(worst, miss)
                self._design.add_adjoint(block, r, G[:d])
                if self.intercept:
                    G[d] += r.sum(axis=0, dtype=np.float64)
                if use:
                    use(block, self._probabilities(r, block))
            return loss, G, worst, gathered

        n = len(self.y)
        min_rows = max(1, costs.LOGISTIC_LANE_ENTRIES * n // max(1, self.n_entries))
        with one_blas_thread():  # also for a single lane: too little work for BLAS's threads
            parts = map_rows(lane, n, min_rows=max(min_rows, p) if start else min_rows)
        losses, gradients, misses, gathered = zip(*parts, strict=True)
        G = np.sum(gradients, axis=0)
        G[:d] += self.l2 * theta[:d]
        value = sum(losses) + 0.5 * self.l2 * float(np.vdot(theta[:d], theta[:d]))
        return Evaluation(float(value), G, max(misses)), list(gathered)

    def _residuals(self, z: Array, b: Array, rows: slice) -> tuple[float, float]:
        if z.shape[1] == 1:
            return loops.binary_residuals(z, float(b[0]), self.y[rows], self.s[rows])
        return loops.softmax_residuals(z, b, self.y[rows], self.s[rows])

    def _probabilities(self, r: Array, rows: slice) -> Array:
        """Recover the probabilities from residuals: p = r / s + [k = y]; ½ where s = 0."""
        s = self.s[rows, None]
        prob = np.divide(r, s, out=np.full(r.shape, 0.5), where=s > 0)
        y = self.y[rows]
        if r.shape[1] == 1:
            prob[:, 0] += y
        else:
            prob[np.arange(len(y)), y] += 1.0
        return np.clip(prob, 0.0, 1.0, out=prob)
