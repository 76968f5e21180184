"""Is "auto" as fast as the better way? `python -m benchmarks.neighbors._choice`.

Fits and searches on a grid of rows, features, neighbours, queries and metrics, with the tree,
with brute force and with "auto", and prints what "auto" costs over the cheaper of the two.
Beside it stands what `kiso.neighbors._choice` predicts of each for a query; the constants
there are fitted to this table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks._harness import Case

CASES: list[Case] = []  # a table, not a race

GRID = [  # kind of rows, n, d, k, queries, metric
    *product(["uniform"], [2000, 100_000], [2, 6, 12], [5], [10, 1000], ["euclidean"]),
    *product(["uniform"], [20_000], [3, 12], [1, 50, 2000], [1000], ["euclidean"]),
    *product(["uniform"], [20_000], [3, 12, 40], [5], [10, 500], ["manhattan"]),
    *product(["uniform"], [20_000], [3, 12], [5], [200], ["chebyshev", "minkowski"]),
    *product(["surface"], [2000, 100_000], [8, 40], [5], [10, 1000], ["euclidean"]),
]


def milliseconds(work: list[Callable[[], Any]], repeats: int) -> list[float]:
    """The least that each takes, in turns, so that what else runs slows all of them."""
    best = [np.inf] * len(work)
    for _ in range(repeats):
        for i, run in enumerate(work):
            start = time.perf_counter()
            run()
            best[i] = min(best[i], 1e3 * (time.perf_counter() - start))
    return best


def rows(n: int, d: int, kind: str) -> Any:
    rng = np.random.default_rng(0)
    if kind == "surface":
        return rng.random((n, 2)) @ rng.standard_normal((2, d))
    return rng.random((n, d))


def search(algorithm: str, X: Any, Q: Any, k: int, metric: str) -> Any:
    from kiso.neighbors import NearestNeighbors

    p = 3 if metric == "minkowski" else 2
    model = NearestNeighbors(n_neighbors=k, algorithm=algorithm, metric=metric, p=p).fit(X)
    model.kneighbors(Q)
    return model


def main() -> None:
    from kiso.neighbors import _choice

    print("rows            n   d     k queries metric       tree ms  brute ms   auto ms   auto/best"
          "   predicted tree, brute µs")  # fmt: skip
    ratios = []
    for kind, n, d, k, m, metric in GRID:
        X = rows(n + m, d, kind)
        X, Q = X[:n], X[n:]
        task = {"X": X, "Q": Q, "k": k, "metric": metric}
        ways = [partial(search, a, **task) for a in ("kd_tree", "brute", "auto")]
        tree, brute, auto = milliseconds(ways, 5)
        choice = search("auto", **task)._choice
        leaves = choice.leaves.get(k, np.nan)
        guess = (
            _choice.tree_cost(leaves, d, k, choice.metric, choice.capacity) / 1e3,
            _choice.brute_cost(n, d, k, choice.metric, X.dtype.itemsize) / 1e3,
        )
        ratios.append(auto / min(tree, brute))
        print(f"{kind:8} {n:8,} {d:3} {k:5} {m:7,} {metric:10} {tree:9.2f} {brute:9.2f} {auto:9.2f}"
              f" {ratios[-1]:11.2f}   {guess[0]:9.1f} {guess[1]:9.1f}", flush=True)  # fmt: skip
    print(f"auto over the better way: median {np.median(ratios):.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()
