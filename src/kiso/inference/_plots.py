"""Bayes beside maximum likelihood, as the data come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from kiso._validation import Array

from ._checks import check_line
from ._conjugate import check_level
from ._conjugate_discrete import BetaBernoulli, GammaPoisson
from ._conjugate_normal import NormalKnownVariance

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_bayes_and_likelihood(
    prior: BetaBernoulli | GammaPoisson | NormalKnownVariance,
    data: ArrayLike,
    *,
    truth: float | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw what Bayes and maximum likelihood say of a mean after each further observation.

    Parameters
    ----------
    prior : BetaBernoulli, GammaPoisson or NormalKnownVariance
        Its parameter is the mean of an observation, which maximum likelihood estimates
        by the mean of the data.
    data : array-like of shape (n,)
        Observations in the order in which they come.
    truth : float, optional
        The value that the data were drawn with.
    level : float, default=0.95
        Of the credible interval and of the Wald interval, estimate ± z · standard error.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        The axis drawn on (`ax.figure` for its figure).

    Raises
    ------
    TypeError
        If the prior is none of these.
    ValueError
        If the data do not fit the prior's model.

    Examples
    --------
    >>> ax = plot_bayes_and_likelihood(BetaBernoulli(), [1, 1, 0, 1], truth=0.6)
    >>> ax.get_xlabel()
    'observations so far'
    """
    if not isinstance(prior, (BetaBernoulli, GammaPoisson, NormalKnownVariance)):
        raise TypeError(f"prior={prior!r}: give one over the mean of an observation")
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7, 4.5), layout="constrained").subplots()
    x = check_line(data)
    n = np.arange(1, len(x) + 1)
    beliefs = [prior.posterior(x[:k]) for k in n]
    low, high = np.array([belief.credible_interval(level) for belief in beliefs]).T
    estimate = np.cumsum(x) / n
    half = ndtri((1 + check_level(level)) / 2) * np.sqrt(_variance(prior, estimate) / n)
    percent = f"{100 * level:g} %"
    ax.fill_between(n, low, high, color="C0", alpha=0.2, lw=0)
    means = [belief.mean for belief in beliefs]
    ax.plot(n, means, color="C0", label=f"Bayes: posterior mean and {percent} interval")
    ax.errorbar(
        n, estimate, half, fmt=".", color="C1", elinewidth=1, capsize=2,
        label=f"maximum likelihood ± {percent} Wald",
    )  # fmt: skip
    if truth is not None:
        ax.axhline(truth, color="black", ls="--", lw=1, label="truth")
    ax.set(xlabel="observations so far", ylabel="mean of an observation")
    ax.set_xscale("log")
    ax.legend(fontsize=8)
    return ax


def _variance(prior: BetaBernoulli | GammaPoisson | NormalKnownVariance, mean: Array) -> Array:
    """Variance of one observation, 1 / Fisher information, as maximum likelihood sees it."""
    if isinstance(prior, BetaBernoulli):
        return mean * (1 - mean)
    if isinstance(prior, GammaPoisson):
        return mean
    return np.full_like(mean, prior.noise_variance)
