"""k nearest neighbours, k = 3, by hand: the majority of the three nearest rows.

Seven labelled rows and three queries small enough to work out on paper (squared distances
are whole numbers), one of them with a tie for the third place; then thousands of random
queries against distances that are all computed and sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome
from kiso.inspection import plot_decision_regions
from kiso.neighbors import KNeighborsClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

X = np.array([[0, 0], [1, 0], [0, 1], [2, 2], [4, 4], [5, 4], [4, 5]], dtype=float)
Y = np.array([0, 0, 0, 1, 1, 1, 1])

# query -> squared distances to the seven rows, the three nearest, their majority
BY_HAND = {
    (1, 1): ((2, 1, 1, 2, 18, 25, 25), (1, 2, 0), 0),  # rows 0 and 3 tie: the lower index
    (3, 3): ((18, 13, 13, 2, 2, 5, 5), (3, 4, 5), 1),  # rows 5 and 6 tie
    (2, 1): ((5, 2, 4, 1, 13, 18, 20), (3, 1, 2), 0),
}


def agreement(predict: Any, rng: np.random.Generator) -> float:
    """Share of random tables on which `predict(X, y, Q)` is the sorted majority of three."""
    right = []
    for _ in range(20):
        rows, queries = rng.integers(0, 6, (60, 2)), rng.integers(0, 6, (50, 2))
        labels = rng.integers(0, 2, 60)
        squares = ((queries[:, None] - rows[None]) ** 2).sum(axis=2)
        three = np.argsort(squares, axis=1, kind="stable")[:, :3]
        majority = labels[three].sum(axis=1) >= 2
        right.append(np.mean(predict(rows, labels, queries) == majority))
    return float(np.mean(right))


def run(seed: int) -> Outcome:
    """Compare with the sums on paper, then with brute force on random tables with ties."""
    model = KNeighborsClassifier(3).fit(X, Y)
    checks = []
    for query, (squares, rows, label) in BY_HAND.items():
        distance, index = model.kneighbors([query])
        same = tuple(index[0]) == rows and np.allclose(
            distance[0] ** 2, np.array(squares)[list(rows)]
        )
        found = int(model.predict([query])[0])
        checks.append(
            Check(
                f"three nearest of {query}, and their majority",
                f"rows {rows}: {label}",
                f"rows {tuple(int(i) for i in index[0])}: {found}",
                bool(same and found == label),
            )
        )
    rng = np.random.default_rng(seed)
    for algorithm in ("brute", "kd_tree"):

        def predict(rows: Any, labels: Any, queries: Any, algorithm: str = algorithm) -> Any:
            return KNeighborsClassifier(3, algorithm=algorithm).fit(rows, labels).predict(queries)

        share = agreement(predict, rng)
        checks.append(Check(f"{algorithm} against sorted distances", "1", share, share == 1.0))
    return Outcome(tuple(checks), {"model": model})


def draw(outcome: Outcome) -> Figure:
    """The rows, the regions of the vote, and each query joined to its three neighbours."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    ax = figure.subplots()
    model = outcome.data["model"]
    plot_decision_regions(model, X, Y, ax=ax)
    for query, (_, rows, _) in BY_HAND.items():
        for row in rows:
            ax.plot([query[0], X[row, 0]], [query[1], X[row, 1]], color="black", lw=0.8)
        ax.plot(*query, "*", color="black", ms=12)
    ax.set_title("Majority of the three nearest rows")
    return figure


EXPERIMENT = Experiment(
    title="Three nearest neighbours by hand",
    rows=(24,),
    claim="k nearest neighbours, k = 3, predicts the majority of the three nearest rows",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.3; lecture notes, k-NN figure",
    run=run,
    draw=draw,
)
