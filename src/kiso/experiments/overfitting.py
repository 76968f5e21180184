"""Overfitting, the training and validation protocol, and regularisation.

As the degree of a polynomial grows the training error only falls, while the error on new
data falls and rises again: a U. A validation set that took no part in the fit finds the
bottom of the U; the training error cannot. The same U appears along the penalty λ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.linear_model import LinearRegression, Ridge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEGREES = np.arange(1, 16)
LAMBDAS = np.logspace(-9, 3, 25)
N_TRAIN, N_VALID, N_TEST, N_REPEATS = 25, 25, 5000, 40
NOISE = 0.3


def run(seed: int) -> Outcome:
    """Fit all degrees, and degree 15 along λ; choose by training and by validation error."""
    rng = np.random.default_rng(seed)
    degree, path = zip(*(one_repeat(rng) for _ in range(N_REPEATS)), strict=True)
    by_degree, by_lambda = np.array(degree), np.array(path)  # (repeats, models, 3 sets)
    checks = [
        at_most("training error rises with the degree by, at most", 1e-9,
                float(np.diff(by_degree[:, :, 0], axis=1).max()), digits=1),
        *u_curve_checks("degree", DEGREES, np.median(by_degree[:, :, 2], axis=0)),
        *u_curve_checks("λ", LAMBDAS, np.median(by_lambda[:, :, 2], axis=0)),
        *choice_checks(by_degree),
    ]  # fmt: skip
    best = float(np.median(by_lambda[:, :, 2].min(axis=1)))
    plain = float(np.median(by_degree[:, -1, 2]))
    checks.append(at_most("degree 15: test error with the best λ / with none", 0.5, best / plain))
    return Outcome(tuple(checks), {"degree": by_degree, "lambda": by_lambda})


def features(x: Any, degree: int) -> Any:
    """Chebyshev polynomials of x on [−1, 1]: the same space as powers, well conditioned."""
    return np.polynomial.chebyshev.chebvander(x, degree)[:, 1:]


def one_repeat(rng: np.random.Generator) -> tuple[Any, Any]:
    """Mean squared errors on training, validation and test rows: by degree, and by λ."""
    sets = []
    for m in (N_TRAIN, N_VALID, N_TEST):
        x = rng.uniform(-1, 1, size=m)
        sets.append((x, np.sin(np.pi * x) + NOISE * rng.normal(size=m)))

    def errors(model: Any, degree: int) -> list[float]:
        model.fit(features(sets[0][0], degree), sets[0][1])
        return [float(np.mean((model.predict(features(x, degree)) - y) ** 2)) for x, y in sets]

    top = int(DEGREES[-1])
    return (
        np.array([errors(LinearRegression(tol=0), int(k)) for k in DEGREES]),
        np.array([errors(Ridge(decay), top) for decay in LAMBDAS]),
    )


def u_curve_checks(name: str, models: Any, test: Any) -> list[Check]:
    """The least test error lies inside, and both ends are well above it."""
    least = float(test.min())
    return [
        at_least(f"test error at the {side} {name} / at the best, {models[test.argmin()]:.3g}",
                 1.2, float(test[end] / least))
        for side, end in (("least", 0), ("greatest", -1))
    ]  # fmt: skip


def choice_checks(errors: Any) -> list[Check]:
    """Compare the degrees that training and validation errors choose, by their test error."""
    repeats = np.arange(len(errors))
    best = errors[:, :, 2].min(axis=1)
    by_training = errors[repeats, errors[:, :, 0].argmin(axis=1), 2] / best
    chosen = errors[:, :, 1].argmin(axis=1)
    by_validation = errors[repeats, chosen, 2] / best
    bias = np.mean(errors[repeats, chosen, 2] - errors[repeats, chosen, 1])
    return [
        at_most("test error / best, degree chosen on validation rows, median", 1.2,
                float(np.median(by_validation))),
        at_least("test error / best, degree chosen on training rows, median", 2.0,
                 float(np.median(by_training))),
        at_least("test − validation error of the chosen: its optimism", 0.0, float(bias)),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """Both U-curves: medians over repeats, with the middle half."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels = zip(figure.subplots(1, 2), ("degree", "lambda"), (DEGREES, LAMBDAS), strict=True)
    for axes, key, models in panels:
        for j, name in enumerate(("training", "validation", "test")):
            low, middle, high = np.quantile(outcome.data[key][:, :, j], [0.25, 0.5, 0.75], axis=0)
            axes.plot(models, middle, "o-", ms=3, label=name)
            axes.fill_between(models, low, high, alpha=0.15)
        axes.axhline(NOISE**2, color="black", ls=":", lw=1, label="noise")
        axes.set(yscale="log", ylabel="mean squared error")
        axes.set_ylim(0.01, 30)
    left, right = figure.axes
    left.set(xlabel="degree of the polynomial", title="Capacity")
    right.set(xlabel="λ, degree 15", xscale="log", title="Regularisation")
    left.legend()
    return figure


EXPERIMENT = Experiment(
    title="Overfitting, validation and regularisation",
    rows=(36, 81),
    claim="Training error falls with capacity while the error on new data is a U; a "
    "validation set finds its bottom, and a penalty λ moves along it",
    source="Memo and week-3 notes; Goodfellow, Bengio & Courville, sections 5.2 and 5.3",
    run=run,
    draw=draw,
)
