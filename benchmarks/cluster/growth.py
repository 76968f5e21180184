"""Time of Lloyd's iterations and of PCA against size, on log-log axes, beside the peers.

python -m benchmarks.cluster.growth docs/images/kmeans_pca_growth.png

Prints how fast kiso's pieces run, in operations that a product of rows and centres (a
matrix of inner products) would take, and as a share of NumPy's own float32 product measured
just before. Bounds leave out most of k-means' work: its share may exceed 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks._growth import Growth, draw, measure, save
from benchmarks.cluster._kmeans import ITERATIONS, lloyd, lloyd_faiss, rows
from benchmarks.decomposition._pca import fit, simulated

CLUSTERS = {"n": 50_000, "d": 32, "k": 32}
CLUSTERS_STEPS = {
    "n": (3_000, 12_000, 50_000, 200_000),
    "d": (2, 8, 32, 128),
    "k": (2, 8, 32, 128),
}
COMPONENTS = {"n": 20_000, "d": 100, "k": 10}
COMPONENTS_STEPS = {
    "n": (1_000, 5_000, 20_000, 100_000),
    "d": (15, 50, 200, 600),
    "k": (2, 10, 50),
}


def blobs(n: int, d: int, k: int) -> Any:
    return rows(n, d, k, blobs=True)


def table(n: int, d: int, k: int) -> Any:
    return simulated(n, d), k


def components(data: Any, *, library: str) -> Any:
    X, k = data
    return fit(library, k, X)


LIBRARIES = ("kiso", "sklearnex", "sklearn")
CLUSTERS_RUNS = {name: partial(lloyd, library=name) for name in LIBRARIES}
CLUSTERS_RUNS["faiss"] = lloyd_faiss
COMPONENTS_RUNS = {name: partial(components, library=name) for name in LIBRARIES}


def product_speed(side: int = 3000) -> float:
    """Operations a second of NumPy's float32 product, the best of five."""
    A = np.ones((side, side), np.float32)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        A @ A
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def tell(
    base: Mapping[str, int],
    steps: Mapping[str, Sequence[int]],
    found: Growth,
    each: str,
    limit: float,
) -> None:
    """Print kiso's speed at each size, and the ratio of the best peer's time to its own."""
    for varied, lines in found.items():
        for at, value in enumerate(steps[varied]):
            n, d, k = ({**base, varied: value}[name] for name in "ndk")
            work = 2 * n * k * d * ITERATIONS if each == "k-means" else n * d * d
            seconds = lines["kiso"][at]
            peers = np.nanmin([lines[name][at] for name in lines if name != "kiso"])
            print(
                f"{each:8} n={n:7,} d={d:4} k={k:4}: {seconds:7.4f} s, "
                f"{work / seconds / 1e9:6.1f} GFLOP/s, {work / seconds / limit:5.2f} of a float32 "
                f"product, best peer / kiso {peers / seconds:5.2f}"
            )


if __name__ == "__main__":
    limit = product_speed()
    print(f"float32 product: {limit / 1e9:.0f} GFLOP/s")
    lloyds = measure(CLUSTERS, CLUSTERS_STEPS, blobs, CLUSTERS_RUNS, repeats=2)
    tell(CLUSTERS, CLUSTERS_STEPS, lloyds, "k-means", limit)
    fits = measure(COMPONENTS, COMPONENTS_STEPS, table, COMPONENTS_RUNS, repeats=3)
    tell(COMPONENTS, COMPONENTS_STEPS, fits, "PCA", limit)
    figure = draw(
        [
            (
                "k-means, 30 iterations from the same centres, float32 blobs",
                CLUSTERS, CLUSTERS_STEPS, lloyds,
            ),
            ("PCA, float64, defaults", COMPONENTS, COMPONENTS_STEPS, fits),
        ]
    )  # fmt: skip
    save(figure, sys.argv[1])
