"""The conjugate posterior against the printed formulas, ridge, quadrature and its own draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.linear_model import BayesianLinearRegression, LinearRegression, Ridge
from tests.naive import bayes_regression as naive


@parametrize_with_checks(
    [BayesianLinearRegression(), BayesianLinearRegression(noise_variance=0.5, optimize_prior=True)]
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def covariances(rng, d):
    A = rng.normal(size=(d, d))
    return {"scalar": 0.7, "diagonal": rng.uniform(0.2, 2, d), "matrix": A @ A.T + np.eye(d)}


def full(covariance, d):
    covariance = np.asarray(covariance)
    return covariance if covariance.ndim == 2 else np.diag(np.broadcast_to(covariance, d))


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 10),
    d=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["scalar", "diagonal", "matrix"]),
    order=st.sampled_from(["C", "F"]),
    weighted=st.booleans(),
    fit_intercept=st.booleans(),
)
def test_against_the_printed_formulas(n, d, seed, kind, order, weighted, fit_intercept):
    rng = np.random.default_rng(seed)
    X, y = np.asarray(rng.normal(size=(n, d)), order=order), rng.normal(size=n)
    w = rng.integers(1, 4, size=n) if weighted else None
    mean0, cov0, variance = rng.normal(size=d), covariances(rng, d)[kind], 0.8
    prior = {"prior_mean": mean0, "prior_covariance": cov0, "fit_intercept": fit_intercept}
    model = BayesianLinearRegression(noise_variance=variance, **prior).fit(X, y, w)
    mean, cov = naive.posterior(X, y, mean0, full(cov0, d), variance, w, fit_intercept)
    assert_allclose(model.coef_, mean[:d], rtol=1e-9, atol=1e-10)
    assert_allclose(model.covariance_, cov[:d, :d], rtol=1e-9, atol=1e-12)
    if fit_intercept:
        assert_allclose(model.intercept_, mean[d], rtol=1e-9, atol=1e-10)
    Q = rng.normal(size=(5, d))
    Z = np.column_stack([Q, np.ones(5)]) if fit_intercept else Q
    predicted, std = model.predict(Q, return_std=True)
    assert_allclose(predicted, Z @ mean, rtol=1e-9, atol=1e-10)
    assert_allclose(std**2, variance + np.einsum("ij,jk,ik->i", Z, cov, Z), rtol=1e-9)
    # unknown noise: the same mean where the prior is in units of the noise
    unit, unit_cov = naive.posterior(X, y, mean0, full(cov0, d), 1.0, w, fit_intercept)
    unknown = BayesianLinearRegression(noise_shape=3, noise_scale=2, **prior).fit(X, y, w)
    assert_allclose(unknown.coef_, unit[:d], rtol=1e-9, atol=1e-10)
    total = n if w is None else w.sum()
    assert_allclose(unknown.noise_shape_, 3 + (total - fit_intercept) / 2)
    ratio = unknown.noise_scale_ / (unknown.noise_shape_ - 1)
    assert_allclose(unknown.covariance_, ratio * unit_cov[:d, :d], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_mode_is_ridge(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)) * [1, 1e3, 1e-3, 1, 1, 1] + 10
    X[:, 4] = X[:, 5] + 1e-6 * X[:, 4]
    y = X @ rng.normal(size=6) + rng.normal(size=200)
    X, y = X.astype(dtype), y.astype(dtype)
    tol = 1e-10 if dtype == np.float64 else 1e-6
    ridge = Ridge(2.5).fit(X, y)
    for model in (
        BayesianLinearRegression(prior_covariance=0.4),
        BayesianLinearRegression(prior_covariance=0.2, noise_variance=0.5),
        BayesianLinearRegression(prior_covariance=0.2 * np.eye(6), noise_variance=0.5),
    ):
        found = model.fit(X, y)
        assert found.coef_.dtype == dtype
        assert_allclose(found.coef_, ridge.coef_, rtol=tol, atol=tol)
        assert_allclose(found.intercept_, ridge.intercept_, rtol=tol)


def test_vague_prior_on_collinear_data():
    """α/‖X‖² is 1e-14: the normal equations are given up."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 3))
    X = np.column_stack([X, X[:, 0]])
    y = X @ [1.0, 2.0, 3.0, 1.0]
    model = BayesianLinearRegression(prior_covariance=1e12, noise_variance=1.0).fit(X, y)
    assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, rtol=1e-6)
    assert_allclose(model.covariance_[0, 0], 0.5e12, rtol=1e-3)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", ["scalar", "diagonal", "matrix"])
def test_evidence_against_quadrature(fit_intercept, kind):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(7, 2)), rng.normal(size=7)
    mean0, cov0 = rng.normal(size=2), covariances(rng, 2)[kind]
    prior = {"prior_mean": mean0, "prior_covariance": cov0, "fit_intercept": fit_intercept}
    known = BayesianLinearRegression(noise_variance=0.6, **prior).fit(X, y)
    expected = naive.log_evidence(X, y, mean0, full(cov0, 2), 0.6, fit_intercept)
    assert_allclose(known.log_marginal_likelihood_, expected, rtol=1e-6)
    unknown = BayesianLinearRegression(noise_shape=2.0, noise_scale=1.5, **prior).fit(X, y)
    args = X, y, mean0, full(cov0, 2), 2.0, 1.5, fit_intercept
    assert_allclose(unknown.log_marginal_likelihood_, naive.log_evidence_unknown(*args), rtol=1e-5)


def test_nearly_perfect_fit_keeps_its_residuals():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100, 2))
    y = X @ [1e4, -1e4] + 1e-3 * rng.normal(size=100)
    model = BayesianLinearRegression(prior_covariance=1e20).fit(X, y)
    r = y - model.predict(X)  # Σ r² is 1e-14 of Σ (y − ȳ)²
    loss = r @ r + model.coef_ @ model.coef_ / 1e20
    assert_allclose(model.noise_scale_, 1e-6 + loss / 2, rtol=1e-6)


@pytest.mark.parametrize("noise", [None, 0.5])
def test_evidence_is_at_its_top(noise):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 8))
    y = X @ (0.3 * rng.normal(size=8)) + np.sqrt(0.5) * rng.normal(size=60) + 3
    model = BayesianLinearRegression(noise_variance=noise, optimize_prior=True, tol=1e-10)
    states = list(model.steps(X, y))
    assert states[-1].converged
    assert np.all(np.diff(model.objective_path_) <= 1e-9)  # never falls
    best, precision = model.log_marginal_likelihood_, model.prior_precision_
    for factor in (0.9, 1.1):
        other = BayesianLinearRegression(
            prior_covariance=1 / (factor * precision), noise_variance=noise
        ).fit(X, y)
        assert other.log_marginal_likelihood_ < best
    same = BayesianLinearRegression(prior_covariance=1 / precision, noise_variance=noise)
    assert_allclose(same.fit(X, y).coef_, model.coef_, rtol=1e-9)
    assert 0 < model.n_effective_ < 8


def test_evidence_without_signal_and_warning():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(50, 3)), np.zeros(50)
    model = BayesianLinearRegression(noise_variance=1.0, optimize_prior=True).fit(X, y)
    assert model.prior_precision_ > 1e6
    assert_allclose(model.coef_, 0.0, atol=1e-12)
    with pytest.warns(ConvergenceWarning, match="2 iterations"):
        BayesianLinearRegression(optimize_prior=True, max_iter=2, tol=0).fit(X, X[:, 0])


def test_predictive_distribution_and_draws_agree():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(12, 2)) + 4
    y = X @ [1.0, -2.0] + 0.5 * rng.normal(size=12)
    Q = np.array([[4.0, 4.0], [0.0, 9.0]])
    for model in (BayesianLinearRegression(), BayesianLinearRegression(noise_variance=0.25)):
        model.fit(X, y)
        mean, std = model.predict(Q, return_std=True)
        predictive = model.predictive(Q)
        assert_allclose(predictive.mean(), mean)
        assert_allclose(predictive.std(), std)
        draws = model.sample_posterior(200_000, random_state=0)
        assert_allclose(np.cov(draws.coef.T), model.covariance_, rtol=0.05, atol=1e-3)
        new = Q @ draws.coef.T + draws.intercept
        new = new + rng.normal(size=new.shape) * np.sqrt(draws.noise_variance)
        assert_allclose(new.mean(axis=1), mean, rtol=0.02)
        assert_allclose(new.std(axis=1), std, rtol=0.05)
        inside = np.mean(new < predictive.ppf(0.9)[:, None], axis=1)
        assert_allclose(inside, 0.9, atol=0.01)
        again = model.sample_posterior(3, random_state=1)
        assert_allclose(again.coef, model.sample_posterior(3, random_state=1).coef)


def test_one_row_has_no_finite_spread():
    model = BayesianLinearRegression().fit([[1.0]], [2.0])
    mean, std = model.predict([[5.0]], return_std=True)
    assert mean == 2.0
    assert std == np.inf


def test_bad_input():
    X, y = np.ones((4, 2)), np.ones(4)
    cases = {
        r"prior_mean has shape \(3,\)": {"prior_mean": np.zeros(3)},
        r"shape \(3,\): give a number, 2": {"prior_covariance": np.ones(3)},
        "not positive$": {"prior_covariance": [1.0, -1.0]},
        "not symmetric": {"prior_covariance": [[1.0, 0.5], [0.0, 1.0]]},
        "not positive definite": {"prior_covariance": [[1.0, 2.0], [2.0, 1.0]]},
        "NaN or infinity": {"prior_covariance": [1.0, np.inf]},
        "'noise_variance' parameter": {"noise_variance": 0.0},
    }
    for message, params in cases.items():
        with pytest.raises(ValueError, match=message):
            BayesianLinearRegression(**params).fit(X, y)
    with pytest.raises(NotFittedError):
        BayesianLinearRegression().sample_posterior()
    with pytest.raises(ValueError, match="n_samples=0"):
        BayesianLinearRegression().fit(X, y).sample_posterior(0)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        BayesianLinearRegression().fit([[1.0], [np.nan]], [0.0, 1.0])
    with pytest.raises(ValueError, match="overflow"):
        BayesianLinearRegression().fit([[1e200], [-1e200]], [0.0, 1.0])
    assert not hasattr(BayesianLinearRegression(), "covariance_")
