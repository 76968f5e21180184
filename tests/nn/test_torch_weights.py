"""Weights of PyTorch's modules: the same outputs, or an error that names what does not fit."""

import numpy as np
import pytest

from kiso.nn import (
    GRU,
    LSTM,
    RNN,
    Affine,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Embedding,
    Flatten,
    GroupNorm,
    LayerNorm,
    MultiHeadAttention,
    Network,
    ReLU,
    Sequential,
    WeightsError,
    load_torch,
)


def dense():
    return Network.dense([3, 4, 2], random_state=0)


def state():
    rng = np.random.default_rng(1)
    shapes = {"a.weight": (4, 3), "a.bias": (4,), "b.weight": (2, 4), "b.bias": (2,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def output(tensors, x, first="a", last="b"):
    hidden = x @ tensors[f"{first}.weight"].T + tensors[f"{first}.bias"]
    network = dense()
    return network.layers[1](hidden) @ tensors[f"{last}.weight"].T + tensors[f"{last}.bias"]


def test_in_order_and_by_name():
    network, x = dense(), np.random.default_rng(0).normal(size=(5, 3))
    load_torch(network, state())
    np.testing.assert_allclose(network(x), output(state(), x))
    other = Network.dense([3, 4, 2], random_state=3)
    shuffled = dict(reversed(state().items()))
    load_torch(other, shuffled, {"0": "a", "2": "b"})
    np.testing.assert_array_equal(other(x), network(x))


def test_a_file(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "model.safetensors"
    numpy.save_file({k: v.astype(np.float32) for k, v in state().items()}, path)
    network = dense()
    load_torch(network, path)
    np.testing.assert_allclose(network.layers[0].W, state()["a.weight"].T, rtol=1e-6)
    with pytest.raises(WeightsError, match=r"a\.weight \(4, 3\).*load_torch"):
        network.load_weights(path)


@pytest.mark.parametrize(
    ("change", "names", "message"),
    [
        ({"c.weight": np.zeros((1, 1))}, None, "3 modules.*'0', '2'.*'a', 'b', 'c'"),
        ({"a.weight": np.zeros((5, 3))}, None, r"'a' for layer '0'.*\(3, 4\).*\(3, 5\)"),
        ({"b.bias": np.full(2, np.nan)}, None, "'b' for layer '2'.*NaN"),
        ({}, {"0": "a"}, "none for layer '2'"),
        ({}, {"0": "a", "2": "z"}, "'z'"),
        ({}, {"0": "a", "1": "b"}, "none for layer '2'"),
        ({"a.bias": np.array(["x"])}, None, "'a.bias' holds"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_changes(change, names, message):
    network = dense()
    before = [a.copy() for layer in network.parameters for a in layer.values()]
    with pytest.raises(WeightsError, match=message):
        load_torch(network, state() | change, names)
    after = [a for layer in network.parameters for a in layer.values()]
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_module_without_its_tensors():
    tensors = {"n.weight": np.ones(3), "n.bias": np.ones(3)}
    with pytest.raises(WeightsError, match="running_mean"):
        load_torch(Network([BatchNorm(3)]), tensors)


class TestTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def same(self, torch, module, network, x):
        given = torch.tensor(x)
        with torch.no_grad():
            y = module.double().eval()(given)
        y = y[0] if isinstance(y, tuple) else y
        load_torch(network, module.state_dict())
        np.testing.assert_allclose(network(x), y.numpy(), atol=1e-12)

    def test_pictures(self, torch):
        n = torch.nn
        module = n.Sequential(
            n.Conv2d(2, 4, 3, padding=1), n.BatchNorm2d(4), n.ReLU(),
            n.ConvTranspose2d(4, 3, 2, stride=2), n.GroupNorm(3, 3), n.Flatten(), n.Linear(192, 5),
        )  # fmt: skip
        module[1].running_mean[...] = torch.arange(4.0)
        network = Network(
            [
                Sequential([Conv2D.create(2, 4, 3, padding=1), BatchNorm(4), ReLU()]),
                ConvTranspose2D.create(4, 3, 2, stride=2), GroupNorm(3, 3), Flatten(),
                Affine.create(192, 5),
            ]
        )  # fmt: skip
        self.same(torch, module, network, np.random.default_rng(0).normal(size=(2, 2, 4, 4)))

    @pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
    def test_sequences(self, torch, name):
        module = getattr(torch.nn, name)(3, 5, batch_first=True)
        network = Network([{"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[name](3, 5)])
        self.same(torch, module, network, np.random.default_rng(0).normal(size=(2, 4, 3)))

    def test_attention(self, torch):
        module = torch.nn.MultiheadAttention(6, 2, batch_first=True).double()
        torch.nn.init.normal_(module.in_proj_bias)
        x = np.random.default_rng(0).normal(size=(2, 4, 6))
        network = Network([MultiHeadAttention(6, 2)])
        load_torch(network, module.state_dict())
        with torch.no_grad():
            y = module(*[torch.tensor(x)] * 3)[0]
        np.testing.assert_allclose(network(x), y.numpy(), atol=1e-12)

    def test_rows_of_one_axis(self, torch):
        n = torch.nn
        module = n.Sequential(n.Conv1d(2, 3, 3), n.Flatten(), n.LayerNorm(18))
        network = Network([Conv1D.create(2, 3, 3), Flatten(), LayerNorm(18)])
        self.same(torch, module, network, np.random.default_rng(0).normal(size=(2, 2, 8)))

    def test_a_bias_that_is_not_there(self, torch):
        module = torch.nn.Sequential(torch.nn.Embedding(7, 3), torch.nn.Linear(3, 2, bias=False))
        network = Network([Embedding(7, 3), Affine.create(3, 2, bias=False)])
        load_torch(network, module.double().state_dict())
        with torch.no_grad():
            y = module(torch.tensor([[1, 2]]))
        np.testing.assert_allclose(network(np.array([[1, 2]])), y.numpy(), atol=1e-12)
