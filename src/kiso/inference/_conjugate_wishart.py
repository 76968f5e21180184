"""Conjugate prior of a normal observable in d dimensions.

Σ ~ InvWishart(ν, Ψ),  μ | Σ ~ N(m, Σ/κ); with n observations of mean x̄ and scatter S:

    κ' = κ + n,   m' = (κm + n x̄)/κ',   ν' = ν + n,
    Ψ' = Ψ + S + (κ n/κ') (x̄ − m)(x̄ − m)ᵀ
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainccinv, gammaincinv, stdtrit

from kiso._compute.gram import centred_gram
from kiso._validation import Array

from ._checks import check_covariance, check_parameter, check_positive, check_rows, check_weights
from ._conjugate import Interval, check_level, through_parts
from ._predictive import StudentT
from ._stable import log_rising
from ._statistics import Moments


@dataclass(frozen=True, eq=False)
class NormalInverseWishart:
    """Prior over mean and covariance of a normal in d dimensions.

    Parameters
    ----------
    mean : array-like of shape (d,)
        m.
    kappa : float
        κ > 0: the prior's mean counts as this many observations.
    dof : float
        ν > d − 1: the prior's covariance counts as this many observations.
    scale : array-like of shape (d, d)
        Ψ, positive definite; E Σ = Ψ/(ν − d − 1) where ν > d + 1.

    References
    ----------
    Murphy (2007), Conjugate Bayesian analysis of the Gaussian distribution, section 9.

    Examples
    --------
    >>> import numpy as np
    >>> after = NormalInverseWishart([0.0, 0.0], 1.0, 4.0, np.eye(2)).posterior([[2.0, 0.0]])
    >>> after.mean, after.dof
    (array([1., 0.]), 5.0)
    """

    mean: Array
    kappa: float
    dof: float
    scale: Array

    def __post_init__(self) -> None:
        mean = check_parameter(self.mean, name="mean", low=-np.inf)
        scale = check_covariance(self.scale, name="scale", definite=True)
        if len(scale) != len(mean):
            raise ValueError(f"scale has shape {scale.shape}, mean {mean.shape}")
        check_positive(self.kappa, name="kappa")
        if not (np.isfinite(self.dof) and self.dof > len(mean) - 1):
            raise ValueError(f"dof={self.dof!r}: give a number > d - 1 = {len(mean) - 1}")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "scale", scale)

    @through_parts
    def posterior(
        self, data: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NormalInverseWishart:
        """The distribution of mean and covariance after seeing data (n, d)."""
        found = self._moments(data, sample_weight)
        n, off = found.weight, found.mean - self.mean
        kappa = self.kappa + n
        scale = self.scale + found.scatter + self.kappa * n / kappa * np.outer(off, off)
        return NormalInverseWishart(self.mean + n / kappa * off, kappa, self.dof + n, scale)

    def predictive(self) -> StudentT:
        """Student's t with ν − d + 1 degrees of freedom: the next observation."""
        dof = self.dof - len(self.mean) + 1
        return StudentT(dof, self.mean, self.scale * (self.kappa + 1) / (self.kappa * dof))

    def map(self) -> dict[str, Array]:
        """The most probable (mean, covariance) together: m and Ψ/(ν + d + 2)."""
        return {"mean": self.mean, "covariance": self.scale / (self.dof + len(self.mean) + 2)}

    def credible_interval(self, level: float = 0.95) -> dict[str, Interval]:
        """Central intervals of each mean and each variance, all else integrated out; (d,) each.

        μ_j is Student's t with ν − d + 1 degrees of freedom, Σ_jj is InvGamma of half that.
        """
        tail = (1 - check_level(level)) / 2
        dof, diagonal = self.dof - len(self.mean) + 1, np.diagonal(self.scale)
        half = -stdtrit(dof, tail) * np.sqrt(diagonal / (self.kappa * dof))
        low = diagonal / 2 / gammainccinv(dof / 2, tail)
        high = diagonal / 2 / gammaincinv(dof / 2, tail)
        return {
            "mean": Interval(self.mean - half, self.mean + half),
            "variance": Interval(low, high),
        }

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data), mean and covariance integrated out."""
        after, d = self.posterior(data, sample_weight), len(self.mean)
        n = self._moments(data, sample_weight).weight
        gammas = log_rising((self.dof - np.arange(d)) / 2, n / 2).sum()
        before_det, after_det = (np.linalg.slogdet(p.scale)[1] for p in (self, after))
        dets = self.dof / 2 * before_det - after.dof / 2 * after_det
        kappas = d / 2 * np.log(self.kappa / after.kappa)
        return float(gammas + dets + kappas - n * d / 2 * np.log(np.pi))

    def _moments(self, data: Any, sample_weight: ArrayLike | None) -> Moments:
        rows = check_rows(data, name="data", n_features=len(self.mean))
        return Moments.of(centred_gram(rows, sample_weight=check_weights(sample_weight, rows)))
