import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import learning_rate_edge as experiment
from kiso.experiments import load
from kiso.optim import GradientDescent, Quadratic


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("learning-rate-edge")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (78,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


@pytest.mark.parametrize(("edge", "holds"), [(1.99, True), (1.97, False), (2.03, False)])
def test_an_edge_elsewhere_is_told(edge, holds):
    assert experiment.edge_check("", 2.0, edge).holds is holds


def test_growth_is_the_largest_factor():
    """|1 − ηλ| of the slowest or most unstable direction."""
    f = Quadratic([1.0, 10.0])
    start = np.array([1.0, 1.0])
    for eta, factor in [(0.05, 0.95), (0.19, 0.9), (0.21, 1.1), (0.5, 4.0)]:
        assert experiment.growth_factor(GradientDescent(eta), f, start) == pytest.approx(
            factor, rel=0.01
        )
