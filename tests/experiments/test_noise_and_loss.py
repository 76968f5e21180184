import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import noise_and_loss as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("noise-and-loss")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (39, 75)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_a_wrong_sigma_is_seen(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    assert all(check.holds for check in experiment.sigma_checks(X, y))

    class Unbiased(experiment.LinearRegression):
        def fit(self, X, y):
            super().fit(X, y)
            self.sigma_ *= np.sqrt(50 / 47)
            return self

    monkeypatch.setattr(experiment, "LinearRegression", Unbiased)
    holds = [check.holds for check in experiment.sigma_checks(X, y)]
    assert holds == [False, True, False]


def test_least_absolute_of_a_constant_is_the_median():
    y = np.array([0.0, 1.0, 2.0, 50.0, 60.0])
    model = experiment.least_absolute(np.zeros((5, 1)), y)
    np.testing.assert_allclose(model.intercept_, 2.0, atol=1e-5)
