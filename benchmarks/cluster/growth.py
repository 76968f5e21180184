"""Time of Lloyd's iterations against n, d and k, on log-log axes, beside the peers.

python -m benchmarks.cluster.growth kmeans_growth.png
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

from benchmarks.cluster._kmeans import lloyd, lloyd_faiss, rows

BASE = {"n": 50_000, "d": 32, "k": 32}
STEPS = {
    "n": (3_000, 12_000, 50_000, 200_000),
    "d": (2, 8, 32, 128, 512),
    "k": (2, 8, 32, 128, 512),
}
RUNS = {name: partial(lloyd, library=name) for name in ("kiso", "sklearnex", "sklearn")}
RUNS["faiss"] = lloyd_faiss
REPEATS = 3


def measure() -> dict[str, dict[str, list[float]]]:
    """Give, for each size varied and each library, the best of some interleaved runs."""
    found: dict[str, dict[str, list[float]]] = {}
    for varied, values in STEPS.items():
        found[varied] = {name: [] for name in RUNS}
        for value in values:
            size = {**BASE, varied: value}
            data = rows(size["n"], size["d"], size["k"], blobs=True)
            times: dict[str, list[float]] = {name: [] for name in RUNS}
            for _ in range(REPEATS):
                for name, run in RUNS.items():
                    try:
                        start = time.perf_counter()
                        run(data)
                        times[name].append(time.perf_counter() - start)
                    except ImportError:
                        times[name].append(float("nan"))
            for name in RUNS:
                found[varied][name].append(min(times[name]))
    return found


def draw(found: dict[str, dict[str, list[float]]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    for ax, (varied, lines) in zip(figure.subplots(1, 3), found.items(), strict=True):
        for name, seconds in lines.items():
            ax.loglog(STEPS[varied], seconds, "o-", label=name, lw=2 if name == "kiso" else 1)
        others = ", ".join(f"{key} = {value:,}" for key, value in BASE.items() if key != varied)
        ax.set(xlabel=varied, ylabel="seconds", title=others)
        ax.grid(alpha=0.3, which="both")
        ax.legend(fontsize=8)
    figure.suptitle("k-means, 30 iterations from the same centres, float32 blobs")
    return figure


if __name__ == "__main__":
    draw(measure()).savefig(sys.argv[1], dpi=90)
