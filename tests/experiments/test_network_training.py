"""Random labels, regularisation of networks, Runge by Adam: verdicts, and that they can fail."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import network_regularisation, random_labels, runge_adam
from kiso.experiments.runge import df, f
from kiso.nn import Network


def failed(checks):
    return {check.what for check in checks if not check.holds}


@pytest.mark.parametrize("seed", [0, 1])
def test_random_labels(seed, monkeypatch):
    monkeypatch.setattr(random_labels, "SHARES", (0.0, 1.0) if seed else (0.0, 0.4, 1.0))
    outcome = random_labels.run(seed)
    assert not failed(outcome.checks)
    if not seed:
        assert isinstance(random_labels.draw(outcome), Figure)
    worse = {share: 0.5 * a for share, a in outcome.data["curves"].items()}
    worse[1.0] = np.full((600, 2), 0.5)
    assert len(failed(random_labels.checks_of(worse))) == 5


@pytest.mark.parametrize("seed", [0, 1])
def test_network_regularisation(seed, monkeypatch):
    monkeypatch.setattr(network_regularisation, "DECAYS", (0.0, 1e-2, 1.0))
    monkeypatch.setattr(network_regularisation, "DROPPED", (0.0, 0.6, 0.98))
    outcome = network_regularisation.run(seed)
    assert not failed(outcome.checks)
    if not seed:
        assert isinstance(network_regularisation.draw(outcome), Figure)
    flat = np.ones((3, 2))
    assert len(failed(network_regularisation.path_checks("λ", (0, 1, 2), flat))) == 3
    assert len(failed(network_regularisation.stopping_checks(flat, 2 * flat))) == 2


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_runge_gradients(weight):
    network = Network.dense([1, 4, 3, 1], activation="tanh", random_state=0)
    x = np.linspace(-1, 1, 9)[:, None]
    data = weight, x, f(x), df(x), np.ones_like(x)
    start = network.vector
    gradient = network.flatten(runge_adam.cost_and_gradients(network, *data)[1])
    for k in range(len(start)):
        costs = []
        for step in (1e-6, -1e-6):
            network.set_vector(start + step * np.eye(len(start))[k])
            costs.append(runge_adam.cost_and_gradients(network, *data)[0])
        assert gradient[k] == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_runge_adam_in_a_short_form(monkeypatch):
    monkeypatch.setattr(runge_adam, "N_STEPS", 1500)
    outcome = runge_adam.run(0)
    costs = outcome.data["costs"]
    assert all(c[-1] < 1e-2 * c[0] for c in costs.values())
    assert "derivative in the loss: max error" in failed(outcome.checks)  # too short to hold
    assert isinstance(runge_adam.draw(outcome), Figure)


@pytest.mark.slow
def test_runge_adam():
    assert not failed(runge_adam.run(0).checks)
