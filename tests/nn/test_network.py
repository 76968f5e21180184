"""Networks: Higham & Higham's names and order, input gradients, weights on disk."""

import numpy as np
import pytest

from kiso.losses import SoftmaxCrossEntropy, SquaredError
from kiso.nn import (
    Affine,
    BatchNorm,
    Network,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Softmax,
    Tanh,
    WeightsError,
)

HH = {"activation": "sigmoid", "output": "sigmoid", "init": "normal"}


def hh(seed=0):
    return Network.dense([2, 2, 3, 2], random_state=seed, **HH)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def naive_netbp(network, x, y):
    """Equations 22 to 25 for one sample, in columns, as in the paper's listing."""
    W = {layer: network[2 * (layer - 2)].W.T for layer in (2, 3, 4)}
    b = {layer: network[2 * (layer - 2)].b[:, None] for layer in (2, 3, 4)}
    a, z, delta = {1: x[:, None]}, {}, {}
    for layer in (2, 3, 4):
        z[layer] = W[layer] @ a[layer - 1] + b[layer]
        a[layer] = sigma(z[layer])
    delta[4] = a[4] * (1 - a[4]) * (a[4] - y[:, None])
    for layer in (3, 2):
        delta[layer] = a[layer] * (1 - a[layer]) * (W[layer + 1].T @ delta[layer + 1])
    return z, a, delta, {layer: delta[layer] @ a[layer - 1].T for layer in (2, 3, 4)}


def test_back_propagation_is_netbp():
    network, rng = hh(), np.random.default_rng(1)
    x, y = rng.uniform(size=2), np.array([1.0, 0.0])
    z, a, delta, dW = naive_netbp(network, x, y)
    seen = network.trace(x[None], y[None], SquaredError())
    for layer in (2, 3, 4):
        np.testing.assert_allclose(seen.z[layer][0], z[layer][:, 0], rtol=1e-14)
        np.testing.assert_allclose(seen.a[layer][0], a[layer][:, 0], rtol=1e-14)
        np.testing.assert_allclose(seen.delta[layer][0], delta[layer][:, 0], rtol=1e-12)
    cost, grads = network.loss_and_gradients(x[None], y[None], SquaredError())
    assert cost == pytest.approx(0.5 * np.sum((a[4][:, 0] - y) ** 2), rel=1e-14)
    assert seen.cost == cost
    for layer in (2, 3, 4):
        np.testing.assert_allclose(grads[2 * (layer - 2)]["W"].T, dW[layer], rtol=1e-12)
    expected = np.concatenate(
        [dW[layer].ravel(order="F") for layer in (2, 3, 4)]
        + [delta[layer][:, 0] for layer in (2, 3, 4)]
    )
    np.testing.assert_allclose(network.flatten(grads), expected, rtol=1e-12)


def test_shapes_of_the_figure():
    """Rows 32 and 47: W⁽ˡ⁾ is n_l × n_{l−1}, b⁽ˡ⁾ has n_l numbers, 23 in all."""
    network = hh()
    shapes = [layer.W.T.shape for layer in network if isinstance(layer, Affine)]
    assert shapes == [(2, 2), (3, 2), (2, 3)]
    assert network.n_parameters == 23 == len(network.vector)
    seen = network.trace(np.ones((5, 2)))
    assert {k: v.shape[1] for k, v in seen.a.items()} == {1: 2, 2: 2, 3: 3, 4: 2}
    assert seen.delta == {}
    assert seen.cost is None


def test_vector_there_and_back():
    network, other = hh(0), hh(1)
    other.set_vector(network.vector)
    np.testing.assert_array_equal(other.vector, network.vector)
    x = np.ones((3, 2))
    np.testing.assert_array_equal(other(x), network(x))
    with pytest.raises(ValueError, match=r"give shape \(23,\)"):
        network.set_vector(np.zeros(22))


def test_input_gradient_of_assignment_one():
    """Row 33: with n_L = 1, ∇ₓa⁽ᴸ⁾ = W⁽²⁾ᵀδ⁽²⁾; against the complex step."""
    network = Network.dense([3, 4, 2, 1], random_state=0, **HH)
    x = np.random.default_rng(0).standard_normal((6, 3))
    g = network.input_gradient(x)
    for j in range(3):
        moved = x.astype(complex)
        moved[:, j] += 1e-40j
        np.testing.assert_allclose(g[:, j], network(moved)[:, 0].imag / 1e-40, rtol=1e-12)
    with pytest.raises(ValueError, match="2 outputs: say which"):
        hh().input_gradient(np.ones((1, 2)))
    with pytest.raises(ValueError, match="output=2: give 0 to 1"):
        hh().input_gradient(np.ones((1, 2)), output=2)


def test_jacobian():
    network = hh()
    x = np.random.default_rng(0).uniform(size=(4, 2))
    J = network.jacobian(x)
    assert J.shape == (4, 2, 2)
    for k in range(2):
        np.testing.assert_array_equal(J[:, k], network.input_gradient(x, output=k))


def test_float32_stays():
    network = Network.dense([3, 4, 2], random_state=0, dtype=np.float32)
    _, grads = network.loss_and_gradients(np.ones((5, 3)), np.ones((5, 2)), SquaredError())
    assert network(np.ones((5, 3))).dtype == np.float32
    assert {g.dtype for layer in grads for g in layer.values()} == {np.dtype(np.float32)}


def test_sample_weights_are_repetitions():
    network = hh()
    x, t = np.random.default_rng(0).uniform(size=(3, 2)), np.eye(2)[[0, 1, 1]]
    rows = [0, 1, 1, 1, 2, 2]
    weighted = network.loss_and_gradients(x, t, SquaredError(), sample_weight=np.array([1, 3, 2]))
    repeated = network.loss_and_gradients(x[rows], t[rows], SquaredError())
    assert weighted[0] == pytest.approx(repeated[0], rel=1e-14)
    np.testing.assert_allclose(
        network.flatten(weighted[1]), network.flatten(repeated[1]), rtol=1e-12
    )


def test_summary_counts():
    network = Network.dense([784, 30, 10], output="softmax", random_state=0)
    text = network.summary()
    assert "23,860" in text.splitlines()[-1]
    assert isinstance(network[-1], Softmax)
    with pytest.raises(ValueError, match="input_shape"):
        Network([Tanh()]).summary()
    assert "Tanh()  3" in Network([Tanh()]).summary((3,))


@pytest.mark.parametrize("sizes", [[3], [3, 0], [3, 2.5, 1]])
def test_bad_sizes(sizes):
    with pytest.raises(ValueError, match="sizes"):
        Network.dense(sizes)


def test_activation_per_layer():
    network = Network.dense([2, 3, 4, 1], activation=["relu", "tanh"], random_state=0)
    assert repr(network) == ("Network(Affine(2 → 3), ReLU(), Affine(3 → 4), Tanh(), Affine(4 → 1))")
    with pytest.raises(ValueError, match="1 given for 2 hidden"):
        Network.dense([2, 3, 4, 1], activation=["relu"])


def mixed(seed=0):
    block = Sequential([Affine.create(4, 4, random_state=seed), BatchNorm(4), Tanh()])
    return Network([Affine.create(3, 4, random_state=seed), Residual(block)])


def test_weights_on_disk(tmp_path):
    network, other = mixed(0), mixed(1)
    run = Run(0)
    network.forward(np.random.default_rng(0).standard_normal((9, 3)), train=run)
    run.apply_statistics()
    path = network.save_weights(tmp_path / "w.safetensors")
    other.load_weights(path)
    x = np.ones((2, 3))
    np.testing.assert_array_equal(other(x), network(x))
    assert other[1][0][1].mean.any()
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_weights_of_another_network_or_damaged(tmp_path):
    path = mixed().save_weights(tmp_path / "w")
    network = hh()
    before = network.vector
    with pytest.raises(WeightsError, match=r"missing \['2.W', .* unknown \['1.0.0.W'"):
        network.load_weights(path)
    small = Network.dense([2, 2, 3, 1], random_state=0).save_weights(tmp_path / "v")
    with pytest.raises(WeightsError, match=r"4\.W is float64 of shape \(3, 1\)"):
        network.load_weights(small)
    np.testing.assert_array_equal(network.vector, before)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="damaged"):
        mixed().load_weights(path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        network.load_weights(tmp_path / "nowhere")


def test_bad_targets_are_named():
    network = Network.dense([2, 3], random_state=0)
    with pytest.raises(ValueError, match="classes from 0 to 3: give 0 to 2"):
        network.loss_and_gradients(np.ones((2, 2)), np.array([0, 3]), SoftmaxCrossEntropy())
    with pytest.raises(ValueError, match="both, or neither"):
        network.trace(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ShapeError, match="layer 0"):
        network.trace(np.ones((2, 5)))
