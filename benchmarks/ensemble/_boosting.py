"""Gradient boosting on histograms against scikit-learn and LightGBM.

The objective is the cross-entropy on rows held out.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.metrics import log_loss

from benchmarks._harness import Case
from benchmarks.tree._trees import adult, covtype, simulated

KIND = "HistGradientBoostingClassifier"


def made() -> Any:
    X, y, _, _ = simulated(220_000, 20)
    return X[:200_000], y[:200_000], X[200_000:], y[200_000:]


def _fit(module: str, data: Any) -> Any:
    from importlib import import_module

    model = getattr(import_module(module), KIND)(early_stopping=False, random_state=0)
    return model.fit(data[0], data[1])


def _lightgbm(data: Any) -> Any:
    from lightgbm import LGBMClassifier

    # its defaults are those of the others: 100 steps, 31 leaves, 20 rows a leaf, 255 bins
    return LGBMClassifier(n_jobs=2, min_child_weight=1e-3, verbose=-1).fit(data[0], data[1])


def held_out(data: Any, model: Any) -> float:
    return float(log_loss(data[3], model.predict_proba(data[2])))


def boosting(name: str, setup: Any) -> Case:
    return Case(
        name=f"{KIND}, 100 steps, {name}",
        setup=setup,
        contestants={
            "kiso": partial(_fit, "kiso.ensemble"),
            "sklearn": partial(_fit, "sklearn.ensemble"),
            "lightgbm": _lightgbm,
        },
        objective=held_out,
        target=1.2,
        slack=0.03,
        settings="defaults, no early stopping, float32; objective = log loss on held-out rows",
    )


CASES = [
    boosting("200,000 × 20", made),
    boosting("adult", adult),
    boosting("covtype sample", covtype),
]
