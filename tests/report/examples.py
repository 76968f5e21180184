"""Synthetic results of `compare`, filled by hand: what the report has to show."""

import numpy as np

from kiso.comparison import (
    Column,
    Comparison,
    Curve,
    Data,
    Diagnostics,
    Difference,
    Model,
    Protocol,
    Weight,
)

NAMES = ["ridge", "linear", "bayes", "local", "sgd", "huber-sgd"]


def protocol(task, n_rows, *, n_folds=5, n_repeats=1, metric=None):
    test = n_rows // n_folds if n_folds > 1 else n_rows // 5
    metric = metric or ("accuracy" if task == "classification" else "r2")
    labels = {"accuracy": "accuracy", "r2": "R²", "neg_root_mean_squared_error": "RMSE"}
    return Protocol(
        task=task,
        task_reason="the target holds numbers with many distinct values",
        metric=metric,
        metric_label=labels[metric],
        n_folds=n_folds,
        n_repeats=n_repeats,
        n_inner_folds=3,
        fold_sizes=[(n_rows - test, test)] * (n_folds * n_repeats),
        stratified=task == "classification",
        seed=0,
        budget_seconds=60.0,
    )


def table(task, n_rows, classes=()):
    columns = [
        Column("area", "number", 0, 120, True),
        Column("<script>alert('x')</script>", "category", 3, 7, True, 'a "quoted" & <b>note</b>'),
        Column("price in $ and $/m²", "number", 1, 88, True),
        Column("id", "identifier", 0, n_rows, False, "one value a row"),
    ]
    counts = [n_rows // len(classes)] * len(classes) if classes else []
    return Data("houses.csv", n_rows, n_rows + 2, "price", columns, list(classes), counts,
                ["2 rows have no target and were left out"])  # fmt: skip


def model(name, rng, mean, *, n_folds=5, baseline=False, status="done", diagnostics=None):
    scores = list(mean + rng.normal(0, 0.015, n_folds))
    gap = 0.9 - mean
    return Model(
        name=name,
        estimator=name.title(),
        description=f"What {name} fits, in a sentence.",
        baseline=baseline,
        status=status,
        scores=scores,
        train_scores=[s + 0.02 for s in scores],
        params=[{"alpha": 1.0 if i % 2 else 0.1} for i in range(n_folds)],
        grid={"alpha": [0.1, 1.0, 10.0]},
        fit_seconds=list(rng.lognormal(-3 + 5 * rng.random(), 0.1, n_folds)),
        predict_seconds=[0.002] * n_folds,
        memory_bytes=3_200_000,
        n_parameters=13,
        n_fits=16,
        difference=Difference(gap, gap - 0.02, gap + 0.02, 0.03 if gap > 0.02 else 0.4),
        diagnostics=diagnostics or Diagnostics(),
    )


def curve(mean):
    rows = [40, 80, 160, 320]
    return Curve(
        rows,
        [mean + 0.3 / np.sqrt(n) for n in rows],
        [mean - 0.9 / np.sqrt(n) for n in rows],
        80,
        "Slightly over-fitting: the rows that it was fitted on score 0.02 more; more rows help.",
    )


def fit_pictures(rng, mean):
    """What the pictures of a linear model need besides predictions."""
    weights = [Weight(f"feature {i}", float(v)) for i, v in enumerate(rng.normal(size=30))]
    return {
        "curve": curve(mean),
        "objective": list(np.exp(-np.arange(30) / 3) + 0.1),
        "objective_label": "mean squared error + penalty",
        "weights": sorted(weights, key=lambda w: -abs(w.value)),
    }


def regression(n_rows=400, n_held_out=None, n_models=2, **options):
    """Models and a baseline on a regression."""
    rng = np.random.default_rng(0)
    models = []
    for i, name in enumerate(NAMES[:n_models]):
        mean = 0.9 - 0.02 * i
        truth = rng.normal(200, 60, n_held_out or n_rows)
        predicted = truth + rng.standard_t(4, len(truth)) * (10 + 5 * i)
        found = Diagnostics(
            list(range(len(truth))), truth.tolist(), predicted.tolist(), **fit_pictures(rng, mean)
        )
        models.append(model(name, rng, mean, diagnostics=found))
    models.append(model("dummy", rng, 0.0, baseline=True))
    return Comparison(
        table("regression", n_rows), protocol("regression", n_rows, **options), models, 34.2, True,
        versions={"kiso": "0.1", "python": "3.11"},
        conclusion="ridge is best, surely better than huber-sgd.",
    )  # fmt: skip


def classification(classes=("no", "yes"), n_rows=600, n_models=2, probability=True):
    """Models and a baseline on a classification."""
    rng = np.random.default_rng(1)
    k, models = len(classes), []
    for i, name in enumerate(["logistic", "perceptron", "sgd"][:n_models]):
        code = rng.integers(k, size=n_rows)
        logits = rng.normal(size=(n_rows, k)) * 1.5
        logits[np.arange(n_rows), code] += 3 - i * 0.5
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        found = Diagnostics(
            list(range(n_rows)),
            [classes[c] for c in code],
            [classes[c] for c in p.argmax(axis=1)],
            p.tolist() if probability and i != 1 else [],
            **fit_pictures(rng, 0.85 - 0.03 * i),
        )
        for weight in found.weights:
            weight.of = str(classes[0]) if k > 2 else ""
        models.append(model(name, rng, 0.9 - 0.03 * i, diagnostics=found))
    models.append(model("dummy", rng, 0.5, baseline=True))
    return Comparison(
        table("classification", n_rows, classes), protocol("classification", n_rows), models, 9.0,
        True, versions={"kiso": "0.1"}, conclusion="logistic is best.",
    )  # fmt: skip
