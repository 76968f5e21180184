"""What fitted principal components can do: project, reconstruct, give a likelihood.

The model of the likelihood is probabilistic PCA (Tipping & Bishop 1999; Bishop, PRML,
section 12.2.1): x ~ N(x̄, C) with

    C = Σᵢ (max(λᵢ, σ²) − σ²) vᵢ vᵢᵀ + σ² I,

λᵢ the explained variances, vᵢ the components, σ² the noise variance: the average variance
in the min(n, d) − k directions left out.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kiso._compute import costs
from kiso._compute.matmul import product
from kiso._compute.threads import block_rows, blocks, map_rows
from kiso._gate import check_array, validate_data
from kiso._parts import TakesParts
from kiso._validation import FLOATS, Array


class PrincipalComponents(
    TakesParts, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Base of `PCA` and `IncrementalPCA`."""

    whiten: bool
    components_: Any
    explained_variance_: Any
    mean_: Any
    noise_variance_: Any
    n_features_in_: int
    _rounding: Any  # share of the largest variance below which a variance is rounding

    def transform(self, X: Any) -> Array:
        """Project rows on the components: (X − x̄) Vᵀ, over √λ where `whiten`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            A component without variance gives zeros when whitened.
        """
        return self._project(self._validate_rows(X))

    def inverse_transform(self, X: Any) -> Array:
        """Return the points of the original space whose projections these are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        Z = check_array(X, dtype=FLOATS, input_name="X")
        k = len(self.components_)
        if Z.shape[1] != k:
            raise ValueError(f"X has {Z.shape[1]} columns; there are {k} components")
        if self.whiten:
            Z = Z * np.sqrt(self.explained_variance_)
        original = Z @ self.components_
        original += self.mean_
        return np.asarray(original)

    def get_covariance(self) -> Array:
        """Return the covariance C of the model, shape (n_features, n_features).

        That of X, and so the same whether `whiten` or not, as the likelihood is (scikit-learn's
        are not).
        """
        check_is_fitted(self)
        excess = np.maximum(self.explained_variance_ - self.noise_variance_, 0)
        covariance = (self.components_.T * excess) @ self.components_
        covariance.flat[:: self.n_features_in_ + 1] += self.noise_variance_
        return np.asarray(covariance)

    def get_precision(self) -> Array:
        """Return C⁻¹, shape (n_features, n_features).

        C⁻¹ = Σᵢ (1/max(λᵢ, σ²) − 1/σ²) vᵢ vᵢᵀ + I/σ², with no term in σ² where all
        directions are kept.

        Raises
        ------
        ValueError
            If C is singular.
        """
        variances, noise = self._model()
        V = self.components_
        if len(V) == self.n_features_in_:
            return np.asarray((V.T / variances) @ V)
        precision = (V.T * (1 / variances - 1 / noise)) @ V
        precision.flat[:: self.n_features_in_ + 1] += 1 / noise
        return np.asarray(precision)

    def score_samples(self, X: Any) -> Array:
        """Return the log-likelihood of each row, in nats.

        −½ [d log 2π + log|C| + Σᵢ zᵢ²/λᵢ + ‖x − x̄ − Σᵢ zᵢ vᵢ‖²/σ²],  zᵢ = vᵢᵀ(x − x̄)

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Where C is singular (a direction has no variance, and no noise to stand for it), the
            density lies on the plane of the components alone: infinity for rows that lie on
            it up to rounding, −infinity for others.

        Warns
        -----
        RuntimeWarning
            If C is singular.
        """
        X = self._validate_rows(X, sparse=False)
        if self._singular():
            warnings.warn(
                f"{self._singular_words()} The log-likelihood is ±inf.",
                stacklevel=2,
                category=RuntimeWarning,
            )
            return self._by_blocks(lambda block: self._on_the_plane(X[block]), X)
        variances, noise = self._model()
        d, k = self.n_features_in_, len(self.components_)
        log_det = np.log(variances).sum() + (d - k) * np.log(noise if d > k else 1.0)
        dtype = np.result_type(X, self.components_)
        V = self.components_.astype(dtype, copy=False)

        def distance(block: slice) -> Array:
            centred = X[block] - self.mean_
            Z = centred @ V.T
            squares = (Z**2 / variances).sum(axis=1)
            if k < d:
                centred -= Z @ V
                squares += np.einsum("ij,ij->i", centred, centred) / noise
            return np.asarray(squares)

        return -0.5 * (d * np.log(2 * np.pi) + log_det + self._by_blocks(distance, X))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean over rows of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        """
        scores = self.score_samples(X)
        if np.isneginf(scores).any():  # beside which infinity counts for nothing
            return -np.inf
        return float(np.mean(scores, dtype=np.float64))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def _model(self) -> tuple[Array, Any]:
        """The variances along the components and the noise, all positive where they count."""
        check_is_fitted(self)
        if self._singular():
            raise ValueError(self._singular_words())
        return np.maximum(self.explained_variance_, self.noise_variance_), self.noise_variance_

    def _singular(self) -> bool:
        """Whether C has directions without variance."""
        variances = np.maximum(self.explained_variance_, self.noise_variance_)
        needs_noise = len(variances) < self.n_features_in_
        least = self._rounding * float(variances.max(initial=0))
        return bool((needs_noise and not self.noise_variance_ > 0) or not (variances > least).all())

    def _singular_words(self) -> str:
        return (
            "the covariance of the model is singular: there are directions without variance. Keep "
            f"fewer than n_components={len(self.components_)}, or drop constant columns."
        )

    def _on_the_plane(self, X: Array) -> Array:
        """Infinity for rows on the plane of the components that vary, else −infinity."""
        most = float(self.explained_variance_.max(initial=0))
        V = self.components_[self.explained_variance_ > self._rounding * most].astype(np.float64)
        centred = X.astype(np.float64) - self.mean_
        sizes = np.sqrt((centred**2).sum(axis=1))
        off = np.linalg.norm(centred - (centred @ V.T) @ V, axis=1)
        eps = float(np.finfo(self.components_.dtype).eps)
        rounding = 64 * eps * (sizes + np.linalg.norm(self.mean_))
        rounding += np.sqrt(self._rounding * most * max(1, self.n_features_in_))
        return np.where(off <= rounding, np.inf, -np.inf)

    def _validate_rows(self, X: Any, *, sparse: bool = True) -> Any:
        check_is_fitted(self)
        return validate_data(
            self, X, dtype=FLOATS, accept_sparse=["csr", "csc"] if sparse else False, reset=False
        )

    def _project(self, X: Any) -> Array:
        """Project validated rows."""
        dtype = np.result_type(X, self.components_)
        axes = self.components_.astype(dtype, copy=False).T
        if self.whiten:
            axes = axes * self._whitening().astype(dtype)
        if sp.issparse(X):
            return np.asarray(X @ axes - self.mean_.astype(dtype, copy=False) @ axes)
        return self._by_blocks(lambda block: product(X[block] - self.mean_, axes), X)

    def _whitening(self) -> Array:
        """1/√λ; zero for a component whose variance is rounding."""
        deviations = np.sqrt(self.explained_variance_)
        least = max(float(np.finfo(deviations.dtype).eps), np.sqrt(self._rounding))
        floor = least * deviations.max(initial=0)
        with np.errstate(divide="ignore"):
            return np.where(deviations > floor, 1 / deviations, 0)

    @staticmethod
    def _by_blocks(function: Any, X: Array) -> Array:
        """Apply a function of rows to blocks, side by side, and stack what it returns."""
        size = block_rows(X.shape[1], X.dtype.itemsize)

        def lane(rows: slice) -> list[Array]:
            return [function(block) for block in blocks(rows, size)]

        parts = map_rows(lane, len(X), min_rows=costs.PROJECTION_LANE_ROWS)
        return np.concatenate([part for lane_parts in parts for part in lane_parts])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = True
        return tags
