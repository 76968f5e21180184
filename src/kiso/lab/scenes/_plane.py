"""What scenes of points in a plane share."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._data import Data
from .._marks import Axis

__all__ = ["grid_of", "plane_axes"]

Array = np.ndarray[Any, np.dtype[Any]]


def plane_axes(X: Array, points: Data | None, *, margin: float = 0.12) -> tuple[Axis, Axis]:
    """Return axes that hold the points with room around them, ending at round numbers.

    Ready sets keep [-4, 4]² while they fit, so that a dragged point does not move the axes.
    """
    names = points.names if points is not None else ("x₁", "x₂")
    low, high = X.min(axis=0), X.max(axis=0)
    if points is not None and not points.source and np.all(np.abs(X) <= 4):
        inside = np.all((X >= 0) & (X <= 1))
        box = (0.0, 1.0) if inside and len(X) < 15 else (-4.0, 4.0)
        return Axis(*box, names[0]), Axis(*box, names[1])
    span = np.where(high > low, high - low, np.maximum(1.0, np.abs(high)))
    low, high = low - margin * span, high + margin * span
    unit = 10 ** np.floor(np.log10(span)) / 5
    low, high = np.floor(low / unit) * unit, np.ceil(high / unit) * unit
    return Axis(low[0], high[0], names[0]), Axis(low[1], high[1], names[1])


def grid_of(x: Axis, y: Axis, n: int) -> tuple[Array, tuple[float, float, float, float]]:
    """Return n × n places over the axes, (n·n, 2), row by row from below, and the extent."""
    u, v = np.linspace(x.low, x.high, n), np.linspace(y.low, y.high, n)
    return np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2), (x.low, x.high, y.low, y.high)
