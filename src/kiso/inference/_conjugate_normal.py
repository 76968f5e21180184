"""Conjugate priors of a normal observable, one dimension.

With n = Σ wᵢ observations of mean x̄ and scatter S = Σ wᵢ (xᵢ − x̄)²:

known variance s²      μ ~ N(m, v)
    1/v' = 1/v + n/s²,   m' = v' (m/v + n x̄/s²)
unknown variance       σ² ~ InvGamma(a, b),  μ | σ² ~ N(m, σ²/κ)
    κ' = κ + n,   m' = (κm + n x̄)/κ',   a' = a + n/2,
    b' = b + S/2 + κ n (x̄ − m)² / 2κ'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainccinv, gammaincinv, ndtri, stdtrit

from kiso._compute.gram import centred_gram

from ._checks import check_line, check_positive, check_weights
from ._conjugate import Interval, check_level, through_parts
from ._gaussian import LOG_2PI, Gaussian
from ._predictive import StudentT
from ._stable import log1p_ratio, log_rising
from ._statistics import Moments


@dataclass(frozen=True)
class NormalKnownVariance:
    """Prior N(m, v) over the mean of a normal whose variance is known.

    Parameters
    ----------
    mean : float, default=0.0
        m.
    variance : float, default=1.0
        v > 0, of the prior.
    noise_variance : float, default=1.0
        s² > 0, of one observation.

    References
    ----------
    Murphy (2007), Conjugate Bayesian analysis of the Gaussian distribution, section 2.

    Examples
    --------
    >>> NormalKnownVariance(0.0, 1.0, 1.0).posterior([2.0])
    NormalKnownVariance(mean=1.0, variance=0.5, noise_variance=1.0)
    """

    mean: float = 0.0
    variance: float = 1.0
    noise_variance: float = 1.0

    def __post_init__(self) -> None:
        _check_finite(self.mean, "mean")
        check_positive(self.variance, name="variance")
        check_positive(self.noise_variance, name="noise_variance")

    @through_parts
    def posterior(
        self, data: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NormalKnownVariance:
        """The distribution of the mean after seeing data (n,)."""
        n, centre, _ = _moments(data, sample_weight)
        gain = n * self.variance / (self.noise_variance + n * self.variance)
        variance = self.noise_variance * self.variance / (self.noise_variance + n * self.variance)
        mean = self.mean + gain * (centre - self.mean)
        return NormalKnownVariance(mean, variance, self.noise_variance)

    def predictive(self) -> Gaussian:
        """N(m, v + s²): the next observation, the mean integrated out."""
        return Gaussian.from_parameters([self.mean], [[self.variance + self.noise_variance]])

    def map(self) -> float:
        """The most probable mean, m."""
        return self.mean

    def credible_interval(self, level: float = 0.95) -> Interval:
        """The central interval that holds the mean with this probability."""
        half = ndtri((1 + check_level(level)) / 2) * np.sqrt(self.variance)
        return Interval(float(self.mean - half), float(self.mean + half))

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data), the mean integrated out: the sum of the log predictives in turn."""
        n, centre, scatter = _moments(data, sample_weight)
        s2, v = self.noise_variance, self.variance
        total = n * (LOG_2PI + np.log(s2)) + scatter / s2 + np.log1p(n * v / s2)
        return float(-0.5 * (total + n * (centre - self.mean) ** 2 / (s2 + n * v)))


@dataclass(frozen=True)
class NormalInverseGamma:
    """Prior over mean and variance of a normal: σ² ~ InvGamma(a, b), μ | σ² ~ N(m, σ²/κ).

    Parameters
    ----------
    mean : float, default=0.0
        m.
    kappa : float, default=1.0
        κ > 0: the prior's mean counts as this many observations.
    shape : float, default=1.0
        a > 0: the prior's variance counts as 2a observations.
    scale : float, default=1.0
        b > 0, in the square of the data's unit.

    References
    ----------
    Murphy (2007), Conjugate Bayesian analysis of the Gaussian distribution, section 6.

    Examples
    --------
    >>> NormalInverseGamma().posterior([1.0, 3.0])
    NormalInverseGamma(mean=1.333, kappa=3.0, shape=2.0, scale=3.333)
    """

    mean: float = 0.0
    kappa: float = 1.0
    shape: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_finite(self.mean, "mean")
        for name in ("kappa", "shape", "scale"):
            check_positive(getattr(self, name), name=name)

    @through_parts
    def posterior(
        self, data: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NormalInverseGamma:
        """The distribution of mean and variance after seeing data (n,)."""
        n, centre, scatter = _moments(data, sample_weight)
        kappa = self.kappa + n
        between = self.kappa * n / kappa * (centre - self.mean) ** 2
        return NormalInverseGamma(
            self.mean + n / kappa * (centre - self.mean),
            kappa,
            self.shape + n / 2,
            self.scale + (scatter + between) / 2,
        )

    def predictive(self) -> StudentT:
        """Student's t with 2a degrees of freedom: the next observation."""
        spread = self.scale * (self.kappa + 1) / (self.shape * self.kappa)
        return StudentT(2 * self.shape, np.array([self.mean]), np.array([[spread]]))

    def map(self) -> dict[str, float]:
        """The most probable (mean, variance) together: m and b/(a + 3/2)."""
        return {"mean": self.mean, "variance": self.scale / (self.shape + 1.5)}

    def credible_interval(self, level: float = 0.95) -> dict[str, Interval]:
        """Central intervals of mean and variance, each with the other integrated out."""
        tail = (1 - check_level(level)) / 2
        deviation = np.sqrt(self.scale / (self.shape * self.kappa))
        half = -stdtrit(2 * self.shape, tail) * deviation
        low = self.scale / gammainccinv(self.shape, tail)
        high = self.scale / gammaincinv(self.shape, tail)
        return {
            "mean": Interval(float(self.mean - half), float(self.mean + half)),
            "variance": Interval(float(low), float(high)),
        }

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data), mean and variance integrated out."""
        n, centre, scatter = _moments(data, sample_weight)
        between = self.kappa * n / (self.kappa + n) * (centre - self.mean) ** 2
        more = (scatter + between) / 2
        scales = -self.shape * log1p_ratio(more, self.scale) - n / 2 * np.log(self.scale + more)
        kappas = log1p_ratio(n, self.kappa)
        return float(log_rising(self.shape, n / 2) + scales - 0.5 * (kappas + n * LOG_2PI))


def _moments(data: ArrayLike, sample_weight: ArrayLike | None) -> tuple[float, float, float]:
    """n, x̄ and S of data in one dimension."""
    x = check_line(data)
    found = Moments.of(centred_gram(x[:, None], sample_weight=check_weights(sample_weight, x)))
    return found.weight, float(found.mean[0]), float(found.scatter[0, 0])


def _check_finite(value: float, name: str) -> None:
    if not np.isfinite(float(value)):
        raise ValueError(f"{name}={value!r}: give a finite number")
