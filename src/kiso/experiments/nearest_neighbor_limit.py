"""One nearest neighbour tends to E[2η(1 − η)]: at most twice the least possible error.

Far enough into the data the neighbour stands where the query stands; its label and the
query's are then two independent draws with p(y = 1) = η, which differ with probability
2η(1 − η). The best possible error is R* = min(η, 1 − η). Labels flipped with probability
η = 0.1 give 0.18, under 2R* = 0.2. With more and more neighbours the vote tends to R*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.neighbors import KNeighborsClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ETAS = (0.05, 0.1, 0.2, 0.3, 0.4)
SIZES = (30, 100, 300, 1000, 3000, 10_000, 30_000)
N_ROWS = N_QUERIES = 30_000


def sample(n: int, eta: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows uniform in the unit square; the class is its left or right half, flipped with η."""
    X = rng.random((n, 2))
    return X, (X[:, 0] > 0.5) ^ (rng.random(n) < eta)


def error(n: int, eta: float, k: int, rng: np.random.Generator) -> float:
    """Test error of k neighbours among n rows."""
    model = KNeighborsClassifier(k).fit(*sample(n, eta, rng))
    Q, y = sample(N_QUERIES, eta, rng)
    return float(np.mean(model.predict(Q) != y))


def limit_checks(errors: Any) -> list[Check]:
    """Errors for each η beside 2η(1 − η), within 0.012, and beside twice R*."""
    checks: list[Check] = []
    for eta, measured in zip(ETAS, errors, strict=True):
        limit = 2 * eta * (1 - eta)
        checks.append(close(f"error of 1-NN, η = {eta}", limit, measured, atol=0.012))
    worst = max(e - 2 * eta for e, eta in zip(errors, ETAS, strict=True))
    checks.append(at_most("error of 1-NN less 2R*, worst η", 0.012, worst))
    return checks


def run(seed: int) -> Outcome:
    """Measure 1-NN for several η, its approach with n, and many neighbours beside it."""
    rng = np.random.default_rng(seed)
    errors = [error(N_ROWS, eta, 1, rng) for eta in ETAS]
    path = [error(n, 0.1, 1, rng) for n in SIZES]
    many = error(N_ROWS, 0.1, 101, rng)
    checks = limit_checks(errors)
    checks.append(close("error of 101 neighbours, η = 0.1: R*", 0.1, many, atol=0.012))
    return Outcome(
        tuple(checks),
        {"errors": errors, "path": path},
        remark="The book's “double the Bayes error” is the bound; for two classes the limit is "
        "E[2η(1 − η)] ≤ 2R*(1 − R*), which is strictly less unless R* = 0.",
    )


def draw(outcome: Outcome) -> Figure:
    """The limit against η, and the way there."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    eta = np.linspace(0, 0.5, 101)
    left.plot(eta, 2 * eta * (1 - eta), label="2η(1 − η)")
    left.plot(eta, 2 * eta, "--", color="C3", lw=1, label="2R*")
    left.plot(eta, eta, ":", color="black", lw=1, label="R*")
    left.plot(ETAS, outcome.data["errors"], "o", color="C0", label=f"1-NN, {N_ROWS:,} rows")
    left.set(xlabel="η", ylabel="error", title="One nearest neighbour")
    left.legend()
    right.semilogx(SIZES, outcome.data["path"], "o-")
    right.axhline(0.18, color="C0", ls="--", lw=1)
    right.axhline(0.1, color="black", ls=":", lw=1)
    right.set(xlabel="rows", ylabel="error", title="η = 0.1: towards 0.18")
    return figure


EXPERIMENT = Experiment(
    title="The error of one nearest neighbour tends to 2η(1 − η)",
    rows=(26,),
    claim="1-NN: error → E[2η(1 − η)] ≤ 2R*(1 − R*); labels flipped with η = 0.1 give 0.18",
    source="Cover and Hart (1967), Nearest neighbor pattern classification; Goodfellow et al. "
    "(2016), Deep Learning, section 5.7.3",
    run=run,
    draw=draw,
)
