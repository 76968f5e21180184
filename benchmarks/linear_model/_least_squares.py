"""LinearRegression, Ridge and BayesianLinearRegression against scikit-learn and -intelex.

Everyone minimises the same objective. The data are those of the issue (60,000 × 784 and
500,000 × 50, float64), float32 and wide variants, and sparse text, reuters.gz of the
LIBSVM collection, where it is in kiso's data folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case
from kiso.datasets import data_home


def simulated(n: int, d: int, dtype: Any = np.float64) -> tuple[Any, Any]:
    """Columns with means and neighbours that are correlated, noise of deviation 1."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    X[:, 1:] += 0.5 * X[:, :-1]
    X += rng.uniform(-3, 3, size=d)
    y = X @ rng.standard_normal(d) + rng.standard_normal(n)
    return X.astype(dtype), y.astype(dtype)


def reuters() -> tuple[Any, Any]:
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(data_home() / "libsvm" / "reuters.gz"))
    return X, (y == y.max()).astype(float)


def fit(library: str, name: str, data: tuple[Any, Any], **options: Any) -> Any:
    """Fit `library.linear_model.name`; imported when it is called."""
    from importlib import import_module

    estimator = getattr(import_module(f"{library}.linear_model"), name)
    return estimator(**options).fit(*data)


def penalised(data: tuple[Any, Any], model: Any, *, alpha: float) -> float:
    """Σ (y − x w − b)² + α ‖w‖², in float64."""
    X, y = data
    w = np.asarray(model.coef_, dtype=np.float64).ravel()
    b = float(np.ravel(model.intercept_)[0])
    dense = not hasattr(X, "tocsr")
    squares = 0.0
    for start in range(0, X.shape[0], 10_000):
        part = X[start : start + 10_000]
        r = y[start : start + 10_000] - (part.astype(float) if dense else part) @ w - b
        squares += float(r @ r)
    return squares + alpha * float(w @ w)


def case(
    name: str,
    setup: Callable[[], Any],
    *,
    estimator: str = "Ridge",
    alpha: float = 1.0,
    target: float = 1.2,
    targets: dict[str, float] | None = None,
    sklearn: tuple[dict[str, Any], ...] = ({},),
    slack: float = 1e-6,
    **options: Any,
) -> Case:
    def peer(library: str, more: dict[str, Any]) -> Callable[[Any], Any]:
        return partial(fit, library, estimator, **options, **more)

    contestants = {"kiso": peer("kiso", {})}
    for more in sklearn:
        label = " ".join(["sklearn", *(str(v) for v in more.values())])
        contestants[label] = peer("sklearn", more)
    contestants["sklearnex"] = peer("sklearnex", {})
    return Case(
        name=f"{estimator}, {name}",
        setup=setup,
        contestants=contestants,
        objective=partial(penalised, alpha=alpha if estimator == "Ridge" else 0.0),
        target=target,
        targets=targets or {},
        slack=slack,
        settings=f"defaults{', ' + str(options) if options else ''}; objective = Σ r² + α ‖w‖²",
    )


def _bayes() -> Case:
    """Evidence maximisation on both sides; the objective is what both end at, Σ r²."""
    return Case(
        name="BayesianLinearRegression with evidence, 500,000 × 50 float64",
        setup=partial(simulated, 500_000, 50),
        contestants={
            "kiso": partial(fit, "kiso", "BayesianLinearRegression", optimize_prior=True),
            "sklearn BayesianRidge": partial(fit, "sklearn", "BayesianRidge"),
        },
        objective=partial(penalised, alpha=0.0),
        target=1.5,
        settings="defaults; flat priors on the two variances in effect; objective = Σ r²",
    )


_CHOLESKY: tuple[dict[str, Any], ...] = ({"solver": "cholesky"},)
_LINEAR: dict[str, Any] = {"estimator": "LinearRegression", "targets": {"sklearn": 5.0}}
CASES = [
    case("60,000 × 784 float64", partial(simulated, 60_000, 784), **_LINEAR),
    case("500,000 × 50 float64", partial(simulated, 500_000, 50), **_LINEAR),
    case("60,000 × 784 float64", partial(simulated, 60_000, 784), sklearn=_CHOLESKY),
    case("500,000 × 50 float64", partial(simulated, 500_000, 50), sklearn=_CHOLESKY),
    case(
        "60,000 × 784 float32",
        partial(simulated, 60_000, 784, np.float32),
        sklearn=_CHOLESKY,
    ),
    case("500 × 20,000 float64", partial(simulated, 500, 20_000), sklearn=_CHOLESKY, target=1.0),
    _bayes(),
]
if (data_home() / "libsvm").exists():
    CASES.append(
        case(
            "reuters 7,770 × 8,315, sparse",
            reuters,
            sklearn=({"solver": "sparse_cg"}, {"solver": "lsqr"}),
            target=1.0,
        )
    )
