"""Local constancy: f(x) ≈ f(x + ε) says nothing of a region without a row.

A checkerboard has as many regions as cells, and a learner that only assumes smoothness
needs a row in each to know its colour: in cells without one it is right half the time, as
long as rows are few. Where the cells around hold rows it does worse: nearest is then most
often the cell next door, and that has the other colour. Whoever assumes the pattern
(a colour that alternates) needs one row in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, close
from kiso.inspection import plot_decision_regions
from kiso.neighbors import KNeighborsClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, N_REPEATS = 32, 40
FEW, HALF = 0.03, 0.5  # shares of the cells that have rows
ROWS_PER_CELL = 4


def colour(X: Any) -> Any:
    """The checkerboard: the parity of the cell's row and column."""
    return np.floor(X).astype(int).sum(axis=1) % 2


def board(rng: np.random.Generator, share: float, side: int) -> tuple[Any, Any, Any, Any]:
    """Rows in some cells, drawn at random; queries in all; which queries lie in a seen cell."""
    cells = np.stack(np.divmod(np.arange(side**2), side), axis=1)
    seen = rng.random(len(cells)) < share
    seen[0] = True
    corner = np.repeat(cells[seen], ROWS_PER_CELL, axis=0)
    X = corner + rng.random(corner.shape)
    Q = cells + rng.uniform(0.1, 0.9, cells.shape)
    return X, colour(X), Q, seen


def constancy_checks(seen: float, unseen: float, parity: float) -> list[Check]:
    """Accuracies of one neighbour in both kinds of cells, and of whoever knows the pattern."""
    return [
        close("accuracy of 1-NN in cells without a row", 0.5, unseen, atol=0.05),
        at_least("accuracy of 1-NN in cells with rows", 0.85, seen),
        Check("accuracy of “the colour alternates”, fitted to one row", "1", parity, parity == 1.0),
    ]


def accuracies(rng: np.random.Generator, share: float) -> tuple[float, float, float]:
    """Of one neighbour in cells with and without rows, and of the pattern; mean over boards."""
    right = []
    for _ in range(N_REPEATS):
        X, y, Q, seen = board(rng, share, SIDE)
        good = KNeighborsClassifier(1).fit(X, y).predict(Q) == colour(Q)
        flip = y[0] ^ colour(X[:1])[0]  # what one row settles
        alternating = np.floor(Q).astype(int).sum(axis=1) % 2 ^ flip
        right.append((good[seen].mean(), good[~seen].mean(), np.mean(alternating == colour(Q))))
    with_row, without, pattern = np.mean(right, axis=0)
    return float(with_row), float(without), float(pattern)


def run(seed: int) -> Outcome:
    """Average over boards on which few cells have rows; and on which half of them have."""
    rng = np.random.default_rng(seed)
    checks = constancy_checks(*accuracies(rng, FEW))
    beside = accuracies(rng, HALF)[1]
    X, y, _, _ = board(rng, HALF, 16)
    return Outcome(
        tuple(checks),
        {"model": KNeighborsClassifier(1).fit(X, y), "X": X, "y": y},
        remark=f"About 1/2 holds where rows are few. With rows in half of the cells accuracy in "
        f"the others is {beside:.2f}: the nearest row mostly lies next door, where the colour "
        "is the other one, so that smoothness misleads.",
    )


def draw(outcome: Outcome) -> Figure:
    """The board, and what one neighbour makes of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    X, y = outcome.data["X"], outcome.data["y"]
    truth = np.add.outer(np.arange(16), np.arange(16)) % 2
    left.imshow(truth, extent=(0, 16, 0, 16), cmap="Blues", alpha=0.5, origin="lower")
    left.plot(X[:, 0], X[:, 1], ".", color="black", ms=2)
    left.set_title("The checkerboard and the rows")
    plot_decision_regions(outcome.data["model"], X, y, ax=right, marker_size=3)
    right.set_title("One nearest neighbour")
    return figure


EXPERIMENT = Experiment(
    title="Local constancy: smoothness says nothing of regions without rows",
    rows=(29,),
    claim="O(k) regions need O(k) rows: in a checkerboard's unseen cells accuracy is about 1/2",
    source="Goodfellow et al. (2016), Deep Learning, section 5.11.2",
    run=run,
    draw=draw,
)
