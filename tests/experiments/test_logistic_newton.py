import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.datasets import available
from kiso.experiments import load
from kiso.experiments import logistic_newton as experiment
from kiso.experiments import mnist_three_or_seven as digits
from kiso.nn import Sigmoid


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_verdict_and_picture(seed):
    loaded = load("logistic-newton")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    if seed == 0:
        assert isinstance(loaded.draw(outcome), Figure)


def test_wrong_measurements_are_told():
    assert not experiment.steps_check(10, 99).holds
    assert experiment.steps_check(10, 100).holds
    linear = 0.5 ** np.arange(1, 20)
    assert experiment.order(linear) == pytest.approx(1.0)
    assert not experiment.order_check(experiment.order(linear)).holds
    assert experiment.order(np.array([1e-1, 1e-2, 1e-4, 1e-8])) == pytest.approx(2.0)
    assert not digits.error_check(2.0).holds
    assert not digits.error_check(1.2).holds
    assert digits.error_check(1.5).holds


@pytest.mark.skipif(not available("mnist"), reason="the MNIST files are not in the data folder")
def test_three_or_seven():
    loaded = load("mnist-three-or-seven")
    outcome = loaded.run(0)
    assert outcome.verdict, outcome.checks
    assert isinstance(loaded.draw(outcome), Figure)


def test_three_or_seven_draws_without_the_data():
    from kiso.experiments import Outcome

    data = {"weights": np.ones((28, 28)), "wrong": np.zeros((3, 28, 28)), "labels": [3, 7, 3]}
    figure = digits.draw(Outcome((digits.error_check(1.6),), data))
    assert isinstance(figure, Figure)


def test_a_wrong_sigmoid_is_seen():
    class Steep(Sigmoid):
        def forward(self, x, *, train=None):
            y, _ = super().forward(1.1 * x)
            return y, lambda dy: (y * (1 - y) * dy, {})

        def __call__(self, x):
            return self.forward(x)[0]

    held = [check.holds for check in experiment.sigmoid_checks(Steep())]
    assert held == [False, False, False, True]
