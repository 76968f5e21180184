import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.special import expit

from kiso.experiments import gan_optimum, gan_rotation, load


@pytest.mark.parametrize("name", ["gan-optimum", "gan-rotation"])
@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(name, seed):
    loaded = load(name)
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (91,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_value_is_the_sum_it_is_written_as():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), 2)
    logits = rng.normal(size=5)
    d = expit(logits)
    expected = p @ np.log(d) + q @ np.log(1 - d)
    assert gan_optimum.game_value(logits, p, q) == pytest.approx(expected, rel=1e-12)


def test_a_discriminator_that_is_not_the_best_is_seen():
    p, q = np.random.default_rng(0).dirichlet(np.ones(5), 2)
    best = gan_optimum.best_discriminator(p, q)
    assert gan_optimum.game_value(best, p, q) > gan_optimum.game_value(best + 0.1, p, q)


def test_a_game_without_rotation_would_not_grow(monkeypatch):
    monkeypatch.setattr(gan_rotation, "slopes", lambda z, penalty=0.0: z)  # both fall to 0
    failed = {check.what for check in gan_rotation.run(0).checks if not check.holds}
    assert "same time: |z|² a step, ×" in failed
    assert "in turn: least |z| of 500 steps" in failed
