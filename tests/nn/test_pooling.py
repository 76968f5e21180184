"""Pooling against its definition, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kiso.nn import (
    AveragePool,
    Conv2D,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Run,
    Sequential,
    ShapeError,
    check_gradients,
)
from tests.naive import convolution as naive

RNG = np.random.default_rng(0)
KINDS = {MaxPool: np.max, AveragePool: np.mean}


@st.composite
def pools(draw):
    """A layer, images and upstream gradients; whole numbers, so that many are equal."""
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(1, 3))))
    padding = draw(
        st.one_of(
            st.just("same"),
            st.just(0),
            st.tuples(*[st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)) for k in size]),
        )
    )
    layer = draw(st.sampled_from(list(KINDS)))(size, stride=stride, padding=padding)
    shape = tuple(draw(st.integers(1, m)) for m in (4, 3, 9, 9))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = RNG.integers(-4, 5, shape).astype(dtype)
    try:
        layer.output_shape(shape[1:])
    except ShapeError:
        assume(False)
    return layer, x


@settings(deadline=None, max_examples=120)
@given(pools())
def test_values(problem):
    """Row 60."""
    layer, x = problem
    window = layer.window
    (top, _), (left, _) = window.pads(*x.shape[2:])
    out = window.output(*x.shape[2:])
    expected = naive.pooling(x, window.size, out, window.stride, (top, left), KINDS[type(layer)])
    y = layer(x)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)
    in_training, backward = layer.forward(x, train=Run(0))
    np.testing.assert_array_equal(in_training, y)
    dy = RNG.integers(-4, 5, y.shape).astype(x.dtype)
    dx, _ = backward(dy)
    assert dx.shape == x.shape
    assert dx.dtype == x.dtype
    np.testing.assert_allclose(dx.sum(), dy.sum(), rtol=1e-4, atol=1e-4)
    if isinstance(layer, AveragePool):  # linear: ⟨y, dy⟩ = ⟨x, dx⟩
        np.testing.assert_allclose((y * dy).sum(), (x * dx).sum(), rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_array_equal(dx, _routed(x, dy, window, out, (top, left)))


def _routed(x, dy, window, out, before):
    """Each number of dy to the first of the largest pixels of its window."""
    dx = np.zeros_like(x)
    for i, c, o, q in np.ndindex(*dy.shape):
        best = None
        for u, v in np.ndindex(*window.size):
            r, s = o * window.stride[0] - before[0] + u, q * window.stride[1] - before[1] + v
            inside = 0 <= r < x.shape[2] and 0 <= s < x.shape[3]
            if inside and (best is None or x[i, c, r, s] > x[i, c, *best]):
                best = r, s
        dx[i, c, *best] += dy[i, c, o, q]
    return dx


LAYERS = {
    "max": lambda: MaxPool(2),
    "max, overlapping": lambda: MaxPool(3, stride=2, padding=((0, 1), (0, 1))),
    "mean": lambda: AveragePool(2),
    "mean, overlapping": lambda: AveragePool((2, 3), stride=1, padding=1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_between_two_layers(name):
    """The house's rule 8."""
    before = Conv2D.create(2, 2, 1, random_state=2)
    chain = Sequential([before, LAYERS[name](), Conv2D.create(2, 1, 2, random_state=1)])
    x = np.random.default_rng(1).standard_normal((2, 2, 5, 4))
    assert check_gradients(chain, x).error < 1e-11
    by_taylor = check_gradients(chain, x, method="taylor")
    assert by_taylor.ok, by_taylor
    assert all(check.slope > 1.9 for check in by_taylor.checks), by_taylor


def test_global_mean():
    layer = GlobalAveragePool()
    x = RNG.standard_normal((3, 4, 5, 2))
    np.testing.assert_allclose(layer(x), x.mean(axis=(2, 3)))
    assert check_gradients(layer, x).error < 1e-12
    assert layer.output_shape((4, 5, 2)) == (4,)
    assert layer(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_views_fortran_order_and_what_is_left_alone(kind):
    layer = kind(2)
    x = RNG.standard_normal((4, 3, 6, 8))
    y, backward = layer.forward(x, train=Run(0))
    dy = RNG.standard_normal(y.shape)
    x0, dy0 = x.copy(), dy.copy()
    dx, _ = backward(dy)
    wide = np.repeat(np.repeat(x, 2, axis=0), 2, axis=3)[::2, :, :, ::2]
    for other in (np.asfortranarray(x), wide):
        y2, backward = layer.forward(other, train=Run(0))
        np.testing.assert_allclose(y2, y, rtol=1e-12)
        np.testing.assert_array_equal(backward(np.asfortranarray(dy))[0], dx)
    assert np.array_equal(x, x0)
    assert np.array_equal(dy, dy0)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_is_not_lost(kind):
    x = np.zeros((1, 1, 4, 4))
    for place in np.ndindex(2, 2):
        x[:] = 1.0
        x[0, 0, *place] = np.nan
        for layer in (kind(2), kind(3, stride=1)):
            assert np.isnan(layer(x)[0, 0, 0, 0])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"padding=2: .* would see padding only"):
        MaxPool(2, padding=2)
    with pytest.raises(ValueError, match="stride=0"):
        AveragePool(2, stride=0)
    with pytest.raises(ShapeError, match=r"MaxPool\(3×3\) leaves no pixel of an image of 2×5"):
        MaxPool(3)(np.ones((1, 1, 2, 5)))
    with pytest.raises(ShapeError, match=r"was given \(2, 3\)"):
        AveragePool(3)(np.ones((2, 3)))
    assert repr(MaxPool(3, stride=2, padding=((0, 1), (0, 1)))) == (
        "MaxPool(3×3, stride 2, padding ((0, 1), (0, 1)))"
    )
    assert repr(AveragePool(2)) == "AveragePool(2×2)"


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["r", "p", "rp", "pr", "pp", "rr"]), st.integers(1, 4), st.integers(1, 9),
    st.integers(1, 9), st.integers(1, 6), st.sampled_from([np.float32, np.float64]), st.booleans(),
)  # fmt: skip
def test_layers_that_run_as_one(after, n, height, width, n_out, dtype, train):
    """A convolution with rectifier and pooling gives what the layers give one by one."""
    conv = Conv2D.create(2, n_out, 2, padding=1, random_state=0)
    conv = Conv2D(RNG.integers(-3, 4, conv.W.shape).astype(dtype), np.ones(n_out, dtype), 1, 1)
    chain = Sequential([conv, *({"r": ReLU, "p": MaxPool}[name]() for name in after)])
    x = RNG.integers(-3, 4, (n, 2, height, width)).astype(dtype)
    try:
        chain.output_shape(x.shape[1:])
    except ShapeError:
        with pytest.raises(ShapeError):
            chain(x)
        return
    y, backs = x, []
    for layer in chain:
        y, back = layer.forward(y)
        backs.append(back)
    found, backward = chain.forward(x, train=Run(0) if train else None)
    np.testing.assert_array_equal(found, y)
    d = dy = RNG.integers(-3, 4, y.shape).astype(dtype)
    for back in backs[::-1]:
        d, gradients = back(d)
    dx, (of_conv, *others) = backward(dy)
    np.testing.assert_array_equal(dx, d)
    np.testing.assert_array_equal(of_conv["W"], gradients["W"])
    np.testing.assert_array_equal(of_conv["b"], gradients["b"])
    assert others == [{} for _ in after]
    assert backward(dy, want_dx=False)[0] is None
    x[0, 0, 0, 0] = np.nan
    assert np.isnan(chain(x)).any()


def test_what_stands_before_the_first_weights_is_not_differentiated():
    asked = []

    class Watched(ReLU):
        def forward(self, x, *, train=None):
            y, back = super().forward(x, train=train)
            return y, lambda dy: (asked.append(1), back(dy))[1]

    chain = Sequential([Watched(), Conv2D.create(1, 1, 1, random_state=0), Watched()])
    y, backward = chain.forward(np.ones((1, 1, 2, 2)))
    backward(y, want_dx=False)
    assert len(asked) == 1
    assert backward(y)[0].shape == (1, 1, 2, 2)
    assert len(asked) == 3


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(*[st.integers(1, 40)] * 2),
    st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 2**32 - 1),
)
def test_threes_at_every_second(size, padding, dtype, seed):
    """Windows of 3×3 at stride 2 have loops of their own; ties go to the first pixel."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 3, (2, 3, *size)).astype(dtype)
    layer = MaxPool(3, stride=2, padding=padding)
    try:
        layer.output_shape(x.shape[1:])
    except ShapeError:
        assume(False)
    y, backward = layer.forward(x)
    dy = rng.integers(1, 9, y.shape).astype(dtype)
    expected_y, expected_dx = np.empty_like(y), np.zeros_like(x)
    (top, _), (left, _) = padding
    for n, c, o, q in np.ndindex(y.shape):
        rows = range(max(0, 2 * o - top), min(size[0], 2 * o - top + 3))
        columns = range(max(0, 2 * q - left), min(size[1], 2 * q - left + 3))
        at = max(((i, k) for i in rows for k in columns), key=lambda at: x[n, c, *at])
        expected_y[n, c, o, q] = x[n, c, *at]
        expected_dx[n, c, *at] += dy[n, c, o, q]
    assert np.array_equal(y, expected_y)
    assert np.array_equal(backward(dy)[0], expected_dx)
