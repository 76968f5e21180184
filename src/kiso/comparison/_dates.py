"""Dates as numbers: when, and where in the year, the month, the week and the day."""

from __future__ import annotations

import re
import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["DateParts", "date_format", "to_dates"]

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
    "%d/%m/%y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_LIKELY = re.compile(
    r"\d{4}-\d{1,2}(-\d{1,2}.*)?|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}.*"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}"
)


def date_format(values: Any) -> str:
    """Return the format in which every text of a column is a date; "" if there is none.

    Month before day is taken where both orders read every value.
    """
    distinct = sorted({value for value in values if isinstance(value, str)})
    if not distinct or not all(
        _LIKELY.fullmatch(value) for value in distinct[:: max(1, len(distinct) // 50)]
    ):
        return ""
    for form in FORMATS:
        if not _read(distinct[:50], form).isna().any() and not _read(distinct, form).isna().any():
            return form
    return ""


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
            dates = pd.to_datetime(text, format=form or "ISO8601", errors="coerce", utc=True)
    return dates.dt.tz_localize(None) if getattr(dates.dt, "tz", None) is not None else dates


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
