"""Fitting on one table, predicting for another that is not quite like it."""

import numpy as np
import pandas as pd
import pytest

from kiso.comparison import CANDIDATES, DataError, table_from
from kiso.persistence import load_model, parse_params, predict_table, save_model, train_model

RNG = np.random.default_rng(0)
N = 120


def make_frame(n=N, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(100.0, 20.0, n)
    town = rng.choice(["Ulm", "Bonn", "Trier"], n)
    day = pd.date_range("2020-01-01", periods=n).strftime("%Y-%m-%d").to_numpy(dtype=object)
    garden = rng.random(n) < 0.5
    price = 3.0 * size + 50.0 * (town == "Bonn") + 20.0 * garden + rng.normal(0, 5.0, n)
    frame = pd.DataFrame(
        {"size": size, "town": town, "built": day, "garden": garden, "price": price}
    )
    frame.loc[3, "size"] = np.nan
    frame.loc[4, "town"] = None
    frame["dear"] = np.where(price > 330, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def ridge():
    frame = make_frame().drop(columns="dear")
    return train_model(table_from(frame, "houses"), "price", "ridge", params={"alpha": 0.1})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: f"{c.task}-{c.name}")
def test_every_candidate_is_saved_and_comes_back(candidate, tmp_path):
    """A new candidate has to be in the closed registry of types."""
    frame = make_frame()
    target, other = ("dear", "price") if candidate.task == "classification" else ("price", "dear")
    table = table_from(frame.drop(columns=other), "houses")
    model = train_model(table, target, candidate.name, task=candidate.task)
    back = load_model(save_model(model, tmp_path / "m.kiso"))
    here, _ = predict_table(model, table)
    there, notes = predict_table(back, table)
    pd.testing.assert_frame_equal(here, there)
    assert notes == []
    assert back.estimator == candidate.class_name


def test_prediction_is_good(ridge):
    new = make_frame(seed=1)
    predictions, _ = predict_table(ridge, table_from(new, "new"))
    error = predictions["prediction"] - new["price"]
    assert np.sqrt(np.mean(error**2)) < 20


def test_order_of_columns_does_not_matter(ridge):
    frame = make_frame(seed=1)
    first, _ = predict_table(ridge, table_from(frame, "a"))
    second, _ = predict_table(ridge, table_from(frame[frame.columns[::-1]], "b"))
    pd.testing.assert_frame_equal(first, second)


def test_missing_columns_are_named_with_the_nearest(ridge):
    frame = make_frame().rename(columns={"size": "Size_m2", "town": "Town"})
    with pytest.raises(DataError, match=r"lacks 2 columns.*'size', 'town'.*'Town' for 'town'"):
        predict_table(ridge, table_from(frame, "new"))


def test_new_columns_are_said(ridge):
    frame = make_frame().assign(colour="red")
    _, notes = predict_table(ridge, table_from(frame, "new"))
    assert any("'colour'" in note and "not used" in note for note in notes)


def test_text_where_numbers_were(ridge):
    frame = make_frame()
    frame["size"] = frame["size"].astype(object)
    frame.loc[7, "size"] = "large"
    predictions, notes = predict_table(ridge, table_from(frame, "new"))
    assert predictions["prediction"].isna().tolist() == [i == 7 for i in range(N)]
    assert "1 row has no prediction: row 8: column 'size' held numbers in training" in notes[-1]
    assert "'large'" in notes[-1]
    whole, _ = predict_table(ridge, table_from(make_frame(), "new"))
    np.testing.assert_array_equal(predictions.drop(index=7), whole.drop(index=7))
    with pytest.raises(DataError, match=r"Row 8 of new: column 'size' held numbers.*'large'"):
        predict_table(ridge, table_from(frame, "new"), strict=True)
    frame["size"] = "large"
    with pytest.raises(DataError, match=r"'size' of new held numbers in training; row 1.*'large'"):
        predict_table(ridge, table_from(frame, "new"))


def test_numbers_where_text_was(ridge):
    frame = make_frame().assign(town=np.arange(N, dtype=float))
    predictions, notes = predict_table(ridge, table_from(frame, "new"))
    assert len(predictions) == N
    assert any("'town' was text in training" in note for note in notes)


def test_dates_in_another_format_are_not_taken_as_missing(ridge):
    frame = make_frame()
    frame["built"] = frame["built"].astype(object)
    frame.loc[2, "built"] = "yesterday"
    predictions, notes = predict_table(ridge, table_from(frame, "new"))
    assert predictions["prediction"].isna().tolist() == [i == 2 for i in range(N)]
    assert "row 3: column 'built' held dates in training, and is 'yesterday'" in notes[-1]
    with pytest.raises(DataError, match=r"Row 3 of new: column 'built'.*'yesterday'"):
        predict_table(ridge, table_from(frame, "new"), strict=True)
    frame["built"] = "yesterday"
    with pytest.raises(DataError, match=r"'built'.*row 1 holds 'yesterday'"):
        predict_table(ridge, table_from(frame, "new"))


def test_numbers_where_dates_were(ridge):
    with pytest.raises(DataError, match="'built' of new held dates"):
        predict_table(ridge, table_from(make_frame().assign(built=1.0), "new"))


def test_unseen_categories_are_said(ridge):
    frame = make_frame()
    frame.loc[:1, "town"] = ["Rome", "Oslo"]
    _, notes = predict_table(ridge, table_from(frame, "new"))
    assert any("2 values not seen in training: 'Oslo', 'Rome'" in note for note in notes)


def test_all_missing_column(ridge):
    frame = make_frame().assign(size=np.nan, town=None)
    predictions, notes = predict_table(ridge, table_from(frame, "new"))
    assert predictions["prediction"].notna().all()
    assert sum("is empty" in note for note in notes) == 2


def test_one_row(ridge):
    frame = make_frame().iloc[[5]].reset_index(drop=True)
    predictions, _ = predict_table(ridge, table_from(frame, "new"))
    assert predictions.shape == (1, 1)


def test_probabilities():
    table = table_from(make_frame().drop(columns="price"), "houses")
    model = train_model(table, "dear", "logistic")
    predictions, _ = predict_table(model, table, probabilities=True)
    assert list(predictions.columns) == ["prediction", "P(no)", "P(yes)"]
    np.testing.assert_allclose(predictions[["P(no)", "P(yes)"]].sum(axis=1), 1.0)
    likelier = np.where(predictions["P(yes)"] > 0.5, "yes", "no")
    assert (predictions["prediction"] == likelier).all()


def test_probabilities_of_a_model_without(ridge):
    with pytest.raises(DataError, match="no probabilities"):
        predict_table(ridge, table_from(make_frame(), "new"), probabilities=True)


def test_tuning_chooses_from_the_grid():
    table = table_from(make_frame().drop(columns="dear"), "houses")
    model = train_model(table, "price", "ridge", tune=True)
    assert model.pipeline[-1].alpha in (1000.0, 100.0, 10.0, 1.0, 0.1)
    kept = train_model(table, "price", "ridge", tune=True, params={"alpha": 3.0})
    assert kept.pipeline[-1].alpha == 3.0


@pytest.mark.parametrize(
    ("target", "model", "params", "message"),
    [
        ("prise", "ridge", {}, "'price'"),
        ("price", "rigde", {}, "ridge"),
        ("price", "logistic", {}, "classification"),
        ("price", "ridge", {"alfa": 1}, "alpha"),
        ("price", "ridge", {"alpha": "much"}, "alpha"),
    ],
)
def test_mistakes_are_one_sentence(target, model, params, message):
    table = table_from(make_frame().drop(columns="dear"), "houses")
    with pytest.raises(DataError, match=message):
        train_model(table, target, model, params=params)


@pytest.mark.parametrize("text", ["C", "=1", ""])
def test_settings_need_a_name_and_a_value(text):
    with pytest.raises(DataError, match="name=value"):
        parse_params([text])
