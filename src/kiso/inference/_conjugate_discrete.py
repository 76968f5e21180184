"""Conjugate priors of counts and labels.

π ~ Beta(a, b),        x ∈ {0, 1}       a' = a + Σ w x,  b' = b + Σ w (1 − x)
p ~ Dirichlet(α),      x ∈ {0 … K−1}    α'_k = α_k + Σ w [x = k]
λ ~ Gamma(a, rate r),  x ∈ {0, 1, …}    a' = a + Σ w x,  r' = r + Σ w
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainccinv, betaincinv, gammainccinv, gammaincinv, gammaln

from kiso._validation import Array

from ._categorical import Categorical
from ._checks import (
    check_binary,
    check_counts,
    check_line,
    check_parameter,
    check_positive,
    check_weights,
)
from ._conjugate import Interval, check_level, through_parts
from ._predictive import BetaBinomial, NegativeBinomial
from ._stable import log1p_ratio, log_rising


@dataclass(frozen=True)
class BetaBernoulli:
    """Prior Beta(a, b) over the probability of a yes-or-no observation.

    Parameters
    ----------
    a, b : float, default=1.0
        > 0: the prior counts as a successes and b failures; 1, 1 is uniform.

    Examples
    --------
    >>> after = BetaBernoulli().posterior([1, 1, 0])
    >>> after, after.map()
    (BetaBernoulli(a=3.0, b=2.0), 0.667)
    """

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        check_positive(self.a, name="a")
        check_positive(self.b, name="b")

    @property
    def mean(self) -> float:
        """a/(a + b): the probability that the next observation is 1."""
        return self.a / (self.a + self.b)

    @through_parts
    def posterior(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> BetaBernoulli:
        """The distribution of the probability after seeing zeros and ones (n,)."""
        x, w = _weighted(data, sample_weight)
        check_binary(x, name="data")
        return BetaBernoulli(float(self.a + w @ x), float(self.b + w @ (1 - x)))

    def predictive(self, n_trials: int = 1) -> BetaBinomial:
        """The number of successes among the next `n_trials`."""
        if n_trials != int(n_trials) or n_trials < 1:
            raise ValueError(f"n_trials={n_trials!r}: give a whole number from 1")
        return BetaBinomial(int(n_trials), self.a, self.b)

    def map(self) -> float:
        """The most probable probability, (a − 1)/(a + b − 2) inside, else 0 or 1.

        Raises
        ------
        ValueError
            If there is no single one: the uniform prior, or a and b both at most 1.
        """
        if self.a <= 1 and self.b <= 1:
            raise ValueError(f"{self!r} has no single most probable value")
        if self.a <= 1 or self.b <= 1:
            return float(self.b <= 1)
        return (self.a - 1) / (self.a + self.b - 2)

    def credible_interval(self, level: float = 0.95) -> Interval:
        """The central interval that holds the probability with this probability."""
        tail = (1 - check_level(level)) / 2
        low = betaincinv(self.a, self.b, tail)
        return Interval(float(low), float(betainccinv(self.a, self.b, tail)))

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data) in the order given: log B(a', b') − log B(a, b)."""
        x, w = _weighted(data, sample_weight)
        check_binary(x, name="data")
        ones, zeros = float(w @ x), float(w @ (1 - x))
        both = log_rising(self.a + self.b, ones + zeros)
        return float(log_rising(self.a, ones) + log_rising(self.b, zeros) - both)


@dataclass(frozen=True, eq=False)
class DirichletCategorical:
    """Prior Dirichlet(α) over the probabilities of K labels 0 … K − 1.

    Parameters
    ----------
    alpha : array-like of shape (K,)
        α > 0: the prior counts as α_k observations of label k.

    Examples
    --------
    >>> after = DirichletCategorical([1.0, 1.0, 1.0]).posterior([0, 0, 2])
    >>> after.alpha, after.map()
    (array([3., 1., 2.]), array([0.667, 0.   , 0.333]))
    """

    alpha: Array

    def __post_init__(self) -> None:
        alpha = check_parameter(self.alpha, name="alpha", low=np.finfo(float).tiny)
        object.__setattr__(self, "alpha", alpha)

    @property
    def mean(self) -> Array:
        """α/Σα, the probabilities of the next label, shape (K,)."""
        return self.alpha / self.alpha.sum()

    @through_parts
    def posterior(
        self, data: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> DirichletCategorical:
        """The distribution of the probabilities after seeing labels (n,)."""
        return DirichletCategorical(self.alpha + self._counts(data, sample_weight))

    def _counts(self, data: ArrayLike, sample_weight: ArrayLike | None) -> Array:
        """Weight of each label in the data."""
        x, w = _weighted(data, sample_weight)
        check_counts(x, name="data")
        if x.max() >= len(self.alpha):
            raise ValueError(f"data contains {x.max():g}; labels go to {len(self.alpha) - 1}")
        return np.bincount(x.astype(np.intp), w, minlength=len(self.alpha))

    def predictive(self) -> Categorical:
        """The next label."""
        return Categorical.from_parameters(self.mean)

    def map(self) -> Array:
        """The most probable probabilities, (α_k − 1)/(Σα − K), shape (K,).

        Raises
        ------
        ValueError
            If there is no single one: an α below 1, or all equal to 1.
        """
        if self.alpha.min() < 1 or self.alpha.max() == 1:
            raise ValueError(f"{self!r} has no single most probable value")
        return (self.alpha - 1) / (self.alpha - 1).sum()

    def credible_interval(self, level: float = 0.95) -> Interval:
        """Central interval of each probability, the others integrated out: Beta(α_k, Σα − α_k)."""
        tail = (1 - check_level(level)) / 2
        rest = self.alpha.sum() - self.alpha
        if len(self.alpha) == 1:
            return Interval(np.ones(1), np.ones(1))
        low = betaincinv(self.alpha, rest, tail)
        return Interval(low, betainccinv(self.alpha, rest, tail))

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data) in the order given: log B(α') − log B(α)."""
        counts = self._counts(data, sample_weight)
        every = log_rising(self.alpha.sum(), counts.sum())
        return float(log_rising(self.alpha, counts).sum() - every)


@dataclass(frozen=True)
class GammaPoisson:
    """Prior Gamma(shape, rate) over the rate λ of Poisson counts.

    Parameters
    ----------
    shape, rate : float, default=1.0
        > 0: the prior counts as `rate` observations with `shape` events in all.

    Examples
    --------
    >>> after = GammaPoisson(2.0, 1.0).posterior([3, 4])
    >>> after, after.map()
    (GammaPoisson(shape=9.0, rate=3.0), 2.667)
    """

    shape: float = 1.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        check_positive(self.shape, name="shape")
        check_positive(self.rate, name="rate")

    @property
    def mean(self) -> float:
        """shape/rate."""
        return self.shape / self.rate

    @through_parts
    def posterior(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> GammaPoisson:
        """The distribution of λ after seeing counts (n,)."""
        x, w = _weighted(data, sample_weight)
        check_counts(x, name="data")
        return GammaPoisson(float(self.shape + w @ x), float(self.rate + w.sum()))

    def predictive(self) -> NegativeBinomial:
        """The next count."""
        return NegativeBinomial(self.shape, self.rate)

    def map(self) -> float:
        """The most probable λ: (shape − 1)/rate, or 0 where the shape is below 1."""
        return max(0.0, self.shape - 1) / self.rate

    def credible_interval(self, level: float = 0.95) -> Interval:
        """The central interval that holds λ with this probability."""
        tail = (1 - check_level(level)) / 2
        low, high = gammaincinv(self.shape, tail), gammainccinv(self.shape, tail)
        return Interval(float(low / self.rate), float(high / self.rate))

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data) in the order given."""
        x, w = _weighted(data, sample_weight)
        check_counts(x, name="data")
        events, n = float(w @ x), float(w.sum())
        rates = self.shape * log1p_ratio(n, self.rate) + events * np.log(self.rate + n)
        return float(log_rising(self.shape, events) - rates - w @ gammaln(x + 1))


def _weighted(data: ArrayLike, sample_weight: ArrayLike | None) -> tuple[Array, Array]:
    x = check_line(data)
    weights = check_weights(sample_weight, x)
    return x, np.ones(len(x)) if weights is None else weights
