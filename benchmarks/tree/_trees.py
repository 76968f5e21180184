"""Decision trees and random forests against scikit-learn and -intelex.

A tree's objective is its error on the training rows; a forest's, on rows held out.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case
from kiso.datasets import data_home

DATA = data_home() / "tabular"  # the `KISO_DATA` setting


def simulated(n: int, d: int) -> Any:
    from sklearn.datasets import make_classification

    X, y = make_classification(n, d, random_state=0)
    X = X.astype(np.float32)
    return X, y, X, y


def halves(X: Any, y: Any) -> Any:
    """Two thirds to grow on, one to be scored on."""
    order = np.random.default_rng(0).permutation(len(X))
    first, second = order[: 2 * len(X) // 3], order[2 * len(X) // 3 :]
    return X[first], y[first], X[second], y[second]


def adult() -> Any:
    """32,561 rows, 14 features, categories as ordinal codes (for all contestants)."""
    import pandas as pd

    frame = pd.read_csv(DATA / "adult.data.gz", header=None, skipinitialspace=True)
    y = (frame.pop(frame.columns[-1]) == ">50K").to_numpy(int)
    columns = [
        c if pd.api.types.is_numeric_dtype(c) else pd.factorize(c, sort=True)[0]
        for c in (frame[name] for name in frame)
    ]
    return halves(np.column_stack(columns).astype(np.float32), y)


def covtype() -> Any:
    """10,000 rows of covtype, 54 features, 7 classes."""
    import pandas as pd

    frame = pd.read_csv(DATA / "covtype_sample10k.csv.gz")
    y = frame.pop(frame.columns[-1]).to_numpy()
    return halves(frame.to_numpy(np.float32), y)


def _fit(module: str, name: str, params: dict[str, Any], data: Any) -> Any:
    from importlib import import_module

    model = getattr(import_module(module), name)(random_state=0, **params)
    return model.fit(data[0], data[1])


def error(data: Any, model: Any) -> float:
    return 1 - model.score(data[2], data[3])


def forest(name: str, setup: Any) -> Case:
    kind = "RandomForestClassifier"
    return Case(
        name=f"{kind}, 100 trees, {name}",
        setup=setup,
        contestants={
            "kiso": partial(_fit, "kiso.ensemble", kind, {}),
            "sklearn": partial(_fit, "sklearn.ensemble", kind, {"n_jobs": 2}),
            "sklearnex": partial(_fit, "sklearnex.ensemble", kind, {"n_jobs": 2}),
        },
        objective=error,
        target=1.5,
        slack=0.03,
        settings="defaults, n_jobs=2, float32; objective = error on held-out rows",
    )


_TREE = "DecisionTreeClassifier"
CASES = [
    Case(
        name=f"{_TREE}, depth 12, 200,000 × 20 float32",
        setup=partial(simulated, 200_000, 20),
        contestants={
            "kiso": partial(_fit, "kiso.tree", _TREE, {"max_depth": 12}),
            "sklearn": partial(_fit, "sklearn.tree", _TREE, {"max_depth": 12}),
        },
        objective=error,
        target=5.0,
        settings="max_depth=12; objective = error on the training rows",
    ),
    forest("adult", adult),
    forest("covtype sample", covtype),
]
