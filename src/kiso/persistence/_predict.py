"""Predictions for a table that may not be quite like the one the model was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.comparison import DataError, Table, nearest

from ._model import FittedModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["conform", "predict_table"]


def predict_table(
    model: FittedModel, table: Table, *, probabilities: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Predict for every row of a table.

    Parameters
    ----------
    model : FittedModel
    table : Table
        Needs every column that the model was fitted on; the order does not matter.
    probabilities : bool, default=False
        Also give the probability of each class (classification).

    Returns
    -------
    predictions : pandas.DataFrame
        Column "prediction", then "P(class)" for each class; a row for each row of the table.
    notes : list of str
        What the caller should know: new columns, converted ones, values never seen.

    Raises
    ------
    DataError
        If columns are missing or of another type than in training, or probabilities are
        asked of a model that has none.
    """
    import pandas as pd

    frame, notes = conform(model, table)
    pipeline = model.pipeline
    columns: dict[str, Any] = {"prediction": pipeline.predict(frame)}
    if probabilities:
        if model.task != "classification" or not hasattr(pipeline, "predict_proba"):
            raise DataError(f"{model.estimator} predicts no probabilities.")
        for label, values in zip(pipeline.classes_, pipeline.predict_proba(frame).T, strict=True):
            columns[f"P({label})"] = values
    return pd.DataFrame(columns), notes


def conform(model: FittedModel, table: Table) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns that the model takes, as it takes them, and notes on the rest.

    Raises
    ------
    DataError
        If columns are missing, or hold what cannot be taken as what they were in training.
    """
    frame = table.frame
    _refuse_missing(model, table)
    notes = []
    known = {*model.columns, *model.unused, model.target}
    new = [str(name) for name in frame.columns if str(name) not in known]
    if new:
        notes.append(f"not used, as they were not there in training: {_listed(new)}.")
    columns = {}
    for name, kind in model.columns.items():
        columns[name], note = _as_kind(frame[name], name, kind, table.name)
        if note:
            notes.append(note)
    import pandas as pd

    conformed = pd.DataFrame(columns)
    _refuse_unread_dates(model, conformed, table.name)
    notes += _unseen(model, conformed)
    return conformed, notes


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


def _as_kind(values: Any, name: str, kind: str, table: str) -> tuple[Any, str]:
    """Return a column as the kind it had in training, and a note where that took a change."""
    dtype = values.dtype.kind
    if bool(values.isna().all()):
        empty = values.astype(np.float64 if kind in ("number", "boolean") else object)
        return empty, f"column {name!r} is empty: missing in every row."
    if kind in ("number", "boolean"):
        if dtype in "iuf" or (dtype == "b" and kind == "boolean"):
            return values, ""
        if kind == "boolean" and set(values.dropna().unique()) <= {True, False}:
            return values, ""
        raise DataError(_other_type(values, name, kind, table))
    if kind == "category":
        if dtype == "O":
            return values.astype(object), ""
        if dtype == "M":
            raise DataError(_other_type(values, name, kind, table))
        as_text = values.map(_plain, na_action="ignore").astype(object)
        return as_text, f"column {name!r} was text in training; its numbers are taken as text."
    if dtype in "OM":
        return values, ""
    raise DataError(_other_type(values, name, kind, table))


def _plain(value: Any) -> str:
    """Return a number as a table writes it: 3, not 3.0."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


_KINDS = {"number": "numbers", "boolean": "true or false", "category": "text", "date": "dates"}


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


def _refuse_unread_dates(model: FittedModel, frame: pd.DataFrame, table: str) -> None:
    """A date in another format would turn into a missing one without a word."""
    preparation = model.pipeline["columns"]
    if "dates" not in preparation.named_transformers_:
        return
    parts = preparation.named_transformers_["dates"][0]
    names = [str(name) for name in parts.feature_names_in_]
    read = parts.transform(frame[names])
    starts = np.cumsum([0, *(len(p) for p in parts.parts_[:-1])])  # each begins with `time`
    for name, start in zip(names, starts, strict=True):
        lost = np.isnan(read[:, start]) & frame[name].notna().to_numpy()
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            raise DataError(
                f"Column {name!r} of {table} held dates in training; "
                f"row {row + 1} holds {str(frame[name].iloc[row])[:40]!r}, which is no such date."
            )


def _unseen(model: FittedModel, frame: pd.DataFrame) -> list[str]:
    """Say which categories were never seen in training; they count as rare ones."""
    preparation = model.pipeline["columns"]
    if "categories" not in preparation.named_transformers_:
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
