"""Bringing a column, whatever it holds, to one of four types.

These are numbers (int64 or float64; Int64 where whole numbers beyond 2⁵³ stand beside missing
ones), booleans, dates (datetime64) and text (object), with NaN where a value is missing. What
had to be changed on the way is a decision, with the cells that it concerns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._dates import date_format, to_dates
from ._decisions import KEPT, ColumnDecision
from ._numbers import count_marks, is_currency, parse_numbers
from ._text import MISSING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING_WORDS", "counted", "plain_text", "typed_column", "typed_text"]

LARGEST = 2**53  # beyond it a float rounds whole numbers

MISSING_WORDS = {
    "none",
    "-",
    "--",
    ".",
    "*",
    "missing",
    "unknown",
    "nil",
    "na",
    "n.a.",
    "nd",
    "n/a",
    "null",
    "not available",
    "keine angabe",
    "k.a.",
    "s/d",
    "不明",
    "未知",
    "なし",
}
_TRUE_FALSE = {"true": True, "false": False}


def typed_column(column: pd.Series[Any]) -> tuple[Any, str]:
    """Return a column of a data frame as an array of one of the four types, and a note.

    What its owner typed stays so: text is not parsed, a category of numbers is a category.
    """
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _categories(column)
    if isinstance(kind, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), ""
    if pd.api.types.is_datetime64_any_dtype(kind):
        return column.to_numpy(), ""
    if pd.api.types.is_timedelta64_dtype(kind):
        return column.dt.total_seconds().to_numpy(), "lengths of time, in seconds"
    if pd.api.types.is_bool_dtype(kind):
        if not column.isna().any():
            return column.to_numpy(dtype=bool), ""
        return column.astype(object).where(column.notna(), np.nan).to_numpy(), ""
    if pd.api.types.is_complex_dtype(kind):
        return column.astype(str).to_numpy(dtype=object), "complex numbers, taken as text"
    if pd.api.types.is_numeric_dtype(kind):
        return _finite(column)
    return _objects(column.astype(object).to_numpy())


def _categories(column: pd.Series[Any]) -> tuple[Any, str]:
    """Return a pandas category as text, as its values are written."""
    text = column.astype(object).map(plain_text, na_action="ignore")
    missing = column.isna().to_numpy()
    values = text.to_numpy(dtype=object).copy()
    values[missing] = np.nan
    return values, ""


def plain_text(value: Any) -> str:
    """Return a value as a table writes it: 3, not 3.0.

    Examples
    --------
    >>> plain_text(3.0), plain_text("03"), plain_text(2.5)
    ('3', '03', '2.5')
    """
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _finite(column: pd.Series[Any]) -> tuple[Any, str]:
    import pandas as pd

    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        try:
            return column.to_numpy(dtype=np.int64), ""
        except OverflowError:
            pass
    if pd.api.types.is_integer_dtype(column.dtype) and (column.dropna().abs() >= LARGEST).any():
        return column.astype("Int64").array, ""  # a float would round them
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        values = np.where(infinite, np.nan, values)
        return values, f"{counted(int(infinite.sum()), 'infinite value')} as missing"
    return values, ""


def _objects(values: np.ndarray[Any, Any]) -> tuple[Any, str]:
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
    return text, ""


def counted(n: int, what: str) -> str:
    """Return "1 cell counts" or "3 cells count"."""
    return f"1 {what} counts" if n == 1 else f"{n:,} {what}s count"


def typed_text(
    column: pd.Series[Any],
    name: str,
    *,
    decimal: str,
    missing: Sequence[str] = (),
    keep_text: bool = False,
) -> tuple[Any, ColumnDecision]:
    """Return a column of texts from a file as one of the four types, and how that was decided.

    Parameters
    ----------
    column : pandas.Series of str
    name : str
    decimal : str
        Decimal mark; a column whose numbers make sense with the other one alone has that.
    missing : sequence of str
        Texts and numbers that are missing beside the usual words.
    keep_text : bool
        Whether it is text whatever it holds.
    """
    text = column.str.strip()
    absent = (text.isna() | text.isin([*MISSING, *missing])).to_numpy(dtype=bool)
    present = text[~absent]
    if len(present) == 0:
        return np.full(len(text), np.nan), ColumnDecision("text" if keep_text else "number")
    if keep_text:
        return _as_text(text, absent), ColumnDecision("text")
    plain = _plain_numbers(present, decimal)
    if plain is not None:
        return _numbers(plain, absent, missing, name)
    counts = {str(k): int(n) for k, n in present.value_counts().items()}
    if {value.lower() for value in counts} <= set(_TRUE_FALSE):
        found = np.full(len(text), np.nan, dtype=object)
        found[~absent] = [_TRUE_FALSE[value.lower()] for value in present]
        return (found if absent.any() else found.astype(bool)), ColumnDecision("boolean")
    if _codes(counts):
        return _as_text(text, absent), ColumnDecision(
            "text", note="codes with leading zeros or too long for a number, taken as text"
        )
    return _mixed(text, absent, present, counts, decimal)


def _plain_numbers(present: pd.Series[Any], decimal: str) -> Any:
    """Return the numbers of texts that all are plain ones; None where some are not."""
    import pandas as pd

    if decimal == ",":
        if not present.str.fullmatch(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?").all():
            return None
        present = present.str.replace(",", ".")
    try:
        numbers = pd.to_numeric(present.astype(object), errors="raise")
    except (ValueError, TypeError, OverflowError):
        return None
    if numbers.dtype.kind not in "iuf":
        return None
    if present.str.match(r"[+-]?0\d").any() and present.str.fullmatch(r"[+-]?\d+").all():
        return None  # 007 is no 7
    if numbers.dtype.kind == "u" or (
        numbers.dtype.kind == "f" and present.str.fullmatch(r"[+-]?\d{16,}").any()
    ):
        return None  # whole numbers beyond 64 bits
    return numbers


def _codes(counts: dict[str, int]) -> bool:
    """Whether texts are digits that are no numbers: 007, or more digits than a number keeps."""
    if not all(re.fullmatch(r"[+-]?\d+", value) for value in counts):
        return False
    zeros = any(re.match(r"[+-]?0\d", value) for value in counts)
    return zeros or any(len(value) >= 19 for value in counts)


def _numbers(
    numbers: pd.Series[Any], absent: Any, missing: Sequence[str], name: str
) -> tuple[Any, ColumnDecision]:
    """Put numbers in their places; codes for missing ones and infinity are missing."""
    import pandas as pd

    codes = _missing_numbers(missing)
    present = numbers.to_numpy()
    out = np.isin(present, codes) if codes else np.zeros(len(present), dtype=bool)
    note = ""
    if present.dtype.kind == "f":
        infinite = np.isinf(present)
        if infinite.any():
            note = f"{counted(int(infinite.sum()), 'infinite value')} as missing"
        out |= infinite
    rows = np.flatnonzero(~absent)
    if not absent.any() and not out.any():
        return present, ColumnDecision("number", note=note)
    if present.dtype.kind == "i" and np.abs(present[~out]).max(initial=0) >= LARGEST:
        whole = pd.array([pd.NA] * len(absent), dtype="Int64")
        whole[rows[~out]] = present[~out]
        return whole, ColumnDecision("number", note=note)
    values = np.full(len(absent), np.nan)
    values[rows[~out]] = present[~out]
    return values, ColumnDecision("number", note=note)


def _missing_numbers(missing: Sequence[str]) -> list[float]:
    found = []
    for text in missing:
        try:
            found.append(float(text.replace("\u2212", "-")))
        except ValueError:
            continue
    return found


def _as_text(text: pd.Series[Any], absent: Any) -> Any:
    values = text.astype(object).to_numpy().copy()
    values[absent] = np.nan
    return values


def _mixed(
    text: pd.Series[Any],
    absent: Any,
    present: pd.Series[Any],
    counts: dict[str, int],
    decimal: str,
) -> tuple[Any, ColumnDecision]:
    """Sort out numbers with signs and units, dates, and text; with a few cells that do not fit."""
    decimal, other = _own_decimal(counts, decimal)
    rows = sum(counts.values())
    bracketed = [value for value in counts if value.startswith("(") and value.endswith(")")]
    if len(bracketed) == len(counts):
        shown = f"{bracketed[0][:30]!r} and the like stand in brackets in every row"
        return _as_text(text, absent), ColumnDecision(
            "text", note=f"{shown}: these are not numbers, taken as text"
        )
    parsed = parse_numbers(counts, decimal)
    words = [value for value in counts if value not in parsed.values]
    strange = sum(counts[value] for value in words if value.lower() not in MISSING_WORDS)
    few = strange <= 0.05 * rows
    if parsed.values and few and len(parsed.values) >= max(1, min(10, 0.05 * rows)):
        decision = _cells(text, absent, set(words))
        decision.kind, decision.unit = "number", parsed.unit
        decision.note = _join(
            _unit_note(parsed.unit),
            f"with decimal {'comma' if decimal == ',' else 'point'}, unlike the others" * other,
            _odd_note(decision, "no numbers"),
        )
        return _places(parsed.values, text, absent), decision
    form = date_format(counts, tolerance=0.05)
    if form:
        read = to_dates(list(counts), form)
        lost = {v for v, d in zip(counts, read, strict=True) if d != d}
        if sum(counts[value] for value in lost) <= 0.05 * rows:
            decision = _cells(text, absent, lost)
            decision.kind, decision.format = "date", form
            decision.note = _odd_note(decision, "no dates of this form")
            values = _as_text(text, absent | text.isin(lost).to_numpy(dtype=bool))
            return values, decision
    decision = ColumnDecision("text")
    share = sum(counts[value] for value in parsed.values) / rows
    if share > 0.5 and strange and len(parsed.values) > 10 and len(parsed.units) < 2:
        found = _cells(text, absent, {w for w in words if w.lower() not in MISSING_WORDS})
        cells = "1 of its cells is no number" if len(found.odd_rows) == 1 else (
            f"{len(found.odd_rows):,} of its {rows:,} cells are no numbers")  # fmt: skip
        decision.note = f"taken as text: {cells} ({_shown(found)})"
    elif len(parsed.units) > 1 and parsed.n_cells > 0.9 * rows:
        units = ", ".join(map(repr, parsed.units[:4]))
        decision.note = f"numbers in several units ({units}), taken as text"
    return _as_text(text, absent), decision


def _own_decimal(counts: dict[str, int], decimal: str) -> tuple[str, bool]:
    """Return a column's decimal mark: the file's, unless its numbers rule that out."""
    marks = count_marks(counts)
    mine, others = (marks.comma, marks.point) if decimal == "," else (marks.point, marks.comma)
    if others and not mine:
        return ("." if decimal == "," else ","), True
    return decimal, False


def _places(values: dict[str, float], text: pd.Series[Any], absent: Any) -> Any:
    import pandas as pd

    result = pd.to_numeric(text.astype(object).map(values), errors="coerce").to_numpy(np.float64)
    result = np.where(absent, np.nan, result)
    whole = np.isfinite(result).all() and (result == np.round(result)).all()
    if whole and np.abs(result).max() < LARGEST:
        return result.astype(np.int64)
    return result


def _cells(text: pd.Series[Any], absent: Any, odd: set[str]) -> ColumnDecision:
    """Name the cells that do not fit."""
    rows = np.flatnonzero(text.isin(odd).to_numpy(dtype=bool) & ~absent)
    first = [(int(row), str(text.iloc[row])) for row in rows[:KEPT]]
    lost = text.iloc[rows].str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)
    return ColumnDecision(odd=first, odd_rows=rows.tolist(), lost_rows=rows[~lost].tolist())


def _unit_note(unit: str) -> str:
    if not unit:
        return ""
    if unit == "%":
        return "per cent, as plain numbers"
    if is_currency(unit):
        return f"amounts with a sign of currency ({unit}), as plain numbers"
    return f"numbers in {unit}"


def _odd_note(decision: ColumnDecision, what: str) -> str:
    n = len(decision.odd_rows)
    if not n:
        return ""
    cells = "1 cell that is" if n == 1 else f"{n:,} cells that are"
    count = "counts" if n == 1 else "count"
    what = (
        what.replace("no numbers", "no number").replace("no dates", "no date") if n == 1 else what
    )
    return f"{cells} {what} {count} as missing ({_shown(decision)})"


def _shown(decision: ColumnDecision) -> str:
    shown = ", ".join(f"row {row + 1}: {cell[:30]!r}" for row, cell in decision.odd[:4])
    return shown + (" …" if len(decision.odd_rows) > 4 else "")


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
