"""Pictures and words: held-out answers, weights, learning curves, the conclusion."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import (
    Comparison,
    Curve,
    Data,
    Diagnostics,
    Difference,
    Finding,
    Importance,
    Model,
    Protocol,
    compare,
)
from kiso.comparison._words import conclusion, curve_verdict

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def regression():
    n = 150
    frame = pd.DataFrame({"x": rng.normal(3, 5, n), "z": rng.normal(size=n)})
    frame["k"] = rng.choice(["a", "b"], n)
    frame["y"] = 2.0 * frame["x"] + 3.0 * (frame["k"] == "b") + 0.1 * rng.normal(size=n)
    frame.loc[5, "y"] = np.nan
    result = compare(frame, "y", models=["linear", "sgd"], n_folds=3, n_repeats=2)
    return frame, result, {model.name: model for model in result.models}


@pytest.fixture(scope="module")
def classification():
    result = compare("iris", models=["logistic"], n_folds=3, n_repeats=1)
    return result, result.best


def test_each_row_is_held_out_once(regression):
    frame, _, models = regression
    kept = models["linear"].diagnostics
    assert kept.rows == [i for i in range(150) if i != 5]
    np.testing.assert_array_equal(kept.truth, frame["y"].drop(5))
    assert np.abs(np.subtract(kept.truth, kept.predicted)).max() < 1.0
    assert kept.probability == []


def test_scores_follow_from_the_held_out_answers(classification):
    result, best = classification
    kept = best.diagnostics
    right = np.mean([a == b for a, b in zip(kept.truth, kept.predicted, strict=True)])
    sizes = [n for _, n in result.protocol.fold_sizes]
    assert right == pytest.approx(np.average(best.scores, weights=sizes))
    assert set(kept.truth) == set(result.data.class_names)
    probability = np.array(kept.probability)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    chosen = [result.data.class_names[i] for i in probability.argmax(axis=1)]
    assert chosen == kept.predicted


def test_weights_are_per_standard_deviation(regression):
    frame, _, models = regression
    kept = models["linear"].diagnostics.weights
    rows = frame.drop(5)
    found = {weight.feature: weight.value for weight in kept}
    assert found["x"] == pytest.approx(2.0 * rows["x"].std(ddof=0), rel=1e-2)
    # the two indicators share the effect: their difference is it, each times its spread
    spread = (rows["k"] == "b").std(ddof=0)
    assert found["k = b"] - found["k = a"] == pytest.approx(3.0 * spread, rel=2e-2)
    assert abs(found["z"]) < 0.05
    assert kept[0].feature == "x"
    assert all(weight.of == "" for weight in kept)


def test_weights_say_of_which_class(classification):
    _, best = classification
    assert {weight.of for weight in best.diagnostics.weights} == {
        "setosa", "versicolor", "virginica",
    }  # fmt: skip
    assert len(best.diagnostics.weights) == 12


def test_weights_of_two_classes_point_to_the_second():
    best = compare("breast_cancer", models=["logistic"], n_folds=2, n_repeats=1).best
    assert {weight.of for weight in best.diagnostics.weights} == {"malignant"} or {
        weight.of for weight in best.diagnostics.weights
    } == {"benign"}
    # a large tumour is no benign one
    radius = next(w for w in best.diagnostics.weights if w.feature == "worst radius")
    assert (radius.value < 0) == (radius.of == "benign")


def test_the_path_of_the_objective(regression, classification):
    _, _, models = regression
    assert models["linear"].diagnostics.objective == []
    path = classification[1].diagnostics.objective
    assert len(path) >= 2
    assert path[-1] < path[0]
    assert classification[1].diagnostics.objective_label


def test_memory_and_parameters(regression, classification):
    _, _, models = regression
    assert models["linear"].n_parameters == 5  # x, z, k = a, k = b and the constant
    assert models["baseline"].n_parameters == 1
    assert classification[1].n_parameters == 3 * 5
    for model in (*models.values(), classification[1]):
        assert 0 < model.memory_bytes < 5e7


def test_learning_curves(regression, classification):
    _, result, models = regression
    for model, n_train in ((models["linear"], 99), (classification[1], 100)):
        curve = model.diagnostics.curve
        assert curve.train_rows == sorted(curve.train_rows)
        assert curve.train_rows[-1] in (n_train, n_train - 1)
        assert len(curve.train_rows) == len(curve.train_scores) == len(curve.test_scores) >= 3
        assert curve.test_rows in (49, 50)
        assert curve.verdict.endswith(".")
    assert models["baseline"].diagnostics.curve is None
    # the last point is fitted on whole folds: its score is near the folds' own
    assert models["linear"].diagnostics.curve.test_scores[-1] == pytest.approx(
        np.mean(models["linear"].scores[:3]), abs=1e-5
    )
    assert result.complete


def test_no_curves_where_not_asked():
    best = compare("iris", models=["logistic"], n_folds=2, n_repeats=1, explain=False).best
    assert best.diagnostics.curve is None
    assert best.diagnostics.weights


def test_sparse_features_give_the_same(monkeypatch):
    import kiso.comparison._candidates as features
    import kiso.comparison._compare as module

    frame = pd.DataFrame({"k": rng.choice(list("abcdefgh"), 200), "x": rng.normal(size=200)})
    frame["y"] = np.where(frame["k"].isin(list("abc")) ^ (rng.random(200) < 0.1), "u", "v")
    options = {"models": ["logistic"], "n_folds": 3, "n_repeats": 1, "metric": "log_loss"}
    dense = compare(frame, "y", **options)
    monkeypatch.setattr(features, "DENSE_BYTES", 100)
    sparse = compare(frame, "y", **options)
    np.testing.assert_allclose(sparse.best.scores, dense.best.scores, rtol=1e-3)
    a, b = sparse.best.diagnostics.weights[0], dense.best.diagnostics.weights[0]
    assert a.feature == b.feature
    assert a.value == pytest.approx(b.value, rel=1e-2)
    monkeypatch.setattr(module, "LARGEST_DENSE", 1000)
    frame["y"] = rng.normal(size=200)
    models = {m.name: m for m in compare(frame, "y", n_folds=2, n_repeats=1).models}
    assert models["linear"].status == "skipped"
    assert "GB" in models["linear"].message
    assert models["ridge"].status == "done"


PROTOCOL = Protocol("regression", "given", "r2", "R²", 5, 1, 3, [(80, 20)] * 5, False, 0, None)


def model(name, mean, p=None, *, seconds=1.0, status="done", baseline=False, n=5, weights=()):
    scores = [mean + d for d in (-0.02, -0.01, 0.0, 0.01, 0.02)][:n] if n else []
    return Model(
        name, name.title(), "A model.", baseline, status, scores=scores,
        fit_seconds=[seconds] * n, difference=None if p is None else Difference(0, 0, 0, p),
        diagnostics=Diagnostics(weights=list(weights)),
    )  # fmt: skip


def said(*models, protocol=PROTOCOL, findings=()):
    data = Data("t.csv", 100, 100, "y", [], [], [], findings=list(findings))
    return conclusion(Comparison(data, protocol, list(models), 1.0, True, {}))


class TestConclusion:
    def test_a_sure_lead(self):
        text = said(
            model("a", 0.8, 1.0), model("b", 0.5, 0.01), model("base", 0.0, 0.0, baseline=True)
        )
        assert text.startswith("a is best on t.csv: R² 0.800 ± 0.016 on held-out rows")
        assert "lead over the other model is sure (p ≤ 0.01)" in text

    def test_ties_and_cost(self):
        text = said(model("a", 0.8, 1.0, seconds=9), model("b", 0.79, 0.4), model("c", 0.7, 0.001))
        assert "cannot be told apart from b (p = 0.4)" in text
        assert "b fits 9 times as fast as a" in text

    def test_no_better_than_the_baseline(self):
        base = model("base", 0.0, 0.3, baseline=True)
        assert "Nor is it surely better than the baseline" in said(model("a", 0.1, 1.0), base)
        assert "No model is better than the baseline" in said(base, model("a", -0.1, 0.3))

    def test_too_good(self):
        perfect = model("a", 1.0, 1.0)
        perfect.importances = [Importance("age", 0.5, 0.1), Importance("none", 0.0, 0.0)]
        text = said(perfect)
        assert "hold what is known only after the target: look through them (age first)" in text
        found = [Finding("leak", "column 'age' gives it away.", "--drop age")]
        assert "So high a score" not in said(perfect, findings=found)

    def test_unfinished(self):
        part = model("b", 0.9, status="out of budget", n=2)
        assert "b did not finish" in said(model("a", 0.8, 1.0), part)
        base = model("base", 0.0, 1.0, baseline=True)
        text = said(part, base)
        assert text.startswith("b is best on t.csv")
        assert "the 2 of 5 folds that it finished" in text
        text = said(base, model("c", 0, status="out of budget", n=0))
        assert text.startswith("No model but the baseline finished a fold")
        assert "nothing to compare" in said(model("c", 0, status="interrupted", n=0))

    def test_a_lead_after_few_folds_is_no_headline(self):
        early = [model(n, 0.9, status="out of budget", n=2) for n in ("b", "c")]
        text = said(model("a", 0.8, 1.0), early[0])
        assert text.startswith("a is best")
        assert "b did not finish and may be better or worse." in text
        assert "On the up to 2 folds that it finished, b leads: too few to tell." in text
        text = said(model("a", 0.8, 1.0), *early)
        assert "b and c did not finish" in text
        assert "that they finished, b and c lead: too few to tell." in text
        one = model("b", 0.95, status="out of budget", n=1)
        assert "On the 1 fold that it finished, b leads" in said(model("a", 0.8, 1.0), one)

    def test_grammar_of_who_has_fewer_folds(self):
        protocol = dataclasses.replace(PROTOCOL, n_repeats=3, fold_sizes=[(80, 20)] * 15)
        full = model("a", 0.8, 1.0)
        full.scores = full.scores * 3
        part = [model(n, 0.7, 0.01, status="out of budget") for n in ("b", "c")]
        text = said(full, part[0], protocol=protocol)
        assert "b has fewer folds than a and is compared on those it has." in text
        text = said(full, *part, protocol=protocol)
        assert "b and c have fewer folds than a and are compared on those they have." in text
        assert "No model could be fitted" in said(model("c", 0, status="failed", n=0))

    def test_errors_are_shown_as_errors(self):
        protocol = Protocol(
            "regression", "given", "neg_root_mean_squared_error", "RMSE", 5, 1, 3,
            [(80, 20)] * 5, False, 0, None,
        )  # fmt: skip
        assert "RMSE 31,472 ±" in said(model("a", -31472.0, 1.0), protocol=protocol)


class TestVerdict:
    def curve(self, train, test):
        return Curve([10, 20, 40], list(train), list(test), 20, "")

    def test_over_fitting(self):
        text = curve_verdict(
            model("a", 0.6), self.curve([1, 1, 1], [0.3, 0.5, 0.6]), PROTOCOL, None
        )
        assert text.startswith("Over-fits: 1.000 on its own training rows, 0.600 on held-out rows")
        assert "more data would help" in text
        text = curve_verdict(
            model("a", 0.6), self.curve([1, 1, 1], [0.3, 0.6, 0.6]), PROTOCOL, None
        )
        assert "change little" in text

    def test_under_fitting(self):
        best = model("b", 0.9, 1.0)
        flat = self.curve([0.52, 0.51, 0.5], [0.47, 0.49, 0.5])
        assert curve_verdict(model("a", 0.5, 0.001), flat, PROTOCOL, best).startswith("Under-fits")
        assert curve_verdict(model("a", 0.5, 0.5), flat, PROTOCOL, best).startswith("Neither")
        assert curve_verdict(best, flat, PROTOCOL, best).startswith("Neither")
