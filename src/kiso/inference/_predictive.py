"""Predictive distributions of the conjugate priors: parameters integrated out.

    p(x* | data) = ∫ p(x* | θ) p(θ | data) dθ

Each is frozen and offers `log_prob`, `sample`, `mean` and `variance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array, RandomState, check_generator

from ._checks import check_line, check_rows
from ._protocol import check_n_samples
from ._stable import log1p_ratio, log_binomial, log_rising


@dataclass(frozen=True)
class BetaBinomial:
    """Successes among `n_trials` whose probability is Beta(a, b).

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(BetaBinomial(2, 1.0, 1.0).log_prob([0, 1, 2]))
    array([0.333, 0.333, 0.333])
    """

    n_trials: int
    a: float
    b: float

    @property
    def mean(self) -> float:
        """N a/(a + b)."""
        return self.n_trials * self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        """N ab (a + b + n) / ((a + b)² (a + b + 1))."""
        n, a, b = self.n_trials, self.a, self.b
        return n * a * b * (a + b + n) / ((a + b) ** 2 * (a + b + 1))

    def log_prob(self, x: ArrayLike) -> Array:
        """Log probability of each number of successes, shape (n,); −∞ for impossible ones."""
        k, n = check_line(x, name="x"), self.n_trials
        possible = (k >= 0) & (k <= n) & (k == np.floor(k))
        k = np.where(possible, k, 0.0)
        # Loader's form of a ratio of binomials, of probability p = n/(n + a + b) each
        a, b = self.a, self.b
        whole = a + b + n
        p, q = n / whole, (a + b) / whole
        chance = (-log1p_ratio(a + b, n), -log1p_ratio(n, a + b), p, q)
        log_p = log_binomial(k, a, *chance) + log_binomial(n - k, b, *chance)
        log_p -= log_binomial(n, a + b, *chance)
        log_p += log1p_ratio(n, a + b) - log1p_ratio(k, a) - log1p_ratio(n - k, b)
        return np.where(possible, log_p, -np.inf)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw numbers of successes, shape (n_samples,), float64."""
        rng = check_generator(random_state)
        p = rng.beta(self.a, self.b, check_n_samples(n_samples))
        return rng.binomial(self.n_trials, p).astype(np.float64)


@dataclass(frozen=True)
class NegativeBinomial:
    """Counts whose Poisson rate is Gamma(shape, rate).

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(NegativeBinomial(1.0, 1.0).log_prob([0, 1, 2]))
    array([0.5  , 0.25 , 0.125])
    """

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Shape / rate."""
        return self.shape / self.rate

    @property
    def variance(self) -> float:
        """Shape (1 + rate) / rate²."""
        return self.shape * (1 + self.rate) / self.rate**2

    def log_prob(self, x: ArrayLike) -> Array:
        """Log probability of each count, shape (n,); −∞ for what is no count."""
        k, a = check_line(x, name="x"), self.shape
        possible = (k >= 0) & (k == np.floor(k))
        k = np.where(possible, k, 0.0)
        p, q = self.rate / (1 + self.rate), 1 / (1 + self.rate)
        log_p = log_binomial(
            a, k, -log1p_ratio(1.0, self.rate), -np.log1p(self.rate), p, q
        ) - log1p_ratio(k, a)
        return np.where(possible, log_p, -np.inf)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw counts, shape (n_samples,), float64."""
        rng = check_generator(random_state)
        rate = rng.gamma(self.shape, 1 / self.rate, check_n_samples(n_samples))
        return rng.poisson(rate).astype(np.float64)


@dataclass(frozen=True)
class StudentT:
    """Student's t in d dimensions: a normal whose covariance is uncertain.

    p(x) ∝ (1 + (x − m)ᵀ A⁻¹ (x − m) / ν)^(−(ν+d)/2).

    Parameters
    ----------
    dof : float
        ν.
    loc : ndarray of shape (d,)
        m.
    scale : ndarray of shape (d, d)
        A, a squared scale; the covariance is ν/(ν − 2) A where ν > 2.

    Examples
    --------
    >>> import numpy as np
    >>> StudentT(3.0, np.zeros(1), np.eye(1)).log_prob([0.0])
    array([-1.001])
    """

    dof: float
    loc: Array
    scale: Array

    @property
    def mean(self) -> Array:
        """m; NaN where ν ≤ 1."""
        return self.loc if self.dof > 1 else np.full_like(self.loc, np.nan)

    @property
    def variance(self) -> Array:
        """The covariance (d, d); ∞ on its diagonal where ν ≤ 2."""
        if self.dof > 2:
            return self.scale * (self.dof / (self.dof - 2))
        return np.where(np.eye(len(self.loc), dtype=bool), np.inf, np.nan)

    def log_prob(self, x: ArrayLike) -> Array:
        """Log density of each observation (n, d), or (n,) for d = 1; shape (n,)."""
        d, nu = len(self.loc), self.dof
        centred = check_rows(x, name="x", n_features=d) - self.loc
        L = np.linalg.cholesky(self.scale)
        z = np.linalg.solve(L, centred.T)
        constant = log_rising(nu / 2, d / 2) - d / 2 * (np.log(nu) + np.log(np.pi))
        log_det = np.log(np.diagonal(L)).sum()
        largest = np.maximum(np.abs(z).max(axis=0), 1.0)  # z² may be beyond the largest number
        with np.errstate(divide="ignore"):
            log_square = 2 * np.log(largest) + np.log(np.square(z / largest).sum(axis=0))
        log_square -= np.log(nu)
        tail = np.logaddexp(0.0, log_square)
        return np.asarray(constant - log_det - (nu + d) / 2 * tail)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw observations, shape (n_samples, d)."""
        rng = check_generator(random_state)
        n, d = check_n_samples(n_samples), len(self.loc)
        z = rng.standard_normal((n, d)) @ np.linalg.cholesky(self.scale).T
        return self.loc + z / np.sqrt(rng.chisquare(self.dof, n) / self.dof)[:, None]
