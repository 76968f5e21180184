"""RidgeCV, RidgeClassifier, RidgeClassifierCV: against refits without each row, scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_regression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.linear_model import Ridge, RidgeClassifier, RidgeClassifierCV, RidgeCV
from kiso.linear_model._ridge_path import ridge_path
from tests.naive.least_squares import leave_one_out_ridge

ALPHAS = np.array([1e-3, 0.3, 1.0, 50.0])


def expected_failures(estimator):
    if isinstance(estimator, RidgeClassifier):
        return {
            "check_non_transformer_estimators_n_iter": "direct solvers have no steps, as Ridge's"
        }
    return {}


@parametrize_with_checks(
    [RidgeCV(), RidgeCV(cv=3), RidgeClassifier(), RidgeClassifierCV(), RidgeClassifierCV(cv=3)],
    expected_failed_checks=expected_failures,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(2, 14),
    d=st.integers(1, 14),
    t=st.integers(1, 3),
    seed=st.integers(0, 99),
    center=st.booleans(),
    weighted=st.booleans(),
    form=st.sampled_from(["dense", "fortran", "sparse", "svd", "float32"]),
    twice=st.booleans(),
)
def test_errors_are_those_of_refits_without_the_row(n, d, t, seed, center, weighted, form, twice):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + rng.normal(size=d)
    if twice:  # equal rows, equal columns
        X[-1], X[:, -1] = X[0], X[:, 0]
    if form == "float32":
        X = X.astype(np.float32)
    Y = rng.normal(size=(n, t)) + 3
    weights = rng.integers(1, 4, n).astype(float) if weighted else None
    if weighted and n > 3:
        weights[1] = 0.0
    given_as = {"sparse": sp.csr_array, "fortran": np.asfortranarray}.get(form, np.asarray)
    path = ridge_path(
        given_as(X), Y, weights, center=center, least_alpha=ALPHAS.min(), svd=form == "svd"
    )
    expected, coefs = leave_one_out_ridge(X, Y, weights, ALPHAS, center=center)
    assert_allclose(path.errors(ALPHAS), expected, rtol=1e-5, atol=1e-7)
    for alpha, (coef, intercept) in zip(ALPHAS, coefs, strict=True):
        b, b0 = path.coef(alpha)
        assert_allclose(b, coef, rtol=1e-6, atol=1e-7)
        assert_allclose(b0, intercept, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(60, 5), (20, 40), (12, 12)])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.coo_array])
def test_attributes_are_scikit_learns(shape, form):
    X, y = make_regression(*shape, noise=20.0, n_targets=2, random_state=1)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    for target in (y[:, 0], y):
        for options in (
            {},
            {"fit_intercept": False},
            {"store_cv_results": True},
            {"store_cv_results": True, "scoring": "neg_mean_absolute_error"},
            {"alpha_per_target": True},
            {"alpha_per_target": True, "scoring": "r2"},
            {"cv": 4},
        ):
            if target.ndim == 1 and len(options) == 2 and "alpha_per_target" in options:
                continue  # an IndexError in scikit-learn 1.9
            ours = RidgeCV(ALPHAS, **options).fit(form(X), target, sample_weight=weights)
            rows = X if "cv" in options else form(X)  # there sparse rows are solved to 1e-4
            other = theirs.RidgeCV(ALPHAS, **options).fit(rows, target, sample_weight=weights)
            for name in ("alpha_", "best_score_", "coef_", "intercept_", "cv_results_"):
                if hasattr(other, name):
                    value, wanted = getattr(ours, name), getattr(other, name)
                    assert np.shape(value) == np.shape(wanted), name
                    assert_allclose(value, wanted, rtol=1e-6, atol=1e-6, err_msg=name)


def test_the_smallest_penalty_is_exact_where_squares_would_lose_it():
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.normal(size=(40, 4)))[0]
    X = (U * [1.0, 1e-3, 1e-6, 1e-7]) @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    y = X @ [1.0, 2.0, 3.0, 4.0] + 1e-9 * rng.normal(size=40)
    model = RidgeCV([1e-18], fit_intercept=False).fit(X, y)
    assert_allclose(model.coef_, [1, 2, 3, 4], rtol=5e-2)


def test_every_penalty_is_a_step():
    X, y = make_regression(50, 4, noise=5, random_state=0)
    states = list(RidgeCV(ALPHAS).steps(X, y))
    assert [s.alpha for s in states] == list(ALPHAS)
    assert [s.converged for s in states] == [False] * 3 + [True]
    model = RidgeCV(ALPHAS).fit(X, y)
    assert_allclose(model.objective_path_, [s.objective for s in states])
    assert model.best_score_ == -model.objective_path_.min()
    assert model.alpha_ == ALPHAS[model.objective_path_.argmin()]
    plain = Ridge(model.alpha_).fit(X, y)
    assert_allclose(model.coef_, plain.coef_, rtol=1e-9)
    assert_allclose(model.log_likelihood(X, y), plain.log_likelihood(X, y))


def test_folds_are_those_of_a_grid_search():
    X, y = load_iris(return_X_y=True)
    for cv in (5, KFold(4, shuffle=True, random_state=0)):
        ours = RidgeClassifierCV(ALPHAS, cv=cv, scoring="balanced_accuracy").fit(X, y)
        grid = GridSearchCV(
            RidgeClassifier(), {"alpha": ALPHAS}, cv=cv, scoring="balanced_accuracy"
        ).fit(X, y)
        assert ours.alpha_ == grid.best_params_["alpha"]
        assert_allclose(ours.best_score_, grid.best_score_)
        assert_allclose(ours.coef_, grid.best_estimator_.coef_, rtol=1e-7)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_digits])
@pytest.mark.parametrize("weight", [None, "balanced"])
def test_classifiers_are_scikit_learns(load, weight):
    X, y = load(return_X_y=True)
    X, y = X[:700:2], np.array([f"class {k}" for k in y])[:700:2]
    ours = RidgeClassifier(class_weight=weight).fit(X, y)
    other = theirs.RidgeClassifier(class_weight=weight).fit(X, y)
    assert_array_equal(ours.classes_, other.classes_)
    assert np.shape(ours.intercept_) == np.shape(other.intercept_)
    assert ours.coef_.shape == other.coef_.shape
    assert_allclose(ours.decision_function(X), other.decision_function(X), rtol=1e-5, atol=1e-6)
    assert_array_equal(ours.predict(X), other.predict(X))
    chosen = RidgeClassifierCV(class_weight=weight).fit(X, y)
    wanted = theirs.RidgeClassifierCV(class_weight=weight).fit(X, y)
    assert chosen.alpha_ == wanted.alpha_
    assert_allclose(chosen.best_score_, wanted.best_score_, rtol=1e-6)


def test_accuracy_of_two_classes_is_that_of_the_labels():
    """scikit-learn 1.9 scores every penalty 1.0 here."""
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[:80], np.where(y[:80] == 1, "benign", "malignant")
    model = RidgeClassifierCV(ALPHAS, scoring="accuracy").fit(X, y)
    right = [
        RidgeClassifier(model.alpha_).fit(np.delete(X, i, 0), np.delete(y, i)).predict(X[[i]])[0]
        == y[i]
        for i in range(len(X))
    ]
    assert_allclose(model.best_score_, np.mean(right))


def test_several_labels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    Y = (X @ rng.normal(size=(4, 3)) > 0).astype(int)
    for model in (RidgeClassifier(), RidgeClassifierCV()):
        model.fit(X, Y)
        assert model.predict(X).shape == Y.shape
        assert (model.predict(X) == Y).mean() > 0.9


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"alphas": [1.0, 0.0]}, ValueError, r"alphas\[1\] == 0.0, must be > 0"),
        ({"alphas": [-1.0], "cv": 3}, ValueError, "alphas == -1.0, must be >= 0"),
        ({"alphas": [1.0, np.nan]}, ValueError, "alphas"),
        ({"alphas": [1.0, np.inf]}, ValueError, "alphas"),
        ({"alphas": []}, ValueError, "at least one penalty"),
        ({"alphas": [1.0, "2"]}, TypeError, r"alphas\[1\]"),
        ({"cv": 3, "store_cv_results": True}, ValueError, "incompatible"),
    ],
)
def test_bad_parameters(options, kind, match):
    X, y = make_regression(20, 3, random_state=0)
    with pytest.raises(kind, match=match):
        RidgeCV(**options).fit(X, y)
    with pytest.raises(kind, match=match):
        RidgeClassifierCV(**options).fit(X, y > 0)


def test_bad_data():
    X, y = make_regression(20, 3, random_state=0)
    X[3, 1] = np.nan
    for model, target in ((RidgeCV(), y), (RidgeClassifierCV(), y > 0), (RidgeClassifier(), y > 0)):
        with pytest.raises(ValueError, match="contains NaN"):
            model.fit(X, target)
    for model in (RidgeClassifier(), RidgeClassifierCV()):
        assert list(model.fit(np.eye(3), ["a", "a", "a"]).predict(np.eye(3))) == ["a"] * 3
    with pytest.warns(FutureWarning, match="'svd' mode is not supported for sparse X"):
        RidgeCV(gcv_mode="svd").fit(sp.csr_array(np.eye(5)), np.arange(5.0))
