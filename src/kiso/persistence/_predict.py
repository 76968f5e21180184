"""Predictions for a table that may not be quite like the one the model was fitted on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.comparison import (
    MISSING_WORDS,
    DataError,
    Table,
    nearest,
    parse_number,
    plain_text,
    preparation_of,
)

from ._drift import drift_notes
from ._model import FittedModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Conformed", "conform", "predict_table"]


@dataclass
class Conformed:
    """A table as a model takes it.

    Attributes
    ----------
    frame : pandas.DataFrame
        The model's columns, in every row of the table.
    notes : list of str
        What the caller should know: new columns, converted ones, values never seen, drift.
    lost : dict of int to str
        Rows (from 0) with a cell that cannot be taken as what it was in training: no prediction
        can be made for them; and which cell that is, in words.
    """

    frame: pd.DataFrame
    notes: list[str]
    lost: dict[int, str] = field(default_factory=dict)


def predict_table(
    model: FittedModel, table: Table, *, probabilities: bool = False, strict: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Predict for every row of a table.

    Parameters
    ----------
    model : FittedModel
    table : Table
        Needs every column that the model was fitted on; the order does not matter.
    probabilities : bool, default=False
        Also give the probability of each class (classification).
    strict : bool, default=False
        Whether one cell that cannot be taken as what it was in training is an error. Else its
        row has no prediction, and is named in a note.

    Returns
    -------
    predictions : pandas.DataFrame
        Column "prediction", then "P(class)" for each class; a row for each row of the table.
    notes : list of str
        What the caller should know: new columns, converted ones, values never seen, rows
        without a prediction, and where the rows differ from those of training.

    Raises
    ------
    DataError
        If columns are missing or of another type than in training, or probabilities are
        asked of a model that has none.
    """
    import pandas as pd

    found = conform(model, table)
    if found.lost and (strict or len(found.lost) == len(found.frame)):
        first = min(found.lost)
        raise DataError(f"Row {first + 1} of {table.name}: {found.lost[first]}.")
    pipeline = model.pipeline
    good = np.ones(len(found.frame), dtype=bool)
    good[list(found.lost)] = False
    rows = found.frame[good]
    predictions: dict[str, Any] = {"prediction": pipeline.predict(rows)}
    if probabilities:
        if model.task != "classification" or not hasattr(pipeline, "predict_proba"):
            raise DataError(f"{model.estimator} predicts no probabilities.")
        for label, values in zip(pipeline.classes_, pipeline.predict_proba(rows).T, strict=True):
            predictions[f"P({label})"] = values
    columns = pd.DataFrame(predictions)
    if found.lost:
        if columns["prediction"].dtype.kind != "f":
            columns["prediction"] = columns["prediction"].astype(object)
        columns.index = pd.Index(np.flatnonzero(good))
        columns = columns.reindex(range(len(good)))
    return columns, [*found.notes, *_lost_notes(found.lost)]


def _lost_notes(lost: dict[int, str]) -> list[str]:
    if not lost:
        return []
    shown = "; ".join(f"row {row + 1}: {lost[row]}" for row in sorted(lost)[:20])
    more = f"; and {len(lost) - 20:,} more" if len(lost) > 20 else ""
    rows = "1 row has" if len(lost) == 1 else f"{len(lost):,} rows have"
    return [f"{rows} no prediction: {shown}{more}."]


def conform(model: FittedModel, table: Table) -> Conformed:
    """Return the columns that the model takes, as it takes them, and what stands in the way.

    Raises
    ------
    DataError
        If columns are missing, or hold nothing that can be taken as what it was in training.
    """
    import pandas as pd

    frame = table.frame
    _refuse_missing(model, table)
    notes = []
    known = {*model.columns, *model.unused, model.target}
    new = [str(name) for name in frame.columns if str(name) not in known]
    if new:
        notes.append(f"not used, as they were not there in training: {_listed(new)}.")
    columns: dict[str, Any] = {}
    lost: dict[int, str] = {}
    decimal = str(model.reading.get("decimal") or ".")
    for name, kind in model.columns.items():
        columns[name], note, bad = _as_kind(frame[name], name, kind, table.name, decimal)
        if note:
            notes.append(note)
        decision = table.decisions.columns.get(name)
        if decision is not None and kind not in ("category", "text"):
            cells = dict(decision.odd)
            bad |= {row: cells.get(row, "…") for row in decision.lost_rows if row < len(frame)}
        for row, cell in bad.items():
            lost.setdefault(row, _wrong(name, kind, cell))
    conformed = pd.DataFrame(columns)
    for row, reason in _unread_dates(model, conformed, table.name).items():
        lost.setdefault(row, reason)
    notes += _units(model, table)
    notes += _unseen(model, conformed)
    good = conformed.drop(index=list(lost)) if lost else conformed
    notes += drift_notes(model.profile, good)
    return Conformed(conformed, notes, lost)


def _wrong(name: str, kind: str, cell: str) -> str:
    return f"column {name!r} held {_KINDS[kind]} in training, and is {cell!r}"


def _units(model: FittedModel, table: Table) -> list[str]:
    """Say where numbers stand in another unit than in training."""
    notes = []
    for name, unit in dict(model.reading.get("units", {})).items():
        decision = table.decisions.columns.get(name)
        if decision is not None and decision.unit and decision.unit != unit:
            notes.append(f"column {name!r} is in {decision.unit}, and was in {unit} in training.")
    return notes


def _refuse_missing(model: FittedModel, table: Table) -> None:
    names = [str(name) for name in table.frame.columns]
    missing = [name for name in model.columns if name not in names]
    if not missing:
        return
    near = {name: nearest(name, names, 1) for name in missing}
    hints = [f"{found[0]!r} for {name!r}" for name, found in near.items() if found]
    hint = f"; did you mean {', '.join(hints)}?" if hints else "."
    what = "a column" if len(missing) == 1 else f"{len(missing)} columns"
    raise DataError(
        f"{table.name} lacks {what} that the model was fitted on: {_listed(missing)}{hint}"
    )


def _as_kind(
    values: Any, name: str, kind: str, table: str, decimal: str
) -> tuple[Any, str, dict[int, str]]:
    """Return a column as the kind it had in training, a note on a change, and bad cells."""
    dtype = values.dtype.kind
    if bool(values.isna().all()):
        empty = values.astype(np.float64 if kind in ("number", "boolean") else object)
        return empty, f"column {name!r} is empty: missing in every row.", {}
    if kind == "number":
        if dtype in "iuf":
            return values, "", {}
        if dtype == "O":
            return _numbers(values, name, kind, table, decimal)
        raise DataError(_other_type(values, name, kind, table))
    if kind == "boolean":
        if dtype in "iufb" or set(values.dropna().unique()) <= {True, False}:
            return values, "", {}
        good = values.map(lambda v: isinstance(v, (bool, np.bool_)))
        return _only(values, good | values.isna(), name, kind, table)
    if kind in ("category", "text"):
        if dtype == "O":
            return values.astype(object), "", {}
        if dtype == "M":
            raise DataError(_other_type(values, name, kind, table))
        as_text = values.map(plain_text, na_action="ignore").astype(object)
        return as_text, f"column {name!r} was text in training; its numbers are taken as text.", {}
    if dtype in "OM":
        return values, "", {}
    raise DataError(_other_type(values, name, kind, table))


def _numbers(
    values: Any, name: str, kind: str, table: str, decimal: str
) -> tuple[Any, str, dict[int, str]]:
    """Read texts as numbers, as the file of training was read."""
    import pandas as pd

    def number(value: Any) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        text = str(value).strip()
        if text.lower() in MISSING_WORDS:
            return float("nan")
        found = parse_number(text, decimal)
        return float("inf") if found is None else found[0]

    numbers = pd.to_numeric(values.map(number, na_action="ignore"), errors="coerce")
    good = pd.Series(~np.isinf(numbers.to_numpy(dtype=np.float64)), index=values.index)
    _, note, cells = _only(values, good, name, kind, table)
    return numbers.where(good), note, cells


def _only(
    values: Any, good: Any, name: str, kind: str, table: str
) -> tuple[Any, str, dict[int, str]]:
    """Blank what is not good; refuse a column in which nothing is."""
    if not (good & values.notna()).any():
        raise DataError(_other_type(values, name, kind, table))
    rows = np.flatnonzero(~good.to_numpy(dtype=bool))
    return values.where(good), "", {int(row): str(values.iloc[row])[:40] for row in rows}


_KINDS = {
    "number": "numbers",
    "boolean": "true or false",
    "category": "text",
    "text": "text",
    "date": "dates",
}


def _other_type(values: Any, name: str, kind: str, table: str) -> str:
    present = values.dropna()
    wrong = present
    if kind == "number":
        import pandas as pd

        wrong = present[pd.to_numeric(present, errors="coerce").isna()]
    row = int((wrong if len(wrong) else present).index[0])
    return (
        f"Column {name!r} of {table} held {_KINDS[kind]} in training; "
        f"row {row + 1} holds {str(values.loc[row])[:40]!r}."
    )


def _unread_dates(model: FittedModel, frame: pd.DataFrame, table: str) -> dict[int, str]:
    """Find dates in another format, which would turn into missing ones without a word."""
    preparation = preparation_of(model.pipeline)
    if preparation is None or "dates" not in preparation.named_transformers_:
        return {}
    parts = preparation.named_transformers_["dates"][0]
    names = [str(name) for name in parts.feature_names_in_]
    read = parts.transform(frame[names])
    starts = np.cumsum([0, *(len(p) for p in parts.parts_[:-1])])  # each begins with `time`
    found: dict[int, str] = {}
    for name, start in zip(names, starts, strict=True):
        present = frame[name].notna().to_numpy()
        lost = np.isnan(read[:, start]) & present
        if lost.any() and lost.sum() == present.sum():
            row = int(np.flatnonzero(lost)[0])
            raise DataError(
                f"Column {name!r} of {table} held dates in training; "
                f"row {row + 1} holds {str(frame[name].iloc[row])[:40]!r}, which is no such date."
            )
        for row in np.flatnonzero(lost).tolist():
            found[row] = _wrong(name, "date", str(frame[name].iloc[row])[:40])
    return found


def _unseen(model: FittedModel, frame: pd.DataFrame) -> list[str]:
    """Say which categories were never seen in training; they count as rare ones."""
    preparation = preparation_of(model.pipeline)
    if preparation is None or "categories" not in preparation.named_transformers_:
        return []
    encoder = preparation.named_transformers_["categories"][-1]
    names = [name for name, kind in model.columns.items() if kind == "category"]
    notes = []
    for name, seen in zip(names, encoder.categories_, strict=True):
        new = sorted(set(map(str, frame[name].dropna().unique())) - set(map(str, seen)))
        if new:
            what = "a value" if len(new) == 1 else f"{len(new)} values"
            notes.append(f"column {name!r} has {what} not seen in training: {_listed(new)}.")
    return notes


def _listed(names: list[str], limit: int = 8) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
