"""The network that takes any labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.approximation import relu_interpolant


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 80), d=st.integers(1, 6), seed=st.integers(0, 9))
def test_it_solves_the_triangular_system(n, d, seed):
    """The slow twin: Zhang's matrix max(z_i − b_j, 0), solved."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    network = relu_interpolant(np.asfortranarray(X), y, random_state=seed)
    first, _, last = network.layers
    z = np.sort(X @ first.W[:, 0])
    A = np.maximum(z[:, None] + first.b, 0)
    np.testing.assert_allclose(np.triu(A, 1), 0, atol=1e-14)
    w = np.linalg.solve(np.tril(A), y[np.argsort(X @ first.W[:, 0])])
    scale = np.abs(last.W).max()
    np.testing.assert_allclose(last.W[:, 0], w, atol=1e-6 * scale)
    np.testing.assert_allclose(network(X)[:, 0], y, atol=1e-8)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ([[1.0], [1.0]], [0, 1], "two rows are the same"),
        ([[1.0], [2.0]], [0], r"X of shape \(2, 1\), y of shape \(1,\)"),
        ([[np.nan]], [0], "finite"),
        (np.empty((0, 2)), [], "shape"),
    ],
)
def test_bad_input(X, y, words):
    with pytest.raises(ValueError, match=words):
        relu_interpolant(X, y)
