"""Bayesian linear regression: the exact conjugate posterior."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.linalg
from sklearn.utils.validation import check_is_fitted

from kiso._compute.threads import map_rows
from kiso._validation import Array, Integral, RandomState, Real, check_generator, positive

from . import _orthogonal
from ._linear_gaussian import LinearGaussianModel
from ._moments import Moments, moments, residual_moments
from ._posterior import Posterior, PosteriorState, Prior, maximise_evidence


@dataclass(frozen=True)
class BayesProblem:
    """What the solver works on."""

    posterior: Posterior
    at: Moments
    prior: Prior
    dtype: Any


class PosteriorSample(NamedTuple):
    """Draws from a posterior.

    Attributes
    ----------
    coef : ndarray of shape (n_samples, n_features)
    intercept : ndarray of shape (n_samples,)
    noise_variance : ndarray of shape (n_samples,)
    """

    coef: Array
    intercept: Array
    noise_variance: Array


class BayesianLinearRegression(LinearGaussianModel[BayesProblem, PosteriorState]):
    """Linear regression with a Gaussian prior on the weights and its exact posterior.

    y = xᵀ w + b + ε, ε ~ N(0, σ²), with a flat prior on the intercept b and

    - known noise (`noise_variance=σ²`): w ~ N(μ₀, Λ₀), so that w | y ~ N(μ_m, Λ_m) with
      Λ_m = (XᵀX/σ² + Λ₀⁻¹)⁻¹ and μ_m = Λ_m (Xᵀy/σ² + Λ₀⁻¹ μ₀), X and y centred
      (Goodfellow, Bengio & Courville, section 5.6, which has σ² = 1);
    - unknown noise (`noise_variance=None`): w | σ² ~ N(μ₀, σ² Λ₀), σ² ~ IG(a₀, b₀): the
      Normal-inverse-gamma prior, under which predictions follow a Student-t distribution
      (Bishop, *Pattern Recognition and Machine Learning*, exercises 3.12 and 3.13).

    The mean is ridge regression's solution: with μ₀ = 0 and Λ₀ = s I, `Ridge(alpha)` with
    alpha = σ²/s (known noise) or 1/s (unknown noise).

    Parameters
    ----------
    prior_mean : float or array-like of shape (n_features,), default=0.0
        μ₀.
    prior_covariance : float or array-like of shape (n_features,) or \
            (n_features, n_features), default=1.0
        Λ₀ as a multiple of the identity, a diagonal or a matrix; in units of σ² where
        the noise is unknown. Positive definite.
    noise_variance : float, default=None
        σ² > 0 where it is known, in the square of the unit of y.
    noise_shape, noise_scale : float, default=1e-6
        a₀ and b₀ of p(σ²) ∝ σ^(−2a₀−2) exp(−b₀/σ²), where the noise is unknown: as much
        information as 2a₀ observations with variance b₀/a₀.
    fit_intercept : bool, default=True
        Whether there is an intercept. Its prior is flat (improper, of density one).
    optimize_prior : bool, default=False
        Whether to multiply the prior precision Λ₀⁻¹ by the λ that maximises the evidence
        p(y) (MacKay 1992), step by step.
    max_iter : int, default=300
        Largest number of steps of that.
    tol : float, default=1e-6
        It stops when log λ changes by less.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean of w, which is also its mode (MAP).
    intercept_ : float
        Posterior mean of b.
    covariance_ : ndarray of shape (n_features, n_features)
        Posterior covariance of w: Λ_m, or b_m/(a_m − 1) V_m (infinite if a_m ≤ 1).
    noise_variance_ : float
        σ², or b_m/a_m: one over the posterior mean of 1/σ².
    sigma_ : float
        Square root of `noise_variance_`, which `log_likelihood` uses.
    noise_shape_, noise_scale_ : float
        a_m and b_m of the posterior of σ²; NaN where σ² is known.
    prior_precision_ : float
        λ; 1 unless `optimize_prior`.
    n_effective_ : float
        γ, the number of coefficients that the data rather than the prior determine.
    log_marginal_likelihood_ : float
        log p(y), in nats; with an intercept up to the unit of its flat prior.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_iter_,)
        Minus the log marginal likelihood after each step.

    Raises
    ------
    ValueError
        For a prior of the wrong shape or not positive definite, NaN or infinity in the
        data, negative weights.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.linear_model import BayesianLinearRegression
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> model = BayesianLinearRegression(prior_covariance=0.2, noise_variance=1.0).fit(X, y)
    >>> model.coef_.round(6), model.covariance_.round(6)   # 5/(5 + 5) and 1/(5 + 5)
    (array([0.5]), array([[0.1]]))
    >>> mean, std = model.predict([[1.5]], return_std=True)
    >>> mean.round(6), std.round(6)                        # √(1 + 1/4) at the mean of X
    (array([1.5]), array([1.118034]))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "prior_mean": [Real, "array-like"],
        "prior_covariance": [positive(), "array-like"],
        "noise_variance": [positive(), None],
        "noise_shape": [positive()],
        "noise_scale": [positive()],
        "fit_intercept": ["boolean"],
        "optimize_prior": ["boolean"],
        "max_iter": [positive(Integral)],
        "tol": [positive(zero=True)],
    }

    _fits_parts = True

    noise_variance_: float
    noise_shape_: float
    noise_scale_: float
    _mean: Array
    _root: Array
    _total: float

    def __init__(
        self,
        *,
        prior_mean: Any = 0.0,
        prior_covariance: Any = 1.0,
        noise_variance: float | None = None,
        noise_shape: float = 1e-6,
        noise_scale: float = 1e-6,
        fit_intercept: bool = True,
        optimize_prior: bool = False,
        max_iter: int = 300,
        tol: float = 1e-6,
    ):
        self.prior_mean = prior_mean
        self.prior_covariance = prior_covariance
        self.noise_variance = noise_variance
        self.noise_shape = noise_shape
        self.noise_scale = noise_scale
        self.fit_intercept = fit_intercept
        self.optimize_prior = optimize_prior
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Compute the posterior.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; non-negative.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(  # type: ignore[override]
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> BayesProblem:
        X, Y, weights, _ = self._validate(X, y, sample_weight, multi_output=False)
        prior = self._prior(X.shape[1])
        at = moments(X, Y, weights, center=self.fit_intercept)
        if not at.total > 0:
            raise ValueError("sample_weight: at least one row needs a weight > 0")
        if not at.exact:
            if isinstance(X, np.ndarray):
                self._refuse_non_finite(X)
            raise ValueError("the squares of X or y overflow or underflow: scale the columns")
        means = at.x_mean, at.y_mean
        posterior = Posterior(
            at,
            prior,
            partial(residual_moments, X, Y, weights, means),
            partial(_orthogonal.data_triangle, X, Y, weights, means, at.scale),
            center=self.fit_intercept,
        )
        return BayesProblem(posterior, at, prior, X.dtype)

    def _prior(self, d: int) -> Prior:
        mean = np.asarray(self.prior_mean, dtype=np.float64)
        if mean.ndim > 1 or (mean.ndim == 1 and len(mean) != d) or not np.isfinite(mean).all():
            raise ValueError(
                f"prior_mean has shape {mean.shape}: give a number or {d} finite numbers"
            )
        root = _root(np.asarray(self.prior_covariance, dtype=np.float64), d)
        return Prior(
            np.broadcast_to(mean, d), root, self.noise_variance, self.noise_shape, self.noise_scale
        )

    def _iterate(self, problem: BayesProblem) -> Iterator[PosteriorState]:
        if self.optimize_prior:
            yield from maximise_evidence(problem.posterior, max_iter=self.max_iter, tol=self.tol)
        else:
            yield problem.posterior.state(1.0)

    def _fitted(self, problem: BayesProblem, state: PosteriorState) -> dict[str, Any]:
        at, known = problem.at, problem.prior.noise_variance
        variance = state.scale / state.shape if known is None else float(known)
        intercept = (at.y_mean - at.x_mean @ state.mean)[0] if self.fit_intercept else 0.0
        return {
            "coef_": state.mean.astype(problem.dtype),
            "intercept_": problem.dtype.type(intercept),
            "noise_variance_": variance,
            "sigma_": float(np.sqrt(variance)),
            "noise_shape_": state.shape,
            "noise_scale_": state.scale,
            "prior_precision_": state.precision,
            "n_effective_": state.n_effective,
            "log_marginal_likelihood_": -state.objective,
            "n_iter_": state.n_iter,
            "_mean": at.x_mean,
            "_root": state.root,
            "_total": at.total,
        }

    @property
    def covariance_(self) -> Array:
        """Posterior covariance of w."""
        if not hasattr(self, "_root"):
            raise AttributeError("covariance_ is there after fit")
        return self._variance_factor() * (self._root @ self._root.T)

    def _variance_factor(self) -> float:
        """σ², or the posterior mean of σ² where it is unknown."""
        if self.noise_variance is not None:
            return self.noise_variance_
        a, b = self.noise_shape_, self.noise_scale_
        return b / (a - 1) if a > 1 else float("inf")

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean of the predictive distribution, and its standard deviation.

        Normal where the noise is known, with variance σ² (1 + 1/W) + (x − x̄)ᵀ Λ_m (x − x̄);
        Student-t with 2 a_m degrees of freedom where it is not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        return_std : bool, default=False

        Returns
        -------
        mean : ndarray of shape (n_samples,)
        std : ndarray of shape (n_samples,)
            Of a new observation y, noise included; infinite for a Student-t of two
            degrees of freedom or fewer. Only with `return_std=True`.
        """
        mean = super().predict(X)
        if not return_std:
            return mean
        return mean, np.sqrt(self._variance_factor() * self._spread(X))

    def _spread(self, X: Any) -> Array:
        """1 + 1/W + (x − x̄)ᵀ V_m (x − x̄), the predictive variance over σ²."""
        X = np.asarray(X)
        out = np.full(len(X), 1.0 + (1.0 / self._total if self.fit_intercept else 0.0))

        def lane(rows: slice) -> None:
            for start in range(rows.start, rows.stop, 1024):
                part = slice(start, min(start + 1024, rows.stop))
                Z = (X[part] - self._mean) @ self._root
                out[part] += np.einsum("ij,ij->i", Z, Z)

        map_rows(lane, len(X), min_rows=1024)
        return out

    def predictive(self, X: Any) -> Any:
        """Return the predictive distribution of y at each row, as a frozen SciPy distribution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        scipy.stats frozen distribution
            `norm` where the noise is known, else `t`; over arrays of shape (n_samples,).
        """
        from scipy import stats

        mean = super().predict(X)
        scale = np.sqrt(self.noise_variance_ * self._spread(X))
        if self.noise_variance is not None:
            return stats.norm(mean, scale)
        return stats.t(2 * self.noise_shape_, mean, scale)

    def sample_posterior(
        self, n_samples: int = 1, random_state: RandomState = None
    ) -> PosteriorSample:
        """Draw weights, intercepts and noise variances from the posterior.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, Generator, RandomState or None, default=None

        Returns
        -------
        PosteriorSample
            Of arrays `coef` (n_samples, n_features), `intercept` (n_samples,) and
            `noise_variance` (n_samples,).
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"n_samples={n_samples!r}: draw at least one")
        rng = check_generator(random_state)
        variance = np.full(n_samples, self.noise_variance_)
        if self.noise_variance is None:
            variance = self.noise_scale_ / rng.gamma(self.noise_shape_, size=n_samples)
        noise = np.sqrt(variance)[:, None]
        offset = noise * (rng.normal(size=(n_samples, len(self.coef_))) @ self._root.T)
        intercept = np.zeros(n_samples)
        if self.fit_intercept:
            about = rng.normal(size=n_samples) * noise[:, 0] / np.sqrt(self._total)
            intercept = self.intercept_ + about - offset @ self._mean
        return PosteriorSample(self.coef_ + offset, intercept, variance)


def _root(covariance: Array, d: int) -> Array:
    """A square root of the prior covariance: a diagonal (d,) or a lower triangle (d, d)."""
    problem = f"prior_covariance of shape {covariance.shape}"
    if covariance.shape not in {(), (d,), (d, d)}:
        raise ValueError(f"{problem}: give a number, {d} numbers or a ({d}, {d}) matrix")
    if not np.isfinite(covariance).all():
        raise ValueError(f"{problem} holds NaN or infinity")
    if covariance.ndim < 2:
        if (covariance <= 0).any():
            raise ValueError(f"{problem} holds numbers that are not positive")
        return np.sqrt(np.broadcast_to(covariance, d))
    if not np.allclose(covariance, covariance.T, rtol=1e-8):
        raise ValueError(f"{problem} is not symmetric")
    try:
        return np.asarray(scipy.linalg.cholesky(covariance, lower=True))
    except scipy.linalg.LinAlgError:
        raise ValueError(f"{problem} is not positive definite") from None
