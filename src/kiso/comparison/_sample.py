"""A part of a large table, on which models are ranked; the winner meets all rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ._task import Problem

__all__ = ["LARGE_ROWS", "SAMPLE_ROWS", "sample_size", "thinned"]

LARGE_ROWS = 200_000  # a table with more is ranked on a sample
SAMPLE_ROWS = 100_000


def sample_size(n_rows: int, wanted: int | None) -> int:
    """Return how many rows to rank on: as wanted (0 for all), else 100,000 of a large table.

    Examples
    --------
    >>> sample_size(1_000_000, None), sample_size(5_000, None), sample_size(1_000_000, 0)
    (100000, 5000, 1000000)
    """
    if wanted is None:
        return SAMPLE_ROWS if n_rows > LARGE_ROWS else n_rows
    return n_rows if wanted == 0 else min(wanted, n_rows)


def thinned(problem: Problem, n_rows: int, random_state: int) -> Problem:
    """Return a random part of a problem's rows, in their order.

    Classes keep their shares, down to at least as many rows as the problem has (up to 50);
    groups are taken or left whole.

    Parameters
    ----------
    problem : Problem
    n_rows : int
        About so many rows.
    random_state : int
    """
    n = len(problem.y)
    if n_rows >= n:
        return problem
    rng = np.random.default_rng([random_state, n_rows])
    if problem.groups is not None:
        order = rng.permutation(int(problem.groups.max()) + 1)
        sizes = np.bincount(problem.groups)[order]
        taken = order[: int(np.searchsorted(np.cumsum(sizes), n_rows)) + 1]
        kept = np.flatnonzero(np.isin(problem.groups, taken))
    elif problem.task == "classification":
        parts = []
        for c in range(len(problem.data.class_names)):
            mine = np.flatnonzero(problem.y == c)
            size = min(len(mine), max(round(len(mine) * n_rows / n), 50))
            parts.append(rng.choice(mine, size, replace=False))
        kept = np.sort(np.concatenate(parts))
    else:
        kept = np.sort(rng.choice(n, n_rows, replace=False))

    def of(values: Any) -> Any:
        return None if values is None else values[kept]

    def renumbered(values: Any) -> Any:
        return None if values is None else np.unique(values[kept], return_inverse=True)[1]

    return dataclasses.replace(
        problem,
        X=problem.X.iloc[kept].reset_index(drop=True),
        y=problem.y[kept],
        labels=problem.labels[kept],
        rows=problem.rows[kept],
        groups=renumbered(problem.groups),
        times=renumbered(problem.times),
        weights=of(problem.weights),
    )
