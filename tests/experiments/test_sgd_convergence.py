import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import load
from kiso.experiments import sgd_convergence as experiment


@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(seed):
    loaded = load("sgd-convergence")
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == (67,)
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def test_other_exponents_are_told():
    k = np.arange(1.0, 5000.0)
    assert experiment.falling_check(k, 1 / k).holds
    assert not experiment.falling_check(k, 1 / np.sqrt(k)).holds
    assert not experiment.falling_check(k, np.full_like(k, 0.1)).holds
    c, steps = 0.5, np.arange(2000.0)

    def verdicts(power, speed):
        balls = {rate: rate**power for rate in experiment.RATES}
        fixed = {
            rate: (steps, 1e3 * np.exp(-speed * rate * c * steps) + ball)
            for rate, ball in balls.items()
        }
        return [check.holds for check in experiment.fixed_checks(c, fixed, balls)]

    assert all(verdicts(1.0, 2.0))
    assert verdicts(2.0, 2.0)[-1] is False
    assert not any(verdicts(1.0, 0.5)[:-1])


def test_gradient_of_each_run_is_that_of_its_row():
    rng = np.random.default_rng(0)
    problem = experiment.Squares(rng.standard_normal((6, 2)), rng.standard_normal(6))
    w, rows, h = rng.standard_normal((6, 2)), np.arange(6), 1e-6
    _, grads = problem.one_row_each(w, rows)
    for i in range(6):
        for j in range(2):
            moved = w[i].copy()
            moved[j] += h

            def loss(v, i=i):
                error = problem.X[i] @ v - problem.y[i]
                return error**2 / 2 + experiment.L2 / 2 * v @ v

            assert (loss(moved) - loss(w[i])) / h == pytest.approx(grads[i, j], abs=1e-4)
    everywhere = np.tile(problem.minimizer, (6, 1))
    _, at_best = problem.one_row_each(everywhere, rows)
    np.testing.assert_allclose(at_best.mean(axis=0), 0, atol=1e-12)
