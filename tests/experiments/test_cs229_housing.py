import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import cs229_housing as experiment
from kiso.experiments import load


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("cs229-housing")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (75,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_other_coefficients_are_refused():
    found = list(experiment.PRINTED["area only"])
    assert all(check.holds for check in experiment.coefficient_checks("area only", found))
    found[1] += 1e-6
    holds = [check.holds for check in experiment.coefficient_checks("area only", found)]
    assert holds == [True, False]


def test_prices_in_dollars_would_not_do(monkeypatch):
    X, y = experiment.load_portland_housing()
    monkeypatch.setattr(experiment, "load_portland_housing", lambda: (X, 1000 * y))
    assert not experiment.run(0).verdict
    assert np.isfinite(y).all()
