"""Bayes against maximum likelihood when there are few data.

A coin of unknown bias, each bias as likely as any other. Maximum likelihood says 1 after one
head, surely; Bayes says 2/3. Averaged over coins, with n flips, the mean squared errors are
1/(6n) and 1/(6(n + 2)); the central 95 % interval of Bayes holds the truth 95 % of the time,
maximum likelihood's estimate ± 1.96 standard errors far less. As n grows, both agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.inference import BetaBernoulli, plot_bayes_and_likelihood

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (1, 2, 5, 10, 30, 100, 1000)
N_COINS = 40_000
LEVEL = 0.95


def run(seed: int) -> Outcome:
    """Flip many coins of each bias, and score both ways of learning from the flips."""
    rng = np.random.default_rng(seed)
    bias = rng.random(N_COINS)
    ratio: list[float] = []
    lost: list[float] = []
    covered: dict[str, list[float]] = {"Bayes": [], "Wald": []}
    for n in SIZES:
        heads = rng.binomial(n, bias)
        mean, low, high = posteriors(n)
        estimate = heads / n
        half = 1.959964 * np.sqrt(estimate * (1 - estimate) / n)
        ratio.append(float(np.mean((mean[heads] - bias) ** 2) / np.mean((estimate - bias) ** 2)))
        covered["Bayes"].append(float(np.mean((low[heads] <= bias) & (bias <= high[heads]))))
        covered["Wald"].append(float(np.mean(np.abs(estimate - bias) <= half)))
        surprised = np.where(rng.random(N_COINS) < bias, estimate == 0, estimate == 1)
        lost.append(float(np.mean(surprised)))  # the next flip had probability 0
    checks: list[Check] = [
        close(f"MSE Bayes / MSE maximum likelihood, n = {n}", n / (n + 2), r, atol=0.03)
        for n, r in zip(SIZES, ratio, strict=True)
    ]
    checks += [
        close("coverage of the 95 % credible interval, n = 2", LEVEL, covered["Bayes"][1],
              atol=0.006),
        at_most("coverage of the 95 % Wald interval, n = 2", 0.6, covered["Wald"][1]),
        at_least("coverage of the 95 % Wald interval, n = 1000", 0.94, covered["Wald"][-1]),
        close("next flips that maximum likelihood called impossible, n = 5", 2 / (6 * 7),
              lost[2], atol=0.006),
        close("evidence of 3 heads in 4 flips, 3! 1! / 5!", 1 / 20,
              float(np.exp(BetaBernoulli().log_evidence([1, 1, 1, 0]))), atol=1e-12),
    ]  # fmt: skip
    flips = (rng.random(200) < 0.8).astype(float)
    flips[:3] = 1.0  # a lucky start, as happens to half of such coins
    return Outcome(tuple(checks), {"covered": covered, "flips": flips})


def posteriors(n: int) -> tuple[Any, Any, Any]:
    """Posterior mean and interval for each number of heads among n, shape (n + 1,) each."""
    beliefs = [BetaBernoulli().posterior([1.0, 0.0], [k, n - k]) for k in range(n + 1)]
    low, high = np.array([belief.credible_interval(LEVEL) for belief in beliefs]).T
    return np.array([belief.mean for belief in beliefs]), low, high


def draw(outcome: Outcome) -> Figure:
    """Left: one coin, flip by flip. Right: how often the intervals hold the truth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_bayes_and_likelihood(BetaBernoulli(), outcome.data["flips"][:60], truth=0.8, ax=left)
    left.set(ylabel="probability of heads", title="One coin, flip by flip", ylim=(0, 1.35))
    for name, shares in outcome.data["covered"].items():
        right.semilogx(SIZES, shares, "o-", ms=4, label=name)
    right.axhline(LEVEL, color="black", ls="--", lw=1, label="promised")
    right.set(xlabel="flips n", ylabel="share of coins", title="95 % intervals that hold the truth")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="With few data Bayes is right about what it does not know",
    rows=(4,),
    claim="Uniform prior: MSE 1/(6(n+2)) against 1/(6n); 95 % credible intervals cover 95 %",
    source="Goodfellow et al. (2016), Deep Learning, section 5.6; Laplace (1774)",
    run=run,
    draw=draw,
)
