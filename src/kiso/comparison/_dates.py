"""Dates as numbers: when, and where in the year, the month, the week and the day."""

from __future__ import annotations

import re
import warnings
from datetime import date
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["DateParts", "as_epoch", "date_format", "to_dates"]

PARTS = ("time", "month", "day", "weekday", "hour")
# tried in this order; the first that reads every value is taken
FORMATS = (
    "ISO8601",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y",
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%d/%m/%y",
    "%d/%m/%y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%d.%m.%y",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%d-%m-%y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y %H:%M",
    "%d %B %Y %H:%M",
    "%b %Y",
    "%B %Y",
    "%b-%Y",
    "%b-%y",
    "%m/%Y",
    "%Y/%m",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月",
    "%Y년 %m월 %d일",
    "quarter",
    "week",
)
# as 2000-Q1, 2000Q1, 2000 Q1, Q1 2000; 2021-W03, 2021W03, 2021-W03-5
_QUARTER = re.compile(r"(?P<year>\d{4})[ -]?Q(?P<q>[1-4])|Q(?P<q2>[1-4])[ -/](?P<year2>\d{4})")
_WEEK = re.compile(r"(?P<year>\d{4})-?W(?P<week>\d{2})(-?(?P<day>[1-7]))?")
_LIKELY = re.compile(
    r"\d{4}-\d{1,2}(-\d{1,2}.*)?|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}.*"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}.*|[A-Za-z]{3,9} \d{1,2}, \d{4}"
    r"|[A-Za-z]{3,9}[ -]\d{2,4}|\d{1,2}/\d{4}|\d{4}/\d{1,2}"
    r"|\d{4}年\d{1,2}月(\d{1,2}日.*)?|\d{4}년 ?\d{1,2}월 ?\d{1,2}일"
    r"|\d{4}[ -]?Q[1-4]|Q[1-4][ -/]\d{4}|\d{4}-?W\d{2}(-?[1-7])?"
)


def date_format(values: Any, tolerance: float = 0.0) -> str:
    """Return the format in which the texts of a column are dates; "" if there is none.

    Month before day is taken where both orders read every value.

    Parameters
    ----------
    values : iterable
    tolerance : float, default=0
        Share of the distinct texts that may be no dates ("unknown").
    """
    distinct = sorted({value for value in values if isinstance(value, str)})
    some = distinct[:: max(1, len(distinct) // 50)]
    likely = sum(_LIKELY.fullmatch(value) is not None for value in some)
    if not distinct or len(some) - likely > max(tolerance > 0, 1.5 * tolerance * len(some)):
        return ""
    allowed = tolerance * len(distinct)
    best, fewest = "", allowed + 1.0
    for form in FORMATS:
        if _read(distinct[:50], form).isna().sum() > max(allowed, tolerance * 50, tolerance > 0):
            continue
        lost = float(_read(distinct, form).isna().sum())
        if lost <= max(allowed, float(tolerance > 0 and len(distinct) > 5)) and lost < fewest:
            best, fewest = form, lost
        if lost == 0:
            break
    return best


def to_dates(values: Any, form: str) -> Any:
    """Return a datetime64[ns] array without time zone; what cannot be read is NaT."""
    return _read(values, form).to_numpy()


def _read(values: Any, form: str) -> Any:
    import pandas as pd

    column = pd.Series(values)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        dates = column
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of formats that do not fit; NaT says so
            text = column.where(column.map(lambda v: isinstance(v, str)), None)
            if form in ("quarter", "week"):
                text = text.map(_quarter if form == "quarter" else _week, na_action="ignore")
                form = "ISO8601"
            dates = pd.to_datetime(text, format=form or "ISO8601", errors="coerce", utc=True)
    return dates.dt.tz_localize(None) if getattr(dates.dt, "tz", None) is not None else dates


def _quarter(text: str) -> str | None:
    """Return the first day of a quarter."""
    found = _QUARTER.fullmatch(text)
    if found is None:
        return None
    quarter, year = int(found["q"] or found["q2"]), found["year"] or found["year2"]
    return f"{year}-{3 * quarter - 2:02d}-01"


def _week(text: str) -> str | None:
    """Return the Monday of an ISO week, or the day of it."""
    found = _WEEK.fullmatch(text)
    if found is None:
        return None
    try:
        day = date.fromisocalendar(int(found["year"]), int(found["week"]), int(found["day"] or 1))
    except ValueError:
        return None
    return day.isoformat()


_MOMENT = re.compile(
    r"(^|[_\W])(time|timestamp|date|datetime|epoch|ts|unix|created|updated|when|at)([_\W]|$)|[a-z](Time|Date)",
    re.IGNORECASE,
)


def as_epoch(values: Any, name: str) -> tuple[Any, str]:
    """Return whole numbers that are seconds (or thousandths) since 1970 as dates.

    They are where the column's name says that it is a moment and all lie between 2001 and 2040.

    Returns
    -------
    values : array
        As they were, or datetime64.
    unit : str
        "seconds" or "milliseconds"; "" where they are no moments.
    """
    kind = getattr(values.dtype, "kind", "O")
    if kind not in "if" or not _MOMENT.search(name):
        return values, ""
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    if not present.size or not (present == np.round(present)).all():
        return values, ""
    for unit, scale in (("seconds", 1.0), ("milliseconds", 1e3)):
        if present.min() >= 978307200 * scale and present.max() <= 2.2e9 * scale:
            milliseconds = np.where(np.isnan(numbers), 0, numbers) * (1e3 / scale)
            dates = milliseconds.astype(np.int64).astype("datetime64[ms]")
            return np.where(np.isnan(numbers), np.datetime64("NaT"), dates), unit
    return values, ""


class DateParts(TransformerMixin, BaseEstimator):
    """Turn columns of dates into numeric parts.

    Each column gives `time` (in years since 1970, with fractions), `month` (1 to 12), `day`
    (of the month), `weekday` (0 is Monday) and `hour` (with fractions); a part that is the
    same in all training rows is left out, except `time`. A missing date gives NaN.

    Attributes
    ----------
    formats_ : list of str
        How dates are written in each column; "" for a column that holds datetimes.
    parts_ : list of list of str
        The parts of each column.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"day": ["2024-03-01", "2024-03-09", None]})
    >>> DateParts().fit(frame).get_feature_names_out()
    array(['day: time', 'day: day', 'day: weekday'], dtype=object)
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how the dates are written and which parts vary."""
        self.feature_names_in_ = np.asarray([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.formats_: list[str] = []
        self.parts_: list[list[str]] = []
        for i in range(self.n_features_in_):
            column = X.iloc[:, i]
            is_text = not str(column.dtype).startswith("datetime")
            self.formats_.append(date_format(column) if is_text else "")
            values = _parts(to_dates(column, self.formats_[-1]))
            varying = [np.unique(part[~np.isnan(part)]).size > 1 for part in values]
            self.parts_.append([p for p, v in zip(PARTS, varying, strict=True) if v or p == "time"])
        return self

    def transform(self, X: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the parts, (n_samples, number of parts)."""
        check_is_fitted(self)
        blocks = []
        for i, (form, chosen) in enumerate(zip(self.formats_, self.parts_, strict=True)):
            values = dict(zip(PARTS, _parts(to_dates(X.iloc[:, i], form)), strict=True))
            blocks += [values[name] for name in chosen]
        return np.column_stack(blocks)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return "column: part" for each output column."""
        names = zip(self.feature_names_in_, self.parts_, strict=True)
        return np.asarray(
            [f"{name}: {part}" for name, parts in names for part in parts], dtype=object
        )


def _parts(dates: Any) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the parts in the order of PARTS."""
    import pandas as pd

    index = pd.DatetimeIndex(dates)
    missing = np.asarray(index.isna())
    seconds = index.to_numpy().astype("datetime64[s]").astype(np.float64)
    seconds[missing] = np.nan
    parts = [
        seconds / (365.2425 * 86400.0),
        np.asarray(index.month, dtype=np.float64),
        np.asarray(index.day, dtype=np.float64),
        np.asarray(index.day_of_week, dtype=np.float64),
        np.mod(seconds, 86400.0) / 3600.0,
    ]
    for part in parts:
        part[missing] = np.nan
    return parts
