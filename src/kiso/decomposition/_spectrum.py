"""What every solver of PCA returns: the leading part of a singular value decomposition.

A = X − 1 x̄ᵀ (n, d) is the centred data, A = U Σ Vᵀ, S = AᵀA = V Σ² Vᵀ its scatter. The
rows of Vᵀ are the components, Σ²/(n − 1) the variances along them; ‖A‖² = Σ σᵢ² = tr S.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from kiso._compute import costs
from kiso._compute.threads import one_blas_thread
from kiso._validation import Array

_SQUARED = {"covariance_eigh", "dual"}  # solvers through a matrix of inner products


@dataclass(frozen=True)
class Spectrum:
    """The leading principal components of n rows.

    Attributes
    ----------
    n_samples : int
    mean : ndarray of shape (d,)
        x̄.
    components : ndarray of shape (k, d)
        Orthonormal rows, of the largest σ first.
    singular_values : ndarray of shape (k,)
        σ, largest first.
    norm : float
        ‖A‖, the root of the sum of all σ².
    solver : str
        What computed it.
    eps : float
        Unit of rounding of the sums that it was computed from.
    """

    n_samples: int
    mean: Array
    components: Array
    singular_values: Array
    norm: float
    solver: str
    eps: float = float(np.finfo(np.float64).eps)

    @property
    def variances(self) -> Array:
        """Variance along each component, σ²/(n − 1); zero for a single row."""
        with np.errstate(over="ignore", under="ignore"):
            return self.singular_values**2 / max(1, self.n_samples - 1)

    @property
    def ratios(self) -> Array:
        """Share of each component in the whole variance; zero where there is none."""
        with np.errstate(under="ignore"):
            return (self.singular_values / (self.norm or 1.0)) ** 2

    @property
    def rounding(self) -> float:
        """The share of the largest variance below which a variance is rounding."""
        return 8 * self.eps if self.solver in _SQUARED else (32 * self.eps) ** 2

    def noise(self, k: int) -> float:
        """Average variance of the min(n, d) − k directions left out; 0 where it is rounding."""
        rest = min(self.n_samples, len(self.mean)) - k
        if rest <= 0:
            return 0.0
        if len(self.singular_values) == k + rest:  # all are known: nothing to cancel
            mean = float(self.variances[k:].mean())
            return mean if mean > self.rounding * float(self.variances[0]) else 0.0
        left = self.norm**2 - float(np.sum(self.singular_values[:k] ** 2))
        if left <= 8 * self.eps * self.norm**2:  # that is what cancelling leaves of nothing
            return 0.0
        return left / max(1, self.n_samples - 1) / rest


def of_scatter(scatter: Array, k: int) -> tuple[Array, Array]:
    """Return the k largest σ and their components (k, d) of a scatter matrix S = V Σ² Vᵀ.

    An eigenvalue carries an absolute error of about eps σ₁²: σ is good to eps (σ₁/σ)² / 2.
    """
    d = len(scatter)
    with one_blas_thread() if d <= costs.EIGEN_SMALL_SIDE else nullcontext():
        if k * costs.EIGEN_FEW_SHARE < d:
            values, vectors = scipy.linalg.eigh(
                scatter, subset_by_index=(d - k, d - 1) if k else (0, 0), check_finite=False
            )
        else:
            values, vectors = scipy.linalg.eigh(scatter, driver="evd", check_finite=False)
    values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
    return np.sqrt(np.maximum(values, 0.0)), with_signs(vectors.T)


def with_signs(components: Array) -> Array:
    """Turn each row so that its entry of largest size is positive (scikit-learn's rule)."""
    largest = np.abs(components).argmax(axis=1)
    sign = np.where(components[np.arange(len(components)), largest] < 0, -1.0, 1.0)
    return np.ascontiguousarray(components * sign[:, None])
