from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.optim import (
    GradientDescent,
    Status,
    full_batch,
    stochastic_descent,
    with_replacement,
    without_replacement,
)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_an_epoch_without_replacement_has_every_row_once(n, size, seed):
    size = min(size, n)
    batches = list(without_replacement(n, size, n_epochs=2, random_state=seed))
    for epoch in range(2):
        rows = np.concatenate([b.rows for b in batches if b.epoch == epoch])
        np.testing.assert_array_equal(np.sort(rows), np.arange(n))
    assert all(b.weight == len(b.rows) / size for b in batches)


def test_weights_make_an_epoch_count_each_sample_alike():
    """Σ weight · (batch mean) = (m/m′) · (mean over all), the short batch included."""
    g = np.random.default_rng(0).standard_normal((11, 3))
    for seed in range(5):
        batches = without_replacement(11, 4, n_epochs=1, random_state=seed)
        total = sum(b.weight * g[b.rows].mean(axis=0) for b in batches)
        np.testing.assert_allclose(total, 11 / 4 * g.mean(axis=0))


@pytest.mark.parametrize("draw", [with_replacement, without_replacement])
def test_batches_are_unbiased_with_the_variance_of_theory(draw):
    """E ĝ = g; Var ĝ = s²/m′, times (m − m′)/(m − 1) without replacement."""
    m, size, n_draws = 12, 4, 30_000
    g = np.random.default_rng(0).standard_normal(m)
    means = np.array([g[b.rows].mean() for b in islice(draw(m, size, random_state=1), n_draws)])
    variance = g.var() / size * (1 if draw is with_replacement else (m - size) / (m - 1))
    error = means.mean() - g.mean()
    assert abs(error) < 4 * np.sqrt(variance / n_draws)
    assert means.var() == pytest.approx(variance, rel=0.05)


def test_orders_differ_between_epochs_and_repeat_with_the_seed():
    one = [b.rows.tolist() for b in without_replacement(20, 20, n_epochs=2, random_state=3)]
    two = [b.rows.tolist() for b in without_replacement(20, 20, n_epochs=2, random_state=3)]
    assert one == two
    assert one[0] != one[1]


def test_drop_last():
    batches = list(without_replacement(11, 4, n_epochs=3, drop_last=True, random_state=0))
    assert [len(b.rows) for b in batches] == [4] * 6
    assert {b.weight for b in batches} == {1.0}


def test_full_batch_and_epochs():
    assert [b.epoch for b in full_batch(3, n_epochs=2)] == [0, 1]
    assert [b.epoch for b in with_replacement(4, 2, n_steps=5, random_state=0)] == [0, 0, 1, 1, 2]
    assert len(next(with_replacement(2, 5, random_state=0)).rows) == 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_replacement(0), "n_samples=0: give an integer >= 1"),
        (lambda: without_replacement(5, 6), "batch_size=6: give at most n_samples=5"),
        (lambda: without_replacement(5, 0), "batch_size=0"),
        (lambda: full_batch(5, n_epochs=-1), "n_epochs=-1"),
        (lambda: with_replacement(5, n_steps=1.5), "n_steps=1.5"),
        (lambda: with_replacement(5, random_state="x"), "random_state='x'"),
    ],
)
def test_bad_input_is_refused_before_the_first_batch(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


y = np.arange(10.0)


def mean_loss(params, rows):
    gap = params["mean"] - y[rows]
    return np.mean(gap**2) / 2, {"mean": np.array([gap.mean()])}


def start():
    return {"mean": np.array([20.0])}


def test_full_batch_descent_is_gradient_descent():
    params = start()
    states = list(
        stochastic_descent(mean_loss, params, full_batch(10, n_epochs=7), GradientDescent(0.5))
    )
    assert [s.n_iter for s in states] == [1, 2, 3, 4, 5, 6, 7]
    assert params["mean"][0] == 20.0
    means = [s.params["mean"][0] for s in states]
    np.testing.assert_allclose(means, 4.5 + 15.5 * 0.5 ** np.arange(1, 8))
    assert [s.converged for s in states] == [False] * 6 + [True]
    assert states[-1].status is Status.EXHAUSTED


def test_short_last_batch_takes_a_shorter_step():
    batches = list(without_replacement(10, 4, n_epochs=1, random_state=0))
    *_, last = stochastic_descent(mean_loss, start(), batches, GradientDescent(0.1))
    mean = 20.0
    for rows, weight in zip([b.rows for b in batches], [1, 1, 0.5], strict=True):
        mean -= 0.1 * weight * (mean - y[rows].mean())
    assert last.params["mean"][0] == pytest.approx(mean)


def test_a_rule_has_to_be_one():
    with pytest.raises(TypeError, match="rule='adam'"):
        stochastic_descent(mean_loss, start(), full_batch(10), "adam")


@pytest.mark.parametrize(("every", "told"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_every(every, told):
    states = list(
        stochastic_descent(
            mean_loss, start(), full_batch(10, n_epochs=5), GradientDescent(0.1), every=every
        )
    )
    assert [s.n_iter for s in states] == told


def test_nan_gradient_ends_with_a_status_that_says_where():
    def loss(params, rows):
        value, grads = mean_loss(params, rows)
        return value, {"mean": grads["mean"] if rows[0] != 3 else np.array([np.nan])}

    batches = without_replacement(10, 1, n_epochs=1, random_state=0)
    order = [b.rows[0] for b in without_replacement(10, 1, n_epochs=1, random_state=0)]
    states = list(stochastic_descent(loss, start(), batches, GradientDescent(0.1)))
    last, bad_step = states[-1], order.index(3) + 1
    assert last.status is Status.NON_FINITE_GRADIENT
    assert f"step {bad_step}: the gradient of mean holds nan" in last.detail
    assert not last.converged
    assert last.n_iter == bad_step - 1
    assert np.isfinite(last.params["mean"]).all()
