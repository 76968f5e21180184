"""What columns are, and that the pipeline learns from training rows alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression as AnyRegression

from kiso.comparison import (
    Candidate,
    DateParts,
    classify_columns,
    feature_names,
    make_pipeline_for,
    make_preparation,
    table_from,
)
from kiso.comparison._candidates import CANDIDATES
from kiso.comparison._columns import MAX_CATEGORIES, width

N = 60
rng = np.random.default_rng(0)


def kinds(**columns):
    frame = table_from(pd.DataFrame(columns)).frame
    return {c.name: (c.kind, c.used) for c in classify_columns(frame)}


def test_kinds():
    words = ["one two three", "four five six", "a whole sentence of words"]
    found = kinds(
        number=rng.normal(size=N),
        code=rng.integers(0, 5, N),
        colour=rng.choice(["red", "blue"], N),
        day=pd.date_range("2024-01-01", periods=N),
        day_text=pd.date_range("2024-01-01", periods=N).strftime("%d.%m.%Y"),
        flag=rng.random(N) < 0.5,
        flag_with_gaps=[True, None] * (N // 2),
        same=["x"] * N,
        empty=[None] * N,
        key=[f"K{i:04d}" for i in range(N)],
        customer_id=rng.permutation(N) + 1000,
        remark=[f"{words[i % 3]} {i}" for i in range(N)],
        mottos=[f"a{i}b c{i}d e{i}f" for i in range(N)],
        mostly_missing=[1.0] + [None] * (N - 1),
    )
    assert found == {
        "number": ("number", True),
        "code": ("number", True),
        "colour": ("category", True),
        "day": ("date", True),
        "day_text": ("date", True),
        "flag": ("boolean", True),
        "flag_with_gaps": ("boolean", True),
        "same": ("constant", False),
        "empty": ("constant", False),
        "key": ("identifier", False),
        "customer_id": ("identifier", False),
        "remark": ("text", True),
        "mottos": ("text", False),
        "mostly_missing": ("number", True),
    }


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rownames", np.arange(1, N + 1)),
        ("Unnamed: 0", np.arange(N)),
        ("instant", np.arange(1, N + 1)),
        ("index", rng.permutation(N)),
    ],
)
def test_index_columns(name, values):
    found = kinds(**{name: values, "x": rng.normal(size=N)})
    assert found[name] == ("identifier", False)
    assert found["x"] == ("number", True)


def test_a_lone_count_is_time():
    found = kinds(t=np.arange(1, N + 1))
    assert found["t"] == ("number", True)


def test_numbers_that_only_look_like_an_index():
    found = kinds(x=rng.normal(size=N), year=np.arange(1990, 1990 + N), t=np.arange(1, N + 1))
    assert found["year"] == found["t"] == ("number", True)


def test_a_nameless_first_column_is_an_index():
    frame = pd.DataFrame({"column_1": np.arange(5, 5 + N), "x": rng.normal(size=N)})
    column = classify_columns(frame, blank_first=True)[0]
    assert (column.kind, column.used) == ("identifier", False)


def test_dropped_columns_are_listed_and_not_used():
    column = classify_columns(pd.DataFrame({"a": [1.5, 2.5], "b": [1.5, 2.0]}), drop=["a"])[0]
    assert not column.used
    assert "as asked" in column.note


class TestDates:
    @pytest.mark.parametrize(
        "form",
        ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y",
         "%d %b %Y", "%B %d, %Y", "%Y/%m/%d %H:%M"],
    )  # fmt: skip
    def test_formats(self, form):
        dates = pd.date_range("2023-12-20", periods=40, freq="D")
        frame = pd.DataFrame({"d": dates.strftime(form)})
        parts = DateParts().fit(frame)
        names = list(parts.get_feature_names_out())
        found = parts.transform(frame)
        np.testing.assert_array_equal(found[:, names.index("d: month")], dates.month)
        np.testing.assert_array_equal(found[:, names.index("d: day")], dates.day)
        np.testing.assert_array_equal(found[:, names.index("d: weekday")], dates.day_of_week)
        assert np.all(np.diff(found[:, 0]) > 0)
        np.testing.assert_allclose(found[-1, 0] - found[0, 0], 39 / 365.2425)

    def test_hours(self):
        frame = pd.DataFrame({"d": ["2024-01-01 06:30:00", "2024-01-01 18:00:00"]})
        parts = DateParts().fit(frame)
        assert list(parts.get_feature_names_out()) == ["d: time", "d: hour"]
        assert parts.transform(frame)[:, 1].tolist() == [6.5, 18.0]

    def test_later_rows_may_be_missing_or_wrong(self):
        parts = DateParts().fit(pd.DataFrame({"d": ["2024-01-01", "2024-02-02"]}))
        later = parts.transform(pd.DataFrame({"d": ["2024-03-03", None, "soon"]}))
        assert np.isnan(later[1:]).all()
        assert later[0, 1] == 3

    @pytest.mark.parametrize("text", ["1-2", "12/5", "3.14", "A-1-2", "2024", "10:30"])
    def test_what_is_no_date(self, text):
        assert kinds(x=[text, text + "0"] * 10)["x"][0] != "date"

    def test_datetimes_and_text_give_the_same(self):
        dates = pd.date_range("2024-01-01", periods=50, freq="7h")
        as_text = pd.DataFrame({"d": dates.strftime("%Y-%m-%d %H:%M:%S")})
        a, b = pd.DataFrame({"d": dates}), as_text
        np.testing.assert_array_equal(DateParts().fit_transform(a), DateParts().fit_transform(b))


def mixed(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.2, np.nan, rng.normal(5, 3, n)),
            "k": rng.choice(["a", "b", "c", None], n, p=[0.5, 0.3, 0.1, 0.1]),
            "d": pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d"),
            "f": rng.random(n) < 0.3,
        }
    )


def test_features_of_a_mixed_table():
    frame = table_from(mixed(200)).frame
    columns = classify_columns(frame)
    preparation = make_preparation(columns, len(frame))
    X = preparation.fit_transform(frame)
    names = feature_names(preparation)
    assert names == [
        "x", "f", "x is missing", "d: time", "d: month", "d: day", "d: weekday",
        "k = (missing)", "k = a", "k = b", "k = c",
    ]  # fmt: skip
    assert X.shape == (200, len(names)) == (200, 11)
    assert np.isfinite(X).all()
    np.testing.assert_allclose(X[:, :7].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X[:, :7].std(axis=0), 1)
    np.testing.assert_array_equal(X[:, 7:].sum(axis=1), 1)
    assert width(columns) >= len(names) - 1


def test_sparse_is_the_same():
    frame = table_from(mixed(150)).frame
    columns = classify_columns(frame)
    dense = make_preparation(columns, 150).fit_transform(frame)
    sparse = make_preparation(columns, 150, sparse=True).fit_transform(frame)
    assert sparse.format == "csr"
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_rare_and_unseen_categories_share_a_feature():
    values = ["a"] * 300 + ["b"] * 190 + [f"rare{i}" for i in range(10)]
    frame = pd.DataFrame({"k": values})
    pipeline = make_pipeline_for(classify_columns(frame), DummyRegressor(), len(frame))
    pipeline.fit(frame, np.arange(500.0))
    assert feature_names(pipeline["columns"]) == ["k = a", "k = b", "k = (rare)"]
    new = pipeline["columns"].transform(pd.DataFrame({"k": ["rare3", "never seen", "b"]}))
    np.testing.assert_array_equal(new, [[0, 0, 1], [0, 0, 1], [0, 1, 0]])


def test_unseen_without_rare_ones_is_all_zero():
    frame = pd.DataFrame({"k": ["a", "b"] * 50})
    preparation = make_preparation(classify_columns(frame), 100).fit(frame)
    assert preparation.transform(pd.DataFrame({"k": ["new"]})).tolist() == [[0, 0]]


def test_many_categories_are_bounded():
    frame = pd.DataFrame({"k": np.repeat([f"c{i}" for i in range(400)], 20)})
    columns = classify_columns(frame)
    preparation = make_preparation(columns, len(frame)).fit(frame)
    assert len(feature_names(preparation)) == MAX_CATEGORIES
    assert str(MAX_CATEGORIES - 1) in columns[0].note


def test_a_column_missing_in_the_training_rows_alone():
    """Its values are nowhere to be learnt; the fold must not fail of it."""
    frame = pd.DataFrame({"x": [np.nan] * 50 + [1.0] * 50, "k": [None] * 50 + ["a"] * 50})
    columns = classify_columns(table_from(frame).frame)
    frame = table_from(frame).frame
    preparation = make_preparation(columns, 100).fit(frame[:50])
    assert np.isfinite(preparation.transform(frame)).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(12, 80), st.integers(0, 1000))
def test_nothing_is_learnt_from_held_out_rows(n, seed):
    """Held-out rows may be anything at all: the fitted pipeline is the same."""
    frame = table_from(mixed(n, seed)).frame
    columns = classify_columns(frame)
    train = np.arange(n * 2 // 3)
    other = frame.copy()
    other.loc[train[-1] + 1 :, "x"] = 1e9
    other.loc[train[-1] + 1 :, "k"] = "never seen"
    a = make_preparation(columns, n).fit(frame.iloc[train])
    b = make_preparation(columns, n).fit(other.iloc[train])
    np.testing.assert_array_equal(a.transform(frame.iloc[train]), b.transform(frame.iloc[train]))
    imputer = a.named_transformers_["numbers"][0]
    assert imputer.statistics_[0] == np.nanmedian(frame["x"].iloc[train].astype(float))


def test_string_columns_of_any_pandas_type():
    n = 40
    text = pd.DataFrame({"k": pd.Series(["a", None] * (n // 2), dtype="string")})
    plain = pd.DataFrame({"k": pd.Series(["a", np.nan] * (n // 2), dtype=object)})
    columns = classify_columns(table_from(text).frame)
    found = [make_preparation(columns, n).fit_transform(table_from(f).frame) for f in (text, plain)]
    np.testing.assert_array_equal(*found)


def test_pipeline_predicts_for_other_frames():
    frame = table_from(mixed(100)).frame
    pipeline = make_pipeline_for(classify_columns(frame), AnyRegression(), 100)
    pipeline.fit(frame, np.arange(100.0))
    reordered = frame[["f", "d", "x", "k"]]
    np.testing.assert_allclose(pipeline.predict(reordered), pipeline.predict(frame))


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: f"{c.task[:3]}-{c.name}")
def test_every_candidate_fits_and_counts(candidate):
    assert isinstance(candidate, Candidate)
    X = rng.normal(size=(50, 3))
    y = rng.integers(0, 2, 50) if candidate.task == "classification" else X[:, 0] + 1
    params = {name: values[0] for name, values in candidate.grid.items()}
    model = candidate.make(params, seed=1).fit(X, y)
    assert model.predict(X).shape == (50,)
    if candidate.objective:
        assert len(model.objective_path_) >= 1
    if not candidate.keeps_rows:
        assert all(hasattr(model, name) for name in candidate.counted)
    assert candidate.description.endswith(".")
