"""A law that is a product becomes linear in logarithms: Newton's gravity by regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, close
from kiso.linear_model import LinearRegression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

G = 6.674e-11  # m³ kg⁻¹ s⁻²
EXPONENTS = (1.0, 1.0, -2.0)
NOISE = 0.05  # relative error of a measured force


def run(seed: int) -> Outcome:
    """Regress log f on log m₁, log m₂, log r: exact data, noisy data, and without logarithms."""
    rng = np.random.default_rng(seed)
    m1, m2 = np.exp(rng.uniform(np.log(1.0), np.log(1e24), size=(2, 2000)))
    r = np.exp(rng.uniform(np.log(1.0), np.log(1e9), size=2000))
    f = G * m1 * m2 / r**2
    Z = np.log(np.column_stack([m1, m2, r]))
    exact = LinearRegression().fit(Z, np.log(f))
    checks = law_checks("exact", [*exact.coef_, exact.intercept_], (1e-12,) * 3 + (1e-10,))
    noisy = np.log(f) + NOISE * rng.normal(size=len(f))
    model = LinearRegression().fit(Z, noisy)
    errors = np.sqrt(np.diag(np.linalg.inv(design(Z).T @ design(Z)))) * NOISE
    checks += law_checks("5 % noise", [*model.coef_, model.intercept_], tuple(4 * errors))
    checks.append(close("noise found, σ_", NOISE, model.sigma_, atol=0.005))
    raw = LinearRegression().fit(np.column_stack([m1, m2, r]), f)
    score = raw.score(np.column_stack([m1, m2, r]), f)
    checks.append(at_least("share of variance left without logarithms", 0.5, 1 - score))
    return Outcome(
        tuple(checks),
        {"Z": Z, "f": np.log(f), "noisy": noisy, "model": model},
        remark="The intercept is log G; at m = 1 kg and r = 1 m it lies at the edge of the data.",
    )


def design(Z: np.ndarray) -> np.ndarray:
    """The columns and a column of ones."""
    return np.column_stack([Z, np.ones(len(Z))])


def law_checks(kind: str, found: list[float], atol: tuple[float, ...]) -> list[Check]:
    """Compare exponents and log G with the law."""
    names = ("exponent of m₁", "exponent of m₂", "exponent of r", "log G")
    claimed = (*EXPONENTS, np.log(G))
    return [
        close(f"{name}, {kind}", value, float(measured), atol=float(tol))
        for name, value, measured, tol in zip(names, claimed, found, atol, strict=True)
    ]


def draw(outcome: Outcome) -> Figure:
    """Left: force against distance, the rest divided out. Right: fitted against true."""
    from matplotlib.figure import Figure

    Z, noisy, model = (outcome.data[key] for key in ("Z", "noisy", "model"))
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    rest = noisy - Z[:, :2] @ model.coef_[:2] - model.intercept_
    left.plot(Z[:, 2] / np.log(10), rest / np.log(10), ".", ms=2)
    ends = np.array([0.0, 9.0])
    left.plot(ends, model.coef_[2] * ends, "k-", lw=1, label=f"slope {model.coef_[2]:.4f}")
    left.set(xlabel="log₁₀ r", ylabel="log₁₀ f − fitted rest", title="The inverse square")
    left.legend()
    right.hist(noisy - model.predict(Z), bins=50, density=True)
    t = np.linspace(-4 * NOISE, 4 * NOISE, 201)
    density = np.exp(-0.5 * (t / model.sigma_) ** 2) / (np.sqrt(2 * np.pi) * model.sigma_)
    right.plot(t, density, label=f"N(0, {model.sigma_:.4f}²)")
    right.set(xlabel="residual of log f", title="What is left is the noise")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Newton's law of gravity by linear regression of logarithms",
    rows=(13,),
    claim="log f = log G + log m₁ + log m₂ − 2 log r: weights (1, 1, −2), intercept −23.430",
    source="Slides on Goodfellow, Bengio & Courville, chapter 5: choice of representation",
    run=run,
    draw=draw,
)
