import numpy as np
import pytest

from kiso.comparison import candidates_for, compare
from kiso.comparison._candidates import find_candidate


@pytest.mark.parametrize("name", ["svm", "linear-svm"])
def test_the_scale_of_the_target_does_not_matter(name):
    """C and epsilon count in its standard deviations: the same fit, in other units."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=80)
    candidate = find_candidate(name, "regression")
    fitted = []
    for unit in (1.0, 2.0**20):
        params = candidate.scaled({"C": 1.0}, unit * y)
        fitted.append(candidate.make(params).fit(X, unit * y).predict(X) / unit)
    np.testing.assert_allclose(fitted[0], fitted[1], atol=0.05 * y.std())
    assert np.corrcoef(fitted[1], y)[0, 1] > 0.95


def test_a_constant_target_leaves_parameters_as_they_are():
    candidate = find_candidate("svm", "regression")
    assert candidate.scaled({"C": 3.0}, np.ones(5)) == {"C": 3.0, "epsilon": 0.1}


def test_others_are_not_scaled():
    for candidate in candidates_for("classification"):
        assert candidate.scaled({"C": 3.0}, np.array(["a", "b"])) == {"C": 3.0}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_forest_wins_where_lines_cannot(task):
    """The target is a chessboard: only steps along both features follow it."""
    import pandas as pd

    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (240, 2))
    board = (X[:, 0] > 0) ^ (X[:, 1] > 0)
    y = board + 0.1 * rng.normal(size=240)
    if task == "classification":
        y = np.where(board, "dark", "light")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y})
    line = "logistic" if task == "classification" else "linear"
    result = compare(frame, target="y", models=["forest", line])
    assert result.best.name == "forest"


def test_a_forest_says_when_there_is_too_much():
    forest = find_candidate("forest", "regression")
    assert forest.unsuitable(50_000, 60) == ""
    assert "100 trees" in forest.unsuitable(50_001, 60)
