"""Nearest neighbours cannot learn that one feature matters more than another.

x ∈ ℝ¹⁰⁰ from a standard normal, y = x₁ and no noise. Distances are dominated by the 99
features that say nothing, so the neighbours' mean is nearly that of random rows; least
squares finds the one weight exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.linear_model import LinearRegression
from kiso.neighbors import KNeighborsRegressor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_FEATURES, N_ROWS, N_QUERIES = 100, 1000, 500
COUNTS = (1, 2, 4, 8, 16, 32, 64, 100)


def error(model: Any, X: Any, Q: Any) -> float:
    """Mean squared test error of a model of y = x₁, whose variance is 1."""
    return float(np.mean((model.fit(X, X[:, 0]).predict(Q) - Q[:, 0]) ** 2))


def irrelevance_checks(neighbors: float, least_squares: float, one: float) -> list[Check]:
    """With 100 features neighbours fail and least squares does not; with one they do not."""
    return [
        at_most("squared error of least squares, 100 features", 1e-20, least_squares),
        at_least("squared error of 5 neighbours, 100 features (y has variance 1)", 0.5, neighbors),
        at_most("squared error of 5 neighbours, x₁ alone", 0.01, one),
    ]


def run(seed: int) -> Outcome:
    """Measure both as features that say nothing are added."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_ROWS, N_FEATURES))
    Q = rng.standard_normal((N_QUERIES, N_FEATURES))
    neighbors = [error(KNeighborsRegressor(5), X[:, :d], Q[:, :d]) for d in COUNTS]
    squares = [error(LinearRegression(), X[:, :d], Q[:, :d]) for d in COUNTS]
    predicted = KNeighborsRegressor(5).fit(X, X[:, 0]).predict(Q)
    data = {"neighbors": neighbors, "squares": squares, "x": Q[:, 0], "predicted": predicted}
    return Outcome(tuple(irrelevance_checks(neighbors[-1], squares[-1], neighbors[0])), data)


def draw(outcome: Outcome) -> Figure:
    """Error against the number of features; predictions with all of them."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogx(COUNTS, data["neighbors"], "o-", label="5 neighbours")
    left.semilogx(COUNTS, data["squares"], "s-", label="least squares")
    left.set(xlabel="features, of which one matters", ylabel="squared error", title="y = x₁")
    left.legend()
    right.plot(data["x"], data["predicted"], "o", ms=3)
    right.plot([-3, 3], [-3, 3], "--", color="black", lw=1)
    right.set(xlabel="x₁", ylabel="mean of 5 neighbours", title=f"{N_FEATURES} features")
    return figure


EXPERIMENT = Experiment(
    title="Nearest neighbours cannot tell which feature matters",
    rows=(27,),
    claim="x ∈ ℝ¹⁰⁰, y = x₁: the neighbours' mean fails, least squares has error ≈ 0",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.3",
    run=run,
    draw=draw,
)
