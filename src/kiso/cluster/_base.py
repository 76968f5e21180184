"""What the k-means estimators share: what their parameters mean, and what a fit can do."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_is_fitted

from kiso._compute.gram import centred_gram
from kiso._gate import check_array, check_sample_weight, validate_data
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    Integral,
    Interval,
    Real,
    StrOptions,
)
from kiso.base import IterativeEstimator, State

from ._assignment import nearest_centers
from ._rows import Rows

__all__ = ["CentersEstimator", "mean_variance"]

ProblemT = TypeVar("ProblemT")
StateT = TypeVar("StateT", bound=State)

log = logging.getLogger("kiso")


class CentersEstimator(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    IterativeEstimator[ProblemT, StateT],
):
    """Base of the estimators that describe data by `n_clusters` centres."""

    _fits_parts = True
    _score_adds = True

    n_clusters: int
    init: Any
    n_init: int | str
    verbose: int
    cluster_centers_: Array
    labels_: Array
    inertia_: float

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "k-means||", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": RANDOM_STATE,
    }

    # ------------------------------------------------------------------ what comes in

    def _validate(self, X: Any, *, reset: bool = True) -> Any:
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype=FLOATS,
            order="C",
            accept_large_sparse=False,
        )

    def _weights(self, X: Any, sample_weight: Any) -> Array | None:
        """Check weights; None where all rows weigh 1."""
        if sample_weight is None:
            return None
        weight: Array = check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True
        )
        return None if np.all(weight == 1) else weight

    def _initial(self, X: Any) -> Array | None:
        """Check `init` where it is an array of centres; None where it is not."""
        if isinstance(self.init, str) or callable(self.init):
            return None
        return self._check_centers(self.init, X)

    def _check_centers(self, centers: Any, X: Any) -> Array:
        centers = check_array(centers, dtype=X.dtype, copy=True, order="C", input_name="init")
        if centers.shape[0] != self.n_clusters:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not "
                f"match the number of clusters {self.n_clusters}."
            )
        if centers.shape[1] != X.shape[1]:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not "
                f"match the number of features of the data {X.shape[1]}."
            )
        return centers

    def _runs(self, random: int) -> int:
        """How many runs `n_init` asks for; `random` is what 'auto' means for random seeds."""
        given = not isinstance(self.init, str) and not callable(self.init)
        if self.n_init == "auto":
            seeded = isinstance(self.init, str) and self.init.startswith("k-means")
            return 1 if given or seeded else random
        if given and self.n_init != 1:
            warnings.warn(
                f"Explicit initial center position passed: performing only one init in "
                f"{type(self).__name__} instead of n_init={self.n_init}.",
                RuntimeWarning,
                stacklevel=2,
            )
            return 1
        return int(self.n_init)

    def _called_init(self, X: Any, rng: np.random.Generator) -> Array:
        """Get centres from a callable `init`, which is handed a RandomState."""
        random_state = np.random.RandomState(int(rng.integers(2**31)))
        return self._check_centers(self.init(X, self.n_clusters, random_state=random_state), X)

    def _check_n_samples(self, X: Any) -> None:
        if X.shape[0] < self.n_clusters:
            raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={self.n_clusters}.")

    # ------------------------------------------------------------------ what a fit can do

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centres.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            float32 stays float32; other types become float64. Never changed.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights w_i ≥ 0, not all zero.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are fewer samples than clusters, or the data or `init` do not fit.
        """
        self._fit(X, y, sample_weight=sample_weight)
        message = self._merged()
        if message is not None:
            warnings.warn(message, ConvergenceWarning, stacklevel=3)  # `fit` is wrapped
        return self

    def _merged(self) -> str | None:
        """Return what to warn of where there are fewer clusters than asked for."""
        return None

    def _reports(self) -> bool:
        """Whether anybody reads what is reported."""
        return bool(self.verbose) or log.isEnabledFor(logging.DEBUG)

    def _report(self, message: str) -> None:
        """Say what happens: on the standard output where `verbose`, and to the log."""
        log.debug(message)
        if self.verbose:
            sys.stdout.write(f"{message}\n")

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """Find the centres and give `labels_`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """Find the centres and give the distances to them; see `transform`."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def predict(self, X: Any) -> Array:
        """Give the nearest centre of each row, ties to the smaller number; (n,), int32."""
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        return nearest_centers(Rows(X), self.cluster_centers_.astype(X.dtype, copy=False))

    def transform(self, X: Any) -> Array:
        """Give the Euclidean distance of each row to each centre; (n, n_clusters)."""
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        centers = self.cluster_centers_.astype(X.dtype, copy=False)
        squared = Rows(X).squared_distances(centers)
        return np.sqrt(squared, out=squared)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Give −φ of these rows: minus their weighted squared distances to the centres."""
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        rows = Rows(X, self._weights(X, sample_weight))
        centers = self.cluster_centers_.astype(X.dtype, copy=False)
        return -rows.total(rows.own_distances(centers, nearest_centers(rows, centers)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def mean_variance(X: Any) -> float:
    """Give the mean of the features' variances, the unit of `tol`."""
    if sparse.issparse(X):
        return float(np.mean(mean_variance_axis(X, axis=0)[1]))
    return float(np.mean(centred_gram(X, diagonal=True).scatter) / len(X))
