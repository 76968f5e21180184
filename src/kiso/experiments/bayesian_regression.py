"""Bayesian linear regression: the closed form against a grid, and MAP as weight decay.

p(w, b | y) ∝ exp(−½ Σ (y − b − w x)²) N(w; μ₀, Λ₀) with noise variance 1. On a grid over
(w, b) this needs no algebra; its mean, variances and integral are what the closed form
has to give. With μ₀ = 0 and Λ₀ = I/λ the mode minimises ½ Σ r² + (λ/2) ‖w‖²: weight decay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.inference import Gaussian
from kiso.linear_model import BayesianLinearRegression, Ridge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MU0, LAMBDA0 = 0.5, 0.25  # prior mean and variance of the slope
N_GRID = 801


def run(seed: int) -> Outcome:
    """Compare posterior, evidence and predictive with a grid; MAP with the formula."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=8)
    y = 0.3 + 1.2 * x + rng.normal(size=8)
    model = BayesianLinearRegression(
        prior_mean=MU0, prior_covariance=LAMBDA0, noise_variance=1.0
    ).fit(x[:, None], y)
    grid = grid_posterior(x, y)
    at = 1.5
    mean, std = model.predict([[at]], return_std=True)
    w, b, p = grid["w"], grid["b"], grid["p"]
    line = b[None, :] + w[:, None] * at
    grid_mean = float((p * line).sum())
    grid_std = float(np.sqrt(1 + (p * (line - grid_mean) ** 2).sum()))
    slope = float((p.sum(axis=1) * w).sum())
    variance = float((p.sum(axis=1) * (w - slope) ** 2).sum())
    pairs = {
        "posterior mean of the slope": (model.coef_[0], slope),
        "posterior variance of the slope": (model.covariance_[0, 0], variance),
        "posterior mean of the intercept": (model.intercept_, float((p.sum(axis=0) * b).sum())),
        "log evidence": (model.log_marginal_likelihood_, grid["log_evidence"]),
        "predictive mean at 1.5": (mean[0], grid_mean),
        "predictive deviation at 1.5": (std[0], grid_std),
    }
    checks = [
        at_most(f"{name}: closed form − grid", 1e-10, abs(float(a - b)), digits=1)
        for name, (a, b) in pairs.items()
    ]
    checks += decay_checks(rng)
    return Outcome(
        tuple(checks),
        {"x": x, "y": y, "grid": grid, "model": model},
        remark="The prior covariance is printed as (1/λ)I², which means I/λ. At λ = 0 there is "
        "no prior to normalise, and the posterior is only the likelihood.",
    )


def grid_posterior(x: Any, y: Any) -> dict[str, Any]:
    """Posterior of (w, b) by evaluation on a grid, trapezoidal in both."""
    center, width = np.polyfit(x, y, 1), 12.0
    w = center[0] + np.linspace(-width / 2, width / 2, N_GRID)
    b = center[1] + np.linspace(-width / 2, width / 2, N_GRID)
    r = y - b[None, :, None] - w[:, None, None] * x
    log_p = -0.5 * (r**2).sum(axis=2) - len(y) / 2 * np.log(2 * np.pi)
    log_p -= 0.5 * ((w - MU0) ** 2 / LAMBDA0 + np.log(2 * np.pi * LAMBDA0))[:, None]
    cell = (w[1] - w[0]) * (b[1] - b[0])
    top = log_p.max()
    p = np.exp(log_p - top)
    return {"w": w, "b": b, "p": p / p.sum(), "log_evidence": top + np.log(p.sum() * cell)}


def decay_checks(rng: np.random.Generator) -> list[Check]:
    """MAP, ridge and (XᵀX + λI)⁻¹Xᵀy are one; and −log N(0, I/λ) is (λ/2)‖w‖² + c."""
    X = rng.normal(size=(60, 5))
    y = X @ rng.normal(size=5) + rng.normal(size=60)
    checks = []
    for decay in (0.1, 10.0, 1000.0):
        formula = np.linalg.solve(X.T @ X + decay * np.eye(5), X.T @ y)
        options: dict[str, Any] = {"fit_intercept": False}
        found = BayesianLinearRegression(
            prior_covariance=1 / decay, noise_variance=1.0, **options
        ).fit(X, y)
        ridge = Ridge(decay, **options).fit(X, y)
        for name, coef in (("MAP", found.coef_), ("ridge", ridge.coef_)):
            gap = float(np.abs(coef - formula).max())
            what = f"λ = {decay:g}: {name} − (XᵀX + λI)⁻¹Xᵀy"
            checks.append(at_most(what, 1e-10, gap, digits=1))
    w = rng.normal(size=(2, 5))
    minus_log = -Gaussian.from_parameters(np.zeros(5), np.eye(5) / 7.0).log_prob(w)
    decay_gap = np.diff(minus_log) - 3.5 * np.diff((w**2).sum(axis=1))
    checks.append(
        at_most("−log N(w; 0, I/7) − (7/2)‖w‖² varies by", 1e-12, float(abs(decay_gap[0])))
    )
    return checks


def draw(outcome: Outcome) -> Figure:
    """Left: posterior on the grid and in closed form. Right: the predictive band."""
    from matplotlib.figure import Figure

    data, model = outcome.data, outcome.data["model"]
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    grid = data["grid"]
    left.contourf(grid["w"], grid["b"], grid["p"].T, levels=12, cmap="Blues")
    draws = model.sample_posterior(300, random_state=0)
    left.plot(draws.coef[:, 0], draws.intercept, ".", color="C1", ms=3, label="exact draws")
    left.plot(model.coef_[0], model.intercept_, "r+", ms=12, label="closed form")
    reach = 4 * np.sqrt(model.covariance_[0, 0])
    left.set_xlim(model.coef_[0] - reach, model.coef_[0] + reach)
    left.set_ylim(model.intercept_ - 2, model.intercept_ + 2)
    left.set(xlabel="slope w", ylabel="intercept b", title="Posterior: grid and closed form")
    left.legend()
    t = np.linspace(-4, 4, 101)
    mean, std = model.predict(t[:, None], return_std=True)
    for coef, intercept in zip(draws.coef[:20, 0], draws.intercept[:20], strict=True):
        right.plot(t, coef * t + intercept, color="C1", lw=0.4)
    right.fill_between(t, mean - 2 * std, mean + 2 * std, alpha=0.2, label="mean ± 2 deviations")
    right.plot(t, mean, label="predictive mean")
    right.plot(data["x"], data["y"], "ko", ms=4)
    right.set(xlabel="x", ylabel="y", title="Predictive distribution")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Bayesian linear regression in closed form; MAP is weight decay",
    rows=(4, 5),
    claim="Λ_m = (XᵀX + Λ₀⁻¹)⁻¹, μ_m = Λ_m(Xᵀy + Λ₀⁻¹μ₀); with Λ₀ = I/λ the mode is "
    "(XᵀX + λI)⁻¹Xᵀy",
    source="Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.6, eq. 5.79",
    run=run,
    draw=draw,
)
