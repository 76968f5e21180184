"""What no line separates, a plane separates after a lift x → φ(x).

XOR: (0,0) and (1,1) against (0,1) and (1,0). The two classes have the same midpoint, so no
line can part them; with x₁x₂ as a third coordinate a plane does. A disc within a ring: with
x₁² + x₂² as a third coordinate, any plane between the two heights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.inspection import plot_margin
from kiso.linear_model import Perceptron
from kiso.svm import SVC, LinearSVC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N = 200
CORNERS = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])


def with_product(X: Any) -> Any:
    """φ(x) = (x₁, x₂, x₁x₂)."""
    return np.column_stack([X, X[:, 0] * X[:, 1]])


def with_radius(X: Any) -> Any:
    """φ(x) = (x₁, x₂, x₁² + x₂²)."""
    return np.column_stack([X, (X**2).sum(axis=1)])


LIFTS = {"XOR": with_product, "disc in a ring": with_radius}


def run(seed: int) -> Outcome:
    """Fit a machine to each problem before and after the lift."""
    rng = np.random.default_rng(seed)
    problems = {"XOR": xor(rng), "disc in a ring": disc(rng)}
    centres = CORNERS[:2].mean(axis=0) - CORNERS[2:].mean(axis=0)
    checks = [
        close("distance of the midpoints of XOR's classes", 0.0, float(np.abs(centres).max()),
              atol=0.0)
    ]  # fmt: skip
    models = {}
    for name, (X, y) in problems.items():
        models[name] = make_pipeline(FunctionTransformer(LIFTS[name]), machine()).fit(X, y)
        checks += compared(name, X, y, models[name])
    return Outcome(tuple(checks), {"problems": problems, "models": models})


def xor(rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows around the corners of a square, about the origin; opposite corners are a class."""
    signs = rng.choice([-1.0, 1.0], (N, 2))
    return signs * rng.uniform(0.2, 1.2, (N, 2)), signs.prod(axis=1) > 0


def disc(rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows in a disc of radius 1, and in a ring from 1.3 to 2."""
    inside = np.arange(N) % 2 == 0
    radius = np.where(inside, rng.uniform(0, 1, N), rng.uniform(1.3, 2, N))
    angle = rng.uniform(0, 2 * np.pi, N)
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), inside


def machine() -> LinearSVC:
    """A machine that pays much for rows on the wrong side."""
    return LinearSVC(C=100.0, loss="hinge", intercept_scaling=10.0)


def compared(name: str, X: Any, y: Any, lifted: Any) -> list[Check]:
    """Accuracies in the plane and after the lift, and the width of the margin there."""
    Z = LIFTS[name](X)
    perceptron = Perceptron(tol=None, max_iter=100_000, random_state=0).fit(Z, y)
    hard = SVC(C=np.inf, kernel="linear", tol=1e-6).fit(Z, y)
    slack = np.where(y, 1.0, -1.0) * hard.decision_function(Z)
    return [
        at_most(f"{name}: accuracy of a line", 0.8, machine().fit(X, y).score(X, y)),
        close(f"{name}: accuracy of a plane after the lift", 1.0, lifted.score(X, y), atol=0.0),
        close(f"{name}: accuracy of a perceptron there", 1.0, perceptron.score(Z, y), atol=0.0),
        at_least(f"{name}: least y f(x) of the hard margin there", 1.0 - 1e-4, float(slack.min())),
    ]


def draw(outcome: Outcome) -> Figure:
    """Each problem: the rows lifted, with the plane; and the boundary brought back."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9.5), layout="constrained")
    for row, (name, (X, y)) in enumerate(outcome.data["problems"].items()):
        model = outcome.data["models"][name]
        ax = figure.add_subplot(2, 2, 2 * row + 1, projection="3d")
        Z = LIFTS[name](X)
        for k, member in enumerate((~y, y)):
            ax.scatter(*Z[member].T, s=12, color=f"C{k}")
        _plane(ax, model[-1], X)
        ax.set(xlabel="x₁", ylabel="x₂", zlabel="x₁x₂" if row == 0 else "x₁² + x₂²")
        ax.set_title(f"{name}: lifted")
        flat = figure.add_subplot(2, 2, 2 * row + 2)
        plot_margin(model, X, y, ax=flat)
        flat.set_title("the plane, seen from where the rows were")
    return figure


def _plane(ax: Any, model: Any, X: Any) -> None:
    """Draw w·z + b = 0 over the extent of the rows."""
    (w1, w2, w3), b = model.coef_[0], float(model.intercept_[0])
    sides = [np.linspace(X[:, j].min(), X[:, j].max(), 2) for j in range(2)]
    x1, x2 = np.meshgrid(*sides)
    ax.plot_surface(x1, x2, -(w1 * x1 + w2 * x2 + b) / w3, alpha=0.25, color="black")


EXPERIMENT = Experiment(
    title="A lift makes XOR and the circle separable",
    rows=(12,),
    claim="no line separates XOR or a disc in a ring; after x → φ(x) a plane separates all rows",
    source="Goodfellow et al. (2016), Deep Learning, sections 5.7.2 and 6.1; notes A p. 12",
    run=run,
    draw=draw,
)
