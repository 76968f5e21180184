import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load, mnist_networks
from kiso.experiments.mnist_networks import DEEP, FULL, SMALL, WIDE


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_on_a_part(seed, real_data):
    real_data("mnist/train-images-idx3-ubyte.gz")
    experiment = load("mnist-networks-part")
    outcome = experiment.run(seed)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
    assert isinstance(experiment.draw(outcome), Figure)


def test_it_can_come_out_false():
    errors = {SMALL: np.array([9.0, 5.6]), DEEP: np.array([3.1]), WIDE: np.array([1.5, 1.61])}
    assert [c.holds for c in mnist_networks.checks_of(FULL, errors)] == [False, False, False, True]
    errors = {SMALL: np.array([5.0]), DEEP: np.array([3.0]), WIDE: np.array([1.6])}
    assert all(c.holds for c in mnist_networks.checks_of(FULL, errors))


@pytest.mark.slow
def test_verdict_on_all(real_data):
    real_data("mnist/train-images-idx3-ubyte.gz")
    outcome = mnist_networks.run(0)
    assert outcome.verdict, [c for c in outcome.checks if not c.holds]
