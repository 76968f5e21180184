import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import bayesian_regression as experiment
from kiso.experiments import load


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("bayesian-regression")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (4, 5)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_another_prior_is_not_the_grids(monkeypatch):
    grid = experiment.grid_posterior

    def shifted(x, y):
        found = grid(x, y)
        return {**found, "w": found["w"] + 1e-6}

    monkeypatch.setattr(experiment, "grid_posterior", shifted)
    assert not experiment.run(0).verdict


def test_another_decay_is_not_the_formula(monkeypatch):
    rng = np.random.default_rng(0)
    assert all(check.holds for check in experiment.decay_checks(rng))
    ridge = experiment.Ridge
    monkeypatch.setattr(experiment, "Ridge", lambda a, **o: ridge(2 * a, **o))
    holds = [check.holds for check in experiment.decay_checks(rng)]
    assert holds == [True, False] * 3 + [True]
