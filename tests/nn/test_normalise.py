"""Compiled batch normalisation of images: the numbers of the layers one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso._compute import threads as _threads
from kiso.nn import BatchNorm, MaxPool, ReLU, Run, Sequential, ShapeError


def by_formulas(x, layer, *, running=False):
    """Normalise in float64; and the way back."""
    axes = (0, *range(2, x.ndim))
    seen = (1, -1) + (1,) * (x.ndim - 2)
    mean, var = x.mean(axes), x.var(axes)
    if running:
        mean, var = layer.mean, layer.var
    root = np.sqrt(var + layer.eps).reshape(seen)
    x_hat = (x - mean.reshape(seen)) / root
    gamma = layer.gamma.reshape(seen)

    def back(g):
        tied = 0 if running else g.mean(axes).reshape(seen)
        tilt = 0 if running else (g * x_hat).mean(axes).reshape(seen)
        return gamma / root * (g - tied - x_hat * tilt), (g * x_hat).sum(axes), g.sum(axes)

    return gamma * x_hat + layer.beta.reshape(seen), back, mean, var


def a_layer(rng, channels, dtype):
    layer = BatchNorm(channels, dtype=dtype)
    layer.gamma[...], layer.beta[...] = rng.normal(size=(2, channels))  # of either sign
    layer.mean[...], layer.var[...] = rng.normal(size=channels), rng.uniform(0.5, 2, channels)
    return layer


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 7), st.integers(1, 7)),
    behind=st.sampled_from([(), ("relu",), ("relu", "pool"), ("pool",), ("pool", "relu")]),
    training=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_as_the_formulas_and_the_layers_one_by_one(shape, behind, training, seed):
    if (training and shape[0] * shape[2] * shape[3] < 2) or (
        "pool" in behind and min(shape[2:]) < 2
    ):
        return
    rng = np.random.default_rng(seed)
    layer, x = a_layer(rng, shape[1], float), rng.normal(size=shape)
    kinds = {"relu": ReLU, "pool": lambda: MaxPool(2)}
    others = [kinds[name]() for name in behind]
    run = Run(0) if training else None
    y, backward = Sequential([layer, *others]).forward(x, train=run)
    want, back, mean, var = by_formulas(x, layer, running=not training)
    backs = []
    for other in others:
        want, step_back = other.forward(want)
        backs.append(step_back)
    np.testing.assert_allclose(y, want, rtol=1e-9, atol=1e-9)
    dy = rng.normal(size=y.shape)
    dx, gradients = backward(dy)
    for step_back in reversed(backs):
        dy = step_back(dy)[0]
    wanted = back(dy)
    got = (dx, gradients[0]["gamma"], gradients[0]["beta"])
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)
    if training:
        m = x.size // shape[1]
        ((_, recorded),) = run.statistics
        np.testing.assert_allclose(recorded["mean"], mean, atol=1e-12)
        np.testing.assert_allclose(recorded["var"], var * m / (m - 1), atol=1e-12)


def test_signals_float32_and_any_strides():
    """(n, channels, length); arrays that are not side by side; far from zero."""
    rng = np.random.default_rng(1)
    layer = a_layer(rng, 3, np.float32)
    x = (1000 + rng.normal(size=(3, 40, 11))).astype(np.float32).transpose(1, 0, 2)
    y, backward = layer.forward(x, train=Run(0))
    want, back, *_ = by_formulas(x.astype(float), layer)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, want, atol=2e-4)
    dy = rng.normal(size=x.shape).astype(np.float32)
    np.testing.assert_allclose(backward(dy)[0], back(dy)[0], atol=2e-4)


def test_same_bits_on_any_threads(monkeypatch):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 9, 14, 14)).astype(np.float32)
    dy = rng.normal(size=(50, 9, 7, 7)).astype(np.float32)
    results = []
    for n_threads in (1, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=n_threads: n)
        stack = Sequential([a_layer(np.random.default_rng(3), 9, np.float32), ReLU(), MaxPool(2)])
        y, backward = stack.forward(x, train=Run(0))
        dx, gradients = backward(dy)
        results.append((y, dx, gradients[0]["gamma"], gradients[0]["beta"]))
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_nan_is_seen_and_shapes_are_checked():
    x = np.ones((2, 2, 4, 4))
    x[0, 1, 2, 2] = np.nan
    y, _ = Sequential([BatchNorm(2), ReLU(), MaxPool(2)]).forward(x, train=Run(0))
    assert np.isnan(y[:, 1]).all()
    assert not np.isnan(y[:, 0]).any()
    with pytest.raises(ShapeError, match="no variance"):
        BatchNorm(2).forward(np.ones((1, 2, 1, 1)), train=Run(0))
    with pytest.raises(ShapeError, match=r"BatchNorm\(3\)"):
        BatchNorm(3).forward(np.ones((2, 2, 4, 4)))
