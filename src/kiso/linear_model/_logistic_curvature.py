"""What a solver knows of ∇²f, as something that solves M x = g.

`Full` is the Hessian itself; `ClassBlocks` its K diagonal blocks, without the coupling of
the classes; `Diagonal` its diagonal. Each is scaled to a unit diagonal first, so that the
units of the features do not matter, and factored as M = L Lᵀ; where M is singular
(collinear columns without a penalty) a small multiple of the unit matrix is added.

`Sampled` computes such a curvature from some of the rows, which for a first guess that
L-BFGS corrects is as good as all of them: but for columns that are rare in the sample (a
category that it misses would look free of curvature): there the diagonal is raised to
that of all rows. Nowhere else, since that would spoil what cancels between columns.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from kiso._compute import costs
from kiso._compute.threads import one_blas_thread, run_lanes
from kiso._validation import Array

from ._logistic_objective import Objective

__all__ = [
    "ClassBlocks",
    "Curvature",
    "Diagonal",
    "Full",
    "Sampled",
    "raise_diagonal",
    "sample_size",
]

_RARE = 2.0  # a diagonal entry below the true one by more than this is put right


class Curvature(Protocol):
    """A positive definite matrix that is like ∇²f."""

    def solve(self, g: Array) -> Array:
        """Give M⁻¹ g for g of shape (p, K)."""


class _Factor:
    """L of one symmetric matrix, scaled to unit diagonal."""

    def __init__(self, H: Array, precision: float):
        diagonal = np.diagonal(H)
        floor = np.finfo(float).tiny / precision
        self.scale = 1.0 / np.sqrt(np.where(diagonal > floor, diagonal, 1.0))
        H = H * self.scale[:, None]
        H *= self.scale
        shift = 16.0 * precision * len(H)
        while True:
            np.fill_diagonal(H, 1.0 + shift)
            try:
                with one_blas_thread():
                    self.factor = cho_factor(H, lower=True, check_finite=False)
                return
            except np.linalg.LinAlgError:
                shift *= 100.0

    def solve(self, g: Array) -> Array:
        scaled = g * self.scale if g.ndim == 1 else g * self.scale[:, None]
        with one_blas_thread():
            x = cho_solve(self.factor, scaled, check_finite=False)
        x *= self.scale if g.ndim == 1 else self.scale[:, None]
        return x


class Full:
    """∇²f of all classes together, (K·p, K·p), class by class."""

    def __init__(self, H: Array, precision: float):
        self.factor = _Factor(H, precision)

    def solve(self, g: Array) -> Array:
        p, K = g.shape
        return _centred(self.factor.solve(g.T.ravel()).reshape(K, p).T)


class ClassBlocks:
    """The K diagonal blocks of ∇²f, each (p, p)."""

    def __init__(self, blocks: list[Array], precision: float):
        distinct = list({id(H): H for H in blocks}.values())
        each = [slice(k, k + 1) for k in range(len(distinct))]
        factors = run_lanes(lambda k: _Factor(distinct[k.start], precision), each)
        found = dict(zip(map(id, distinct), factors, strict=True))
        self.factors = [found[id(H)] for H in blocks]

    def solve(self, g: Array) -> Array:
        x = [f.solve(g[:, k]) for k, f in enumerate(self.factors)]
        return np.stack(x, axis=1)


class Diagonal:
    """The diagonal of ∇²f, shape (p, K); features that never vary are left where they are."""

    def __init__(self, D: Array):
        self.inverse = np.divide(1.0, D, out=np.zeros_like(D), where=D > 0)

    def solve(self, g: Array) -> Array:
        return g * self.inverse


def _centred(x: Array) -> Array:
    """Take out of a step what adds the same to every class: it changes no probability."""
    return x - x.mean(axis=1, keepdims=True) if x.shape[1] > 1 else x


class Sampled:
    """A curvature at any θ, from a sample of the rows; which one depends on the sizes.

    Up to K·p = 1,200 it is `Full`, up to p = 2,000 `ClassBlocks`, beyond `Diagonal` (of
    all rows).

    Attributes
    ----------
    rows : Objective
        The objective of the sample; the whole objective where there are few rows.
    """

    def __init__(
        self,
        objective: Objective,
        rng: np.random.Generator,
        *,
        max_block: int = costs.CURVATURE_BLOCK_SIDE,
    ):
        self.objective = objective
        self.eps = float(np.finfo(objective.X.dtype).eps)
        n, (p, K) = objective.n_rows, objective.shape
        m = sample_size(min(p, max_block), K)
        if 2 * m < n:
            self.rows = objective.subset(np.sort(rng.choice(n, m, replace=False, shuffle=False)))
        else:
            self.rows = objective

    def __call__(self, theta: Array) -> Curvature:
        """Give the curvature at θ."""
        if len(theta) > costs.CURVATURE_BLOCK_SIDE:
            return Diagonal(self.objective.diagonal(theta))
        matrices = self.matrices(self.rows, theta)
        if self.rows is not self.objective:
            raise_diagonal(matrices, self.objective.diagonal(theta))
        if len(matrices) == 1:
            return Full(matrices[0], self.eps)
        return ClassBlocks(matrices, self.eps)

    @staticmethod
    def matrices(rows: Objective, theta: Array) -> list[Array]:
        """Compute ∇²f whole, where it is small, else its K diagonal blocks."""
        if theta.size <= costs.CURVATURE_FULL_SIDE:
            whole = rows.hessian(theta).hessian
            assert whole is not None
            return [whole]
        return rows.class_hessians(theta)


def raise_diagonal(matrices: list[Array], diagonal: Array) -> None:
    """Put right, in place, what a sample missed of a diagonal, given that of all rows (p, K)."""
    for H, right in zip(matrices, np.split(diagonal.T.ravel(), len(matrices)), strict=True):
        own = np.einsum("ii->i", H)
        np.copyto(own, right, where=right > _RARE * own)


def sample_size(p: int, K: int) -> int:
    """Rows that a curvature of this many parameters is taken from."""
    return max(
        costs.CURVATURE_SAMPLE_ROWS,
        costs.CURVATURE_ROWS_PER_PARAMETER * (p * K if p * K <= costs.CURVATURE_FULL_SIDE else p),
    )
