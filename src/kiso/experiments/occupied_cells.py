"""The curse of dimensionality: 10 values a feature make 10, 100, 1000 cells, and most are empty.

m points uniform over N equal cells leave each empty with probability (1 − 1/N)ᵐ, so the
share of occupied cells is 1 − (1 − 1/N)ᵐ on average: with a fixed m it falls as N = 10ᵈ
grows, and a query in d dimensions seldom has a neighbour in its own cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, close
from kiso.neighbors import NearestNeighbors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VALUES, DIMENSIONS, M = 10, (1, 2, 3), 50
N_REPEATS = 400


def occupied_share(X: Any, d: int) -> float:
    """Share of the 10ᵈ cells of the unit cube that hold a row."""
    digits = np.minimum((VALUES * X[:, :d]).astype(int), VALUES - 1)
    cells = digits @ VALUES ** np.arange(d)
    return len(np.unique(cells)) / VALUES**d


def cell_checks(shares: Any) -> list[Check]:
    """Mean occupied shares, (n_repeats, 3), beside 1 − (1 − 1/N)ᵐ, within 4.5 standard errors."""
    checks = []
    for d, column in zip(DIMENSIONS, np.asarray(shares).T, strict=True):
        claimed = 1 - (1 - 1.0 / VALUES**d) ** M
        error = max(4.5 * float(column.std()) / np.sqrt(len(column)), 1e-3)
        checks.append(
            close(f"occupied share of {VALUES**d} cells", claimed, column.mean(), atol=error)
        )
    return checks


def run(seed: int) -> Outcome:
    """Count cells over repeated samples; and how far the nearest of m rows is, in cells."""
    rng = np.random.default_rng(seed)
    samples = rng.random((N_REPEATS, M, 3))
    shares = [[occupied_share(X, d) for d in DIMENSIONS] for X in samples]
    checks = cell_checks(shares)
    queries = rng.random((1000, 3))
    reach = [
        float(
            VALUES
            * NearestNeighbors(n_neighbors=1, metric="chebyshev")
            .fit(samples[0][:, :d])
            .kneighbors(queries[:, :d])[0]
            .mean()
        )
        for d in DIMENSIONS
    ]
    rises = bool(np.all(np.diff(reach) > 0))
    measured = ", ".join(f"{r:.2f}" for r in reach)
    checks.append(Check("mean distance of the nearest row, in cells", "rises", measured, rises))
    return Outcome(tuple(checks), {"X": samples[0], "shares": np.mean(shares, axis=0)})


def draw(outcome: Outcome) -> Figure:
    """The same rows on a line, in a square, in a cube; occupied share against m."""
    from matplotlib.figure import Figure

    X = outcome.data["X"]
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    line, square = figure.add_subplot(1, 4, 1), figure.add_subplot(1, 4, 2)
    cube, curve = figure.add_subplot(1, 4, 3, projection="3d"), figure.add_subplot(1, 4, 4)
    line.plot(X[:, 0], np.zeros(M), "o", ms=4, alpha=0.5)
    square.plot(X[:, 0], X[:, 1], "o", ms=4)
    cube.scatter(X[:, 0], X[:, 1], X[:, 2], s=12)
    ticks = np.linspace(0, 1, VALUES + 1)
    for ax, d in ((line, 1), (square, 2)):
        ax.set_xticks(ticks, [])
        ax.set_yticks(ticks if d == 2 else [], [] if d == 2 else None)
        ax.grid(True, axis="both" if d == 2 else "x")
    for ax, d in ((line, 1), (square, 2), (cube, 3)):
        share = outcome.data["shares"][d - 1]
        ax.set_title(f"{VALUES**d} cells: {share:.0%} occupied", fontsize=10)
    m = np.geomspace(1, 1e4, 200)
    for d in DIMENSIONS:
        curve.plot(m, 1 - (1 - 1.0 / VALUES**d) ** m, label=f"{VALUES**d} cells")
    curve.axvline(M, color="black", ls=":", lw=1)
    curve.set(xscale="log", xlabel="rows m", ylabel="occupied share")
    curve.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    title="The curse of dimensionality: cells outnumber rows",
    rows=(23,),
    claim="10 values a feature: of N = 10, 100, 1000 cells m rows occupy 1 − (1 − 1/N)ᵐ",
    source="Goodfellow et al. (2016), Deep Learning, section 5.11.1, figure 5.9",
    run=run,
    draw=draw,
)
