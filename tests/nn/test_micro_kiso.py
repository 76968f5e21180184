"""The example that holds all of kiso.nn in one file, against kiso.nn."""

import importlib.util
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Affine, Network, ReLU, plain, train
from kiso.optim import GradientDescent

PATH = Path(__file__).parents[2] / "examples" / "micro_kiso.py"


@pytest.fixture(scope="module")
def micro():
    spec = importlib.util.spec_from_file_location("micro_kiso", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def both(micro):
    rng = np.random.default_rng(0)
    x, labels = micro.moons(128, rng)
    layers = [micro.glorot(2, 8, rng), micro.ReLU(), micro.glorot(8, 2, rng)]
    theirs = [
        Affine(*(p.copy() for p in layer.parameters.values())) if layer.parameters else ReLU()
        for layer in layers
    ]
    return x, labels, micro.Network(layers), Network(theirs)


def test_it_is_short():
    assert len(PATH.read_text().splitlines()) <= 200


def test_outputs_costs_and_gradients_to_the_last_digit(micro):
    x, labels, small, network = both(micro)
    with plain():
        y, backward = network.forward(x)
        cost, dy = SoftmaxCrossEntropy().value_and_gradient(y, labels)
        dx, gradients = backward(dy)
    z, back = small.forward(x)
    value, dz = micro.softmax_cross_entropy(z, labels)
    dx2, gradients2 = back(dz)
    np.testing.assert_array_equal(z, y)
    np.testing.assert_array_equal(dz, dy)
    np.testing.assert_array_equal(dx2, dx)
    assert value == cost
    for own, other in zip(gradients2, gradients, strict=True):
        for name in own:
            np.testing.assert_array_equal(own[name], other[name])


def test_training_takes_the_same_steps(micro):
    """Batch after batch of the same rows; a rule's multiply-add rounds once, the file's twice."""
    x, labels, small, network = both(micro)
    rng = np.random.default_rng(1)
    order = [rng.permutation(len(x)) for _ in range(5)]
    batches = [(x[rows[s : s + 32]], labels[rows[s : s + 32]]) for rows in order
               for s in range(0, 128, 32)]  # fmt: skip
    with plain():
        deque(train(network, SoftmaxCrossEntropy(), batches, GradientDescent(0.2)), maxlen=0)
    deque(micro.train(small, x, labels, rate=0.2, n_epochs=5, batch_size=32,
                      rng=np.random.default_rng(1)), maxlen=0)  # fmt: skip
    for own, other in zip(small.parameters, network.parameters, strict=True):
        for name in own:
            np.testing.assert_allclose(own[name], other[name], rtol=1e-11, atol=1e-13)


def test_it_proves_its_gradients(micro):
    x, labels, small, _ = both(micro)
    order = micro.check_gradients(small, x[:20], labels[:20], np.random.default_rng(2))
    assert order == pytest.approx(2, abs=0.1)
    wrong = micro.Affine.forward

    def forward(self, x):
        y, back = wrong(self, x)
        return y, lambda dy: (back(dy)[0], {**back(dy)[1], "b": 1.1 * back(dy)[1]["b"]})

    micro.Affine.forward = forward
    try:
        order = micro.check_gradients(small, x[:20], labels[:20], np.random.default_rng(2))
    finally:
        micro.Affine.forward = wrong
    assert order == pytest.approx(1, abs=0.2)


def test_it_learns(micro, capsys):
    assert micro.main() > 0.97
    assert "remainder of order 2.0" in capsys.readouterr().out
