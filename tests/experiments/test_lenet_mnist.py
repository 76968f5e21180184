from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.datasets import available
from kiso.experiments import lenet_mnist, load

mnist = pytest.mark.skipif(
    not (available("mnist") and available("fashion-mnist")), reason="MNIST is not at hand"
)


@mnist
def test_the_part():
    loaded = load("lenet-mnist-part")
    outcome = loaded.run(0)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    figure = loaded.draw(outcome)
    assert isinstance(figure, Figure)


@mnist
def test_too_little_training_fails():
    form = replace(lenet_mnist.PART, n_train=50, n_test=200, epochs=1)
    failed = {c.what for c in lenet_mnist.measure(form, 0).checks if not c.holds}
    assert "MNIST: test error, %" in failed


def test_seconds_are_no_minutes():
    X = np.random.default_rng(0).random((20, 1, 28, 28), np.float32)
    model, minutes = lenet_mnist.fitted(X, np.arange(20) % 2, 1, None, 0)
    assert 0 < minutes < 1
    assert 0 <= lenet_mnist.percent_wrong(model, X, np.arange(20) % 2) <= 100
