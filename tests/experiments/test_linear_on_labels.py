import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import linear_on_labels as experiment
from kiso.experiments import load


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("linear-on-labels")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (6,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_the_count_decides():
    inside, outside = np.array([0.0, 0.5, 1.0]), np.array([-0.1, 0.5, 1.1])
    assert not experiment.range_checks("line", inside, leaves=True)[0].holds
    assert experiment.range_checks("line", outside, leaves=True)[0].measured == 2
    assert not experiment.range_checks("curve", outside, leaves=False)[0].holds
