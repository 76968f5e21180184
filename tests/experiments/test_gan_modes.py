import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import gan_modes, gan_modes_full, load
from kiso.nn import Network, check_gradients, gradient_penalty


def test_verdict_and_picture():
    loaded = load("gan-modes")
    outcome = loaded.run(0)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    figure = loaded.draw(outcome)
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_too_few_steps_fail():
    quick = {"ring": {"non-saturating": {"n_steps": 50}}}
    assert not gan_modes.measure(quick, 1, 0).verdict


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_the_data_themselves_are_good(name, modes):
    found, share = gan_modes.judged(name, gan_modes.mixture(name, 2500, np.random.default_rng(0)))
    assert found == modes
    assert share == pytest.approx(1 - np.exp(-4.5), abs=0.01)  # of a plane within 3σ
    one = np.tile(gan_modes.centers(name)[:1], (10, 1))
    assert gan_modes.judged(name, one) == (1, 1.0)
    assert gan_modes.judged(name, one + 1) == (0, 0.0)


def test_a_layer_of_ones_own():
    x = np.random.default_rng(0).normal(size=(4, 2))
    layer = gan_modes_full.Waves([1, 3])
    assert check_gradients(layer, x).ok
    make = gan_modes_full.WAVES["discriminator"]
    network: Network = make(np.random.default_rng(0), np.float64)
    value, gradients = gradient_penalty(network, x)
    direction = np.random.default_rng(1).normal(size=network.n_parameters)
    slope, start, ends = network.flatten(gradients) @ direction, network.vector, []
    for step in (1e-6, -1e-6):
        network.set_vector(start + step * direction)
        ends.append(gradient_penalty(network, x)[0])
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)
    assert value > 0
