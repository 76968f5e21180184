"""Trees and forests come back from a model file and predict the same."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from kiso.persistence import FittedModel, load_model, save_model
from kiso.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

MODELS = [
    DecisionTreeClassifier(),
    DecisionTreeRegressor(),
    RandomForestClassifier(3, random_state=0),
    RandomForestRegressor(3, random_state=0),
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
    np.testing.assert_array_equal(back.apply(table), fitted.apply(table))
