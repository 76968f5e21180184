"""Least squares with or without a penalty: the choice of a solver, and what comes of it.

Symbols as in `_moments`; α (t,) are the penalties. Dense data with n ≥ d: normal equations
where their condition allows, else an orthogonal method. Dense data with n < d: the dual.
Sparse data: the Gram matrix of few columns, conjugate gradient for many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin

from kiso._compute import costs
from kiso._parts import Parts
from kiso._validation import Array
from kiso.base import State

from . import _dual, _nonnegative, _normal_equations, _orthogonal, _spectral
from ._conjugate_gradient import CentredRows, conjugate_gradient
from ._linear_gaussian import LinearGaussianModel
from ._moments import (
    Moments,
    is_sparse,
    moments,
    residual_moments,
    sparse_moments,
    sparse_residuals,
)
from ._normal_equations import MIN_RCOND, Solution


@dataclass(frozen=True)
class Problem:
    """A validated regression.

    Attributes
    ----------
    X : ndarray, CSR matrix or Parts of shape (n, d)
        Parts hold Y and the weights, too.
    Y : ndarray of shape (n, t), float64
    weights : ndarray of shape (n,), float64, or None
    alphas : ndarray of shape (t,)
        Penalty of each target, zero for none.
    method : {"normal", "orthogonal", "dual", "dual svd", "gradient", "nonnegative"}
    at : Moments or None
        Where the method needs them.
    one_target : bool
        Whether y was one-dimensional.
    """

    X: Any
    Y: Array
    weights: Array | None
    alphas: Array
    method: str
    at: Moments | None
    one_target: bool


@dataclass(frozen=True, kw_only=True)
class LinearState(State):
    """A linear-Gaussian model; the only state of a direct solver.

    Attributes
    ----------
    coef : ndarray of shape (d, t)
    intercept, sigma : ndarray of shape (t,)
    rank : int or None
        Rank of the centred data; None where the method does not tell.
    triangle : ndarray or None
        A small matrix with the singular values of the centred, weighted data.
    solver : str
    n_iter_target : ndarray of shape (t,) or None
        Steps for each target of an iterative solver.
    """

    coef: Array
    intercept: Array
    sigma: Array
    rank: int | None = None
    triangle: Array | None = None
    solver: str = ""
    n_iter_target: Array | None = None


class PenalisedLeastSquares(MultiOutputMixin, LinearGaussianModel[Problem, LinearState]):
    """Base of LinearRegression and Ridge: `_iterate` by whichever method suits the data."""

    _fits_parts = True

    fit_intercept: bool
    tol: float

    def _problem(
        self,
        X: Any,
        Y: Array,
        weights: Array | None,
        one_target: bool,
        alphas: Array,
        method: str,
    ) -> Problem:
        """Settle the method ("auto" too) and compute the moments where it uses them."""
        center, at = self.fit_intercept, None
        if isinstance(X, Parts):
            method, at = self._method_of_parts(X, Y, method)
        elif is_sparse(X):
            if method in {"auto", "normal"} and X.shape[1] <= costs.RIDGE_SPARSE_COLUMNS:
                at = sparse_moments(X, Y, weights, center=center)
                method = "normal" if at.exact else "gradient"
            elif method != "nonnegative":
                method = "gradient"
        elif len(X) < X.shape[1] and method in {"auto", "normal", "orthogonal"}:
            method = "dual svd" if method == "orthogonal" else "dual"
        elif method in {"auto", "normal"}:
            rough = X.dtype == np.float32 and X.shape[1] >= costs.RIDGE_ROUGH_COLUMNS
            at = moments(X, Y, weights, center=center, rough=rough)
            if rough and not at.exact:
                at = moments(X, Y, weights, center=center)
            method = "normal" if at.exact else "orthogonal"
        if method != "normal" and isinstance(X, np.ndarray):
            # no moments have shown all to be finite
            self._refuse_non_finite(X)
        return Problem(X, Y, weights, alphas, method, at, one_target)

    def _method_of_parts(self, X: Parts, Y: Array, method: str) -> tuple[str, Moments]:
        """The moments, in one pass, and the method: normal equations where they are exact."""
        if X.sparse and X.form.n_features > costs.RIDGE_SPARSE_COLUMNS:
            raise ValueError(
                f"sparse partitions with {X.form.n_features} columns: at most "
                f"{costs.RIDGE_SPARSE_COLUMNS} are supported; hash or select columns, or use "
                "SGDRegressor"
            )
        at = moments(X, Y, None, center=self.fit_intercept)
        if not at.total > 0:
            raise ValueError("sample_weight: at least one row needs a weight > 0")
        if not at.exact:
            raise ValueError("the squares of X or y overflow or underflow: scale the columns")
        if method not in {"orthogonal", "nonnegative"}:
            method = "normal"
        if method != "normal" and X.sparse:
            raise ValueError(
                f"sparse partitions: {type(self).__name__} solves them by their normal equations "
                "alone, which these data or parameters rule out; give dense partitions"
            )
        return method, at

    def _iterate(self, problem: Problem) -> Iterator[LinearState]:
        solve = {
            "normal": self._normal,
            "orthogonal": self._orthogonal,
            "dual": self._dual,
            "dual svd": self._dual,
            "gradient": self._gradient,
            "nonnegative": self._nonnegative,
        }
        yield from solve[problem.method](problem)

    def _normal(self, problem: Problem) -> Iterator[LinearState]:
        """Normal equations; where they cannot be trusted, a method that needs no square."""
        at, sparse = problem.at, is_sparse(problem.X)
        assert at is not None
        residuals = partial(
            sparse_residuals if sparse else residual_moments,
            problem.X,
            problem.Y,
            problem.weights,
            (at.x_mean, at.y_mean),
        )
        min_rcond = max(MIN_RCOND, 10 * self._rank_tol() ** 2)
        found = _normal_equations.solve(at, problem.alphas, residuals, min_rcond=min_rcond)
        if found is None and at.rough:
            center = self.fit_intercept
            at = moments(problem.X, problem.Y, problem.weights, center=center)
            yield from self._normal(replace(problem, at=at))
            return
        if found is None and not problem.alphas.any():
            found = _spectral.solve(at, residuals, self._rank_tol())
        if found is not None:
            yield self._state(problem, found, at.x_mean, at.y_mean)
        else:
            yield from self._gradient(problem) if sparse else self._orthogonal(problem)

    def _orthogonal(self, problem: Problem) -> Iterator[LinearState]:
        means, scale = self._means_and_scale(problem)
        data = problem.X, problem.Y, problem.weights
        found = _orthogonal.solve_tall(*data, means, scale, problem.alphas, self._rank_tol())
        yield self._state(problem, found, *means)

    def _dual(self, problem: Problem) -> Iterator[LinearState]:
        found, x_mean, y_mean = _dual.solve(
            problem.X,
            problem.Y,
            problem.weights,
            problem.alphas,
            self._rank_tol(),
            center=self.fit_intercept,
            svd=problem.method == "dual svd",
        )
        yield self._state(problem, found, x_mean, y_mean)

    def _gradient(self, problem: Problem) -> Iterator[LinearState]:
        rows = self._operator(problem)
        max_iter = self._max_iter(max(1000, 10 * min(problem.X.shape)))
        for state in conjugate_gradient(rows, problem.alphas, max_iter=max_iter, tol=self.tol):
            yield LinearState(
                n_iter=state.n_iter,
                objective=state.objective,
                converged=state.converged,
                coef=state.coef,
                intercept=rows.y_mean - rows.x_mean @ state.coef,
                sigma=np.sqrt(state.rss / rows.w.sum()),
                solver="sparse_cg",
                n_iter_target=state.n_iter_target,
            )

    def _nonnegative(self, problem: Problem) -> Iterator[LinearState]:
        if is_sparse(problem.X):
            rows = self._operator(problem)
            coef, rss, n_iter = _nonnegative.solve_sparse(
                rows, problem.alphas, max_iter=self._max_iter(15_000), tol=self.tol
            )
            found = Solution(coef, rss, None, None, "lbfgs")
            yield self._state(problem, found, rows.x_mean, rows.y_mean, n_iter)
        else:
            means, scale = self._means_and_scale(problem)
            data = problem.X, problem.Y, problem.weights
            coef, rss = _nonnegative.solve_dense(*data, means, scale, problem.alphas)
            yield self._state(problem, Solution(coef, rss, None, None, "nnls"), *means)

    def _operator(self, problem: Problem) -> CentredRows:
        return CentredRows(problem.X, problem.Y, problem.weights, center=self.fit_intercept)

    def _max_iter(self, default: int) -> int:
        return getattr(self, "max_iter", None) or default

    def _means_and_scale(self, problem: Problem) -> tuple[tuple[Array, Array], Array]:
        """Means of X and Y, and a size of each column of X; zero for a constant one."""
        at = problem.at
        if at is not None and at.exact:
            return (at.x_mean, at.y_mean), at.scale
        center = self.fit_intercept
        x_mean, scale = _orthogonal.safe_scale(problem.X, problem.weights, center=center)
        y_mean, _ = _orthogonal.safe_scale(problem.Y, problem.weights, center=center)
        return (x_mean, y_mean), scale

    def _state(
        self,
        problem: Problem,
        found: Solution,
        x_mean: Array,
        y_mean: Array,
        n_iter: Array | None = None,
    ) -> LinearState:
        """The only state of a direct solver, from its solution in centred coordinates."""
        if not np.isfinite(found.coef).all():
            raise ValueError(
                "the least-squares solution overflows float64: the data range over too many "
                "orders of magnitude; scale the columns of X, or y"
            )
        if problem.at is not None:
            total: Any = problem.at.total
        else:
            total = len(problem.Y) if problem.weights is None else problem.weights.sum()
        rss = np.maximum(found.rss, 0.0)
        penalty = ((np.sqrt(problem.alphas) * found.coef) ** 2).sum(axis=0)
        return LinearState(
            n_iter=1 if n_iter is None else int(n_iter.max()),
            objective=float((rss + penalty).sum()),
            converged=True,
            coef=found.coef,
            intercept=y_mean - x_mean @ found.coef,
            sigma=np.sqrt(rss / total),
            rank=found.rank,
            triangle=found.triangle,
            solver=found.solver,
            n_iter_target=n_iter,
        )

    def _rank_tol(self) -> float:
        """Relative size below which a singular value counts as zero."""
        return 0.0

    def _shaped(self, problem: Problem, state: LinearState, *, flat: bool) -> dict[str, Any]:
        """Fitted attributes in the shapes and precision that scikit-learn gives them."""
        dtype = problem.X.dtype
        coef = np.ascontiguousarray(state.coef.T, dtype=dtype)
        intercept = state.intercept.astype(dtype)
        one = problem.one_target
        return {
            "coef_": coef[0] if one or (flat and len(coef) == 1) else coef,
            "intercept_": (intercept[0] if one else intercept) if self.fit_intercept else 0.0,
            "sigma_": float(state.sigma[0]) if one else state.sigma,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
