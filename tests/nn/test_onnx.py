"""Every layer as ONNX, run by onnxruntime: the same numbers."""

import numpy as np
import pytest

from kiso import nn
from kiso.nn import Affine, Conv1D, Conv2D, ConvTranspose2D, Graph, Network, Tanh, to_onnx

onnxruntime = pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(0)
F = np.float32
ROWS = RNG.standard_normal((5, 4)).astype(F)
SEQUENCES = RNG.standard_normal((3, 5, 4)).astype(F)
SIGNALS = RNG.standard_normal((3, 4, 9)).astype(F)
IMAGES = RNG.standard_normal((2, 4, 7, 6)).astype(F)
WORDS = RNG.integers(0, 6, (3, 5)).astype(F)


def normed():
    layer = nn.BatchNorm(4)
    layer.mean[...], layer.var[...] = RNG.standard_normal(4), RNG.random(4) + 0.5
    layer.gamma[...], layer.beta[...] = RNG.standard_normal(4), RNG.standard_normal(4)
    return layer


def conv(kind, *sizes, **options):
    layer = kind.create(*sizes, random_state=0, **options)
    layer.b[...] = RNG.standard_normal(layer.b.shape)
    return layer


CASES = {
    "Affine": (lambda: Affine.create(4, 3, init="normal", random_state=0), ROWS),
    "Affine, no bias": (lambda: Affine.create(4, 3, bias=False, random_state=0), SEQUENCES),
    "AveragePool": (lambda: nn.AveragePool(3, stride=2, padding=1), IMAGES),
    "AveragePool, counted": (
        lambda: nn.AveragePool(2, stride=3, ceil_mode=True, padding=1, count_padding=True), IMAGES
    ),
    "AveragePool1D": (lambda: nn.AveragePool1D(2), SIGNALS),
    "BatchNorm": (normed, IMAGES),
    "BatchNorm of rows": (normed, ROWS),
    "Conv1D": (lambda: conv(Conv1D, 4, 6, 3, padding="same", dilation=2, groups=2), SIGNALS),
    "Conv2D": (lambda: conv(Conv2D, 4, 6, 3, padding="same", stride=2), IMAGES),
    "Conv2D, groups": (
        lambda: conv(Conv2D, 4, 4, (3, 2), padding=((1, 0), (2, 1)), groups=4, dilation=2), IMAGES
    ),
    "ConvTranspose2D": (
        lambda: conv(ConvTranspose2D, 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        IMAGES,
    ),
    "Dropout": (nn.Dropout, ROWS),
    "ELU": (lambda: nn.ELU(0.7), ROWS),
    "Embedding": (lambda: nn.Embedding(6, 3, random_state=0), WORDS),
    "Flatten": (nn.Flatten, IMAGES),
    "GELU": (nn.GELU, ROWS),
    "GRU": (lambda: nn.GRU(4, 3, random_state=0), SEQUENCES),
    "GlobalAveragePool": (nn.GlobalAveragePool, IMAGES),
    "GlobalAveragePool1D": (nn.GlobalAveragePool1D, SIGNALS),
    "Graph": (
        lambda: Graph({"a": (Affine.create(4, 4, random_state=0), "x"),
                       "p": (nn.Multiply(), "a", "x"), "s": (nn.Add(), "a", "p", "x"),
                       "y": (nn.Concatenate(), "s", "a")}), ROWS,
    ),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGES),
    "LSTM": (lambda: nn.LSTM(4, 3, sequences=False, random_state=0), SEQUENCES),
    "LayerNorm": (lambda: nn.LayerNorm(4), SEQUENCES),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.2), ROWS),
    "MaxPool": (lambda: nn.MaxPool(3, stride=2, padding=1), IMAGES),
    "MaxPool, ceil": (lambda: nn.MaxPool(2, stride=3, ceil_mode=True), IMAGES),
    "MaxPool1D": (lambda: nn.MaxPool1D(3, stride=2), SIGNALS),
    "MultiHeadAttention": (lambda: nn.MultiHeadAttention(4, 2, random_state=0), SEQUENCES),
    "causal": (lambda: nn.MultiHeadAttention(4, 2, causal=True, random_state=0), SEQUENCES),
    "Parallel": (lambda: nn.Parallel([Tanh(), conv(Conv2D, 4, 2, 1)], axis=1), IMAGES),
    "RNN": (lambda: nn.RNN(4, 3, random_state=0), SEQUENCES),
    "RandomAffine": (nn.RandomAffine, IMAGES),
    "RandomCrop": (lambda: nn.RandomCrop(4), IMAGES),
    "RandomFlip": (nn.RandomFlip, IMAGES),
    "RandomShift": (lambda: nn.RandomShift(1), IMAGES),
    "ReLU": (nn.ReLU, ROWS),
    "Reshape": (lambda: nn.Reshape((2, 2)), ROWS),
    "Residual": (lambda: nn.Residual(Tanh()), ROWS),
    "Sequential": (lambda: nn.Sequential([Tanh(), nn.ReLU()]), ROWS),
    "SiLU": (nn.SiLU, ROWS),
    "Sigmoid": (nn.Sigmoid, ROWS),
    "Softmax": (nn.Softmax, ROWS),
    "Softplus": (nn.Softplus, ROWS),
    "Spectral": (lambda: nn.Spectral(Affine.create(4, 3, random_state=0)), ROWS),
    "Tanh": (Tanh, ROWS),
    "Upsample": (lambda: nn.Upsample((2, 3)), IMAGES),
}  # fmt: skip


def run(model, **inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)[0]


@pytest.mark.parametrize("name", CASES)
def test_every_layer(name, tmp_path):
    make, x = CASES[name]
    net = Network([make()], dtype=F)
    model = to_onnx(net, tmp_path / "m.onnx", input_shape=x.shape[1:])
    for rows in (x, np.concatenate([x, x[:1]])):  # the batch axis is free
        np.testing.assert_allclose(run(model, x=rows), net(rows), rtol=2e-5, atol=2e-6)
    assert (tmp_path / "m.onnx").stat().st_size > 0


def test_no_layer_is_forgotten():
    kinds = {
        name for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Layer)
    }  # fmt: skip
    assert kinds - {"Layer", "Activation", "Network"} <= {n.partition(",")[0] for n in CASES}


def test_a_graph_of_two_inputs():
    graph = Graph({"a": (Affine.create(4, 3, random_state=0), "x"), "y": (nn.Add(), "a", "z")},
                  inputs=["x", "z"])  # fmt: skip
    z = RNG.standard_normal((5, 3))
    model = to_onnx(graph, input_shape=[(4,), (3,)])
    np.testing.assert_allclose(run(model, x=ROWS.astype(float), z=z), graph([ROWS, z]))


def test_what_cannot_be_written():
    class Own(nn.Layer):
        def forward(self, x, *, train=None):
            return x, lambda dy: (dy, {})

    class Changed(Affine):
        def forward(self, x, *, train=None):
            y, back = super().forward(x, train=train)
            return 2 * y, back

    for layer in (Own(), Changed.create(4, 4)):
        with pytest.raises(TypeError, match="emit_onnx.register"):
            to_onnx(Network([layer]), input_shape=(4,))
    with pytest.raises(ValueError, match="input_shape"):
        to_onnx(Network([Tanh()]))
