"""A linear-Gaussian model of 0/1 labels predicts what no probability can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.linear_model import LinearRegression, LogisticRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run(seed: int) -> Outcome:
    """Fit labels by least squares and by logistic regression; count what leaves [0, 1]."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=400)
    p = 1 / (1 + np.exp(-3 * x))
    y = (rng.random(400) < p).astype(int)
    X = x[:, None]
    line = LinearRegression().fit(X, y)
    curve = LogisticRegression(C=np.inf).fit(X, y)
    far = np.append(X, [[20.0], [20.0]], axis=0)  # two rows that are certain, and far off
    pulled = LinearRegression().fit(far, np.append(y, [1, 1]))
    held = LogisticRegression(C=np.inf).fit(far, np.append(y, [1, 1]))
    checks = [
        *range_checks("linear-Gaussian", line.predict(X), leaves=True),
        *range_checks("logistic", curve.predict_proba(X)[:, 1], leaves=False),
        at_most(
            "slope of the linear model, two far rows / without", 0.7, slope(pulled) / slope(line)
        ),
        at_least("slope of the logistic model, the same", 0.99, slope(held) / slope(curve)),
    ]
    return Outcome(
        tuple(checks),
        {"x": x, "y": y, "p": p, "line": line, "curve": curve, "pulled": pulled},
        remark="The slide writes the variance as σ²; the book's (5.80) has variance one.",
    )


def slope(model: LinearRegression | LogisticRegression) -> float:
    """The only weight."""
    return float(np.ravel(model.coef_)[0])


def range_checks(name: str, predicted: np.ndarray, *, leaves: bool) -> list[Check]:
    """Count predictions outside [0, 1]."""
    outside = int(((predicted < 0) | (predicted > 1)).sum())
    if leaves:
        return [at_least(f"{name}: predictions outside [0, 1]", 1, outside)]
    return [at_most(f"{name}: predictions outside [0, 1]", 0, outside)]


def draw(outcome: Outcome) -> Figure:
    """Both models over the labels."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    t = np.linspace(-4, 4, 201)
    axes.plot(data["x"], data["y"], "k|", ms=10, alpha=0.4)
    axes.plot(t, data["line"].predict(t[:, None]), label="linear-Gaussian")
    axes.plot(t, data["pulled"].predict(t[:, None]), "--", color="C0", label="with two far rows")
    axes.plot(t, data["curve"].predict_proba(t[:, None])[:, 1], color="C1", label="logistic")
    axes.plot(t, 1 / (1 + np.exp(-3 * t)), "k:", label="truth")
    axes.axhspan(0, 1, color="gray", alpha=0.1)
    axes.set(xlabel="x", ylabel="p(y = 1 | x)", title="Outside the band nothing is a probability")
    axes.legend()
    return figure


EXPERIMENT = Experiment(
    title="A linear-Gaussian model does not suit 0/1 labels",
    rows=(6,),
    claim="p(y | x) = N(θᵀx, σ²) has range ℝ: least squares on 0/1 labels leaves [0, 1]",
    source="Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.7.1, eq. 5.80",
    run=run,
    draw=draw,
)
