"""Principal components of data that come in pieces.

Kept of the rows seen are their number n, mean x̄ and scatter S = Σ (x − x̄)(x − x̄)ᵀ, all
float64. Two sets of rows merge exactly (Chan, Golub & LeVeque 1979):

    n = n₁ + n₂,  δ = x̄₂ − x̄₁,  x̄ = x̄₁ + (n₂/n) δ,  S = S₁ + S₂ + (n₁ n₂/n) δ δᵀ

so the result is that of one `PCA` of all rows, in whatever pieces and order they come.
(Keeping only k components of the rows seen and merging decompositions, as scikit-learn
does, loses what the first pieces had in other directions.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from kiso._compute.gram import centred_gram
from kiso._gate import check_array, validate_data
from kiso._parts import is_parted, parts_of
from kiso._validation import FLOATS, Array, positive

from ._base import PrincipalComponents
from ._gram import sparse_scatter
from ._parted import scatter_of
from ._spectrum import Spectrum, of_scatter

_OVERFLOW = "the squares of X overflow: scale its columns"


@dataclass(frozen=True)
class Seen:
    """n, x̄ and S of the rows seen, the data's precision, and how many components to keep."""

    n: int
    mean: Array
    scatter: Array
    dtype: np.dtype[Any]
    limit: int | None

    def __add__(self, other: Seen) -> Seen:
        n = self.n + other.n
        with np.errstate(over="ignore"):  # shows in the scatter
            delta = other.mean - self.mean
            scatter = self.scatter + other.scatter
            scatter += np.multiply.outer(delta * (self.n * other.n / n), delta)
        mean = self.mean + delta * (other.n / n)
        return Seen(n, mean, scatter, np.result_type(self.dtype, other.dtype), self.limit)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The components, computed when they are first asked for."""
        k = min(self.n, len(self.mean))
        k = k if self.limit is None else min(k, self.limit)
        values, components = of_scatter(self.scatter, k)
        norm = float(np.sqrt(np.trace(self.scatter)))
        eps = float(np.finfo(self.dtype).eps)
        return Spectrum(self.n, self.mean, components, values, norm, "covariance_eigh", eps)


class IncrementalPCA(PrincipalComponents):
    """Principal component analysis of data that come in pieces (`partial_fit`, `merge`).

    The result does not depend on how the rows are cut into pieces: it is that of `PCA` with
    `svd_solver="covariance_eigh"`. Kept are the number of rows, their mean and their
    scatter matrix, d² numbers for d features; the components are computed from it when
    they are asked for. A singular value σ is good to about eps (σ₁/σ)² / 2, relative:
    six digits at 10⁻⁵ of the largest.

    Parameters
    ----------
    n_components : int or None, default=None
        Components to keep, at most d; all by default. While fewer rows than that have
        been seen there are as many components as rows.
    whiten : bool, default=False
        Whether `transform` gives projections of variance one.
    copy : bool, default=True
        Accepted for scikit-learn's sake; X is never written to.
    batch_size : int or None, default=None
        Accepted for scikit-learn's sake: `fit` walks through X in blocks that fit in cache,
        also where X is a memory map.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features)
        Orthonormal rows; the entry of largest size of each is positive.
    explained_variance_ : ndarray of shape (n_components_,)
    explained_variance_ratio_ : ndarray of shape (n_components_,)
    singular_values_ : ndarray of shape (n_components_,)
    mean_ : ndarray of shape (n_features,)
    var_ : ndarray of shape (n_features,)
        Variance of each column, with divisor n.
    noise_variance_ : float
        Average variance of the directions left out.
    n_components_ : int
    n_samples_seen_ : int
    batch_size_ : int
        `batch_size`, or 5 d.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Raises
    ------
    ValueError
        For NaN or infinity (the rows seen before stay as they are), data whose squares
        overflow, `n_components` above d.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.decomposition import PCA, IncrementalPCA
    >>> X = np.random.default_rng(0).normal(size=(1000, 3)) * [3, 2, 1]
    >>> pca = IncrementalPCA(n_components=2)
    >>> for piece in np.split(X, 10):
    ...     pca = pca.partial_fit(piece)
    >>> bool(np.allclose(pca.components_, PCA(2).fit(X).components_))
    True
    >>> first, second = IncrementalPCA(2).fit(X[:300]), IncrementalPCA(2).fit(X[300:])
    >>> bool(np.allclose(first.merge(second).components_, pca.components_))
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [positive(Integral), None],
        "whiten": ["boolean"],
        "copy": ["boolean"],
        "batch_size": [positive(Integral), None],
    }

    __metadata_request__partial_fit = {"check_input": UNUSED}

    _fits_parts = "at once"

    _seen: Seen

    def __init__(
        self,
        n_components: int | None = None,
        *,
        whiten: bool = False,
        copy: bool = True,
        batch_size: int | None = None,
    ):
        self.n_components = n_components
        self.whiten = whiten
        self.copy = copy
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None) -> Self:
        """Forget what was seen and find the components of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        self
        """
        self._validate_params()
        self._keep(self._see(X, reset=True))
        return self

    def partial_fit(self, X: Any, y: Any = None, check_input: bool = True) -> Self:
        """Add rows to those seen.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Any number of rows, one at least.
        y : Ignored
        check_input : bool, default=True
            Accepted for scikit-learn's sake: the check costs nothing.

        Returns
        -------
        self
        """
        self._validate_params()
        first = not hasattr(self, "_seen")
        more = self._see(X, reset=first)
        self._keep(more if first else self._seen + more)
        return self

    def merge(self, other: IncrementalPCA) -> Self:
        """Add the rows that another fitted object has seen; exact.

        Parameters
        ----------
        other : IncrementalPCA
            Fitted on the same number of features; it is not changed.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        if not isinstance(other, IncrementalPCA):
            raise TypeError(f"other={other!r}: merge takes a fitted IncrementalPCA")
        check_is_fitted(other)
        if other.n_features_in_ != self.n_features_in_:
            raise ValueError(
                f"other has seen {other.n_features_in_} features, this one {self.n_features_in_}"
            )
        self._keep(self._seen + other._seen)
        return self

    def _see(self, X: Any, *, reset: bool) -> Seen:
        """Validate a piece of data and take its moments."""
        sparse = ["csr", "csc"]
        if is_parted(X):
            return self._see_parts(X, reset=reset)
        X = validate_data(
            self,
            X,
            dtype=FLOATS,
            accept_sparse=sparse,
            reset=reset,
            ensure_all_finite=sp.issparse(X),
        )
        n, d = X.shape
        self._check_n_components(d)
        if sp.issparse(X):
            mean, scatter, _ = sparse_scatter(X)
        else:
            found = centred_gram(X)
            with np.errstate(all="ignore"):  # what is not finite shows in the scatter
                mean, scatter = found.mean, found.scatter
        if not np.isfinite(scatter).all():
            check_array(X, dtype=FLOATS, estimator=self, input_name="X")  # names NaN, infinity
            raise ValueError(_OVERFLOW)
        return Seen(n, mean, scatter, X.dtype, self.n_components)

    def _see_parts(self, X: Any, *, reset: bool) -> Seen:
        """Take the moments of rows in parts, in one pass."""
        rows = parts_of(X, estimator=self if reset else None)
        if not reset and rows.form.n_features != self.n_features_in_:
            raise ValueError(
                f"X has {rows.form.n_features} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        self._check_n_components(rows.form.n_features)
        found = scatter_of(rows)
        return Seen(found.n, found.mean, found.matrix, rows.dtype, self.n_components)

    def _check_n_components(self, d: int) -> None:
        if self.n_components is not None and self.n_components > d:
            raise ValueError(f"n_components={self.n_components} must be at most n_features={d}")

    def _keep(self, seen: Seen) -> None:
        if not np.isfinite(seen.scatter).all():  # two pieces that are too far apart
            raise ValueError(_OVERFLOW)
        self._seen = seen
        self.n_samples_seen_ = seen.n
        self.mean_ = seen.mean.astype(seen.dtype)
        self.var_ = (np.diagonal(seen.scatter) / seen.n).astype(seen.dtype)
        self.batch_size_ = self.batch_size or 5 * len(seen.mean)

    def _spectrum(self) -> Spectrum:
        if not hasattr(self, "_seen"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self._seen.spectrum

    @property
    def _rounding(self) -> float:
        return self._spectrum().rounding

    def _in_data_precision(self, values: Array) -> Array:
        return values.astype(self._seen.dtype)

    @property
    def n_components_(self) -> int:
        """How many components there are."""
        return len(self._spectrum().components)

    @property
    def components_(self) -> Array:
        """Principal axes, one a row."""
        return self._in_data_precision(self._spectrum().components)

    @property
    def explained_variance_(self) -> Array:
        """Variance along each component."""
        return self._in_data_precision(self._spectrum().variances)

    @property
    def explained_variance_ratio_(self) -> Array:
        """Share of each component in the whole variance."""
        return self._in_data_precision(self._spectrum().ratios)

    @property
    def singular_values_(self) -> Array:
        """Singular values of the centred rows seen."""
        return self._in_data_precision(self._spectrum().singular_values)

    @property
    def noise_variance_(self) -> Any:
        """Average variance of the directions left out."""
        return self._seen.dtype.type(self._spectrum().noise(self.n_components_))
