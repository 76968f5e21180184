import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import recipe_parts as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("recipe-parts")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (31,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_an_optimiser_that_stops_early_is_seen(monkeypatch):
    minimize = experiment.minimize
    monkeypatch.setattr(
        experiment,
        "minimize",
        lambda *args, **options: minimize(*args, **options | {"max_iter": 1}),
    )
    checks = experiment.run(0).checks
    assert not checks[0].holds
