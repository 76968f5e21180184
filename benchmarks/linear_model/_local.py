"""Locally weighted regression: 10,000 queries over 100,000 rows in one dimension.

Every contestant gives the same answer: the objective is the error against the noise-free
function, and it refuses an answer that differs from one found by least squares, query by
query, at a few queries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks._harness import Case

N_ROWS, N_QUERIES = 100_000, 10_000
TAU = 0.1


class Work(NamedTuple):
    X: Any
    y: Any
    Q: Any
    truth: Any
    picked: Any  # a few queries
    reference: Any  # what least squares says there


def setup(frac: float | None) -> Work:
    rng = np.random.default_rng(0)
    x, q = np.sort(rng.uniform(0, 10, N_ROWS)), np.sort(rng.uniform(0, 10, N_QUERIES))
    y = np.sin(x) + 0.3 * rng.standard_normal(N_ROWS)
    picked = np.linspace(0, N_QUERIES - 1, 20).astype(int)
    reference = np.array([_least_squares(x, y, q[i], frac) for i in picked])
    return Work(x[:, None], y, q[:, None], np.sin(q), picked, reference)


def _least_squares(x: Any, y: Any, q: float, frac: float | None) -> float:
    gap = x - q
    if frac is None:
        w = np.exp(-(gap**2) / (2 * TAU**2))
    else:
        radius = np.sort(np.abs(gap))[int(frac * x.size + 1e-10) - 1]
        w = np.maximum(1 - (np.abs(gap) / radius) ** 3, 0) ** 3
    T = np.stack([np.ones_like(gap), gap], axis=1) * np.sqrt(w)[:, None]
    return np.linalg.lstsq(T, np.sqrt(w) * y, rcond=None)[0][0]


def error(work: Work, prediction: Any) -> float:
    worst = np.abs(prediction[work.picked] - work.reference).max()
    if worst > 1e-9:
        raise ValueError(f"not the same answer: off by {worst:.3g}")
    return float(np.mean((prediction - work.truth) ** 2))


def run_kiso(**settings: Any) -> Callable[[Work], Any]:
    def run(work: Work) -> Any:
        from kiso.linear_model import LocallyWeightedRegression

        return LocallyWeightedRegression(**settings).fit(work.X, work.y).predict(work.Q)

    return run


def run_lowess(frac: float) -> Callable[[Work], Any]:
    def run(work: Work) -> Any:
        from statsmodels.nonparametric.smoothers_lowess import lowess

        x, q = work.X[:, 0], work.Q[:, 0]
        return lowess(work.y, x, frac=frac, it=0, delta=0.0, xvals=q, is_sorted=True)

    return run


def run_numpy(work: Work) -> Any:
    """All rows for every query, as the formula reads."""
    x, y = work.X[:, 0], work.y
    return np.array([_line(x, y, q) for q in work.Q[:, 0]])


def run_numpy_window(work: Work) -> Any:
    """Only rows within 8.6 τ, where the weights are above 1e-16; the rows are sorted."""
    x, y, q = work.X[:, 0], work.y, work.Q[:, 0]
    low, high = np.searchsorted(x, q - 8.6 * TAU), np.searchsorted(x, q + 8.6 * TAU)
    return np.array([_line(x[a:b], y[a:b], c) for a, b, c in zip(low, high, q, strict=True)])


def _line(x: Any, y: Any, q: float) -> float:
    gap = x - q
    w = np.exp(gap * gap * (-0.5 / TAU**2))
    wg = w * gap
    s0, s1, s2 = w.sum(), wg.sum(), wg @ gap
    return (s2 * (w @ y) - s1 * (wg @ y)) / (s0 * s2 - s1 * s1)


WORK = f"{N_QUERIES:,} queries over {N_ROWS:,} rows, 1-D"


def lowess_case(frac: float) -> Case:
    return Case(
        name=f"LocallyWeightedRegression, LOWESS frac={frac:g}, {WORK}",
        setup=lambda: setup(frac),
        contestants={
            "kiso": run_kiso(frac=frac, kernel="tricube"),
            "statsmodels lowess": run_lowess(frac),
        },
        objective=error,
        target=20,
        slack=1e-9,
        settings=f"tricube, degree 1, frac={frac:g}, no interpolation (delta=0), no robust "
        "iterations; statsmodels gets sorted data, kiso sorts. kiso's time is fit + predict.",
    )


CASES = [
    lowess_case(0.01),
    lowess_case(0.1),
    Case(
        name=f"LocallyWeightedRegression, Gaussian tau={TAU:g}, {WORK}",
        setup=lambda: setup(None),
        contestants={
            "kiso": run_kiso(tau=TAU),
            "numpy loop": run_numpy,
            "windowed numpy loop": run_numpy_window,
        },
        objective=error,
        target=20,
        slack=1e-9,
        settings=f"Gaussian, degree 1, τ = {TAU:g} on [0, 10]. The NumPy loop takes all rows for "
        "each query; the windowed one only those above a relative weight of 1e-16.",
    ),
]
