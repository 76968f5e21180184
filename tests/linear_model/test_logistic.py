"""LogisticRegression as a user sees it."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import costs
from kiso.linear_model import LogisticRegression
from tests.naive.logistic import fit as naive_fit
from tests.naive.logistic import objective as naive_objective

SOLVERS = ["auto", "newton-cholesky", "lbfgs"]


def problem(n=60, d=3, K=2, seed=0, dtype=np.float64):
    """Classes that overlap, so that a minimum exists without a penalty."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = (X @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[: 2 * K] = np.tile(np.arange(K), 2)
    return X.astype(dtype), y


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@parametrize_with_checks(
    [
        LogisticRegression(),
        LogisticRegression(solver="lbfgs", max_iter=500),
        LogisticRegression(l1_ratio=0.5, C=10.0, max_iter=500),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


@given(
    n=st.integers(8, 40),
    d=st.integers(1, 4),
    K=st.integers(2, 4),
    seed=st.integers(0, 1000),
    intercept=st.booleans(),
    solver=st.sampled_from(SOLVERS),
)
@settings(deadline=None, max_examples=15)
def test_agrees_with_the_naive_oracle(n, d, K, seed, intercept, solver):
    X, y = problem(n, d, K, seed)
    weights = np.random.default_rng(seed).integers(1, 4, size=n).astype(float)
    model = LogisticRegression(C=0.7, tol=1e-10, fit_intercept=intercept, solver=solver)
    model.set_params(max_iter=1000).fit(X, y, weights)
    s = weights / weights.sum()
    W, b = naive_fit(X, y, s, 1 / (0.7 * weights.sum()), intercept=intercept)
    np.testing.assert_allclose(model.coef_, W, atol=2e-6)
    np.testing.assert_allclose(model.intercept_ - model.intercept_.mean() * (K > 2),
                               b - b.mean() * (K > 2), atol=2e-6)  # fmt: skip
    value = naive_objective(model.coef_, model.intercept_, X, y, s, 1 / (0.7 * weights.sum()))
    assert model.objective_path_[-1] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_wine])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_agrees_with_scikit_learn(load, C, solver):
    X, y = load(return_X_y=True)
    peer = Reference(C=C, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(X, y)
    model = LogisticRegression(C=C, tol=1e-10, solver=solver, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-6)
    assert model.n_iter_.shape == peer.n_iter_.shape
    assert model.coef_.shape == peer.coef_.shape
    assert model.intercept_.shape == peer.intercept_.shape


@pytest.mark.parametrize("ratio", [0.5, 1.0])
@pytest.mark.parametrize("K", [2, 3])
def test_l1_agrees_with_scikit_learn(K, ratio):
    X, y = problem(200, 6, K)
    options = {"C": 0.05, "l1_ratio": ratio}
    peer = Reference(solver="saga", tol=1e-8, max_iter=50_000, **options).fit(X, y)
    model = LogisticRegression(tol=1e-9, **options).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-5)
    assert np.array_equal(model.coef_ == 0, peer.coef_ == 0)
    assert (model.coef_ == 0).any()


def test_l1_stops_where_the_subgradient_vanishes():
    """KKT: |∇f| = α where a coefficient is not zero, at most α where it is."""
    X, y = problem(300, 8, 3)
    model = LogisticRegression(C=0.05, l1_ratio=1.0, tol=1e-10).fit(X, y)
    p = model.predict_proba(X) - np.eye(3)[y]
    gradient = p.T @ X / len(X)
    alpha = 1 / (0.05 * len(X))
    nonzero = model.coef_ != 0
    np.testing.assert_allclose(gradient[nonzero], -alpha * np.sign(model.coef_[nonzero]), atol=1e-9)
    assert np.all(np.abs(gradient[~nonzero]) <= alpha + 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("K", [2, 3])
def test_layouts_and_precisions(K, solver):
    X, y = problem(90, 5, K)
    options = {"solver": solver, "tol": 1e-8, "max_iter": 500}
    reference = LogisticRegression(**options).fit(X, y)
    wide = np.repeat(X, 2, axis=1)
    for same in (np.asfortranarray(X), wide[:, ::2], X[::-1][::-1], sparse.csr_array(X),
                 sparse.csc_matrix(X), sparse.coo_array(X)):  # fmt: skip
        model = LogisticRegression(**options).fit(same, y)
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-7)
        np.testing.assert_allclose(model.predict_proba(same), reference.predict_proba(X), atol=1e-7)
    single = LogisticRegression(**options | {"tol": 1e-4}).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, reference.coef_, atol=1e-2)
    sparse32 = LogisticRegression(**options | {"tol": 1e-4})
    sparse32.fit(sparse.csr_array(X.astype(np.float32)), y)
    np.testing.assert_allclose(sparse32.coef_, single.coef_, atol=1e-4)


@pytest.mark.parametrize("sample_size", [40, 10_000])
def test_a_sampled_curvature_changes_the_path_only(monkeypatch, sample_size):
    """Columns that the sample misses included."""

    monkeypatch.setattr(costs, "CURVATURE_SAMPLE_ROWS", sample_size)
    monkeypatch.setattr(costs, "CURVATURE_ROWS_PER_PARAMETER", 1)
    X, y = problem(2000, 4, 3)
    X = np.hstack([X, np.zeros((2000, 2))])
    X[7, 4], X[9:12, 5] = 1.0, 1.0
    options = {"tol": 1e-7, "max_iter": 300}
    model = LogisticRegression(solver="lbfgs", **options).fit(X, y)
    reference = LogisticRegression(solver="newton-cholesky", **options).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-3)


@pytest.mark.parametrize(("full", "block"), [(1, 2000), (1, 1)])
@pytest.mark.parametrize("ratio", [0.0, 0.5])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_curvatures_of_many_parameters(monkeypatch, full, block, ratio, container):
    """Class by class, and diagonal; with L1 on a few columns at a time."""
    from kiso.linear_model import _logistic_proximal

    X, y = problem(300, 6, 3)
    reference = LogisticRegression(C=0.1, l1_ratio=ratio, tol=1e-9).fit(X, y)
    monkeypatch.setattr(costs, "CURVATURE_FULL_SIDE", full)
    monkeypatch.setattr(costs, "CURVATURE_BLOCK_SIDE", block)
    if block == 1:
        monkeypatch.setattr(_logistic_proximal, "MAX_FEATURES", 3)
    model = LogisticRegression(C=0.1, l1_ratio=ratio, tol=1e-7, max_iter=2000)
    if ratio == 0:
        model.set_params(solver="lbfgs")
    model.fit(container(X), y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-4)


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_weights_are_repeats_and_zero_is_absent(ratio):
    X, y = problem(80, 3, 3)
    times = np.random.default_rng(1).integers(0, 4, size=80)
    options = {"l1_ratio": ratio, "tol": 1e-10, "C": 0.3}
    weighted = LogisticRegression(**options).fit(X, y, times)
    repeated = LogisticRegression(**options).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-7)
    X[times == 0] = 1e6  # whatever stands in a row of weight zero
    np.testing.assert_allclose(
        LogisticRegression(**options).fit(X, y, times).coef_, repeated.coef_, atol=1e-7
    )


def test_class_weights():
    X, y = problem(90, 3, 3)
    weight = {0: 1.0, 1: 2.0, 2: 0.5}
    model = LogisticRegression(class_weight=weight, tol=1e-10).fit(X, y)
    same = LogisticRegression(tol=1e-10).fit(X, y, np.array([1.0, 2.0, 0.5])[y])
    np.testing.assert_allclose(model.coef_, same.coef_, atol=1e-8)
    peer = Reference(class_weight="balanced", tol=1e-10, solver="newton-cholesky").fit(X, y)
    model = LogisticRegression(class_weight="balanced", tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "labels", [["ham", "spam"], [-1, 1], [2.0, 5.0], [False, True], [10**12, 10**13]]
)
def test_labels_of_any_type(labels):
    X, y = problem()
    named = np.array(labels, dtype=object if isinstance(labels[0], str) else None)[y]
    model = LogisticRegression().fit(X, named)
    assert list(model.classes_) == labels
    plain = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(model.predict(X), np.array(labels)[plain.predict(X)])
    np.testing.assert_array_equal(model.coef_, plain.coef_)


@pytest.mark.parametrize("K", [2, 4])
def test_probabilities_at_huge_scores(K):
    X, y = problem(60, 2, K)
    model = LogisticRegression().fit(X, y)
    model.coef_ = model.coef_ * 0 + np.arange(len(model.coef_))[:, None] * 500.0 - 1000.0
    with np.errstate(all="raise", under="ignore"):
        p = model.predict_proba(np.array([[1.0, 0.0], [-1.0, 0.0]]))
        logs = model.predict_log_proba(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert np.isfinite(p).all()
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert logs.min() <= -500.0


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("K", [2, 3])
def test_separable_without_penalty_is_said(K, solver):
    X, y = load_iris(return_X_y=True)
    if K == 2:
        X, y = X[:100], y[:100]
    else:
        X = np.eye(3)[y] + 0.01 * X[:, :3]
    with pytest.warns(ConvergenceWarning, match="separable"):
        model = LogisticRegression(C=np.inf, solver=solver).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.score(X, y) == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LogisticRegression(C=1.0, solver=solver).fit(X, y)


@pytest.mark.parametrize("penalty", [{"C": np.inf}, {"penalty": None}])
@pytest.mark.parametrize("K", [2, 3])
def test_no_penalty(K, penalty):
    X, y = problem(200, 3, K)
    model = LogisticRegression(tol=1e-10, **penalty).fit(X, y)
    W, b = naive_fit(X, y, np.full(200, 1 / 200), 0.0)
    if K > 2:  # the oracle's classes may all be shifted alike
        W, b = W - W.mean(axis=0), b - b.mean()
    np.testing.assert_allclose(model.coef_, W, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, b, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_collinear_and_constant_columns_without_penalty(solver):
    X, y = problem(200, 3, 3)
    reference = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y)
    more = np.column_stack([X, X[:, 0], X @ [1.0, 2.0, 3.0], np.full(200, 7.0), np.zeros(200)])
    model = LogisticRegression(C=np.inf, tol=1e-8, solver=solver).fit(more, y)
    np.testing.assert_allclose(model.predict_proba(more), reference.predict_proba(X), atol=1e-5)
    assert np.abs(model.coef_).max() < 100


@pytest.mark.parametrize("solver", SOLVERS)
def test_units_of_the_features_do_not_matter(solver):
    X, y = problem(300, 4, 3)
    units = np.array([1e-8, 1e-3, 1e4, 1e9])
    options = {"C": np.inf, "solver": solver}
    reference = LogisticRegression(tol=1e-8, **options).fit(X, y)
    model = LogisticRegression(tol=1e-6, **options).fit(X * units, y)
    np.testing.assert_allclose(
        model.predict_proba(X * units), reference.predict_proba(X), atol=1e-3
    )


def test_penalty_words():
    X, y = problem(200, 6)

    def coef(**options):
        return LogisticRegression(**options, tol=1e-8).fit(X, y).coef_

    np.testing.assert_array_equal(coef(penalty="l2", C=0.1), coef(C=0.1))
    np.testing.assert_array_equal(coef(penalty="l1", C=0.1), coef(l1_ratio=1.0, C=0.1))
    np.testing.assert_array_equal(
        coef(penalty="elasticnet", l1_ratio=0.3, C=0.1), coef(l1_ratio=0.3, C=0.1)
    )
    np.testing.assert_array_equal(coef(l1_ratio=None), coef())
    np.testing.assert_array_equal(coef(penalty=None), coef(C=np.inf, l1_ratio=1.0))
    for solver in ("liblinear", "newton-cg", "sag", "saga"):
        np.testing.assert_array_equal(coef(solver=solver), coef())
    with pytest.warns(UserWarning, match="penalty=None ignores C=2"):
        coef(penalty=None, C=2.0)
    with pytest.warns(UserWarning, match="penalty='l2' ignores l1_ratio=0.5"):
        coef(penalty="l2", l1_ratio=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"C": 0.0}, "'C'.*Got 0.0"),
        ({"C": -1.0}, "'C'.*Got -1.0"),
        ({"C": np.nan}, "'C'"),
        ({"l1_ratio": 2.0}, "'l1_ratio'"),
        ({"tol": -1.0}, "'tol'"),
        ({"max_iter": -1}, "'max_iter'"),
        ({"solver": "magic"}, "'solver'"),
        ({"penalty": "l3"}, "'penalty'"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio=None"),
        ({"l1_ratio": 1.0, "solver": "lbfgs"}, "solver='lbfgs' does not know an L1 penalty"),
        ({"class_weight": "even"}, "'class_weight'"),
    ],
)
def test_bad_parameters(options, message):
    X, y = problem()
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**options).fit(X, y)


def test_bad_data():
    X, y = problem()
    with pytest.raises(ValueError, match="one class, .*at least 2 classes"):
        LogisticRegression().fit(X, np.zeros(60))
    with pytest.raises(ValueError, match="one class, .*positive weight"):
        LogisticRegression().fit(X, y, (y == 1).astype(float))
    with pytest.raises(ValueError, match="at least one non-zero"):
        LogisticRegression().fit(X, y, np.zeros(60))
    with pytest.raises(ValueError, match="[Nn]egative"):
        LogisticRegression().fit(X, y, -np.ones(60))
    with pytest.raises(ValueError, match="NaN"):
        LogisticRegression().fit(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="Unknown label type"):
        LogisticRegression().fit(X, X[:, 0])


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"l1_ratio": 1.0}])
def test_steps_callbacks_and_path(iris, options):
    X, y = iris
    stepped = LogisticRegression(**options)
    states = []
    for state in stepped.steps(X, y):
        states.append(state)
        assert stepped.n_iter_ == state.n_iter
        np.testing.assert_array_equal(stepped.coef_, state.theta[:-1].T)
    monitor = ScoringMonitor(scoring="neg_log_loss")
    model = LogisticRegression(**options).set_callbacks(monitor).fit(X, y)
    assert model.n_iter_ == len(states) == len(model.objective_path_)
    assert states[-1].converged
    assert states[-1].gradient_norm == model.gradient_norm_ <= 1e-4
    assert np.all(np.diff(model.objective_path_) <= 1e-12)
    np.testing.assert_array_equal(model.coef_, stepped.coef_)
    assert len(monitor.get_logs().data) >= len(states)


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"l1_ratio": 0.5, "C": 0.1}])
def test_warm_start(iris, options):
    X, y = iris
    model = LogisticRegression(warm_start=True, **options).fit(X, y)
    cold = model.n_iter_[0]
    coef = model.coef_
    assert model.fit(X, y).n_iter_[0] == 1 < cold
    np.testing.assert_allclose(model.coef_, coef, atol=0.02)
    model.fit(X[:100], y[:100])  # other classes: from zero
    np.testing.assert_array_equal(
        model.coef_, clone(model).set_params(warm_start=False).fit(X[:100], y[:100]).coef_
    )


def test_not_converging_is_said(iris):
    with pytest.warns(ConvergenceWarning, match="2 iterations: the largest entry of the gradient"):
        LogisticRegression(max_iter=2).fit(*iris)


def test_sparsify(iris):
    X, y = iris
    model = LogisticRegression(l1_ratio=1.0, C=0.1).fit(X, y)
    labels, coef = model.predict(X), model.coef_
    assert sparse.issparse(model.sparsify().coef_)
    np.testing.assert_array_equal(model.predict(X), labels)
    np.testing.assert_array_equal(model.densify().coef_, coef)


def test_one_row_a_class_and_one_column():
    model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
    assert list(model.predict([[-1.0], [2.0]])) == ["a", "b"]
    assert model.intercept_[0] == pytest.approx(-model.coef_[0, 0] / 2, rel=1e-6)


@pytest.mark.jit
def test_threads_do_not_change_the_result():
    from threadpoolctl import threadpool_limits

    X, y = load_digits(return_X_y=True)
    X = np.tile(X, (4, 1)) + np.random.default_rng(0).normal(size=(4 * len(X), 64))
    y = np.tile(y, 4)
    many = LogisticRegression(tol=1e-3).fit(X, y)
    with threadpool_limits(1):
        one = LogisticRegression(tol=1e-3).fit(X, y)
    np.testing.assert_array_equal(many.coef_, one.coef_)


def test_a_warm_start_that_is_not_finite_is_refused(iris):
    X, y = iris
    model = LogisticRegression(warm_start=True).fit(X, y)
    model.coef_[0, 0] = np.nan
    with pytest.raises(ValueError, match="warm_start=True .* not finite"):
        model.fit(X, y)
