"""Distributions of independent columns whose sufficient statistic is the weighted sum.

For each column, with x̄ = Σ wᵢ xᵢ / W:

    Bernoulli    p(x) = πˣ (1 − π)¹⁻ˣ,  x ∈ {0, 1}         π̂ = x̄
    Poisson      p(x) = λˣ e^{−λ} / x!,  x ∈ {0, 1, …}     λ̂ = x̄
    Exponential  p(x) = r e^{−r x},  x ≥ 0                 r̂ = 1 / x̄

The log probability of a row is the sum over its columns.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, gammaln, xlog1py, xlogy
from sklearn.utils.validation import check_is_fitted

from kiso._validation import Array, RandomState, check_generator

from ._checks import check_binary, check_counts, check_parameter, check_rows, check_weights
from ._protocol import Distribution, check_n_samples
from ._stable import excess, log1pmx
from ._statistics import Sums

# above this rate Stirling's series of the Poisson entropy is exact to float64
_LARGE_RATE = 2e3


class _Independent(Distribution[Sums]):
    """d independent columns, one parameter each."""

    @staticmethod
    @abstractmethod
    def _check_support(X: Array) -> Array:
        """Refuse data outside the support."""

    def _summarise(self, X: Any, sample_weight: ArrayLike | None) -> Sums:
        rows = check_rows(X)
        weights = check_weights(sample_weight, rows)
        self._check_support(rows)
        with np.errstate(over="ignore"):
            if weights is None:
                found = Sums(float(len(rows)), rows.sum(axis=0, dtype=np.float64))
            else:
                total = float(weights.sum(dtype=np.float64))
                found = Sums(total, np.einsum("i,ij->j", weights, rows, dtype=np.float64))
        if not np.isfinite(found.sums).all():
            raise ValueError("X: its (weighted) sum is beyond the largest number; scale the data")
        return found

    def _draw(self, n_samples: int, d: int) -> tuple[int, int]:
        return check_n_samples(n_samples), d


class Bernoulli(_Independent):
    """Independent yes-or-no columns with P(x_j = 1) = π_j.

    Attributes
    ----------
    probs_ : ndarray of shape (d,)
        π.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, sections 3.9.1 and 5.5.

    Examples
    --------
    >>> Bernoulli().fit([0, 1, 1, 1]).probs_
    array([0.75])
    >>> Bernoulli.from_parameters(0.5).entropy()
    0.693
    """

    probs_: Array

    @classmethod
    def from_parameters(cls, probs: ArrayLike) -> Self:
        """Give π, a number or (d,), each from 0 to 1."""
        pi = check_parameter(probs, name="probs", low=0.0, high=1.0)
        return cls()._given(len(pi), probs_=pi)

    @staticmethod
    def _check_support(X: Array) -> Array:
        return check_binary(X)

    def _estimate(self, statistics: Sums) -> dict[str, Any]:
        return {"probs_": np.clip(statistics.mean, 0.0, 1.0)}

    def log_prob(self, X: ArrayLike) -> Array:
        """Σ_j log p(x_j), shape (n,); −∞ for what cannot occur."""
        check_is_fitted(self)
        x = check_rows(X, n_features=len(self.probs_)).astype(np.float64, copy=False)
        each = xlogy(x, self.probs_) + xlog1py(1 - x, -self.probs_)
        return np.where((x == 0) | (x == 1), each, -np.inf).sum(axis=1)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw zeros and ones, shape (n_samples, d), float64."""
        check_is_fitted(self)
        shape = self._draw(n_samples, len(self.probs_))
        return (check_generator(random_state).random(shape) < self.probs_).astype(np.float64)

    def entropy(self) -> float:
        """−Σ_j (π log π + (1−π) log(1−π)), in nats."""
        check_is_fitted(self)
        return float((entr(self.probs_) + entr(1 - self.probs_)).sum())

    def fisher_information(self) -> Array:
        """diag(1 / (π(1 − π))) about π, shape (d, d); ∞ at 0 and 1."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.diag(1 / (self.probs_ * (1 - self.probs_)))

    def _kl_to(self, other: Self) -> float:
        p, q = self.probs_, other.probs_
        # the two terms of a column are both ≥ 0, so that near columns do not cancel
        return float((excess(p, q) + excess(1 - p, 1 - q, p - q)).sum())


class Poisson(_Independent):
    """Independent columns of counts with mean λ_j.

    Attributes
    ----------
    rate_ : ndarray of shape (d,)
        λ, counts per observation.

    Examples
    --------
    >>> Poisson().fit([0, 3, 1, 4]).rate_
    array([2.])
    """

    rate_: Array

    @classmethod
    def from_parameters(cls, rate: ArrayLike) -> Self:
        """Give λ, a number or (d,), each ≥ 0."""
        rates = check_parameter(rate, name="rate", low=0.0)
        return cls()._given(len(rates), rate_=rates)

    @staticmethod
    def _check_support(X: Array) -> Array:
        return check_counts(X)

    def _estimate(self, statistics: Sums) -> dict[str, Any]:
        return {"rate_": statistics.mean}

    def log_prob(self, X: ArrayLike) -> Array:
        """Σ_j log p(x_j), shape (n,); −∞ for what is no count."""
        check_is_fitted(self)
        x = check_rows(X, n_features=len(self.rate_)).astype(np.float64, copy=False)
        counts = (x >= 0) & (x == np.floor(x))
        x = np.where(counts, x, 0.0)
        each = xlogy(x, self.rate_) - self.rate_ - gammaln(x + 1)
        return np.where(counts, each, -np.inf).sum(axis=1)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw counts, shape (n_samples, d), float64."""
        check_is_fitted(self)
        shape = self._draw(n_samples, len(self.rate_))
        return check_generator(random_state).poisson(self.rate_, shape).astype(np.float64)

    def entropy(self) -> float:
        """−E log p(x) in nats: the sum over all counts that matter, or its large-λ series."""
        check_is_fitted(self)
        return sum(_poisson_entropy(float(rate)) for rate in self.rate_)

    def fisher_information(self) -> Array:
        """diag(1/λ) about λ, shape (d, d); ∞ at 0."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.diag(1 / self.rate_)

    def _kl_to(self, other: Self) -> float:
        return float(excess(self.rate_, other.rate_).sum())


class Exponential(_Independent):
    """Independent columns of waiting times with rate r_j (mean 1/r_j).

    Attributes
    ----------
    rate_ : ndarray of shape (d,)
        r, in the inverse of the data's unit; ∞ where all observations are 0, and then
        there is no density: `log_prob` raises and `entropy` is −∞.

    Examples
    --------
    >>> Exponential().fit([1.0, 2.0, 3.0]).rate_
    array([0.5])
    """

    rate_: Array

    @classmethod
    def from_parameters(cls, rate: ArrayLike) -> Self:
        """Give r, a number or (d,), each > 0."""
        rates = check_parameter(rate, name="rate", low=np.finfo(float).tiny)
        return cls()._given(len(rates), rate_=rates)

    @staticmethod
    def _check_support(X: Array) -> Array:
        if X.size and X.min() < 0:
            raise ValueError(f"X contains {X.min():g}; allowed are numbers from 0")
        return X

    def _estimate(self, statistics: Sums) -> dict[str, Any]:
        with np.errstate(divide="ignore", over="ignore"):
            rate = 1 / statistics.mean
        if np.any(np.isinf(rate) & (statistics.mean > 0)):
            raise ValueError("X: the rate 1/mean is beyond the largest number; scale the data")
        return {"rate_": rate}

    def log_prob(self, X: ArrayLike) -> Array:
        """Σ_j (log r_j − r_j x_j), shape (n,); −∞ below 0."""
        check_is_fitted(self)
        x = check_rows(X, n_features=len(self.rate_))
        if np.isinf(self.rate_).any():
            raise ValueError("the rate is infinite (all observations were 0): no density")
        each = np.log(self.rate_) - self.rate_ * x
        return np.where(x >= 0, each, -np.inf).sum(axis=1)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw waiting times, shape (n_samples, d), float64."""
        check_is_fitted(self)
        shape = self._draw(n_samples, len(self.rate_))
        return check_generator(random_state).standard_exponential(shape) / self.rate_

    def entropy(self) -> float:
        """Σ_j (1 − log r_j), in nats."""
        check_is_fitted(self)
        return float((1 - np.log(self.rate_)).sum())

    def fisher_information(self) -> Array:
        """diag(1/r²) about r, shape (d, d)."""
        check_is_fitted(self)
        return np.diag(1 / self.rate_**2)

    def _kl_to(self, other: Self) -> float:
        if np.isinf(self.rate_).any() or np.isinf(other.rate_).any():
            return np.inf
        # r₂/r₁ − 1 − log(r₂/r₁); ∞ where the ratio is beyond the largest number
        with np.errstate(over="ignore"):
            return float(_exponential_kl(self.rate_, other.rate_).sum())


def _poisson_entropy(rate: float) -> float:
    if rate == 0:
        return 0.0
    if rate > _LARGE_RATE:
        inverse = 1 / rate
        series = inverse / 12 + inverse**2 / 24 + 19 * inverse**3 / 360
        return float(0.5 * (np.log(2 * np.pi * np.e) + np.log(rate)) - series)
    # counts beyond carry less than 1e-18 of the entropy
    counts = np.arange(int(rate + 12 * np.sqrt(rate) + 40))
    log_p = xlogy(counts, rate) - rate - gammaln(counts + 1)
    return float(-(np.exp(log_p) * log_p).sum())


def _exponential_kl(r: Array, s: Array) -> Array:
    near = np.abs(s - r) < 0.5 * r
    close = -log1pmx(np.where(near, (s - r) / r, 0.0))
    return np.where(near, close, s / r - 1 - (np.log(s) - np.log(r)))
