"""Kernel machines against scikit-learn and -intelex.

The objective of a fit is its duality gap, computed here for every contestant alike: in
float64, from `dual_coef_`, `support_` and `intercept_`, summed over the pairs of classes.
That of `predict` is the share of rows that are not given the label of exact values.
"""

from __future__ import annotations

import gzip
from functools import partial
from importlib import import_module
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks._harness import Case
from kiso.datasets import data_home, fetch_mnist

_BLOCK = 2000


def simulated(n: int, d: int) -> Any:
    """Four clusters a class in d / 5 informative features, 5 % of the labels flipped."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n, d, n_informative=max(5, d // 5), n_clusters_per_class=4, flip_y=0.05, random_state=0
    )
    return X.astype(np.float32), y, {}


def libsvm(name: str, d: int) -> Any:
    """A file of the LIBSVM collection, as CSR of float32."""
    from sklearn.datasets import load_svmlight_file

    with gzip.open(data_home() / "libsvm" / f"{name}.gz") as file:
        X, y = load_svmlight_file(file, n_features=d)
    return X.astype(np.float32), y, {}


def mnist() -> Any:
    """The first 10,000 digits, pixels between 0 and 1."""
    X, y = fetch_mnist("train")
    return X[:10_000].reshape(10_000, -1).astype(np.float32) / 255, y[:10_000], {"C": 10.0}


def _fit(module: str, data: Any) -> Any:
    X, y, params = data
    return import_module(module).SVC(**params).fit(X, y)


def _fitted(setup: Any) -> Any:
    """The data, and a machine of each contestant, fitted beforehand."""
    data = setup()
    models = {}
    for module in ("kiso.svm", "sklearn.svm", "sklearnex.svm"):
        try:
            models[module] = _fit(module, data)
        except ImportError:
            continue
    return *data, models


def _predict(module: str, data: Any) -> Any:
    if module not in data[3]:
        raise ImportError(module)
    return module, data[3][module].predict(data[0][:20_000])


def pair_values(model: Any, X: Any, S: Any) -> tuple[Any, Any]:
    """Coefficients (n_SV, n_pairs) and values without b (n, n_pairs), float64."""
    k = len(model.classes_)
    dual = model.dual_coef_
    dual = dual.toarray() if hasattr(dual, "toarray") else dual
    ends = np.cumsum(model.n_support_)
    of = [slice(int(e - c), int(e)) for e, c in zip(ends, model.n_support_, strict=True)]
    coef = np.zeros((dual.shape[1], k * (k - 1) // 2))
    for pair, (a, b) in enumerate(combinations(range(k), 2)):
        if k == 2:
            coef[:, 0] = dual[0]
        else:
            coef[of[a], pair], coef[of[b], pair] = dual[b - 1, of[a]], dual[a, of[b]]
    gamma = float(model._gamma)
    values = np.empty((len(X), coef.shape[1]))
    squares = (S**2).sum(axis=1)
    for start in range(0, len(X), _BLOCK):
        x = X[start : start + _BLOCK]
        K = np.maximum((x**2).sum(axis=1)[:, None] + squares - 2 * x @ S.T, 0)
        values[start : start + _BLOCK] = np.exp(-gamma * K) @ coef
    return coef, values


def duality_gap(data: Any, model: Any) -> float:
    """Primal less dual objective, summed over the pairs."""
    X, y, params = data[:3]
    X = (X.toarray() if hasattr(X, "toarray") else X).astype(np.float64)
    C = params.get("C", 1.0)
    classes, codes = np.unique(y, return_inverse=True)
    coef, values = pair_values(model, X, X[model.support_])
    gap = 0.0
    for pair, (a, b) in enumerate(combinations(range(len(classes)), 2)):
        beta = coef[:, pair]
        some = (codes == a) | (codes == b)
        sign = np.where(codes == (b if len(classes) == 2 else a), 1.0, -1.0)
        quadratic = beta @ values[model.support_, pair]
        f = values[some, pair] + model.intercept_[pair]
        loss = C * np.maximum(0, 1 - sign[some] * f).sum()
        gap += quadratic + loss - np.abs(beta).sum()
    return float(gap)


def disagreement(data: Any, result: Any) -> float:
    """Share of rows that get another label than float64 values give them."""
    module, labels = result
    model = data[3][module]
    X = data[0][:20_000].astype(np.float64)
    values = pair_values(model, X, data[0][model.support_].astype(np.float64))[1]
    exact = model.classes_[(values[:, 0] + model.intercept_[0] > 0).astype(int)]
    return float(np.mean(labels != exact))


def fit_case(name: str, setup: Any, more: Any = None) -> Case:
    return Case(
        name=f"SVC RBF fit, {name}",
        setup=setup,
        contestants={
            "kiso": partial(_fit, "kiso.svm"),
            "sklearn": partial(_fit, "sklearn.svm"),
            "sklearnex": partial(_fit, "sklearnex.svm"),
        },
        objective=duality_gap,
        target=1.5,
        targets=more or {},
        settings="gamma='scale', tol=1e-3, cache_size=200, C=1 unless said; duality gap",
    )


CASES = [
    fit_case("20,000 × 50 float32", partial(simulated, 20_000, 50), {"sklearn": 8.0}),
    fit_case("5,000 × 20 float32", partial(simulated, 5_000, 20)),
    fit_case("a9a, sparse", partial(libsvm, "a9a", 123)),
    fit_case("ijcnn1, sparse", partial(libsvm, "ijcnn1", 22)),
    fit_case("MNIST, 10,000 rows, 10 classes, C=10", mnist),
    Case(
        name="SVC RBF predict, 20,000 queries on 20,000 × 50",
        setup=partial(_fitted, partial(simulated, 20_000, 50)),
        contestants={
            "kiso": partial(_predict, "kiso.svm"),
            "sklearn": partial(_predict, "sklearn.svm"),
            "sklearnex": partial(_predict, "sklearnex.svm"),
        },
        objective=disagreement,
        target=1.5,
        slack=1e300,
        settings="as for the fit; objective = share of labels unlike those of float64 values",
    ),
]
