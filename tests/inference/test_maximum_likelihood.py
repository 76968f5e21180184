"""A model written as a function: estimates, standard errors, and what is warned of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import xlog1py, xlogy
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from kiso.inference import Gaussian, InformationWarning, maximum_likelihood
from kiso.inference._derivatives import Differences, complex_gradient


def normal(theta, x):
    """θ = (μ, log σ)."""
    return -0.5 * np.log(2 * np.pi) - theta[1] - 0.5 * (x - theta[0]) ** 2 * np.exp(-2 * theta[1])


def logistic(theta, data):
    X, y = data
    return -np.logaddexp(0, -(2 * y - 1) * (X @ theta))


def bernoulli(theta, x):
    return xlogy(x, theta[0]) + xlog1py(1 - x, -theta[0])


def flat_direction(theta, x):
    """Only the sum of the two parameters matters."""
    return -0.5 * (x - theta[0] - theta[1]) ** 2


X = np.random.default_rng(0).normal(3.0, 2.0, 500)


@pytest.mark.parametrize("derivative", ["central", "complex"])
def test_normal_agrees_with_the_closed_form(derivative):
    found = maximum_likelihood(normal, [0.0, 0.0], X, derivative=derivative)
    g = Gaussian().fit(X)
    sigma = np.sqrt(g.covariance_[0, 0])
    assert found.converged
    assert_allclose(found.estimate, [g.mean_[0], np.log(sigma)], atol=1e-9)
    assert_allclose(found.log_likelihood, g.log_prob(X).sum(), rtol=1e-12)
    assert_allclose(found.standard_errors, [sigma / np.sqrt(500), 1 / np.sqrt(1000)], rtol=1e-6)
    assert_allclose(found.gradient, 0, atol=1e-6)
    low, high = found.confidence_interval(0.9)
    assert_allclose((low + high) / 2, found.estimate)
    assert_allclose(high - low, 2 * 1.6448536 * found.standard_errors, rtol=1e-6)


def test_given_derivatives_are_used():
    calls = []

    def gradient(theta, x):
        calls.append("gradient")
        z = (x - theta[0]) * np.exp(-theta[1])
        return np.array([z.sum() * np.exp(-theta[1]), (z**2 - 1).sum()])

    def hessian(theta, x):
        calls.append("hessian")
        s, z = np.exp(-theta[1]), (x - theta[0]) * np.exp(-theta[1])
        cross = -2 * s * z.sum()
        return np.array([[-len(x) * s**2, cross], [cross, -2 * (z**2).sum()]])

    plain = maximum_likelihood(normal, [0.0, 0.0], X)
    for options in ({"gradient": gradient}, {"gradient": gradient, "hessian": hessian}):
        found = maximum_likelihood(normal, [0.0, 0.0], X, **options)
        assert_allclose(found.estimate, plain.estimate, atol=1e-9)
        assert_allclose(found.standard_errors, plain.standard_errors, rtol=1e-6)
    assert {"gradient", "hessian"} == set(calls)


def test_logistic_regression_against_its_own_score_equations():
    rng = np.random.default_rng(1)
    A = np.column_stack([np.ones(300), rng.normal(size=(300, 3))])
    y = (rng.random(300) < 1 / (1 + np.exp(-A @ [0.5, 1.0, -2.0, 0.0]))) * 1.0
    found = maximum_likelihood(logistic, np.zeros(4), (A, y))
    p = 1 / (1 + np.exp(-A @ found.estimate))
    assert_allclose(A.T @ (y - p), 0, atol=1e-7)
    information = (A * (p * (1 - p))[:, None]).T @ A
    assert_allclose(found.information, information, rtol=1e-6)
    assert_allclose(found.covariance, np.linalg.inv(information), rtol=1e-6)


def test_a_scalar_parameter_and_a_scalar_log_likelihood():
    found = maximum_likelihood(lambda t, x: (t[0] - np.exp(t[0]) * x).sum(), 0.0, np.abs(X))
    assert_allclose(found.estimate, -np.log(np.abs(X).mean()), atol=1e-8)


@threadpool_limits.wrap(limits=1)  # hundreds of tiny problems: threads would only wait
def test_standard_errors_are_the_spread_of_the_estimate():
    rng, estimates, stated = np.random.default_rng(2), [], []
    for _ in range(200):
        x = rng.weibull(1.5, 100)

        def weibull(t, x):
            return t[0] + np.expm1(t[0]) * np.log(x) - x ** np.exp(t[0])

        found = maximum_likelihood(weibull, [0.0], x)
        estimates.append(found.estimate[0])
        stated.append(found.standard_errors[0])
    assert_allclose(np.std(estimates), np.mean(stated), rtol=0.2)


def test_estimate_at_a_bound():
    with pytest.warns(InformationWarning, match=r"parameters \[0\] lie at a bound"):
        found = maximum_likelihood(bernoulli, 0.5, np.zeros(20), bounds=[(0.0, 1.0)])
    assert found.estimate[0] == 0
    assert found.at_bound[0]
    assert np.isnan(found.standard_errors[0])
    with pytest.warns(InformationWarning, match="at a bound"):
        pair = maximum_likelihood(normal, [0.0, 0.0], X, bounds=[(None, 1.0), (None, None)])
    assert pair.estimate[0] == 1
    assert_allclose(np.exp(2 * pair.estimate[1]), ((X - 1) ** 2).mean(), rtol=1e-8)
    assert np.isnan(pair.standard_errors[0])
    assert_allclose(pair.standard_errors[1], 1 / np.sqrt(1000), rtol=1e-5)


def test_bounds_that_do_not_bind_change_nothing():
    x = np.array([1.0] * 3 + [0.0] * 97)
    found = maximum_likelihood(bernoulli, 0.5, x, bounds=[(0.0, 1.0)])
    assert found.converged
    assert_allclose(found.estimate, 0.03, atol=1e-9)
    assert_allclose(found.standard_errors, np.sqrt(0.03 * 0.97 / 100), rtol=1e-5)


def test_nothing_is_evaluated_outside_the_bounds():
    seen = []

    def model(theta, x):
        seen.append(float(theta[0]))
        return bernoulli(theta, x)

    maximum_likelihood(model, 0.999, np.array([1.0, 0.0, 0.0]), bounds=[(1e-12, 1.0)])
    assert min(seen) >= 1e-12
    assert max(seen) <= 1


def test_singular_information_is_warned_of():
    with pytest.warns(InformationWarning, match="not positive definite"):
        found = maximum_likelihood(flat_direction, [0.0, 0.0], X)
    assert_allclose(found.estimate.sum(), X.mean(), rtol=1e-6)
    assert not found.converged
    assert np.isnan(found.standard_errors).all()


def test_separable_data_have_no_maximum():
    A, y = np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    with pytest.warns((InformationWarning, ConvergenceWarning)):
        found = maximum_likelihood(logistic, [0.0], (A, y))
    assert found.estimate[0] > 10


def test_too_few_iterations_are_settled_or_said():
    def hard(theta, x):  # Rosenbrock's valley
        return -((1 - theta[0]) ** 2 + 100 * (theta[1] - theta[0] ** 2) ** 2)

    found = maximum_likelihood(hard, [-1.2, 1.0], None)
    assert_allclose(found.estimate, [1, 1], atol=1e-7)

    def cliff(theta, x):
        return -(np.abs(theta[0] - 0.3) ** 1.5)

    with pytest.warns((InformationWarning, ConvergenceWarning)):
        maximum_likelihood(cliff, [5.0], None, max_iter=1)


def test_impossible_parameters_are_given_up():
    """σ itself as the parameter: a step beyond 0 has log-likelihood NaN and is taken back."""

    def model(theta, x):
        with np.errstate(all="ignore"):
            return stats.norm(theta[0], theta[1]).logpdf(x)

    found = maximum_likelihood(model, [0.0, 0.1], X)
    assert_allclose(found.estimate, [X.mean(), X.std()], rtol=1e-8)


@pytest.mark.parametrize("scale", [None, [1.0, 1.0]])
def test_far_from_zero(scale):
    x = 1e9 + np.random.default_rng(3).normal(size=1000)
    found = maximum_likelihood(normal, [x[0], 0.0], x, scale=scale)
    assert_allclose(found.estimate[0] - 1e9, (x - 1e9).mean(), atol=1e-6)
    assert_allclose(found.standard_errors[0], x.std() / np.sqrt(1000), rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(unit):
    """Data of deviation 1e-6 or 1e6, a start in other units, and no scale given."""
    found = maximum_likelihood(normal, [0.0, np.log(unit) + 1], X * unit)
    assert found.converged
    assert_allclose(found.estimate[0] / unit, X.mean(), rtol=1e-7)
    assert_allclose(found.standard_errors[0] / unit, X.std() / np.sqrt(500), rtol=1e-5)


def test_an_optimum_without_curvature_is_warned_of():
    with pytest.warns(InformationWarning, match="not positive definite"):
        found = maximum_likelihood(lambda t, x: -((x - t[0]) ** 4), 5.0, np.zeros(3))
    assert abs(found.estimate[0]) < 0.1


def nan_for_observation_2(theta, x):
    out = normal(theta, x)
    out[2] = np.nan
    return out


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"log_prob": nan_for_observation_2}, "log_prob is nan at theta0.* observation 2"),
        ({"log_prob": lambda t, x: np.full(3, -np.inf)}, "log_prob is -inf at theta0"),
        ({"theta0": [np.nan, 0.0]}, "theta0="),
        ({"data": np.array([])}, "no observations"),
        ({"theta0": [[0.0, 0.0]]}, "theta0="),
        ({"bounds": [(0, 1)]}, "bounds="),
        ({"bounds": [(0, 1), (1, 0)]}, "bounds="),
        ({"bounds": [(1, 2), (None, None)]}, "outside bounds"),
        ({"derivative": "forward"}, "derivative="),
        ({"scale": [1.0, -1.0]}, "scale="),
        ({"gradient": lambda t, x: np.zeros(3)}, "gradient returned shape"),
        ({"hessian": lambda t, x: np.zeros(3)}, "hessian returned shape"),
    ],
)
def test_refusals(options, match):
    arguments = {"log_prob": normal, "theta0": [0.0, 0.0], "data": X, **options}
    with pytest.raises(ValueError, match=match):
        maximum_likelihood(**arguments)


# -- derivatives --------------------------------------------------------------------------


def cubic(x):
    return float(x[0] ** 3 * x[1] + np.exp(x[1]))


@settings(deadline=None, max_examples=50)
@given(st.floats(-2, 2), st.floats(-2, 2), st.sampled_from(["free", "low", "high", "between"]))
def test_derivatives_are_exact_to_the_order_they_claim(a, b, where):
    x = np.array([a, b])
    free = np.array([np.inf, np.inf])
    low = x if where == "low" else x - 1e-4 if where == "between" else -free
    high = x if where == "high" else x + 1e-5 if where == "between" else free
    seen = []

    def f(at):
        seen.append(at)
        return cubic(at)

    d = Differences(np.ones(2), low, high)
    tol = 1 if where != "between" else 1e4  # nodes that are close lose digits
    gradient = [3 * a**2 * b, a**3 + np.exp(b)]
    assert_allclose(d.gradient(f, x), gradient, atol=1e-9 * tol)
    hessian = [[6 * a * b, 3 * a**2], [3 * a**2, np.exp(b)]]
    if where != "between":
        assert_allclose(d.hessian(f, x), hessian, atol=1e-7)
    of_gradient = d.hessian_of_gradient(lambda at: complex_gradient(_cubic, at), x)
    assert_allclose(of_gradient, hessian, atol=1e-8 * tol)
    assert_allclose(complex_gradient(_cubic, x), gradient, rtol=1e-14, atol=1e-14)
    assert all(np.all(at >= low) and np.all(at <= high) for at in seen)


def _cubic(x):
    return x[0] ** 3 * x[1] + np.exp(x[1])
