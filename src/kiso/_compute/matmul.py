"""C = A B at the full width of the processor's vectors, for matrices as NumPy holds them.

`multiply` of `_product_loops.py`, given any two matrices of one kind. BLAS is called through
NumPy where that is faster (small ones, for the calls themselves) and where there are no loops
for the numbers. Each number of C is one sum over k in order, whatever rows are computed
together: cutting A into lanes changes no bit.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from kiso._compute.matmul_loops import (
    SQUARE_DEPTH,
    add_upper,
    mirror,
    multiply,
    multiply_by_itself,
    multiply_transposed,
    packed_size,
)
from kiso._compute.threads import map_rows
from kiso._validation import Array

from . import costs

__all__ = ["Square", "flat_memory", "product"]

_KINDS = (np.float32, np.float64)


def product(a: Array, b: Array, out: Array | None = None, *, side_by_side: bool = False) -> Array:
    """Compute A B.

    Parameters
    ----------
    a : ndarray of shape (m, k)
    b : ndarray of shape (k, n)
        Its rows or its columns side by side (the latter is what `x.T` is) are fast.
    out : ndarray of shape (m, n), optional
        Where the result goes; it overlaps neither a nor b.
    side_by_side : bool, default=False
        Compute lanes of rows on all threads. False within a lane.

    Returns
    -------
    ndarray of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    (m, k), n = a.shape, b.shape[1]
    work = m * n * k
    if work <= costs.PRODUCT_SMALL or m < costs.PRODUCT_FEW_ROWS or not _suits(a, b, out):
        return np.matmul(a, b, out=out)
    if out is None:
        out = np.empty((m, n), a.dtype)
    n_lanes = work // costs.PRODUCT_LANE_WORK if side_by_side else 1
    if n_lanes <= 1:
        _multiply(a, b, out)
    else:
        map_rows(
            lambda rows: _multiply(a[rows], b, out[rows]),
            m, min_rows=max(1, -(-m // min(n_lanes, m))),
        )  # fmt: skip
    return out


class Square:
    """Zᵀ Z of blocks of rows Z: (n, p), added up in float64; half the work of `product(z.T, z)`.

    Parameters
    ----------
    p : int
    dtype : float32 or float64
        Of the blocks; float32 ones are multiplied in float32.

    Examples
    --------
    >>> square = Square(2, np.dtype(float))
    >>> square.add(np.array([[1.0, 2.0]]))
    >>> square.add(np.array([[3.0, 4.0]]))
    >>> square.total()
    array([[10., 14.],
           [14., 20.]])
    """

    def __init__(self, p: int, dtype: np.dtype) -> None:
        self.values = np.zeros((p, p))
        self.part = np.empty((p, p) if dtype == np.float32 else (0, 0), np.float32)
        like = self.values if dtype == np.float64 else self.part
        self.scratch = np.empty(packed_size(like.reshape(-1), p, SQUARE_DEPTH), dtype)

    def add(self, z: Array) -> None:
        """Add a block's; rows side by side are fast."""
        n, p = z.shape
        if z.strides[1] != z.itemsize or z.strides[0] % z.itemsize or z.strides[0] < 0:
            z = np.ascontiguousarray(z)
        total, part = self.values.reshape(-1), self.part.reshape(-1)
        from_z = flat_memory(z), 0, z.strides[0] // z.itemsize
        if self.part.size:
            multiply_by_itself(*from_z, part, n, p, self.scratch, False)
            add_upper(part, total, p)
        else:
            multiply_by_itself(*from_z, total, n, p, self.scratch, True)

    def total(self) -> Array:
        """Give what was added up, shape (p, p)."""
        mirror(self.values.reshape(-1), len(self.values))
        return self.values


def _suits(a: Array, b: Array, out: Array | None) -> bool:
    if a.dtype not in _KINDS or b.dtype != a.dtype or min(b.strides) != b.itemsize:
        return False
    if out is not None and (out.dtype != a.dtype or out.strides[1] != out.itemsize):
        return False
    strides = (*a.strides, *b.strides, *(out.strides if out is not None else ()))
    return all(stride > 0 and stride % a.itemsize == 0 for stride in strides)


def _multiply(a: Array, b: Array, out: Array) -> None:
    (m, k), n, size = a.shape, b.shape[1], a.itemsize
    flat = flat_memory(a), 0, a.strides[0] // size, a.strides[1] // size, flat_memory(b), 0
    ends = flat_memory(out), 0, out.strides[0] // size, m, n, k
    if b.strides[1] == size:
        multiply(*flat, b.strides[0] // size, *ends, False)
    else:
        multiply_transposed(*flat, b.strides[1] // size, *ends)


def flat_memory(x: Array) -> Array:
    """All memory from the first number to the last; writeable, so that loops know one kind."""
    length = sum((n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True))
    place = _memory(x.__array_interface__["data"][0], length + x.itemsize, _WRITEABLE)
    return np.frombuffer(place, x.dtype)


_WRITEABLE = 0x200
_memory: Any = ctypes.pythonapi.PyMemoryView_FromMemory
_memory.restype = ctypes.py_object
_memory.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
