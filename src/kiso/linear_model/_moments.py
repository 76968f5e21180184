"""Second moments of a regression: all that the normal equations need of the data.

Symbols: X (n, d) data, Y (n, t) targets, w (n,) weights (ones where not given),
W = Σ w; x̄, ȳ the weighted means (zero for a model without intercept);

    XX = Σ w (x − x̄)(x − x̄)ᵀ     XY = Σ w (x − x̄)(y − ȳ)ᵀ     YY = Σ w (y − ȳ)²

They come from one pass over the data that keeps its digits whatever the means
(`kiso._compute.gram`). The sums are float64 whatever the data; the products within a block may
be float32, for a solver that refines what they give.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from kiso._compute.gram import ShiftedGram, centred_gram, shifted_gram
from kiso._compute.threads import block_rows, blocks, lanes, run_lanes
from kiso._parts import Part, Parts
from kiso._validation import Array

# Squares below this have lost digits to underflow.
TINY = 1e-280
TINY_FLOAT32 = 1e-25
# A column whose deviation is less than this many roundings of its mean is constant.
ROUNDINGS = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Moments:
    """Weighted second moments about the means.

    Attributes
    ----------
    total : float
        Σ w: the number of rows where no weights are given.
    x_mean, y_mean : ndarray of shape (d,), (t,)
        Weighted means; zero where the model has no intercept.
    XX : ndarray of shape (d, d)
    XY : ndarray of shape (d, t)
    YY : ndarray of shape (t,)
    scale : ndarray of shape (d,)
        Norm of each centred column; exactly zero for a constant column.
    exact : bool
        False where NaN, infinity, overflow or underflow has spoilt the sums.
    rough : bool
        Whether products were float32, so that XX and XY have no more than 7 digits.
    """

    total: float
    x_mean: Array
    y_mean: Array
    XX: Array
    XY: Array
    YY: Array
    scale: Array
    exact: bool
    rough: bool = False


class Rows:
    """Blocks of √w (X − x̄) and √w (Y − ȳ), float64, in buffers that are used again."""

    def __init__(self, X: Array, Y: Array, weights: Array | None, means: tuple[Array, Array]):
        self.X, self.Y, self.means = X, Y, means
        self.root_w = None if weights is None else np.sqrt(weights, dtype=np.float64)[:, None]

    def buffers(self, n_rows: int) -> tuple[Array, Array]:
        """Return buffers for blocks of up to n rows, in the memory order of X."""
        fortran = self.X.flags.f_contiguous and not self.X.flags.c_contiguous
        B = np.empty((n_rows, self.X.shape[1]), order="F" if fortran else "C")
        return B, np.empty((n_rows, self.Y.shape[1]))

    def fill(self, rows: slice, B: Array, C: Array) -> tuple[Array, Array]:
        """Write a block into the buffers; return the parts of them that it fills."""
        b, c = B[: rows.stop - rows.start], C[: rows.stop - rows.start]
        np.subtract(self.X[rows], self.means[0], out=b)
        np.subtract(self.Y[rows], self.means[1], out=c)
        if self.root_w is not None:
            b *= self.root_w[rows]
            c *= self.root_w[rows]
        return b, c


def moments(
    X: Array | Parts, Y: Array, weights: Array | None, *, center: bool, rough: bool = False
) -> Moments:
    """Return the moments of X (n, d), float32 or float64, and Y (n, t), float64.

    X is dense, or rows in parts with Y and the weights in them.
    """
    if isinstance(X, Parts):
        return X.sum_of(_moments_of_part, center, merge=merged)
    d, t = X.shape[1], Y.shape[1]
    dtype = np.float32 if rough else np.float64
    gram = partial(centred_gram if center else shifted_gram, dtype=dtype)
    if t <= max(8, d // 4):
        found = gram(X, Y, sample_weight=weights)
        ZZ, x_mean, y_mean = _centre(found, d, center=center)
        XX, XY, YY = ZZ[:d, :d], ZZ[:d, d:], np.diagonal(ZZ)[d:]
    else:  # products of targets with targets are of no use: keep them out of the pass
        found = gram(X, np.empty((len(X), 0)), sample_weight=weights)
        XX, x_mean, _ = _centre(found, d, center=center)
        w = np.ones(len(X)) if weights is None else weights
        y_mean = np.average(Y, axis=0, weights=w) if center else np.zeros(t)
        XY, YY = residual_moments(X, Y, weights, (x_mean, y_mean), np.zeros((d, t)))
    squares, sums = np.diagonal(XX), found.sums[:d]
    exact = all(bool(np.isfinite(part).all()) for part in (squares, sums, XY, YY))
    tiny = TINY_FLOAT32 if rough else TINY
    lost = (squares < tiny) & (np.abs(sums) < np.sqrt(tiny)) & ((sums != 0) | (squares > 0))
    scale = _norms(squares, found.weight, x_mean)
    exact = exact and not lost.any()
    return Moments(found.weight, x_mean, y_mean, XX, XY, np.maximum(YY, 0.0), scale, exact, rough)


def _centre(found: ShiftedGram, d: int, *, center: bool) -> tuple[Array, Array, Array]:
    """Products about the means, and the means of X and Y; about zero without an intercept."""
    if not center:
        zero = np.zeros(len(found.sums))
        return found.gram, zero[:d], zero[d:]
    with np.errstate(all="ignore"):
        return found.scatter, found.mean[:d], found.mean[d:]


def _norms(squares: Array, total: float, means: Array) -> Array:
    """Norms of the centred columns, zero where a column is constant up to rounding."""
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.maximum(squares, 0.0))
        norms[norms <= ROUNDINGS * np.sqrt(total) * np.abs(means)] = 0.0
    return norms


def is_sparse(X: Any) -> bool:
    """Whether X is a SciPy sparse matrix or array."""
    return bool(sp.issparse(X))


def residual_moments(
    X: Array | Parts, Y: Array, weights: Array | None, means: tuple[Array, Array], coef: Array
) -> tuple[Array, Array]:
    """What the residuals r = (y − ȳ) − (x − x̄)ᵀ b leave: Σ w (x − x̄) rᵀ and Σ w r².

    `coef` is b (d, t). Computed from the data, not from the moments, so they are right to
    the last digits: the first drives iterative refinement, the second is the residual sum
    of squares also of a fit that is nearly perfect.
    """
    if isinstance(X, Parts):
        return X.sum_of(_residuals_of_part, means, coef)
    rows = Rows(X, Y, weights, means)
    n, d = X.shape
    size = block_rows(d + 1, 8)

    def lane_sums(lane: slice) -> tuple[Array, Array]:
        gradient, squares = np.zeros(coef.shape), np.zeros(coef.shape[1])
        B, C = rows.buffers(min(size, lane.stop - lane.start))
        with np.errstate(all="ignore"):
            for block in blocks(lane, size):
                b, c = rows.fill(block, B, C)
                c -= b @ coef
                gradient += b.T @ c
                squares += np.einsum("ij,ij->j", c, c)
        return gradient, squares

    parts: list[Any] = run_lanes(lane_sums, lanes(n, min_rows=1024))
    return sum(p[0] for p in parts), sum(p[1] for p in parts)


def sparse_moments(X: Any, Y: Array, weights: Array | None, *, center: bool) -> Moments:
    """Moments of a SciPy CSR matrix with few columns; X stays sparse, XX becomes dense.

    The centring subtracts W x̄ x̄ᵀ: nothing to lose for columns that are mostly zero.
    """
    w = np.ones(X.shape[0]) if weights is None else weights.astype(np.float64)
    total = float(w.sum())
    X64 = X.astype(np.float64, copy=False)
    weighted = X64 if weights is None else X64.multiply(w[:, None]).tocsr()
    XX = np.asarray((weighted.T @ X64).toarray())
    x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
    if center:
        x_mean = np.asarray(X64.T @ w) / total
        y_mean = w @ Y / total
        XX -= total * np.outer(x_mean, x_mean)
    centred = Y - y_mean
    XY = np.asarray(weighted.T @ centred)
    YY = w @ centred**2
    # what is below the rounding of the subtraction cannot be told from a constant
    scale = np.sqrt(np.maximum(np.diagonal(XX), 0.0))
    scale[scale <= 1e-7 * np.sqrt(total) * np.abs(x_mean)] = 0.0
    exact = bool(np.isfinite(scale).all() and np.isfinite(XY).all())
    return Moments(total, x_mean, y_mean, XX, XY, YY, scale, exact)


def sparse_residuals(
    X: Any, Y: Array, weights: Array | None, means: tuple[Array, Array], coef: Array
) -> tuple[Array, Array]:
    """`residual_moments` of sparse data."""
    w = np.ones((X.shape[0], 1)) if weights is None else weights[:, None]
    r = (Y - means[1]) - (X @ coef - means[0] @ coef)
    gradient = X.T @ (w * r) - means[0][:, None] * (w * r).sum(axis=0)
    return np.asarray(gradient), (w * r**2).sum(axis=0)


# ------------------------------------------------------------------- of rows in parts


def _moments_of_part(part: Part, center: bool) -> Moments:
    take = sparse_moments if is_sparse(part.X) else moments
    if part.weight is not None and not part.weight.any():
        return _no_moments(part)
    return take(part.X, part.y, part.weight, center=center)


def _no_moments(part: Part) -> Moments:
    """The moments of rows without weight."""
    d, t = part.X.shape[1], part.y.shape[1]
    zeros = np.zeros((d, d)), np.zeros((d, t)), np.zeros(t), np.zeros(d)
    return Moments(0.0, np.zeros(d), np.zeros(t), *zeros, exact=True)


def _residuals_of_part(part: Part, means: tuple[Array, Array], coef: Array) -> tuple[Array, Array]:
    take = sparse_residuals if is_sparse(part.X) else residual_moments
    return take(part.X, part.y, part.weight, means, coef)


def merged(one: Moments, other: Moments) -> Moments:
    """The moments of two sets of rows together (Chan, Golub & LeVeque 1979).

    XX = XX₁ + XX₂ + (W₁ W₂ / W) δ δᵀ with δ = x̄₂ − x̄₁, and likewise XY, YY; without an
    intercept all means are zero, and so is δ.
    """
    if one.total == 0.0 or other.total == 0.0:
        return one if other.total == 0.0 else other
    total = one.total + other.total
    share, both = other.total / total, one.total * other.total / total
    with np.errstate(all="ignore"):  # what is not finite shows in the sums
        dx, dy = other.x_mean - one.x_mean, other.y_mean - one.y_mean
        x_mean = one.x_mean + share * dx
        XX = one.XX + other.XX + np.multiply.outer(both * dx, dx)
        XY = one.XY + other.XY + np.multiply.outer(both * dx, dy)
        YY = one.YY + other.YY + both * dy**2
        scale = _norms(np.diagonal(XX), total, x_mean)
    exact = one.exact and other.exact and all(bool(np.isfinite(M).all()) for M in (XX, XY, YY))
    return Moments(total, x_mean, one.y_mean + share * dy, XX, XY, YY, scale, exact)
