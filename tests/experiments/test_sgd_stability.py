import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import sgd_stability as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("sgd-stability")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (69,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_other_behaviour_is_told():
    steps = np.arange(20.0, 601.0, 20.0)
    bounds = np.array([experiment.bound(n, steps) for n in experiment.SIZES])
    assert all(check.holds for check in experiment.verdicts(steps, bounds / 3, bounds))
    assert not experiment.verdicts(steps, bounds * 1.01, bounds)[0].holds
    flat = np.broadcast_to(bounds[-1] / 3, bounds.shape)
    assert not experiment.verdicts(steps, flat, bounds)[1].holds
    assert not experiment.verdicts(steps, bounds * steps / 6000, bounds)[2].holds


def test_equal_twins_do_not_differ():
    w = np.random.default_rng(0).standard_normal((3, experiment.N_FEATURES))
    assert experiment.worst_difference(w, w.copy(), np.random.default_rng(1)) == 0.0
    assert experiment.worst_difference(w, w + 0.1, np.random.default_rng(1)) > 0.0
