"""Maximum likelihood: the closed forms are what an optimiser finds.

θ̂ = argmax Σᵢ log p(xᵢ; θ). For the normal, Bernoulli, Poisson and exponential distributions
and for a line with normal noise the argmax is a formula. A numerical optimiser that knows
nothing but log p has to end at the same point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from kiso.experiments import Experiment, Outcome, at_most
from kiso.inference import (
    Bernoulli,
    Exponential,
    Gaussian,
    LinearGaussian,
    Poisson,
    maximum_likelihood,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCE = 1e-8


class Model(NamedTuple):
    """A log density as a user would write it, with what the closed form says."""

    name: str
    log_prob: Callable[[Any, Any], Any]
    start: list[float]
    data: Any
    closed_form: Any
    bounds: list[tuple[float | None, float | None]] | None


def normal(theta: Any, x: Any) -> Any:
    """θ = (μ, log σ)."""
    z = (x - theta[0]) * np.exp(-theta[1])
    return -0.5 * np.log(2 * np.pi) - theta[1] - 0.5 * z**2


def line(theta: Any, data: Any) -> Any:
    """θ = (w₁, w₂, b, log σ)."""
    X, y = data
    return normal([X @ theta[:2] + theta[2], theta[3]], y)


def models(seed: int) -> list[Model]:
    """Draw data for each model and fit it in closed form."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.5, 2.0, 400)
    flips = (rng.random(200) < 0.3).astype(float)
    counts = rng.poisson(3.2, 300).astype(float)
    waits = rng.exponential(1.6, 300)
    X = rng.normal(size=(150, 2))
    y = X @ [1.0, -2.0] + 0.5 + rng.normal(size=150) * 0.7
    g, fitted = Gaussian().fit(x), LinearGaussian().fit(X, y)
    return [
        Model(
            "normal (μ, log σ)", normal, [0.0, 0.0], x,
            [g.mean_[0], 0.5 * np.log(g.covariance_[0, 0])], None,
        ),
        Model(
            "Bernoulli (π)", lambda t, v: xlogy(v, t[0]) + xlog1py(1 - v, -t[0]), [0.5], flips,
            Bernoulli().fit(flips).probs_, [(0.0, 1.0)],
        ),
        Model(
            "Poisson (λ)", lambda t, v: xlogy(v, t[0]) - t[0] - gammaln(v + 1), [1.0], counts,
            Poisson().fit(counts).rate_, [(1e-9, None)],
        ),
        Model(
            "exponential (rate)", lambda t, v: np.log(t[0]) - t[0] * v, [1.0], waits,
            Exponential().fit(waits).rate_, [(1e-9, None)],
        ),
        Model(
            "line, normal noise (w, b, log σ)", line, [0.0, 0.0, 0.0, 0.0], (X, y),
            [*fitted.coef_, fitted.intercept_, 0.5 * np.log(fitted.variance_)], None,
        ),
    ]  # fmt: skip


def run(seed: int) -> Outcome:
    """Maximise each log-likelihood numerically and compare with the formula."""
    checks, pictures = [], []
    for model in models(seed):
        found = maximum_likelihood(model.log_prob, model.start, model.data, bounds=model.bounds)
        closed = np.asarray(model.closed_form)
        worst = float(np.abs(found.estimate - closed).max())
        checks.append(at_most(f"|optimiser − closed form|, {model.name}", TOLERANCE, worst))
        pictures.append((model, found))
    return Outcome(tuple(checks), {"fits": pictures})


def draw(outcome: Outcome) -> Figure:
    """The mean log-likelihood of each model along its first parameter."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 3.4), layout="constrained")
    for ax, (model, found) in zip(
        figure.subplots(1, len(outcome.data["fits"])), outcome.data["fits"], strict=True
    ):
        at, width = found.estimate[0], found.standard_errors[0]
        grid = np.linspace(at - 4 * width, at + 4 * width, 81)
        rest = found.estimate[1:]
        curve = [np.mean(model.log_prob(np.array([t, *rest]), model.data)) for t in grid]
        ax.plot(grid, curve, color="C0")
        ax.axvline(model.closed_form[0], color="C1", label="closed form")
        ax.plot(at, np.max(curve), "kx", label="optimiser")
        ax.axvspan(at - width, at + width, color="C0", alpha=0.12, lw=0, label="± standard error")
        ax.set_title(model.name, fontsize=9)
        ax.set_xlabel("first parameter")
    figure.axes[0].set_ylabel("mean log-likelihood (nats)")
    figure.axes[0].legend(fontsize=7, loc="lower center")
    return figure


EXPERIMENT = Experiment(
    title="Closed-form maximum likelihood is what an optimiser finds",
    rows=(1,),
    claim="θ̂ = argmax Σ log p(x; θ): formulas and optimiser agree to 1e-8",
    source="Goodfellow et al. (2016), Deep Learning, section 5.5",
    run=run,
    draw=draw,
)
