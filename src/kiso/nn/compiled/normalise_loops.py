"""Compiled loops of batch normalisation of images: channel by channel, while one is in cache.

For a channel of n images with m pixels, with s = 1/√(v + ε):

    μ = mean(x),  v = mean((x − μ)²),  y = γ s (x − μ) + β,
    ∂C/∂x = γ s (g − mean(g) − x̂ mean(g x̂)),  x̂ = s (x − μ),  g = ∂C/∂y,

then, where asked for, max(0, y), then the largest of each 2×2 pixels; g then is what comes
back through those, found anew from x, or from the codes of the largest pixels. Sums are taken
in float64, in the order of the images. Each channel is one thread's.
"""

from __future__ import annotations

import math

import numpy as np

from kiso._compute.atomics import fetch_increment
from kiso._compute.jit import compiled
from kiso._validation import Array

from .convolution_loops import DEAD, mark_pooled, write_pooled

__all__ = ["normalise_back", "normalise_channels"]


@compiled
def _sum(x: Array) -> float:
    total = 0.0
    for p in range(np.uintp(len(x))):
        total += x[p]
    return total


@compiled
def _sum_of_squares(x: Array, mean: float) -> float:
    total, m = 0.0, x.dtype.type(mean)
    for p in range(np.uintp(len(x))):
        d = x[p] - m
        total += d * d
    return total


@compiled
def _line(x: Array, mean: float, slope: float, shift: float, floor: float, y: Array) -> None:
    """Fill y = slope (x − mean) + shift, at least `floor`."""
    kind = x.dtype.type
    m, a, b, least = kind(mean), kind(slope), kind(shift), kind(floor)
    for p in range(np.uintp(len(x))):
        v = a * (x[p] - m) + b
        y[p] = least if v < least else v


@compiled
def normalise_channels(
    x: Array, width: int, gamma: Array, beta: Array, eps: float, given: bool, mean: Array,
    var: Array, rectify: bool, pool: bool, y: Array, codes: Array, turns: Array,
) -> None:  # fmt: skip
    """Fill y, channel by channel while there are some; x: (n, channels, pixels).

    y and codes have the shape (n, channels, rows, columns). Means and variances are filled,
    unless they are given.
    """
    n, floor = len(x), 0.0 if rectify else -np.inf
    count, c = n * x.shape[2], fetch_increment(turns)
    flat = y.reshape((n, x.shape[1], y.shape[2] * y.shape[3]))
    image = np.empty((1, x.shape[2]), x.dtype)
    while c < x.shape[1]:
        if not given:
            total = 0.0
            for i in range(n):
                total += _sum(x[i, c])
            mean[c], total = total / count, 0.0
            for i in range(n):
                total += _sum_of_squares(x[i, c], mean[c])
            var[c] = total / count
        slope = gamma[c] / math.sqrt(var[c] + eps)
        for i in range(n):
            if not pool:
                _line(x[i, c], mean[c], slope, beta[c], floor, flat[i, c])
                continue
            _line(x[i, c], mean[c], slope, beta[c], -np.inf, image[0])
            write_pooled(image, 0, 0.0, rectify, y[i, c], 0, 2 * y.shape[2], 0, width)
            if codes.size:
                mark_pooled(image, 0, 0.0, rectify, codes[i, c], 0, 2 * y.shape[2], 0, width)
        c = fetch_increment(turns)


@compiled
def _gradient(
    x: Array, g: Array, codes: Array, width: int, mean: float, slope: float, shift: float,
    rectify: bool, pool: bool, out: Array,
) -> tuple[float, float]:  # fmt: skip
    """Carry an image's g back to the pixels of x; add up it, and it times x − mean."""
    kind = x.dtype.type
    m, a, b, zero = kind(mean), kind(slope), kind(shift), kind(0.0)
    total, along, flat = 0.0, 0.0, g.reshape(-1)
    pixels = np.uintp(len(x))
    if pool:
        two, one, row = np.uintp(2), np.uintp(1), np.uintp(width)
        for p in range(pixels):
            out[p] = zero
        for o in range(np.uintp(g.shape[0])):
            for k in range(np.uintp(g.shape[1])):
                code = np.uintp(codes[o, k])
                v = g[o, k] if code < DEAD else zero
                at = (two * o + (code >> one & one)) * row + two * k + (code & one)
                out[at] = v
                total += v
                along += v * (x[at] - m)
    elif rectify:
        for p in range(pixels):
            d = x[p] - m
            v = flat[p] if a * d + b > zero else zero
            out[p] = v
            total += v
            along += v * d
    else:
        for p in range(pixels):
            v = flat[p]
            out[p] = v
            total += v
            along += v * (x[p] - m)
    return total, along


@compiled
def normalise_back(
    x: Array, dy: Array, codes: Array, width: int, gamma: Array, beta: Array, eps: float,
    given: bool, mean: Array, var: Array, rectify: bool, pool: bool, dx: Array, dgamma: Array,
    dbeta: Array, turns: Array,
) -> None:  # fmt: skip
    """∂C/∂x, ∂C/∂γ and ∂C/∂β, channel by channel while there are some.

    x, dx: (n, channels, pixels); dy, codes: (n, channels, rows, columns).
    """
    n, count, c = len(x), len(x) * x.shape[2], fetch_increment(turns)
    kind = x.dtype.type
    while c < x.shape[1]:
        scale = 1.0 / math.sqrt(var[c] + eps)
        slope = gamma[c] * scale
        total, along = 0.0, 0.0
        for i in range(n):
            marks = codes[i, c] if codes.size else codes[0, 0]
            parts = _gradient(
                x[i, c], dy[i, c], marks, width, mean[c], slope, beta[c], rectify, pool, dx[i, c]
            )
            total, along = total + parts[0], along + parts[1]
        dgamma[c], dbeta[c] = along * scale, total
        m, a = kind(mean[c]), kind(slope)
        level = kind(0.0 if given else total / count)
        tilt = kind(0.0 if given else along * scale * scale / count)
        for i in range(n):
            image, out = x[i, c], dx[i, c]
            for p in range(np.uintp(len(image))):
                out[p] = a * (out[p] - level - tilt * (image[p] - m))
        c = fetch_increment(turns)
