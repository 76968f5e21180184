"""Kernels against their formulas, against explicit features, and their gradients."""

from itertools import combinations_with_replacement
from math import comb, factorial, sqrt

import numpy as np
import pytest
from scipy import sparse

from kiso.svm import (
    RBF,
    SVC,
    Function,
    Kernel,
    Linear,
    Min,
    Polynomial,
    Precomputed,
    Sigmoid,
)
from tests.naive.svm import gram

KERNELS = {
    "linear": (Linear(), lambda x, s: x @ s),
    "poly": (Polynomial(3, 0.5, 1.0), lambda x, s: (0.5 * (x @ s) + 1) ** 3),
    "rbf": (RBF(0.7), lambda x, s: np.exp(-0.7 * np.sum((x - s) ** 2))),
    "sigmoid": (Sigmoid(0.3, -0.2), lambda x, s: np.tanh(0.3 * (x @ s) - 0.2)),
    "min": (Min(), lambda x, s: np.minimum(x, s).sum()),
    "sum": (Linear() + 2 * RBF(1.0), lambda x, s: x @ s + 2 * np.exp(-np.sum((x - s) ** 2))),
    "product": (Min() * Linear(), lambda x, s: np.minimum(x, s).sum() * (x @ s)),
    "callable": (Linear() + (lambda X, Y: X @ Y.T), lambda x, s: 2 * (x @ s)),
}


def data(n, d, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(0, 2, (n, d)).astype(dtype)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_formula(name, dtype):
    kernel, k = KERNELS[name]
    X, S = data(9, 4, dtype=dtype), data(6, 4, 1, dtype)
    K = kernel(X, S)
    assert K.dtype == dtype
    np.testing.assert_allclose(K, gram(k, X, S), rtol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(kernel(X), kernel(X, X), rtol=1e-5)


@pytest.mark.parametrize("name", ["linear", "poly", "rbf", "sigmoid", "min", "sum"])
@pytest.mark.parametrize("density", [0.05, 0.6])
def test_sparse(name, density):
    kernel, _ = KERNELS[name]
    rng = np.random.default_rng(0)
    X, S = (sparse.random(n, 30, density, "csr", rng=rng) for n in (20, 11))
    np.testing.assert_allclose(kernel(X, S), kernel(X.toarray(), S.toarray()), atol=1e-12)
    np.testing.assert_allclose(kernel(X.toarray(), S), kernel(X, S.toarray()), atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "poly", "rbf", "sigmoid", "min", "sum", "product"])
def test_gradient(name):
    """The Taylor remainder falls as the square of the step (the min kernel's is 0)."""
    kernel, _ = KERNELS[name]
    X, S = data(3, 4), data(5, 4, 1)
    v = np.random.default_rng(2).standard_normal((3, 4))
    slope = np.einsum("nmd,nd->nm", kernel.gradient(X, S), v)
    errors = [np.abs(kernel(X + h * v, S) - kernel(X, S) - h * slope).max() for h in (1e-3, 1e-4)]
    assert errors[1] < 1e-13 or 1.9 < np.log10(errors[0] / errors[1]) < 2.1


def test_polynomial_is_explicit_features():
    X = np.random.default_rng(0).standard_normal((20, 3))
    Z = np.hstack([X, np.ones((20, 1))])  # (x·s + 1)³ over the monomials of degree 3 of (x, 1)
    features = []
    for index in combinations_with_replacement(range(4), 3):
        counts = np.bincount(index, minlength=4)
        multinomial = factorial(3) / np.prod([factorial(c) for c in counts])
        features.append(sqrt(multinomial) * np.prod(Z[:, index], axis=1))
    phi = np.stack(features, axis=1)
    assert phi.shape[1] == comb(6, 3)
    K = Polynomial(3, 1.0, 1.0)(X)
    np.testing.assert_allclose(K, phi @ phi.T, rtol=1e-12, atol=1e-12)


def test_min_is_the_product_of_unary_codes():
    X = np.random.default_rng(0).integers(0, 9, (30, 2)).astype(float)
    codes = (np.arange(9)[None, None] < X[:, :, None]).reshape(30, -1).astype(float)
    np.testing.assert_array_equal(Min()(X), codes @ codes.T)


def test_far_from_the_origin():
    """float32 rows about 1000 with unit spread lose no digits that matter."""
    X = np.random.default_rng(0).standard_normal((50, 5))
    K = RBF(0.2)((X + 1000).astype(np.float32))
    np.testing.assert_allclose(K, RBF(0.2)((X + 1000).astype(np.float32).astype(float)), atol=1e-4)


def test_fast_exponential():
    x = np.linspace(0, 90, 4001, dtype=np.float32)[:, None]
    K = RBF(1.0)(np.sqrt(x), np.zeros((1, 1), np.float32))[:, 0]
    exact = np.exp(-(np.sqrt(x[:, 0]).astype(float) ** 2))
    near = exact > 1e-30
    np.testing.assert_allclose(K[near], exact[near], rtol=2e-5)
    assert (K[~near] < 1e-29).all()
    assert (K >= 0).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RBF(-1.0), "gamma=-1.0"),
        (lambda: RBF(np.inf), "gamma=inf"),
        (lambda: Polynomial(-1), "degree=-1"),
        (lambda: -2 * Linear(), "a multiple of a kernel=-2"),
        (lambda: Min()([[-1.0]]), "features >= 0"),
        (lambda: Linear()([[1.0]], [[1.0, 2.0]]), "1 features"),
        (lambda: Function(lambda X, Y: np.zeros(3))([[1.0]]), "returned shape"),
        (lambda: Function(lambda X, Y: X @ Y.T * np.nan)([[1.0]]), "NaN"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_kernels_are_values():
    assert RBF(1.0) == RBF(1.0) != RBF(2.0)
    assert repr(Polynomial(2, 1.0, 0.0)) == "Polynomial(degree=2.0, gamma=1.0, coef0=0.0)"
    assert isinstance(Linear() + RBF(), Kernel)
    with pytest.raises(TypeError):
        Linear() + 1


def test_precomputed_and_callable_agree_with_names():
    X = data(60, 3)
    y = (X[:, 0] > X[:, 1]).astype(int)
    named = SVC(gamma=0.5).fit(X, y)
    K = RBF(0.5)
    assert isinstance(Precomputed(), Kernel)
    own = SVC(kernel="precomputed").fit(K(X), y)
    function = SVC(kernel=lambda A, B: K(A, B)).fit(X, y)
    kernel = SVC(kernel=K).fit(X, y)
    for model, Q in ((own, K(data(7, 3, 5), X)), (function, None), (kernel, None)):
        Q = data(7, 3, 5) if Q is None else Q
        np.testing.assert_allclose(
            model.decision_function(Q), named.decision_function(data(7, 3, 5)), atol=1e-3
        )
    assert own.support_vectors_.shape == (0, 0)
