"""Principal component analysis."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import RealNotInt

from kiso._compute import costs
from kiso._gate import check_array, validate_data
from kiso._parts import Parts, is_parted, parts_of
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Interval,
    RandomState,
    StrOptions,
    check_generator,
    positive,
)

from . import _dimension, _gram, _orthogonal, _parted, _randomized
from ._base import PrincipalComponents
from ._spectrum import Spectrum


class PCA(PrincipalComponents):
    """Principal component analysis: the directions of largest variance.

    With A = X − 1 x̄ᵀ = U Σ Vᵀ, the components are the rows of Vᵀ, the variances along them
    Σ²/(n − 1), and the projections Z = A V are uncorrelated with exactly these variances
    (Goodfellow, Bengio & Courville, section 5.8.1).

    Dense data take one threaded pass for the matrix of inner products of the smaller side,
    which is decomposed. Where the components that are asked for reach so far down that its
    squares have lost their digits (a singular value of 10⁻⁵ of the largest in float64), an
    orthogonal decomposition takes over, block by block. X is neither copied nor written to.

    Parameters
    ----------
    n_components : int, float, "mle" or None, default=None
        Components to keep: all min(n, d) by default (one fewer with ARPACK); with
        0 < n_components < 1 the fewest that explain more than this share of the variance;
        "mle" the number of largest evidence (Minka 2000; n ≥ d).
    copy : bool, default=True
        Accepted for scikit-learn's sake; X is never written to.
    whiten : bool, default=False
        Whether `transform` gives projections of variance one.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}, default="auto"
        - "full": orthogonal, exact to eps σ₁ for every σ; dense data.
        - "covariance_eigh": eigenvectors of the inner products of columns (or of rows, if
          these are fewer) whatever digits that costs.
        - "arpack": Lanczos iteration (SciPy's ARPACK), 1 ≤ n_components < min(n, d).
        - "randomized": subspace iteration from a random start (Halko et al. 2011).
        - "auto": inner products, then "full" where digits would be lost;
          "randomized" for few components of data with more than 1,000 rows and columns;
          "arpack" for sparse data of more than 2,000 columns.
    tol : float, default=0.0
        Tolerance of "arpack"; 0 is machine precision.
    iterated_power : int or "auto", default="auto"
        Iterations of "randomized"; "auto" is 7 for fewer than 10 % of the components,
        otherwise 4.
    n_oversamples : int, default=10
        Random vectors beyond `n_components` that "randomized" starts from.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        Accepted for scikit-learn's sake: the iterates are always normalised by QR.
    random_state : int, Generator, RandomState or None, default=None
        For "randomized" and "arpack".

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features)
        Orthonormal rows; the entry of largest size of each is positive.
    explained_variance_ : ndarray of shape (n_components_,)
    explained_variance_ratio_ : ndarray of shape (n_components_,)
        Shares of the whole variance; zeros if the data do not vary.
    singular_values_ : ndarray of shape (n_components_,)
    mean_ : ndarray of shape (n_features,)
    n_components_ : int
    n_samples_ : int
    noise_variance_ : float
        Average variance of the directions left out, over min(n, d) of them in all.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    svd_solver_ : str
        What was used: "covariance_eigh", "dual" (inner products of rows), "full",
        "randomized" or "arpack".

    Raises
    ------
    ValueError
        For a single row, NaN or infinity, data whose squares overflow, `n_components`
        beyond min(n, d).

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.decomposition import PCA
    >>> X = np.array([[-1.0, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> pca = PCA(n_components=2).fit(X)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924, 0.0076])
    >>> pca.transform([[1.0, 1.0]]).round(4)
    array([[1.3834, 0.2936]])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [
            positive(Integral, zero=True),
            Interval(RealNotInt, 0, 1, closed="neither"),
            StrOptions({"mle"}),
            None,
        ],
        "copy": ["boolean"],
        "whiten": ["boolean"],
        "svd_solver": [StrOptions({"auto", "full", "covariance_eigh", "arpack", "randomized"})],
        "tol": [positive(zero=True)],
        "iterated_power": [StrOptions({"auto"}), positive(Integral, zero=True)],
        "n_oversamples": [positive(Integral)],
        "power_iteration_normalizer": [StrOptions({"auto", "QR", "LU", "none"})],
        "random_state": RANDOM_STATE,
    }

    _fits_parts = True

    def __init__(
        self,
        n_components: int | float | str | None = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: int | str = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: RandomState = None,
    ):
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        self
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """Find the components and return the projections of the same rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        ndarray of shape (n_samples, n_components_)
        """
        return self._project(self._fit(X))

    def _fit(self, X: Any) -> Any:
        """Fit; return the validated data.

        Dense X is not searched for NaN and infinity first: every solver's pass shows them.
        """
        self._validate_params()
        if is_parted(X):
            return self._fit_parts(parts_of(X, estimator=self))
        X = validate_data(
            self,
            X,
            dtype=FLOATS,
            accept_sparse=["csr", "csc"],
            ensure_all_finite=sp.issparse(X),
            ensure_min_samples=2,
        )
        solver, k = self._choose(X)
        found = self._solve(X, solver, k)
        if found is None or not np.isfinite(found.variances).all():
            check_array(X, dtype=FLOATS, estimator=self, input_name="X")  # names NaN, infinity
            raise ValueError("the squares of X overflow: scale its columns")
        self._keep(found, X.dtype)
        return X

    def _fit_parts(self, rows: Parts) -> Parts:
        """Fit rows in parts: a pass for their scatter, or several for few of many components."""
        if self.svd_solver == "arpack":
            raise ValueError(
                "svd_solver='arpack' takes too many passes over parts: give 'randomized' or 'auto'"
            )
        d = rows.form.n_features
        large = d > costs.PCA_GRAM_SIDE or self.svd_solver == "randomized"
        at = _parted.scatter_of(rows, diagonal=large)
        if at.n < 2:
            raise ValueError(f"Found array with {at.n} sample(s) while a minimum of 2 is required")
        solver, k = self._choose(rows)
        if large and solver != "randomized":
            at = _parted.scatter_of(rows)
        found = self._solve_parts(rows, at, solver, k)
        if found is None or not np.isfinite(found.variances).all():
            raise ValueError("the squares of X overflow: scale its columns")
        self._keep(found, rows.dtype)
        return rows

    def _solve_parts(self, rows: Parts, at: Any, solver: str, k: int) -> Spectrum | None:
        if solver == "randomized":
            return _parted.randomized(
                rows,
                at,
                k,
                n_oversamples=self.n_oversamples,
                n_iter=self._n_power_iterations(k, rows.shape),
                rng=check_generator(self.random_state),
            )
        if solver == "full":
            return _parted.full(rows, at, k)
        dtype = np.dtype(np.float64) if rows.sparse else rows.dtype
        found = _parted.covariance(at, k, float(np.finfo(dtype).eps))
        if solver != "auto" or self._trusted(found, dtype, at.largest) or rows.sparse:
            return found
        if rows.dtype == np.float32:
            at = _parted.scatter_of(rows, upcast=True)
            found = _parted.covariance(at, k, float(np.finfo(np.float64).eps))
            if self._trusted(found, np.float64):
                return found
        return _parted.full(rows, at, k)

    def _choose(self, X: Any) -> tuple[str, int]:
        """Return the solver and how many components it has to find."""
        (n, d), solver, wanted = X.shape, self.svd_solver, self.n_components
        side, sparse = min(n, d), X.sparse if isinstance(X, Parts) else sp.issparse(X)
        few = isinstance(wanted, Integral) and wanted >= 1
        k = int(wanted) if isinstance(wanted, Integral) else side
        if wanted == "mle" and n < d:
            raise ValueError("n_components='mle' needs n_samples >= n_features")
        if k > side:
            raise ValueError(
                f"n_components={wanted} must be at most min(n_samples, n_features)={side}"
            )
        if sparse and solver in {"full", "randomized"}:
            raise TypeError(
                f"svd_solver={solver!r} takes dense data; 'arpack', 'covariance_eigh' and 'auto' "
                "also take sparse data"
            )
        if solver == "auto" and sparse:
            solver = "covariance_eigh" if d <= costs.PCA_SPARSE_COLUMNS or not few else "arpack"
        elif solver == "auto" and few and side > costs.PCA_GRAM_SIDE:
            subspace = k + self.n_oversamples
            solver = "randomized" if 20 * subspace < side else "auto"
        if solver in {"arpack", "randomized"}:
            k = self._truncated(solver, k, (n, d))
        return solver, k

    def _truncated(self, solver: str, k: int, shape: tuple[int, int]) -> int:
        n, d = shape
        side = min(shape)
        if self.n_components is None and solver == "arpack":
            k = side - 1
        elif not isinstance(self.n_components, Integral | None):
            raise ValueError(
                f"n_components={self.n_components!r}: svd_solver={solver!r} takes an int or None"
            )
        most = side - 1 if solver == "arpack" else side
        if not 1 <= k <= most:
            raise ValueError(
                f"n_components={k} must be between 1 and {most} with svd_solver={solver!r}, "
                f"n_samples={n} and n_features={d}"
            )
        return k

    def _solve(self, X: Any, solver: str, k: int) -> Spectrum | None:
        if solver == "full":
            return _orthogonal.full(X, k)
        if solver in {"arpack", "randomized"}:
            return self._from_products(X, solver, k)
        if sp.issparse(X):
            return self._from_sparse(X, k, sure=self.svd_solver == "auto")
        return self._from_inner_products(X, k, sure=solver == "auto")

    def _from_inner_products(self, X: Array, k: int, *, sure: bool) -> Spectrum | None:
        """Solve dense X through its smaller side; `sure` where no digits may be lost."""
        found = _gram.dual(X, k) if len(X) < X.shape[1] else None
        if found is not None:
            return found
        if len(X) >= X.shape[1] or not sure:
            found = _gram.covariance(X, k)
            if not sure or self._trusted(found, X.dtype):
                return found
            if X.dtype == np.float32:
                found = _gram.covariance(X, k, upcast=True)
                if self._trusted(found, np.float64):
                    return found
        return _orthogonal.full(X, k)

    def _from_sparse(self, X: Any, k: int, *, sure: bool) -> Spectrum | None:
        found, largest = _gram.sparse_covariance(X, k)
        if sure and not self._trusted(found, np.float64, largest) and 4 * k < min(X.shape):
            return self._from_products(X, "arpack", k)
        return found

    def _trusted(self, found: Spectrum | None, dtype: Any, largest: float = 0.0) -> bool:
        return found is not None and _gram.trusted(found, self._count(found), dtype, largest)

    def _from_products(self, X: Any, solver: str, k: int) -> Spectrum | None:
        rows = _randomized.CentredRows(X)
        if not np.isfinite(rows.norm):
            return None
        rng = check_generator(self.random_state)
        if solver == "arpack":
            return _randomized.lanczos(rows, k, tol=self.tol, rng=rng)
        n_iter = self._n_power_iterations(k, X.shape)
        return _randomized.randomized(
            rows, k, n_oversamples=self.n_oversamples, n_iter=n_iter, rng=rng
        )

    def _n_power_iterations(self, k: int, shape: tuple[int, int]) -> int:
        if self.iterated_power == "auto":
            return 7 if k < 0.1 * min(shape) else 4
        return int(self.iterated_power)

    def _count(self, found: Spectrum) -> int:
        """How many of the components that were found to keep."""
        if self.n_components == "mle":
            return _dimension.of_evidence(found.variances, found.n_samples)
        if isinstance(self.n_components, float):
            return _dimension.of_share(found.ratios, self.n_components)
        return len(found.components)

    def _keep(self, found: Spectrum, dtype: Any) -> None:
        """Set the fitted attributes, in the data's precision."""
        n_components = self._count(found)
        kept = slice(0, n_components)
        self.n_samples_ = found.n_samples
        self.n_components_ = n_components
        self.mean_ = found.mean.astype(dtype)
        self.components_ = np.array(found.components[kept], dtype=dtype)
        self.explained_variance_ = found.variances[kept].astype(dtype)
        self.explained_variance_ratio_ = found.ratios[kept].astype(dtype)
        self.singular_values_ = found.singular_values[kept].astype(dtype)
        self.noise_variance_ = dtype.type(found.noise(n_components))
        self.svd_solver_ = found.solver
        self._rounding = found.rounding

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.svd_solver in {"auto", "arpack", "covariance_eigh"}
        return tags
