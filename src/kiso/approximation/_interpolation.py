"""Polynomial interpolation, the comparison of the Runge assignment.

Barycentric formula (Berrut & Trefethen, 2004):  p(x) = Σ_j w_j f_j/(x − x_j) / Σ_j w_j/(x − x_j).
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kiso._validation import Array

__all__ = ["interpolate"]


def interpolate(
    f: Callable[[Array], ArrayLike],
    degree: int,
    *,
    nodes: Literal["chebyshev", "equispaced"] = "chebyshev",
    interval: tuple[float, float] = (-1.0, 1.0),
) -> Callable[[ArrayLike], Array]:
    """Return the polynomial of this degree through degree + 1 points of f.

    Parameters
    ----------
    f : callable
    degree : int
        1 or more.
    nodes : {"chebyshev", "equispaced"}, default="chebyshev"
        Chebyshev points of the first kind cos((j + ½)π/(n + 1)), or equal distances with both
        ends. The weights w_j are (−1)ʲ sin((j + ½)π/(n + 1)) and (−1)ʲ C(n, j).
    interval : tuple of two floats, default=(-1, 1)

    Raises
    ------
    ValueError
        For a degree below 1, other nodes, or an empty interval.

    Examples
    --------
    Runge: more points make it worse.

    >>> runge = lambda x: 1 / (1 + 25 * x**2)
    >>> x = np.linspace(-1, 1, 10001)
    >>> [float(np.max(np.abs(interpolate(runge, n, nodes="equispaced")(x) - runge(x))))
    ...  for n in (10, 20)]
    [1.916, 59.82]
    """
    low, high = interval
    if degree < 1 or not low < high:
        raise ValueError(f"degree={degree}, interval={interval}: give 1 or more, lower end first")
    j = np.arange(degree + 1)
    sign = np.where(j % 2, -1.0, 1.0)
    if nodes == "chebyshev":
        angle = (j + 0.5) * np.pi / (degree + 1)
        unit, weights = np.cos(angle), sign * np.sin(angle)
    elif nodes == "equispaced":
        unit = 2 * j / degree - 1
        weights = sign * np.array([float(comb(degree, int(k))) for k in j])
    else:
        raise ValueError(f'nodes={nodes!r}: give "chebyshev" or "equispaced"')
    points = (low + high) / 2 + (high - low) / 2 * unit
    values = np.asarray(f(points), float)

    def polynomial(x: ArrayLike) -> Array:
        x = np.asarray(x, float)
        distance = x[..., None] - points
        hit = distance == 0
        terms = weights / np.where(hit, 1, distance)
        y = terms @ values / terms.sum(axis=-1)
        return np.where(hit.any(axis=-1), values[hit.argmax(axis=-1)], y)

    return polynomial
