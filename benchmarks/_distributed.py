"""Rows that no machine here holds: 75,000,000 × 20 float32 (6 GB) on workers of 1 GB each.

Every partition is made where it is needed, in every pass, and never exists as a whole. A fit has
to finish with the peak of each worker under its limit.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROWS, FEATURES, CLUSTERS = 75_000_000, 20, 20
SMALL = 50  # times fewer rows
PARTS = 300
LIMIT = 1_000_000_000  # bytes of memory of a worker


def run(*, small: bool, console: Console, workers: int = 2) -> bool:
    """Fit four models; print seconds and peaks. Whether every peak is under its limit."""
    from distributed import Client, LocalCluster

    n = ROWS // SMALL if small else ROWS
    table = Table(title=f"{n:,} × {FEATURES} float32 on {workers} workers of {LIMIT / 1e9:g} GB")
    for column in ("fit", "seconds", "steps", "rows × steps / s", "peak of the workers, MB"):
        table.add_column(column, justify="left" if column == "fit" else "right")
    good = True
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        for name, fit in _fits(n, PARTS // SMALL if small else PARTS):
            start = time.perf_counter()
            steps = fit()
            seconds = time.perf_counter() - start
            peaks = list(client.run(_peak).values())
            good = good and max(peaks) < LIMIT
            console.print(f"  {name}: {seconds:.1f} s")
            table.add_row(
                name, f"{seconds:.1f}", str(steps), f"{n * steps / seconds:,.0f}",
                ", ".join(f"{peak / 1e6:.0f}" for peak in peaks),
            )  # fmt: skip
    console.print(table)
    console.print(f"  peaks under the limit: {'yes' if good else 'NO'}\n")
    return good


def _fits(n: int, n_parts: int) -> list[tuple[str, Any]]:
    import dask.array as da

    from kiso.cluster import KMeans
    from kiso.decomposition import PCA
    from kiso.linear_model import LinearRegression, LogisticRegression

    n_parts = max(4, n_parts)
    sizes = tuple(n * (i + 1) // n_parts - n * i // n_parts for i in range(n_parts))
    X = da.map_blocks(
        _rows, sizes, dtype=np.float32, chunks=(sizes, (FEATURES,)), meta=np.empty((0, 0), "f4")
    )
    y = X @ np.linspace(-1, 1, FEATURES, dtype=np.float32)
    labels = (y > 0).astype(np.int8)
    # one pass each but for what iterates; the pass of classes or variances counts as a step
    return [
        ("LinearRegression", lambda: LinearRegression().fit(X, y) and 1),
        ("PCA", lambda: PCA(5).fit(X) and 1),
        ("LogisticRegression", lambda: int(LogisticRegression().fit(X, labels).n_iter_[0]) + 1),
        (
            f"KMeans, k={CLUSTERS}",
            lambda: KMeans(CLUSTERS, random_state=0, max_iter=10, tol=1e-2).fit(X).n_iter_ + 2,
        ),
    ]


def _rows(sizes: tuple[int, ...], block_id: tuple[int, ...] = (0, 0)) -> Any:
    rng = np.random.default_rng(block_id[0])
    X = rng.standard_normal((sizes[block_id[0]], FEATURES), dtype=np.float32)
    X += rng.integers(5, size=(len(X), 1)).astype(np.float32) * 3
    return X


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
