"""The objective, its gradient and curvature against the naive oracle and against Taylor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from kiso.linear_model._logistic_curvature import ClassBlocks, Diagonal, Full
from kiso.linear_model._logistic_objective import Objective
from tests.naive import logistic as naive


def make(n, d, K, seed, *, intercept=True, container=np.asarray, dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.7)
    y = rng.integers(K, size=n)
    s = rng.integers(0, 3, size=n).astype(float) + (np.arange(n) == 0)
    f = Objective(container(X.astype(dtype)), y, s / s.sum(), K, intercept, 0.1)
    return f, X, scale * rng.normal(size=f.shape)


sizes = {
    "n": st.integers(1, 300),
    "d": st.integers(1, 6),
    "K": st.integers(2, 4),
    "seed": st.integers(0, 10_000),
    "intercept": st.booleans(),
    "container": st.sampled_from([np.asarray, np.asfortranarray, sparse.csr_array]),
}


@given(**sizes)
@settings(deadline=None, max_examples=40)
def test_value_and_gradient_are_the_naive_ones(n, d, K, seed, intercept, container):
    f, X, theta = make(n, d, K, seed, intercept=intercept, container=container)
    W, b = theta[:d].T, theta[d] if intercept else np.zeros(f.shape[1])
    found = f.value_gradient(theta)
    assert found.value == pytest.approx(naive.objective(W, b, X, f.y, f.s, 0.1), rel=1e-12)
    dW, db = naive.gradient(W, b, X, f.y, f.s, 0.1)
    np.testing.assert_allclose(found.gradient[:d], dW.T, atol=1e-12)
    if intercept:
        np.testing.assert_allclose(found.gradient[d], db, atol=1e-12)
    p = naive.probabilities(W, b, X)[np.arange(n), f.y]
    assert found.worst == pytest.approx((1 - p)[f.s > 0].max(), abs=1e-12)


def slope_of_remainder(remainder):
    """log₂ of how fast a remainder falls when the distance is halved."""
    sizes = [1e-2 / 2**i for i in range(4)]
    errors = [remainder(h) for h in sizes]
    return np.polyfit(np.log2(sizes), np.log2(errors), 1)[0]


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_taylor_slopes(K, container):
    """The remainder after the gradient is of order 2, after the Hessian of order 3."""
    f, _, theta = make(50, 4, K, 0, container=container)
    at = f.hessian(theta)
    v = np.random.default_rng(1).normal(size=theta.shape)
    first = float(np.vdot(at.gradient, v))
    second = float(v.T.ravel() @ at.hessian @ v.T.ravel())

    def value(h):
        return f.value_gradient(theta + h * v).value

    assert slope_of_remainder(lambda h: abs(value(h) - at.value - h * first)) == pytest.approx(
        2, abs=0.05
    )
    assert slope_of_remainder(
        lambda h: abs(value(h) - at.value - h * first - h * h * second / 2)
    ) == pytest.approx(3, abs=0.1)
    change = (
        f.value_gradient(theta + 1e-6 * v).gradient - f.value_gradient(theta - 1e-6 * v).gradient
    )
    np.testing.assert_allclose((at.hessian @ v.T.ravel()), change.T.ravel() / 2e-6, atol=1e-8)


@given(**sizes)
@settings(deadline=None, max_examples=30)
def test_curvatures_are_parts_of_the_hessian(n, d, K, seed, intercept, container):
    f, _, theta = make(n, d, K, seed, intercept=intercept, container=container)
    p, columns = f.shape
    H = f.hessian(theta).hessian
    np.testing.assert_allclose(H, H.T, atol=1e-14)
    blocks = f.class_hessians(theta)
    for k in range(columns):
        at = slice(k * p, (k + 1) * p)
        np.testing.assert_allclose(blocks[k], H[at, at], atol=1e-12)
    np.testing.assert_allclose(f.diagonal(theta).T.ravel(), np.diagonal(H), atol=1e-12)
    at_zero = np.zeros(f.shape)
    np.testing.assert_allclose(f.class_hessians(at_zero)[-1], f.hessian(at_zero).hessian[-p:, -p:],
                               atol=1e-12)  # fmt: skip


def test_curvatures_solve():
    f, _, theta = make(200, 4, 3, 0)
    p, K = f.shape
    g = np.random.default_rng(2).normal(size=f.shape)
    g -= g.mean(axis=1, keepdims=True)
    H = f.hessian(theta).hessian
    x = Full(H, 1e-16).solve(g)
    np.testing.assert_allclose(H @ x.T.ravel(), g.T.ravel(), atol=1e-8)
    blocks = f.class_hessians(theta)
    x = ClassBlocks(blocks, 1e-16).solve(g)
    for k in range(K):
        np.testing.assert_allclose(blocks[k] @ x[:, k], g[:, k], atol=1e-8)
    x = Diagonal(f.diagonal(theta)).solve(g)
    np.testing.assert_allclose(x * np.diagonal(H).reshape(K, p).T, g, atol=1e-12)


def test_a_singular_hessian_is_factored():
    H = np.ones((3, 3))
    g = np.ones((3, 1))
    x = Full(H, 1e-16).solve(g)
    np.testing.assert_allclose(H @ x, g, rtol=1e-2)
    assert np.abs(x).max() <= 1.0  # not huge values that cancel
    np.testing.assert_array_equal(Full(np.zeros((2, 2)), 1e-16).solve(np.zeros((2, 1))), 0.0)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e300])
def test_finite_at_any_margin(K, size):
    f, _, theta = make(40, 3, K, 0, scale=size)
    with np.errstate(over="ignore"):
        found = f.hessian(theta) if size < 1e300 else f.value_gradient(theta / np.abs(theta).max())
    assert np.isfinite(found.value)
    assert np.isfinite(found.gradient).all()


@pytest.mark.parametrize("K", [2, 3])
def test_tiny_losses_keep_their_digits(K):
    """A row with margin 60 has a loss of e⁻⁶⁰, not of 0, and a gradient to match."""
    X, y = np.array([[60.0]]), np.array([1])
    f = Objective(X, y, np.array([1.0]), K, False, 0.0)
    theta = np.array([[1.0]]) if K == 2 else np.array([[0.0, 1.0, 0.0]])
    found = f.value_gradient(theta)
    assert found.value == pytest.approx((K - 1) * np.exp(-60), rel=1e-9)
    assert np.abs(found.gradient).max() == pytest.approx((K - 1) * 60 * np.exp(-60), rel=1e-9)


def test_float32_stays_close_to_float64():
    for container in (np.asarray, sparse.csr_array):
        f, _, theta = make(3000, 5, 3, 0, container=container)
        g, _, _ = make(3000, 5, 3, 0, container=container, dtype=np.float32)
        a, b = f.hessian(theta), g.hessian(theta)
        assert b.gradient.dtype == b.hessian.dtype == np.float64
        assert a.value == pytest.approx(b.value, rel=1e-6)
        np.testing.assert_allclose(a.gradient, b.gradient, atol=1e-6)
        np.testing.assert_allclose(a.hessian, b.hessian, atol=1e-6)
