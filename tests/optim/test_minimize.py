"""Methods and rules × functions, as a table; statuses; what is refused."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from kiso.optim import (
    LBFGS,
    AdaGrad,
    Adam,
    AdamW,
    Backtracking,
    ClipNorm,
    Cosine,
    ExactQuadratic,
    Fixed,
    GradientDescent,
    LbfgsMemory,
    Lion,
    Momentum,
    Nesterov,
    Newton,
    Quadratic,
    RMSProp,
    Rosenbrock,
    Status,
    SteepestDescent,
    StrongWolfe,
    descent,
    minimize,
    newton_direction,
    steepest_direction,
)
from tests.naive.optim import inverse_hessian_bfgs
from tests.optim.test_functions import FUNCTIONS

FAST = {
    "newton": "newton",
    "l-bfgs": "l-bfgs",
    "l-bfgs backtracking": LBFGS(line_search=Backtracking()),
    "scipy:BFGS": "scipy:BFGS",
    "scipy:L-BFGS-B": "scipy:L-BFGS-B",
    "scipy:trust-exact": "scipy:trust-exact",
}
SLOW = {
    "gradient descent": "gradient-descent",
    "l1": "steepest-l1",
    "linf": "steepest-linf",
    "wolfe": SteepestDescent(line_search=StrongWolfe()),
}


def gap(f, result):
    return result.fun - f.minimum


@pytest.mark.parametrize("method", FAST.values(), ids=FAST)
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_second_order_methods_find_the_minimum(f, method):
    result = minimize(f, f.start, method=method, tol=1e-7)
    assert result.success, result.message
    assert gap(f, result) < 1e-10 or np.linalg.norm(result.grad) <= 1e-7  # Rosenbrock(5): local
    assert np.linalg.eigvalsh(f.hessian(result.x)).min() > 0
    assert result.n_iter < 200
    np.testing.assert_allclose(result.grad, f.gradient(result.x))


@pytest.mark.parametrize("method", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_first_order_methods_find_the_minimum(f, method):
    result = minimize(f, f.start, method=method, tol=1e-3, max_iter=30_000)
    assert result.success, result.message
    assert np.linalg.norm(result.grad) <= 1e-3
    assert np.linalg.eigvalsh(f.hessian(result.x)).min() > 0


# a rate for each rule that suits each function: what is asked is that the value falls to
# a small share of what it was, by the rule's own path
N = 3000
RULES = {
    "gradient descent": lambda eta: GradientDescent(eta),
    "momentum": lambda eta: Momentum(eta / 10),
    "nesterov": lambda eta: Nesterov(eta / 10),
    "adagrad": lambda eta: AdaGrad(0.5),
    "rmsprop": lambda eta: RMSProp(Cosine(0.01, N)),
    "adam": lambda eta: Adam(Cosine(0.05, N)),
    "adamw": lambda eta: AdamW(Cosine(0.05, N), weight_decay=1e-4),
    "lion": lambda eta: Lion(Cosine(0.01, N)),
    "clipped": lambda eta: ClipNorm(GradientDescent(eta), max_norm=20.0),
}
RATES = {
    "rosenbrock": 1e-3,
    "rosenbrock 5": 5e-4,
    "himmelblau": 0.01,
    "beale": 0.01,
    "quadratic": 1.5e-3,
    "logistic": 1.0,
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_rules_descend(name, rule):
    f = FUNCTIONS[name]
    result = minimize(f, f.start, method=RULES[rule](RATES[name]), tol=1e-8, max_iter=N)
    assert result.status in (Status.CONVERGED, Status.MAX_ITER), result.message
    assert gap(f, result) < 0.05 * (f.value(f.start) - f.minimum)
    assert gap(f, result) > -1e-12


@pytest.mark.parametrize("seed", range(3))
def test_l_bfgs_needs_about_as_many_calls_as_scipys(seed):
    f = Rosenbrock(20)
    x0 = np.random.default_rng(seed).standard_normal(20)
    ours = minimize(f, x0, tol=1e-6)
    with threadpool_limits(1):  # on 20 numbers SciPy's threads only wait for each other
        theirs = minimize(f, x0, method="scipy:L-BFGS-B", tol=1e-12)
    assert ours.success
    assert ours.n_calls <= 1.5 * theirs.n_calls


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 1000))
def test_two_loops_are_the_dense_matrix(n, n_pairs, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A = A @ A.T + np.eye(n)
    memory, pairs = LbfgsMemory(5), []
    for s in rng.standard_normal((n_pairs, n)):
        assert memory.push(s, A @ s)
        pairs.append((s, A @ s))
    g = rng.standard_normal(n)
    want = -inverse_hessian_bfgs(pairs[-5:], n) @ g
    np.testing.assert_allclose(memory.direction(g), want, rtol=1e-6, atol=1e-9)
    assert len(memory) == min(n_pairs, 5)


def test_memory_refuses_pairs_without_curvature():
    memory = LbfgsMemory()
    assert not memory.push(np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    assert not memory.push(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert len(memory) == 0
    g = np.array([1.0, 2.0])
    np.testing.assert_array_equal(memory.direction(g), -g)


def test_newton_ends_a_quadratic_in_one_step():
    f = Quadratic([1.0, 1e6], random_state=0)
    assert minimize(f, [5.0, -3.0], method="newton", tol=1e-8).n_iter == 1


def test_newton_leaves_a_saddle_downhill():
    """f = x⁴/4 − x²/2 + y²: between its two minima the Hessian is indefinite."""

    def f(x):
        return x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2, [x[0] ** 3 - x[0], 2 * x[1]]

    def hess(x):
        return [[3 * x[0] ** 2 - 1, 0.0], [0.0, 2.0]]

    result = minimize(f, [0.1, 1.0], hess=hess, method="newton")
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.integers(0, 1000))
def test_newton_direction_always_descends(n, seed):
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((n, n))
    g = rng.standard_normal(n)
    assert newton_direction(g, H + H.T) @ g < 0
    assert newton_direction(g, np.zeros((n, n))) @ g < 0


def test_exact_search_on_a_quadratic_is_the_best_step():
    f = Quadratic([1.0, 7.0, 50.0], random_state=1)
    states = list(descent(f, f.start, method=SteepestDescent(line_search=ExactQuadratic())))
    assert states[-1].converged
    for before, after in pairwise(states):
        best = scipy.optimize.minimize_scalar(
            lambda a, x=before.x, g=before.gradient: f.value(x - a * g), tol=1e-12
        )
        assert after.value <= best.fun * (1 + 1e-9) + 1e-15
        # successive directions are orthogonal
        assert abs(before.gradient @ after.gradient) <= 1e-9 * before.gradient_norm**2


def test_fixed_step_is_the_textbook():
    f = Quadratic([1.0, 4.0])
    states = list(descent(f, [1.0, 1.0], method=SteepestDescent(line_search=Fixed(0.25)), tol=0.01))
    for s in states:
        np.testing.assert_allclose(s.x, [0.75**s.n_iter, 0.0**s.n_iter], atol=1e-15)
        assert s.gradient_norm == pytest.approx(np.linalg.norm(f.gradient(s.x)))
    assert states[3].step_length == pytest.approx(np.linalg.norm(states[3].x - states[2].x))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(0, 1000), st.sampled_from(["l1", "l2", "linf", "P"]))
def test_steepest_direction_is_the_steepest_of_its_norm(n, seed, norm):
    """No direction of unit norm has a smaller slope than d/‖d‖, and ∇fᵀd = −‖∇f‖_*²."""
    rng = np.random.default_rng(seed)
    g = rng.standard_normal(n)
    A = rng.standard_normal((n, n))
    P = A @ A.T + np.eye(n)
    norms = {
        "l1": (lambda v: np.abs(v).sum(-1), np.abs(g).max()),
        "l2": (lambda v: np.sqrt((v**2).sum(-1)), np.linalg.norm(g)),
        "linf": (lambda v: np.abs(v).max(-1), np.abs(g).sum()),
        "P": (
            lambda v: np.sqrt(np.einsum("...i,ij,...j", v, P, v)),
            np.sqrt(g @ np.linalg.solve(P, g)),
        ),
    }
    size, dual = norms[norm]
    d = steepest_direction(g, P if norm == "P" else norm)
    assert g @ d == pytest.approx(-(dual**2), rel=1e-9)
    assert size(d) == pytest.approx(dual, rel=1e-9)
    others = rng.standard_normal((200, n))
    assert np.all(others @ g / size(others) >= g @ d / size(d) - 1e-9)


def test_quadratic_norm_makes_an_ill_conditioned_bowl_round():
    f = Quadratic([1.0, 1e6], random_state=0)
    assert minimize(f, f.start, method=SteepestDescent(f.matrix)).n_iter <= 2


def test_states_begin_at_the_start_and_end_with_a_status():
    f = Rosenbrock()
    states = list(descent(f, f.start, method="l-bfgs"))
    np.testing.assert_array_equal(states[0].x, f.start)
    assert states[0].n_iter == 0
    assert states[0].step_length == 0.0
    assert [s.n_iter for s in states] == list(range(len(states)))
    assert all(s.status is Status.RUNNING for s in states[:-1])
    assert states[-1].status is Status.CONVERGED
    assert np.all(np.diff([s.value for s in states]) < 0)
    assert len({id(s.x) for s in states}) == len(states)


def test_a_start_that_is_the_minimum_takes_no_step():
    result = minimize(Rosenbrock(), [1.0, 1.0])
    assert (result.n_iter, result.status, result.n_calls) == (0, Status.CONVERGED, 1)


def test_max_iter_is_said_with_the_numbers():
    result = minimize(Rosenbrock(), [-1.2, 1.0], max_iter=3)
    assert result.status is Status.MAX_ITER
    assert not result.success
    assert result.n_iter == 3
    assert "Stopped after 3 steps: max_iter steps were taken" in result.message
    assert minimize(Rosenbrock(), [-1.2, 1.0], max_iter=0).n_iter == 0
    scipys = minimize(Rosenbrock(), [-1.2, 1.0], method="scipy:BFGS", max_iter=3)
    assert scipys.status is Status.MAX_ITER


def test_fun_without_gradient_takes_jac():
    f = Rosenbrock()
    result = minimize(f.value, f.start, jac=f.gradient)
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "step"), [(GradientDescent(0.1), 4), ("newton", 1), ("scipy:BFGS", None)]
)
def test_nan_gradient_says_step_and_number(method, step):
    def f(x):
        bad = x[1] != 1.0 if step == 1 else x[1] < 0.5
        return float(x @ x), np.array([2 * x[0], np.nan if bad else 2 * x[1]])

    if step is None:
        with np.errstate(invalid="ignore"):
            assert not minimize(f, [1.0, 1.0], method=method).success
        return
    result = minimize(f, [1.0, 1.0], method=method, hess=lambda x: 2 * np.eye(2))
    if method == "newton":  # every trial of the line search is NaN
        assert result.status is Status.LINE_SEARCH
    else:
        assert result.status is Status.NON_FINITE_GRADIENT
        assert f"step {step}: the gradient of x[1] is nan" in result.message
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.fun)


def test_nan_at_the_start():
    result = minimize(lambda x: (1.0, np.array([1.0, np.inf])), [0.0, 0.0])
    assert result.status is Status.NON_FINITE_GRADIENT
    assert "step 0: the gradient of x[1] is inf" in result.message


def test_divergence_ends_with_a_status_and_the_last_good_point():
    with np.errstate(over="ignore", invalid="ignore"):
        result = minimize(Rosenbrock(), [-1.2, 1.0], method=GradientDescent(1.0))
    assert result.status is Status.NON_FINITE_VALUE
    assert np.isfinite(result.x).all()


def test_unbounded():
    assert minimize(lambda x: (-x[0], [-1.0]), [0.0]).status is Status.UNBOUNDED
    exact = SteepestDescent(line_search=ExactQuadratic())
    saddle = minimize(lambda x: (-x @ x, -2 * x), [1.0], hess=lambda x: [[-2.0]], method=exact)
    assert saddle.status is Status.UNBOUNDED


def test_a_gradient_that_is_not_the_functions_is_found_out():
    result = minimize(lambda x: (float(x @ x), -2 * x), [1.0, 2.0])
    assert result.status is Status.LINE_SEARCH
    assert "the gradient does not belong to the function" in result.message


f = Rosenbrock()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimize(f, f.start, method="newtn"), "method='newtn': give one of .*'newton'"),
        (lambda: minimize(f, f.start, method=3), "method=3: give a name"),
        (lambda: minimize(f, f.start, method=Adam), "method=<class .*: give a name"),
        (lambda: minimize(f, f.start, method="scipy:nothing"), "Unknown solver nothing"),
        (lambda: Newton(Backtracking), "line_search=<class"),
        (lambda: minimize(f, [[1.0, 2.0]]), r"x0 has shape \(1, 2\): give a vector"),
        (lambda: minimize(f, [np.nan, 1.0]), "x0 holds NaN"),
        (lambda: minimize(f, f.start, max_iter=-1), "max_iter=-1"),
        (lambda: minimize(f, f.start, tol=-1.0), "tol=-1.0"),
        (lambda: descent(f, f.start, tol="x"), "tol='x'"),
        (lambda: minimize(3, f.start), "fun=3: give a function"),
        (lambda: minimize(f.value, f.start), "fun returned a float: return"),
        (lambda: minimize(lambda x: (1.0, np.ones(3)), f.start), r"gradient has shape \(3,\)"),
        (lambda: minimize(lambda x: (x, x), f.start), r"value of shape \(2,\)"),
        (lambda: minimize(f.value, f.start, jac=f.gradient, method="newton"), "give hess"),
        (
            lambda: minimize(f, f.start, hess=lambda x: np.eye(3), method="newton"),
            r"hess has shape \(3, 3\), expected \(2, 2\)",
        ),
        (lambda: SteepestDescent("l3"), "norm='l3': give 'l2'"),
        (lambda: steepest_direction(np.ones(2), "l3"), "norm='l3'"),
        (lambda: minimize(f, f.start, method=SteepestDescent(-np.eye(2))), "not positive definite"),
        (lambda: minimize(f, f.start, method=SteepestDescent(np.eye(3))), "symmetric matrix"),
        (lambda: Backtracking(shrink=1.0), "shrink=1.0"),
        (lambda: StrongWolfe(c1=0.3, c2=0.2), "c2=0.2"),
        (lambda: LBFGS(memory=0), "memory=0"),
        (lambda: Fixed(0.0), "rate=0.0"),
        (lambda: Newton("exact"), "line_search='exact'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
