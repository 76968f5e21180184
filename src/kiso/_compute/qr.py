"""The triangle of a tall matrix, block by block (TSQR).

    A = Q T,   Q orthonormal columns, T upper triangular

The T of a stack of a T and the next rows is the T of everything so far, so nothing of the
size of A is held. TᵀT = AᵀA, but no square is taken: where forming AᵀA loses singular
values below √eps of the largest, T keeps them down to eps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kiso._compute.threads import blocks, lanes, run_lanes
from kiso._validation import Array

from . import costs

__all__ = ["r_factor"]


def r_factor(rows_of: Callable[[slice], Array], n_rows: int, n_columns: int) -> Array:
    """Compute T of a matrix whose rows `rows_of` gives; lanes side by side.

    Parameters
    ----------
    rows_of : callable
        `rows_of(slice) -> ndarray of shape (length, n_columns)`, float64. It is called
        from several threads.
    n_rows, n_columns : int

    Returns
    -------
    ndarray of shape (min(n_rows, n_columns), n_columns)
        Signs of its rows are whatever LAPACK gives. The same on any number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[3.0, 1.0], [4.0, 2.0], [0.0, 2.0]])
    >>> T = r_factor(lambda rows: A[rows], 3, 2)
    >>> bool(np.allclose(T.T @ T, A.T @ A))
    True
    """
    size = max(3 * n_columns, costs.QR_BLOCK_ROWS)

    def lane_triangle(lane: slice) -> Array:
        T = np.empty((0, n_columns))
        for block in blocks(lane, size):
            T = _triangle(np.vstack([T, rows_of(block)]))
        return T

    parts = run_lanes(lane_triangle, lanes(n_rows, min_rows=8 * n_columns))
    return parts[0] if len(parts) == 1 else _triangle(np.vstack(parts))


def _triangle(A: Array) -> Array:
    return np.asarray(np.linalg.qr(A, mode="r"))
