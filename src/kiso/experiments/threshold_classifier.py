"""Classifying by a threshold on a regression, and by one-hot codes and argmax.

A regression on the labels 0 and 1, y = 1 where h(x) > ½, has to follow a jump. Smooth
functions ring beside it: the best polynomial of degree n overshoots by
Si(π)/π − ½ = 8.95 % of the jump however large n is (Gibbs), within a distance that falls
as 1/n; so the labels come out right all the same, but for a band of width 1/n.

With three classes one threshold is not enough, and codes 0, 1, 2 claim an order that is
not there. One-hot codes with argmax claim none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.linear_model import LinearRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEGREES = np.array([15, 31, 63, 127])
GIBBS = 0.0894898722  # Si(π)/π − 1/2
N_ROWS = 40_000
CENTRES = np.array([[0.0, 2.0], [2.0, 0.0], [-1.5, -1.5]])


def run(seed: int) -> Outcome:
    """Measure the overshoot and where it lies; then compare codes on three classes."""
    rng = np.random.default_rng(seed)
    jump = float(rng.uniform(-0.1, 0.1))
    x = np.linspace(-1, 1, N_ROWS)
    fits = {int(n): ringing(x, jump, int(n)) for n in DEGREES}
    overshoot = [fit["overshoot"] for fit in fits.values()]
    distance = np.array([fit["distance"] for fit in fits.values()])
    wrong = np.array([fit["wrong"] for fit in fits.values()])
    slope = float(np.polyfit(np.log(DEGREES), np.log(distance), 1)[0])
    checks = [
        close(f"overshoot of degree {n} over the jump", GIBBS, value, atol=0.015, digits=4)
        for n, value in zip(DEGREES, overshoot, strict=True)
    ]
    checks.append(close("exponent in n of its distance", -1.0, slope, atol=0.1, digits=2))
    checks.append(
        at_most("share of wrong labels × n, at worst", 0.6, float((wrong * DEGREES).max()))
    )
    scores = np.array([code_scores(rng) for _ in range(5)])
    checks += score_checks(scores)
    return Outcome(
        tuple(checks),
        {"x": x, "jump": jump, "fits": fits, "classes": three_classes(rng, 300)},
        remark="One-hot codes do not cure everything: of three classes in a row the middle one "
        "is masked, as a linear function is never largest there.",
    )


def ringing(x: Any, jump: float, degree: int) -> dict[str, Any]:
    """Least squares on the labels 1(x > jump) with Legendre polynomials."""
    P = np.polynomial.legendre.legvander(x, degree)[:, 1:]
    y = (x > jump).astype(float)
    h = LinearRegression().fit(P, y).predict(P)
    near = (x > jump) & (x < jump + 0.5)
    top = int(np.argmax(np.where(near, h, -np.inf)))
    return {
        "h": h,
        "overshoot": float(h[top] - 1),
        "distance": float(x[top] - jump),
        "wrong": float(np.mean((h > 0.5) != (y == 1))),
    }


def three_classes(rng: np.random.Generator, m: int) -> tuple[Any, Any]:
    """Three round clouds in a triangle."""
    labels = rng.integers(3, size=m)
    return CENTRES[labels] + 0.6 * rng.normal(size=(m, 2)), labels


def code_scores(rng: np.random.Generator) -> tuple[float, float]:
    """Test accuracy of thresholds on one number, and of one-hot codes with argmax."""
    X, labels = three_classes(rng, 300)
    test, truth = three_classes(rng, 3000)
    one = LinearRegression().fit(X, labels).predict(test)
    rounded = np.clip(np.rint(one), 0, 2)
    hot = LinearRegression().fit(X, np.eye(3)[labels]).predict(test)
    return float(np.mean(rounded == truth)), float(np.mean(hot.argmax(axis=1) == truth))


def score_checks(scores: Any) -> list[Check]:
    """One-hot with argmax is better in every repeat."""
    gain = float((scores[:, 1] - scores[:, 0]).min())
    return [
        at_least("accuracy gained by one-hot codes, least of 5 repeats", 0.05, gain),
        at_least("accuracy of one-hot codes, least of 5 repeats", 0.95, float(scores[:, 1].min())),
    ]


def draw(outcome: Outcome) -> Figure:
    """Left: ringing. Right: the regions of both codes on three classes."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    left, *rest = figure.subplots(1, 3)
    x, jump = data["x"], data["jump"]
    near = np.abs(x - jump) < 0.4
    for degree, fit in list(data["fits"].items())[:3]:
        left.plot(x[near], fit["h"][near], lw=1, label=f"degree {degree}")
    left.plot(x[near], x[near] > jump, "k", lw=0.8)
    left.axhline(1 + GIBBS, color="gray", ls="--", lw=0.8, label="1 + 8.95 %")
    left.set(xlabel="x", ylabel="h(x)", title="Ringing beside the jump")
    left.legend()
    X, labels = data["classes"]
    grid = np.stack(np.meshgrid(np.linspace(-4, 4, 200), np.linspace(-4, 4, 200)), axis=-1)
    flat = grid.reshape(-1, 2)
    one = np.clip(np.rint(LinearRegression().fit(X, labels).predict(flat)), 0, 2)
    hot = LinearRegression().fit(X, np.eye(3)[labels]).predict(flat).argmax(axis=1)
    for axes, regions, title in zip(rest, (one, hot), ("codes 0, 1, 2", "one-hot"), strict=True):
        axes.contourf(grid[..., 0], grid[..., 1], regions.reshape(200, 200), alpha=0.3)
        axes.scatter(X[:, 0], X[:, 1], c=labels, s=8)
        axes.set(title=title, aspect="equal")
    return figure


EXPERIMENT = Experiment(
    title="Threshold classifiers ring near a jump; one-hot codes with argmax for more classes",
    rows=(34, 35),
    claim="h: ℝⁿ → ℝ with y = 1 where h > ½ has a discontinuous target; with three classes "
    "one-hot codes and ŷ = argmax h(x) do better",
    source="Week-3 notes, classification by regression; overshoot: Gibbs (1899)",
    run=run,
    draw=draw,
)
