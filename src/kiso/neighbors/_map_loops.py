"""Compiled loop of the maps: rows times a matrix, each row by itself."""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled_strict
from kiso._validation import Array


@compiled_strict
def multiply_rows(X: Array, center: Array, factor: Array, out: Array) -> None:
    """Write (x − c) L of each row, every sum in the order of the features."""
    n, d = X.shape
    width = np.uintp(factor.shape[1])
    for i in range(n):
        for u in range(width):
            out[i, u] = 0.0
        for a in range(d):
            value = np.float64(X[i, a]) - center[a]
            for u in range(width):
                out[i, u] += value * factor[a, u]
