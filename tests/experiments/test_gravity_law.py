import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import gravity_law as experiment
from kiso.experiments import load


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("gravity-law")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (13,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_another_law_is_refused():
    law = [*experiment.EXPONENTS, float(np.log(experiment.G))]
    tight = (1e-6,) * 4
    assert all(check.holds for check in experiment.law_checks("given", law, tight))
    law[2] = -2.1
    holds = [check.holds for check in experiment.law_checks("given", law, tight)]
    assert holds == [True, True, False, True]
