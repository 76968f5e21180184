"""What the linear-Gaussian models share: p(y | x) = N(y; xᵀ w + b, σ²).

Validation, the choice of a solver, prediction, the likelihood. Symbols as in `_moments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_is_fitted,
    validate_data,
)

from kiso._validation import FLOATS, Array
from kiso.base import IterativeEstimator, State

from . import _dual, _nonnegative, _normal_equations, _orthogonal
from ._conjugate_gradient import CentredRows, GradientState, conjugate_gradient
from ._moments import Moments, is_sparse, moments, residual_moments, sparse_moments
from ._normal_equations import MIN_RCOND, Solution

SPARSE_COLUMNS = 1024  # up to here the Gram matrix of sparse data is formed


@dataclass(frozen=True)
class Problem:
    """A validated regression.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n, d)
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


class LinearGaussianModel(MultiOutputMixin, RegressorMixin, IterativeEstimator):  # type: ignore[type-arg]
    """Base of the least-squares family: `_prepare` and `_iterate` from a choice of method."""

    fit_intercept: bool
    tol: float
    coef_: Array
    intercept_: Any
    sigma_: Any

    def _validate(self, X: Any, y: Any, sample_weight: Any, **accept: Any) -> tuple[Any, ...]:
        """Return X, Y (n, t), weights or None, and whether y had one dimension.

        Dense X is not yet searched for NaN and infinity: the moments show them without
        another pass over the data (`_refuse_non_finite`).
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=FLOATS,
            y_numeric=True,
            ensure_all_finite=is_sparse(X),
            multi_output=True,
            **accept,
        )
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        Y = np.asarray(y, dtype=np.float64)
        return X, Y.reshape(len(Y), -1), weights, y.ndim == 1

    def _refuse_non_finite(self, X: Any) -> None:
        """Raise scikit-learn's error if there is a NaN or an infinity."""
        check_array(X, dtype=FLOATS, estimator=self, input_name="X")

    def _problem(
        self,
        X: Any,
        Y: Array,
        weights: Array | None,
        one_target: bool,
        alphas: Array,
        method: str,
    ) -> Problem:
        """Compute what the method needs; settle what the data decide."""
        center = self.fit_intercept
        at = None
        if is_sparse(X):
            if method in {"normal", "auto"} and X.shape[1] <= SPARSE_COLUMNS:
                at = sparse_moments(X, Y, weights, center=center)
            method = "normal" if at is not None and at.exact else _sparse_method(method)
        elif method == "gradient":
            self._refuse_non_finite(X)
        elif len(X) < X.shape[1] and method != "nonnegative":
            self._refuse_non_finite(X)
            method = "dual svd" if method == "orthogonal" else "dual"
        else:
            at = moments(X, Y, weights, center=center)
            if not at.exact:
                self._refuse_non_finite(X)
            method = "normal" if method == "auto" else method
        return Problem(X, Y, weights, alphas, method, at, one_target)

    def _iterate(self, problem: Problem) -> Iterator[LinearState]:
        center = self.fit_intercept
        rank_tol = self._rank_tol()
        if problem.method == "gradient":
            yield from self._by_gradient(problem)
            return
        if problem.method.startswith("dual"):
            svd = problem.method == "dual svd"
            X, Y, w = problem.X, problem.Y, problem.weights
            found, *means = _dual.solve(X, Y, w, problem.alphas, rank_tol, center=center, svd=svd)
            yield self._state(problem, found, means[0], means[1])
        elif problem.method == "nonnegative":
            yield self._nonnegative(problem)
        else:
            yield from self._by_moments(problem, rank_tol)

    def _by_moments(self, problem: Problem, rank_tol: float) -> Iterator[LinearState]:
        """Normal equations where they can be trusted, else an orthogonal method."""
        at = problem.at
        assert at is not None
        means = at.x_mean, at.y_mean
        found = None
        sparse = is_sparse(problem.X)
        if at.exact and problem.method == "normal":
            residuals = partial(
                _sparse_residuals if sparse else residual_moments,
                problem.X,
                problem.Y,
                problem.weights,
                means,
            )
            min_rcond = max(MIN_RCOND, 10 * rank_tol**2)
            found = _normal_equations.solve(at, problem.alphas, residuals, min_rcond=min_rcond)
        if found is None and sparse:
            yield from self._by_gradient(problem)
            return
        if found is None:
            means, scale = self._means_and_scale(problem)
            X, Y, w = problem.X, problem.Y, problem.weights
            found = _orthogonal.solve_tall(X, Y, w, means, scale, problem.alphas, rank_tol)
        yield self._state(problem, found, *means)

    def _means_and_scale(self, problem: Problem) -> tuple[tuple[Array, Array], Array]:
        at = problem.at
        assert at is not None
        if at.exact:
            return (at.x_mean, at.y_mean), at.scale
        center = self.fit_intercept
        x_mean, scale = _orthogonal.safe_scale(problem.X, problem.weights, center=center)
        y_mean, _ = _orthogonal.safe_scale(problem.Y, problem.weights, center=center)
        return (x_mean, y_mean), scale

    def _by_gradient(self, problem: Problem) -> Iterator[LinearState]:
        center = self.fit_intercept
        rows = CentredRows(problem.X, problem.Y, problem.weights, center=center)
        max_iter = getattr(self, "max_iter", None) or max(1000, 10 * min(problem.X.shape))
        for state in conjugate_gradient(rows, problem.alphas, max_iter=max_iter, tol=self.tol):
            yield self._from_gradient(problem, rows, state)

    def _from_gradient(
        self, problem: Problem, rows: CentredRows, state: GradientState
    ) -> LinearState:
        return LinearState(
            n_iter=state.n_iter,
            objective=state.objective,
            converged=state.converged,
            coef=state.coef,
            intercept=rows.y_mean - rows.x_mean @ state.coef,
            sigma=np.sqrt(state.rss / rows.w.sum()),
            solver="sparse_cg",
            n_iter_target=state.n_iter_target,
        )

    def _nonnegative(self, problem: Problem) -> LinearState:
        if is_sparse(problem.X):
            center = self.fit_intercept
            rows = CentredRows(problem.X, problem.Y, problem.weights, center=center)
            max_iter: int = getattr(self, "max_iter", None) or 15000
            coef, rss, n_iter = _nonnegative.solve_sparse(
                rows, problem.alphas, max_iter=max_iter, tol=self.tol
            )
            found = Solution(coef, rss, 0, np.empty((0, 0)), "lbfgs")
            return self._state(problem, found, rows.x_mean, rows.y_mean, n_iter)
        means, scale = self._means_and_scale(problem)
        coef, rss = _nonnegative.solve_dense(
            problem.X, problem.Y, problem.weights, means, scale, problem.alphas
        )
        return self._state(problem, Solution(coef, rss, 0, np.empty((0, 0)), "nnls"), *means)

    def _state(
        self,
        problem: Problem,
        found: Solution,
        x_mean: Array,
        y_mean: Array,
        n_iter: Array | None = None,
    ) -> LinearState:
        """The last state, from a solution in centred coordinates."""
        if not np.isfinite(found.coef).all():
            raise ValueError(
                "the least-squares solution overflows float64: the data range over too many "
                "orders of magnitude; scale the columns of X, or y"
            )
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

    def predict(self, X: Any) -> Array:
        """Return the mean of y at each row, X w + b.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
        """
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            reset=False,
            dtype=FLOATS,
            accept_sparse=["csr", "csc", "coo"],
            ensure_all_finite=is_sparse(X),
        )
        with np.errstate(all="ignore"):
            y = X @ self.coef_.T + self.intercept_
        if not np.isfinite(y).all():  # any NaN or infinity in X ends up here
            self._refuse_non_finite(X)
        return y

    def log_likelihood(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the log-likelihood of data under the fitted model, with noise `sigma_`.

        Σ wᵢ log N(yᵢ; xᵢᵀ w + b, σ²) = −(W/2) log(2 π σ²) − Σ wᵢ (yᵢ − xᵢᵀ w − b)² / (2 σ²),
        with W = Σ wᵢ; summed over targets (CS229, part I, section 3; Goodfellow 5.5.1).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.

        Returns
        -------
        float
            In nats; the sum over rows, not the mean. A fit without residuals (`sigma_`
            zero) gives infinity on data that it fits and −infinity on others.
        """
        predicted = self.predict(X)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.shape != predicted.shape:
            raise ValueError(f"y has shape {y.shape}; predictions have {predicted.shape}")
        w = np.ones(len(y))
        if sample_weight is not None:
            w = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        rss = w @ ((y - predicted) ** 2).reshape(len(y), -1)
        variance = np.atleast_1d(np.square(self.sigma_, dtype=np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            misfit = np.where(rss == 0, 0.0, rss / variance)
            terms = -0.5 * w.sum() * np.log(2 * np.pi * variance) - 0.5 * misfit
        # a perfect model of other data: −log σ → ∞ is outdone by rss / σ² → ∞
        return float(np.where(np.isinf(misfit), -np.inf, terms).sum())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _sparse_method(method: str) -> str:
    return "nonnegative" if method == "nonnegative" else "gradient"


def _sparse_residuals(
    X: Any, Y: Array, weights: Array | None, means: tuple[Array, Array], coef: Array
) -> tuple[Array, Array]:
    """`residual_moments` of sparse data."""
    w = np.ones((X.shape[0], 1)) if weights is None else weights[:, None]
    r = (Y - means[1]) - (X @ coef - means[0] @ coef)
    gradient = X.T @ (w * r) - means[0][:, None] * (w * r).sum(axis=0)
    return np.asarray(gradient), (w * r**2).sum(axis=0)
