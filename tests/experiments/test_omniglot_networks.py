from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.datasets import available
from kiso.experiments import load, omniglot_networks

omniglot = pytest.mark.skipif(
    not (available("omniglot-small") and available("omniglot-runs")),
    reason="Omniglot is not at hand",
)


@omniglot
def test_the_part():
    loaded = load("omniglot-networks-part")
    outcome = loaded.run(0)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert isinstance(loaded.draw(outcome), Figure)
    assert "Koch" in outcome.remark


@omniglot
def test_without_training_it_comes_out_false():
    form = replace(omniglot_networks.PART, steps=(1, 1), n_episodes=2, largest_error=50.0)
    failed = {check.what for check in omniglot_networks.measure(form, 0).checks if not check.holds}
    assert "prototypical: error on the 20 runs, %" in failed
    assert "siamese: error on the 20 runs, %" in failed


def test_a_shrunk_picture_has_the_same_mean():
    images = np.random.default_rng(0).random((3, 105, 105)) < 0.5
    small = omniglot_networks.shrunk(images, 28)
    assert small.shape == (3, 28, 28)
    np.testing.assert_allclose(small.mean(axis=(1, 2)), images.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(omniglot_networks.shrunk(images, 105), images, atol=1e-6)
