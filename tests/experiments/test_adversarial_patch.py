"""Patches on MNIST: the verdict follows the shares; a run on made-up images."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from kiso.experiments import Outcome, adversarial_patch


def test_verdict_follows_the_shares():
    assert Outcome(adversarial_patch.checks_of(40.0, 20.0, 18.0)).verdict
    held = [c.holds for c in adversarial_patch.checks_of(20.0, 20.0, 10.0)]
    assert held == [False, True]
    assert not Outcome(adversarial_patch.checks_of(20.0, 10.0, 30.0)).verdict


def test_runs_on_images(monkeypatch):
    rng = np.random.default_rng(0)

    def load(split):
        y = np.arange(120) % 10
        X = rng.integers(0, 256, (120, 28, 28)).astype(np.uint8)
        X[np.arange(120), y] = 255
        return X, y

    monkeypatch.setattr(adversarial_patch, "fetch_mnist", load)
    form = replace(adversarial_patch.PART, epochs=1, n_steps=2)
    outcome = adversarial_patch.measure(form, 0)
    assert len(outcome.checks) == 2
    assert all(0 <= share <= 100 for share in outcome.data["shares"])
    assert isinstance(adversarial_patch.draw(outcome), Figure)
