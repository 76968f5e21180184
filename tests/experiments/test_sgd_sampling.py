import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import sgd_sampling as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("sgd-sampling")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (51, 52)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_other_balls_are_told():
    eta = experiment.RATES
    good = {"with replacement": eta, "without replacement": 5 * eta**2}
    assert all(check.holds for check in experiment.ball_checks(good))
    swapped = {"with replacement": 5 * eta**2, "without replacement": eta}
    assert not any(check.holds for check in experiment.ball_checks(swapped))


@pytest.mark.parametrize("way", experiment.WAYS)
def test_runs_are_independent(way):
    steps = list(experiment.rows_of(way, 1, np.random.default_rng(0)))
    rows = np.array([step.rows for step in steps])
    assert rows.shape == (experiment.M, experiment.N_RUNS)
    assert len({tuple(run) for run in rows.T}) == experiment.N_RUNS
    once = all(sorted(run) == list(range(experiment.M)) for run in rows.T)
    assert once is (way == "without replacement")
