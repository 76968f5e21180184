"""The maximum likelihood variance is too small: E σ̂² = (n − 1)σ²/n.

μ̂ = x̄ lies nearer to the data than μ does, so the spread about it is smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, close
from kiso.inference import Gaussian

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (1, 2, 3, 5, 10, 30, 100)
N_REPEATS = 40_000
VARIANCE = 4.0


def run(seed: int) -> Outcome:
    """Average σ̂² over many data sets of each size, and look for the bias of the mean."""
    rng = np.random.default_rng(seed)
    checks: list[Check] = []
    averages, errors = [], []
    for n in SIZES:
        draws = 7 + np.sqrt(VARIANCE) * rng.standard_normal((n, N_REPEATS))
        fitted = Gaussian("diag").fit(draws)  # each column a data set
        claimed = (n - 1) * VARIANCE / n
        error = float(fitted.covariance_.std() / np.sqrt(N_REPEATS))
        averages.append(float(fitted.covariance_.mean()))
        errors.append(error)
        checks.append(
            close(f"mean of σ̂², n = {n}", claimed, averages[-1], atol=max(4.5 * error, 1e-12))
        )
    of_mean = 4.5 * np.sqrt(VARIANCE / 100 / N_REPEATS)
    mean = float(fitted.mean_.mean())
    checks.append(close("mean of μ̂, n = 100: no bias", 7.0, mean, atol=of_mean))
    return Outcome(tuple(checks), {"averages": averages, "errors": errors})


def draw(outcome: Outcome) -> Figure:
    """Average σ̂² against n beside the claim, and beside the divisor n − 1."""
    from matplotlib.figure import Figure

    n = np.array(SIZES)
    averages, errors = (np.array(outcome.data[key]) for key in ("averages", "errors"))
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    grid = np.linspace(1, 100, 500)
    ax.plot(grid, (grid - 1) * VARIANCE / grid, color="C0", lw=1, label="(n − 1)σ²/n")
    ax.errorbar(n, averages, 4.5 * errors, fmt="o", ms=4, color="C0", label="mean of σ̂²")
    ax.plot(n[1:], averages[1:] * n[1:] / (n[1:] - 1), "s", ms=4, color="C1", label="· n/(n − 1)")
    ax.axhline(VARIANCE, color="black", ls="--", lw=1, label="σ²")
    ax.set(xscale="log", xlabel="observations n", ylabel="variance", title="The bias of σ̂²")
    ax.legend()
    return figure


EXPERIMENT = Experiment(
    title="The maximum likelihood variance of a normal is biased",
    rows=(38,),
    claim="μ̂ = x̄, σ̂² = (1/n)Σ(x − x̄)²: E σ̂² = (n − 1)σ²/n",
    source="Goodfellow et al. (2016), Deep Learning, section 5.4.2",
    run=run,
    draw=draw,
)
