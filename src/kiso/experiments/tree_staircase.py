"""A decision tree asks about one axis at a time: x₂ > x₁ becomes a staircase.

With k leaves a tree of axis-parallel splits cannot follow a diagonal: what it gets wrong
falls as 1/k at best, since k steps leave k triangles of area 1/(2k²) in the unit square.
Logistic regression has the diagonal as a plane and gets it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome
from kiso.inspection import plot_decision_regions
from kiso.linear_model import LogisticRegression
from kiso.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAVES = (2, 4, 8, 16, 32, 64, 128)


def square(n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows in the unit square; whether x₂ > x₁."""
    X = rng.uniform(size=(n, 2))
    return X, (X[:, 1] > X[:, 0]).astype(int)


def verdicts(errors: Any, linear: float) -> tuple[Check, ...]:
    """What the text claims of the errors of trees of `LEAVES` leaves and of the plane."""
    slope = float(np.polyfit(np.log(LEAVES), np.log(errors), 1)[0])
    least = float(np.min(errors * np.array(LEAVES)))
    return (
        Check("slope of log error against log leaves", "-1 ± 0.25", slope, abs(slope + 1) <= 0.25),
        # k regions cut the diagonal into at most k pieces; each leaves at least 1/(4 k²)
        Check("least error × leaves over all trees", "≥ 0.2", least, least >= 0.2),
        Check("error of 2 leaves", "0.25 ± 0.03", float(errors[0]), abs(errors[0] - 0.25) <= 0.03),
        Check("error of logistic regression", "≤ 0.003", linear, linear <= 0.003),
    )


def run(seed: int) -> Outcome:
    """Errors on new rows, by number of leaves; the plane beside them."""
    rng = np.random.default_rng(seed)
    X, y = square(20_000, rng)
    Q, truth = square(100_000, rng)
    trees = {k: DecisionTreeClassifier(max_leaf_nodes=k).fit(X, y) for k in LEAVES}
    errors = np.array([1 - trees[k].score(Q, truth) for k in LEAVES])
    linear = 1 - LogisticRegression(C=1e6).fit(X, y).score(Q, truth)
    return Outcome(
        verdicts(errors, float(linear)),
        {"errors": errors, "linear": linear, "tree": trees[16], "rows": (X[:400], y[:400])},
    )


def draw(outcome: Outcome) -> Figure:
    """The staircase of 16 leaves, and the error against the number of leaves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    X, y = outcome.data["rows"]
    plot_decision_regions(outcome.data["tree"], X, y, ax=left)
    left.plot([0, 1], [0, 1], color="black", lw=1)
    left.set_title("16 leaves")
    right.loglog(LEAVES, outcome.data["errors"], "o-", label="decision tree")
    right.axhline(max(outcome.data["linear"], 1e-5), color="C1", label="logistic regression")
    right.set_xlabel("leaves")
    right.set_ylabel("error on new rows")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="The staircase of a decision tree",
    rows=(28,),
    claim="axis-parallel splits need many leaves for x₂ > x₁; logistic regression gets it at once",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.3",
    run=run,
    draw=draw,
)
