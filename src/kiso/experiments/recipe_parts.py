"""A learning algorithm is data + cost + optimiser + model: change one, keep the rest.

The start is a linear model, the squared error, the normal equations, and 200 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_most, close
from kiso.linear_model import LinearRegression
from kiso.losses import Huber, Loss, SquaredError
from kiso.optim import minimize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OPTIMISERS = ("l-bfgs", "scipy:BFGS", "scipy:CG")
SIZES = 100 * 4 ** np.arange(5)
N_REPEATS = 20


def run(seed: int) -> Outcome:
    """Swap the optimiser, the cost, the model and the data, one at a time."""
    rng = np.random.default_rng(seed)
    true = np.array([1.0, -2.0, 0.5])
    X = rng.normal(size=(200, 3))
    y = X @ true + 0.5 * rng.normal(size=200)
    start = LinearRegression(fit_intercept=False).fit(X, y)
    gaps = {
        method: float(np.abs(by_descent(SquaredError(), X, y, method) - start.coef_).max())
        for method in OPTIMISERS
    }
    checks = [
        at_most(f"optimiser {method}: coefficients differ by", 1e-6, gap, digits=1)
        for method, gap in gaps.items()
    ]
    spoilt = y.copy()
    spoilt[:10] += 30.0
    squared = LinearRegression(fit_intercept=False).fit(X, spoilt)
    robust = by_descent(Huber(delta=0.5), X, spoilt, "l-bfgs")
    errors = [float(np.linalg.norm(coef - true)) for coef in (squared.coef_, robust)]
    checks.append(at_most("cost: Huber's error / least squares', 5 % outliers", 0.5,
                          errors[1] / errors[0]))  # fmt: skip
    curve = curved_data(rng, 200)
    line, cubic = (rms_error(curve, curved_data(rng, 4000), degree) for degree in (1, 3))
    checks.append(at_most("model: cubic's test error / the line's, curved data", 0.5, cubic / line))
    by_size = np.array([[size_error(rng, true, int(m)) for m in SIZES] for _ in range(N_REPEATS)])
    mean = np.sqrt((by_size**2).mean(axis=0))
    slope = float(np.polyfit(np.log(SIZES), np.log(mean), 1)[0])
    checks.append(close("data: exponent of the error in m", -0.5, slope, atol=0.1, digits=2))
    return Outcome(
        tuple(checks),
        {"gaps": gaps, "errors": errors, "curve": curve, "sizes": mean},
    )


def by_descent(loss: Loss, X: Any, y: Any, method: str) -> Any:
    """The same linear model with a cost of choice and an optimiser of choice."""

    def objective(w: Any) -> tuple[float, Any]:
        return loss.value(X @ w, y), X.T @ loss.gradient(X @ w, y)

    return minimize(objective, np.zeros(X.shape[1]), method=method, tol=1e-9).x


def curved_data(rng: np.random.Generator, m: int) -> tuple[Any, Any]:
    """A cubic with noise."""
    x = rng.uniform(-2, 2, size=m)
    return x, x**3 - 2 * x + 0.3 * rng.normal(size=m)


def rms_error(train: tuple[Any, Any], test: tuple[Any, Any], degree: int) -> float:
    """Root mean squared error on the test rows of a polynomial fitted to the others."""
    powers: Callable[[Any], Any] = lambda x: x[:, None] ** np.arange(1, degree + 1)  # noqa: E731
    model = LinearRegression().fit(powers(train[0]), train[1])
    return float(np.sqrt(np.mean((model.predict(powers(test[0])) - test[1]) ** 2)))


def size_error(rng: np.random.Generator, true: Any, m: int) -> float:
    """Distance of the estimate from the truth with m rows."""
    X = rng.normal(size=(m, 3))
    y = X @ true + 0.5 * rng.normal(size=m)
    return float(np.linalg.norm(LinearRegression().fit(X, y).coef_ - true))


def draw(outcome: Outcome) -> Figure:
    """One panel for each part."""
    from matplotlib.figure import Figure

    data = outcome.data
    figure = Figure(figsize=(13, 4), layout="constrained")
    optimiser, cost, model, rows = figure.subplots(1, 4)
    optimiser.barh(list(data["gaps"]), np.maximum(list(data["gaps"].values()), 1e-17))
    optimiser.set(xscale="log", xlabel="difference of the coefficients", title="other optimiser")
    cost.bar(["squared", "Huber"], data["errors"])
    cost.set(ylabel="error of the coefficients", title="other cost, 5 % outliers")
    x, y = data["curve"]
    grid = np.linspace(-2, 2, 101)
    model.plot(x, y, ".", color="gray", ms=3)
    for degree in (1, 3):
        powers = np.arange(1, degree + 1)
        fit = LinearRegression().fit(x[:, None] ** powers, y)
        model.plot(grid, fit.predict(grid[:, None] ** powers), label=f"degree {degree}")
    model.set(title="other model")
    model.legend()
    rows.loglog(SIZES, data["sizes"], "o-")
    rows.loglog(SIZES, data["sizes"][0] * (SIZES / SIZES[0]) ** -0.5, "k--", label="m^(−1/2)")
    rows.set(xlabel="rows m", ylabel="error of the coefficients", title="other data")
    rows.legend()
    return figure


EXPERIMENT = Experiment(
    title="The recipe: data, cost, optimiser and model are replaced one by one",
    rows=(31,),
    claim="Nearly all learning algorithms combine a data set, a cost, an optimisation "
    "procedure and a model, each of which can be replaced independently",
    source="Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.10",
    run=run,
    draw=draw,
)
