"""Experiments on k-means: they hold, they draw, and they can fail."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import clustering_blobs, kmeans_descent, kmeans_seeding


@pytest.mark.parametrize("module", [clustering_blobs, kmeans_descent])
@pytest.mark.parametrize("seed", [0, 1])
def test_holds_and_draws(module, seed):
    outcome = module.EXPERIMENT.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(module.EXPERIMENT.draw(outcome), Figure)


@pytest.mark.parametrize("seed", [0, 1])
def test_seeding(seed, monkeypatch):
    monkeypatch.setattr(kmeans_seeding, "N", 4000)
    outcome = kmeans_seeding.EXPERIMENT.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    if seed == 0:
        assert isinstance(kmeans_seeding.EXPERIMENT.draw(outcome), Figure)
    worse = {
        name: {k: (seeded, seeded) for k, (_, seeded) in ks.items()}
        for name, ks in outcome.data["measured"].items()
    }
    assert not all(check.holds for check in kmeans_seeding.checks(worse))


def test_can_fail():
    assert not kmeans_descent.checks([np.array([3.0, 2.0, 2.1])])[0].holds
    assert not clustering_blobs.checks(0.99, 0.0, 0.0)[0].holds
    assert not clustering_blobs.checks(1.0, 0.9, 0.2)[1].holds
