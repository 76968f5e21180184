"""When is a tree cheaper than products? `python -m benchmarks.neighbors._choice`.

Times both on uniform rows of many sizes and on rows that lie on a surface of two
dimensions, beside what `kiso.neighbors._choice` predicts from counting leaves; the constants
there are the least-squares fit of log time over this table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks._harness import Case

CASES: list[Case] = []  # a table, not a race


def seconds(work: Callable[[], Any]) -> float:
    best = np.inf
    for _ in range(4):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def rows(n: int, d: int, kind: str) -> Any:
    rng = np.random.default_rng(0)
    if kind == "surface":
        return rng.random((n, 2)) @ rng.standard_normal((2, d))
    return rng.random((n, d))


def main() -> None:
    from kiso.neighbors import NearestNeighbors, _choice
    from kiso.neighbors._tree import tree_neighbors

    m, k = 1000, 5
    print("rows            n    d   tree µs  brute µs  predicted      (a query)")
    for kind, sizes in (("uniform", (1, 2, 3, 5, 8, 12, 16)), ("surface", (8, 30))):
        for n in (1000, 10_000, 100_000):
            for d in sizes:
                X = rows(n + m, d, kind)
                X, Q = X[:n], X[n:]
                models = [
                    NearestNeighbors(n_neighbors=k, algorithm=a).fit(X)
                    for a in ("kd_tree", "brute")
                ]
                tree, brute = (seconds(partial(f.kneighbors, Q)) / m * 1e6 for f in models)
                found = np.full((m, k), np.inf), np.full((m, k), np.iinfo(np.intp).max)
                skip = np.full(m, -1)
                built = models[0]._tree
                visited = tree_neighbors(Q, built, models[0]._metric, skip, *found) / m
                a = _choice.tree_cost(visited, built) / 1e3
                b = _choice.brute_cost(n, d, X.dtype.itemsize) / 1e3
                verdict = "right" if (a < b) == (tree < brute) else "WRONG"
                print(f"{kind:8} {n:8,} {d:4} {tree:9.2f} {brute:9.2f} {a:9.2f} {b:9.2f}  "
                      f"{visited:7.1f} leaves  {verdict}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
