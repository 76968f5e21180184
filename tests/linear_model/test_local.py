"""Locally weighted regression against least squares query by query, LOWESS, and its limits."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.linear_model import LocallyWeightedRegression, _local_solver
from kiso.linear_model._local_cells_loops import POWERS, sum_cells
from kiso.linear_model._local_sums_loops import GAUSSIAN, Local, sum_rows
from tests.naive import local_regression as naive

LWR = LocallyWeightedRegression

# `jit` marks what takes minutes as plain Python: the checks, leave-one-out, thousands of rows.


def sine(n=120, seed=0, noise=0.2):
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, 6, (n, 1))
    return X, np.sin(X[:, 0]) + noise * rng.standard_normal(n)


def table(n, d, seed=0, m=None):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.sin(X.sum(axis=1)) + 0.1 * rng.standard_normal(n)
    if m is not None:
        y = np.stack([y + o * X[:, 0] for o in range(m)], axis=1)
    return X, y, rng.standard_normal((7, d))


@pytest.mark.jit
@parametrize_with_checks(
    [LWR(random_state=0), LWR(3.0, degree=2, kernel="tricube"), LWR(2.0, robust_iterations=2)]
)
def test_sklearn_checks(estimator, check):
    check(estimator)


# --- against the slow twin ---


@pytest.mark.jit
@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(12, 700),
    d=st.integers(1, 3),
    m=st.sampled_from([None, 1, 2]),
    degree=st.integers(0, 2),
    kernel=st.sampled_from(["gaussian", "tricube"]),
    tau=st.sampled_from([1.5, 3.0, 40.0]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_least_squares_at_each_query(n, d, m, degree, kernel, tau, weighted, seed):
    X, y, Q = table(n + 20, d, seed, m)
    weight = np.random.default_rng(seed).uniform(0.5, 2, len(X)) if weighted else None
    if kernel == "tricube":
        tau *= 3
    model = LWR(tau, degree=degree, kernel=kernel).fit(X, y, sample_weight=weight)
    expected = naive.local_regression(X, y, Q, tau=tau, degree=degree, kernel=kernel, weight=weight)
    got = model.predict(Q)
    assert got.shape == expected.shape
    assert_allclose(got, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kernel", ["gaussian", "tricube"])
@pytest.mark.parametrize("d", [1, 2])
def test_frac_is_the_distance_of_the_kth_neighbour(kernel, d):
    X, y, Q = table(300, d)
    model = LWR(frac=0.3, kernel=kernel).fit(X, y)
    assert model.tau_ is None
    expected = naive.local_regression(X, y, Q, frac=0.3, kernel=kernel)
    assert_allclose(model.predict(Q), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("d", [1, 3])
def test_precision_measures_distance(d):
    X, y, Q = table(200, d)
    root = np.random.default_rng(3).standard_normal((d, d)) + 2 * np.eye(d)
    P = root @ root.T
    model = LWR(3.0, precision=P).fit(X, y)
    assert_allclose(
        model.predict(Q), naive.local_regression(X, y, Q, tau=3.0, precision=P), rtol=1e-9
    )
    diagonal = np.arange(1.0, d + 1)
    assert_allclose(
        LWR(2.0, precision=diagonal).fit(X, y).predict(Q),
        LWR(2.0, precision=np.diag(diagonal)).fit(X, y).predict(Q),
        rtol=1e-12,
    )


def test_precision_may_ignore_a_feature():
    X, y, Q = table(200, 2)
    P = np.diag([1.0, 0.0])
    model = LWR(0.7, precision=P).fit(X, y)
    assert_allclose(model.predict(Q), naive.local_regression(X, y, Q, tau=0.7, precision=P))
    moved = Q + np.array([0.0, 5.0])
    assert_allclose(model.local_weights(moved), model.local_weights(Q))


@pytest.mark.jit
def test_several_leaves_and_narrow_kernels_leave_out_only_what_is_negligible():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 10, (4000, 2))
    y = np.sin(X[:, 0]) * X[:, 1]
    Q = rng.uniform(0, 10, (30, 2))
    for kernel, tau in [("gaussian", 0.3), ("tricube", 1.0)]:
        got = LWR(tau, degree=2, kernel=kernel).fit(X, y).predict(Q)
        expected = naive.local_regression(X, y, Q, tau=tau, degree=2, kernel=kernel)
        assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.jit
def test_sorted_windows_in_one_dimension():
    X, y = sine(3000)
    Q = np.linspace(-1, 7, 41)[:, None]
    for degree in (0, 1, 2):
        got = LWR(0.05, degree=degree).fit(X, y).predict(Q[5:-5])
        expected = naive.local_regression(X, y, Q[5:-5], tau=0.05, degree=degree)
        assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


def scattered(shape, n, rng):
    """Sorted or not, dense or bunched: what a cell may have to hold."""
    if shape == "uniform":
        return rng.uniform(0, 10, n)
    if shape == "exponential":
        return rng.exponential(2.0, n)
    if shape == "bunched":
        return np.concatenate([rng.normal(2, 1e-3, n // 2), rng.normal(7, 1e-9, n - n // 2)])
    if shape == "lonely":
        return np.concatenate([[-2.0], rng.uniform(2, 10, n - 1)])
    return rng.integers(0, 12, n).astype(float)  # duplicates


@pytest.mark.jit
@settings(deadline=None, max_examples=60)
@given(
    shape=st.sampled_from(["uniform", "exponential", "bunched", "lonely", "duplicates"]),
    tau=st.sampled_from([0.2, 0.6, 3.0, 50.0, 1e4]),
    degree=st.integers(0, 2),
    offset=st.sampled_from([0.0, 2.0**20]),
    seed=st.integers(0, 9),
)
def test_cells_give_what_rows_give(shape, tau, degree, offset, seed):
    rng = np.random.default_rng(seed)
    x = scattered(shape, 3000, rng)
    y = np.sin(x) + x
    weight = rng.uniform(0, 1, 3000)
    at = np.concatenate([rng.uniform(-1, 11, 200), x[:50], [-8.0, 25.0]])[:, None] + offset
    model = LWR(tau, degree=degree).fit(x[:, None] + offset, y, sample_weight=weight)
    few = np.concatenate([model.predict(part) for part in np.split(at, 63)])  # by rows
    assert_allclose(model.predict(at), few, rtol=1e-10, atol=1e-10)
    coef = model.local_coef(at, about="query")
    few = np.concatenate([model.local_coef(p, about="query") for p in np.split(at, 63)])
    size = np.abs(few).max(axis=0)
    assert_allclose(coef / size, few / size, atol=1e-8)


@pytest.mark.jit
def test_cells_are_used_where_they_are_sure():
    X, y = sine(3000)
    rows, _ = _local_solver.arrange(X, y[:, None], np.ones(3000), None)
    local = Local(GAUSSIAN, 2, 0.3, 0)
    assert _local_solver.Cells.of(rows, local, 3) is None
    assert _local_solver.Cells.of(rows, local._replace(tau=1e-4), 300) is None
    cells = _local_solver.Cells.of(rows, local, 300)
    Q = np.array([[0.1], [3.0], [5.9], [9.0], [60.0]])
    equations, todo = _local_solver._no_equations(Q, 3, 1)
    cells.fill(Q, equations, todo)
    assert_array_equal(todo, [False, False, False, True, True])  # the last are far from all rows
    by_rows, _ = _local_solver._no_equations(Q, 3, 1)
    everything = np.ones(5, bool)
    no_skip = np.full(5, -1, np.intp)
    sum_rows(Q, Q, no_skip, everything, rows, local, by_rows, np.empty((5, 1)))
    for G, r in (equations[:2], by_rows[:2]):  # whose weights are relative to the nearest row's
        r[1] /= G[1, 0, 0]
        G[1] /= G[1, 0, 0]
    assert_allclose(np.tril(equations.G[1]), np.tril(by_rows.G[1]), rtol=1e-12, atol=1e-13)
    assert_allclose(equations.r[1], by_rows.r[1], rtol=1e-12, atol=1e-13)


# --- LOWESS ---


@pytest.mark.jit
@pytest.mark.parametrize("it", [0, 3])
@pytest.mark.parametrize("frac", [0.1, 2 / 3])
def test_equals_statsmodels_lowess(it, frac):
    smoothers = pytest.importorskip("statsmodels.nonparametric.smoothers_lowess")
    X, y = sine(400)
    y[::17] += 5.0
    at = np.linspace(0.1, 5.9, 50)
    model = LWR(frac=frac, kernel="tricube", robust_iterations=it).fit(X, y)
    expected = smoothers.lowess(y, X[:, 0], frac=frac, it=it, xvals=at)
    assert_allclose(model.predict(at[:, None]), expected, rtol=1e-9, atol=1e-10)
    at_rows = smoothers.lowess(y, X[:, 0], frac=frac, it=it, return_sorted=False)
    assert_allclose(model.predict(X), at_rows, rtol=1e-9, atol=1e-10)


def test_robust_weights_are_those_of_the_formula():
    X, y = sine(150)
    y[10] += 30.0
    w = np.ones(150)
    for _ in range(2):
        fitted = naive.local_regression(X, y, X, tau=0.5, weight=w)
        w = naive.robust_weights(y, fitted)
    model = LWR(0.5, robust_iterations=2).fit(X, y)
    assert_allclose(model.robust_weights_, w, atol=1e-10)
    assert model.robust_weights_[10] == 0.0
    plain = LWR(0.5).fit(X, y)
    clean = np.sin(X[10, 0])
    assert abs(model.predict(X[10:11])[0] - clean) < 0.2 < abs(plain.predict(X[10:11])[0] - clean)


def test_robust_fit_of_exact_data_drops_the_outlier_and_keeps_the_rest():
    X = np.linspace(0, 1, 40)[:, None]
    y = 3 * X[:, 0] + 1
    y[7] = 50.0
    model = LWR(0.2, robust_iterations=4).fit(X, y)
    assert model.robust_weights_[7] == 0.0
    assert_allclose(model.predict(X), 3 * X[:, 0] + 1, atol=1e-6)


# --- leave-one-out ---


@pytest.mark.jit
@pytest.mark.parametrize("kernel", ["gaussian", "tricube"])
@pytest.mark.parametrize(("d", "degree"), [(1, 0), (1, 1), (1, 2), (2, 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_equals_refitting(kernel, d, degree, weighted):
    X, y, _ = table(60, d)
    weight = np.random.default_rng(1).uniform(0.5, 2, 60) if weighted else None
    model = LWR(degree=degree, kernel=kernel).fit(X, y, sample_weight=weight)
    checked = 0
    for tau, error in zip(model.loo_taus_, model.loo_errors_, strict=True):
        # below, least squares by minimum norm and by leaving out terms are not the same
        if tau < (8.0 if kernel == "tricube" else 1.0):
            continue
        residuals = naive.leave_one_out(X, y, tau=tau, degree=degree, kernel=kernel, weight=weight)
        assert_allclose(error, np.average(residuals**2, weights=weight), rtol=1e-6)
        checked += 1
    assert checked >= 3


@pytest.mark.jit
def test_leave_one_out_finds_the_minimum():
    X, y = sine(200)
    model = LWR().fit(X, y)
    assert np.all(np.isfinite(model.loo_errors_))
    assert np.all(np.diff(model.loo_taus_) > 0)
    assert model.tau_ == model.loo_taus_[np.argmin(model.loo_errors_)]
    assert 0.05 < model.tau_ < 1.0
    for factor in (0.8, 1.25):  # a local minimum, by refitting
        other = naive.leave_one_out(X, y, tau=model.tau_ * factor)
        assert np.mean(other**2) > model.loo_errors_.min()
    # both ends are worse: noise on the left, the line of ordinary least squares on the right
    assert model.loo_errors_[0] > 1.2 * model.loo_errors_.min()
    assert model.loo_errors_[-1] > 2.0 * model.loo_errors_.min()


@pytest.mark.jit
def test_leave_one_out_of_linear_data_takes_the_widest():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (80, 1))
    y = 2 * X[:, 0] + 0.3 * rng.standard_normal(80)
    model = LWR().fit(X, y)
    assert model.tau_ > 0.5


@pytest.mark.jit
def test_loo_rows_are_drawn_by_random_state():
    X, y = sine(500)
    a, b = (LWR(loo_rows=100, random_state=s).fit(X, y) for s in (0, 0))
    c = LWR(loo_rows=100, random_state=1).fit(X, y)
    assert_array_equal(a.loo_errors_, b.loo_errors_)
    assert not np.array_equal(a.loo_errors_, c.loo_errors_)
    every = LWR(loo_rows=None).fit(X, y)
    assert abs(np.log(a.tau_ / every.tau_)) < 1.0


@pytest.mark.jit
def test_cells_do_not_depend_on_where_the_arrays_lie():
    """A loop that checks a wider range for overlap than it uses takes another form by chance."""
    rng, kept, sums = np.random.default_rng(0), [], set()
    x, y = np.sort(rng.uniform(0, 6, 500)), rng.standard_normal(500)
    starts = np.array([0, 170, 333, 500])
    for _ in range(1000):
        kept.append((y.copy(), np.ones(int(rng.integers(1, 5000)))))  # moves what comes next
        if len(kept) > 20:
            kept.pop(int(rng.integers(20)))
        m, my = np.empty((2, POWERS, 3))
        sum_cells(x, kept[-1][0], np.ones(500), starts, 4.1, 0, 3, m, my)
        sums.add(m.tobytes() + my.tobytes())
    assert len(sums) == 1


@pytest.mark.parametrize("X", [[[1.0]], [[1.0], [1.0], [1.0]], [[0.0], [1.0]]])
def test_leave_one_out_of_next_to_nothing(X):
    y = np.arange(1.0, len(X) + 1)
    model = LWR().fit(X, y)
    assert model.tau_ > 0
    assert np.all(np.isfinite(model.predict([[1.0], [50.0]])))


def test_refitting_forgets():
    X, y = sine(50)
    model = LWR(robust_iterations=1).fit(X, y)
    model.set_params(tau=0.5, robust_iterations=0).fit(X, y)
    assert not hasattr(model, "loo_errors_")
    assert not hasattr(model, "robust_weights_")


# --- limits and singular neighbourhoods ---


@pytest.mark.parametrize("kernel", ["gaussian", "tricube"])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("d", [1, 3])
def test_wide_is_ordinary_least_squares(kernel, degree, d):
    X, y, Q = table(90, d)
    powers = PolynomialFeatures(degree)
    ols = LinearRegression().fit(powers.fit_transform(X), y)
    for tau in (1e6, 1e300):
        model = LWR(tau, degree=degree, kernel=kernel).fit(X, y)
        assert_allclose(model.predict(Q), ols.predict(powers.transform(Q)), atol=1e-8)
        theta = model.local_coef(Q)
        assert_allclose(theta[:, 0], ols.intercept_, atol=1e-8)
        assert_allclose(theta[:, 1:], np.tile(ols.coef_[1:], (len(Q), 1)), atol=1e-8)


@pytest.mark.parametrize("kernel", ["gaussian", "tricube"])
@pytest.mark.parametrize("degree", [0, 1, 2])
@pytest.mark.parametrize("tau", [1e-9, 1e-200])
def test_narrow_is_the_mean_of_the_nearest(kernel, degree, tau):
    X = np.array([[0.0], [1.0], [1.0], [2.0], [5.0]])
    y = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    model = LWR(tau, degree=degree, kernel=kernel).fit(X, y, sample_weight=[1, 1, 3, 1, 1])
    got = model.predict([[1.0], [1.2], [0.0], [3.5], [400.0], [-7.0]])
    assert_allclose(got, [3.5, 3.5, 1.0, 12.0, 16.0, 1.0], rtol=1e-12)
    in_plane = LWR(tau, degree=degree, kernel=kernel).fit(np.c_[X, X], y)
    assert_allclose(in_plane.predict([[1.0, 1.2], [3.5, 3.5]]), [3.0, 12.0], rtol=1e-12)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_line_of_two_points_and_no_more(degree):
    """Two distinct points determine a line; the square that they do not is left out."""
    X = np.array([[1.0], [1.0], [2.0], [2.0]])
    y = np.array([1.0, 3.0, 5.0, 7.0])
    model = LWR(3.0, degree=degree).fit(X, y)
    assert_allclose(model.predict([[1.0], [2.0], [3.0], [0.3]]), [2, 6, 10, -0.8], atol=1e-9)


@pytest.mark.parametrize("tau", [0.5, 100.0])
def test_collinear_and_constant_columns(tau):
    X, y = sine(100)
    wide = np.c_[X, 2 * X, np.full(100, 3.0)]
    Q = np.linspace(0, 6, 11)[:, None]
    model = LWR(tau * np.sqrt(5), degree=1).fit(wide, y)
    got = model.predict(np.c_[Q, 2 * Q, np.full(11, 3.0)])
    assert_allclose(got, LWR(tau).fit(X, y).predict(Q), atol=1e-7)


@pytest.mark.parametrize("degree", [0, 1])
@pytest.mark.parametrize("tau", [1.0, 0.1, 0.01, 0.001])
def test_far_from_all_data(degree, tau):
    """At a hundred and more bandwidths exp underflows; relative to the nearest row it does not."""
    X = np.linspace(0, 1, 200)[:, None]
    y = 1 + 2 * X[:, 0]
    got = LWR(tau, degree=degree).fit(X, y).predict([[11.0], [-9.0]])
    # at τ = 0.01 the second row weighs exp(−500) against the first, which is then alone
    extrapolates = degree == 1 and tau > 0.05
    expected = [23.0, -17.0] if extrapolates else [3.0, 1.0]
    assert_allclose(got, expected, rtol=1e-6, atol=0 if extrapolates else 0.3 * tau)


def test_far_offset_loses_no_digits():
    X, y = sine(200)
    Q = np.linspace(0, 6, 13)[:, None]
    for degree in (1, 2):
        near = LWR(0.5, degree=degree).fit(X, y).predict(Q)
        far = LWR(0.5, degree=degree).fit(X + 2.0**20, y).predict(Q + 2.0**20)
        assert_allclose(far, near, atol=1e-8)


def test_compact_kernel_without_neighbours():
    X, y, _ = table(50, 2)
    model = LWR(0.5, kernel="tricube").fit(X, y)
    q = np.array([[30.0, 30.0]])
    nearest = np.argmin(np.linalg.norm(X - q, axis=1))
    assert model.predict(q)[0] == pytest.approx(y[nearest])
    assert model.local_weights(q).sum() == 0


def test_frac_among_duplicates():
    X = np.repeat([[0.0], [1.0], [2.0]], 5, axis=0)
    y = np.arange(15.0)
    for kernel in ("gaussian", "tricube"):
        model = LWR(frac=0.2, kernel=kernel).fit(X, y)
        assert_allclose(model.predict([[0.0], [1.0], [2.0]]), [2.0, 7.0, 12.0])
        assert_allclose(model.local_weights([[1.0]])[0] > 0, X[:, 0] == 1.0)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 9),
    d=st.integers(1, 3),
    degree=st.integers(0, 2),
    kernel=st.sampled_from(["gaussian", "tricube"]),
    tau=st.sampled_from([1e-12, 0.1, 1.0, 1e3]),
    seed=st.integers(0, 999),
)
def test_few_rows_on_a_grid_never_give_nan(n, d, degree, kernel, tau, seed):
    rng = np.random.default_rng(seed)
    X, Q = (rng.integers(0, 3, (k, d)).astype(float) for k in (n, 6))
    y = rng.standard_normal(n)
    model = LWR(tau, degree=degree, kernel=kernel).fit(X, y)
    got = model.predict(Q)
    assert np.all(np.isfinite(got))
    if degree == 0:
        assert np.all((got >= y.min() - 1e-9) & (got <= y.max() + 1e-9))
    constant = model.fit(X, np.full(n, 2.5)).predict(Q)
    assert_allclose(constant, 2.5, rtol=1e-7)


# --- weights, coefficients, types ---


def test_zero_weights_are_absent_rows():
    X, y, Q = table(80, 2)
    weight = np.ones(80)
    weight[::3] = 0
    model = LWR(0.8, robust_iterations=1).fit(X, y, sample_weight=weight)
    other = LWR(0.8, robust_iterations=1).fit(X[weight > 0], y[weight > 0])
    assert_allclose(model.predict(Q), other.predict(Q), rtol=1e-12)
    assert np.all(model.local_weights(Q)[:, ::3] == 0)


def test_a_row_of_weight_two_is_two_rows():
    X, y, Q = table(60, 2)
    weight = np.arange(60) % 3
    for chosen in ({"tau": 0.5, "degree": 2}, {"tau": 2.0, "kernel": "tricube"}):
        model = LWR(**chosen).fit(X, y, sample_weight=weight)
        repeated = LWR(**chosen).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
        assert_allclose(model.predict(Q), repeated.predict(Q), rtol=1e-8)


def test_weights_are_scale_free_and_those_of_the_formula():
    X, y, Q = table(60, 2)
    weight = np.linspace(1, 2, 60)
    a, b = (LWR(0.8).fit(X, y, sample_weight=s * weight) for s in (1.0, 1e-150))
    assert_allclose(a.predict(Q), b.predict(Q), rtol=1e-12)
    squares = ((Q[:, None] - X) ** 2).sum(axis=2)
    assert_allclose(
        LWR(0.8).fit(X, y).local_weights(Q), np.exp(-squares / (2 * 0.8**2)), rtol=1e-12
    )
    tricube = LWR(frac=0.5, kernel="tricube").fit(X, y).local_weights(Q)
    assert np.all((tricube > 0).sum(axis=1) == 29)


@pytest.mark.parametrize("degree", [0, 1, 2])
@pytest.mark.parametrize("m", [None, 2])
def test_coefficients_are_those_of_the_fit(degree, m):
    X, y, Q = table(150, 2, m=m)
    model = LWR(1.5, degree=degree).fit(X, y)
    T = PolynomialFeatures(degree).fit_transform(Q)
    theta = model.local_coef(Q)
    assert theta.shape == (7, T.shape[1]) + (() if m is None else (m,))
    assert_allclose(np.einsum("nt,nt...->n...", T, theta), model.predict(Q), atol=1e-9)
    about = model.local_coef(Q, about="query")
    assert_allclose(about[:, 0], model.predict(Q), atol=1e-10)
    for q, coef in zip(Q, about, strict=True):
        w = naive.kernel_weights(naive.distances(X, q), 1.5, "gaussian")
        assert_allclose(coef, naive.local_theta(X, y, q, w, degree), atol=1e-8)


@pytest.mark.parametrize("d", [1, 2])
def test_float32_stays_and_is_close(d):
    X, y, Q = table(300, d)
    model = LWR(0.7, degree=2).fit(X.astype(np.float32), y.astype(np.float32))
    got = model.predict(Q.astype(np.float32))
    assert got.dtype == np.float32
    assert_allclose(got, LWR(0.7, degree=2).fit(X, y).predict(Q), rtol=1e-3, atol=1e-3)


def test_strides_do_not_matter():
    X, y, Q = table(100, 4)
    expected = LWR(1.0).fit(X, y).predict(Q)
    wide = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)
    for view in (np.asfortranarray(X), wide[::2, ::3]):
        for at in (np.asfortranarray(Q), Q[::-1][::-1]):
            assert_array_equal(LWR(1.0).fit(view, np.repeat(y, 2)[::2]).predict(at), expected)


@pytest.mark.jit
def test_clone_pickle_and_names():
    pd = pytest.importorskip("pandas")
    X, y, Q = table(40, 2)
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = LWR().fit(frame, y)
    assert list(model.feature_names_in_) == ["a", "b"]
    again = pickle.loads(pickle.dumps(model))
    at = pd.DataFrame(Q, columns=["a", "b"])
    assert_array_equal(again.predict(at), model.predict(at))
    assert_array_equal(clone(model).fit(frame, y).predict(at), model.predict(at))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tau": 0.0}, "tau"),
        ({"tau": "best"}, "tau"),
        ({"degree": 3}, "degree"),
        ({"kernel": "box"}, "kernel"),
        ({"frac": 1.5}, "frac"),
        ({"frac": 0.5, "tau": 1.0}, "tau=1.0 and frac=0.5: give one"),
        ({"precision": np.eye(3)}, r"precision has shape \(3, 3\): give \(2, 2\)"),
        ({"precision": [[1.0, 2.0], [0.0, 1.0]]}, "precision is not symmetric"),
        ({"precision": [[1.0, 0.0], [0.0, -1.0]]}, "positive semi-definite"),
        ({"precision": [[0.0, 0.0], [0.0, 0.0]]}, "not zero"),
        ({"precision": [[np.nan, 0.0], [0.0, 1.0]]}, "precision holds NaN"),
        ({"robust_iterations": -1}, "robust_iterations"),
        ({"loo_rows": 0}, "loo_rows"),
    ],
)
def test_bad_parameters(settings, message):
    X, y, _ = table(20, 2)
    with pytest.raises(ValueError, match=message):
        LWR(**settings).fit(X, y)


def test_bad_input():
    X, y, Q = table(20, 2)
    with pytest.raises(ValueError, match="at least one non-zero"):
        LWR().fit(X, y, sample_weight=np.zeros(20))
    with pytest.raises(ValueError, match="Negative values"):
        LWR().fit(X, y, sample_weight=-np.ones(20))
    with pytest.raises(ValueError, match="about='mean': give 'origin' or 'query'"):
        LWR(1.0).fit(X, y).local_coef(Q, about="mean")


# --- cost ---


@pytest.mark.jit
def test_memory_is_one_copy_of_the_data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50_000, 20))
    y = X[:, 0]
    LWR(0.5).fit(X[:500], y[:500]).predict(X[:2])
    tracemalloc.start()
    model = LWR(0.5).fit(X, y)
    model.predict(X[:50])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * X.nbytes


@pytest.mark.jit
def test_one_thread_and_many_agree_to_the_last_bit():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    X, y = sine(5000)
    many = LWR(0.1).fit(X, y).predict(X)
    with threadpoolctl.threadpool_limits(1):
        one = LWR(0.1).fit(X, y).predict(X)
    assert_array_equal(one, many)
