"""The scattering transform of two layers (Mallat 2012; Bruna & Mallat 2013).

    S₀ = x ∗ φ_J,   S₁(j, θ) = |x ∗ ψ_{jθ}| ∗ φ_J,
    S₂(j, θ, j', θ') = ||x ∗ ψ_{jθ}| ∗ ψ_{j'θ'}| ∗ φ_J     for j' > j

each sampled every 2^J pixels. φ_J is a product of two functions of one variable, so that
averaging, sampling and leaving the padding out are two products with small matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import scipy.fft
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kiso._compute.threads import blocks, map_rows
from kiso._gate import validate_data
from kiso._parts import TakesParts
from kiso._validation import FLOATS, Array, positive

from ._filters import morlet_filters

__all__ = ["ScatteringTransform"]

_BLOCK = 8  # pictures: what a block holds stays in a core's cache, or nearly


class ScatteringTransform(
    TakesParts, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Local averages of moduli of wavelet coefficients, in two layers; nothing is learned.

    The features hardly change when a picture is moved by less than 2^J pixels or is deformed
    a little, ‖S x_τ − S x‖ ≤ C ‖x‖ (2^−J ‖τ‖ + ‖∇τ‖), and keep what an average of as many
    pixels loses. No two pictures are further apart after than before.

    Parameters
    ----------
    n_scales : int, default=2
        J. Averages are over 2^J pixels.
    n_orientations : int, default=8
        L.
    max_order : {0, 1, 2}, default=2
        Layers of wavelets.
    image_shape : (height, width) or None, default=None
        Shape of the pictures where they come as rows of pixels.

    Attributes
    ----------
    output_shape_ : (n_paths, height, width)
        Of the features of a picture, which come as rows: n_paths = 1 + JL + L²J(J−1)/2 for
        two layers, and a value for every 2^J pixels.
    paths_ : list of tuple
        (), ((j, l),), ((j, l), (j', l')) of each path.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For samples that are no pictures of one channel, or smaller than 2^J pixels.

    Notes
    -----
    Pictures go on beyond their edges as in a mirror. Time and memory grow as the number of
    paths; the features of float32 pictures are float32.

    References
    ----------
    S. Mallat, "Group invariant scattering", Communications on Pure and Applied Mathematics
    65, 2012.
    J. Bruna, S. Mallat, "Invariant scattering convolution networks", IEEE Transactions on
    Pattern Analysis and Machine Intelligence 35, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.scattering import ScatteringTransform
    >>> X = np.random.default_rng(0).random((3, 16, 16))
    >>> scattering = ScatteringTransform(n_scales=2, n_orientations=6)
    >>> scattering.fit_transform(X).shape, scattering.output_shape_
    ((3, 784), (49, 4, 4))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_scales": [positive(Integral)],
        "n_orientations": [positive(Integral)],
        "max_order": [positive(Integral, zero=True)],
        "image_shape": ["array-like", None],
    }

    paths_: list[tuple[tuple[int, int], ...]]
    output_shape_: tuple[int, int, int]

    def __init__(
        self,
        n_scales: int = 2,
        n_orientations: int = 8,
        *,
        max_order: int = 2,
        image_shape: Sequence[int] | None = None,
    ):
        self.n_scales = n_scales
        self.n_orientations = n_orientations
        self.max_order = max_order
        self.image_shape = image_shape

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.image_shape is not None
        tags.input_tags.three_d_array = True
        tags.requires_fit = True
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(np.prod(self.output_shape_))

    def fit(self, X: Any, y: Any = None) -> Self:
        """Make the filters for pictures of this shape; the pixels are not looked at.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width), or (n_samples, n_pixels)
        y : ignored

        Returns
        -------
        self
        """
        self._validate_params()
        if self.max_order > 2:
            raise ValueError(f"max_order={self.max_order}: give 0, 1 or 2")
        height, width = self._pictures(X, reset=True).shape[1:]
        step = 2**self.n_scales
        if min(height, width) < step:
            raise ValueError(
                f"n_scales={self.n_scales}: pictures must be {step}×{step} pixels or more, "
                f"and have {height}×{width}"
            )
        self._shape = height, width
        self.paths_ = _paths(self.n_scales, self.n_orientations, self.max_order)
        self.output_shape_ = (len(self.paths_), -(-height // step), -(-width // step))
        padded = tuple(scipy.fft.next_fast_len(n + 2 * step) for n in (height, width))
        self._pad = [(0, 0), *((step, p - n - step) for n, p in zip(self._shape, padded,
                                                                    strict=True))]  # fmt: skip
        bank = morlet_filters(self.n_scales, self.n_orientations, (padded[0], padded[1]))
        self._psi = bank.psi
        _, rows, columns = self.output_shape_
        self._rows = _averages(bank.phi_rows, step, rows)
        self._columns = _averages(bank.phi_columns, step, columns)
        return self

    def transform(self, X: Any) -> Array:
        """Compute the features.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width), or (n_samples, n_pixels)

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Path after path, each row by row (`output_shape_`).
        """
        check_is_fitted(self)
        X = self._pictures(X, reset=False)
        if X.shape[1:] != self._shape:
            raise ValueError(f"X has pictures of {X.shape[1:]}; those of fit had {self._shape}")
        out = np.empty((len(X), *self.output_shape_), X.dtype)
        psi, rows, columns = (a.astype(X.dtype) for a in (self._psi, self._rows, self._columns))

        def lane(part: slice) -> None:
            for block in blocks(part, _BLOCK):
                x = np.pad(X[block], self._pad, mode="symmetric")
                maps = _scatter(x, psi, self.max_order)
                for path, u in enumerate(maps):
                    np.matmul(rows @ u, columns.T, out=out[block, path])

        map_rows(lane, len(X), min_rows=_BLOCK)
        return out.reshape(len(X), -1)

    def _pictures(self, X: Any, *, reset: bool) -> Array:
        X = validate_data(self, X, dtype=FLOATS, allow_nd=True, reset=reset)
        if X.ndim == 2 and self.image_shape is not None:
            shape = tuple(self.image_shape)
            if len(shape) != 2 or np.prod(shape) != X.shape[1]:
                raise ValueError(
                    f"image_shape={shape}: give (height, width) of {X.shape[1]} pixels in all, "
                    "which is what X has"
                )
            return X.reshape(len(X), *shape)
        if X.ndim == 4 and X.shape[1] == 1:
            return X[:, 0]
        if X.ndim != 3:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}: give pictures (n, height, width), or say "
                "image_shape=(height, width) where they come as rows of pixels"
            )
        return X


def _paths(n_scales: int, n_orientations: int, order: int) -> list[tuple[tuple[int, int], ...]]:
    """Paths in the order in which `_scatter` walks them."""
    angles = range(n_orientations)
    paths: list[tuple[tuple[int, int], ...]] = [()]
    for j in range(n_scales if order else 0):
        for a in angles:
            paths.append(((j, a),))
            if order == 2:
                paths += [((j, a), (k, b)) for k in range(j + 1, n_scales) for b in angles]
    return paths


def _scatter(x: Array, psi: Array, order: int) -> Any:
    """Yield x, |x ∗ ψ| and ||x ∗ ψ| ∗ ψ'| of a block (b, height, width), path after path."""
    yield x
    if order == 0:
        return
    spectrum = scipy.fft.fft2(x)
    n_scales = len(psi)
    for j in range(n_scales):
        for wavelet in psi[j]:
            first = np.abs(scipy.fft.ifft2(spectrum * wavelet, overwrite_x=True))
            yield first
            if order == 2 and j + 1 < n_scales:
                of_first = scipy.fft.fft2(first)
                for second in psi[j + 1 :].reshape(-1, *wavelet.shape):
                    yield np.abs(scipy.fft.ifft2(of_first * second, overwrite_x=True))


def _averages(phi: Array, step: int, n_out: int) -> Array:
    """Matrix (n_out, n) that convolves with φ and samples every `step`, from `step` on."""
    filter_ = np.fft.ifft(phi).real
    where = step * (1 + np.arange(n_out))[:, None] - np.arange(len(phi))
    return np.asarray(filter_[where % len(phi)])
