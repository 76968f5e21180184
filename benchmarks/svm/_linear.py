"""LinearSVC and LinearSVR against scikit-learn (liblinear), each at its default tolerance.

The objective is the primal, ½(‖w‖² + b²) + C Σ ℓ, computed here for both. Data are left out
where the files are not in kiso's data folder (`KISO_DATA`).
"""

from __future__ import annotations

from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks._harness import Case
from kiso.datasets import data_home


@cache
def libsvm(name: str) -> tuple[Any, Any]:
    """A file of the LIBSVM collection: CSR of float64 with 32-bit indices, as liblinear asks."""
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(data_home() / "libsvm" / f"{name}.gz"))
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X, np.where(y > 0, 1.0, -1.0)


@cache
def simulated(*, classes: bool) -> tuple[Any, Any]:
    """20,000 rows of 50 features."""
    from sklearn.datasets import make_classification, make_regression

    if classes:
        X, y = make_classification(20_000, 50, random_state=0)
        return X, 2.0 * y - 1.0
    return make_regression(20_000, 50, noise=10.0, random_state=0)


def fit(module: str, kind: str, params: dict[str, Any], data: tuple[Any, Any]) -> Any:
    return getattr(import_module(module), kind)(random_state=0, **params).fit(*data)


def primal(data: tuple[Any, Any], model: Any) -> float:
    X, y = data
    f = np.asarray(X @ model.coef_.ravel()) + model.intercept_[0]
    out = np.maximum(0, 1 - y * f) if hasattr(model, "classes_") else np.abs(y - f)
    losses = out**2 if model.loss.startswith("squared") else out
    return float(0.5 * (np.sum(model.coef_**2) + model.intercept_[0] ** 2) + losses.sum())


def case(kind: str, title: str, setup: Any, **params: Any) -> Case:
    return Case(
        name=f"{kind}, {title}",
        setup=setup,
        contestants={
            "kiso": partial(fit, "kiso.svm", kind, params),
            "sklearn": partial(fit, "sklearn.svm", kind, params),
        },
        objective=primal,
        target=1.5,
        settings="both: C=1, tol=1e-4, as many iterations as they need; objective = the primal",
    )


MANY = 1_000_000  # liblinear needs more than the default 1000 epochs for losses with a kink
SPARSE = {"a9a": "32,561 × 123", "reuters": "7,770 × 8,315"}
CASES = [
    case(
        "LinearSVC",
        f"{name} {shape} sparse, {loss}",
        partial(libsvm, name),
        loss=loss,
        max_iter=MANY,
    )
    for name, shape in SPARSE.items()
    for loss in ("squared_hinge", "hinge")
    if (data_home() / "libsvm").exists()
]
CASES += [
    case("LinearSVC", "20,000 × 50", partial(simulated, classes=True)),
    case("LinearSVR", "20,000 × 50", partial(simulated, classes=False), max_iter=MANY),
]
