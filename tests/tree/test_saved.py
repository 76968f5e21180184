"""Trees and forests come back from a model file and predict the same."""

import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from kiso.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from kiso.persistence import FittedModel, load_model, save_model
from kiso.tree import DecisionTreeClassifier, DecisionTreeRegressor

MODELS = [
    DecisionTreeClassifier(),
    DecisionTreeRegressor(),
    RandomForestClassifier(3, random_state=0),
    RandomForestRegressor(3, random_state=0),
    HistGradientBoostingClassifier(max_iter=3),
    HistGradientBoostingRegressor(max_iter=3),
]


@pytest.mark.parametrize("estimator", MODELS, ids=lambda model: type(model).__name__)
def test_what_comes_back_predicts_the_same(estimator, tmp_path):
    rng = np.random.default_rng(0)
    towns = pd.Categorical(rng.choice(["a", "b", "c"], 60))
    table = pd.DataFrame({"age": rng.normal(size=60), "town": towns})
    table.loc[3, "age"] = np.nan
    y = (table["town"] == "b").to_numpy(int) + (table["age"] > 0).to_numpy(int)
    pipeline = make_pipeline(estimator).fit(table, y)
    fitted = pipeline[-1]
    assert len(np.unique(fitted.predict(table))) > 1
    classes = [str(c) for c in getattr(fitted, "classes_", [])]
    model = FittedModel(
        pipeline=pipeline,
        estimator=type(fitted).__name__,
        task="classification" if classes else "regression",
        target="y",
        columns={"age": "number", "town": "category"},
        class_names=classes,
        n_rows=60,
        versions={"kiso": "0.1.0"},
    )
    back = load_model(save_model(model, tmp_path / "model.kiso")).pipeline[-1]
    np.testing.assert_array_equal(back.predict(table), fitted.predict(table))
    if hasattr(fitted, "apply"):
        np.testing.assert_array_equal(back.apply(table), fitted.apply(table))


def test_a_file_of_before_the_move_loads(tmp_path):
    """Forests stood in kiso.tree until 0.1; files of that time say so."""
    X, y = np.arange(12.0).reshape(-1, 1), np.arange(12) % 3 > 0
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    model = FittedModel(
        pipeline=make_pipeline(forest), estimator="RandomForestClassifier",
        task="classification", target="y", columns={"x": "number"},
        class_names=["False", "True"], n_rows=12, versions={"kiso": "0.1.0"},
    )  # fmt: skip
    new, old = save_model(model, tmp_path / "new.kiso"), tmp_path / "old.kiso"
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(b"kiso.ensemble._forest", b"kiso.tree._forest"))
    assert b"kiso.tree._forest" in zipfile.ZipFile(old).read("schema.json")
    back = load_model(old).pipeline[-1]
    assert type(back) is RandomForestClassifier
    np.testing.assert_array_equal(back.predict(X), forest.predict(X))


def test_the_old_import_works_and_says_so():
    with pytest.warns(FutureWarning, match="import it from kiso.ensemble"):
        from kiso.tree import RandomForestRegressor as Old
    assert Old is RandomForestRegressor
