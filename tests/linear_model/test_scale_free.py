"""Stopping rules do not depend on units; what cannot be a number is refused."""

import numpy as np
import pytest
from scipy import sparse

from kiso.linear_model import (
    LinearRegression,
    LocallyWeightedRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from kiso.svm import SVR, LinearSVR

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(25, 12)), RNG.normal(size=25)


@pytest.mark.parametrize("power", [-100, -30, -20, 20, 100])
@pytest.mark.parametrize("what", ["X", "y"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-20])
def test_conjugate_gradient_is_scale_free(power, what, fit_intercept, alpha):
    def fit(scale_x, scale_y):
        model = Ridge(alpha=alpha * scale_x**2, solver="sparse_cg", tol=1e-12)
        model.set_params(fit_intercept=fit_intercept)
        return model.fit(sparse.csr_array(X * scale_x), Y * scale_y)

    plain = fit(1.0, 1.0)
    scale = 10.0**power
    scaled = fit(scale, 1.0) if what == "X" else fit(1.0, scale)
    back = scale if what == "X" else 1 / scale
    np.testing.assert_allclose(scaled.coef_ * back, plain.coef_, rtol=1e-7)
    dense = LinearRegression(fit_intercept=fit_intercept).fit(X, Y)
    np.testing.assert_allclose(plain.coef_, dense.coef_, rtol=1e-7)


@pytest.mark.parametrize("solver", ["lsqr", "sparse_cg"])
def test_a_penalty_beside_rounding_gives_the_least_norm(solver):
    wide = RNG.normal(size=(20, 40))
    y = RNG.normal(size=20)
    model = Ridge(alpha=1e-16, solver=solver, fit_intercept=False, tol=1e-12).fit(wide, y)
    np.testing.assert_allclose(model.coef_, np.linalg.pinv(wide) @ y, atol=1e-10)
    assert model.solver_ == solver


def test_no_steps_leave_a_logistic_regression_at_its_start():
    y = Y > 0
    with pytest.warns(match="did not converge in 0 iterations"):
        model = LogisticRegression(max_iter=0).fit(X, y)
    assert model.n_iter_ == 0
    assert not model.coef_.any()
    np.testing.assert_allclose(model.predict_proba(X), 0.5)


@pytest.mark.parametrize("bad", [None, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    "model", [Ridge(), LocallyWeightedRegression(), SVR(), LinearSVR(), SGDRegressor()]
)
def test_objects_that_are_no_numbers_are_refused_as_targets(model, bad):
    y = Y.astype(object)
    y[3] = bad
    with pytest.raises(ValueError, match=r"[Ii]nput y contains|NaN|infinity"):
        model.fit(X, y)


@pytest.mark.parametrize("model", [SGDClassifier(), Perceptron(), SGDRegressor()])
def test_stochastic_models_refuse_negative_weights(model):
    weight = np.ones(25)
    weight[2] = -1.0
    with pytest.raises(ValueError, match="Negative values.*sample_weight"):
        model.fit(X, Y > 0, sample_weight=weight)
