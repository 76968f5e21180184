"""CS229's houses: the coefficients printed in the lecture notes, to the printed digits.

The same line by batch gradient descent (LMS) from θ = (48, 30), where the notes begin theirs:
θ ← θ + (η/m) Xᵀ(y − Xθ). How long that takes is the condition number of XᵀX/m: 49 with areas in
1,000 square feet, 3·10⁷ in square feet, 1 with areas centred and scaled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.datasets import load_portland_housing
from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.linear_model import LinearRegression
from kiso.optim import GradientDescent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# CS229 part I prints 71.27, 0.1345 and 89.60, 0.1392, −8.738; here to six digits
PRINTED = {
    "area only": (71.2705, 0.134525),
    "area and bedrooms": (89.5979, 0.139211, -8.73802),
}
START = (48.0, 30.0)  # of the descent in the notes: $1000, and $1000 for 1,000 square feet
N_STEPS = 1200


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
        design = with_ones(used)
        normal = np.abs(design.T @ (y - model.predict(used)))
        size = design.T @ y
        checks.append(at_most(f"{name}: normal equations, |Xᵀr| / |Xᵀy|", 1e-12,
                              float((normal / size).max())))  # fmt: skip
    path = lms(X[:, 0] / 1000, y, START, N_STEPS)
    checks += descent_checks(X[:, 0], y, path)
    return Outcome(
        tuple(checks),
        {"X": X, "y": y, "models": models, "path": path},
        remark="The notes do not say that θ belongs to prices in $1000, and print four digits. "
        "The negative weight of a bedroom is at equal area: more, hence smaller, rooms. Descent "
        "in square feet has not begun to find the intercept when descent in 1,000 square feet "
        "has arrived: scale the features first.",
    )


def with_ones(x: Any) -> Any:
    """Return the design matrix [1, x]."""
    return np.column_stack([np.ones(len(x)), x])


def curvatures(X: Any) -> Any:
    """Return the eigenvalues of XᵀX/m, ascending."""
    return np.linalg.eigvalsh(X.T @ X / len(X))


def lms(x: Any, y: Any, start: Any, n_steps: int) -> Any:
    """Return θ of every step of batch LMS at the rate 1/λmax."""
    X = with_ones(x)
    rule = GradientDescent(float(1 / curvatures(X)[-1]))
    theta = {"theta": np.array(start)}
    state, path = rule.init(theta), [theta["theta"]]
    for _ in range(n_steps):
        gradient = X.T @ (X @ theta["theta"] - y) / len(y)
        theta, state = rule.update({"theta": gradient}, state, theta)
        path.append(theta["theta"])
    return np.array(path)


def descent_checks(area: Any, y: Any, path: Any) -> list[Check]:
    """Where descent arrives, how quickly, and how far it comes on areas as they are given."""
    found = [path[-1, 0], path[-1, 1] / 1000]
    checks = coefficient_checks("area only", found, f", {N_STEPS} steps from (48, 30)")
    low, high = curvatures(with_ones(area / 1000))
    best = np.array([PRINTED["area only"][0], 1000 * PRINTED["area only"][1]])
    error = np.linalg.norm(path[[100, 200]] - best, axis=1)
    factor = float((error[1] / error[0]) ** 0.01)
    wanted = float(1 - low / high)
    raw = lms(area, y, (START[0], START[1] / 1000), N_STEPS)
    scaled = lms((area - area.mean()) / area.std(), y, START, 1)[-1]
    slope = float(scaled[1] / area.std())
    return [
        *checks,
        close("error of a step / of the step before: 1 − 1/κ", wanted, factor,
              atol=1e-4, digits=6),
        at_most(f"square feet: intercept moved in {N_STEPS} steps / its way to 71.27", 0.01,
                float(abs(raw[-1, 0] - START[0]) / (best[0] - START[0]))),
        close("centred and scaled: θ₁ after one step", PRINTED["area only"][1], slope, atol=5e-7),
    ]  # fmt: skip


def coefficient_checks(name: str, found: list[float], how: str = "") -> list[Check]:
    """Compare θ with the printed values to half a unit of their sixth digit."""
    checks = []
    for j, (claimed, measured) in enumerate(zip(PRINTED[name], found, strict=True)):
        unit = 10.0 ** (np.floor(np.log10(abs(claimed))) - 5)
        checks.append(close(f"θ{j}, {name}{how}", claimed, float(measured), atol=0.5 * unit))
    return checks


def draw(outcome: Outcome) -> Figure:
    """Draw the line, the way of descent to it, and the predictions of both models."""
    from matplotlib.figure import Figure

    X, y, models = (outcome.data[key] for key in ("X", "y", "models"))
    figure = Figure(figsize=(16, 4.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
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
    draw_descent(middle, X[:, 0] / 1000, y, outcome.data["path"])
    for name, model in models.items():
        right.plot(y, model.predict(X[:, : len(model.coef_)]), "o", label=name, alpha=0.7)
    right.plot([150, 720], [150, 720], "k--", lw=0.8)
    right.set(xlabel="price, $1000", ylabel="predicted, $1000", title="Prediction and truth")
    right.legend()
    return figure


def draw_descent(axes: Axes, x: Any, y: Any, path: Any) -> None:
    """Contours of the mean squared error and the steps of batch LMS."""
    first, second = np.meshgrid(np.linspace(35, 90, 300), np.linspace(10, 180, 300))
    loss = ((first[..., None] + second[..., None] * x - y) ** 2).mean(-1) / 2
    axes.contour(first, second, loss, levels=loss.min() + np.geomspace(1, 4e4, 14), colors="0.7",
                 linewidths=0.8)  # fmt: skip
    axes.plot(*path.T, ".-", ms=4, lw=1)
    axes.annotate("(48, 30)", START, xytext=(6, -10), textcoords="offset points")
    axes.plot(*path[-1], "k*", ms=11)
    axes.annotate("(71.27, 134.5)", path[-1], xytext=(-30, 14), textcoords="offset points")
    axes.set(xlabel="θ₀, $1000", ylabel="θ₁, $1000 for 1,000 square feet",
             title=f"Batch LMS, {N_STEPS} steps")  # fmt: skip


EXPERIMENT = Experiment(
    title="The house prices of CS229",
    rows=(75,),
    claim="θ = (71.27, 0.1345) on area alone; (89.60, 0.1392, −8.738) with bedrooms; "
    "descent from (48, 30) arrives there",
    source="CS229 lecture notes, part I, sections 1 and 1.1",
    run=run,
    draw=draw,
)
