import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import overfitting as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("overfitting")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (36, 81)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_a_curve_that_only_falls_is_no_u():
    models = np.arange(5)
    assert all(c.holds for c in experiment.u_curve_checks("m", models, np.array([3, 2, 1, 2, 3.0])))
    holds = [c.holds for c in experiment.u_curve_checks("m", models, 5.0 - models)]
    assert holds == [True, False]


def test_choosing_at_random_is_refused():
    rng = np.random.default_rng(0)
    assert not all(check.holds for check in experiment.choice_checks(rng.uniform(size=(40, 15, 3))))
