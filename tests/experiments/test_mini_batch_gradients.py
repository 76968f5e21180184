import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import mini_batch_gradients as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("mini-batch-gradients")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (20, 21, 22, 80)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_other_laws_are_told():
    m = experiment.SIZES.astype(float)
    full, flat = experiment.time_checks(m**2, m)
    assert not full.holds
    assert not flat.holds
    assert all(check.holds for check in experiment.time_checks(3 * m, np.ones_like(m)))
    batches = experiment.BATCHES.astype(float)
    biased, slope = experiment.spread_checks(7.0, batches**-0.5)
    assert not biased.holds
    assert not slope.holds


def test_batches_that_are_not_drawn_at_random_are_biased(monkeypatch):
    def first_rows(n_samples, batch_size, **_):
        return [type("Batch", (), {"rows": np.arange(batch_size)})] * 50

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((500, 4)), rng.integers(0, 2, 500).astype(float)
    w = np.ones(4)
    assert experiment.spread(X, y, w, rng)[0] < 5
    monkeypatch.setattr(experiment, "with_replacement", first_rows)
    assert experiment.spread(X, y, w, rng)[0] > 5


def test_a_sum_is_not_a_mean(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 4)), rng.integers(0, 2, 50).astype(float)
    monkeypatch.setattr(experiment, "MEAN", experiment.SUM)
    checks = experiment.additive_checks(X, y, np.ones(4), rng)
    assert [check.holds for check in checks] == [False, False, False]
