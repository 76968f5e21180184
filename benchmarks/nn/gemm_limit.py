"""What share of a training run is matrix products: `python -m benchmarks.nn.gemm_limit`.

For each case of dense training: the seconds of the products of all steps, by NumPy and
alone, over the seconds of the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.nn._training import adam, digits, kiso_run, momentum, runge, wide

RUNS: list[tuple[str, Callable[[], dict[str, Any]], str, Any, int]] = [
    ("1-64-64-1, batch 64, Adam", runge, "SquaredError", adam, 300),
    ("784-256-10, batch 128, momentum", digits, "SoftmaxCrossEntropy", momentum, 100),
    ("784-1000-1000-10, batch 256, Adam", wide, "SoftmaxCrossEntropy", adam, 20),
]


def products(data: dict[str, Any], n_steps: int) -> None:
    n = data["batch_size"]
    layers = [
        [np.ones(shape, data["dtype"]) for shape in ((n, n_in), (n_in, n_out), (n, n_out))]
        for n_in, n_out in pairwise(data["sizes"])
    ]
    dW, dx = [np.empty_like(W) for _, W, _ in layers], [np.empty_like(x) for x, _, _ in layers]
    for _ in range(n_steps):
        for k, (x, W, y) in enumerate(layers):
            np.matmul(x, W, out=y)
            np.matmul(x.T, y, out=dW[k])
            if k > 0:
                np.matmul(y, W.T, out=dx[k])


def best_of(run: Callable[[], Any], repeats: int = 5) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    for name, setup, loss, rule, n_steps in RUNS:
        data = setup()
        kiso_run(data, loss, rule, 2)  # compiles
        whole = best_of(lambda: kiso_run(data, loss, rule, n_steps))  # noqa: B023
        alone = best_of(lambda: products(data, n_steps))  # noqa: B023
        print(f"{name}: {1e6 * whole / n_steps:.0f} us a step, {alone / whole:.0%} of it products")


if __name__ == "__main__":
    main()
