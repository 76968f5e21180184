import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import perceptron_mistakes as experiment
from kiso.linear_model import Perceptron


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("perceptron-mistakes")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (9, 77)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def failed(outcome):
    return [check.what for check in outcome.checks if not check.holds]


def test_a_start_far_from_zero_breaks_the_bound(monkeypatch):
    class Misled(Perceptron):
        def fit(self, X, y):
            return super().fit(X, y, coef_init=-50 * np.sign(y @ X))

    monkeypatch.setattr(experiment, "Perceptron", Misled)
    assert "mistakes / (R/γ)², largest of 120 sets" in failed(experiment.run(0))


def test_one_order_gives_one_plane(monkeypatch):
    class Fixed(Perceptron):
        def fit(self, X, y):
            return self.set_params(shuffle=False)._fit(X, y)

    monkeypatch.setattr(experiment, "Perceptron", Fixed)
    bad = failed(experiment.run(0))
    assert "different planes from 40 orders" in bad
    assert "largest angle between two of them, degrees" in bad
