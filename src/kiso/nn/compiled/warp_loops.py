"""Images seen through affine maps of the plane, with bilinear interpolation, and the transpose.

    y[r, c] = Σ over the four pixels (i, j) around p of (1 − |p_r − i|)(1 − |p_c − j|) x[i, j]
    p = A (r, c)ᵀ + t

A pixel outside x is 0. `maps` has a row a₀₀ a₀₁ t₀ a₁₀ a₁₁ t₁ for each image.
"""

from __future__ import annotations

import numpy as np

from kiso._compute.jit import compiled
from kiso._validation import Array

__all__ = ["spread_lane", "warp_lane"]


@compiled
def warp_lane(x: Array, maps: Array, first: int, last: int, y: Array) -> None:
    """Images first … last − 1 of y from x, both (n, channels, height, width)."""
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    for n in range(first, last):
        m = maps[n]
        for r in range(height):
            for c in range(width):
                u = m[0] * r + m[1] * c + m[2]
                v = m[3] * r + m[4] * c + m[5]
                i, j = int(np.floor(u)), int(np.floor(v))
                du, dv = u - i, v - j
                for k in range(channels):
                    value = 0.0
                    for a in range(2):
                        for b in range(2):
                            if 0 <= i + a < height and 0 <= j + b < width:
                                share = (du if a else 1.0 - du) * (dv if b else 1.0 - dv)
                                value += share * x[n, k, i + a, j + b]
                    y[n, k, r, c] = value


@compiled
def spread_lane(dy: Array, maps: Array, first: int, last: int, dx: Array) -> None:
    """Add dy to dx, which holds zeros, by the transposed map."""
    channels, height, width = dy.shape[1], dy.shape[2], dy.shape[3]
    for n in range(first, last):
        m = maps[n]
        for r in range(height):
            for c in range(width):
                u = m[0] * r + m[1] * c + m[2]
                v = m[3] * r + m[4] * c + m[5]
                i, j = int(np.floor(u)), int(np.floor(v))
                du, dv = u - i, v - j
                for k in range(channels):
                    for a in range(2):
                        for b in range(2):
                            if 0 <= i + a < height and 0 <= j + b < width:
                                share = (du if a else 1.0 - du) * (dv if b else 1.0 - dv)
                                dx[n, k, i + a, j + b] += share * dy[n, k, r, c]
