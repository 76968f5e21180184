"""Least squares and ridge against exact arithmetic, and where arithmetic is hard."""

import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import costs
from kiso.linear_model import LinearRegression, Ridge, _moments, _normal_equations, _penalised
from tests.naive import least_squares as naive

LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
}
SOLVERS = ["cholesky", "svd", "sparse_cg"]


# scikit-learn's own Ridge has n_iter_ None for direct solvers too, and is excused
NO_STEPS = "the solver is direct: n_iter_ is None, as scikit-learn's"


def expected_failures(estimator):
    if isinstance(estimator, Ridge) and estimator.solver != "sparse_cg":
        return {"check_non_transformer_estimators_n_iter": NO_STEPS}
    return {}


@parametrize_with_checks(
    [
        LinearRegression(),
        LinearRegression(positive=True),
        Ridge(),
        Ridge(solver="sparse_cg", tol=1e-10),
        Ridge(solver="svd", alpha=0.5),
    ],
    expected_failed_checks=expected_failures,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@settings(deadline=None, max_examples=80)
@given(
    n=st.integers(1, 9),
    d=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from([np.float64, np.float32]),
    weighted=st.booleans(),
    fit_intercept=st.booleans(),
    solver=st.sampled_from(SOLVERS),
    alpha=st.sampled_from([0.01, 1.0, 50.0]),
)
def test_ridge_against_fractions(n, d, seed, layout, dtype, weighted, fit_intercept, solver, alpha):
    rng = np.random.default_rng(seed)
    X = LAYOUTS[layout](rng.normal(size=(n, d)).astype(dtype))
    y = rng.normal(size=n).astype(dtype)
    w = rng.integers(0, 3, size=n).astype(float) if weighted else None
    if w is not None:
        w[rng.integers(n)] = 1.0
    coef, intercept, rss = naive.ridge(X, y, alpha, w, fit_intercept)
    model = Ridge(alpha, fit_intercept=fit_intercept, solver=solver, tol=1e-12)
    model.fit(X, y, sample_weight=w)
    tol = 1e-9 if dtype == np.float64 else 1e-5
    assert model.coef_.dtype == dtype
    assert_allclose(model.coef_, coef, rtol=tol, atol=tol)
    assert_allclose(model.intercept_, intercept, rtol=tol, atol=tol)
    total = n if w is None else w.sum()
    assert_allclose(model.sigma_, np.sqrt(rss / total), rtol=1e3 * tol, atol=1e2 * tol)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(6, 12),
    d=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    layout=st.sampled_from(sorted(LAYOUTS)),
    weighted=st.booleans(),
    fit_intercept=st.booleans(),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_least_squares_against_fractions(n, d, seed, layout, weighted, fit_intercept, offset):
    rng = np.random.default_rng(seed)
    X = LAYOUTS[layout](offset + rng.normal(size=(n, d)))
    y = offset + rng.normal(size=n)
    w = rng.integers(1, 4, size=n).astype(float) if weighted else None
    coef, intercept, rss = naive.ridge(X, y, 0.0, w, fit_intercept)
    model = LinearRegression(fit_intercept=fit_intercept, tol=0).fit(X, y, sample_weight=w)
    # without an intercept an offset makes the columns nearly parallel: cond ≈ offset
    tol = 1e-9 if fit_intercept or not offset else 1e-4
    assert_allclose(model.coef_, coef, rtol=tol, atol=tol * np.abs(coef).max())
    assert_allclose(model.intercept_, intercept, rtol=1e-8, atol=1e-8 * max(1, offset))
    sigma = np.sqrt(rss / (n if w is None else w.sum()))
    assert_allclose(model.sigma_, sigma, rtol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 12),
    d=st.integers(1, 12),
    rank=st.integers(1, 3),
    seed=st.integers(0, 10**6),
    fit_intercept=st.booleans(),
    weighted=st.booleans(),
)
def test_rank_deficient_gives_the_least_norm(n, d, rank, seed, fit_intercept, weighted):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(n, rank)) @ rng.integers(-2, 3, size=(rank, d)) + 0.0
    X[:, rng.integers(d)] = 0.125
    y = rng.normal(size=n)
    w = rng.integers(0, 3, size=n).astype(float) if weighted else None
    if w is not None:
        w[rng.integers(n)] = 1.0
    coef, intercept = naive.least_norm(X, y, w, fit_intercept)
    model = LinearRegression(fit_intercept=fit_intercept).fit(X, y, sample_weight=w)
    assert_allclose(model.coef_, coef, rtol=1e-8, atol=1e-8)
    assert_allclose(model.intercept_, intercept, rtol=1e-8, atol=1e-8)
    theirs = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept)
    theirs.fit(X, y, sample_weight=w)
    assert model.rank_ == theirs.rank_ or theirs.singular_[0] < 1e-12
    assert_allclose(model.singular_, theirs.singular_, rtol=1e-8, atol=1e-7)


def test_many_blocks_and_lanes_give_the_same():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30_000, 12)) + 3
    Y = X @ rng.normal(size=(12, 2)) + rng.normal(size=(30_000, 2))
    w = rng.uniform(size=30_000)
    theirs = sklearn.linear_model.LinearRegression(tol=0).fit(X, Y, w)
    ours = LinearRegression().fit(X, Y, w)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-11)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-12)
    r = Y - theirs.predict(X)
    assert_allclose(ours.sigma_, np.sqrt(w @ r**2 / w.sum()), rtol=1e-12)
    for solver in ("svd", "sparse_cg"):
        found = Ridge(0.0, solver=solver, tol=1e-13).fit(X, Y, w)
        assert found.solver_ == solver
        assert_allclose(found.coef_, theirs.coef_, rtol=1e-10)
    many = Ridge(1.0).fit(X, np.tile(Y, 6), w)  # more targets than go into the one pass
    assert_allclose(many.coef_, np.tile(Ridge(1.0).fit(X, Y, w).coef_, (6, 1)), rtol=1e-10)


def test_scales_and_offsets_far_apart():
    rng = np.random.default_rng(0)
    units, true = np.array([1e6, 1.0, 1e-6]), np.array([1e-6, -2.0, 3e6])
    Z = rng.normal(size=(2000, 3))
    X = Z * units
    y = X @ true + 1e-3 * rng.normal(size=2000)
    coef, intercept, _ = naive.ridge(X[:50], y[:50])
    model = LinearRegression().fit(X[:50], y[:50])
    assert model.rank_ == 3
    assert_allclose(model.coef_, coef, rtol=1e-11)
    assert_allclose(model.intercept_, intercept, rtol=1e-9)
    assert_allclose(LinearRegression().fit(X, y).coef_, true, rtol=1e-3)
    far = 1e9 + Z  # holds 1e9 + Z rounded to 1e-7
    y = (far - 1e9) @ true[:3]
    model = LinearRegression().fit(far, y)
    assert_allclose(model.coef_, true, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("solver", ["cholesky", "svd"])
@pytest.mark.parametrize("unit", [1e-200, 1e-170, 1e160, 1e250])
def test_squares_that_underflow_or_overflow(unit, solver):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2)) * [unit, 1.0]
    y = X[:, 0] / unit - X[:, 1]
    model = LinearRegression().fit(X, y)
    assert_allclose(model.coef_ * [unit, 1.0], [1.0, -1.0], rtol=1e-10)
    if unit > 1:  # the penalty is nothing beside such columns
        found = Ridge(1e-12, solver=solver).fit(X, y)
        assert_allclose(found.coef_ * [unit, 1.0], [1.0, -1.0], rtol=1e-10)


def test_collinear_up_to_noise_is_refined():
    """cond(X) = 1e4: without refinement the normal equations keep 8 digits."""
    rng = np.random.default_rng(2)
    base = rng.normal(size=(40, 1))
    X = base + 2e-5 * rng.normal(size=(40, 3))
    y = rng.normal(size=40)
    coef, _, _ = naive.ridge(X, y)
    model = Ridge(0.0, solver="cholesky").fit(X, y)
    assert model.solver_ == "cholesky"
    assert_allclose(model.coef_, coef, rtol=1e-10)
    X = base + 1e-7 * rng.normal(size=(40, 3))
    coef, _, _ = naive.ridge(X, y)
    model = Ridge(0.0, solver="cholesky").fit(X, y)
    assert model.solver_ == "svd"
    assert_allclose(model.coef_, coef, rtol=1e-6)


@pytest.mark.parametrize(("noise", "solver"), [(0.0, "eigh"), (1e-9, "eigh"), (3e-5, "svd")])
def test_collinear_columns_by_how_surely_they_are(noise, solver):
    """Exactly, or less than tol: from eigenvalues. Nearly: orthogonally."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 5))
    third = X[:, 0] + 2 * X[:, 1] + noise * rng.normal(size=400)
    X = np.column_stack([X, third, np.full(400, 0.1), np.eye(3)[rng.integers(3, size=400)]])
    if not noise:
        X[:, :6] *= 10.0 ** rng.integers(-1, 2, size=6)
    X += 100
    y = rng.normal(size=400)
    model = LinearRegression()
    assert list(model.steps(X, y))[-1].solver == solver
    theirs = sklearn.linear_model.LinearRegression().fit(X, y)
    assert model.rank_ == theirs.rank_ == (7 if solver == "eigh" else 8)
    rtol = 1e-9 if noise == 0 else 1e-5
    assert_allclose(model.coef_, theirs.coef_, rtol=rtol, atol=rtol * np.abs(theirs.coef_).max())
    assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-7, atol=1e-7)
    rank = model.rank_
    assert_allclose(model.singular_[:rank], theirs.singular_[:rank], rtol=1e-7)
    r = y - theirs.predict(X)
    assert_allclose(model.sigma_, np.sqrt(np.mean(r**2)), rtol=1e-9)


def test_polynomial_of_high_degree():
    x = np.linspace(0, 1, 60)
    X = x[:, None] ** np.arange(1, 11)
    y = (x[:, None] ** np.arange(11)).sum(axis=1)
    assert_allclose(LinearRegression(tol=0).fit(X, y).coef_, np.ones(10), rtol=1e-3)


def test_refinement_is_needed(monkeypatch):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, 1)) + 2e-5 * rng.normal(size=(40, 3))
    y = rng.normal(size=40)
    coef, _, _ = naive.ridge(X, y)
    monkeypatch.setattr(_normal_equations, "FINE_RCOND", 0.0)
    plain = Ridge(0.0, solver="cholesky").fit(X, y).coef_
    assert np.abs(plain / coef - 1).max() > 1e-9


def test_nearly_perfect_fit_keeps_sigma():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 3))
    noise = 1e-7 * rng.normal(size=500)
    y = X @ [1.0, 2.0, 3.0] + noise
    model = LinearRegression().fit(X, y)
    r = y - model.predict(X)
    assert_allclose(model.sigma_, np.sqrt(np.mean(r**2)), rtol=1e-6)


def test_wide_data():
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(20, 300)) + 5, rng.normal(size=(20, 2))
    w = rng.integers(0, 3, 20) + 0.5
    for fit_intercept in (True, False):
        theirs = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, Y, w)
        ours = LinearRegression(fit_intercept=fit_intercept).fit(X, Y, w)
        assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)
        assert ours.rank_ == theirs.rank_
        assert_allclose(ours.singular_, theirs.singular_, rtol=1e-10, atol=1e-10)
        assert_allclose(ours.sigma_, 0.0, atol=1e-12)
        for solver in SOLVERS:
            alphas = [0.1, 20.0]
            theirs = sklearn.linear_model.Ridge(alphas, fit_intercept=fit_intercept, solver="svd")
            ours = Ridge(alphas, fit_intercept=fit_intercept, solver=solver, tol=1e-12)
            theirs.fit(X, Y, w)
            assert_allclose(ours.fit(X, Y, w).coef_, theirs.coef_, rtol=1e-7, atol=1e-8)
    twice = np.vstack([X, X])  # inconsistent rows: no interpolation
    y = rng.normal(size=40)
    ours = LinearRegression().fit(twice, y)
    theirs = sklearn.linear_model.LinearRegression().fit(twice, y)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-12)
    assert ours.rank_ == 19


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("columns", [20, 40])
def test_sparse_is_dense(fit_intercept, columns, monkeypatch):
    monkeypatch.setattr(costs, "RIDGE_SPARSE_COLUMNS", 30)  # 40 columns: by gradient
    rng = np.random.default_rng(5)
    S = sp.random(300, columns, density=0.2, format="csr", random_state=0)
    S.data = rng.normal(size=S.nnz) + 1
    y = S @ rng.normal(size=columns) + rng.normal(size=300) + 5
    w = rng.integers(0, 3, 300).astype(float)
    for make in (lambda: LinearRegression(tol=1e-12), lambda: Ridge([2.0], tol=1e-12)):
        model = make().set_params(fit_intercept=fit_intercept)
        dense = model.fit(S.toarray(), y, w)
        expected = np.append(dense.coef_, [dense.intercept_, dense.sigma_])
        for convert in (sp.csr_matrix, sp.csc_array, sp.coo_array):
            found = make().set_params(fit_intercept=fit_intercept).fit(convert(S), y, w)
            parts = np.append(found.coef_, [found.intercept_, found.sigma_])
            assert_allclose(parts, expected, rtol=1e-8, atol=1e-9)
            assert (found.n_iter_ is None) == (columns == 20)
    single = Ridge(2.0, tol=1e-6).fit(S.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    many = Ridge([1.0, 3.0], tol=1e-12).fit(S, np.c_[y, -2 * y])
    assert_allclose(many.coef_[0], Ridge(1.0, tol=1e-12).fit(S, y).coef_, rtol=1e-8, atol=1e-10)
    assert_allclose(many.predict(S), many.predict(S.toarray()), rtol=1e-10)


def test_sparse_one_hot_gives_the_least_norm():
    """All categories beside an intercept: collinear."""
    rng = np.random.default_rng(6)
    X = np.eye(4)[rng.integers(4, size=200)]
    y = X @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=200)
    dense = LinearRegression().fit(X, y)
    found = LinearRegression(tol=1e-12).fit(sp.csr_array(X), y)
    assert_allclose(found.coef_, dense.coef_, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("shape", [(80, 6), (5, 9)])
def test_non_negative(alpha, shape):
    rng = np.random.default_rng(7)
    X = rng.normal(size=shape) + 1
    Y = X @ rng.normal(size=(shape[1], 2)) + rng.normal(size=(shape[0], 2))
    w = rng.uniform(0.5, 2, size=shape[0])
    model = Ridge(alpha, positive=True).fit(X, Y, w)
    root = np.sqrt(w)[:, None]
    A = root * (X - np.average(X, axis=0, weights=w))
    B = root * (Y - np.average(Y, axis=0, weights=w))
    gradient = A.T @ (A @ model.coef_.T - B) + alpha * model.coef_.T
    assert (model.coef_ >= 0).all()
    assert (model.coef_ == 0).any()
    assert gradient.min() > -1e-10  # Karush-Kuhn-Tucker
    assert_allclose(gradient[model.coef_.T > 0], 0.0, atol=1e-10)
    sparse = Ridge(alpha, positive=True, tol=1e-8).fit(sp.csr_array(X), Y, w)
    assert_allclose(((A @ sparse.coef_.T - B) ** 2).sum() + alpha * (sparse.coef_**2).sum(),
                    model.objective_path_[-1], rtol=1e-7)  # fmt: skip
    if alpha == 0:
        assert_allclose(LinearRegression(positive=True).fit(X, Y, w).coef_, model.coef_)


def test_log_likelihood_is_the_sum_of_log_densities():
    from scipy.stats import norm

    rng = np.random.default_rng(8)
    X, Y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    w = rng.integers(0, 4, size=50)
    for model in (LinearRegression().fit(X, Y), Ridge(5.0).fit(X, Y)):
        logs = norm(model.predict(X), model.sigma_).logpdf(Y)
        assert_allclose(model.log_likelihood(X, Y), logs.sum())
        assert_allclose(model.log_likelihood(X, Y, w), (w @ logs).sum())
    one = LinearRegression().fit(X, Y[:, 0])
    best = one.log_likelihood(X, Y[:, 0])
    for factor in (0.9, 1.1):  # sigma_ maximises it
        worse = LinearRegression().fit(X, Y[:, 0])
        worse.sigma_ *= factor
        assert worse.log_likelihood(X, Y[:, 0]) < best
    exactly = LinearRegression().fit([[0.0], [1.0]], [0.0, 0.0])
    assert exactly.log_likelihood([[2.0]], [0.0]) == np.inf
    assert exactly.log_likelihood([[2.0]], [1.0]) == -np.inf
    with pytest.raises(ValueError, match="y has shape"):
        one.log_likelihood(X, Y)


def test_weights_are_repetitions():
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    w = rng.integers(0, 4, size=30)
    for model in (LinearRegression(), Ridge(2.0), Ridge(2.0, solver="sparse_cg", tol=1e-13)):
        weighted = model.fit(X, y, sample_weight=w)
        found = np.append(weighted.coef_, [weighted.intercept_, weighted.sigma_])
        repeated = model.fit(np.repeat(X, w, axis=0), np.repeat(y, w))
        expected = np.append(repeated.coef_, [repeated.intercept_, repeated.sigma_])
        assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_steps_of_conjugate_gradient():
    rng = np.random.default_rng(10)
    X, y = rng.normal(size=(100, 8)), rng.normal(size=100)
    model = Ridge(1.0, solver="sparse_cg", tol=1e-10)
    states = list(model.steps(X, y))
    assert [s.n_iter for s in states] == list(range(1, len(states) + 1))
    assert np.all(np.diff(model.objective_path_) <= 1e-9)
    assert states[-1].converged
    assert model.n_iter_ == len(states)
    assert_allclose(model.objective_path_[-1], Ridge(1.0).fit(X, y).objective_path_[0])
    direct = list(Ridge(1.0).steps(X, y))
    assert len(direct) == 1
    with pytest.warns(ConvergenceWarning, match="2 iterations"):
        Ridge(1.0, solver="sparse_cg", tol=1e-10, max_iter=2).fit(X, y)


def test_shapes_and_dtypes_are_scikit_learns():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(20, 3))
    for name in ("LinearRegression", "Ridge"):
        ours, theirs = globals()[name](), getattr(sklearn.linear_model, name)()
        for Y in (rng.normal(size=20), rng.normal(size=(20, 1)), rng.normal(size=(20, 4))):
            for dtype in (np.float32, np.float64):
                for fit_intercept in (True, False):
                    a = ours.set_params(fit_intercept=fit_intercept).fit(X.astype(dtype), Y)
                    b = theirs.set_params(fit_intercept=fit_intercept).fit(X.astype(dtype), Y)
                    assert a.coef_.shape == b.coef_.shape
                    assert a.coef_.dtype == b.coef_.dtype
                    assert np.shape(a.intercept_) == np.shape(b.intercept_)
                    assert a.predict(X).shape == b.predict(X).shape


def test_one_row_and_no_variation():
    model = LinearRegression().fit([[3.0, 4.0]], [2.0])
    assert_array_equal(model.coef_, [0.0, 0.0])
    assert model.intercept_ == 2.0
    constant = Ridge(0.0).fit(np.full((20, 2), 0.1), np.arange(20.0))
    assert_array_equal(constant.coef_, [0.0, 0.0])
    assert constant.intercept_ == 9.5


def test_singular_values_survive_pickling_small():
    rng = np.random.default_rng(12)
    X = rng.normal(size=(400, 100))
    model = LinearRegression().fit(X, X[:, 0])
    stored = pickle.dumps(model)
    assert len(stored) < 8 * 100 * 10
    assert_allclose(pickle.loads(stored).singular_, np.linalg.svd(X - X.mean(0))[1])
    assert not hasattr(LinearRegression(), "singular_")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
def test_non_finite_is_refused_with_sklearns_words(bad, shape):
    X, y = np.ones(shape), np.zeros(shape[0])
    fitted = {name: globals()[name]().fit(X, y) for name in ("LinearRegression", "Ridge")}
    X[2, 1] = bad
    for name, model in fitted.items():
        theirs = getattr(sklearn.linear_model, name)()
        with pytest.raises(ValueError) as expected:
            theirs.fit(X, y)
        with pytest.raises(ValueError) as found:
            globals()[name]().fit(X, y)
        assert str(found.value) == str(expected.value)
        with pytest.raises(ValueError, match="Input X contains"):
            model.predict(X)
        with pytest.raises(ValueError, match="Input y contains"):
            globals()[name]().fit(np.ones(shape), np.full(shape[0], bad))


def test_bad_input():
    X, y = np.ones((4, 2)), np.ones(4)
    with pytest.raises(NotFittedError):
        LinearRegression().predict(X)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        Ridge().fit(X, y, [1, 1, 1, -1])
    with pytest.raises(ValueError, match="at least one non-zero"):
        LinearRegression().fit(X, y, np.zeros(4))
    with pytest.raises(ValueError, match=r"alpha has 2 entries, y has 1 targets"):
        Ridge([1.0, 2.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"alpha=\[-1.0\].*≥ 0"):
        Ridge([-1.0]).fit(X, y)
    with pytest.raises(ValueError, match="'solver' parameter of Ridge"):
        Ridge(solver="newton").fit(X, y)
    with pytest.raises(ValueError, match="solver='svd' does not support positive"):
        Ridge(solver="svd", positive=True).fit(X, y)
    with pytest.raises(ValueError, match="only when positive=True"):
        Ridge(solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="solver='svd' does not support sparse"):
        Ridge(solver="svd").fit(sp.csr_array(X), y)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        LinearRegression(positive=True).fit(sp.csr_array(X), y)


@pytest.mark.parametrize("make", [LinearRegression, Ridge, lambda: Ridge(solver="svd")])
def test_memory_is_less_than_half_a_copy(make):
    X = np.random.default_rng(13).normal(size=(40_000, 64))
    y = X[:, 0] + 1
    make().fit(X[:100], y[:100])  # imports are not counted
    tracemalloc.start()
    try:
        make().fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * X.nbytes


@pytest.mark.parametrize(("spread", "rough"), [(0.0, True), (4.0, False)])
def test_float32_products_end_at_the_float64_solution(monkeypatch, spread, rough):
    """Refined where the condition allows it; else, and only then, float64 products."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    X = (rng.normal(size=(3000, 30)) @ (Q * 10 ** np.linspace(0, -spread, 30)) @ Q.T).astype("f4")
    X += np.float32(2)
    y = (X @ rng.normal(size=30) + rng.normal(size=3000)).astype("f4")
    passes = []

    def spy(*args, **options):
        passes.append(options.get("rough", False))
        return _moments.moments(*args, **options)

    monkeypatch.setattr(_penalised, "moments", spy)
    monkeypatch.setattr(costs, "RIDGE_ROUGH_COLUMNS", 20)
    model = Ridge(alpha=0.0).fit(X, y)
    assert passes == ([True] if rough else [True, False])
    exact = Ridge(alpha=0.0).fit(X.astype(float), y.astype(float))
    scale = np.abs(exact.coef_).max()
    assert_allclose(model.coef_ / scale, exact.coef_ / scale, atol=3e-7)
    assert_allclose(model.sigma_, exact.sigma_, rtol=1e-9)
