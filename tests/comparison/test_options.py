"""Weights, texts, calibration, thresholds, ensembles: each against a slow obvious way."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold

from kiso.comparison import (
    CalibratedClassifier,
    DataError,
    TextFeatures,
    ThresholdClassifier,
    compare,
    load,
    make_pipeline_for,
    pose,
)
from kiso.comparison._threshold import best_threshold, choose_threshold, costs_of
from kiso.linear_model import LogisticRegression, Ridge
from kiso.persistence import load_model, predict_table, save_model, to_onnx, train_model
from kiso.svm import LinearSVC

GOOD = ["lovely", "excellent", "tasty", "friendly"]
BAD = ["awful", "cold", "rude", "stale"]
PLAIN = ["the", "food", "was", "served", "with", "bread", "and", "wine", "at", "noon"]


def reviews(n=240, seed=0):
    rng = np.random.default_rng(seed)
    liked = rng.integers(2, size=n)
    texts = [
        " ".join(rng.permutation([*rng.choice(PLAIN, 6), *rng.choice(GOOD if y else BAD, 2)]))
        + f" {i % 97}"
        for i, y in enumerate(liked)
    ]
    return pd.DataFrame(
        {"review": texts, "price": rng.normal(liked), "n": rng.integers(1, 4, n),
         "liked": np.where(liked, "yes", "no")}
    )  # fmt: skip


class TestWeights:
    def test_whole_weights_are_repeated_rows(self):
        rng = np.random.default_rng(1)
        frame = pd.DataFrame({"x": rng.normal(size=60), "w": rng.integers(0, 4, 60)})
        frame["y"] = 2 * frame["x"] + rng.normal(size=60)
        problem = pose(load(frame), "y", weights="w")
        assert [c.name for c in problem.columns if c.used] == ["x"]
        model = train_model(load(frame), "y", "ridge", params={"alpha": 3.0}, weights="w")
        coef = model.pipeline["model"].coef_
        scale = model.pipeline["columns"].named_transformers_["numbers"][-1]
        z = (frame["x"] - scale.mean_[0]) / scale.scale_[0]
        repeated = np.repeat(np.arange(60), frame["w"])
        plain = Ridge(alpha=3.0).fit(z.to_numpy()[repeated, None], frame["y"].to_numpy()[repeated])
        np.testing.assert_allclose(coef, plain.coef_, rtol=1e-7)

    def test_scores_are_weighted(self):
        frame = reviews()
        weighed = compare(
            frame, "liked", models=["logistic"], weights="n", n_repeats=1, explain=False
        )
        best = weighed.best
        problem = pose(load(frame), "liked", weights="n", least=5)
        from kiso.comparison import outer_splits

        for (_, test), score in zip(outer_splits(problem, 5, 1, 0), best.scores, strict=True):
            place = {row: i for i, row in enumerate(best.diagnostics.rows)}
            rows = [place[row] for row in problem.rows[test]]
            expected = accuracy_score(
                np.array(best.diagnostics.truth)[rows],
                np.array(best.diagnostics.predicted)[rows],
                sample_weight=frame["n"].to_numpy()[test],
            )
            assert score == pytest.approx(expected)

    def test_models_without_weights_are_skipped(self):
        found = compare(
            reviews(), "liked", models=["logistic", "neighbors"], weights="n", n_repeats=1,
            explain=False,
        )  # fmt: skip
        assert {m.name: m.message for m in found.models}["neighbors"] == "it takes no weights"

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ([1, -2, 1, 1], "is negative in row 2"),
            ([1, 1, None, 1], "is missing in row 3"),
            ([0, 0, 0, 0], "is 0 in all"),
            (list("abca"), "no numbers"),
        ],
    )
    def test_mistakes(self, values, words):
        frame = pd.DataFrame({"x": [1.0, 2, 4, 3], "w": values, "y": [1.5, 2, 3, 5.5]})
        with pytest.raises(DataError, match=words):
            pose(load(frame), "y", "regression", weights="w")


class TestTexts:
    def test_rows_are_scikit_learns(self):
        texts = pd.DataFrame({"t": reviews()["review"]})
        ours = TextFeatures().fit(texts)
        other = TfidfVectorizer(
            token_pattern=r"(?u)\w\w+|\d", ngram_range=(1, 2), min_df=2, sublinear_tf=True
        )
        expected = other.fit_transform(texts["t"])
        assert set(ours.terms_[0]) == set(other.get_feature_names_out())
        places = [other.vocabulary_[term] for term in ours.terms_[0]]
        np.testing.assert_allclose(
            ours.transform(texts).toarray(), np.sqrt(10) * expected.toarray()[:, places], atol=1e-12
        )

    def test_directions_keep_most(self):
        texts = pd.DataFrame({"t": reviews()["review"], "u": ["日本語の文章", "英語の文"] * 120})
        dense = TextFeatures(n_directions=20).fit(texts)
        assert dense.by_characters_ == [False, True]
        X = dense.transform(texts)
        assert X.shape == (240, sum(dense.widths()))
        assert len(dense.get_feature_names_out()) == X.shape[1]
        whole = TextFeatures().fit(texts).transform(texts)
        assert np.linalg.norm(X) <= np.linalg.norm(whole.toarray()) * (1 + 1e-9)
        again = TextFeatures(n_directions=20).fit(texts).transform(texts)
        np.testing.assert_array_equal(X, again)

    def test_a_column_of_texts_is_used_and_predicts(self, tmp_path):
        frame = reviews()
        found = compare(
            frame, "liked", models=["logistic", "forest"], drop=["price", "n"], n_repeats=1,
            explain=False,
        )  # fmt: skip
        scores = {m.name: m.mean for m in found.models}
        assert scores["logistic"] > 0.95
        assert scores["forest"] > scores["baseline"] + 0.2
        assert {m.name: m.sparse for m in found.models}["logistic"]
        assert found.best.importances[0].column == "review"
        fitted = train_model(load(frame), "liked", "logistic", drop=["price", "n"])
        save_model(fitted, tmp_path / "m.kiso")
        new = pd.DataFrame({"review": ["lovely tasty food", "awful stale bread", None]})
        answers, _ = predict_table(load_model(tmp_path / "m.kiso"), load(new))
        assert answers["prediction"].tolist()[:2] == ["yes", "no"]
        with pytest.raises(DataError, match=r"no ONNX graph for texts \(column 'review'\)"):
            to_onnx(fitted)


class TestCalibration:
    def test_sigmoid_agrees_with_scikit_learn(self):
        rng = np.random.default_rng(2)
        X = rng.normal(size=(400, 3))
        y = (X[:, 0] + rng.logistic(size=400) > 0).astype(int)
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        other = CalibratedClassifierCV(LinearSVC(), cv=folds, ensemble=False).fit(X, y)
        ours = CalibratedClassifier(LinearSVC()).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=2e-5)

    def test_isotonic_agrees_with_scikit_learn(self):
        rng = np.random.default_rng(3)
        X = rng.normal(size=(500, 2))
        y = np.array(["u", "v", "w"])[
            np.digitize(X[:, 0] + 0.5 * rng.normal(size=500), [-0.4, 0.6])
        ]
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        other = CalibratedClassifierCV(
            LinearSVC(), method="isotonic", cv=folds, ensemble=False
        ).fit(X, y)
        ours = CalibratedClassifier(LinearSVC(), method="isotonic").fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=1e-6)

    def test_it_lowers_the_log_loss_of_a_model_that_is_too_sure(self):
        rng = np.random.default_rng(4)
        frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
        frame["y"] = np.where(frame["a"] + 2 * rng.normal(size=400) > 0, "u", "v")
        options = {"models": ["forest"], "n_repeats": 1, "metric": "log_loss", "explain": False}
        plain = next(m for m in compare(frame, "y", **options).models if m.name == "forest")
        found = compare(frame, "y", calibrate="sigmoid", **options)
        calibrated = next(m for m in found.models if m.name == "forest")
        assert calibrated.mean > plain.mean
        with pytest.raises(DataError, match="is for classification"):
            compare(frame, "a", calibrate="sigmoid")


class TestThreshold:
    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(1, 3)), min_size=1),
        st.integers(1, 9),
        st.integers(1, 9),
    )
    def test_no_other_threshold_costs_less(self, rows, fp, fn):
        p = np.array([row[0] for row in rows]) / 6
        case = np.array([row[1] for row in rows])
        w = np.array([row[2] for row in rows], dtype=float)

        def cost(tau):
            called = p >= tau
            return fp * w @ (called & ~case) + fn * w @ (~called & case)

        found = best_threshold(p, case, (fp, fn), w)
        assert cost(found) == pytest.approx(min(cost(t) for t in np.linspace(0, 1.1, 67)))

    def test_the_cost_is_that_of_folds_it_was_not_chosen_on(self):
        rng = np.random.default_rng(5)
        folds = []
        for _ in range(4):
            case = rng.random(200) < 0.2
            folds.append((np.clip(0.3 * case + 0.5 * rng.random(200), 0, 1), case, np.ones(200)))
        found = choose_threshold(folds, (1, 5), "yes")
        spent = 0.0
        for i, (p, case, _) in enumerate(folds):
            rest = [np.concatenate(x) for x in zip(*(folds[:i] + folds[i + 1 :]), strict=True)]
            called = p >= best_threshold(rest[0], rest[1], (1, 5), rest[2])
            spent += (called & ~case).sum() + 5 * (~called & case).sum()
        assert found.cost == pytest.approx(spent / 800)
        assert found.cost < min(found.cost_never, found.cost_always)

    def test_it_is_saved(self, tmp_path):
        frame = reviews()
        fitted = train_model(
            load(frame), "liked", "logistic", drop=["review"], threshold=("no", 0.2),
        )  # fmt: skip
        save_model(fitted, tmp_path / "m.kiso")
        model = load_model(tmp_path / "m.kiso")
        answers, _ = predict_table(model, load(frame), probabilities=True)
        expected = np.where(answers["P(no)"] >= 0.2, "no", "yes")
        assert answers["prediction"].tolist() == expected.tolist()
        with pytest.raises(ValueError, match="it is no or yes"):
            ThresholdClassifier(LogisticRegression(), 0.5, "maybe").fit(
                [[0.0], [1.0]], ["no", "yes"]
            )

    @pytest.mark.parametrize("text", ["1", "a:b", "1:0", "1:-2", ":3"])
    def test_costs_that_are_none(self, text):
        with pytest.raises(DataError, match="as 1:10"):
            costs_of(text)

    def test_it_wants_two_classes(self):
        with pytest.raises(DataError, match="two classes"):
            compare("iris", cost="1:2")


class TestEnsemble:
    @pytest.mark.parametrize(("data", "kind"), [("breast_cancer", "soft"), ("diabetes", "mean")])
    def test_its_scores_are_those_of_the_mean_answer(self, data, kind):
        names = ["logistic", "forest"] if kind == "soft" else ["ridge", "forest"]
        found = compare(data, models=[*names, "ensemble"], n_repeats=1, explain=False)
        ensemble = found.models[-1]
        assert ensemble.name == "ensemble"
        assert sorted(ensemble.members) == sorted(names)
        table = load(data)
        problem = pose(table, table.default_target)
        from kiso.comparison import find_candidate, outer_splits

        parts = [find_candidate(name, problem.task) for name in ensemble.members]
        for j, (train, test) in enumerate(outer_splits(problem, 5, 1, 0)):
            answers = []
            for part in parts:
                pipeline = make_pipeline_for(
                    problem.columns, part.make(ensemble.settings[j][part.name]), len(problem.y)
                ).fit(problem.X.iloc[train], problem.y[train])
                answer = pipeline.predict if kind == "mean" else pipeline.predict_proba
                answers.append(answer(problem.X.iloc[test]))
            mean = sum(answers) / len(answers)
            y = problem.y[test]
            expected = (
                1 - ((y - mean) ** 2).sum() / ((y - y.mean()) ** 2).sum()
                if kind == "mean"
                else (mean.argmax(axis=1) == y).mean()
            )
            assert ensemble.scores[j] == pytest.approx(expected, abs=1e-9)

    def test_models_that_answer_the_same_are_no_two_members(self):
        found = compare(
            "diabetes", models=["ridge", "linear", "bayes", "ensemble"], n_repeats=1, explain=False
        )
        assert "ensemble" not in [m.name for m in found.models]

    def test_it_is_saved_and_predicts_the_mean(self, tmp_path):
        table = load("diabetes")
        both = train_model(table, "progression", "ridge+forest", params={"ridge.alpha": 2.0})
        save_model(both, tmp_path / "m.kiso")
        mean, _ = predict_table(load_model(tmp_path / "m.kiso"), table)
        parts = [
            predict_table(train_model(table, "progression", name, params=params), table)[0]
            for name, params in (("ridge", {"alpha": 2.0}), ("forest", {}))
        ]
        expected = (parts[0]["prediction"] + parts[1]["prediction"]) / 2
        np.testing.assert_allclose(mean["prediction"], expected)
        with pytest.raises(DataError, match=r"ridge\.alpha"):
            train_model(table, "progression", "ridge+forest", params={"alpha": 2.0})


class TestSample:
    def test_ranked_on_a_part_and_the_winner_on_all(self):
        rng = np.random.default_rng(6)
        frame = pd.DataFrame(rng.normal(size=(1500, 3)), columns=list("abc"))
        frame["y"] = frame["a"] + frame["b"] ** 2 + 0.1 * rng.normal(size=1500)
        found = compare(
            frame, "y", models=["ridge", "forest"], sample=300, n_repeats=1, explain=False
        )
        assert found.protocol.sample_rows == 300
        assert found.data.n_rows == 1500
        assert {a + b for a, b in found.protocol.fold_sizes} == {300}
        assert (found.whole.train_rows, found.whole.test_rows) == (1200, 300)
        assert found.whole.score > found.best.mean  # four times the rows
        assert "ranked on 300 of the 1,500 rows; fitted to 1,200 of all" in found.conclusion
        with pytest.raises(DataError, match="negative"):
            compare(frame, "y", sample=-1)

    def test_what_a_part_keeps(self):
        from kiso.comparison import thinned

        frame = pd.DataFrame({"x": np.arange(1000.0) % 7, "g": np.arange(1000) // 5,
                              "y": np.where(np.arange(1000) % 40, "often", "rare")})  # fmt: skip
        table = load(frame)
        part = thinned(pose(table, "y"), 200, 0)
        assert np.bincount(part.y).tolist() == [195, 25]
        assert (np.diff(part.rows) > 0).all()
        groups = thinned(pose(table, "y", groups="g"), 200, 0)
        assert set(np.bincount(groups.groups)) == {5}
        assert thinned(pose(table, "y"), 5000, 0).y.size == 1000
