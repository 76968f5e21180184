"""Columns by which a table is a record of time: dates in order, or on an even grid.

What happens at noon is much like what happens at one. Folds at random leave neighbours in time
on both sides, so that their score is of filling gaps; a forecast has no rows from the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._groups import _TOKEN

__all__ = ["TimeColumn", "times_in_order"]

LEAST_TIMES = 20
_CLOCKS = frozenset(
    """time date datetime timestamp year day hour week quarter month minute second epoch period tick
    t jahr tag zeit datum stunde woche monat fecha año année heure""".split()  # noqa: SIM905
)
_ASIAN_CLOCKS = ("年", "日", "時", "时", "月")
_STEPS = ((1, "a second"), (60, "a minute"), (3600, "an hour"), (86400, "a day"),
          (7 * 86400, "a week"), (30.4 * 86400, "a month"), (91.3 * 86400, "a quarter"),
          (365.25 * 86400, "a year"))  # fmt: skip


@dataclass(frozen=True)
class TimeColumn:
    """A column that says when.

    Attributes
    ----------
    name : str
    in_order : bool
        Whether the rows stand in its order; else its values lie on an even grid.
    n_times : int
        Distinct times.
    step : str
        From one time to the next, in words, where that is even; else "".
    """

    name: str
    in_order: bool
    n_times: int
    step: str


def times_in_order(dates: Mapping[str, Any], numbers: Mapping[str, Any]) -> list[TimeColumn]:
    """Find the columns that put the rows of a table in an order of time.

    Parameters
    ----------
    dates : mapping of str to array of datetime64
        Columns that hold dates.
    numbers : mapping of str to array
        Columns of numbers without missing values; one counts where its name is that of a time
        and it goes up by the same step from each row to the next.

    Returns
    -------
    list of TimeColumn
        Those in order first.
    """
    found = [column for name, values in dates.items() if (column := _dates(name, values))]
    found += [column for name, values in numbers.items() if (column := _count(name, values))]
    return sorted(found, key=lambda column: (not column.in_order, -column.n_times))


def _dates(name: str, values: Any) -> TimeColumn | None:
    seconds = np.asarray(values, dtype="datetime64[s]")
    missing = np.isnat(seconds)
    if missing.mean() > 0.05:
        return None
    seconds = seconds[~missing].astype(np.int64)
    times, counts = np.unique(seconds, return_counts=True)
    if len(times) < LEAST_TIMES:
        return None
    steps = np.diff(seconds)
    in_order = max((steps >= 0).mean(), (steps <= 0).mean()) >= 0.995
    gaps = np.diff(times)
    even = gaps.max() <= 4 * np.median(gaps)
    alike = counts.max() - counts.min() <= max(0, 0.1 * counts.max())
    if not in_order and not (even and alike):
        return None
    return TimeColumn(name, bool(in_order), len(times), _step(float(np.median(gaps)), even))


def _step(seconds: float, even: bool) -> str:
    if not even:
        return ""
    for length, words in _STEPS:
        if 0.9 * length <= seconds <= 1.1 * length:
            return words
    return ""


def _count(name: str, values: Any) -> TimeColumn | None:
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    named = bool(tokens) and tokens[-1].removesuffix("s") in _CLOCKS
    if not named and not any(word in name for word in _ASIAN_CLOCKS):
        return None
    steps = np.diff(np.asarray(values, dtype=np.float64))
    if len(steps) + 1 < LEAST_TIMES or steps[0] == 0 or not np.allclose(steps, steps[0]):
        return None
    return TimeColumn(name, True, len(steps) + 1, f"{abs(steps[0]):g}")
