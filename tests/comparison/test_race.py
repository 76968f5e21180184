"""The race: one set of folds, searches inside, budgets, failures, interruptions."""

import json
import threading
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge as OtherRidge
from sklearn.model_selection import GridSearchCV, KFold, RepeatedKFold

import kiso.comparison._candidates as registry
from kiso.comparison import Candidate, DataError, budget_seconds, compare, table_from
from kiso.comparison._clock import Clock, OutOfBudget
from kiso.comparison._columns import make_pipeline_for

HERE = "tests.comparison.fakes"
fakes = import_module(HERE)


def frame(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {"x": x, "k": rng.choice(["a", "b"], n), "y": 2 * x + 0.5 * rng.normal(size=n)}
    )


@pytest.fixture
def run(monkeypatch):
    """Compare the table above with these candidates beside the baseline."""

    def go(*candidates, data=None, **kwargs):
        baseline = Candidate(
            "baseline", "regression", "sklearn.dummy:DummyRegressor", "The mean.",
            counted=("constant_",), baseline=True,
        )  # fmt: skip
        monkeypatch.setattr(registry, "CANDIDATES", (baseline, *candidates))
        kwargs = {"n_repeats": 1, "explain": False, **kwargs}
        result = compare(frame() if data is None else data, "y", **kwargs)
        return result, {model.name: model for model in result.models}

    return go


def fake(name, cls=None, grid=None, **params):
    return Candidate(
        name, "regression", f"{HERE}:{cls or name}", "A fake.", grid=grid or {}, params=params
    )


def test_scores_are_those_of_scikit_learns_nested_cross_validation():
    data = frame(90, seed=3)
    data.loc[::7, "x"] = np.nan
    grid = {"alpha": [1000.0, 100.0, 10.0, 1.0, 0.1]}
    result = compare(data, "y", models=["ridge"], n_repeats=1, explain=False, random_state=5)
    ridge = next(model for model in result.models if model.name == "ridge")
    columns = result.data.columns
    X, y = table_from(data).frame[["x", "k"]], data["y"].to_numpy()
    outer = RepeatedKFold(n_splits=5, n_repeats=1, random_state=5)
    for i, (train, test) in enumerate(outer.split(X)):
        search = GridSearchCV(
            make_pipeline_for(columns, OtherRidge(), len(X)),
            {f"model__{name}": values for name, values in grid.items()},
            cv=KFold(3, shuffle=True, random_state=5),
        ).fit(X.iloc[train], y[train])
        assert search.best_params_["model__alpha"] == ridge.params[i]["alpha"]
        assert search.score(X.iloc[test], y[test]) == pytest.approx(ridge.scores[i], abs=1e-9)
        assert search.score(X.iloc[train], y[train]) == pytest.approx(ridge.train_scores[i])
    assert ridge.n_fits == 5 * (5 * 3 + 1) + 1


def test_preparation_sees_training_rows_alone(run):
    """A column whose mean differs between folds: the scaler's mean must be the fold's own."""
    fakes.Recorder.seen = []
    data = pd.DataFrame({"x": np.arange(100.0) ** 3, "y": np.sin(np.arange(100.0))})
    run(fake("Recorder"), data=data)
    folds = [X for X, _ in fakes.Recorder.seen if len(X) == 80]
    assert len(folds) == 5
    for X in folds:  # zero mean and unit variance over its own rows, so over no others
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(X.std(axis=0), 1)


def test_shuffled_targets_give_no_score():
    """Whatever leaked would show: on a target of noise, nothing beats the baseline."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(80, 30))).assign(k=rng.choice(list("abcdef"), 80))
    data["y"] = rng.normal(size=80)
    result = compare(data, "y", exclude=["local"], explain=False)
    assert result.best.name == "baseline" or result.best.mean < 0.05
    assert "baseline" in result.conclusion


def test_all_models_meet_the_same_folds(run):
    result, models = run(fake("a", "Recorder"), fake("b", "Recorder"), n_repeats=2, random_state=3)
    assert models["a"].scores == models["b"].scores == models["baseline"].scores
    assert len(models["a"].scores) == 10
    assert len(result.protocol.fold_sizes) == 10
    assert all(sum(size) == 60 for size in result.protocol.fold_sizes)
    assert models["a"].difference.p_value == 1.0


def test_a_failure_is_the_models_own(run):
    result, models = run(fake("Failing"), fake("Exploding"), fake("Picky", strength=1.0))
    assert models["Failing"].status == "failed"
    assert models["Failing"].message == "RuntimeError: the matrix is on strike"
    assert models["Exploding"].status == "failed"
    assert models["Picky"].status == "done"
    assert result.best.name == "Picky"
    assert result.complete
    assert [m.name for m in result.models][:2] == ["Picky", "baseline"]
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_failure_of_the_last_fit_leaves_the_scores(run):
    """60 rows are more than any training fold has."""
    result, models = run(fake("Overwhelmed", most=50), explain=True)
    assert models["Overwhelmed"].status == "done"
    assert len(models["Overwhelmed"].scores) == 5
    assert "the fit on all rows failed: ValueError: too much" in models["Overwhelmed"].message
    assert models["Overwhelmed"].memory_bytes is None
    assert result.complete


def test_an_absent_module_is_a_failure_and_no_end(run):
    gone = Candidate("gone", "regression", "kiso.nowhere:Nothing", "Absent.")
    _, models = run(gone)
    assert models["gone"].status == "failed"
    assert "nowhere" in models["gone"].message
    assert models["baseline"].status == "done"


def test_search_passes_over_grid_points_that_fail(run):
    _, models = run(fake("Picky", grid={"bad": [True, False], "strength": [0.0, 1.0]}))
    assert models["Picky"].status == "done"
    assert models["Picky"].params == [{"bad": False, "strength": 1.0}] * 5
    assert "ValueError: bad is bad" in models["Picky"].message
    # the first of equals is taken
    _, models = run(fake("Recorder", "Picky", grid={"strength": [0.0, -0.0]}))
    assert str(models["Recorder"].params[0]["strength"]) == "0.0"


def test_warnings_are_kept(run):
    _, models = run(fake("Warning_"))
    assert models["Warning_"].message == "all is not well (6 of 6 fits)"


def test_unsuitable_models_are_said(run):
    choosy = Candidate(
        "choosy", "regression", f"{HERE}:Picky", "Choosy.",
        unsuitable=lambda n_rows, n_features: f"{n_rows} rows, {n_features} features",
    )  # fmt: skip
    _, models = run(choosy)
    assert models["choosy"].status == "skipped"
    assert models["choosy"].message == "60 rows, 4 features"


class Ticking:
    """A clock that moves only when told."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def test_clock():
    ticking = Ticking()
    clock = Clock(10.0, now=ticking)
    clock.allow(4.0)
    ticking.time = 3.9
    clock.check()
    ticking.time = 4.1
    with pytest.raises(OutOfBudget):
        clock.check()
    assert clock.left == pytest.approx(5.9)
    clock.allow(100.0)
    assert clock.deadline == 10.0
    assert Clock(None, now=ticking).left == float("inf")


def test_budget_stops_a_fit_within_a_step_and_says_so(run):
    slow = fake("slow", "Stepping", n_steps=10_000, pause=0.01)
    result, models = run(slow, fake("Picky", strength=1.0), budget="1.5s")
    assert result.seconds < 3.5
    assert not result.complete
    assert not result.interrupted
    assert models["slow"].status == "out of budget"
    assert "0 of 5 folds" in models["slow"].message
    assert "slow did not finish" in result.conclusion
    assert models["Picky"].status == "done"
    assert models["Picky"].memory_bytes is not None
    assert models["slow"].difference is None


def test_a_slow_model_takes_no_time_from_the_others(run):
    """Its share is over after three folds; with what the others left it does all five."""
    slow = fake("slow", "Stepping", n_steps=1, pause=0.2)
    result, models = run(slow, fake("fast", "Stepping", n_steps=2, pause=0.02), budget=3.5)
    assert models["fast"].status == "done"
    assert models["slow"].status == "done"
    assert result.complete
    assert result.seconds < 3.5


def test_a_budget_too_small_for_anything(run):
    result, models = run(fake("Picky"), budget=1e-6)
    assert {model.status for model in models.values()} == {"out of budget"}
    assert result.best is None
    assert "nothing to compare" in result.conclusion


def test_interruption_keeps_what_is_known(run):
    rude = fake("rude", "Stepping", interrupt=True)
    result, models = run(fake("polite", "Stepping"), rude)
    assert result.interrupted
    assert not result.complete
    assert models["rude"].status == "interrupted"
    assert models["polite"].status == "interrupted"
    assert len(models["polite"].scores) == 1
    assert "1 of 5 folds finished before the interruption" in models["polite"].message


def test_interruption_of_the_learning_curves_loses_nothing(run, monkeypatch):
    import kiso.comparison._compare as module

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "learning_curves", interrupt)
    result, models = run(fake("Picky", strength=1.0), explain=True)
    assert result.interrupted
    assert models["Picky"].status == "done"
    assert models["Picky"].n_parameters is None or models["Picky"].memory_bytes is not None


class Diary:
    def __init__(self):
        self.totals, self.last, self.ended, self.finished = {}, {}, 0, {}

    def begin(self, totals):
        self.totals = dict(totals)

    def advance(self, name, done, note):
        assert done >= self.last.get(name, 0) - 1
        self.last[name] = done

    def finish(self, name, status):
        self.finished[name] = status

    def end(self):
        self.ended += 1


def test_progress_reaches_the_whole(run):
    diary = Diary()
    run(
        fake("Stepping", n_steps=4),
        fake("Picky", grid={"strength": [0.0, 1.0]}),
        fake("Failing"),
        watcher=diary,
    )
    assert diary.totals == {"baseline": 5, "Stepping": 5, "Picky": 5 * (2 * 3 + 1), "Failing": 5}
    assert diary.last["Picky"] == 35
    assert diary.finished["Failing"] == "failed"
    assert diary.finished["Picky"] == "done"
    assert diary.ended == 1


def scores(result):
    """Return everything but times and memory."""
    found = result.to_dict()
    for model in found["models"]:
        for name in ("fit_seconds", "refit_seconds", "predict_seconds", "memory_bytes"):
            del model[name]
    del found["seconds"], found["conclusion"]
    return found


@pytest.mark.parametrize(("data", "target"), [("wine", None), ("diabetes", None)])
def test_the_seed_makes_it_reproducible_to_the_digit(data, target):
    options = {"n_repeats": 1, "n_folds": 3}
    a, b = (compare(data, target, random_state=4, **options) for _ in range(2))
    assert scores(a) == scores(b)
    assert scores(compare(data, target, random_state=5, **options)) != scores(a)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("2m", 120), ("1.5h", 5400), ("90", 90), ("1m30s", 90), ("500ms", 0.5),
     (" 2 min ", 120), (7, 7.0), (None, None)],
)  # fmt: skip
def test_budgets(text, seconds):
    assert budget_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-3s", "0", "5 parsecs", "1m x", "inf", "nan", -1.0])
def test_wrong_budgets(text):
    with pytest.raises(DataError, match="no length of time"):
        budget_seconds(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_folds": 1}, "at least 2"),
        ({"n_repeats": 0}, "at least 1"),
        ({"random_state": -1}, "negative"),
        ({"models": ["rigde"]}, "no model 'rigde' for regression; there is ridge"),
        ({"models": ["logistic"]}, "is for classification, and the task is regression"),
        ({"models": ["ridge"], "exclude": ["Ridge"]}, "No model is left"),
        ({"target": None}, "Say which column"),
        ({"target": "z"}, "no column 'z'"),
        ({"n_folds": 61}, "fewer than 61 folds"),
        ({"n_folds": 60}, "R² needs 2 held-out rows in a fold"),
    ],
)
def test_wrong_wishes(options, words):
    with pytest.raises(DataError, match=words):
        compare(frame(), **{"target": "y", **options})


def test_a_metric_of_probabilities_passes_over_models_without():
    result = compare("iris", metric="log_loss", n_repeats=1, explain=False)
    models = {model.name: model for model in result.models}
    assert models["perceptron"].status == "skipped"
    assert "probabilities" in models["perceptron"].message
    assert result.best.name in ("logistic", "mlp")
    assert result.best.mean > models["baseline"].mean


def test_any_number_of_folds_down_to_the_smallest_class():
    data = pd.DataFrame({"x": np.arange(9.0), "y": list("aaabbbccc")})
    result = compare(data, "y", n_folds=3, n_repeats=1, models=["logistic"])
    assert result.best is not None
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.5], "y": list("aabb")})
    result = compare(data, "y", n_folds=2, n_repeats=1, models=["logistic"])
    assert all(model.status == "done" for model in result.models)


def test_dummy_agrees_with_scikit_learn(run):
    _, models = run(fake("Picky"), random_state=2)
    data = frame()
    splits = RepeatedKFold(n_splits=5, n_repeats=1, random_state=2).split(data)
    for score, (train, test) in zip(models["baseline"].scores, splits, strict=True):
        dummy = DummyRegressor().fit(data[["x"]].iloc[train], data["y"].iloc[train])
        assert dummy.score(data[["x"]].iloc[test], data["y"].iloc[test]) == pytest.approx(score)


def test_leaving_one_out():
    result = compare(frame(20), "y", n_folds=20, n_repeats=1, metric="mae", models=["linear"])
    assert all(model.status == "done" for model in result.models)


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e12, 1e160, 1e300])
def test_values_of_any_size(scale):
    """Nothing may warn past the messages, and a model that cannot cope says so itself."""
    data = frame(40)
    data["x"] *= scale
    result = compare(data, "y", n_folds=3, n_repeats=1, exclude=["local"])
    assert result.complete
    assert result.best is not None


def test_more_columns_than_rows():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(30, 200))).assign(y=rng.normal(size=30))
    result = compare(data, "y", n_folds=3, n_repeats=1)
    assert all(model.status in ("done", "skipped") for model in result.models)


def test_the_same_table_in_any_order_of_columns_and_types():
    data = frame(50)
    a = compare(data, "y", models=["ridge"], n_repeats=1, explain=False)
    b = compare(data[["y", "k", "x"]], "y", models=["ridge"], n_repeats=1, explain=False)
    np.testing.assert_allclose(a.best.scores, b.best.scores)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_got_lost_ends_the_race_at_the_next_check():
    """Ctrl-C in a destructor is printed and forgotten by the interpreter."""
    import signal

    class Swallows:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    clock = Clock(None)
    before = signal.getsignal(signal.SIGINT)
    with clock.heeding_interrupts():
        Swallows()
        with pytest.raises(KeyboardInterrupt):
            clock.check()
    assert signal.getsignal(signal.SIGINT) is before


def test_threads_may_compare_too():
    found = []
    clock = Clock(None)

    def elsewhere():
        with clock.heeding_interrupts():
            clock.check()
            found.append("done")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(5)
    assert found == ["done"]
