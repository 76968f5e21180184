"""The perceptron makes at most (R/γ)² mistakes, and where it ends depends on the order.

On a mistake w ← w + y x. If some plane through the origin separates the samples by γ and
none is longer than R, the mistakes are at most (R/γ)² in all, in any order, however often
the samples come. The bound is attained: d unit vectors at right angles, of any signs, have
R = 1, γ = 1/√d and cost d mistakes. Of the many planes that separate the samples the
perceptron finds one; another order gives another plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.linear_model import Perceptron

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SETS = 120
N_ORDERS = 40
CORNERS = (2, 10, 100)


def run(seed: int) -> Outcome:
    """Count mistakes on separable sets of many shapes and margins."""
    rng = np.random.default_rng(seed)
    counts = np.array([count(*separable(rng), rng) for _ in range(N_SETS)])
    mistakes, bounds = counts.T
    X, y = cloud(rng)
    planes = np.array([plane(X, y, rng) for _ in range(N_ORDERS)])
    checks: list[Check] = [
        at_most(f"mistakes / (R/γ)², largest of {N_SETS} sets", 1.0,
                float((mistakes / bounds).max())),
        at_least("sets that took a second mistake", N_SETS / 2, int((mistakes > 1).sum())),
        *(close(f"mistakes on {d} unit vectors at right angles", d, corner(d), atol=0)
          for d in CORNERS),
        *plane_checks(X, y, planes),
    ]  # fmt: skip
    return Outcome(
        tuple(checks),
        {"mistakes": mistakes, "bounds": bounds, "X": X, "y": y, "planes": planes},
        "γ and R are those of the samples with a constant feature 1 for the intercept.",
    )


def separable(rng: np.random.Generator) -> tuple[Any, Any]:
    """Samples at a random least distance from a random plane, in 2 to 20 dimensions."""
    n, d, gap = int(rng.integers(10, 80)), int(rng.integers(2, 21)), 10 ** rng.uniform(-1.5, 0.5)
    normal = rng.standard_normal(d)
    normal /= np.linalg.norm(normal)
    X = rng.standard_normal((n, d))
    y = np.where(np.arange(n) % 2, 1, -1)
    distance = X @ normal
    return X + np.outer(y * (np.abs(distance) + gap) - distance, normal), y


def count(X: Any, y: Any, rng: np.random.Generator) -> tuple[int, float]:
    """Mistakes until none is left, and the bound."""
    model = Perceptron(max_iter=100_000, tol=None, random_state=rng).fit(X, y)
    return model.n_mistakes_, model.mistake_bound(X, y)


def corner(d: int) -> int:
    """Mistakes on the d unit vectors of the axes, signs alternating; no intercept."""
    y = np.where(np.arange(d) % 2, 1, -1)
    return Perceptron(fit_intercept=False, tol=None).fit(np.eye(d), y).n_mistakes_


def cloud(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two clouds in the plane with room between them."""
    y = np.repeat([-1, 1], 20)
    return 0.6 * rng.standard_normal((40, 2)).clip(-2, 2) + 2.0 * y[:, None], y


def plane(X: Any, y: Any, rng: np.random.Generator) -> Any:
    """(w₁, w₂, b) of the perceptron for a random order, of length 1."""
    model = Perceptron(tol=None, max_iter=1000, random_state=rng).fit(X, y)
    found = np.append(model.coef_[0], model.intercept_)
    return found / np.linalg.norm(found)


def plane_checks(X: Any, y: Any, planes: Any) -> list[Check]:
    """All planes separate, and they differ."""
    wrong = (y * (planes[:, :2] @ X.T + planes[:, 2:]) <= 0).sum()
    n_different = len(np.unique(planes.round(6), axis=0))
    angles = np.degrees(np.arccos(np.clip(planes @ planes.T, -1, 1)))
    return [
        close(f"samples on the wrong side of the {N_ORDERS} planes", 0, float(wrong), atol=0),
        at_least(f"different planes from {N_ORDERS} orders", 5, n_different),
        at_least("largest angle between two of them, degrees", 5.0, float(angles.max()), digits=3),
    ]


def draw(outcome: Outcome) -> Figure:
    """Left: mistakes against the bound. Right: one data set, many planes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    bounds, mistakes = outcome.data["bounds"], outcome.data["mistakes"]
    left.loglog(bounds, mistakes, "o", ms=4, alpha=0.6, label="separable sets")
    left.loglog(CORNERS, CORNERS, "D", color="C1", label="unit vectors at right angles")
    ends = np.array([min(bounds.min(), CORNERS[0]), bounds.max()])
    left.loglog(ends, ends, "k--", lw=1, label="(R/γ)²")
    left.set(xlabel="(R/γ)²", ylabel="mistakes", title="Mistakes stay below the bound")
    left.legend()
    X, y = outcome.data["X"], outcome.data["y"]
    across = np.array([-4.0, 4.0])
    for w1, w2, b in outcome.data["planes"]:
        if abs(w2) > 1e-9:
            right.plot(across, -(b + w1 * across) / w2, color="0.6", lw=0.7)
    for sign, mark in ((-1, "o"), (1, "s")):
        right.plot(*X[y == sign].T, mark, label=f"y = {sign}")
    right.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xlabel="x₁", ylabel="x₂")
    right.set_title("Many planes separate; the order decides which is found")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="The perceptron's mistakes and its many planes",
    rows=(9, 77),
    claim="w ← w + y x on mistakes: at most (R/γ)² of them; any separating plane may result",
    source="Rosenblatt (1958); Novikoff (1962), On convergence proofs on perceptrons; "
    "notes A p. 8, C line 10",
    run=run,
    draw=draw,
)
