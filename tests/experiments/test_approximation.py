"""Runge, tanh lemmas, any labels: verdicts, and that they can fail."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.approximation import relu_interpolant, tanh_powers
from kiso.experiments import relu_any_labels, runge, tanh_lemmas


def failed(checks):
    return {check.what for check in checks if not check.holds}


@pytest.mark.parametrize("seed", [0, 1])
def test_any_labels(seed):
    outcome = relu_any_labels.run(seed)
    assert not failed(outcome.checks)
    assert isinstance(relu_any_labels.draw(outcome), Figure)


@pytest.mark.parametrize("seed", [0, 1])
def test_runge(seed, monkeypatch):
    if seed:  # the second in a shorter form
        monkeypatch.setattr(runge, "WIDTHS", (4, 16))
        monkeypatch.setattr(runge, "N_STARTS", 1)
    outcome = runge.run(seed)
    assert not failed(outcome.checks)
    if not seed:
        assert isinstance(runge.draw(outcome), Figure)
    worse = {key: tuple(1e3 * e for e in value) for key, value in outcome.data["errors"].items()}
    assert "1-16-1: max error" in failed(runge.network_checks(worse))


@pytest.mark.parametrize("weight", [0.0, runge.LAMBDA])
def test_runge_jacobian(weight):
    network = runge.start(5, np.random.default_rng(0))
    residuals, jacobian = runge.problem(network, weight)
    vector, step = network.vector, 1e-6
    columns = [
        (residuals(vector + step * e) - residuals(vector - step * e)) / (2 * step)
        for e in np.eye(len(vector))
    ]
    np.testing.assert_allclose(jacobian(vector), np.stack(columns, axis=1), atol=1e-6)


def test_tanh_lemmas():
    outcome = tanh_lemmas.run(0)
    assert not failed(outcome.checks)
    assert isinstance(tanh_lemmas.draw(outcome), Figure)
    h, errors, chosen = outcome.data["curves"][3]
    wrong = {**outcome.data["curves"], 3: (h, 10 * errors, chosen)}
    assert "x^3, float64: best error" in failed(tanh_lemmas.u_curve_checks(wrong))


def test_tanh_lemmas_see_a_wrong_count(monkeypatch):
    monkeypatch.setattr(tanh_lemmas, "tanh_powers", lambda p, **k: tanh_powers(p, order=4, **k))
    assert len(failed(tanh_lemmas.count_checks())) == 3


def test_any_labels_sees_a_wrong_weight():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    network = relu_interpolant(X, y, random_state=0)
    network.layers[2].W[3] *= 1 + 1e-3
    assert relu_any_labels.fit_error(network, X, y) > 1e-8
    network.layers[0].W[0, 0] += 1
    assert relu_any_labels.free_numbers(network) == 2 * 30 + 2 * 30
