"""What would mislead a comparison is found, and nothing else is."""

import time
from functools import partial

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import compare, load, pose, table_from
from kiso.comparison._clock import Clock
from kiso.comparison._findings import group_columns, inspect, leaks, time_columns
from kiso.comparison.detectors import (
    giveaways,
    names_someone,
    rare_class,
    repeated_identifiers,
    sentinels,
    times_in_order,
    total_rows,
)


def all_findings(table, target):
    """Every finding that the columns alone give."""
    problem = pose(table, target)
    frame = table.frame.iloc[problem.rows].reset_index(drop=True)
    return [
        *inspect(frame),
        *group_columns(frame, problem.columns, target),
        *time_columns(frame, problem.columns, target),
        *leaks(
            problem.X, problem.y, problem.columns, target=target,
            classes=problem.task == "classification",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_no_false_alarm_on_the_bundled_sets(name):
    table = load(name)
    assert all_findings(table, table.default_target) == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("adult.data.gz", "column_15"),
        ("ames.csv.gz", "Sale_Price"),
        ("california_housing.csv.gz", "median_house_value"),
        ("concrete.csv.gz", "compressive_strength"),
        ("covtype_sample10k.csv.gz", "Cover_Type"),
        ("faithful.csv.gz", "waiting"),
        ("mcycle.csv.gz", "accel"),
        ("nycflights.csv.gz", "arr_delay"),
        ("penguins.csv.gz", "species"),
        ("spambase.csv.gz", "email"),
        ("titanic_train.csv.gz", "Survived"),
    ],
)
def test_no_false_alarm_on_clean_tables(real_data, name, target):
    assert all_findings(load(real_data(f"tabular/{name}")), target) == []


@pytest.mark.parametrize("seed", range(12))
def test_no_false_alarm_on_made_tables(seed):
    """Numbers, counts, codes and categories of many sizes, with noise in the target."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 800))
    frame = pd.DataFrame(
        {f"x{j}": rng.normal(size=n) * 10.0 ** rng.integers(-2, 4) for j in range(4)}
    )
    frame["count"] = rng.poisson(3, n)
    frame["heavy"] = np.exp(2 * rng.normal(size=n))
    frame["age"] = rng.integers(18, 90, n)
    frame["town"] = rng.choice([f"town {c}" for c in "abcdefghijkl"], n)
    frame["grade"] = np.sort(rng.integers(1, 6, n))
    frame["y"] = frame["x0"] / frame["x0"].std() + rng.normal(size=n)
    assert all_findings(table_from(frame), "y") == []


class TestGroups:
    @pytest.mark.parametrize(
        "name",
        ["patient", "Patient ID", "user_id", "userId", "subject", "id", "CustomerNo", "患者",
         "顧客ID", "participants", "device-id"],
    )  # fmt: skip
    def test_names_of_identifiers(self, name):
        assert names_someone(name)

    @pytest.mark.parametrize(
        "name", ["age", "customer age", "width", "user rating", "video", "idle", "valid", "price"]
    )
    def test_other_names(self, name):
        assert not names_someone(name)

    def table(self, values, *, seed=0, each=8):
        rng = np.random.default_rng(seed)
        who = np.repeat(np.arange(len(values)), each)
        return pd.DataFrame(
            {
                "who": np.asarray(values)[who],
                "sex": rng.choice(["f", "m"], len(values))[who],
                "x": rng.normal(size=len(who)),
                "y": rng.normal(size=len(values))[who] + rng.normal(size=len(who)),
            }
        )

    def test_values_of_the_form_of_identifiers(self):
        found = repeated_identifiers(self.table([f"P{i:02d}" for i in range(24)]), "y", ["who"])
        assert [(g.name, g.n_groups, g.least, g.most, g.sure) for g in found] == [
            ("who", 24, 8, 8, True)
        ]
        assert found[0].constant == ("sex",)

    def test_whole_numbers_in_blocks_are_for_the_scores_to_tell(self):
        found = repeated_identifiers(self.table(np.arange(30)), "y", ["who"])
        assert [(g.name, g.sure) for g in found] == [("who", False)]

    def test_a_category_without_anything_in_common_is_none(self):
        frame = self.table([f"P{i}" for i in range(20)]).drop(columns="sex")
        assert repeated_identifiers(frame, "y", ["who"]) == []

    @pytest.mark.parametrize("each", [1, 40])
    def test_sizes(self, each):
        n = 24 if each == 1 else 2
        frame = self.table([f"P{i}" for i in range(n)], each=each)
        assert repeated_identifiers(frame, "y", ["who"]) == []


class TestTime:
    def test_days_in_order_and_an_even_grid(self):
        days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
        found = times_in_order({"day": days}, {})
        assert [(t.in_order, t.step) for t in found] == [(True, "a day")]
        mixed = np.random.default_rng(0).permutation(days)
        found = times_in_order({"day": mixed}, {})
        assert [(t.in_order, t.step) for t in found] == [(False, "a day")]

    @pytest.mark.parametrize("step", ["h", "D", "W", "M"])
    def test_panels(self, step):
        grid = np.arange(40).astype(f"datetime64[{step}]")
        assert times_in_order({"t": np.tile(grid, 3)}, {})
        assert times_in_order({"t": np.repeat(grid, 3)}, {})

    def test_dates_here_and_there_are_no_record_of_time(self):
        rng = np.random.default_rng(1)
        days = rng.integers(0, 2000, 300).astype("datetime64[D]")
        assert times_in_order({"signup": days}, {}) == []

    def test_numbers(self):
        assert times_in_order({}, {"year": np.arange(1900, 1950)})
        assert times_in_order({}, {"width": np.arange(1900, 1950)}) == []
        assert times_in_order({}, {"year": np.repeat(np.arange(1900, 1950), 2)}) == []


class TestSentinels:
    @pytest.mark.parametrize("code", [-999, -200, 9999, -99, 99999, -9999.0])
    @pytest.mark.parametrize("scale", [1.0, 30.0])
    def test_codes_in_one_row_of_twelve(self, code, scale):
        rng = np.random.default_rng(3)
        values = np.abs(rng.normal(2, 1, 240)) * scale
        values[::12] = code
        found = sentinels({"x": values, "z": rng.normal(size=240)})
        assert [(s.value, s.columns, s.n_cells) for s in found] == [(code, ("x",), 20)]

    def test_among_numbers_on_both_sides_of_zero(self):
        values = np.append(np.random.default_rng(0).normal(size=100), [-999.0] * 9)
        assert [s.text for s in sentinels({"x": values})] == ["-999"]

    def test_over_several_columns(self):
        rng = np.random.default_rng(0)
        X = np.abs(rng.normal(100, 20, (3, 60)))
        X[:, ::10] = -200
        found = sentinels(dict(zip("abc", X, strict=True)))
        assert [(s.text, s.columns, s.n_cells) for s in found] == [("-200", ("a", "b", "c"), 18)]

    @pytest.mark.parametrize(
        "values",
        [
            np.random.default_rng(0).integers(0, 1000, 300),  # 999 is one of many
            np.minimum(np.random.default_rng(0).exponential(3, 300), 8),  # capped
            np.random.default_rng(0).exponential(1000, 300),
            np.random.default_rng(0).choice([0, 1, 99], 300),  # three codes
            np.random.default_rng(0).choice([-1, 0, 1], 300),
            np.append(np.random.default_rng(0).normal(size=200), 999.0),  # one outlier
            np.r_[np.zeros(200), np.random.default_rng(0).normal(500, 20, 100)],
        ],
    )
    def test_measurements_are_none(self, values):
        assert sentinels({"x": values}) == []


class TestTotals:
    def districts(self):
        rng = np.random.default_rng(0)
        return pd.DataFrame(
            {
                "district": [
                    "Altona",
                    "Nord",
                    "Mitte",
                    "Wandsbek",
                    "Harburg",
                    "Bergedorf",
                    "Eimsb",
                ],
                "people": rng.integers(10_000, 400_000, 7),
                "cars": rng.integers(5_000, 100_000, 7),
            }
        )

    @pytest.mark.parametrize("name", ["Hamburg", "Total", "合計"])
    @pytest.mark.parametrize("where", [0, 3, 7])
    def test_the_sum_of_all(self, name, where):
        frame = self.districts()
        row = pd.DataFrame(
            {"district": [name], **{c: [frame[c].sum()] for c in ("people", "cars")}}
        )
        frame = pd.concat([frame[:where], row, frame[where:]], ignore_index=True)
        found = total_rows(frame)
        assert [(t.row, t.label, t.of) for t in found] == [(where, name, "all other rows")]

    def test_sums_of_groups_and_blocks(self):
        rng = np.random.default_rng(1)
        parts = []
        for state in ("Bayern", "Hessen", "Saarland"):
            part = pd.DataFrame({"state": state, "place": [f"{state} {i}" for i in range(5)],
                                 "men": rng.integers(100, 9000, 5),
                                 "women": rng.integers(100, 9000, 5)})  # fmt: skip
            top = pd.DataFrame({"state": [state], "place": [state], "men": [part["men"].sum()],
                                "women": [part["women"].sum()]})  # fmt: skip
            parts += [top, part]
        frame = pd.concat(parts, ignore_index=True)
        assert [t.row for t in total_rows(frame)] == [0, 6, 12]
        assert [t.row for t in total_rows(frame.drop(columns="state"))] == [0, 6, 12]

    def test_by_its_name_alone(self):
        frame = pd.DataFrame({"town": [*"abcdef", "Total"], "x": [*range(6), 99.0]})
        assert [(t.row, t.of) for t in total_rows(frame)] == [(6, "others, as it says")]

    def test_small_counts_that_add_up_by_chance_are_none(self):
        rng = np.random.default_rng(5)
        frame = pd.DataFrame(rng.integers(0, 30, (200, 3)), columns=list("abc"))
        assert total_rows(frame) == []

    def test_a_category_called_total_is_none(self):
        frame = pd.DataFrame({"loss": ["total", "partial"] * 30, "x": np.arange(60.0)})
        assert total_rows(frame) == []


class TestLeaks:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 400))

    @pytest.mark.parametrize(
        ("values", "ordered", "y"),
        [
            (x, True, (x > 0.2).astype(int)),
            (x, True, ((x > -0.5) & (x < 0.5)).astype(int)),
            ((np.arange(400) * 7) % 5, False, np.array([0, 1, 1, 0, 1])[(np.arange(400) * 7) % 5]),
            (np.where(x > 0, np.nan, 3.0), True, (x > 0).astype(int)),
        ],
    )
    def test_classes(self, values, ordered, y):
        columns = {"it": (np.asarray(values, dtype=float), ordered), "noise": (self.noise, True)}
        assert [leak.columns for leak in giveaways(columns, y, classes=True)] == [("it",)]

    @pytest.mark.parametrize("curve", [lambda x: 3 * x, lambda x: x**3 + x, np.exp, np.abs])
    def test_numbers(self, curve):
        columns = {"it": (self.x, True), "noise": (self.noise, True)}
        found = giveaways(columns, curve(self.x), classes=False)
        assert [leak.columns for leak in found] == [("it",)]

    def test_a_sum(self):
        a, b, c = self.rng.normal(size=(3, 400))
        columns = {"a": (a, True), "b": (b, True), "c": (c, True)}
        found = giveaways(columns, a + 2 * b, classes=False)
        assert [(leak.columns, leak.how) for leak in found] == [(("a", "b"), "as a sum")]
        assert giveaways(columns, a + 2 * b + 0.1 * self.rng.normal(size=400), classes=False) == []

    def test_a_good_column_is_none(self):
        y = (self.x + 0.2 * self.rng.normal(size=400) > 0).astype(int)
        assert giveaways({"x": (self.x, True)}, y, classes=True) == []
        columns = {"x": (self.x, True)}
        assert giveaways(columns, self.x + 0.1 * self.rng.normal(size=400), classes=False) == []

    def test_classes_so_rare_that_nobody_finds_them(self):
        y = np.zeros(400, dtype=int)
        y[:4] = 1
        assert giveaways({"x": (self.noise, True)}, y, classes=True) == []


def test_rare_classes():
    assert rare_class([96, 4]) == 1
    assert rare_class([4, 96]) == 0
    assert rare_class([90, 10]) is None
    assert rare_class([50]) is None


def patients(n=24, each=8, seed=0):
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), each)
    X = rng.normal(size=(n, 3))[who] + 0.2 * rng.normal(size=(len(who), 3))
    frame = pd.DataFrame(X, columns=list("abc"))
    return frame.assign(patient=[f"P{i:02d}" for i in who], y=rng.normal(size=n)[who])


FAST = {"n_repeats": 1, "explain": False}


def of(result, kind):
    return [finding for finding in result.data.findings if finding.kind == kind]


class TestConfirmed:
    def test_patients(self):
        result = compare(patients(), "y", models=["ridge"], **FAST)
        (found,) = of(result, "groups")
        assert found.remedy == "--groups patient"
        assert "the 24 values of 'patient' stands in 8 rows" in found.message
        assert "ridge scores R² 0.9" in found.message
        assert "folds at random and −" in found.message
        assert not of(result, "leak")
        by = compare(patients(), "y", models=["ridge"], groups="patient", **FAST)
        assert by.protocol.splitting == "groups"
        assert by.best.mean < 0.1
        assert not of(by, "groups")
        assert not next(c for c in by.data.columns if c.name == "patient").used

    def test_no_group_is_on_both_sides(self):
        from kiso.comparison._folds import inner_splits, outer_splits

        frame = patients().assign(y=lambda f: np.where(f["a"] > 0, "u", "v"))
        problem = pose(table_from(frame), "y", groups="patient")
        splits = outer_splits(problem, 4, 2, 0)
        assert len(splits) == 8
        for train, test in splits:
            assert not set(problem.groups[train]) & set(problem.groups[test])
            for a, b in inner_splits(problem, train, 3, 0):
                assert not set(problem.groups[train][a]) & set(problem.groups[train][b])

    def walk(self, n=300):
        rng = np.random.default_rng(4)
        days = pd.date_range("2021-01-01", periods=n)
        return pd.DataFrame({"day": days, "x": rng.normal(size=n),
                             "gold": 100 + np.cumsum(rng.normal(size=n))})  # fmt: skip

    def test_a_daily_table(self):
        result = compare(self.walk(), "gold", models=["neighbors"], **FAST)
        (found,) = of(result, "time")
        assert found.remedy == "--time day"
        assert "in the order of 'day', a day apart" in found.message
        assert "neighbors scores R² 0.8" in found.message

    def test_forward_in_time(self):
        from kiso.comparison._folds import inner_splits, outer_splits

        frame = self.walk().sample(frac=1, random_state=0)
        problem = pose(table_from(frame), "gold", time=["day"], gap=3)
        splits = outer_splits(problem, 5, 1, 0)
        assert len(splits) == 5
        for train, test in splits:
            assert problem.times[train].max() + 3 < problem.times[test].min()
            for a, b in inner_splits(problem, train, 3, 0):
                assert problem.times[train][a].max() < problem.times[train][b].min()
        sizes = [len(train) for train, _ in splits]
        assert sizes == sorted(sizes)
        result = compare(frame, "gold", models=["ridge"], time="day", gap=3, explain=False)
        assert result.protocol.splitting == "time"
        assert result.protocol.gap == 3
        assert not of(result, "time")

    def test_year_and_month(self):
        frame = self.walk().assign(
            year=lambda f: f["day"].dt.year, month=lambda f: f["day"].dt.month
        )
        problem = pose(table_from(frame), "gold", time=["year", "month"])
        assert problem.times.max() == 9
        assert (np.diff(problem.times) >= 0).all()

    def test_rare_positives_change_the_metric_and_say_so(self):
        rng = np.random.default_rng(0)
        fraud = rng.random(600) < 0.03
        frame = pd.DataFrame({"x": rng.normal(size=600) + 2 * fraud})
        frame["y"] = np.where(fraud, "fraud", "ok")  # the rare class is the first by name
        result = compare(frame, "y", models=["logistic"], **FAST)
        assert result.protocol.metric == "average_precision"
        (found,) = of(result, "imbalance")
        assert "'fraud'" in found.message
        assert found.remedy == "--metric accuracy"
        assert result.best.name == "logistic"
        assert result.models[-1].mean == pytest.approx(fraud.mean(), abs=0.01)
        asked = compare(frame, "y", models=["logistic"], metric="accuracy", **FAST)
        assert not of(asked, "imbalance")
        assert asked.protocol.metric == "accuracy"

    def test_rare_classes_are_dropped_or_merged(self):
        frame = pd.DataFrame({"x": np.arange(60.0), "y": ["a"] * 30 + ["b"] * 24 + list("cddefg")})
        dropped = compare(frame, "y", models=["logistic"], rare="drop", **FAST)
        assert dropped.data.class_names == ["a", "b"]
        assert any(
            "5 classes of 'y' with fewer than 5 rows left out" in n for n in dropped.data.notes
        )
        merged = compare(frame, "y", models=["logistic"], rare="merge", **FAST)
        assert merged.data.class_names == ["(rare)", "a", "b"]
        assert merged.data.class_counts == [6, 30, 24]

    def test_several_metrics_of_the_same_answers(self):
        options = {"models": ["logistic"], "n_repeats": 1, "explain": False}
        result = compare("breast_cancer", metrics=["accuracy", "auc", "log_loss"], **options)
        assert result.protocol.also == ["ROC AUC", "log loss"]
        alone = compare("breast_cancer", metric="auc", **options)
        best = result.best
        # the same folds; the search inside goes by the first metric
        assert np.mean(best.other_scores["roc_auc"]) == pytest.approx(alone.best.mean, abs=0.01)
        assert -np.mean(best.other_scores["neg_log_loss"]) < 0.2

    def test_importances_are_on_held_out_rows_for_every_model(self):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"x": rng.normal(size=200), "z": rng.normal(size=200),
                              "k": rng.choice(list("ab"), 200)})  # fmt: skip
        frame["y"] = 3 * frame["x"] + (frame["k"] == "a") + 0.1 * rng.normal(size=200)
        result = compare(frame, "y", models=["ridge", "neighbors"], **FAST)
        for model in result.models:
            if not model.baseline:
                assert [i.column for i in model.importances] == ["x", "k", "z"]
                assert model.importances[0].mean > 1
                assert abs(model.importances[2].mean) < 0.2
                assert model.importances[0].spread > 0


def test_a_budget_gives_all_models_the_same_folds(monkeypatch):
    """Slow models are compared on the folds that they have; cheap ones lose none to them."""
    import kiso.comparison._candidates as registry
    from kiso.comparison import Candidate

    def fake(name, **params):
        path = "tests.comparison.fakes:Stepping"
        return Candidate(name, "regression", path, "A fake.", params=params)

    baseline = Candidate("baseline", "regression", "sklearn.dummy:DummyRegressor", "The mean.",
                         baseline=True, cost=0.0)  # fmt: skip
    fakes = [fake("cheap", n_steps=2, pause=0.005)]
    fakes += [fake(f"slow{i}", n_steps=10, pause=0.02, shift=0.01 * i) for i in range(3)]
    monkeypatch.setattr(registry, "CANDIDATES", (baseline, *fakes))
    # only the fakes' pauses take time: what is measured does not depend on the machine
    passed = [0.0]
    monkeypatch.setattr(time, "sleep", lambda pause: passed.__setitem__(0, passed[0] + pause))
    monkeypatch.setattr("kiso.comparison._compare.Clock", partial(Clock, now=lambda: passed[0]))
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "y": rng.normal(size=80)})
    result = compare(frame, "y", n_repeats=3, budget=5.0, explain=False)
    models = {model.name: model for model in result.models}
    assert result.seconds < 5.5
    assert models["cheap"].status == "done"
    slow = [len(models[f"slow{i}"].scores) for i in range(3)]
    assert max(slow) - min(slow) <= 1
    assert min(slow) >= 3
    assert result.best is not None
