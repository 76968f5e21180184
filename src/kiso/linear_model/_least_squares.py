"""Least squares, the maximum-likelihood linear model."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import scipy.linalg

from kiso._compute.threads import TakesJobs
from kiso._validation import Array, positive

from ._moments import is_sparse
from ._penalised import LinearState, PenalisedLeastSquares, Problem


class LinearRegression(TakesJobs, PenalisedLeastSquares):
    """Ordinary least squares: maximum likelihood under Gaussian noise.

    Minimises Σ wᵢ (yᵢ − xᵢᵀ w − b)², which maximises the likelihood of
    y = xᵀ w + b + ε, ε ~ N(0, σ²), whatever σ (CS229 part I, sections 1.2 and 1.3;
    Goodfellow, Bengio & Courville, section 5.5.1).

    One threaded pass over the data gives the normal equations, which are solved by
    Cholesky factorisation with iterative refinement; where a condition estimate says that
    they cannot be trusted (collinear columns), their eigenvalues, or an orthogonal
    decomposition where those leave a doubt, give the solution of least norm. Columns may
    differ in scale and offset by many orders of magnitude.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never written to.
    tol : float, default=1e-6
        Dense data: singular values of the centred data, its columns scaled to norm one,
        that are below `tol` times the largest count as zero. (scikit-learn does not scale
        the columns first, and so loses columns in small units.) Sparse data: relative
        size of the gradient at which conjugate gradient stops.
    n_jobs : int, default=None
        Accepted for scikit-learn's sake; threads are the cores given to the process.
    positive : bool, default=False
        Whether coefficients have to be ≥ 0. Dense data only.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    sigma_ : float or ndarray of shape (n_targets,)
        Maximum-likelihood estimate of the noise's standard deviation, in units of y:
        √(Σ wᵢ rᵢ² / Σ wᵢ), which is biased low (no degrees of freedom are taken off).
    rank_ : int
        Rank of the centred data. Dense data, `positive=False`.
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the centred (and weighted) data, largest first, computed from
        the triangular factor when they are first asked for. Dense data, `positive=False`.
    n_iter_ : ndarray of shape (n_targets,) or None
        Steps of conjugate gradient on sparse data; None for direct solvers.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_steps,)

    Raises
    ------
    ValueError
        For NaN or infinity, negative weights, weights that are all zero.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> y = X @ [1.0, 2.0] + 3.0 + [0.1, -0.1, -0.1, 0.1]
    >>> model = LinearRegression().fit(X, y)
    >>> model.coef_.round(6), round(float(model.intercept_), 6), round(model.sigma_, 6)
    (array([1., 2.]), 3.0, 0.1)
    >>> round(model.log_likelihood(X, y), 4)
    3.5346
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "tol": [positive(zero=True)],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
    }

    rank_: int
    _spectrum: tuple[Array, int]

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
    ):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; non-negative.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(  # type: ignore[override]
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> Problem:
        accept = {} if self.positive else {"accept_sparse": "csr"}
        X, Y, weights, one_target = self._validate(X, y, sample_weight, **accept)
        method = "nonnegative" if self.positive else "auto"
        return self._problem(X, Y, weights, one_target, np.zeros(Y.shape[1]), method)

    def _fitted(self, problem: Problem, state: LinearState) -> dict[str, Any]:
        fitted = self._shaped(problem, state, flat=False)
        fitted["n_iter_"] = state.n_iter_target
        if state.triangle is not None and not self.positive and not is_sparse(problem.X):
            fitted["rank_"] = state.rank
            fitted["_spectrum"] = state.triangle, min(problem.X.shape)
        return fitted

    def _rank_tol(self) -> float:
        return self.tol

    @property
    def singular_(self) -> Array:
        """Singular values of the centred, weighted data."""
        if not hasattr(self, "_spectrum"):
            raise AttributeError("singular_ is there after a fit of dense data")
        triangle, size = self._spectrum
        if triangle.ndim == 2:
            values = np.zeros(size)
            if triangle.size:
                found = scipy.linalg.svdvals(triangle)[:size]
                values[: len(found)] = found
            triangle = values.astype(self.coef_.dtype)
            self._spectrum = triangle, size
        return triangle

    def __getstate__(self) -> dict[str, Any]:
        """Leave the triangular factor behind: a stored model holds the singular values."""
        if hasattr(self, "_spectrum"):
            _ = self.singular_
        return super().__getstate__()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags
