import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import steepest_descent as experiment
from kiso.optim import Rosenbrock


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("steepest-descent")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (50,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_a_wrong_gradient_would_be_beaten():
    class Skewed(Rosenbrock):
        def gradient(self, x):
            return super().gradient(x) * [1.0, -3.0]

    f = Skewed(2)
    assert not experiment.decrease_check(2, f, f.start, np.random.default_rng(0)).holds


def test_unit_vectors_are():
    u = experiment.unit_vectors(np.random.default_rng(0), 1000, 3)
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), 1.0)
    assert np.abs(u.mean(axis=0)).max() < 0.1
