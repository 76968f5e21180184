"""Time of Lloyd's iterations against n, d and k, on log-log axes, beside the peers.

python -m benchmarks.cluster.growth kmeans_growth.png
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from benchmarks._growth import draw, measure, save
from benchmarks.cluster._kmeans import lloyd, lloyd_faiss, rows

BASE = {"n": 50_000, "d": 32, "k": 32}
STEPS = {
    "n": (3_000, 12_000, 50_000, 200_000),
    "d": (2, 8, 32, 128, 512),
    "k": (2, 8, 32, 128, 512),
}
RUNS = {name: partial(lloyd, library=name) for name in ("kiso", "sklearnex", "sklearn")}
RUNS["faiss"] = lloyd_faiss
TITLE = "k-means, 30 iterations from the same centres, float32 blobs"


def blobs(n: int, d: int, k: int) -> Any:
    return rows(n, d, k, blobs=True)


if __name__ == "__main__":
    save(draw([(TITLE, BASE, STEPS, measure(BASE, STEPS, blobs, RUNS))]), sys.argv[1])
