"""The Laplace (double exponential) distribution: the noise whose likelihood is absolute error.

Independent columns with density p(x) = exp(−|x − m| / b) / 2b. Maximum likelihood: m̂ is a
weighted median, b̂ = Σ wᵢ |xᵢ − m̂| / W.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from kiso._validation import Array, RandomState, check_generator

from ._checks import check_parameter, check_rows, check_weights
from ._protocol import Distribution, check_n_samples
from ._stable import log1pmx
from ._statistics import Observations


class Laplace(Distribution[Observations]):
    """Independent columns with median m_j and mean absolute deviation b_j.

    Attributes
    ----------
    loc_ : ndarray of shape (d,)
        m; half-way between the two middle values where the likelihood is flat there.
    scale_ : ndarray of shape (d,)
        b, in the data's unit; 0 for a constant column: then there is no density,
        `log_prob` raises and `entropy` is −∞.
    statistics_ : Observations
        The data themselves, without rows of weight zero. A median has no smaller
        sufficient statistic: `fit`, `partial_fit` and `merge` keep every row.

    Examples
    --------
    >>> l = Laplace().fit([0.0, 1.0, 5.0])
    >>> l.loc_, l.scale_
    (array([1.]), array([1.667]))
    """

    loc_: Array
    scale_: Array

    @classmethod
    def from_parameters(cls, loc: ArrayLike, scale: ArrayLike) -> Self:
        """Give m and b > 0, numbers or (d,)."""
        m = check_parameter(loc, name="loc", low=-np.inf)
        b = check_parameter(scale, name="scale", low=np.finfo(float).tiny)
        if m.shape != b.shape:
            raise ValueError(f"loc has shape {m.shape}, scale {b.shape}")
        return cls()._given(len(m), loc_=m, scale_=b)

    _fits_parts = False
    _instead_of_parts = (
        "The median needs all rows at once: fit Laplace on a sample, or Gaussian on the parts."
    )

    def _summarise(self, X: Any, sample_weight: ArrayLike | None) -> Observations:
        rows = check_rows(X)
        weights = check_weights(sample_weight, rows)
        if weights is None:
            return Observations(rows.copy(), np.ones(len(rows), rows.dtype))
        return Observations(rows[weights > 0], weights[weights > 0])

    def _estimate(self, statistics: Observations) -> dict[str, Any]:
        rows, weights = statistics.rows, statistics.weights
        if len(weights) and np.all(weights == weights[0]):
            loc = np.median(rows, axis=0).astype(np.float64)
        else:
            loc = np.array([_weighted_median(column, weights) for column in rows.T])
        scale = weights.astype(np.float64) @ np.abs(rows - loc) / statistics.weight
        return {"loc_": loc, "scale_": scale}

    def log_prob(self, X: ArrayLike) -> Array:
        """−Σ_j (|x_j − m_j| / b_j + log 2b_j), shape (n,)."""
        check_is_fitted(self)
        x = check_rows(X, n_features=len(self.loc_))
        if not np.all(self.scale_ > 0):
            raise ValueError("scale 0 (a constant column): there is no density")
        each: Array = np.abs(x - self.loc_) / self.scale_ + np.log(2 * self.scale_)
        return -each.sum(axis=1)

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw observations, shape (n_samples, d)."""
        check_is_fitted(self)
        shape = (check_n_samples(n_samples), len(self.loc_))
        return check_generator(random_state).laplace(self.loc_, self.scale_, shape)

    def entropy(self) -> float:
        """Σ_j (1 + log 2b_j), in nats."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return float((1 + np.log(2 * self.scale_)).sum())

    def fisher_information(self) -> Array:
        """diag(1/b²) about (m₁…m_d, b₁…b_d), shape (2d, 2d)."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return np.diag(np.tile(1 / self.scale_**2, 2))

    def _kl_to(self, other: Self) -> float:
        if not (np.all(self.scale_ > 0) and np.all(other.scale_ > 0)):
            return np.inf
        b, c = self.scale_, other.scale_
        with np.errstate(over="ignore"):
            distance = np.abs(self.loc_ - other.loc_)
        # s − 1 − log s with s = b/c, and s (exp(−u) − 1 + u) with u = |m₁ − m₂|/b
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.abs(b - c) < 0.5 * c
            scales = np.where(
                near,
                -log1pmx(np.where(near, (b - c) / c, 0.0)),
                b / c - 1 - (np.log(b) - np.log(c)),
            )
            u = distance / b
            series = u * u * (0.5 - u * (1 / 6 - u * (1 / 24 - u / 120)))
            bent = np.where(u < 1e-3, series, np.expm1(-u) + u)
            places = np.where(u < 1e3, (b / c) * bent, distance / c - b / c)
        return float((scales + np.where(distance == 0, 0.0, places)).sum())


def _weighted_median(x: Array, weights: Array) -> float:
    """A minimiser of Σ wᵢ |xᵢ − m|; the middle of them where they are an interval."""
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weights[order], dtype=np.float64)
    half = below[-1] / 2
    at = int(np.searchsorted(below, half))
    if below[at] > half:
        return float(x[order[at]])
    return 0.5 * (float(x[order[at]]) + float(x[order[at + 1]]))
