"""The experiments on support vector machines: verdicts, pictures, and that they can be false."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.experiments import kernel_trick, lift, load, max_margin, scale_ambiguity
from kiso.experiments import separating_planes as planes
from kiso.svm import SVC, LinearSVC

ROWS = {
    "separating-planes": (9,),
    "max-margin": (10,),
    "scale-ambiguity": (11,),
    "lift": (12,),
    "kernel-trick": (14,),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("seed", [0, 1])
def test_verdict_and_picture(name, seed):
    loaded = load(name)
    outcome = loaded.run(seed)
    assert outcome.verdict, [check for check in outcome.checks if not check.holds]
    assert loaded.rows == ROWS[name]
    if seed == 0:
        figure = loaded.draw(outcome)
        assert isinstance(figure, Figure)
        figure.canvas.draw()


def failed(outcome):
    return [check.what for check in outcome.checks if not check.holds]


def test_perceptrons_in_place_of_the_machine_are_found_out(monkeypatch):
    def other(X, y, order):
        return planes.perceptron(X[order], y[order], 0)

    monkeypatch.setattr(planes, "machine", other)
    bad = failed(planes.run(0))
    assert "that of 5 machines, degrees" in bad
    assert "widest margin of a perceptron / the machine's" in bad


def test_one_seed_gives_one_plane(monkeypatch):
    real = planes.perceptron
    monkeypatch.setattr(planes, "perceptron", lambda X, y, seed: real(X, y, 0))
    assert "different planes from 60 perceptrons" in failed(planes.run(0))


def test_a_soft_machine_fails_the_conditions(monkeypatch):
    monkeypatch.setattr(max_margin, "fit", lambda X, y: SVC(C=0.02, kernel="linear").fit(X, y))
    bad = failed(max_margin.run(0))
    assert "largest violation of y f(x) ≥ 1" in bad
    assert "width 2/‖w‖ / distance of the convex hulls" in bad


def test_a_moved_plane_is_another(monkeypatch):
    real = scale_ambiguity.rescaled

    def moved(model, c):
        other = real(model, c)
        other.intercept_ = other.intercept_ + 1.0
        return other

    monkeypatch.setattr(scale_ambiguity, "rescaled", moved)
    assert len(failed(scale_ambiguity.run(0))) >= 3


def test_a_lift_of_no_use_separates_nothing(monkeypatch):
    monkeypatch.setitem(lift.LIFTS, "XOR", lambda X: np.column_stack([X, X[:, 0] ** 2]))
    monkeypatch.setattr(lift, "machine", lambda: LinearSVC())
    monkeypatch.setattr(lift, "Perceptron", lambda **kw: planes.Perceptron())
    monkeypatch.setattr(lift, "SVC", lambda **kw: SVC(C=1.0, kernel="linear"))
    bad = failed(lift.run(0))
    assert "XOR: accuracy of a plane after the lift" in bad
    assert "XOR: least y f(x) of the hard margin there" in bad


def test_wrong_features_are_not_the_kernel(monkeypatch):
    real = kernel_trick.monomials
    monkeypatch.setattr(kernel_trick, "monomials", lambda X, p: real(X, p).round(3))
    assert any("features, relative" in what for what in failed(kernel_trick.run(0)))
    monkeypatch.setattr(kernel_trick, "LARGEST", 20)
    counts = np.array([[25]])
    assert kernel_trick.unary(counts).sum() == 20  # a code that is too short loses counts
