"""Every public estimator, small, with the data it takes: one list for all property tests.

`test_registry_is_whole` fails when a class of `kiso.all_estimators()` is not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

import kiso

CLASSES = dict(kiso.all_estimators())

# what a fitted estimator answers, in the order of preference
ANSWERS = (
    "predict_proba",
    "decision_function",
    "predict",
    "transform",
    "score_samples",
    "kneighbors",
)


@dataclass(frozen=True)
class Subject:
    """An estimator that fits in milliseconds, and what data it takes."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    data: str = "table"  # or "pictures" (n, 8, 8), "channels" (n, 1, 8, 8)
    sparse: bool = False
    missing: bool = False  # whether NaN in X is a missing value
    infinite: bool = False  # whether infinity in X is a number like others, as in scikit-learn
    weights: bool = False

    def make(self, **more: Any) -> Any:
        return CLASSES[self.name](**{**self.params, **more})

    @property
    def classifies(self) -> bool:
        return bool(is_classifier(self.make()))

    @property
    def regresses(self) -> bool:
        return bool(is_regressor(self.make()))

    @property
    def steps(self) -> bool:
        return hasattr(CLASSES[self.name], "steps")

    def draw(self, seed: int = 0, n: int = 24) -> tuple[np.ndarray, np.ndarray | None]:
        """Return X and y of this kind of data."""
        rng = np.random.default_rng(seed)
        codes = np.arange(n) % 2
        if self.data != "table":
            X = 0.1 * rng.random((n, 8, 8))
            for i in range(n):
                X[i, 2 + 3 * codes[i], 1:7] += 0.8
            X = X[:, None] if self.data == "channels" else X
        else:
            X = rng.normal(size=(n, 3)) + 1.5 * codes[:, None]
        if self.classifies:
            return X, codes
        if self.regresses:
            return X, X.reshape(n, -1)[:, :2].sum(axis=1) + 0.1 * rng.normal(size=n)
        return X, None

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **more: Any) -> Any:
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.make(**more).fit(X, y, **given)

    def answer(self, model: Any, X: Any) -> np.ndarray:
        """What the fitted model says of X, as numbers or labels."""
        for name in ANSWERS:
            method: Callable[..., Any] | None = getattr(model, name, None)
            if method is not None:
                found = method(X)
                return np.asarray(found[0] if name == "kneighbors" else found)
        raise AssertionError(f"{self.name} answers nothing")


_SEED = {"random_state": 0}
_SGD = {"random_state": 0, "max_iter": 8, "tol": None}
_NET = {
    "random_state": 0,
    "max_iter": 3,
    "hidden_layer_sizes": (4,),
    "n_iter_no_change": np.inf,
    "tol": 0.0,
}
_FOREST = {"random_state": 0, "n_estimators": 3}
_EPISODES = {"random_state": 0, "max_iter": 2, "every": 1, "ways": 2}

SUBJECTS = [
    Subject("BayesianLinearRegression", weights=True),
    Subject(
        "ConvClassifier",
        {**_SEED, "architecture": "conv 2 3x3, relu, pool 2, dense 4", "max_iter": 2},
        data="channels",
        weights=True,
    ),
    Subject("DecisionTreeClassifier", _SEED, sparse=True, missing=True, weights=True),
    Subject("DecisionTreeRegressor", _SEED, sparse=True, missing=True, weights=True),
    Subject(
        "GAN",
        {**_SEED, "generator": (4,), "discriminator": (4,), "n_latent": 2, "max_iter": 2,
         "every": 1, "batch_size": 8},
    ),
    Subject(
        "HistGradientBoostingClassifier",
        {**_SEED, "max_iter": 3, "min_samples_leaf": 2}, missing=True, infinite=True,
        weights=True,
    ),
    Subject(
        "HistGradientBoostingRegressor",
        {**_SEED, "max_iter": 3, "min_samples_leaf": 2}, missing=True, infinite=True,
        weights=True,
    ),
    Subject("IncrementalPCA", {"n_components": 2}, sparse=True),
    Subject("KMeans", {**_SEED, "n_clusters": 2, "n_init": 2}, sparse=True, weights=True),
    Subject("KNeighborsClassifier", {"n_neighbors": 3}, sparse=True),
    Subject("KNeighborsRegressor", {"n_neighbors": 3}, sparse=True),
    Subject("LinearRegression", sparse=True, weights=True),
    Subject("LinearSVC", {**_SEED, "max_iter": 10_000}, sparse=True, weights=True),
    Subject("LinearSVR", {**_SEED, "max_iter": 10_000}, sparse=True, weights=True),
    Subject("LocallyWeightedRegression", {"tau": 1.0}, weights=True),
    Subject("LogisticRegression", sparse=True, weights=True),
    Subject("LogisticRegressionCV", {"cv": 2, "Cs": 2}, sparse=True, weights=True),
    Subject("MLPClassifier", _NET, sparse=True, weights=True),
    Subject("MLPRegressor", _NET, sparse=True, weights=True),
    Subject("MiniBatchKMeans", {**_SEED, "n_clusters": 2}, sparse=True, weights=True),
    Subject("ModifiedHausdorffClassifier", data="pictures"),
    Subject("NearestExampleClassifier"),
    Subject("NearestNeighbors", {"n_neighbors": 3}, sparse=True),
    Subject("OneClassSVM", {"gamma": 0.3}, sparse=True, weights=True),
    Subject("PCA", {**_SEED, "n_components": 2}, sparse=True),
    Subject("Perceptron", _SGD, sparse=True, weights=True),
    Subject("PrototypicalNetwork", _EPISODES),
    Subject("RadiusNeighborsClassifier", {"radius": 50.0}, sparse=True),
    Subject("RadiusNeighborsRegressor", {"radius": 50.0}, sparse=True),
    Subject("RandomForestClassifier", _FOREST, sparse=True, missing=True, weights=True),
    Subject("RandomForestRegressor", _FOREST, sparse=True, missing=True, weights=True),
    Subject("Ridge", sparse=True, weights=True),
    Subject("RidgeCV", sparse=True, weights=True),
    Subject("RidgeClassifier", sparse=True, weights=True),
    Subject("RidgeClassifierCV", sparse=True, weights=True),
    Subject("SGDClassifier", _SGD, sparse=True, weights=True),
    Subject("SGDRegressor", _SGD, sparse=True, weights=True),
    Subject("SVC", {"gamma": 0.3}, sparse=True, weights=True),
    Subject("SVR", {"gamma": 0.3}, sparse=True, weights=True),
    Subject("ScatteringTransform", {"n_scales": 1, "n_orientations": 2}, data="pictures"),
    Subject("SiameseNetwork", _EPISODES),
]  # fmt: skip
