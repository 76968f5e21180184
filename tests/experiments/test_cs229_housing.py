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


def test_descent_with_the_wrong_sign_is_found(monkeypatch):
    class Ascent(experiment.GradientDescent):
        def update(self, grads, state, params, **options):
            turned = {name: -g for name, g in grads.items()}
            return super().update(turned, state, params, **options)

    monkeypatch.setattr(experiment, "GradientDescent", Ascent)
    monkeypatch.setattr(experiment, "N_STEPS", 200)
    failed = [check.what for check in experiment.run(0).checks if not check.holds]
    assert any("from (48, 30)" in what for what in failed)


def test_another_rate_is_found(monkeypatch):
    right = experiment.curvatures
    monkeypatch.setattr(experiment, "curvatures", lambda x: right(x) * [1.0, 1.1])
    assert not experiment.run(0).verdict
