"""Bringing a column, whatever it holds, to one of four types.

These are numbers (int64 or float64), booleans, dates (datetime64) and text (object), with NaN
where a value is missing. What had to be changed on the way is said in a note.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["typed_column"]

_MISSING_WORDS = {"none", "-", "--", ".", "*", "missing", "unknown", "nil", "na", "n.a.", "nd"}
_MONEY = re.compile(
    r"^\s*([+-]?)\s*[$€£¥]?\s*([+-]?[\d.,' ]*\d[\d.,]*(?:[eE][+-]?\d+)?)\s*[%$€£¥]?\s*$"
)
_TRUE_FALSE = {"true": True, "false": False}


def typed_column(column: pd.Series[Any], parse_text: bool) -> tuple[Any, str]:
    """Return one column as an array of one of the four types, and a note."""
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), ""
    if pd.api.types.is_datetime64_any_dtype(kind):
        return column.to_numpy(), ""
    if pd.api.types.is_timedelta64_dtype(kind):
        return column.dt.total_seconds().to_numpy(), "lengths of time, in seconds"
    if pd.api.types.is_bool_dtype(kind) and not isinstance(kind, pd.CategoricalDtype):
        if not column.isna().any():
            return column.to_numpy(dtype=bool), ""
        return column.astype(object).where(column.notna(), np.nan).to_numpy(), ""
    if pd.api.types.is_complex_dtype(kind):
        return column.astype(str).to_numpy(dtype=object), "complex numbers, taken as text"
    if pd.api.types.is_numeric_dtype(kind):
        return _finite(column)
    return _objects(column.astype(object).to_numpy(), parse_text)


def _finite(column: pd.Series[Any]) -> tuple[Any, str]:
    import pandas as pd

    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        try:
            return column.to_numpy(dtype=np.int64), ""
        except OverflowError:
            pass
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        values = np.where(infinite, np.nan, values)
        return values, f"{infinite.sum()} infinite values count as missing"
    return values, ""


def _objects(values: np.ndarray[Any, Any], parse_text: bool) -> tuple[Any, str]:
    """Sort out a column of Python objects: booleans, numbers, dates or text."""
    import pandas as pd

    missing = pd.isna(values)
    present = values[~missing]
    types = {type(value) for value in present}
    if types and types <= {bool, np.bool_}:
        return np.where(missing, np.nan, values) if missing.any() else values.astype(bool), ""
    if types and all(issubclass(t, (int, float, np.number)) and t is not bool for t in types):
        return _finite(pd.Series(pd.to_numeric(pd.Series(values), errors="coerce")))
    if {t.__name__ for t in types} == {"Decimal"}:
        return _finite(
            pd.Series([np.nan if m else float(v) for v, m in zip(values, missing, strict=True)])
        )
    if types and {t.__name__ for t in types} <= {"date", "datetime", "Timestamp"}:
        stamps = [None if m else v for v, m in zip(values, missing, strict=True)]
        dates = pd.to_datetime(pd.Series(stamps, dtype=object), errors="coerce", utc=True)
        return dates.dt.tz_localize(None).to_numpy(), ""
    text = np.full(len(values), np.nan, dtype=object)
    text[~missing] = [
        v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v).strip() for v in present
    ]
    text[text == ""] = np.nan
    return _parsed(text) if parse_text else (text, "")


def _parsed(text: np.ndarray[Any, Any]) -> tuple[Any, str]:
    """Recognise booleans and numbers that pandas left as text."""
    import pandas as pd

    column = pd.Series(text, dtype=object)
    missing = column.isna().to_numpy()
    counts = column.value_counts()  # each distinct text is looked at once
    if len(counts) == 0:
        return np.full(len(text), np.nan), ""
    distinct = [str(value) for value in counts.index]
    if {value.lower() for value in distinct} <= set(_TRUE_FALSE):
        found = column.map(lambda v: _TRUE_FALSE[v.lower()] if isinstance(v, str) else np.nan)
        return found.to_numpy() if missing.any() else found.to_numpy(dtype=bool), ""
    comma = _uses_comma(distinct)
    numbers = {value: _number(value, comma) for value in distinct}
    words = [value for value in distinct if numbers[value] is None]
    rows = int(counts.sum())
    strange = sum(int(counts[value]) for value in words if value.lower() not in _MISSING_WORDS)
    if len(distinct) - len(words) < max(1, min(10, 0.05 * rows)) or strange > 0.05 * rows:
        return text, ""
    result = np.array(
        [np.nan if m else numbers[v] for v, m in zip(text, missing, strict=True)], dtype=np.float64
    )
    note = ""
    if words:
        n_words = sum(int(counts[value]) for value in words)
        shown = ", ".join(map(repr, words[:3]))
        note = f"{n_words} cells that are no numbers ({shown}) count as missing"
    elif any(value[0] in "$€£¥" or value[-1] in "%$€£¥" for value in distinct):
        note = "numbers with a sign of currency or per cent, taken as plain numbers"
    if (
        np.isfinite(result[~np.isnan(result)]).all()
        and not np.isnan(result).any()
        and (result == np.round(result)).all()
        and np.abs(result).max() < 2**53
    ):
        return result.astype(np.int64), note
    return result, note


def _uses_comma(values: list[str]) -> bool:
    """Whether the numbers in a column are written 1.234,5."""
    tails = [value for value in values if re.search(r",\d{1,2}\D*$|,\d{4,}\D*$", value)]
    points = [value for value in values if re.search(r"\.\d{1,2}\D*$|\.\d{4,}\D*$", value)]
    return len(tails) > len(points)


def _number(value: str, comma: bool) -> float | None:
    found = _MONEY.match(value)
    if found is None:
        return None
    digits = found.group(2).replace(" ", "").replace("'", "")
    point, group = (",", ".") if comma else (".", ",")
    whole = digits.split(point)[0]
    if group in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(group)}\d{{3}})+", whole):
        return None
    try:
        return float(found.group(1) + digits.replace(group, "").replace(point, "."))
    except ValueError:
        return None
