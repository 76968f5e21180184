"""Sums over all rows of a matrix, in one pass over cache-sized blocks.

Z = [X, Y] holds n rows zᵢ of p columns, wᵢ ≥ 0 are the rows' weights (1 where none are
given) and s is a shift:

    W = Σ wᵢ,   t = Σ wᵢ (zᵢ − s),   G = Σ wᵢ (zᵢ − s)(zᵢ − s)ᵀ

from which the mean and the scatter about the mean follow,

    z̄ = s + t / W,   S = Σ wᵢ (zᵢ − z̄)(zᵢ − z̄)ᵀ = G − t tᵀ / W,

without loss of digits as long as s lies within a few standard deviations of the mean. A
block is shifted into a buffer that stays in cache and multiplied there; float32 data are
multiplied in float32 and added up in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._compute.matmul import Square
from kiso._compute.threads import MAX_LANES, block_rows, blocks, map_rows, one_blas_thread
from kiso._validation import Array

from . import costs

__all__ = ["ShiftedGram", "centred_gram", "near_mean", "shifted_gram"]

_RUN = 768  # a block of whole runs: OpenBLAS walks the rows of a product in equal parts
_SAMPLED_ROWS = 64
_FAR = 10.0  # squared distance of shift and mean, in variances, that costs a second pass


@dataclass(frozen=True)
class ShiftedGram:
    """What one pass over Z = [X, Y] gives; all arrays float64.

    Attributes
    ----------
    weight : float
        W, the number of rows where there are no weights.
    shift : ndarray of shape (p,)
        s, zeros where there was no shift.
    sums : ndarray of shape (p,)
        t, about the shift.
    gram : ndarray of shape (p, p), or (p,) of its diagonal alone
        G, about the shift. Columns of X come first: XᵀY is `gram[:d, d:]`.
    """

    weight: float
    shift: Array
    sums: Array
    gram: Array

    @property
    def mean(self) -> Array:
        """The mean z̄, shape (p,)."""
        return self.shift + self.sums / self.weight

    @property
    def scatter(self) -> Array:
        """The scatter S about the mean, of the shape of `gram`; its diagonal is ≥ 0."""
        if self.gram.ndim == 1:
            return np.maximum(self.gram - self.sums**2 / self.weight, 0.0)
        scatter = np.multiply.outer(self.sums, self.sums / -self.weight)
        scatter += self.gram
        diagonal = np.einsum("ii->i", scatter)
        np.maximum(diagonal, 0.0, out=diagonal)
        return scatter


def shifted_gram(
    X: Array,
    Y: Array | None = None,
    *,
    sample_weight: Array | None = None,
    shift: Array | None = None,
    diagonal: bool = False,
    dtype: Any = None,
) -> ShiftedGram:
    """Compute W, t and G of Z = [X, Y] in one pass, over threads.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64
        Any strides; rows or columns contiguous are fast.
    Y : ndarray of shape (n,) or (n, q), optional
        Further columns: their products with X and with each other come in the same pass.
    sample_weight : ndarray of shape (n,), optional
        Weights ≥ 0; a row of weight 0 counts for nothing, however large its values.
    shift : ndarray of shape (p,), optional
        s; None shifts nothing. It is rounded to the precision of the products first.
    diagonal : bool, default=False
        Compute the diagonal of G alone.
    dtype : {float32, float64}, optional
        Precision of the products within a block; that of the data (the finer of X and Y)
        if not given.

    Returns
    -------
    ShiftedGram
        The same to the last bit on any number of threads. A NaN or infinity in the data
        makes the sums of its columns NaN or infinite; no warning is given.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    >>> shifted_gram(X, y).gram
    array([[10., 14., -2.],
           [14., 20., -2.],
           [-2., -2.,  2.]])
    """
    if Y is not None and Y.ndim == 1:
        Y = Y[:, None]
    n, d = X.shape
    p = d if Y is None else d + Y.shape[1]
    dtype = np.dtype(dtype or (X.dtype if Y is None else np.result_type(X, Y)))
    root = None if sample_weight is None else np.sqrt(sample_weight, dtype=dtype)
    s = None if shift is None or not np.any(shift) else np.asarray(shift, dtype=dtype)
    rows_at_once = block_rows(p, dtype.itemsize)
    if not diagonal:
        rows_at_once = max(2, rows_at_once // _RUN) * _RUN

    def fill(buffer: Array, rows: slice) -> Array:
        """Put the rows, shifted and weighted, into the buffer."""
        z = buffer[: rows.stop - rows.start]
        for part, at in ((X, slice(0, d)), (Y, slice(d, p))):
            if part is not None and s is None:
                z[:, at] = part[rows]
            elif part is not None and s is not None:
                np.subtract(part[rows], s[at], out=z[:, at], casting="same_kind")
        if root is not None:
            z *= root[rows, None]
        return z

    def lane(rows: slice) -> tuple[Array, Array]:
        size = min(rows_at_once, rows.stop - rows.start)
        as_it_is = s is None and root is None and Y is None and X.dtype == dtype
        buffer = np.empty((0, 0) if as_it_is else (size, p), dtype)
        squares = np.empty(p, dtype)
        ones = np.ones(size, dtype)
        sums, diagonals = np.zeros(p), np.zeros(p)
        square = Square(0 if diagonal else p, dtype)
        with np.errstate(all="ignore"):  # what is not finite shows in the sums
            for block in blocks(rows, rows_at_once):
                z = X[block] if as_it_is else fill(buffer, block)
                sums += np.matmul(ones[: len(z)] if root is None else root[block], z)
                if diagonal:
                    np.einsum("ij,ij->j", z, z, out=squares)
                    diagonals += squares
                else:
                    square.add(z)
        return sums, diagonals if diagonal else square.total()

    held = p * (rows_at_once + (2 if diagonal else 2 * p)) * dtype.itemsize
    room = max(1, max(costs.GRAM_HELD_BYTES, X.nbytes // 2) // held)
    max_lanes = min(MAX_LANES, 1 << (room.bit_length() - 1))  # as many for every thread
    with one_blas_thread():  # also for a single lane: BLAS's threads would change the last bits
        parts = map_rows(lane, n, min_rows=max(costs.GRAM_LANE_ROWS, p), max_lanes=max_lanes)
    sums, gram = parts[0]
    with np.errstate(all="ignore"):
        for more_sums, more_gram in parts[1:]:
            sums += more_sums
            gram += more_gram
    weight = float(n) if sample_weight is None else float(np.sum(sample_weight, dtype=np.float64))
    return ShiftedGram(weight, np.zeros(p) if s is None else s.astype(np.float64), sums, gram)


def near_mean(X: Array, sample_weight: Array | None = None) -> Array:
    """Give, for each column, a value of the data that lies near its mean; shape (d,).

    As a shift it leaves nothing to cancel: a constant column becomes exactly zero and
    differences of integers stay exact. It looks at no more than 64 rows, spread evenly
    over those whose weight is not zero.
    """
    rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
    if len(rows) == 0:
        return np.zeros(X.shape[1], X.dtype)
    some = X[rows[:: -(-len(rows) // _SAMPLED_ROWS)]]
    with np.errstate(all="ignore"):
        distance = np.abs(some - some.mean(axis=0, dtype=np.float64))
    nearest: Array = some[distance.argmin(axis=0), np.arange(X.shape[1])]
    return nearest


def centred_gram(
    X: Array,
    Y: Array | None = None,
    *,
    sample_weight: Array | None = None,
    diagonal: bool = False,
    dtype: Any = None,
) -> ShiftedGram:
    """`shifted_gram` about a shift that is near the mean, so that `scatter` loses no digits.

    One pass; a second one where the rows that were looked at misled (weights of very
    different size, a few far outliers).

    Examples
    --------
    >>> import numpy as np
    >>> X = 1e9 + np.array([[-1.0], [0.0], [1.0]])
    >>> centred_gram(X).scatter
    array([[2.]])
    """
    if Y is not None and Y.ndim == 1:
        Y = Y[:, None]
    shift = near_mean(X, sample_weight)
    if Y is not None:
        shift = np.concatenate([shift, near_mean(Y, sample_weight)])

    def pass_about(shift: Array) -> ShiftedGram:
        return shifted_gram(
            X, Y, sample_weight=sample_weight, shift=shift, diagonal=diagonal, dtype=dtype
        )

    found = pass_about(shift)
    if found.weight == 0.0:
        return found
    with np.errstate(all="ignore"):
        offset = found.sums**2 / found.weight
        squares = found.gram if diagonal else np.diagonal(found.gram)
        far = offset > _FAR * (squares - offset)
    if not far.any() or not np.isfinite(squares).all():
        return found
    return pass_about(np.where(far, found.mean, shift))
