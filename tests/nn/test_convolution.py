"""Convolutions: the readable form against the six loops, the fast against the readable."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kiso._compute import threads as _threads
from kiso.nn import (
    Affine,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Flatten,
    Network,
    ReLU,
    Run,
    Sequential,
    ShapeError,
    check_gradients,
    col2im,
    convolution_matrix,
    im2col,
)
from kiso.nn.compiled import convolution as fast
from kiso.nn.layers import im2col as readable
from kiso.nn.layers.windows import Window
from tests.naive import convolution as naive

RNG = np.random.default_rng(0)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
pads = st.one_of(
    st.just("same"),
    st.integers(0, 3),
    st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2),
)


@st.composite
def problems(draw):
    """(x, W, window, groups) with small whole numbers: sums of products are then exact."""
    groups, per_group, n_out = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 6)),
    )
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    window = Window.create(size, draw(pairs), draw(pads), draw(st.tuples(*[st.integers(1, 2)] * 2)))
    shape = (
        draw(st.integers(1, 4)),
        groups * per_group,
        draw(st.integers(1, 9)),
        draw(st.integers(1, 9)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    x = rng.integers(-9, 10, shape).astype(np.float64)
    W = rng.integers(-9, 10, (groups * n_out, per_group, *size)).astype(np.float64)
    try:
        window.output(*shape[2:])
    except ShapeError:
        assume(False)
    return x, W, window, groups


def parts(x, window):
    """What the naive forms take."""
    (top, _), (left, _) = window.pads(*x.shape[2:])
    return window.output(*x.shape[2:]), window.stride, (top, left)


def options(x, window):
    return {
        "stride": window.stride,
        "padding": window.pads(*x.shape[2:]),
        "dilation": window.dilation,
    }


@settings(deadline=None, max_examples=60)
@given(problems())
def test_im2col_and_its_adjoint(problem):
    """Rows 85 and 86: ⟨im2col x, g⟩ = ⟨x, col2im g⟩, exactly."""
    x, _, window, _ = problem
    out, stride, before = parts(x, window)
    col = im2col(x, window.size, **options(x, window))
    np.testing.assert_array_equal(
        col, naive.im2col(x, window.size, out, stride, before, window.dilation)
    )
    g = RNG.integers(-9, 10, col.shape).astype(np.float64)
    back = col2im(g, x.shape, window.size, **options(x, window))
    assert (col * g).sum() == (x * back).sum()
    assert back.shape == x.shape


@settings(deadline=None, max_examples=60)
@given(problems())
def test_direct_loops_are_the_product_with_im2col(problem):
    """Row 82."""
    x, W, window, groups = problem
    b = np.arange(len(W), dtype=np.float64)
    out, stride, before = parts(x, window)
    expected = naive.convolution(x, W, b, out, stride, before, window.dilation, groups)
    found = readable.correlate(x, W, window, groups) + b[:, None, None]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(fast.convolve(x, W, b, window, groups)[0], expected)


@settings(deadline=None, max_examples=150)
@given(problems(), st.booleans())
def test_fast_gradients_are_the_readable_ones(problem, single):
    x, W, window, groups = problem
    if single:
        x, W = x.astype(np.float32), W.astype(np.float32)
    y = readable.correlate(x, W, window, groups)
    dy = RNG.integers(-9, 10, y.shape).astype(x.dtype)
    np.testing.assert_array_equal(fast.correlate(x, W, window, groups), y)
    dW = fast.correlate_dW(x, dy, window, groups)
    np.testing.assert_array_equal(dW, readable.correlate_dW(x, dy, window, groups))
    dx = fast.correlate_dx(dy, W, window, groups, x.shape)
    np.testing.assert_array_equal(dx, readable.correlate_dx(dy, W, window, groups, x.shape))
    assert dx.dtype == dW.dtype == x.dtype


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 9)])
def test_col2im_of_the_notes_failed_here(shape):
    """E10: a row limit from the output's width fails, or is silently wrong where OH = 1."""
    x = RNG.integers(-9, 10, (2, 2, *shape)).astype(np.float64)
    col = im2col(x, 3)
    assert np.array_equal(col2im(np.ones_like(col), x.shape, 3)[0, 0], _times_seen(*shape))


def test_col2im_adds_where_windows_overlap():
    """E10: the notes overwrite by default (is_backward=False), which is no adjoint.

    The middle pixel is seen by all nine windows.
    """
    back = col2im(np.ones((9, 9)), (1, 1, 5, 5), 3)
    assert back[0, 0].tolist() == [
        [1, 2, 3, 2, 1], [2, 4, 6, 4, 2], [3, 6, 9, 6, 3], [2, 4, 6, 4, 2], [1, 2, 3, 2, 1],
    ]  # fmt: skip


def _times_seen(height, width):
    seen = np.zeros((height, width))
    for o in range(height - 2):
        for q in range(width - 2):
            seen[o : o + 3, q : q + 3] += 1
    return seen


LAYERS = {
    "plain": lambda: Conv2D.create(2, 3, 3, random_state=0),
    "same, stride": lambda: Conv2D.create(
        2, 3, (2, 3), stride=(2, 1), padding="same", random_state=0
    ),
    "dilation": lambda: Conv2D.create(
        2, 3, 2, dilation=2, padding=((0, 1), (2, 0)), random_state=0
    ),
    "depthwise": lambda: Conv2D.create(2, 4, 3, groups=2, padding=1, random_state=0),
    "transpose": lambda: ConvTranspose2D.create(
        2, 3, (3, 2), stride=2, padding=1, output_padding=1, random_state=0
    ),
    "transpose, groups": lambda: ConvTranspose2D.create(
        2, 4, 2, groups=2, dilation=2, random_state=0
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("method", ["auto", "im2col"])
def test_gradients_between_two_layers(name, method):
    """The house's rule 8: with a layer before and a layer after, for input and parameters."""
    middle = LAYERS[name]()
    middle.method = method
    middle.b[:] = RNG.standard_normal(len(middle.b))
    x = np.random.default_rng(1).standard_normal((2, 2, 4, 3))
    last = Conv2D.create(len(middle.b), 1, 1, random_state=1)
    chain = Sequential([Conv2D.create(2, 2, 1, random_state=2), middle, last])
    report = check_gradients(chain, x, method="taylor" if method == "auto" else "complex")
    assert report.ok, report
    if method == "auto":
        assert all(check.slope > 1.9 for check in report.checks), report
    else:
        assert report.error < 1e-11


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_contract(name, train):
    """x and dy are left alone; Fortran order, views and float32 give the same, in float32."""
    layer = LAYERS[name]()
    x = RNG.standard_normal((4, 2, 6, 7))
    dy = RNG.standard_normal((4, *layer.output_shape((2, 6, 7))))
    x0, dy0 = x.copy(), dy.copy()

    def both(layer, x, dy):
        y, backward = layer.forward(x, train=Run(7) if train else None)
        dx, grads = backward(dy)
        assert backward(dy, want_dx=False)[0] is None
        return y, dx, grads["W"], grads["b"]

    expected = both(layer, x, dy)
    assert np.array_equal(x, x0)
    assert np.array_equal(dy, dy0)
    wide = np.repeat(np.repeat(x, 2, axis=0), 2, axis=3)[::2, :, :, ::2]
    for other in (np.asfortranarray(x), wide, np.moveaxis(np.moveaxis(x, 1, 3).copy(), 3, 1)):
        for a, b in zip(both(layer, other, np.asfortranarray(dy)), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    single = type(layer)(layer.W.astype(np.float32), layer.b.astype(np.float32), **_options(layer))
    for a, b in zip(
        both(single, x.astype(np.float32), dy.astype(np.float32)), expected, strict=True
    ):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def _options(layer):
    names = ["stride", "padding", "dilation", "groups"]
    names += ["output_padding"] if isinstance(layer, ConvTranspose2D) else []
    return {name: getattr(layer, name) for name in names}


def test_the_transpose_is_the_transpose():
    """⟨conv x, y⟩ = ⟨x, transpose y⟩ with the same filters, for every size that maps so."""
    conv = Conv2D(RNG.integers(-5, 6, (4, 3, 3, 2)).astype(float), np.zeros(4), stride=2, padding=1)
    for size in ((7, 6), (8, 6), (7, 7), (8, 7)):
        x = RNG.integers(-5, 6, (2, 3, *size)).astype(float)
        y = RNG.integers(-5, 6, conv(x).shape).astype(float)
        extra = tuple((m + 2 - k) % 2 for m, k in zip(size, (3, 2), strict=True))
        back = ConvTranspose2D(conv.W, np.zeros(3), stride=2, padding=1, output_padding=extra)
        assert back(y).shape == x.shape
        assert (conv(x) * y).sum() == (x * back(y)).sum()


@pytest.mark.jit
def test_the_same_on_any_number_of_threads(monkeypatch):

    layer = Conv2D.create(3, 5, 3, padding=1, random_state=0, dtype=np.float32)
    x = RNG.standard_normal((33, 3, 9, 8)).astype(np.float32)
    results = []
    for count in (1, 2, 5):
        monkeypatch.setattr(_threads, "n_threads", lambda count=count: count)
        y, backward = layer.forward(x)
        dx, grads = backward(y)
        results.append([y, dx, grads["W"], grads["b"]])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_row_59_matrices_of_higham_and_higham():
    difference = convolution_matrix([1, -1], 6)
    assert difference.shape == (5, 6)
    assert (difference == np.eye(5, 6) - np.eye(5, 6, 1)).all()
    four = convolution_matrix([2.0, 3.0, 5.0, 7.0], 10, stride=2)
    assert four.shape == (4, 10)
    nine_and_a_zero = convolution_matrix([2.0, 3.0, 5.0, 7.0], 9, stride=2, padding=(0, 1))
    np.testing.assert_array_equal(nine_and_a_zero, four[:, :9])
    for k in range(4):
        np.testing.assert_array_equal(np.flatnonzero(four[k]), 2 * k + np.arange(4))
    assert np.unique(four[four != 0]).size == 4, "40 numbers, 4 of them free"


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 2), st.integers(1, 3), st.integers(1, 2), st.integers(1, 4), st.integers(1, 3),
    st.integers(1, 2), st.sampled_from(["same", 0, 2, (0, 1), (3, 1)]), st.integers(1, 12),
)  # fmt: skip
def test_a_convolution_is_its_matrix(groups, n_in, n_out, size, stride, dilation, padding, length):
    W = RNG.integers(-9, 10, (groups * n_out, n_in, size)).astype(float)
    b = RNG.integers(-9, 10, groups * n_out).astype(float)
    layer = Conv1D(W, b, stride, padding, dilation, groups)
    x = RNG.integers(-9, 10, (3, groups * n_in, length)).astype(float)
    try:
        layer.output_shape(x.shape[1:])
    except ShapeError:
        assume(False)
    M = layer.matrix(length)
    y, backward = layer.forward(x)
    rows = x.reshape(3, -1) @ M.T
    np.testing.assert_array_equal(y, rows.reshape(y.shape) + b[:, None])
    dy = RNG.integers(-9, 10, y.shape).astype(float)
    dx, grads = backward(dy)
    np.testing.assert_array_equal(dx, (dy.reshape(3, -1) @ M).reshape(x.shape))
    assert grads["W"].shape == W.shape


def test_one_dimensional_gradients():
    layer = Conv1D.create(2, 4, 3, stride=2, padding=1, groups=2, random_state=0)
    report = check_gradients(layer, RNG.standard_normal((3, 2, 7)))
    assert report.ok, report
    assert repr(layer) == "Conv1D(2 → 4, 3, stride 2, padding 1, groups 2)"


def test_summary_weights_and_a_network(tmp_path):
    network = Network([
        Conv2D.create(3, 8, 3, padding="same", random_state=0), ReLU(),
        ConvTranspose2D.create(8, 2, 2, stride=2, random_state=1), Flatten(),
        Affine.create(2 * 8 * 10, 5, random_state=2),
    ])  # fmt: skip
    text = network.summary((3, 4, 5))
    assert re.search(r"Conv2D\(3 → 8, 3×3, same\) +8×4×5 +224 +8,800 ", text)
    assert re.search(r"ConvTranspose2D\(8 → 2, 2×2, stride 2\) +2×8×10 +66 +2,720 ", text)
    x = RNG.standard_normal((2, 3, 4, 5))
    y = network(x)
    network.save_weights(tmp_path / "weights.safetensors")
    network.set_vector(np.zeros(network.n_parameters))
    network.load_weights(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(network(x), y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D.create(3, 4, 3, groups=2), "groups=2: n_in=3 channels have to divide"),
        (lambda: Conv2D.create(4, 3, 3, groups=2), "groups=2: n_out=3 channels have to divide"),
        (lambda: Conv2D.create(4, 3, 0), "size=0: give a whole number >= 1"),
        (lambda: Conv2D.create(4, 3, 3, stride=(1, 2, 3)), r"stride=\(1, 2, 3\): give"),
        (lambda: Conv2D.create(4, 3, 3, padding=-1), "padding=-1: give 'same'"),
        (lambda: Conv2D.create(4, 3, 3, padding="full"), "padding='full'"),
        (lambda: Conv2D.create(4, 3, 3, method="winograd"), "method='winograd'"),
        (lambda: Conv2D(np.ones((2, 3, 3)), np.ones(2)), r"W has shape \(2, 3, 3\)"),
        (lambda: Conv2D(np.ones((2, 3, 3, 3)), np.ones(3)), r"b has shape \(3,\)"),
        (lambda: ConvTranspose2D.create(2, 2, 3, padding="same"), "padding='same'"),
        (lambda: ConvTranspose2D.create(2, 2, 3, output_padding=1), "output_padding=1"),
        (lambda: Conv1D.create(2, 2, 3, stride=(1, 1)), r"stride=\(1, 1\)"),
        (lambda: convolution_matrix([1.0], 0), "length=0"),
        (lambda: convolution_matrix([1.0, 2.0, 3.0], 2), "leaves no pixel"),
        (lambda: col2im(np.ones((4, 5)), (1, 1, 3, 3), 2), r"col of shape \(4, 5\): .*\(4, 4\)"),
        (lambda: im2col(np.ones((3, 3)), 2), r"im2col takes shape \(n, channels, height, width\)"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_shapes_that_do_not_fit_name_layer_and_shapes():
    layer = Conv2D.create(3, 4, (5, 2), dilation=2, random_state=0)
    with pytest.raises(ShapeError, match=r"leaves no pixel of an image of 8×9: .* over 9×3 of 8×9"):
        layer(np.ones((1, 3, 8, 9)))
    with pytest.raises(ShapeError, match="leaves no pixel"):
        layer.output_shape((3, 8, 9))
    hint = re.escape("it was given (2, 28, 28, 3), which looks like (n, height, width, channels)")
    with pytest.raises(ShapeError, match=hint):
        layer(np.ones((2, 28, 28, 3)))
    with pytest.raises(ShapeError, match=r"was given \(2, 5, 28, 28\)$"):
        layer(np.ones((2, 5, 28, 28)))
    with pytest.raises(ShapeError, match="less padding"):
        ConvTranspose2D.create(1, 1, 1, padding=2)(np.ones((1, 1, 2, 2)))


def test_many_images_are_run_in_lanes():
    network = Network([Conv2D.create(2, 3, 3, random_state=0), ReLU(), Flatten()])
    x = RNG.standard_normal((200, 2, 5, 4))
    np.testing.assert_array_equal(network(x), network.forward(x)[0])
    with pytest.raises(ShapeError, match="layer 0"):
        network(x[:, :1])


def test_bytes_are_warned_of():
    network = Network([Conv2D.create(1, 2, 3, random_state=0, dtype=np.float32)])
    x = RNG.integers(0, 256, (2, 1, 5, 5), dtype=np.uint8)
    with pytest.warns(UserWarning, match="give X / np.float32"):
        network(x)
    assert network(x / np.float32(255)).dtype == np.float32
    assert network(x // 255).shape == (2, 2, 3, 3)


def test_a_batch_of_none():
    layer = Conv2D.create(3, 4, 3, random_state=0)
    y, backward = layer.forward(np.empty((0, 3, 5, 5)))
    dx, grads = backward(y)
    assert y.shape == (0, 4, 3, 3)
    assert dx.shape == (0, 3, 5, 5)
    assert not grads["W"].any()
