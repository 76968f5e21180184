"""Numbers that stand for a missing value: -999, -200, 9999.

One in twelve drowns the mean and the variance of a column, and with them every linear model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Sentinel", "sentinels"]

_CUSTOMARY = re.compile(r"-?(9{2,}|8{2,}|7{2,})(\.9+)?|-(1|2|5)00+|-9999?\.0|-1e\+?\d+")
LEAST_SHARE = 0.005


@dataclass(frozen=True)
class Sentinel:
    """A number far from all others of its columns, many times over.

    Attributes
    ----------
    value : float
    columns : tuple of str
    n_cells : int
        Cells that hold it, over these columns.
    """

    value: float
    columns: tuple[str, ...]
    n_cells: int

    @property
    def text(self) -> str:
        """The value as a user would type it."""
        return f"{self.value:.0f}" if self.value == round(self.value) else f"{self.value:g}"


def sentinels(numbers: Mapping[str, Any]) -> list[Sentinel]:
    """Find values that are no measurements.

    A value counts where it is the least or the largest of its column, stands in several rows,
    and lies apart from all others: for a customary code (-999, -200, 9999) at the far side of
    zero from them all, or by half of their spread; for any other by three times their spread.

    Parameters
    ----------
    numbers : mapping of str to array
        The columns of numbers; NaN is missing.

    Examples
    --------
    >>> import numpy as np
    >>> height = np.array([1.7, 1.8, -999, 1.6, 1.9, -999, 1.75, 1.82])
    >>> sentinels({"height": height})
    [Sentinel(value=-999.0, columns=('height',), n_cells=2)]
    """
    cells: dict[float, list[tuple[str, int]]] = {}
    for name, values in numbers.items():
        found = _sentinel(np.asarray(values, dtype=np.float64))
        for value, count in found:
            cells.setdefault(value, []).append((name, count))
    return [
        Sentinel(value, tuple(name for name, _ in places), sum(count for _, count in places))
        for value, places in sorted(cells.items(), key=lambda item: -len(item[1]))
    ]


def _sentinel(values: Any) -> list[tuple[float, int]]:
    values = values[np.isfinite(values)]
    distinct, counts = np.unique(values, return_counts=True)
    found = []
    for place, rest in ((0, distinct[1:]), (-1, distinct[:-1])):
        if len(rest) >= 3 and _apart(float(distinct[place]), int(counts[place]), rest, len(values)):
            found.append((float(distinct[place]), int(counts[place])))
    return found


def _apart(value: float, count: int, rest: Any, n: int) -> bool:
    # nothing at all is a measurement in many columns
    if value == 0 or count < 2 or count < LEAST_SHARE * n or count > 0.7 * n:
        return False
    gap = float(rest.min() - value if value < rest.min() else value - rest.max())
    low, high = np.quantile(rest, [0.02, 0.98])
    spread = float(high - low)
    full = float(rest.max() - rest.min())
    customary = _CUSTOMARY.fullmatch(f"{value:.10g}") is not None
    if customary and value < 0 and rest.min() >= 0:
        # −99 among 0 … 5,000 is a code as well: no measurement lies below zero
        return True
    if customary:
        return gap > max(0.5 * spread, 0.25 * full) and abs(value) > 1.5 * abs(rest).max()
    return count >= max(3, 0.01 * n) and gap > 3 * full and len(rest) >= 10
