"""FGSM on MNIST: the verdict follows the errors; a run on made-up images."""

import numpy as np
from matplotlib.figure import Figure

from kiso.experiments import Outcome, fgsm_mnist


def test_verdict_follows_the_errors():
    assert Outcome(fgsm_mnist.checks_of(1.6, 99.0, 99.9)).verdict
    assert [c.holds for c in fgsm_mnist.checks_of(3.0, 90.0, 80.0)] == [False] * 3


def test_runs_on_images(monkeypatch):
    rng = np.random.default_rng(0)

    def load(split):
        y = np.arange(200) % 10
        X = rng.integers(0, 256, (200, 28, 28)).astype(np.uint8)
        X[np.arange(200), y] = 255
        return X, y

    monkeypatch.setattr(fgsm_mnist, "fetch_mnist", load)
    outcome = fgsm_mnist.run(0)
    assert not outcome.verdict  # clean error is 0 here, and not 1.6 %
    assert isinstance(fgsm_mnist.draw(outcome), Figure)
