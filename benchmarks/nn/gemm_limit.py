"""What share of a training run is matrix products: `python -m benchmarks.nn.gemm_limit`.

For each case of dense training: the CPU seconds of the products of all steps, by NumPy on one
thread and alone, over the CPU seconds of the run (all threads together); and the seconds that
a step would take if it were products alone, divided evenly among the threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.nn._training import adam, digits, kiso_run, momentum, runge, wide
from kiso._compute.threads import n_threads

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


def best_of(run: Callable[[], Any], repeats: int = 7) -> tuple[float, float]:
    """Least seconds, and least CPU seconds."""
    seconds, cpu = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
        time.sleep(0.05)  # BLAS threads that still look for work would count for the next
    return min(seconds), min(cpu)


def main() -> None:
    for name, setup, loss, rule, n_steps in RUNS:
        data = setup()
        kiso_run(data, loss, rule, 2)  # compiles
        whole, whole_cpu = best_of(lambda: kiso_run(data, loss, rule, n_steps))  # noqa: B023
        with threadpool_limits(1):
            alone, alone_cpu = best_of(lambda: products(data, n_steps))  # noqa: B023
        least = alone / n_threads()
        print(
            f"{name}: {1e6 * whole / n_steps:.0f} us a step, {1e6 * least / n_steps:.0f} us "
            f"if only products; of the CPU seconds {alone_cpu / whole_cpu:.0%} are products"
        )


if __name__ == "__main__":
    main()
