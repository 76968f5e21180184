"""k-means: Lloyd's iterations from given centres, seeding, and whole fits.

Every contestant of a Lloyd case starts from the same rows and does 30 iterations (tol=0;
one that meets a fixed point earlier may stop). What is compared is Σ min_j ‖x − c_j‖² of
the centres that come out, computed here. An iteration is at least one product of rows and
centres, 2 n k d operations; `settings` says how many that makes, so that time × 155
GFLOP/s (NumPy's float32 product on the two cores of the reference machine) gives the share
of the machine's speed. Bounds do less than that work, and then the share exceeds 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case
from kiso.datasets import available, data_home

ITERATIONS = 30
Data = tuple[Any, Any]


def rows(n: int, d: int, k: int, *, blobs: bool) -> Data:
    """Give n rows and k of them as initial centres; Gaussian, or k overlapping blobs."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    if blobs:
        X += (3 * rng.standard_normal((k, d)))[rng.integers(0, k, n)]
    X = X.astype(np.float32)
    return X, X[rng.choice(n, k, replace=False)].copy()


def mnist(k: int) -> Data:
    from kiso.datasets import fetch_mnist

    X = fetch_mnist()[0].reshape(60_000, -1).astype(np.float32)
    return X, X[np.random.default_rng(0).choice(len(X), k, replace=False)].copy()


def ijcnn1(k: int) -> Data:
    from sklearn.datasets import load_svmlight_file

    X = load_svmlight_file(str(data_home() / "libsvm" / "ijcnn1.gz"))[0].toarray()
    return X, X[:k]


def estimator(library: str) -> Any:
    if library == "kiso":
        from kiso.cluster import KMeans
    elif library == "sklearn":
        from sklearn.cluster import KMeans
    else:
        from sklearnex.cluster import KMeans
    return KMeans


def lloyd(data: Data, *, library: str) -> Any:
    X, centers = data
    model = estimator(library)(len(centers), init=centers, n_init=1, max_iter=ITERATIONS, tol=0)
    return quietly(model, X).cluster_centers_


def lloyd_faiss(data: Data) -> Any:
    import faiss

    X, centers = data
    model = faiss.Kmeans(
        X.shape[1], len(centers), niter=ITERATIONS,
        max_points_per_centroid=len(X), min_points_per_centroid=1,
    )  # fmt: skip
    model.train(X, init_centroids=centers.copy())
    return model.centroids


def seeds(data: Data, *, library: str) -> Any:
    """Greedy k-means++, and the one iteration that scikit-learn-intelex cannot leave out."""
    X, centers = data
    model = estimator(library)(
        len(centers), init="k-means++", n_init=1, max_iter=1, tol=0, random_state=0
    )
    return quietly(model, X).cluster_centers_


def whole(data: Data, *, library: str) -> Any:
    X, centers = data
    return quietly(estimator(library)(len(centers), n_init=10, random_state=0), X).cluster_centers_


def quietly(model: Any, X: Any) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 30 iterations need not converge
        return model.fit(X)


def objective(data: Data, centers: Any) -> float:
    """Σ min_j ‖x − c_j‖² in float64."""
    X = data[0]
    centers = np.asarray(centers, np.float64)
    norms, total = (centers**2).sum(axis=1), 0.0
    for start in range(0, len(X), 4096):
        x = X[start : start + 4096].astype(np.float64)
        total += float((x**2).sum() + (norms - 2 * x @ centers.T).min(axis=1).sum())
    return total


def case(
    name: str, setup: Callable[[], Data], run: Callable[..., Any], target: float,
    *, slack: float, settings: str, faiss: bool = False,
) -> Case:  # fmt: skip
    contestants: dict[str, Any] = {
        library: partial(run, library=library) for library in ("kiso", "sklearnex", "sklearn")
    }
    if faiss:
        contestants["faiss"] = lloyd_faiss
    return Case(name, setup, contestants, objective, target, slack=slack, settings=settings)


def lloyd_case(name: str, setup: Callable[[], Data], n: int, d: int, k: int, target: float) -> Case:
    work = 2e-9 * n * d * k * (ITERATIONS + 1)
    return case(
        f"Lloyd, {name}, k={k}", setup, lloyd, target, faiss=True, slack=1e-4,
        settings=f"all: the same k rows as centres, {ITERATIONS} iterations, tol=0, float32; "
        f"{work:.3g} GFLOP of products, {work / 155:.2g} s at 155 GFLOP/s",
    )  # fmt: skip


CASES: list[Case] = []
for _n, _d, _k, _target in ((100_000, 64, 100, 1.5), (100_000, 16, 50, 2.0), (200_000, 2, 20, 3.0)):
    for _blobs in (False, True):
        _kind = "blobs" if _blobs else "Gaussian"
        CASES.append(
            lloyd_case(
                f"{_n:,} × {_d} {_kind}", partial(rows, _n, _d, _k, blobs=_blobs),
                _n, _d, _k, _target,
            )
        )  # fmt: skip
CASES += [
    case(
        f"greedy k-means++, 100,000 × 64 {'blobs' if blobs else 'Gaussian'}, k=100",
        partial(rows, 100_000, 64, 100, blobs=blobs),
        seeds,
        2.0,
        slack=0.25 if blobs else 0.05,  # draws of one contestant lie 20 % apart: some blobs get two
        settings="all: init='k-means++', 2 + ln k trials, n_init=1, max_iter=1, float32",
    )
    for blobs in (False, True)
]
if available("mnist"):
    CASES += [
        lloyd_case("MNIST 60,000 × 784", partial(mnist, k), 60_000, 784, k, 1.3) for k in (10, 256)
    ]
if (data_home() / "libsvm").exists():
    CASES += [
        case(
            f"KMeans(n_init=10) to convergence, ijcnn1 49,990 × 22 float64, k={k}",
            partial(ijcnn1, k),
            whole,
            2.0,
            slack=0.02,  # ten local minima each, from different draws
            settings="all: defaults but n_init=10, random_state=0",
        )
        for k in (2, 8, 30)
    ]
