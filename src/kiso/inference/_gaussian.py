"""The normal distribution in any dimension.

x ~ N(μ, Σ), x (d,):  log p(x) = −½ (d log 2π + log|Σ| + (x − μ)ᵀ Σ⁻¹ (x − μ)).
Maximum likelihood: μ̂ = x̄, Σ̂ = S / W with S the scatter about x̄ (the divisor is the total
weight W, so E Σ̂ = (n−1)/n Σ). Diagonal: the diagonal of Σ̂. Spherical: its mean.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from sklearn.utils.validation import check_is_fitted

from kiso._compute.gram import centred_gram
from kiso._compute.threads import block_rows, blocks, map_rows
from kiso._validation import Array, RandomState, StrOptions, check_generator, positive

from ._checks import check_covariance, check_parameter, check_rows, check_weights
from ._protocol import Distribution, check_n_samples
from ._statistics import Moments

LOG_2PI = float(np.log(2 * np.pi))

CovarianceType = Literal["full", "diag", "spherical"]


class Gaussian(Distribution[Moments]):
    """Normal distribution N(μ, Σ) over d-vectors.

    Parameters
    ----------
    covariance_type : {"full", "diag", "spherical"}, default="full"
        Any Σ, a diagonal one, or σ²I.
    reg_covar : float, default=0.0
        Added to the diagonal of the estimated Σ. 0 is maximum likelihood.

    Attributes
    ----------
    mean_ : ndarray of shape (d,)
    covariance_ : ndarray of shape (d, d), (d,) for "diag"; float for "spherical"
        In the square of the data's unit. Singular where the data do not span d dimensions
        (one observation, a constant column): then there is no density, `log_prob` raises,
        `entropy` is −∞ and `sample` still works.
    statistics_ : Moments
        Weight, mean and scatter: what `merge` and `partial_fit` add up.

    Notes
    -----
    One pass over the data, in cache-sized blocks over threads, about a value near the mean:
    a mean of 1e9 beside a variance of 1 costs no digits. float32 data are multiplied in
    float32 and added up in float64; what is fitted is float64.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, section 5.5. Chan, Golub & LeVeque
    (1983), Algorithms for computing the sample variance.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]])
    >>> g = Gaussian().fit(X)
    >>> g.mean_
    array([1., 2.])
    >>> g.covariance_
    array([[0.667, 0.   ],
           [0.   , 2.   ]])
    >>> Gaussian().fit(X[:2]).merge(Gaussian().fit(X[2:])).mean_
    array([1., 2.])
    """

    mean_: Array
    covariance_: Any

    _parameter_constraints: dict[str, list[Any]] = {
        "covariance_type": [StrOptions({"full", "diag", "spherical"})],
        "reg_covar": [positive(zero=True)],
    }

    def __init__(self, covariance_type: CovarianceType = "full", *, reg_covar: float = 0.0):
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar

    @classmethod
    def from_parameters(cls, mean: ArrayLike, covariance: ArrayLike) -> Self:
        """Give μ and Σ in place of a fit.

        Parameters
        ----------
        mean : array-like of shape (d,), or a number
        covariance : array-like of shape (d, d) for "full", (d,) for "diag", a number for
            "spherical"; the shape says which.

        Raises
        ------
        ValueError
            If shapes do not fit or the covariance is not positive semi-definite.

        Examples
        --------
        >>> Gaussian.from_parameters([0.0, 0.0], [[2.0, 1.0], [1.0, 2.0]]).entropy()
        3.387
        """
        mu = check_parameter(mean, name="mean", low=-np.inf)
        shape = np.shape(covariance)
        d = len(mu)
        if shape not in {(), (d,), (d, d)}:
            raise ValueError(f"covariance has shape {shape}; allowed are {(d, d)}, {(d,)} and ()")
        if len(shape) == 2:
            full = check_covariance(covariance, name="covariance")
            return cls("full")._given(d, mean_=mu, covariance_=full)
        variances = check_parameter(covariance, name="covariance", low=0.0)
        if len(shape) == 1:
            return cls("diag")._given(d, mean_=mu, covariance_=variances)
        return cls("spherical")._given(d, mean_=mu, covariance_=float(variances[0]))

    def _summarise(self, X: Any, sample_weight: ArrayLike | None) -> Moments:
        self._validate_params()
        rows = check_rows(X, finite=False)
        weights = check_weights(sample_weight, rows)
        diagonal = self.covariance_type != "full"
        found = Moments.of(centred_gram(rows, sample_weight=weights, diagonal=diagonal))
        if not (np.isfinite(found.mean).all() and np.isfinite(found.scatter).all()):
            check_rows(X)  # names the NaN or infinity
            raise ValueError(f"X: its squares overflow {rows.dtype}; scale the data")
        return found

    def _estimate(self, statistics: Moments) -> dict[str, Any]:
        covariance: Any = statistics.scatter / statistics.weight
        if self.covariance_type == "spherical":
            covariance = float(covariance.mean()) + self.reg_covar
        elif self.reg_covar:
            at = np.einsum("ii->i", covariance) if covariance.ndim == 2 else covariance
            at += self.reg_covar
        return {"mean_": statistics.mean, "covariance_": covariance}

    def _full_covariance(self) -> Array:
        """Σ as a (d, d) matrix."""
        if self.covariance_type == "full":
            return np.asarray(self.covariance_)
        return np.diag(np.broadcast_to(self.covariance_, self.mean_.shape))

    def _whitener(self) -> tuple[Array, float]:
        """A and log|Σ| with A Σ Aᵀ = I: a lower triangle, or the (d,) of a diagonal A."""
        d = len(self.mean_)
        if self.covariance_type != "full":
            variances = np.broadcast_to(np.asarray(self.covariance_), (d,))
            if not np.all(variances > 0):
                raise _singular(int(np.sum(variances > 0)), d)
            return 1 / np.sqrt(variances), float(np.log(variances).sum())
        L, deviation = _factor(self.covariance_)
        whitener = solve_triangular(L, np.eye(d), lower=True) / deviation
        return whitener, float(2 * (np.log(np.diagonal(L)) + np.log(deviation)).sum())

    def log_prob(self, X: ArrayLike) -> Array:
        """Log density of each observation.

        Parameters
        ----------
        X : array-like of shape (n, d), or (n,) for d = 1

        Returns
        -------
        log_prob : ndarray of shape (n,), float64
            Each block of rows is converted to float64, never the whole.

        Raises
        ------
        ValueError
            If Σ is singular, or X has another number of columns or is not finite.

        Examples
        --------
        >>> Gaussian.from_parameters(0.0, 1.0).log_prob([0.0, 1.0])
        array([-0.919, -1.419])
        """
        check_is_fitted(self)
        rows = check_rows(X, n_features=len(self.mean_))
        whitener, log_det = self._whitener()
        d = len(self.mean_)
        log_prob = np.empty(len(rows))
        size = block_rows(d, 8)

        def lane(run: slice) -> None:
            for block in blocks(run, size):
                z = rows[block] - self.mean_
                z = z * whitener if whitener.ndim == 1 else z @ whitener.T
                log_prob[block] = np.einsum("ij,ij->i", z, z)

        map_rows(lane, len(rows), min_rows=4096)
        log_prob += d * LOG_2PI + log_det
        log_prob *= -0.5
        return log_prob

    def sample(self, n_samples: int = 1, random_state: RandomState = None) -> Array:
        """Draw observations, shape (n_samples, d); also where Σ is singular."""
        check_is_fitted(self)
        rng = check_generator(random_state)
        z = rng.standard_normal((check_n_samples(n_samples), len(self.mean_)))
        if self.covariance_type != "full":
            return self.mean_ + z * np.sqrt(self.covariance_)
        try:
            L, deviation = _factor(self.covariance_)
        except ValueError:
            values, vectors = np.linalg.eigh(self.covariance_)
            return self.mean_ + z @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        return self.mean_ + (z @ L.T) * deviation

    def entropy(self) -> float:
        """½ (d log 2πe + log|Σ|) nats; −∞ where Σ is singular."""
        check_is_fitted(self)
        try:
            _, log_det = self._whitener()
        except ValueError:
            return -np.inf
        return 0.5 * (len(self.mean_) * (LOG_2PI + 1) + log_det)

    def fisher_information(self) -> Array:
        """Fisher information of one observation about (μ, Σ).

        Returns
        -------
        information : ndarray of shape (p, p)
            Parameters in the order μ₁…μ_d, then those of Σ: for "full" its lower triangle
            row by row (Σ₁₁, Σ₂₁, Σ₂₂, …), for "diag" the d variances, for "spherical" the
            one variance. The block of μ is Σ⁻¹, that of Σ is ½ Dᵀ(Σ⁻¹ ⊗ Σ⁻¹)D, and
            between the two it is zero.

        Raises
        ------
        ValueError
            If Σ is singular.
        """
        check_is_fitted(self)
        whitener, _ = self._whitener()
        d = len(self.mean_)
        P = np.diag(whitener**2) if whitener.ndim == 1 else whitener.T @ whitener
        if self.covariance_type == "full":
            i, j = np.tril_indices(d)
            of_covariance = (P[i][:, i] * P[j][:, j] + P[i][:, j] * P[j][:, i]) / 2
            of_covariance *= np.multiply.outer(1 + (i != j), 1 + (i != j)) / 2
        elif self.covariance_type == "diag":
            of_covariance = np.diag(np.diagonal(P) ** 2) / 2
        else:
            of_covariance = np.array([[d * P[0, 0] ** 2 / 2]])
        information = np.zeros((d + len(of_covariance),) * 2)
        information[:d, :d] = P
        information[d:, d:] = of_covariance
        return information

    def _kl_to(self, other: Self) -> float:
        """½ (tr Σ₂⁻¹Σ₁ + (μ₂ − μ₁)ᵀΣ₂⁻¹(μ₂ − μ₁) − d + log|Σ₂| − log|Σ₁|)."""
        try:
            _, log_det = self._whitener()
        except ValueError:  # a density is nowhere concentrated on a subspace
            return np.inf
        try:
            whitener, other_log_det = other._whitener()
        except ValueError:
            return np.inf
        A = np.diag(whitener) if whitener.ndim == 1 else whitener
        trace = np.einsum("ij,jk,ik->", A, self._full_covariance(), A, optimize=True)
        distance = A @ (other.mean_ - self.mean_)
        d = len(self.mean_)
        kl = 0.5 * (trace + distance @ distance - d + other_log_det - log_det)
        return max(0.0, float(kl))


def _factor(covariance: Array) -> tuple[Array, Array]:
    """L and σ with Σ = diag(σ) L Lᵀ diag(σ): Cholesky of the correlations, free of units."""
    d = len(covariance)
    deviation = np.sqrt(np.diagonal(covariance))
    if np.all(deviation > 0):
        correlation = covariance / np.outer(deviation, deviation)
        try:
            L = np.linalg.cholesky(correlation)
        except np.linalg.LinAlgError:
            pass
        else:
            if np.diagonal(L).min() ** 2 > 10 * d * np.finfo(np.float64).eps:
                return L, deviation
        values = np.linalg.eigvalsh(correlation)
        rank = int(np.sum(values > 10 * d * np.finfo(np.float64).eps))
        raise _singular(min(rank, d - 1), d)
    raise _singular(int(np.sum(deviation > 0)), d)


def _singular(rank: int, d: int) -> ValueError:
    return ValueError(
        f"the covariance is singular (rank {rank} of at most {d}): there is no density. Fit to "
        "more observations, drop constant or collinear columns, or set reg_covar"
    )
