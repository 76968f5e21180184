"""Sums of kernels Σ_j c_j k(x, s_j): what a machine predicts by."""

from __future__ import annotations

import numpy as np

from kiso._compute.threads import blocks, map_rows, one_blas_thread
from kiso._validation import Array

from ._kernels import Kernel
from ._points import Points
from ._smo_loops import add_rows

__all__ = ["kernel_sums"]

_TILE_SUPPORT, _TILE_ROWS = 256, 512


def kernel_sums(kernel: Kernel, P: Points, Q: Points, coef: Array) -> Array:
    """Give Σ_j coef_jm k(p_i, q_j), (len(P), m) in float64, tile by tile over threads."""
    m = coef.shape[1]
    out = np.zeros((m, len(P)))
    every = np.arange(_TILE_SUPPORT)
    fine = np.ascontiguousarray(coef, P.dtype)
    chunks = [Q.take(tile) for tile in blocks(slice(0, len(Q)), _TILE_SUPPORT)]

    def lane(rows: slice) -> None:
        for block in blocks(rows, _TILE_ROWS):
            p = P.take(block)
            for k, chunk in enumerate(chunks):
                tile = slice(k * _TILE_SUPPORT, k * _TILE_SUPPORT + len(chunk))
                T = kernel.block(chunk, p) if kernel.symmetric else kernel.block(p, chunk).T
                if m == 1 and T.dtype == np.float32:
                    T = np.ascontiguousarray(T)
                    add_rows(T, 0, every[: len(chunk)], coef[tile, 0].copy(), out[0, block])
                else:
                    out[:, block] += fine[tile].T @ T

    with one_blas_thread():
        map_rows(lane, len(P), min_rows=64)
    return np.ascontiguousarray(out.T)
