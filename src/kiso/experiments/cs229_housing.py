"""CS229's houses: the coefficients printed in the lecture notes, to the printed digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.datasets import load_portland_housing
from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.linear_model import LinearRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# CS229 part I prints 71.27, 0.1345 and 89.60, 0.1392, −8.738; here to six digits
PRINTED = {
    "area only": (71.2705, 0.134525),
    "area and bedrooms": (89.5979, 0.139211, -8.73802),
}


def run(seed: int) -> Outcome:
    """Fit price in $1000 on area, and on area and bedrooms."""
    X, dollars = load_portland_housing()
    y = dollars / 1000
    models = {
        "area only": LinearRegression().fit(X[:, :1], y),
        "area and bedrooms": LinearRegression().fit(X, y),
    }
    checks: list[Check] = []
    for name, model in models.items():
        checks += coefficient_checks(name, [model.intercept_, *model.coef_])
        used = X[:, : len(model.coef_)]
        r = y - model.predict(used)
        normal = np.abs(np.column_stack([np.ones(len(X)), used]).T @ r)
        size = np.column_stack([np.ones(len(X)), used]).T @ y
        checks.append(at_most(f"{name}: normal equations, |Xᵀr| / |Xᵀy|", 1e-12,
                              float((normal / size).max())))  # fmt: skip
    return Outcome(
        tuple(checks),
        {"X": X, "y": y, "models": models},
        remark="The notes do not say that θ belongs to prices in $1000, and print four digits. "
        "The negative weight of a bedroom is at equal area: more, hence smaller, rooms.",
    )


def coefficient_checks(name: str, found: list[float]) -> list[Check]:
    """Compare θ with the printed values to half a unit of their sixth digit."""
    checks = []
    for j, (claimed, measured) in enumerate(zip(PRINTED[name], found, strict=True)):
        unit = 10.0 ** (np.floor(np.log10(abs(claimed))) - 5)
        checks.append(close(f"θ{j}, {name}", claimed, float(measured), atol=0.5 * unit))
    return checks


def draw(outcome: Outcome) -> Figure:
    """Left: the line. Right: predictions of both models against prices."""
    from matplotlib.figure import Figure

    X, y, models = (outcome.data[key] for key in ("X", "y", "models"))
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for bedrooms in np.unique(X[:, 1]):
        of = X[:, 1] == bedrooms
        left.plot(X[of, 0], y[of], "o", label=f"{bedrooms:.0f} bedrooms")
    grid = np.array([[800.0], [4600.0]])
    line = models["area only"]
    left.plot(grid, line.predict(grid), "k-", lw=1)
    left.set(
        xlabel="living area, square feet",
        ylabel="price, $1000",
        title=f"θ = ({line.intercept_:.4f}, {line.coef_[0]:.6f})",
    )
    left.legend()
    for name, model in models.items():
        right.plot(y, model.predict(X[:, : len(model.coef_)]), "o", label=name, alpha=0.7)
    right.plot([150, 720], [150, 720], "k--", lw=0.8)
    right.set(xlabel="price, $1000", ylabel="predicted, $1000", title="Prediction and truth")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="The house prices of CS229",
    rows=(75,),
    claim="θ = (71.27, 0.1345) on area alone; (89.60, 0.1392, −8.738) with bedrooms",
    source="CS229 lecture notes, part I, sections 1 and 1.1",
    run=run,
    draw=draw,
)
