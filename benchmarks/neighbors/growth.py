"""Time of neighbour search against n, d and k, on log-log axes, beside the peers.

python -m benchmarks.neighbors.growth docs/images/neighbors_growth.png

Above brute force, below trees; each fit and all queries. "kiso auto" is what a user gets
who chooses nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from benchmarks._growth import draw, measure, save

QUERIES = 2000
BRUTE = {"n": 30_000, "d": 32, "k": 5}
BRUTE_STEPS = {
    "n": (1000, 5000, 30_000, 120_000),
    "d": (2, 8, 32, 128, 512),
    "k": (1, 5, 20, 100),
}
TREE = {"n": 100_000, "d": 3, "k": 5}
TREE_STEPS = {
    "n": (1000, 10_000, 100_000, 1_000_000),
    "d": (1, 2, 3, 5, 8),
    "k": (1, 5, 20, 100),
}

Data = tuple[Any, Any, int]


def table(n: int, d: int, k: int, dtype: str) -> Data:
    rng = np.random.default_rng(0)
    X, Q = (rng.standard_normal((rows, d)).astype(dtype) for rows in (n, QUERIES))
    return X, Q, k


def kiso(algorithm: str) -> Callable[[Data], Any]:
    def run(data: Data) -> Any:
        from kiso.neighbors import NearestNeighbors

        X, Q, k = data
        return NearestNeighbors(n_neighbors=k, algorithm=algorithm).fit(X).kneighbors(Q)

    return run


def sklearn(algorithm: str) -> Callable[[Data], Any]:
    def run(data: Data) -> Any:
        from sklearn.neighbors import NearestNeighbors

        X, Q, k = data
        search = NearestNeighbors(n_neighbors=k, algorithm=algorithm, n_jobs=-1)
        return search.fit(X).kneighbors(Q)

    return run


def sklearnex(algorithm: str) -> Callable[[Data], Any]:
    def run(data: Data) -> Any:
        from sklearnex.neighbors import NearestNeighbors

        X, Q, k = data
        search = NearestNeighbors(n_neighbors=k, algorithm=algorithm, n_jobs=-1)
        return search.fit(X).kneighbors(Q)

    return run


def faiss(data: Data) -> Any:
    from faiss import IndexFlatL2

    X, Q, k = data
    index = IndexFlatL2(X.shape[1])
    index.add(X)
    return index.search(Q, k)


def pykdtree(data: Data) -> Any:
    from pykdtree.kdtree import KDTree

    X, Q, k = data
    return KDTree(X).query(Q, k=k)


def scipy(data: Data) -> Any:
    from scipy.spatial import cKDTree

    X, Q, k = data
    return cKDTree(X).query(Q, k=k, workers=-1)


BRUTE_RUNS: dict[str, Callable[[Data], Any]] = {
    "kiso": kiso("brute"),
    "sklearnex": sklearnex("brute"),
    "sklearn": sklearn("brute"),
    "faiss": faiss,
}
TREE_RUNS: dict[str, Callable[[Data], Any]] = {
    "kiso": kiso("kd_tree"),
    "sklearnex": sklearnex("kd_tree"),
    "sklearn": sklearn("kd_tree"),
    "scipy": scipy,
    "pykdtree": pykdtree,
    "kiso auto": kiso("auto"),
}


def main(path: str) -> None:
    rows = []
    for title, base, steps, runs, dtype in (
        ("brute force, float32", BRUTE, BRUTE_STEPS, BRUTE_RUNS, "float32"),
        ("KD-tree, float64", TREE, TREE_STEPS, TREE_RUNS, "float64"),
    ):

        def setup(n: int, d: int, k: int, dtype: str = dtype) -> Data:
            return table(n, d, k, dtype)

        small = setup(n=500, d=3, k=5)
        for run in runs.values():  # imports and compilation
            with suppress(ImportError):
                run(small)
        found = measure(base, steps, setup, runs)
        rows.append((f"{title}: build and {QUERIES:,} queries, normal rows", base, steps, found))
    save(draw(rows), path)


if __name__ == "__main__":
    main(sys.argv[1])
