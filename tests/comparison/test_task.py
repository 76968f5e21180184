"""Which task a target asks for, and which targets there is nothing to do with."""

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import DataError, pose, table_from
from kiso.comparison._metrics import choose_metric
from kiso.comparison._task import check_folds

N = 60
rng = np.random.default_rng(0)


def posed(y, task=None, **columns):
    frame = pd.DataFrame({"x": rng.normal(size=len(y)), **columns, "y": y})
    return pose(table_from(frame, "t.csv"), "y", task)


@pytest.mark.parametrize(
    ("y", "task", "reason"),
    [
        (["a", "b", "c"] * 20, "classification", "text with 3"),
        ([True, False] * 30, "classification", "true or false"),
        ([True, None, False] * 20, "classification", "true or false"),
        ([0, 1] * 30, "classification", "2 distinct"),
        ([0.5, 1.5] * 30, "classification", "2 distinct"),
        (list(range(1, 11)) * 6, "classification", "whole numbers with 10"),
        ([1.0, 2.0, np.nan] * 20, "classification", "2 distinct"),
        ([1.0, 2.0, 3.0, np.nan] * 15, "classification", "whole numbers with 3"),
        (list(range(60)), "regression", "whole numbers with 60"),
        (list(range(11)) * 6, "regression", "whole numbers with 11"),
        (np.linspace(0, 1, N), "regression", "numbers with 60"),
        ([0.5, 1.5, 2.5] * 20, "regression", "numbers with 3"),
    ],
)
def test_inferred(y, task, reason):
    problem = posed(y)
    assert problem.task == task
    assert reason in problem.reason


def test_told():
    assert posed([0, 1] * 30, "regression").y.tolist() == [0.0, 1.0] * 30
    problem = posed([1.5, 2.5, 3.5] * 20, "classification")
    assert problem.data.class_names == ["1.5", "2.5", "3.5"]
    assert problem.reason == "given"


def test_classes_and_rows():
    problem = posed(["b", "a", None, "b", "a", "b"] * 5)
    assert problem.data.class_names == ["a", "b"]
    assert problem.data.class_counts == [10, 15]
    assert (problem.data.n_rows, problem.data.n_rows_read) == (25, 30)
    assert problem.rows[:3].tolist() == [0, 1, 3]
    assert problem.y[:3].tolist() == [1, 0, 1]
    assert problem.labels[:3].tolist() == ["b", "a", "b"]
    assert any("5 rows have no 'y'" in note for note in problem.data.notes)
    assert list(problem.X.columns) == ["x"]


def test_whole_numbers_beside_missing_ones_are_whole_classes():
    assert posed([1.0, 2.0, np.nan] * 20).data.class_names == ["1", "2"]


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        ([None] * N, None, "missing in all 60 rows"),
        (["a"] * N, None, "one class only, 'a'"),
        ([1] * N, "regression", "1 in every row"),
        (["a", "b"] * 30, "regression", "regression needs numbers"),
        (pd.date_range("2024-01-01", periods=N), None, "holds dates"),
    ],
)
def test_nothing_to_predict(y, task, words):
    with pytest.raises(DataError, match=words):
        posed(y, task)


def test_classes_beyond_whole_numbers_of_64_bits():
    problem = posed([1e20, 2e20] * 30)
    assert problem.data.class_names == ["1e+20", "2e+20"]
    assert problem.data.class_counts == [30, 30]


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_numbers_that_cannot_be_squared(scale):
    huge = rng.normal(size=N) * scale
    with pytest.raises(DataError, match="squares overflow or underflow"):
        posed(huge)
    problem = posed(rng.normal(size=N), huge=huge, short=[0.0, np.nan, scale] * 20)
    assert list(problem.X.columns) == ["x"]
    assert all("squared" in c.note for c in problem.columns if c.name != "x")


def test_no_column_left():
    frame = pd.DataFrame({"same": ["s"] * N, "id": [f"k{i}" for i in range(N)], "y": range(N)})
    with pytest.raises(DataError, match="no column to predict 'y' from") as caught:
        pose(table_from(frame, "t.csv"), "y")
    assert "'same': always s" in str(caught.value)
    with pytest.raises(DataError, match="no other column"):
        pose(table_from(frame[["y"]], "t.csv"), "y")


def test_dropping():
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N), "y": range(N)})
    problem = pose(table_from(frame), "y", drop=["a"])
    assert list(problem.X.columns) == ["b"]
    with pytest.raises(DataError, match="is the target"):
        pose(table_from(frame), "y", drop=["y"])
    with pytest.raises(DataError, match="no column 'zz'"):
        pose(table_from(frame), "y", drop=["zz"])


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1.0, 2.0, 3.5], "3 rows with a target: fewer than 5 folds"),
        (["a"] * 20 + ["b"] * 3, "Class 'b' of 'y' has 3 rows, .* ask for 3 folds .*--rare merge"),
        (["a"] * 20 + ["b"], "Class 'b' of 'y' has 1 row, .*--rare drop"),
        ([f"c{i % 30}" for i in range(N)], "29 more classes .* is it a target"),
    ],
)
def test_fewer_rows_than_folds(y, words):
    with pytest.raises(DataError, match=words):
        check_folds(posed(y), 5)


@pytest.mark.parametrize(
    ("wanted", "task", "n_classes", "name"),
    [
        (None, "classification", 2, "accuracy"),
        (None, "regression", 0, "r2"),
        ("rmse", "regression", 0, "neg_root_mean_squared_error"),
        ("mean_absolute_error", "regression", 0, "neg_mean_absolute_error"),
        ("neg_mean_absolute_error", "regression", 0, "neg_mean_absolute_error"),
        ("AUC", "classification", 2, "roc_auc"),
        ("auc", "classification", 3, "roc_auc_ovr"),
        ("f1", "classification", 3, "f1_macro"),
        ("logloss", "classification", 3, "neg_log_loss"),
    ],
)
def test_metrics(wanted, task, n_classes, name):
    assert choose_metric(wanted, task, [20] * n_classes).name == name


@pytest.mark.parametrize(
    ("wanted", "task", "n_classes", "words"),
    [
        ("r2", "classification", 2, "no metric 'r2' for classification of 2 classes"),
        ("accurcy", "classification", 2, "there is accuracy"),
        ("average_precision", "classification", 3, "of 3 classes"),
        ("accuracy", "regression", 0, "for regression; there is"),
    ],
)
def test_wrong_metrics(wanted, task, n_classes, words):
    with pytest.raises(DataError, match=words):
        choose_metric(wanted, task, [20] * n_classes)
