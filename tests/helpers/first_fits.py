"""What people fit first: every public estimator with default parameters, on small data.

One list serves three purposes: `tests/byte_equality.py` compares the results of two checkouts,
`tests/record_loops.py` records which loops the fits call, and `.ci/run` checks that none of them
has to be compiled after an installation from a wheel.

Each case is an estimator, its parameters, a data set and the containers that it takes. Sizes are
chosen so that the code paths of ordinary data run: some thousands of rows where a small sample
takes another path.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from scipy import sparse

METHODS = (
    "predict",
    "predict_proba",
    "decision_function",
    "transform",
    "score_samples",
    "kneighbors",
    "radius_neighbors",
)


@dataclass(frozen=True)
class Case:
    """An estimator with parameters, the data it is fitted on, and what it accepts."""

    path: str  # "cluster:KMeans"
    data: str = "classes"
    params: dict[str, Any] = field(default_factory=dict)
    sparse: bool = False
    dtypes: tuple[str, ...] = ("float64", "float32")

    @property
    def name(self) -> str:
        given = ",".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.path.partition(':')[2]}({given}) {self.data}"

    def make(self) -> Any:
        room, _, name = self.path.partition(":")
        try:
            return getattr(import_module(f"kiso.{room}"), name)(**self.params)
        except ModuleNotFoundError:  # an older checkout: forests stood among the trees
            return getattr(import_module("kiso.tree"), name)(**self.params)


def _seed(**params: Any) -> dict[str, Any]:
    return {"random_state": 0, **params}


CASES = [
    Case("linear_model:LinearRegression", "numbers", sparse=True),
    Case("linear_model:LinearRegression", "targets"),
    Case("linear_model:Ridge", "numbers", sparse=True),
    Case("linear_model:BayesianLinearRegression", "numbers"),
    Case("linear_model:LocallyWeightedRegression", "curve"),
    Case("linear_model:LocallyWeightedRegression", "curve", {"tau": 0.3, "degree": 2}),
    Case("linear_model:LogisticRegression", "two", sparse=True),
    Case("linear_model:LogisticRegression", "classes", sparse=True),
    Case("linear_model:Perceptron", "classes", _seed(), sparse=True),
    Case("linear_model:SGDClassifier", "classes", _seed(), sparse=True),
    Case("linear_model:SGDClassifier", "two", _seed(loss="log_loss"), sparse=True),
    Case("linear_model:SGDRegressor", "numbers", _seed(), sparse=True),
    Case("svm:SVC", "classes", sparse=True),
    Case("svm:SVC", "two", {"kernel": "linear"}, sparse=True),
    Case("svm:SVC", "two", {"kernel": "poly"}),
    Case("svm:SVR", "numbers", sparse=True),
    Case("svm:OneClassSVM", "two", sparse=True),
    Case("svm:LinearSVC", "classes", _seed(), sparse=True),
    Case("svm:LinearSVR", "numbers", _seed(), sparse=True),
    Case("neighbors:NearestNeighbors", "classes", sparse=True),
    Case("neighbors:KNeighborsClassifier", "classes", sparse=True),
    Case("neighbors:KNeighborsClassifier", "flat", {"algorithm": "kd_tree"}),
    Case("neighbors:KNeighborsClassifier", "classes", {"metric": "manhattan"}),
    Case("neighbors:KNeighborsRegressor", "numbers", sparse=True),
    Case("neighbors:RadiusNeighborsClassifier", "flat", {"radius": 2.0}, sparse=True),
    Case("neighbors:RadiusNeighborsRegressor", "flat", {"radius": 2.0}, sparse=True),
    Case("cluster:KMeans", "many", _seed(n_clusters=8), sparse=True),
    Case("cluster:KMeans", "classes", _seed(n_clusters=3, n_init=4), sparse=True),
    Case("cluster:KMeans", "many", _seed(n_clusters=60)),
    Case("cluster:MiniBatchKMeans", "many", _seed(n_clusters=8), sparse=True),
    Case("decomposition:PCA", "classes", _seed(n_components=4)),
    Case("decomposition:PCA", "wide", _seed(n_components=4)),
    Case("decomposition:IncrementalPCA", "classes", {"n_components": 4}),
    Case("tree:DecisionTreeClassifier", "classes", _seed()),
    Case("tree:DecisionTreeRegressor", "numbers", _seed()),
    Case("ensemble:RandomForestClassifier", "classes", _seed(n_estimators=20)),
    Case("ensemble:RandomForestRegressor", "numbers", _seed(n_estimators=20)),
    Case("neural_network:MLPClassifier", "classes", _seed(max_iter=6)),
    Case("neural_network:MLPClassifier", "two", _seed(max_iter=6)),
    Case("neural_network:MLPRegressor", "numbers", _seed(max_iter=6)),
    Case("neural_network:ConvClassifier", "pictures", _seed(max_iter=2)),
    Case("neural_network:GAN", "flat", _seed(max_iter=20, every=10, generator=(16,),
                                             discriminator=(16,), n_latent=2)),
    Case("few_shot:ModifiedHausdorffClassifier", "ink"),
    Case("few_shot:NearestExampleClassifier", "classes"),
    Case("few_shot:PrototypicalNetwork", "episodes", _seed(ways=5, max_iter=6, every=3)),
    Case("few_shot:SiameseNetwork", "episodes", _seed(max_iter=6, every=3)),
    Case("scattering:ScatteringTransform", "pictures2d", {"n_scales": 2, "n_orientations": 4}),
]  # fmt: skip


def data_of(kind: str) -> tuple[Any, Any]:
    """Return X and y in float64."""
    rng = np.random.default_rng(7)
    if kind in ("classes", "two", "many", "flat"):
        k = {"classes": 3, "two": 2, "many": 12, "flat": 3}[kind]
        d = {"classes": 10, "two": 10, "many": 16, "flat": 2}[kind]
        n = 6000 if kind == "many" else 1500
        y = rng.integers(0, k, n)
        X = rng.normal(size=(k, d))[y] * 2 + rng.normal(size=(n, d))
        if kind != "flat":
            X[np.abs(X) < 0.4] = 0.0  # so that sparse has a meaning
        return X, y
    if kind in ("numbers", "targets"):
        X = rng.normal(size=(1500, 10))
        X[np.abs(X) < 0.4] = 0.0
        W = rng.normal(size=(10, 3 if kind == "targets" else 1))
        y = X @ W + 0.1 * rng.normal(size=(1500, W.shape[1]))
        return X, y if kind == "targets" else y[:, 0]
    if kind == "curve":
        X = rng.uniform(0, 6, (400, 1))
        return X, np.sin(X[:, 0]) + 0.1 * rng.normal(size=400)
    if kind == "wide":
        return rng.normal(size=(60, 300)), None
    if kind in ("pictures", "pictures2d", "ink"):
        n, side = (20, 9) if kind == "ink" else (200, 16)
        y = np.arange(n) % 4
        X = 0.1 * rng.random((n, side, side))
        for i in range(n):
            X[i, 2 * y[i] : 2 * y[i] + 2] += 0.8
        return X[:, None] if kind == "pictures" else X, y
    if kind == "episodes":
        y = np.repeat(np.arange(12), 20)
        return rng.normal(size=(12, 4))[y] + 0.1 * rng.normal(size=(240, 4)), y
    raise ValueError(kind)


def variants() -> Iterator[tuple[str, Case, Any, Any]]:
    """Yield (name, case, X, y) over cases, dtypes and containers."""
    for case in CASES:
        X, y = data_of(case.data)
        for dtype in case.dtypes:
            dense = np.ascontiguousarray(X, dtype=dtype)
            yield f"{case.name} {dtype} dense", case, dense, y
            if case.sparse:
                yield f"{case.name} {dtype} csr", case, sparse.csr_matrix(dense), y


def answers(case: Case, X: Any, y: Any) -> dict[str, Any]:
    """Fit and predict: public fitted attributes and what the methods return, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = case.make()
        model.fit(X) if y is None else model.fit(X, y)
        found = {
            name: value
            for name, value in vars(model).items()
            if name.endswith("_") and not name.startswith("_")
        }
        few = X[:100]
        for name in METHODS:
            if hasattr(model, name):
                found[name] = getattr(model, name)(few)
        if hasattr(model, "sample"):
            found["sample"] = model.sample(10, random_state=0)
    return found
