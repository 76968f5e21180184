"""Sentences in the singular and the plural."""

import re

import numpy as np
import pandas as pd
import pytest

from kiso.cli._compare import _unfinished
from kiso.comparison import Comparison, Data, Difference, Model, Protocol, load, pose, read_table
from kiso.comparison._candidates import _too_crowded, _too_local
from kiso.comparison._words import conclusion

WRONG = re.compile(
    r"\b1 (rows|folds|cells|models|classes|columns|values|times|groups|lines)\b"
    r"|\b([2-9]|\d{2,}) (row|fold|cell|model|class|column|value|group|line)\b"
    r"|\b1 \w+ (have|are|count|were)\b|e[+-]\d\d\b|\bp = [01]\b(?!\.)"
)


def comparison(*models, n_folds=5, metric="r2"):
    data = Data("t.csv", 100, 100, "y", [], [], [])
    sizes = [(80, 20)] * n_folds
    protocol = Protocol("regression", "given", metric, "R²", n_folds, 1, 3, sizes, False, 0, 60.0)
    done = all(m.status == "done" for m in models)
    return Comparison(data, protocol, list(models), 1.0, done, {})


def model(name, scores, status="done", p=0.5, seconds=1.0, **more):
    found = Model(name, name.title(), "", name == "baseline", status, **more)
    found.scores = list(scores)
    found.fit_seconds = [seconds] * len(found.scores)
    if found.scores:
        found.difference = Difference(0.01, -0.1, 0.12, p)
    return found


FULL = [0.8, 0.82, 0.79, 0.81, 0.8]
BASE = model("baseline", [0.0] * 5, p=0.0)


@pytest.mark.parametrize("n_left", [1, 2, 3])
@pytest.mark.parametrize("n_scores", [0, 1, 2, 4])
def test_unfinished_models(n_left, n_scores):
    left = [model(f"m{i}", [0.9] * n_scores, "out of budget") for i in range(n_left)]
    found = comparison(model("ridge", FULL), BASE, *left)
    text = conclusion(found)
    assert not WRONG.search(text), text
    if n_scores < 5 and n_scores:
        verb = "leads" if n_left == 1 else "lead"
        assert f" {verb}: too few to tell" in text
        assert ("that it finished" if n_left == 1 else "that they finished") in text
    lines = _unfinished(found)
    assert len(lines) == 1
    assert lines[0].startswith("not finished within the budget, of 5 folds: m0 ")
    assert not _unfinished(comparison(model("ridge", FULL), BASE))


@pytest.mark.parametrize("n_ties", [0, 1, 2])
@pytest.mark.parametrize("seconds", [1.0, 2.1, 7.0])
def test_ties(n_ties, seconds):
    ties = [model(f"m{i}", FULL, p=0.999) for i in range(n_ties)]
    text = conclusion(comparison(model("ridge", FULL, seconds=seconds), *ties, BASE))
    assert not WRONG.search(text), text
    if n_ties and seconds > 2:
        assert ("twice as fast" if seconds < 3 else "7 times as fast") in text
        assert ("Of these" in text) == (n_ties > 1)


@pytest.mark.parametrize("n_folds", [1, 2, 5])
@pytest.mark.parametrize("value", [1.0, 0.0, -0.0, 1e-17, 31470.2, -0.11, 2.5e-5, 3e12])
def test_scores(n_folds, value):
    found = comparison(model("ridge", [value] * n_folds), n_folds=n_folds)
    text = conclusion(found)
    assert not re.search(r"e-\d\d|-\d", text), text
    assert not WRONG.search(text), text


@pytest.mark.parametrize("members", [["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("gap", [-0.01, 0.0, 0.01])
@pytest.mark.parametrize("leads", [False, True])
def test_the_ensemble(members, gap, leads):
    ensemble = model("ensemble", FULL, p=0.01 if leads else 0.4, members=members)
    ensemble.difference.mean = gap
    ensemble.leads = leads
    text = conclusion(comparison(model("a", FULL), BASE, ensemble))
    assert " and ".join(members[-2:]) in text
    assert not WRONG.search(text), text
    assert text.startswith("ensemble is best" if leads else "a is best")


@pytest.mark.parametrize("n_rows", [int(n) for n in np.geomspace(1e3, 1e6, 25)])
def test_how_many_times_the_work(n_rows):
    for reason in (_too_local(n_rows, 9), _too_crowded(n_rows, 9)):
        assert not WRONG.search(reason), reason
        assert "about 1 times" not in reason
        assert "about 0 times" not in reason


@pytest.mark.parametrize("n", [1, 2])
def test_notes_of_reading(tmp_path, n):
    numbers = [f"{v:.1f}" for v in np.random.default_rng(0).normal(size=80)]
    numbers[:n] = ["n. v."] * n
    days = [str(d.date()) for d in pd.date_range("2020-01-01", periods=80)]
    days[:n] = ["some day"] * n
    frame = pd.DataFrame({"a": numbers, "d": days, "y": range(80)})
    frame["y"] = frame["y"].astype(object).where(np.arange(80) >= n, "")
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv")
    problem = pose(table, "y", "regression")
    notes = " ".join([*problem.data.notes, *(c.note for c in problem.columns)])
    assert notes
    assert not WRONG.search(notes), notes
    counts = "1 cell that is no number counts" if n == 1 else "2 cells that are no numbers count"
    assert counts in notes


@pytest.mark.parametrize("n", [1, 2, 3])
def test_small_classes(n):
    from kiso.comparison import DataError, compare

    kinds = ["often"] * 40 + [f"rare {i}" for i in range(n)]
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=40 + n), "kind": kinds})
    with pytest.raises(DataError) as caught:
        compare(frame, "kind")
    text = str(caught.value)
    assert not WRONG.search(text), text
    assert "--rare drop" in text
    note = " ".join(pose(load(frame), "kind", rare="merge").data.notes)
    assert not WRONG.search(note), note
