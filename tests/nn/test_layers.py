"""Layers: values against plain formulas, gradients proved, the contract kept."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.nn import (
    GELU,
    Affine,
    BatchNorm,
    Dropout,
    Flatten,
    LayerNorm,
    LeakyReLU,
    Network,
    Orthogonal,
    Parallel,
    ReLU,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
    activation,
    check_gradients,
    initialiser,
)

RNG = np.random.default_rng(0)


def affine(n_in, n_out, seed=0):
    return Affine.create(n_in, n_out, init="normal", random_state=seed)


def batch_norm():
    layer = BatchNorm(4)
    layer.gamma[:] = [1.0, 2.0, -0.5, 0.1]
    layer.beta[:] = [0.0, 1.0, 2.0, 3.0]
    layer.mean[:] = [0.5, 0.0, -1.0, 0.2]
    layer.var[:] = [0.5, 2.0, 1.0, 0.2]
    return layer


LAYERS = {
    "affine": lambda: affine(4, 4),
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky": lambda: LeakyReLU(0.1),
    "softplus": Softplus,
    "gelu": GELU,
    "softmax": Softmax,
    "dropout": lambda: Dropout(0.3),
    "batch norm": batch_norm,
    "layer norm": lambda: LayerNorm(4),
    "flatten": Flatten,
    "residual": lambda: Residual(Sequential([affine(4, 4), Tanh()])),
    "parallel": lambda: Parallel([Sequential([affine(4, 2), Tanh()]), affine(4, 2, 1)]),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("train", [None, 3])
def test_gradients_between_two_layers(name, train):
    """The house's rule 8: with a layer before and a layer after, for input and parameters."""
    middle = LAYERS[name]()
    x = np.random.default_rng(1).standard_normal((5, 3))
    chain = Sequential([affine(3, 4, 5), middle, affine(4, 2, 6)])
    by_steps = check_gradients(chain, x, train=train)
    assert by_steps.ok, by_steps
    assert by_steps.error < 1e-11
    by_taylor = check_gradients(chain, x, train=train, method="taylor")
    assert by_taylor.ok, by_taylor
    assert all(check.slope > 1.9 for check in by_taylor.checks), by_taylor


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("train", [False, True])
def test_contract(name, train):
    """dy and x are left alone; Fortran order, views and float32 give the same, in float32."""
    layer = LAYERS[name]()
    x = np.random.default_rng(2).standard_normal((6, 4))
    dy = np.random.default_rng(3).standard_normal((6, 4))

    def both(layer, x, dy):
        y, backward = layer.forward(x, train=Run(7) if train else None)
        dx, grads = backward(dy)
        return y, dx, grads

    x0, dy0 = x.copy(), dy.copy()
    y, dx, grads = both(layer, x, dy)
    assert np.array_equal(x, x0)
    assert np.array_equal(dy, dy0)
    wide = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2]
    for other in (np.asfortranarray(x), wide):
        y2, dx2, _ = both(layer, other, np.asfortranarray(dy))
        np.testing.assert_allclose(y2, y, rtol=1e-13)
        np.testing.assert_allclose(dx2, dx, rtol=1e-12, atol=1e-14)
    if not grads and name != "dropout":  # its numbers differ between dtypes
        y3, dx3, _ = both(layer, x.astype(np.float32), dy.astype(np.float32))
        assert y3.dtype == dx3.dtype == np.float32
        np.testing.assert_allclose(y3, y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_reused_buffers_give_the_same(name):
    layer = Sequential([affine(3, 4, 5), LAYERS[name](), affine(4, 2, 6)])
    plain, reusing = Run(0), Run(0, reuse_buffers=True)
    for n in (5, 5, 3, 5):
        x = RNG.standard_normal((n, 3))
        results = []
        for run in (plain, reusing):
            run.begin_step()
            y, backward = layer.forward(x, train=run)
            results.append((y.copy(), *(np.copy(g) for g in [backward(np.ones_like(y))[0]])))
        np.testing.assert_array_equal(results[0][0], results[1][0])
        np.testing.assert_array_equal(results[0][1], results[1][1])


ACTIVATIONS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "softplus": lambda x: np.log(1 + np.exp(x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_values(name):
    x = np.linspace(-5, 5, 41)[:, None]
    np.testing.assert_allclose(activation(name)(x), ACTIVATIONS[name](x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "gelu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_at_a_thousand(name, dtype):
    layer = activation(name)
    x = np.array([[-1000.0, 1000.0]], dtype)
    y, backward = layer.forward(x)
    dx, _ = backward(np.ones_like(x))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()
    assert y.dtype == dx.dtype == dtype


def test_sigmoid_facts():
    """Row 7: σ'(0) = ¼, and σ' = σ(1 − σ)."""
    dx, _ = Sigmoid().forward(np.zeros((1, 1)))[1](np.ones((1, 1)))
    assert dx == 0.25


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 5), st.integers(1, 6), st.floats(-1e4, 1e4))
def test_softmax(n, k, shift):
    x = np.random.default_rng(n * 7 + k).standard_normal((n, k))
    y = Softmax()(x)
    for row, values in zip(x, y, strict=True):
        plain = [np.exp(v) / sum(np.exp(u) for u in row) for v in row]
        np.testing.assert_allclose(values, plain, rtol=1e-12)
    np.testing.assert_allclose(Softmax()(x + shift), y, rtol=1e-10)
    assert np.isfinite(Softmax()(1000 * x)).all()


def test_dropout_keeps_the_mean():
    """Erratum E4: the factor is 1/(1 − p), not 1/p, and inference is untouched."""
    x = np.full((200, 500), 3.0)
    layer = Dropout(0.2)
    y, backward = layer.forward(x, train=Run(0))
    assert abs(y.mean() - 3.0) < 0.02
    assert set(np.unique(y)) == {0.0, 3.75}
    assert abs((y == 0).mean() - 0.2) < 0.01
    np.testing.assert_array_equal(backward(np.ones_like(x))[0], y / 3)
    assert layer(x) is x
    with pytest.raises(ValueError, match="p=1"):
        Dropout(1)


def test_batch_norm_by_the_textbook():
    x = RNG.standard_normal((7, 3, 2, 5)) * 4 + 1
    layer, run = BatchNorm(3, momentum=0.25, eps=1e-3), Run(0)
    layer.gamma[:], layer.beta[:] = [2, 3, 4], [5, 6, 7]
    y, _ = layer.forward(x, train=run)
    assert layer.mean.tolist() == [0, 0, 0], "a forward pass moved the running mean"
    run.apply_statistics()
    for c in range(3):
        values = x[:, c].ravel()
        expected = (x[:, c] - values.mean()) / np.sqrt(values.var() + 1e-3)
        np.testing.assert_allclose(y[:, c], layer.gamma[c] * expected + layer.beta[c], rtol=1e-10)
        np.testing.assert_allclose(layer.mean[c], 0.25 * values.mean())
        np.testing.assert_allclose(layer.var[c], 0.75 + 0.25 * values.var(ddof=1))
    with pytest.raises(ShapeError, match=r"\(1, 3\) has no variance"):
        layer.forward(np.ones((1, 3)), train=Run(0))


def test_a_constant_column_is_normalised_to_zero():
    y, backward = BatchNorm(2).forward(np.ones((4, 2)), train=Run(0))
    assert (y == 0).all()
    assert np.isfinite(backward(np.ones((4, 2)))[0]).all()


def test_a_layer_stands_twice_in_one_graph():
    shared = affine(3, 3)
    twice = check_gradients(lambda x: _two_passes(shared, x), RNG.standard_normal((2, 3)))
    assert twice.ok, twice


def _two_passes(layer, x):
    y1, back1 = layer.forward(x)
    y2, back2 = layer.forward(y1)
    return y2, lambda dy: back1(back2(dy)[0])[0]


def test_two_threads_use_one_layer():
    layer = Sequential([affine(3, 8), Tanh(), affine(8, 2)])
    inputs = [RNG.standard_normal((50, 3)) for _ in range(8)]
    expected = [layer.forward(x)[1](np.ones((50, 2)))[0] for x in inputs]
    found = [None] * 8

    def work(i):
        for _ in range(20):
            found[i] = layer.forward(inputs[i])[1](np.ones((50, 2)))[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (affine(3, 2), np.ones((4, 5))),
        (affine(3, 2), np.ones(3)),
        (BatchNorm(3), np.ones((4, 5))),
        (LayerNorm(3), np.ones((4, 5))),
        (Residual(affine(3, 2)), np.ones((4, 3))),
    ],
)
def test_shapes_that_do_not_fit_name_layer_and_shapes(layer, x):
    with pytest.raises(ShapeError) as caught:
        layer.forward(x)
    assert str(x.shape) in str(caught.value)
    with pytest.raises(ShapeError):
        layer.output_shape((5,) if len(x.shape) > 1 and x.shape[1] == 5 else (4,))


def test_the_position_of_a_layer_that_does_not_fit_is_named():
    network = Network([affine(3, 4), Tanh(), affine(5, 2)])
    message = r"layer 2: Affine\(5 → 2\) takes shape \(n, 5\); it was given \(2, 4\)"
    with pytest.raises(ShapeError, match=message):
        network(np.ones((2, 3)))
    with pytest.raises(ShapeError, match="layer 2"):
        network.summary()


@pytest.mark.parametrize("name", ["glorot", "he", "normal"])
def test_initial_variance(name):
    W, _ = initialiser(name).affine(np.random.default_rng(0), 300, 200)
    wanted = {"glorot": 2 / 500, "he": 2 / 300, "normal": 0.25}[name]
    assert abs(W.var() / wanted - 1) < 0.02


@pytest.mark.parametrize(("n_in", "n_out"), [(5, 3), (3, 5)])
def test_orthogonal(n_in, n_out):
    W, b = Orthogonal().affine(np.random.default_rng(0), n_in, n_out)
    gram = W.T @ W if n_in > n_out else W @ W.T
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-14)
    assert W.shape == (n_in, n_out)
    assert not b.any()


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="init='xavier': give one of glorot"):
        Affine.create(2, 2, init="xavier")
    with pytest.raises(ValueError, match="activation='swish': give one of elu"):
        activation("swish")
