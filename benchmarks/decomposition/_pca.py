"""PCA and IncrementalPCA against scikit-learn and -intelex: fit, the data already in memory.

The objective is what PCA minimises, ‖A − A Vᵀ V‖² of the centred data A, recomputed in
float64 with the components that each library returns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case


def simulated(n: int, d: int, dtype: Any = np.float64) -> Any:
    """Columns with means, a few strong directions, and noise."""
    rng = np.random.default_rng(0)
    strong = rng.standard_normal((20, d)) * np.linspace(2, 0.3, 20)[:, None]
    X = rng.standard_normal((n, 20)) @ strong + rng.standard_normal((n, d))
    X += rng.uniform(-3, 3, size=d)
    return X.astype(dtype)


def fit(library: str, k: int, X: Any, **options: Any) -> Any:
    """Fit `library.decomposition.PCA`; imported when it is called."""
    from importlib import import_module

    return import_module(f"{library}.decomposition").PCA(k, **options).fit(X)


def fit_pieces(library: str, k: int, pieces: int, X: Any) -> Any:
    from importlib import import_module

    model = import_module(f"{library}.decomposition").IncrementalPCA(k)
    for piece in np.array_split(X, pieces):
        model.partial_fit(piece)
    return model.components_ is not None and model


def residual(X: Any, model: Any) -> float:
    """‖A − A Vᵀ V‖²/‖A‖², the share of the variance that is not explained."""
    V = np.linalg.qr(np.asarray(model.components_, dtype=np.float64).T)[0]
    mean = X.mean(axis=0, dtype=np.float64)
    whole = kept = 0.0
    for start in range(0, len(X), 10_000):
        A = X[start : start + 10_000] - mean
        whole += float(np.einsum("ij,ij->", A, A))
        Z = A @ V
        kept += float(np.einsum("ij,ij->", Z, Z))
    return 1 - kept / whole


def case(
    name: str,
    setup: Callable[[], Any],
    *,
    k: int = 10,
    target: float,
    sklearn: tuple[dict[str, Any], ...] = ({},),
    slack: float = 1e-6,
    **options: Any,
) -> Case:
    contestants = {"kiso": partial(fit, "kiso", k, **options)}
    for more in sklearn:
        label = " ".join(["sklearn", *(str(v) for v in more.values())])
        contestants[label] = partial(fit, "sklearn", k, **{**options, **more})
    contestants["sklearnex"] = partial(fit, "sklearnex", k, **options)
    return Case(
        name=f"PCA, {k} components, {name}",
        setup=setup,
        contestants=contestants,
        objective=residual,
        target=target,
        slack=slack,
        settings=f"defaults{', ' + str(options) if options else ''}; objective = unexplained share",
    )


def pieces_case(n: int, d: int, pieces: int, target: float) -> Case:
    return Case(
        name=f"IncrementalPCA, 10 components, {n:,} × {d} float64 in {pieces} pieces",
        setup=partial(simulated, n, d),
        contestants={
            "kiso": partial(fit_pieces, "kiso", 10, pieces),
            "sklearn": partial(fit_pieces, "sklearn", 10, pieces),
        },
        objective=residual,
        target=target,
        settings="partial_fit of each piece, then components_; objective = unexplained share",
    )


_EIGH: tuple[dict[str, Any], ...] = ({}, {"svd_solver": "covariance_eigh"})
_RANDOM = {"svd_solver": "randomized", "random_state": 0}
CASES = [
    case("60,000 × 784 float64", partial(simulated, 60_000, 784), target=1.5, sklearn=_EIGH),
    case("500,000 × 50 float64", partial(simulated, 500_000, 50), target=1.3, sklearn=_EIGH),
    case("60,000 × 784 float32", partial(simulated, 60_000, 784, np.float32), target=1.0),
    case("500 × 20,000 float64", partial(simulated, 500, 20_000), target=1.0),
    case("5,000 × 5,000 float64", partial(simulated, 5_000, 5_000), target=1.0, **_RANDOM),
    pieces_case(500_000, 50, 100, target=5.0),
    pieces_case(20_000, 784, 20, target=5.0),
]
