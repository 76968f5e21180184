"""What is to be predicted: classes or numbers, from which columns and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ._columns import classify_columns, is_boolean, squares_hold
from ._dates import date_format, to_dates
from ._numbers import parse_number
from ._result import Column, Data, Task
from ._table import Table, find_column
from ._text import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Problem", "check_folds", "place_in_time", "pose"]

RARE_CLASS = "(rare)"
MAX_CODES = 10  # whole numbers with at most this many distinct values are taken as classes


@dataclass
class Problem:
    """A table with a target, ready to be split into folds.

    Attributes
    ----------
    X : pandas.DataFrame
        The used columns of the rows that have a target.
    y : ndarray of shape (n_rows,)
        Class numbers 0, 1, ... (places in `data.class_names`), or the target's numbers.
    labels : ndarray of shape (n_rows,)
        The target as it stands in the table.
    task : "classification" or "regression"
    reason : str
        Why, in words; "given" if the caller said so.
    columns : list of Column
        All columns but the target.
    data : Data
        What the result says of the table.
    rows : ndarray of int
        The row of the table (from 0) of each row of X.
    groups : ndarray of int, optional
        Number of the group that each row belongs to, where folds are cut by groups.
    times : ndarray of int, optional
        Place in time of each row (equal times share one), where folds go forward in time.
    gap : int
        Times between training and test rows.
    weights : ndarray of float, optional
        How much each row counts, in fits and in scores.
    """

    X: pd.DataFrame
    y: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    task: Task
    reason: str
    columns: list[Column]
    data: Data
    rows: np.ndarray[Any, Any]
    groups: np.ndarray[Any, Any] | None = None
    times: np.ndarray[Any, Any] | None = None
    gap: int = 0
    weights: np.ndarray[Any, Any] | None = None


def pose(
    table: Table,
    target: str,
    task: Task | None = None,
    *,
    drop: Sequence[str] = (),
    groups: str | None = None,
    time: Sequence[str] = (),
    gap: int = 0,
    rare: Literal["drop", "merge"] | None = None,
    least: int = 5,
    weights: str | None = None,
) -> Problem:
    """Set a prediction problem: infer the task, choose columns, set rows without target aside.

    Parameters
    ----------
    table : Table
    target : str
        The column to predict.
    task : {"classification", "regression"}, optional
        Inferred from the target where None: text, booleans and whole numbers with at most 10
        distinct values (each in 5 rows on average) are classes.
    drop : sequence of str
        Columns not to use.
    groups : str, optional
        Column that says which rows belong together; it is not used to predict.
    time : sequence of str
        Columns that say when, the coarsest first (year, month, day), or one with dates.
    gap : int
        Times between training and test rows.
    rare : {"drop", "merge"}, optional
        What becomes of classes with fewer than `least` rows: their rows are left out, or they
        are one class, "(rare)".
    least : int
    weights : str, optional
        Column that says how much each row counts, in fits and in scores; it is not used to
        predict. Zero leaves a row without a say.

    Raises
    ------
    DataError
        If there is no such column, its values are all missing, do not suit the task or are
        all the same, or no column is left to predict from.
    """
    target = find_column(table, target)
    drop = [find_column(table, name) for name in drop]
    if target in drop:
        raise DataError(f"Column {target!r} is the target: it cannot be dropped.")
    frame = table.frame
    present = frame[target].notna().to_numpy()
    if not present.any():
        raise DataError(
            f"The target {target!r} is missing in all {len(frame)} rows of {table.name}."
        )
    values = frame[target][present].reset_index(drop=True)
    if task is None:
        task, reason = infer(values, target)
    else:
        reason = "given"
    rare_note = ""
    if rare is not None and task == "classification":
        values, present, rare_note = _rare(values, present, rare, least, target)
    y, labels, class_names, counts = (
        _classes(values, target) if task == "classification" else _numbers(values, target)
    )
    n_absent = int(frame[target].isna().sum())
    rows = np.flatnonzero(present)
    frame = frame.iloc[rows].reset_index(drop=True)
    columns = classify_columns(frame, target, drop=drop, blank_first=table.blank_first)
    group_codes = _groups(table, frame, groups, target, columns)
    places = _times(table, frame, time, target)
    weighed = _weights(table, frame, rows, weights, target, columns)
    used = [column.name for column in columns if column.used]
    if not used:
        why = "; ".join(f"{c.name!r}: {c.note or c.kind}" for c in columns[:5])
        detail = f" ({why})" if why else ": it has no other column"
        raise DataError(f"{table.name} has no column to predict {target!r} from{detail}.")
    data = Data(
        name=table.name,
        n_rows=len(frame),
        n_rows_read=len(present),
        target=target,
        columns=columns,
        class_names=class_names,
        class_counts=counts,
        notes=[*table.notes, *_notes(frame, values, columns, n_absent, target)],
    )
    if rare_note:
        data.notes.append(rare_note)
    return Problem(
        frame[used],
        y,
        labels,
        task,
        reason,
        columns,
        data,
        rows,
        group_codes,
        places,
        gap,
        weighed,
    )


def _rare(
    values: pd.Series[Any], present: Any, rare: str, least: int, target: str
) -> tuple[pd.Series[Any], Any, str]:
    """Leave out, or put together, classes with fewer rows than that."""
    counts = values.map(values.value_counts())
    few = (counts < least).to_numpy()
    if not few.any():
        return values, present, ""
    names = sorted(map(str, values[few].unique()))
    shown = _listed([repr(name) for name in names[:5]])
    shown += f" and {len(names) - 5} more" if len(names) > 5 else ""
    classes = "1 class" if len(names) == 1 else f"{len(names)} classes"
    rows = "1 row" if few.sum() == 1 else f"{few.sum():,} rows"
    which = f"{classes} of {target!r} with fewer than {least} rows"
    if rare == "drop":
        if few.all():
            raise DataError(f"No class of {target!r} has {least} rows.")
        present = present.copy()
        present[np.flatnonzero(present)[few]] = False
        kept = values[~few].reset_index(drop=True)
        return (
            kept,
            present,
            f"{which} left out, as asked ({shown}; {rows}).",
        )
    merged = values.astype(object).map(str).where(~few, RARE_CLASS)
    return (
        merged,
        present,
        f"{which} put together as {RARE_CLASS!r}, as asked ({shown}; {rows}).",
    )


def _groups(
    table: Table, frame: pd.DataFrame, name: str | None, target: str, columns: list[Column]
) -> Any:
    """Number the groups; a row without one is a group of its own."""
    import pandas as pd

    if name is None:
        return None
    name = find_column(table, name)
    if name == target:
        raise DataError(f"Column {name!r} is the target: rows cannot be grouped by it.")
    for column in columns:
        if column.name == name:
            column.used, column.note = False, "says which rows belong together"
    codes = pd.factorize(frame[name])[0].astype(np.intp)
    lone = codes < 0
    codes[lone] = codes.max() + 1 + np.arange(int(lone.sum()))
    return codes


def _weights(
    table: Table,
    frame: pd.DataFrame,
    rows: Any,
    name: str | None,
    target: str,
    columns: list[Column],
) -> Any:
    """Return how much each row counts."""
    if name is None:
        return None
    name = find_column(table, name)
    if name == target:
        raise DataError(f"Column {name!r} is the target: it cannot weigh the rows.")
    if frame[name].dtype.kind not in "iufb":
        sample = ", ".join(repr(str(value)) for value in frame[name].dropna().unique()[:3])
        raise DataError(f"Column {name!r} is to weigh the rows, and holds {sample}, no numbers.")
    found = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    for bad, what in ((np.isnan(found), "is missing"), (found < 0, "is negative")):
        if bad.any():
            raise DataError(
                f"Column {name!r} is to weigh the rows, and {what} in row "
                f"{int(rows[np.flatnonzero(bad)[0]]) + 1}: weights are numbers from 0 up."
            )
    if not found.any():
        raise DataError(f"Column {name!r} is to weigh the rows, and is 0 in all of them.")
    for column in columns:
        if column.name == name:
            column.used, column.note = False, "says how much each row counts"
    return found


def _times(table: Table, frame: pd.DataFrame, names: Sequence[str], target: str) -> Any:
    """Return each row's place in time."""
    if not names:
        return None
    keys = []
    for name in [find_column(table, name) for name in names]:
        if name == target:
            raise DataError(f"Column {name!r} is the target: it cannot be the time.")
        key = place_in_time(frame[name])
        if np.isnan(key).any():
            row = int(np.flatnonzero(np.isnan(key))[0])
            raise DataError(
                f"Column {name!r} is to say when, and is missing in row {row + 1}: fill it in, or "
                "leave the row out with --drop-rows."
            )
        keys.append(np.unique(key, return_inverse=True)[1])
    return np.unique(np.column_stack(keys), axis=0, return_inverse=True)[1].ravel()


def place_in_time(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return dates as seconds, or numbers as they are; NaN where missing.

    Raises
    ------
    DataError
        If they are neither.
    """
    kind = values.dtype.kind
    if kind in "iuf":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    form = "" if kind == "M" else date_format(values)
    if kind != "M" and not form:
        sample = ", ".join(repr(str(value)) for value in values.dropna().unique()[:3])
        raise DataError(
            f"Column {values.name!r} is to say when, and holds {sample}: --time takes dates or "
            "numbers."
        )
    dates = np.asarray(to_dates(values, form), dtype="datetime64[s]")
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64).astype(np.float64))


def infer(values: pd.Series[Any], target: str) -> tuple[Task, str]:
    """Return the task that suits a target without missing values, and why in words."""
    n_unique = int(values.nunique())
    kind = values.dtype.kind
    if kind == "M" or (kind == "O" and date_format(values)):
        raise DataError(
            f"The target {target!r} holds dates: choose a column of numbers or classes, or ask "
            "for --task classification to take each date as a class."
        )
    if is_boolean(values):
        return "classification", "the target is true or false"
    if kind not in "iuf":
        return "classification", f"the target is text with {n_unique:,} distinct values"
    whole = bool((values == np.round(values)).all())
    if n_unique <= 2:
        return "classification", f"the target has {n_unique} distinct values"
    if whole and n_unique <= MAX_CODES and len(values) >= 5 * n_unique:
        return "classification", (
            f"the target is whole numbers with {n_unique} distinct values (--task regression for "
            "the numbers themselves)"
        )
    what = "whole numbers" if whole else "numbers"
    return "regression", f"the target is {what} with {n_unique:,} distinct values"


def _classes(values: pd.Series[Any], target: str) -> Any:
    whole = values.dtype.kind == "f" and (values == np.round(values)) & (abs(values) < 2**53)
    if np.all(whole):
        values = values.astype(np.int64)  # whole numbers beside missing ones
    labels = values.to_numpy()
    if labels.dtype == object and all(isinstance(value, bool) for value in labels):
        labels = labels.astype(bool)
    classes, y, counts = np.unique(labels, return_inverse=True, return_counts=True)
    names = [str(label) for label in classes]
    if len(names) < 2:
        raise DataError(
            f"The target {target!r} has one class only, {names[0]!r}: nothing to tell apart."
        )
    return y.astype(np.intp), labels, names, [int(count) for count in counts]


def _numbers(values: pd.Series[Any], target: str) -> Any:
    if values.dtype.kind not in "iufb":
        found = [str(value) for value in values.unique()]
        strange = [text for text in found if parse_number(text) is None or "(" in text] or found
        sample = _listed([repr(text) for text in strange[:3]])
        these = "this is no number" if len(strange) == 1 else "these are not numbers"
        more = f", and {len(strange) - 3:,} more" if len(strange) > 3 else ""
        raise DataError(
            f"The target {target!r} holds {sample}{more}: {these}, and regression needs numbers "
            "(--task classification takes them as classes)."
        )
    y = values.to_numpy(dtype=np.float64)
    if (y == y[0]).all():
        raise DataError(
            f"The target {target!r} is {y[0]:g} in every row: there is nothing to predict."
        )
    if not squares_hold(y):
        raise DataError(
            f"The target {target!r} goes from {y.min():g} to {y.max():g}: its squares overflow or "
            "underflow; give it in another unit."
        )
    return y, y, [], []


def check_folds(problem: Problem, n_folds: int) -> None:
    """Refuse fewer rows, or fewer rows of a class, than folds.

    Raises
    ------
    DataError
    """
    data = problem.data
    if problem.times is not None:
        n_times = int(problem.times.max()) + 1
        if n_times - problem.gap < 2 * (n_folds + 1):
            raise DataError(
                f"{data.name} has {n_times} different times, too few for {n_folds} folds forward "
                f"in time" + (f" with a gap of {problem.gap}." if problem.gap else ".")
            )
        return
    if problem.groups is not None:
        n_groups = int(problem.groups.max()) + 1
        if n_groups < n_folds:
            groups = "1 group" if n_groups == 1 else f"{n_groups} groups"
            raise DataError(f"{data.name} has {groups}: fewer than {n_folds} folds.")
        if problem.task == "regression":
            return
    if data.n_rows < n_folds:
        rows = "1 row" if data.n_rows == 1 else f"{data.n_rows} rows"
        raise DataError(f"{data.name} has {rows} with a target: fewer than {n_folds} folds.")
    if problem.task == "regression":
        return
    small = [
        (count, name)
        for name, count in zip(data.class_names, data.class_counts, strict=True)
        if count < n_folds
    ]
    if not small:
        return
    count, name = min(small)
    rows = "1 row" if count == 1 else f"{count} rows"
    more = "1 more class is" if len(small) == 2 else f"{len(small) - 1} more classes are"
    others = f" (and {more} as small)" if len(small) > 1 else ""
    if len(small) > 10 and len(small) > 0.5 * len(data.class_names):
        advice = "is it a target?"
    else:
        it, them = ("its rows", "it") if len(small) == 1 else ("their rows", "them")
        fewer = f"ask for {count} folds (--folds {count}), or " if count >= 2 else ""
        advice = (
            f"{fewer}leave {it} out with --rare drop, or merge {them} into one class with "
            "--rare merge."
        )
    raise DataError(
        f"Class {name!r} of {data.target!r} has {rows}{others}, "
        f"fewer than {n_folds} folds: {advice}"
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _notes(
    frame: pd.DataFrame, values: pd.Series[Any], columns: list[Column], n_absent: int, target: str
) -> list[str]:
    notes = []
    if n_absent:
        rows = "1 row has" if n_absent == 1 else f"{n_absent:,} rows have"
        notes.append(f"{rows} no {target!r} and {'is' if n_absent == 1 else 'are'} set aside.")
    return notes
