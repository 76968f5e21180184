"""Neighbour search against faiss, scikit-learn(-intelex), pykdtree and SciPy.

The objective is the mean distance to the k-th neighbour found, so that a wrong neighbour
shows. Peers run at their best: float32, all threads, index or tree of their own, and the
time includes building it. Brute force multiplies and adds 2·m·n·d times; the product alone
is NumPy's Q Xᵀ in blocks that stay in cache with nothing done to it: its time over kiso's
is the share of the machine's matrix product that the search reaches. It finds nothing, so
it is no contestant: `python -m benchmarks.neighbors._search` prints it.
"""

from __future__ import annotations

import time
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks._harness import Case

K = 5


def table(n: int, m: int, d: int, dtype: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X, Q = (rng.standard_normal((rows, d)).astype(dtype) for rows in (n, m))
    return X, Q


def kiso(data: tuple[Any, Any], algorithm: str = "brute") -> Any:
    from kiso.neighbors import NearestNeighbors

    X, Q = data
    return NearestNeighbors(n_neighbors=K, algorithm=algorithm).fit(X).kneighbors(Q)


def faiss(data: tuple[Any, Any]) -> Any:
    from faiss import IndexFlatL2

    X, Q = data
    index = IndexFlatL2(X.shape[1])
    index.add(X)
    squares, rows = index.search(Q, K)
    return np.sqrt(np.maximum(squares, 0)), rows


def product_alone(data: tuple[Any, Any]) -> Any:
    """Q Xᵀ alone, in blocks that stay in cache, as kiso forms it: queries over threads."""
    from kiso._compute.threads import blocks, map_rows, one_blas_thread

    X, Q = data

    def lane(queries: slice) -> None:
        S = np.empty((512, 1024), X.dtype)
        for rows in blocks(slice(0, len(X)), 1024):
            for some in blocks(queries, 512):
                q, x = Q[some], X[rows]
                np.matmul(q, x.T, out=S[: len(q), : len(x)])

    with one_blas_thread():
        map_rows(lane, len(Q), min_rows=256)


def sklearn(data: tuple[Any, Any], algorithm: str = "brute") -> Any:
    from sklearn.neighbors import NearestNeighbors

    X, Q = data
    return NearestNeighbors(n_neighbors=K, algorithm=algorithm, n_jobs=-1).fit(X).kneighbors(Q)


def sklearnex(data: tuple[Any, Any], algorithm: str = "brute") -> Any:
    from sklearnex.neighbors import NearestNeighbors

    X, Q = data
    return NearestNeighbors(n_neighbors=K, algorithm=algorithm, n_jobs=-1).fit(X).kneighbors(Q)


def pykdtree(data: tuple[Any, Any]) -> Any:
    from pykdtree.kdtree import KDTree

    X, Q = data
    return KDTree(X).query(Q, k=K)


def scipy(data: tuple[Any, Any]) -> Any:
    from scipy.spatial import cKDTree

    X, Q = data
    return cKDTree(X).query(Q, k=K, workers=-1)


def manhattan(data: tuple[Any, Any], room: str, **settings: Any) -> Any:
    """Brute force by Σ|q − x| with the `NearestNeighbors` of kiso, sklearn or sklearnex."""
    X, Q = data
    kind = import_module(f"{room}.neighbors").NearestNeighbors
    return (
        kind(n_neighbors=K, algorithm="brute", metric="manhattan", **settings).fit(X).kneighbors(Q)
    )


def faiss_manhattan(data: tuple[Any, Any]) -> Any:
    from faiss import METRIC_L1, IndexFlat

    X, Q = data
    index = IndexFlat(X.shape[1], METRIC_L1)
    index.add(X)
    return index.search(Q, K)


def thin_table(n: int, m: int, d: int, density: float) -> tuple[Any, Any]:
    """CSR rows like those of words in texts: some features are in many rows, most in few."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    count = int((n + m) * d * density)
    rows = rng.integers(0, n + m, count)
    columns = np.minimum(rng.zipf(1.3, count) - 1, d - 1) % d
    X = sparse.csr_matrix((rng.random(count), (rows, columns)), (n + m, d))
    return X[:n], X[n:]


def farthest(data: tuple[Any, Any], result: Any, power: int = 2) -> float:
    """Mean distance to the k-th row found, measured anew."""
    X, Q = (part.astype(np.float64) for part in data)
    gap = Q - X[np.asarray(result[1])[:, -1].astype(np.intp)]
    if power == 1:
        return float(abs(gap).sum(axis=1).mean())
    squares = gap.multiply(gap) if hasattr(gap, "multiply") else gap**2
    return float(np.sqrt(np.asarray(squares.sum(axis=1))).mean())


def share(m: int = 5000) -> None:
    """Print how much of the time that kiso's search takes the product alone takes."""
    for d, repeats in ((64, 9), (784, 3)):
        data = table(60_000, m, d, "float32")
        work = {"kiso": partial(kiso, data), "the product alone": partial(product_alone, data)}
        best = dict.fromkeys(work, float("inf"))
        for _ in range(repeats):
            for name, run in work.items():
                start = time.perf_counter()
                run()
                best[name] = min(best[name], time.perf_counter() - start)
        whole, product = best.values()
        rate = 2e-9 * m * 60_000 * d / product
        print(
            f"{m:,} queries, 60,000 × {d} float32: kiso {whole:.3f} s, the product alone "
            f"{product:.3f} s ({rate:.0f} GFLOP/s): {product / whole:.0%} of the search"
        )


def brute(d: int, target: float) -> Case:
    return Case(
        name=f"k-NN brute, 5,000 queries, 60,000 × {d} float32",
        setup=partial(table, 60_000, 5000, d, "float32"),
        contestants={"kiso": kiso, "faiss": faiss, "sklearnex": sklearnex, "sklearn": sklearn},
        objective=farthest,
        target=target,
        settings="k=5; all: brute force, float32, all threads; index and norms included",
    )


def tree(m: int, dtype: str) -> Case:
    return Case(
        name=f"KD-tree, build and {m:,} queries, 100,000 × 3 {dtype}",
        setup=partial(table, 100_000, m, 3, dtype),
        contestants={
            "kiso": partial(kiso, algorithm="kd_tree"),
            "pykdtree": pykdtree,
            "sklearnex": partial(sklearnex, algorithm="kd_tree"),
            "scipy": scipy,
            "sklearn": partial(sklearn, algorithm="kd_tree"),
        },
        objective=farthest,
        target=1.2,
        settings="k=5; all: a KD-tree with its default leaves, all threads",
    )


def added(m: int) -> Case:
    return Case(
        name=f"k-NN brute, Manhattan, {m} queries, 60,000 × 64 float32",
        setup=partial(table, 60_000, m, 64, "float32"),
        contestants={
            "kiso": partial(manhattan, room="kiso"),
            "faiss": faiss_manhattan,
            "sklearnex": partial(manhattan, room="sklearnex", n_jobs=-1),
            "sklearn": partial(manhattan, room="sklearn", n_jobs=-1),
        },
        objective=partial(farthest, power=1),
        target=1.0,
        settings="k=5; all: brute force, all threads",
    )


def thin() -> Case:
    return Case(
        name="k-NN brute, 500 queries, 20,000 × 10,000 CSR, 0.26 % filled, float64",
        setup=partial(thin_table, 20_000, 500, 10_000, 0.005),
        contestants={"kiso": kiso, "sklearnex": sklearnex, "sklearn": sklearn},
        objective=farthest,
        target=1.0,
        settings="k=5; all: brute force on CSR, all threads; sklearnex hands it to sklearn",
    )


CASES = [
    brute(784, 1.2),
    brute(64, 1.4),
    tree(5000, "float64"),
    tree(100_000, "float64"),
    tree(100_000, "float32"),
    added(500),
    thin(),
]


if __name__ == "__main__":
    share()
