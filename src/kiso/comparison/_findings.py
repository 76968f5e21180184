"""What the detectors found in a table, in sentences, each with the option that mends it.

Nothing is repaired: a finding says what would mislead and how to ask for the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._dates import date_format, to_dates
from ._result import Column, Finding
from .detectors import (
    GroupColumn,
    TimeColumn,
    giveaways,
    repeated_identifiers,
    sentinels,
    times_in_order,
    total_rows,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["group_columns", "inspect", "leaks", "option", "time_columns"]

MAX_NAMED = 5
MAX_COLUMNS = 400  # that are asked one by one whether they give the target away


def option(name: str, value: str) -> str:
    """Return an option of the command line, its value quoted where a shell needs it.

    Examples
    --------
    >>> option("--groups", "patient"), option("--drop", "a column")
    ('--groups patient', "--drop 'a column'")
    """
    import shlex

    return f"{name} {shlex.quote(value)}"


def inspect(frame: pd.DataFrame) -> list[Finding]:
    """Find codes for missing values, and rows that are sums of others.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `read_table` gives it, the target among its columns.
    """
    numbers = {
        str(name): frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in frame.columns
        if frame[name].dtype.kind in "iuf"
    }
    found = []
    for sentinel in sentinels(numbers):
        where = _columns_named(sentinel.columns)
        cells = "cell" if sentinel.n_cells == 1 else "cells"
        found.append(
            Finding(
                "sentinel",
                f"{sentinel.text} stands in {sentinel.n_cells:,} {cells} of {where}, far from all "
                "other values: a code for a missing one?",
                option("--missing", sentinel.text).replace("--missing -", "--missing=-"),
                list(sentinel.columns),
            )
        )
    totals = total_rows(frame)
    if totals:
        first = totals[0]
        called = f" ({first.label!r})" if first.label else ""
        more = ""
        if len(totals) > 1:
            rest = "1 more row is a sum" if len(totals) == 2 else f"{len(totals) - 1} more are sums"
            more = f", and {rest}"
        listed = ",".join(str(total.row + 1) for total in totals)
        found.append(
            Finding(
                "total",
                f"row {first.row + 1}{called} is the sum of {first.of}{more}: no case of its own.",
                option("--drop-rows", listed),
                rows=[total.row for total in totals],
            )
        )
    return found


def group_columns(frame: pd.DataFrame, columns: Sequence[Column], target: str) -> list[GroupColumn]:
    """Return the columns that may name groups of rows, the likeliest first."""
    able = [
        column.name
        for column in columns
        if column.used and column.kind in ("category", "number", "text", "identifier")
    ]
    return repeated_identifiers(frame, target, able)


def time_columns(frame: pd.DataFrame, columns: Sequence[Column], target: str) -> list[TimeColumn]:
    """Return the columns that put the rows in an order of time, the likeliest first."""
    dates, numbers = {}, {}
    for column in columns:
        values = frame[column.name]
        if column.kind == "date":
            form = "" if values.dtype.kind == "M" else date_format(values)
            dates[column.name] = to_dates(values, form)
        elif values.dtype.kind in "iuf" and not column.n_missing:
            numbers[column.name] = values.to_numpy(dtype=np.float64)
    return times_in_order(dates, numbers)


def leaks(
    X: pd.DataFrame,
    y: Any,
    columns: Sequence[Column],
    *,
    target: str,
    classes: bool,
    apart: Sequence[str] = (),
    seed: int = 0,
) -> list[Finding]:
    """Find columns that give the target away, whatever model looks at them.

    Parameters
    ----------
    X, y, columns
        As a `Problem` has them.
    target : str
    classes : bool
        Whether y holds class numbers.
    apart : sequence of str
        Columns that are not asked: who a row belongs to and when it was are other findings.
    seed : int
    """
    import pandas as pd

    asked: dict[str, tuple[Any, bool]] = {}
    for column in columns:
        if not column.used or column.name in apart or column.kind == "date":
            continue
        values = X[column.name]
        if values.dtype.kind in "iuf":
            asked[column.name] = values.to_numpy(dtype=np.float64, na_value=np.nan), True
        else:
            asked[column.name] = pd.factorize(values)[0].astype(np.float64), False
        if len(asked) == MAX_COLUMNS:
            break
    found = []
    for leak in giveaways(asked, y, classes=classes, seed=seed):
        names = _listed([repr(name) for name in leak.columns])
        measure = f"{leak.score:.3f} of held-out rows right" if classes else f"R² {leak.score:.4f}"
        what = (
            f"column {names} alone gives {target!r} away ({measure})"
            if leak.how == "alone"
            else f"{target!r} is a sum of {names}, exactly"
        )
        options = " ".join(option("--drop", name) for name in leak.columns)
        found.append(
            Finding("leak", f"{what}: is it known beforehand?", options, list(leak.columns))
        )
    return found


def _columns_named(names: Sequence[str]) -> str:
    shown = _listed([repr(name) for name in names[:MAX_NAMED]])
    if len(names) > MAX_NAMED:
        shown = f"{', '.join(map(repr, names[:MAX_NAMED]))} and {len(names) - MAX_NAMED} more"
    return f"{'column' if len(names) == 1 else 'columns'} {shown}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
