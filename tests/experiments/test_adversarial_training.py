"""Adversarial training: the verdict follows the errors; a run on scikit-learn's digits."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from kiso.experiments import Outcome, adversarial_training


def test_verdict_follows_the_errors():
    softmax, network = np.array([[9, 99.9], [15, 80]]), np.array([[2, 95], [2.5, 20]])
    checks_of = adversarial_training.checks_of
    assert Outcome(checks_of(softmax, network, 0.25)).verdict
    assert not checks_of(softmax, network, 0.2)[3].holds
    weak, costly = np.array([[9, 50], [9, 50]]), np.array([[2, 60], [9, 59]])
    assert [c.holds for c in checks_of(weak, costly, 0.75)] == [False] * 5


@pytest.mark.parametrize("seed", [0, 1])
def test_error_falls_on_small_digits(monkeypatch, seed):
    X, y = load_digits(return_X_y=True)
    images = (X * 255 / 16).astype(np.uint8).reshape(-1, 8, 8)
    parts = {"train": slice(0, 1300), "test": slice(1300, None)}
    monkeypatch.setattr(
        adversarial_training, "fetch_mnist", lambda split: (images[parts[split]], y[parts[split]])
    )
    form = adversarial_training.Form(1300, 497, (60,), 20, 0.95)
    outcome = adversarial_training.measure(form, seed)
    by_name = {c.what.partition(":")[0]: c for c in outcome.checks[2:4]}
    assert by_name["network"].holds
    assert isinstance(adversarial_training.draw(outcome), Figure)
