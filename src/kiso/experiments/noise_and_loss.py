"""Which loss follows from which noise: squares from Gaussian, absolute values from Laplace.

ℓ(θ, σ) = m log(1/(√(2π) σ)) − (1/(2σ²)) Σ (y − θᵀx)², so the θ that maximises ℓ is that of
least squares whatever σ, and the σ² that maximises it is Σ r²/m. Under Laplace noise of
scale b, ℓ = −m log 2b − Σ |y − θᵀx| / b, and absolute errors are to be minimised instead.
The right loss is the more exact one: for a slope, variances are as 2 : 1 under Laplace
noise (squares : absolute values) and as 2 : π under Gaussian noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.linear_model import LinearRegression
from kiso.optim import minimize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGMAS = (0.1, 1.0, 10.0)
N_REPEATS, N_ROWS = 1000, 400


def run(seed: int) -> Outcome:
    """Maximise the likelihoods; compare with least squares and with absolute errors."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, -2.0, 0.5] + 3 + 0.7 * rng.normal(size=200)
    model = LinearRegression().fit(X, y)
    theta = np.append(model.coef_, model.intercept_)
    checks = [
        at_most(f"argmax of ℓ at σ = {sigma:g} − least squares", 1e-6,
                float(np.abs(maximum_likelihood(X, y, sigma) - theta).max()), digits=1)
        for sigma in SIGMAS
    ]  # fmt: skip
    checks += sigma_checks(X, y)
    ratios = {noise: variance_ratio(rng, noise) for noise in ("Laplace", "Gaussian")}
    checks.append(close("variance, squares : absolute values, Laplace noise", 2.0,
                        ratios["Laplace"], atol=0.4, digits=3))  # fmt: skip
    checks.append(close("variance, squares : absolute values, Gaussian noise", 2 / np.pi,
                        ratios["Gaussian"], atol=0.12, digits=3))  # fmt: skip
    noise = rng.laplace(size=200)
    absolute, squares = least_absolute(X, noise), LinearRegression().fit(X, noise).predict(X)
    gain = np.abs(noise - squares).sum() - np.abs(noise - absolute.predict(X)).sum()
    checks.append(at_least("Laplace log-likelihood gained by absolute values", 0.0, float(gain)))
    return Outcome(tuple(checks), {"X": X, "y": y, "model": model, "ratios": ratios})


def maximum_likelihood(X: Any, y: Any, sigma: float) -> Any:
    """θ (slopes, then the intercept) that maximises ℓ at this σ, by descent on −ℓ."""
    Z = np.column_stack([X, np.ones(len(X))])

    def minus_log_likelihood(theta: Any) -> tuple[float, Any]:
        r = y - Z @ theta
        value = len(y) * np.log(np.sqrt(2 * np.pi) * sigma) + (r @ r) / (2 * sigma**2)
        return value, -Z.T @ r / sigma**2

    return minimize(minus_log_likelihood, np.zeros(Z.shape[1]), tol=1e-9).x


def sigma_checks(X: Any, y: Any) -> list[Check]:
    """`sigma_` is √(Σ r²/m), and no other σ has a greater likelihood."""
    model = LinearRegression().fit(X, y)
    r = y - model.predict(X)
    best, sigma = model.log_likelihood(X, y), model.sigma_
    formula = -len(y) * np.log(np.sqrt(2 * np.pi) * sigma) - (r @ r) / (2 * sigma**2)
    others = []
    for factor in (0.8, 0.95, 1.05, 1.25):
        model.sigma_ = factor * sigma
        others.append(model.log_likelihood(X, y))
    return [
        at_most("σ_ − √(Σ r²/m)", 1e-12, abs(sigma - float(np.sqrt(np.mean(r**2)))), digits=1),
        at_most("log_likelihood − formula, relative", 1e-12, abs(best / formula - 1), digits=1),
        at_most("ℓ at other σ − ℓ at σ_", 0.0, max(others) - best),
    ]


def least_absolute(X: Any, y: Any, *, n_steps: int = 60) -> LinearRegression:
    """Σ |r| by least squares with weights 1/|r|, again and again (Schlossmacher 1973)."""
    model = LinearRegression().fit(X, y)
    for _ in range(n_steps):
        r = np.abs(y - model.predict(X))
        model = LinearRegression().fit(X, y, sample_weight=1 / np.maximum(r, 1e-6))
    return model


def variance_ratio(rng: np.random.Generator, noise: str) -> float:
    """Variance of the slope by squares over that by absolute values, over repeats.

    Through the origin, where Σ |y − w x| is least at the median of y/x with weights |x|.
    """
    draw_noise = rng.laplace if noise == "Laplace" else rng.normal
    slopes = np.empty((N_REPEATS, 2))
    for i in range(N_REPEATS):
        x, e = rng.normal(size=N_ROWS), draw_noise(size=N_ROWS)
        slopes[i, 0] = LinearRegression(fit_intercept=False).fit(x[:, None], e).coef_[0]
        order = np.argsort(e / x)
        below = np.cumsum(np.abs(x[order]))
        slopes[i, 1] = (e / x)[order][np.searchsorted(below, below[-1] / 2)]
    variances = slopes.var(axis=0)
    return float(variances[0] / variances[1])


def draw(outcome: Outcome) -> Figure:
    """Left: ℓ along a slope for three σ. Right: ratios of variances."""
    from matplotlib.figure import Figure

    X, y, model, ratios = (outcome.data[key] for key in ("X", "y", "model", "ratios"))
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    offsets = np.linspace(-1, 1, 101)
    r = y - model.predict(X)
    rss = ((r[None, :] - offsets[:, None] * X[:, 0]) ** 2).sum(axis=1)
    for sigma in (0.5, 1.0, 2.0):
        left.plot(
            model.coef_[0] + offsets, -(rss - rss.min()) / (2 * sigma**2), label=f"σ = {sigma}"
        )
    left.axvline(model.coef_[0], color="black", ls="--", lw=0.8)
    left.set(xlabel="θ₁", ylabel="ℓ − max ℓ", title="The same argmax for every σ")
    left.legend()
    right.bar(list(ratios), list(ratios.values()))
    right.plot([-0.4, 0.4], [2, 2], "k--", lw=1)
    right.plot([0.6, 1.4], [2 / np.pi, 2 / np.pi], "k--", lw=1)
    right.axhline(1, color="gray", lw=0.8)
    right.set(xlabel="noise", ylabel="variance, squares : absolute values",
              title="The loss that fits the noise is the better one")  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    title="Squared errors from Gaussian noise, absolute errors from Laplace noise",
    rows=(39, 75),
    claim="y = h(x; θ) + ε with Gaussian ε: maximum likelihood is least squares, and its "
    "argmax does not depend on σ; Laplace noise gives L1 instead",
    source="CS229 lecture notes, part I, section 1.3; week-3 notes",
    run=run,
    draw=draw,
)
