"""Layers of sequences, groups and graphs: gradients proved; PyTorch's values where it is."""

import numpy as np
import pytest

from kiso.losses import SoftmaxCrossEntropy, SquaredError
from kiso.nn import (
    ELU,
    GRU,
    LSTM,
    RNN,
    Add,
    Affine,
    AveragePool,
    AveragePool1D,
    BatchNorm,
    Concatenate,
    Conv1D,
    Conv2D,
    Embedding,
    Flatten,
    GlobalAveragePool1D,
    Graph,
    GroupNorm,
    LayerNorm,
    MaxPool,
    MaxPool1D,
    MultiHeadAttention,
    Multiply,
    Network,
    Residual,
    Sequential,
    ShapeError,
    SiLU,
    Tanh,
    Upsample,
    check_gradients,
    gradient_penalty,
    plain,
    train,
)
from kiso.optim import Adam

RNG = np.random.default_rng(0)
SEQUENCES = RNG.standard_normal((3, 5, 4))
SIGNALS = RNG.standard_normal((3, 4, 9))
IMAGES = RNG.standard_normal((2, 4, 7, 6))
ROWS = RNG.standard_normal((5, 4))
WORDS = RNG.integers(0, 6, (3, 5)).astype(float)

CASES = {
    "silu": (SiLU, ROWS),
    "elu": (lambda: ELU(0.7), ROWS),
    "group norm": (lambda: GroupNorm(2, 4), IMAGES),
    "group norm of rows": (lambda: GroupNorm(2, 4), ROWS),
    "instance norm": (lambda: GroupNorm(4, 4), SIGNALS),
    "embedding": (lambda: Embedding(6, 3, random_state=0), WORDS),
    "max pool 1d": (lambda: MaxPool1D(3, stride=2, padding=1), SIGNALS),
    "mean pool 1d": (lambda: AveragePool1D(2, count_padding=True, padding=(1, 0)), SIGNALS),
    "global pool 1d": (GlobalAveragePool1D, SIGNALS),
    "upsample": (lambda: Upsample((2, 3)), IMAGES),
    "attention": (lambda: MultiHeadAttention(4, 2, random_state=0), SEQUENCES),
    "causal": (lambda: MultiHeadAttention(4, 1, causal=True, random_state=0), SEQUENCES),
    "rnn": (lambda: RNN(4, 3, random_state=0), SEQUENCES),
    "lstm": (lambda: LSTM(4, 3, random_state=0), SEQUENCES),
    "gru": (lambda: GRU(4, 3, random_state=0), SEQUENCES),
    "rnn, last": (lambda: RNN(4, 3, sequences=False, random_state=0), SEQUENCES),
    "lstm, last": (lambda: LSTM(4, 3, sequences=False, random_state=0), SEQUENCES),
    "gru, last": (lambda: GRU(4, 3, sequences=False, random_state=0), SEQUENCES),
    "max pool, ceil": (lambda: MaxPool(2, stride=3, ceil_mode=True), IMAGES),
    "mean pool, ceil": (
        lambda: AveragePool(3, stride=2, padding=1, ceil_mode=True, count_padding=True), IMAGES
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    make, x = CASES[name]
    layer = make()
    check_gradients(layer, x)
    shape = layer.output_shape(x.shape[1:])
    assert layer(x).shape == (len(x), *shape)
    last = Affine.create(shape[-1], 2, random_state=1)
    after = Sequential([Tanh(), last])
    before = [] if name == "embedding" else [Sequential([Tanh()])]
    check_gradients(Network([*before, layer, after]), x)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_stays(name):
    make, x = CASES[name]
    layer, wide = make(), make()
    net = Network([layer], dtype=np.float32)
    y, back = net.forward(x.astype(np.float32))
    dx, gradients = back(np.ones_like(y))
    assert y.dtype == dx.dtype == np.float32
    assert all(g.dtype == np.float32 for g in gradients[0].values())
    np.testing.assert_allclose(y, wide(x), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_plain_is_the_same(name):
    make, x = CASES[name]
    layer = make()
    y = layer(x)
    with plain():
        np.testing.assert_allclose(layer(x), y, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("kind", "bend"), [(SiLU, True), (lambda: ELU(1.0), True)])
def test_second_derivatives(kind, bend):
    net = Network([Affine.create(4, 3, random_state=0), kind(), Affine.create(3, 1)])
    x, h = ROWS, 1e-6
    _, gradients = gradient_penalty(net, x, norm=1.0)
    flat, start = net.flatten(gradients), net.vector
    v = np.random.default_rng(1).standard_normal(start.shape)
    values = []
    for sign in (1, -1):
        net.set_vector(start + sign * h * v)
        values.append(gradient_penalty(net, x, norm=1.0)[0])
    assert (values[0] - values[1]) / (2 * h) == pytest.approx(flat @ v, rel=1e-6)


class TestAgainstPyTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def run(self, torch, module, x):
        given = torch.tensor(x, requires_grad=True)
        y = module.double()(given)
        y = y[0] if isinstance(y, tuple) else y
        y.backward(torch.ones_like(y))
        return y.detach().numpy(), given.grad.numpy()

    def same(self, torch, module, layer, x):
        y, dx = self.run(torch, module, x)
        own, back = layer.forward(x)
        np.testing.assert_allclose(own, y, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(back(np.ones_like(own))[0], dx, rtol=1e-8, atol=1e-9)

    def test_activations_and_norms(self, torch):
        self.same(torch, torch.nn.SiLU(), SiLU(), ROWS)
        self.same(torch, torch.nn.ELU(0.7), ELU(0.7), ROWS)
        self.same(torch, torch.nn.GroupNorm(2, 4), GroupNorm(2, 4), IMAGES)
        self.same(torch, torch.nn.Upsample(scale_factor=2), Upsample(2), IMAGES)

    @pytest.mark.parametrize("size", [2, 3])
    @pytest.mark.parametrize("stride", [1, 2, 3])
    @pytest.mark.parametrize("padding", [0, 1])
    @pytest.mark.parametrize("ceil", [False, True])
    @pytest.mark.parametrize("counted", [False, True])
    def test_pooling(self, torch, size, stride, padding, ceil, counted):
        for height, width in ((7, 6), (5, 8)):
            x = RNG.standard_normal((2, 3, height, width))
            theirs = torch.nn.AvgPool2d(size, stride, padding, ceil, counted)
            own = AveragePool(
                size, stride=stride, padding=padding, ceil_mode=ceil, count_padding=counted
            )
            self.same(torch, theirs, own, x)
            with plain():
                self.same(torch, theirs, own, x)
            theirs = torch.nn.MaxPool2d(size, stride, padding, ceil_mode=ceil)
            self.same(
                torch, theirs, MaxPool(size, stride=stride, padding=padding, ceil_mode=ceil), x
            )

    def test_recurrent(self, torch):
        for kind, own in (("RNN", RNN), ("LSTM", LSTM), ("GRU", GRU)):
            layer = own(4, 3, random_state=1)
            module = getattr(torch.nn, kind)(4, 3, batch_first=True)
            with torch.no_grad():
                module.weight_ih_l0.copy_(torch.tensor(layer.W.T))
                module.weight_hh_l0.copy_(torch.tensor(layer.U.T))
                module.bias_ih_l0.copy_(torch.tensor(layer.b))
                module.bias_hh_l0.copy_(torch.tensor(getattr(layer, "c", 0 * layer.b)))
            module = module.double()
            with torch.no_grad():  # the copies above were of single precision
                module.weight_ih_l0.copy_(torch.tensor(layer.W.T))
                module.weight_hh_l0.copy_(torch.tensor(layer.U.T))
                module.bias_ih_l0.copy_(torch.tensor(layer.b))
                module.bias_hh_l0.copy_(torch.tensor(getattr(layer, "c", 0 * layer.b)))
            self.same(torch, module, layer, SEQUENCES)

    @pytest.mark.parametrize("causal", [False, True])
    def test_attention(self, torch, causal):
        layer = MultiHeadAttention(4, 2, causal=causal, random_state=0)
        for k in "qkvo":
            getattr(layer, f"b{k}")[...] = RNG.standard_normal(4)
        module = torch.nn.MultiheadAttention(4, 2, batch_first=True).double()
        p = layer.parameters
        with torch.no_grad():
            stacked = np.concatenate([p[f"W{k}"].T for k in "qkv"])
            module.in_proj_weight.copy_(torch.tensor(stacked))
            module.in_proj_bias.copy_(torch.tensor(np.concatenate([p[f"b{k}"] for k in "qkv"])))
            module.out_proj.weight.copy_(torch.tensor(p["Wo"].T))
            module.out_proj.bias.copy_(torch.tensor(p["bo"]))
        mask = torch.triu(torch.ones(5, 5, dtype=bool), 1) if causal else None

        class Self(torch.nn.Module):
            def forward(self, x):
                return module(x, x, x, attn_mask=mask)[0]

        self.same(torch, Self(), layer, SEQUENCES)


class TestGraph:
    def make(self, shared=False):
        first = Affine.create(4, 4, random_state=0)
        second = first if shared else Affine.create(4, 4, random_state=1)
        return Graph(
            {
                "y": (Affine.create(8, 2, random_state=2), "all"),  # order is found
                "a": (first, "x"),
                "b": (second, "z"),
                "product": (Multiply(), "a", "b"),
                "sum": (Add(), "a", "product", "z"),
                "all": (Concatenate(), "sum", "b"),
            },
            inputs=["x", "z"], output="y",
        )  # fmt: skip

    @pytest.mark.parametrize("shared", [False, True])
    def test_gradients_by_differences(self, shared):
        graph, x, z = self.make(shared), ROWS, RNG.standard_normal((5, 4))
        w, h = RNG.standard_normal((5, 2)), 1e-6
        _, back = graph.forward([x, z])
        dxs, gradients = back(w)
        for at, given in enumerate((x, z)):
            v = RNG.standard_normal(given.shape)
            sides = []
            for s in (h, -h):
                moved = [x, z]
                moved[at] = given + s * v
                sides.append((w * graph(moved)).sum())
            assert (sides[0] - sides[1]) / (2 * h) == pytest.approx((dxs[at] * v).sum(), rel=1e-6)
        for name in ("a", "b", "y"):
            for key, g in gradients[name].items():
                p, v = graph.layers[name].parameters[key], RNG.standard_normal(g.shape)
                start = p.copy()
                p[...] = start + h * v
                above = (w * graph([x, z])).sum()
                p[...] = start - h * v
                below = (w * graph([x, z])).sum()
                p[...] = start
                assert (above - below) / (2 * h) == pytest.approx((g * v).sum(), rel=1e-6)

    def test_a_mapping_and_a_node_that_goes_nowhere(self):
        graph = self.make()
        y, back = graph.forward({"z": ROWS, "x": ROWS})
        dx, _ = back(np.ones_like(y))
        assert set(dx) == {"x", "z"}
        graph = Graph({"a": (Tanh(), "x"), "lost": (Affine.create(4, 2), "x")}, output="a")
        _, gradients = graph.forward(ROWS)[1](ROWS)
        assert not gradients["lost"]["W"].any()

    def test_as_a_layer_of_a_network(self, tmp_path):
        def make():
            graph = Graph({
                "norm": (BatchNorm(4), "x"), "wide": (Affine.create(4, 4, random_state=0), "norm"),
                "y": (Add(), "wide", "x"),
            })  # fmt: skip
            return Network([graph, Affine.create(4, 1, random_state=1)])

        net, other = make(), make()
        check_gradients(net, ROWS)
        x = RNG.standard_normal((64, 4))
        *_, state = train(net, SquaredError(), (x, x[:, :1]), Adam(0.02), n_epochs=40)
        assert state.objective < 0.05
        net.save_weights(tmp_path / "w")
        other.load_weights(tmp_path / "w")
        np.testing.assert_array_equal(net(x), other(x))

    @pytest.mark.parametrize(
        ("nodes", "options", "error", "words"),
        [
            ({"a": (Tanh(), "q")}, {}, ValueError, "no input of that name"),
            ({"a": (Tanh(), "b"), "b": (Tanh(), "a")}, {}, ValueError, "circle"),
            ({"a": (Tanh(), "x", "x")}, {}, ValueError, "takes one input"),
            ({"a": (np.tanh, "x")}, {}, TypeError, "neither a layer nor a Merge"),
            ({"x": (Tanh(), "x")}, {}, ValueError, "stands twice"),
            ({"a": (Tanh(), "x")}, {"output": "b"}, ValueError, "output='b'"),
            ({}, {}, ValueError, "at least one"),
        ],
    )
    def test_bad_graphs(self, nodes, options, error, words):
        with pytest.raises(error, match=words):
            Graph(nodes, **options)

    def test_bad_inputs(self):
        with pytest.raises(ValueError, match="1 inputs: give 2"):
            self.make()(ROWS)
        with pytest.raises(ShapeError, match="node 'product'"):
            self.make()([ROWS[:3], ROWS])


def test_a_sequence_is_learnt():
    """Whether a sequence of signs has more + than −: the recurrent layers find it."""
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (256, 9, 1))
    t = (x.sum(axis=(1, 2)) > 0).astype(int)
    for kind in (RNN, LSTM, GRU):
        net = Network([kind(1, 8, sequences=False, random_state=0), Affine.create(8, 2)])
        for _ in train(net, SoftmaxCrossEntropy(), (x, t), Adam(0.03), n_epochs=30,
                       random_state=0):  # fmt: skip
            pass
        assert (net(x).argmax(axis=1) == t).mean() > 0.95


def test_words_are_learnt():
    """Whether word 0 comes before word 1: an embedding, attention and a mean."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.permutation(5) for _ in range(300)])
    t = (x.argmin(axis=1) < np.argmax(x == 1, axis=1)).astype(int)
    place = Embedding(5, 8, random_state=1)

    net = Network([
        Embedding(5, 8, random_state=0), Residual(MultiHeadAttention(8, 2, random_state=0)),
        LayerNorm(8), Flatten(), Affine.create(40, 2, random_state=1),
    ])  # fmt: skip
    for _ in train(net, SoftmaxCrossEntropy(), (x, t), Adam(0.01), n_epochs=40, random_state=0):
        pass
    assert (net(x).argmax(axis=1) == t).mean() > 0.95
    with pytest.raises(ValueError, match="whole numbers from 0 to 4"):
        place(np.array([[5]]))


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: GRU(4, 3), ROWS), (lambda: MultiHeadAttention(4, 2), ROWS),
        (lambda: MaxPool1D(2), ROWS), (lambda: GroupNorm(2, 4), SEQUENCES),
        (lambda: Upsample(2), ROWS),
    ],
)  # fmt: skip
def test_what_does_not_fit(make, x):
    with pytest.raises(ShapeError):
        make()(x)
    with pytest.raises(ValueError, match="give"):
        MultiHeadAttention(4, 3)
    with pytest.raises(ValueError, match="divide"):
        GroupNorm(3, 4)


def test_plain_turns_everything_off(monkeypatch):
    """Inside the context no compiled form is called, for inference nor for training."""
    from kiso.nn.compiled import convolution, fusion
    from kiso.nn.compiled.engine import CompiledEngine

    x = RNG.standard_normal((40, 2, 8, 8))

    def make():
        return Network([
            Conv2D.create(2, 3, 3, random_state=0), BatchNorm(3), Tanh(), MaxPool(2), Flatten(),
            Affine.create(27, 2, random_state=1),
        ])  # fmt: skip

    t = (x.sum(axis=(1, 2, 3)) > 0).astype(int)

    def fitted():
        net = make()
        for _ in train(net, SoftmaxCrossEntropy(), (x, t), Adam(0.01), n_epochs=2, batch_size=8,
                       random_state=0):  # fmt: skip
            pass
        return net.vector, net(x)

    fast, called, own = fitted(), [], Affine.forward

    def noted(self, *args, **options):
        called.append(1)
        return own(self, *args, **options)

    for module, name in ((convolution, "convolve"), (fusion.fast, "convolve")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(CompiledEngine, "advance", None)
    monkeypatch.setattr(Affine, "forward", noted)
    with plain():
        readable = fitted()
        dense = Network.dense([4, 3, 2], random_state=0)
        next(train(dense, SquaredError(), (ROWS, ROWS[:, :2]), Adam(0.01)))
    assert len(called) > 10
    for a, b in zip(fast, readable, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)
    assert Conv1D.create(4, 2, 3, random_state=0).output_shape((4, 9)) == (2, 7)
