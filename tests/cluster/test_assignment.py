"""The nearest centres are those of the definition, in every corner of the arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.cluster import KMeans
from tests.naive import distances as naive


def nearest(X, Y):
    """Assign rows to centres as a fitted k-means does."""
    model = KMeans(len(Y))
    model.cluster_centers_, model.n_features_in_ = np.ascontiguousarray(Y), Y.shape[1]
    return model.predict(X)


def integers(n, d, seed, high=4, scale=1):
    """Rows of small integers: many ties, and arithmetic without rounding."""
    return np.random.default_rng(seed).integers(0, high, (n, d)) * scale


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 90),
    m=st.integers(1, 40),
    d=st.sampled_from([1, 2, 3, 8, 9, 33]),
    dtype=st.sampled_from([np.float32, np.float64]),
    origin=st.sampled_from([0.0, 2.0**20]),
    seed=st.integers(0, 10_000),
)
def test_ties_go_to_the_smaller_index(n, m, d, dtype, origin, seed):
    X = (integers(n, d, seed) + origin).astype(dtype)
    Y = (integers(m, d, seed + 1) + origin).astype(dtype)
    np.testing.assert_array_equal(nearest(X, Y), naive.nearest(X, Y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [3, 20])
@pytest.mark.parametrize("far", [0.0, 1.0, 1e6, 1e12])
def test_cancellation(d, dtype, far):
    """Groups of points as close as the precision allows, as far from the origin as asked."""
    rng = np.random.default_rng(d)
    step = max(1.0, far) * np.finfo(dtype).eps
    Y = (far + step * rng.integers(-50, 50, (700, d))).astype(dtype)
    Y[350:] = -Y[350:]  # two groups: no shift serves both
    X = np.concatenate([Y[::7], (far + step * rng.integers(-50, 50, (50, d))).astype(dtype)])
    np.testing.assert_array_equal(nearest(X, Y), naive.nearest(X, Y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_more_points_than_a_tile(dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 24)).astype(dtype)
    Y = rng.standard_normal((1500, 24)).astype(dtype)
    np.testing.assert_array_equal(nearest(X, Y)[::60], naive.nearest(X[::60], Y))


def test_strides():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((120, 24)), rng.standard_normal((60, 24))
    expected = nearest(X[::2, ::2].copy(), Y[:, 1::2].copy())
    np.testing.assert_array_equal(nearest(X[::2, ::2], Y[:, 1::2]), expected)
    np.testing.assert_array_equal(
        nearest(np.asfortranarray(X[::2, ::2]), np.asfortranarray(Y[:, 1::2])), expected
    )
