import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import threshold_classifier as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("threshold-classifier")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (34, 35)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_codes_that_do_not_gain_are_refused():
    assert all(check.holds for check in experiment.score_checks(np.array([[0.9, 0.99]])))
    assert not experiment.score_checks(np.array([[0.99, 0.99]]))[0].holds


def test_a_smooth_target_does_not_ring():
    x = np.linspace(-1, 1, 2001)
    fit = experiment.ringing(x, 0.0, 31)
    assert fit["overshoot"] > 0.05
    assert experiment.ringing(x, -2.0, 31)["overshoot"] < 1e-9  # no jump inside
