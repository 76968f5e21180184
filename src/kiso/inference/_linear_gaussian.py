"""A line with normal noise: the model behind least squares.

p(y | x) = N(wᵀx + b, σ²), x (d,). Maximum likelihood is least squares,

    ŵ = S_xx⁺ S_xy,   b̂ = ȳ − ŵᵀx̄,   σ̂² = (S_yy − ŵᵀS_xy) / W,

with S the scatters of [x, y] about their means, and ⁺ the pseudo-inverse: of all the ŵ
that fit equally well, the one that is shortest in units of the columns' deviations.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from kiso._compute.gram import centred_gram
from kiso._parts import is_parted
from kiso._validation import Array, RandomState, check_generator

from ._checks import check_line, check_parameter, check_rows, check_weights
from ._gaussian import LOG_2PI
from ._protocol import Mergeable, statistics_of_parts
from ._statistics import Moments


class LinearGaussian(Mergeable[Moments]):
    """Conditional distribution p(y | x) = N(wᵀx + b, σ²).

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
        w.
    intercept_ : float
        b.
    variance_ : float
        σ², by maximum likelihood (divisor W), in the square of y's unit.
    statistics_ : Moments
        Weight, mean and scatter of [x, y]: what `merge` and `partial_fit` add up.

    Notes
    -----
    All is computed from the scatter, so that pieces merge: coefficients lose twice the
    digits that the columns' correlation costs, and σ̂² is right to about 1e-16 of the
    variance of y. `kiso.linear_model.LinearRegression` sees the data again and is sharper.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.5.1.

    Examples
    --------
    >>> m = LinearGaussian().fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 6.0])
    >>> m.coef_, m.intercept_, m.variance_
    (array([2.5]), 0.5, 0.5)
    """

    coef_: Array
    intercept_: float
    variance_: float

    @classmethod
    def from_parameters(cls, coef: ArrayLike, intercept: float, variance: float) -> Self:
        """Give w (d,), b and σ² ≥ 0."""
        w = check_parameter(coef, name="coef", low=-np.inf)
        b = check_parameter(intercept, name="intercept", low=-np.inf)
        v = check_parameter(variance, name="variance", low=0.0)
        return cls()._given(len(w), coef_=w, intercept_=float(b[0]), variance_=float(v[0]))

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit by maximum likelihood.

        Parameters
        ----------
        X : array-like of shape (n, d), or (n,) for one column
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,), optional
            Weights ≥ 0, not all zero.

        Raises
        ------
        ValueError
            If shapes do not fit, or anything is NaN or infinite.
        """
        if is_parted(X):
            return self._learn(statistics_of_parts(self, X, y, sample_weight))
        return self._learn(self._summarise(X, y, sample_weight))

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take in a further piece of the data: the fit of everything seen so far."""
        if is_parted(X):
            return self._learn_more(statistics_of_parts(self, X, y, sample_weight))
        return self._learn_more(self._summarise(X, y, sample_weight))

    def _summarise(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Moments:
        rows = check_rows(X)
        target = _check_target(y, rows)
        weights = check_weights(sample_weight, rows)
        found = Moments.of(centred_gram(rows, target, sample_weight=weights))
        if not (np.isfinite(found.mean).all() and np.isfinite(found.scatter).all()):
            raise ValueError("X, y: their squares are beyond the largest number; scale the data")
        flat = np.diagonal(found.scatter) == 0
        spread = [*(rows.max(axis=0) != rows.min(axis=0)), target.max() != target.min()]
        if weights is None and np.any(flat & np.array(spread)):
            raise ValueError("X, y: their squares are below the smallest number; scale the data")
        return found

    def _learn(self, statistics: Moments) -> Self:
        super()._learn(statistics)
        self.n_features_in_ = statistics.n_features - 1
        return self

    def _learn_more(self, statistics: Moments) -> Self:
        if hasattr(self, "statistics_"):
            self._check_same_width(statistics.n_features - 1, self.n_features_in_)
            statistics = self.statistics_.merge([statistics])
        return self._learn(statistics)

    def _estimate(self, statistics: Moments) -> dict[str, Any]:
        S, mean, d = statistics.scatter, statistics.mean, statistics.n_features - 1
        deviation = np.sqrt(np.diagonal(S)[:d])
        unit = np.where(deviation > 0, deviation, 1.0)
        correlation = S[:d, :d] / np.outer(unit, unit)
        cutoff = 10 * max(d, 1) * np.finfo(np.float64).eps
        inverse = np.linalg.pinv(correlation, rcond=cutoff, hermitian=True)
        w = inverse @ (S[:d, d] / unit) / unit
        residual = S[d, d] - 2 * w @ S[:d, d] + w @ S[:d, :d] @ w
        return {
            "coef_": w,
            "intercept_": float(mean[d] - w @ mean[:d]),
            "variance_": max(0.0, float(residual)) / statistics.weight,
        }

    def predict(self, X: ArrayLike) -> Array:
        """wᵀx + b of each row, shape (n,)."""
        check_is_fitted(self)
        return check_rows(X, n_features=len(self.coef_)) @ self.coef_ + self.intercept_

    def log_prob(self, X: ArrayLike, y: ArrayLike) -> Array:
        """Log density of each y given its x, shape (n,).

        Raises
        ------
        ValueError
            If σ² is 0: the fit goes through every point and there is no density.
        """
        mean = self.predict(X)
        if self.variance_ == 0:
            raise ValueError("variance 0 (the fit is exact): there is no density")
        residual = _check_target(y, mean) - mean
        return -0.5 * (LOG_2PI + np.log(self.variance_) + residual**2 / self.variance_)

    def sample(self, X: ArrayLike, random_state: RandomState = None) -> Array:
        """Draw a y for each row of X, shape (n,)."""
        mean = self.predict(X)
        rng = check_generator(random_state)
        return mean + np.sqrt(self.variance_) * rng.standard_normal(len(mean))

    def entropy(self) -> float:
        """Entropy of y given x, ½ log 2πeσ² nats: the same at every x."""
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            return float(0.5 * (LOG_2PI + 1 + np.log(self.variance_)))

    def fisher_information(self) -> Array:
        """Fisher information about (w₁…w_d, b, σ²) of one observation, shape (d+2, d+2).

        Averaged over the x of the data: [[E xxᵀ, E x], [E xᵀ, 1]] / σ² and 1/(2σ⁴).

        Raises
        ------
        ValueError
            If parameters were given in place of a fit (there are no x), or σ² is 0.
        """
        check_is_fitted(self)
        if not hasattr(self, "statistics_"):
            raise ValueError("the information depends on the x of the data; fit to data first")
        if self.variance_ == 0:
            raise ValueError("variance 0 (the fit is exact): the information is infinite")
        d, seen = len(self.coef_), self.statistics_
        x = np.append(seen.mean[:d], 1.0)
        information = np.zeros((d + 2, d + 2))
        information[: d + 1, : d + 1] = np.outer(x, x)
        information[:d, :d] += seen.scatter[:d, :d] / seen.weight
        information /= self.variance_
        information[-1, -1] = 0.5 / self.variance_**2
        return information


def _check_target(y: Any, rows: Array) -> Array:
    target = check_line(y, name="y")
    if len(target) != len(rows):
        raise ValueError(f"y has {len(target)} entries, X has {len(rows)} rows")
    dtype = rows.dtype if rows.dtype == np.float32 and np.asarray(y).dtype == np.float32 else None
    return target.astype(dtype or np.float64, copy=False)
