"""Sums over blocks of rows against exact arithmetic, whatever the layout, precision and shift."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from kiso._compute import costs, gram
from kiso._compute.gram import centred_gram, near_mean, shifted_gram
from tests.naive.blocks import moments

LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
}


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 12),
    d=st.integers(1, 4),
    q=st.integers(0, 2),
    seed=st.integers(0, 10**6),
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from([np.float64, np.float32]),
    weighted=st.booleans(),
    offset=st.sampled_from([0.0, 1e3]),
)
def test_against_exact_sums(n, d, q, seed, layout, dtype, weighted, offset):
    rng = np.random.default_rng(seed)
    X = LAYOUTS[layout]((offset + rng.normal(size=(n, d))).astype(dtype))
    Y = None if q == 0 else LAYOUTS[layout]((offset + rng.normal(size=(n, q))).astype(dtype))
    w = rng.integers(0, 4, size=n).astype(dtype) if weighted else None
    if w is not None:
        w[rng.integers(n)] = 2
    Z = X if Y is None else np.hstack([X, Y])
    total, mean, scatter = moments(Z, w)
    found = centred_gram(X, Y, sample_weight=w)
    tol = 1e-12 if dtype == np.float64 else 3e-5
    assert found.weight == total
    assert found.gram.dtype == found.sums.dtype == np.float64
    assert_allclose(found.mean, mean, rtol=tol / 10, atol=tol)
    assert_allclose(found.scatter, scatter, rtol=tol, atol=tol)
    diagonal = centred_gram(X, Y, sample_weight=w, diagonal=True)
    assert_allclose(diagonal.scatter, np.diagonal(scatter), rtol=tol, atol=tol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shifted", [False, True])
def test_many_blocks_and_lanes(monkeypatch, dtype, order, shifted):
    monkeypatch.setattr(gram, "block_rows", lambda *_: 64)
    monkeypatch.setattr(costs, "GRAM_LANE_ROWS", 100)
    rng = np.random.default_rng(0)
    X = np.asarray(rng.normal(size=(1001, 7)) + 2, dtype=dtype, order=order)
    y = rng.normal(size=1001).astype(dtype)
    w = rng.uniform(size=1001).astype(dtype)
    shift = np.arange(8.0) if shifted else None
    Z = np.column_stack([X, y]).astype(np.float64) - (0 if shift is None else shift)
    found = shifted_gram(X, y, sample_weight=w, shift=shift)
    tol = 1e-12 if dtype == np.float64 else 1e-5
    assert_allclose(found.gram, (Z * w[:, None].astype(np.float64)).T @ Z, rtol=tol, atol=tol)
    assert_allclose(found.sums, w.astype(np.float64) @ Z, rtol=tol, atol=1e2 * tol)
    plain = shifted_gram(X)
    assert_allclose(plain.gram, X.T.astype(np.float64) @ X, rtol=tol)


def test_same_bits_on_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(20_000, 5))
    many = centred_gram(X)
    with threadpool_limits(1):
        one = centred_gram(X)
    assert_array_equal(many.gram, one.gram)


def test_data_are_not_written_to():
    X = np.random.default_rng(0).normal(size=(50, 3))
    X.flags.writeable = False
    w = np.ones(50)
    w.flags.writeable = False
    centred_gram(X, X[:, 0], sample_weight=w)
    shifted_gram(X)


def test_mean_far_from_zero_keeps_the_variance():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(100_000, 2))
    X = 1e9 + noise
    expected = (X - 1e9).var(axis=0)  # exact differences: X holds 1e9 + noise rounded
    found = centred_gram(X)
    assert_allclose(np.diagonal(found.scatter) / len(X), expected, rtol=1e-10)
    naive = (X**2).mean(axis=0) - X.mean(axis=0) ** 2  # what the shift is for
    assert np.abs(naive - expected).max() > 1


def test_constant_columns_are_exactly_zero():
    X = np.full((1000, 3), 0.1)
    found = centred_gram(X)
    assert_array_equal(found.scatter, np.zeros((3, 3)))
    assert_array_equal(found.mean, X[0])


def test_second_pass_where_the_sampled_rows_mislead():
    """One row has nearly all the weight, and is not among the rows that are looked at."""
    rng = np.random.default_rng(2)
    X = 1e6 + rng.normal(size=(1001, 1))
    X[7] = 1e6 + 1e4
    w = np.ones(1001)
    w[7] = 1e12
    _, mean, scatter = moments(X, w)
    found = centred_gram(X, sample_weight=w)
    assert_allclose(found.mean, mean, rtol=1e-15)
    assert_allclose(found.scatter, scatter, rtol=1e-6)
    once = shifted_gram(X, sample_weight=w, shift=near_mean(X, np.ones(1001)))
    assert abs(once.scatter[0, 0] / scatter[0, 0] - 1) > 1e-6


def test_rows_of_weight_zero_count_for_nothing():
    X = np.array([[1.0], [2.0], [1e300]])
    found = centred_gram(X, sample_weight=np.array([1.0, 1.0, 0.0]))
    assert found.weight == 2
    assert found.mean == 1.5
    assert found.scatter == 0.5


def test_no_weight_at_all():
    found = centred_gram(np.ones((3, 2)), sample_weight=np.zeros(3))
    assert found.weight == 0
    assert not found.gram.any()


def test_near_mean_is_a_value_of_the_data():
    X = np.array([[0.0, 5.0], [1.0, 5.0], [3.0, 5.0]])
    assert_array_equal(near_mean(X), [1, 5])
    assert_array_equal(near_mean(X, np.array([0.0, 0.0, 1.0])), [3, 5])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_shows_in_the_sums(bad):
    X = np.ones((200, 2))
    X[150, 1] = bad
    found = centred_gram(X)
    assert np.isfinite(found.sums[0])
    assert not np.isfinite(found.sums[1])


def test_float32_products_of_float64_targets():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(4000, 3)).astype(np.float32), 1e6 + rng.normal(size=4000)
    fine, rough = centred_gram(X, y), centred_gram(X, y, dtype=np.float32)
    assert_allclose(rough.scatter, fine.scatter, rtol=1e-5, atol=1e-2)
    assert (rough.scatter != fine.scatter).any()


def test_lanes_hold_less_than_half_of_large_data():
    X = np.random.default_rng(4).normal(size=(12_000, 1100))
    tracemalloc.start()
    shifted_gram(X, shift=np.ones(1100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < max(costs.GRAM_HELD_BYTES, X.nbytes / 2) * 1.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1500, 1200), (3000, 1500)])
def test_wide_data_give_the_same_bits_on_any_number_of_threads(shape, dtype):
    """Where memory allows a lane or two only, BLAS's own threads must not come in."""
    X = np.random.default_rng(0).normal(size=shape).astype(dtype)
    many = shifted_gram(X, shift=X[0])
    with threadpool_limits(1):
        one = shifted_gram(X, shift=X[0])
    np.testing.assert_array_equal(many.gram, one.gram)
    np.testing.assert_array_equal(many.sums, one.sums)
