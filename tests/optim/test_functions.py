"""Every test function: gradient and Hessian proved by Taylor slopes, minima by both."""

import numpy as np
import pytest
import scipy.optimize

from kiso.optim import Beale, Himmelblau, Logistic, Quadratic, Rosenbrock


def logistic():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 3))
    return Logistic(X, X @ [1.0, -2.0, 0.5] + rng.standard_normal(60) > 0, l2=0.05)


FUNCTIONS = {
    "rosenbrock": Rosenbrock(),
    "rosenbrock 5": Rosenbrock(5),
    "himmelblau": Himmelblau(),
    "beale": Beale(),
    "quadratic": Quadratic([1.0, 10.0, 1000.0], center=[1.0, 2.0, 3.0], random_state=0),
    "logistic": logistic(),
}
each = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)


def slope(remainders, steps):
    return np.polyfit(np.log(steps), np.log(np.maximum(remainders, 1e-300)), 1)[0]


@each
def test_taylor_slopes(f):
    """|f(x+hv) − f − h∇fᵀv| ~ h², and ~ h³ with the Hessian's term."""
    rng = np.random.default_rng(0)
    x, v = f.start + 0.3 * rng.standard_normal(f.n), rng.standard_normal(f.n)
    steps = np.logspace(-1, -3, 7)
    linear = np.array([f.value(x + h * v) - f.value(x) - h * f.gradient(x) @ v for h in steps])
    assert slope(np.abs(linear), steps) == pytest.approx(2, abs=0.1)
    bend = steps**2 / 2 * (v @ f.hessian(x) @ v)
    if isinstance(f, Quadratic):
        np.testing.assert_allclose(linear, bend, rtol=1e-5)
    else:
        assert slope(np.abs(linear - bend), steps) == pytest.approx(3, abs=0.2)
    change = np.array([f.gradient(x + h * v) - f.gradient(x) - h * f.hessian(x) @ v for h in steps])
    if not isinstance(f, Quadratic):
        assert slope(np.linalg.norm(change, axis=1), steps) == pytest.approx(2, abs=0.1)


@each
def test_minimizers(f):
    assert f.minimizers.shape[1] == f.n == len(f.start)
    for x in f.minimizers:
        assert f.value(x) == pytest.approx(f.minimum, abs=1e-12)
        assert np.abs(f.gradient(x)).max() < 1e-9
        assert np.linalg.eigvalsh(f.hessian(x)).min() > 0
    assert f.value(f.start) > f.minimum


@each
def test_hessian_is_symmetric_and_calls_give_the_pair(f):
    H = f.hessian(f.start)
    np.testing.assert_allclose(H, H.T, rtol=1e-10, atol=1e-10)
    value, gradient = f(f.start)
    assert value == f.value(f.start)
    np.testing.assert_array_equal(gradient, f.gradient(f.start))


def test_against_scipy():
    x = np.array([0.5, -1.0, 2.0, 0.3])
    f = Rosenbrock(4)
    assert f.value(x) == pytest.approx(scipy.optimize.rosen(x))
    np.testing.assert_allclose(f.gradient(x), scipy.optimize.rosen_der(x))
    np.testing.assert_allclose(f.hessian(x), scipy.optimize.rosen_hess(x))
    g = logistic()
    found = scipy.optimize.minimize(g, g.start, jac=True, method="BFGS", tol=1e-10)
    assert g.minimum == pytest.approx(found.fun, rel=1e-10)


def test_quadratic_has_its_spectrum():
    spectrum = [1.0, 30.0, 1e4]
    np.testing.assert_allclose(
        np.linalg.eigvalsh(Quadratic(spectrum, random_state=3).hessian(np.zeros(3))), spectrum
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rosenbrock(1), "n=1: give an integer >= 2"),
        (lambda: Quadratic([1.0, -1.0]), "spectrum=.*: give finite numbers > 0"),
        (lambda: Quadratic(3.0), r"spectrum has shape \(\)"),
        (lambda: Quadratic([1.0], center=[1.0, 2.0]), r"center has shape \(2,\), expected \(1,\)"),
        (lambda: Logistic(np.ones((2, 1)), [1]), r"X has shape \(2, 1\) and y \(1,\)"),
        (lambda: Logistic(np.ones((2, 1)), [1, 2]), r"y holds \[1 2\]: give 0 and 1"),
        (lambda: Logistic(np.ones((2, 1)), [1, 0], l2=0.0), "l2=0.0"),
    ],
)
def test_bad_functions(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
