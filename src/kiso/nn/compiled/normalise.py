"""Batch normalisation of images by compiled loops; with the rectifier and pooling behind it.

The fast form of `BatchNorm` in `layers/normalise.py`: the same numbers, without arrays between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kiso._compute import costs
from kiso._compute.threads import run_sharing_counter
from kiso._validation import Array

from ..layers.layer import Backward
from ..layers.run import Run, empty
from .convolution import for_loops
from .normalise_loops import normalise_back, normalise_channels

__all__ = ["Scales", "normalise", "suits"]


_NONE = np.zeros((1, 1, 1, 0), np.uint8)


class Scales(NamedTuple):
    """What each channel is scaled by; mean and var of running statistics, or None."""

    gamma: Array
    beta: Array
    eps: float
    mean: Array | None
    var: Array | None


def suits(x: Array, gamma: Array) -> bool:
    """Whether the loops can take x: (n, channels, ...), with more than a number to a channel."""
    pixels = x.ndim > 2 and min(x.shape) > 0
    return pixels and x.dtype == gamma.dtype and x.dtype in (np.float32, np.float64)


def normalise(
    x: Array, scales: Scales, train: Run | None, *, rectify: bool = False, pool: bool = False
) -> tuple[Array, Backward, Array, Array]:
    """Compute y = γ (x − μ)/√(v + ε) + β, then max(0, y), then the maximum over 2×2 pixels.

    Returns
    -------
    y, backward
        As of a layer's `forward`.
    mean, var : ndarray of shape (channels,), float64
    """
    n, channels = x.shape[:2]
    pixels = for_loops(x).reshape(n, channels, -1)
    height, width = x.shape[2:] if x.ndim == 4 else (1, pixels.shape[2])
    shape = (n, channels, *((height // 2, width // 2) if pool else (height, width)))
    given = scales.mean is not None and scales.var is not None
    mean, var = (
        np.zeros(channels) if s is None else s.astype(float) for s in (scales.mean, scales.var)
    )
    gamma, beta = scales.gamma.astype(float), scales.beta.astype(float)
    n_lanes = max(1, min(channels, x.size // costs.NORMALISE_LANE_NUMBERS))

    def fill(y: Array, codes: Array) -> None:
        def take_turns(turns: Array) -> None:
            normalise_channels(
                pixels, width, gamma, beta, scales.eps, given, mean, var, rectify, pool, y, codes,
                turns,
            )  # fmt: skip

        run_sharing_counter(take_turns, n_lanes)

    y = empty(train, shape, x)
    codes = train.empty(shape, np.dtype(np.uint8)) if pool and train is not None else _NONE
    fill(y, codes)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        marks = codes
        if pool and train is None:  # inference did not keep which pixels were the largest
            marks = np.empty(shape, np.uint8)
            fill(np.empty_like(y), marks)
        dx = empty(train, pixels.shape, x)
        gradients: dict[str, Any] = {"gamma": np.empty(channels), "beta": np.empty(channels)}
        g = for_loops(dy, x.dtype).reshape(shape)

        def take_turns(turns: Array) -> None:
            normalise_back(
                pixels, g, marks, width, gamma, beta, scales.eps, given, mean, var, rectify, pool,
                dx, gradients["gamma"], gradients["beta"], turns,
            )  # fmt: skip

        run_sharing_counter(take_turns, n_lanes)
        kind = scales.gamma.dtype
        return dx.reshape(x.shape), {name: v.astype(kind) for name, v in gradients.items()}

    out_shape = shape if x.ndim == 4 else x.shape
    return y.reshape(out_shape), backward, mean, var
