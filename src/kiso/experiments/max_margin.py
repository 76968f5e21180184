"""The plane of the largest margin, with its proof: duality gap, KKT conditions, hulls.

maximise 2/‖w‖ subject to yᵢ (w·xᵢ + b) ≥ 1, whose dual has αᵢ ≥ 0, Σ αᵢ yᵢ = 0 and
w = Σ αᵢ yᵢ xᵢ. At the solution primal and dual are equal and αᵢ (yᵢ f(xᵢ) − 1) = 0: samples
beyond the margin have α = 0 and no say. The width of the margin is the distance of the
convex hulls of the classes, which is measured here without any support vector machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.inspection import plot_margin
from kiso.svm import SVC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER_CLASS = 15


def run(seed: int) -> Outcome:
    """Fit; look at what the optimum has to satisfy; fit again without some samples."""
    rng = np.random.default_rng(seed)
    y = np.repeat([-1, 1], PER_CLASS)
    X = rng.standard_normal((len(y), 2)).clip(-1.6, 1.6) + 1.9 * y[:, None] * [1.0, 0.8]
    model = fit(X, y)
    support = model.support_
    others = np.setdiff1d(np.arange(len(y)), support)
    without = [fit(np.delete(X, i, axis=0), np.delete(y, i)) for i in support]
    data = {"X": X, "y": y, "model": model, "alone": fit(X[support], y[support])}
    shares = [width(m) / width(model) for m in without]
    return Outcome(
        (
            *optimality(model, X, y),
            close("width 2/‖w‖ / distance of the convex hulls", 1.0,
                  width(model) / hull_distance(X, y), atol=1e-4),
            at_least("samples that are no support vectors", len(y) / 2, len(others)),
            at_most("change of (w, b) when all of those are left out", 1e-3,
                    change(data["alone"], model)),
            at_least("width without one support vector / with it, largest", 1.001, max(shares)),
            at_least("the same, smallest", 1.0 - 1e-4, min(shares)),
        ),
        data,
        "A support vector can be left out without effect where others hold the margin too.",
    )  # fmt: skip


def fit(X: Any, y: Any) -> SVC:
    """The hard-margin machine."""
    return SVC(C=np.inf, kernel="linear", tol=1e-8).fit(X, y)


def width(model: Any) -> float:
    """2/‖w‖."""
    return 2.0 / float(np.linalg.norm(model.coef_))


def change(first: Any, second: Any) -> float:
    """‖(w, b) − (w', b')‖ / ‖w'‖."""
    a, b = (np.append(m.coef_, m.intercept_) for m in (first, second))
    return float(np.linalg.norm(a - b) / np.linalg.norm(second.coef_))


def optimality(model: Any, X: Any, y: Any) -> tuple[Check, ...]:
    """The duality gap and the KKT conditions, from the fitted attributes."""
    signed = np.zeros(len(y))
    signed[model.support_] = model.dual_coef_[0]
    alpha = signed * y
    w = X.T @ signed
    primal = 0.5 * float(model.coef_[0] @ model.coef_[0])
    slack = y * model.decision_function(X) - 1.0
    return (
        at_most("(primal − dual) / primal", 1e-5,
                abs(primal - (float(alpha.sum()) - 0.5 * float(w @ w))) / primal),
        at_most("largest violation of y f(x) ≥ 1", 1e-5, max(0.0, -float(slack.min()))),
        at_least("smallest α", 0.0, float(alpha.min())),
        at_most("|Σ α y|", 1e-9, abs(float(signed.sum()))),
        at_most("largest α (y f(x) − 1)", 1e-5, float(np.abs(alpha * slack).max())),
    )  # fmt: skip


def hull_distance(X: Any, y: Any) -> float:
    """Least ‖Σ aᵢ xᵢ − Σ bⱼ xⱼ‖ over weights ≥ 0 that sum to one in each class."""
    signs, classes = y.astype(float), [y < 0, y > 0]
    signed = signs[:, None] * X
    start = np.where(y > 0, 1.0 / (y > 0).sum(), 1.0 / (y < 0).sum())
    sums_to_one: list[Any] = [
        {"type": "eq", "fun": lambda a, c=c: a[c].sum() - 1.0, "jac": lambda a, c=c: c * 1.0}
        for c in classes
    ]
    found = minimize(  # type: ignore[call-overload]  # stubs know no Any
        lambda a: float(np.sum((a @ signed) ** 2)),
        start, jac=lambda a: 2.0 * signed @ (a @ signed), method="SLSQP",
        bounds=[(0.0, 1.0)] * len(y), constraints=sums_to_one,
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    return float(np.sqrt(found.fun))


def draw(outcome: Outcome) -> Figure:
    """Left: the margin. Right: the machine of the support vectors alone."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    X, y, model = (outcome.data[k] for k in ("X", "y", "model"))
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    plot_margin(model, X, y, ax=left)
    left.set_title(f"Width 2/‖w‖ = {width(model):.3f}; {len(model.support_)} support vectors")
    plot_margin(outcome.data["alone"], X, ax=right)
    right.scatter(*X[model.support_].T, 20, color="black")
    right.set_title("Fitted to the support vectors alone: the same")
    return figure


EXPERIMENT = Experiment(
    title="The largest margin, and that only the support vectors matter",
    rows=(10,),
    claim="maximise 2/‖w‖ with yᵢ (w·xᵢ + b) ≥ 1: the duality gap is 0, the KKT conditions hold, "
    "and the samples with α = 0 can be left out",
    source="Goodfellow et al. (2016), Deep Learning, section 5.7.2; notes A p. 9; "
    "Cortes & Vapnik (1995), Support-vector networks; Bennett & Bredensteiner (2000), "
    "Duality and geometry in SVM classifiers",
    run=run,
    draw=draw,
)
