"""Reading a table from a file or a data frame.

What its columns hold after that, `_column_types` says; what had to be changed, notes.
"""

from __future__ import annotations

import csv
import difflib
import io
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._column_types import typed_column
from ._text import MISSING, DataError, Dialect, decode, decompress, sniff

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "find_column", "nearest", "read_table", "table_from"]

_SCAN_BYTES = 20_000_000  # lines are counted cell by cell up to this size


@dataclass
class Table:
    """A table as read.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns with unique text names and an index 0, 1, 2, ...
    name : str
        What to call it: the file's name.
    notes : list of str
        What a reader should know about how it was read.
    default_target : str
        The column that a bundled data set is meant to predict; "" for a file.
    blank_first : bool
        The first column has no name of its own, as an index written by pandas or R.
    """

    frame: pd.DataFrame
    name: str
    notes: list[str] = field(default_factory=list)
    default_target: str = ""
    blank_first: bool = False


def nearest(wanted: str, names: list[str], count: int = 3) -> list[str]:
    """Return the names most like the wanted one, whatever their case."""
    lowered: dict[str, str] = {}
    for name in names:
        lowered.setdefault(name.lower(), name)
    found = difflib.get_close_matches(wanted.lower(), list(lowered), count, 0.5)
    return [lowered[name] for name in found]


def find_column(table: Table, wanted: str) -> str:
    """Return the column of this name; blanks around it do not count.

    Raises
    ------
    DataError
        If there is none, with the nearest names, or if there are several.
    """
    names = [str(name) for name in table.frame.columns]
    if wanted not in names:
        wanted = wanted.strip()
    if wanted not in names:
        near = nearest(wanted, names)
        shown = near or names[:10]
        what = "the nearest are" if near else "there are" if len(names) <= 10 else "the first are"
        raise DataError(f"{table.name} has no column {wanted!r}; {what} {_listed(shown)}.")
    if f"{wanted}.1" in names and any(f"{wanted!r} occurs" in note for note in table.notes):
        raise DataError(f"{table.name} has several columns named {wanted!r}: rename all but one.")
    return wanted


def read_table(source: str | Path, *, header: bool | None = None) -> Table:
    r"""Read CSV, TSV, Parquet, also compressed (gzip, bzip2, xz).

    The delimiter (comma, semicolon, tab, bar, blanks), the encoding, the decimal sign and
    whether there is a header are found out from the content. `?`, `NA` and empty cells are
    missing.

    Parameters
    ----------
    source : str or Path
        A file, or "-" for standard input.
    header : bool, optional
        Whether the first line names the columns; found out where None. Columns without
        a name are `column_1`, `column_2`, ...

    Raises
    ------
    DataError
        In one sentence, if there is no such file or it is no table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "t.csv")
    >>> _ = path.write_text("size;price\n1,5;10\n2,5;?\n")
    >>> read_table(path).frame
       size  price
    0   1.5   10.0
    1   2.5    NaN
    """
    name, raw = _bytes(source)
    raw = decompress(raw, name)
    if not raw.strip():
        raise DataError(f"{name} is empty.")
    if raw.startswith(b"PAR1"):
        return _normal(Table(_parquet(raw, name), name), parse_text=False)
    text, note = decode(raw, name)
    if not text.strip():
        raise DataError(f"{name} is empty.")
    table = _from_text(text, name, header)
    if note:
        table.notes.insert(0, f"{note}.")
    return _normal(table, parse_text=True)


def table_from(data: Any, name: str = "") -> Table:
    """Return a table from a path, a pandas data frame or anything `DataFrame` takes."""
    import pandas as pd

    if isinstance(data, Table):
        return data
    if isinstance(data, (str, Path)):
        return read_table(data)
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    return _normal(Table(frame, name or "the table"), parse_text=False)


def _bytes(source: str | Path) -> tuple[str, bytes]:
    if str(source) == "-":
        return "standard input", sys.stdin.buffer.read()
    path = Path(source)
    try:
        return path.name, path.read_bytes()
    except FileNotFoundError as error:
        folder = path.parent
        siblings = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        near = nearest(path.name, siblings)
        hint = f"; near it: {_listed(near)}" if near else ""
        raise DataError(f"There is no file {str(source)!r}{hint}.") from error
    except IsADirectoryError as error:
        raise DataError(f"{str(source)!r} is a folder, not a file.") from error
    except (PermissionError, NotADirectoryError, ValueError, OSError) as error:
        if path.is_dir():  # Windows says PermissionError
            raise DataError(f"{str(source)!r} is a folder, not a file.") from error
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{str(source)!r} cannot be read: {reason}.") from error


def _parquet(raw: bytes, name: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(io.BytesIO(raw))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{name} is a damaged Parquet file: {reason}.") from error
    return frame


def _from_text(text: str, name: str, header: bool | None) -> Table:
    dialect = sniff(text, header=header)
    names, notes, blank_first = _names(dialect)
    if len(text) <= _SCAN_BYTES and dialect.delimiter != r"\s+":
        notes += _check_lines(text, name, dialect, len(names))
    frame = _parse(text, name, dialect, len(names))
    if frame.empty:
        raise DataError(f"{name} has a header and no rows.")
    if not dialect.has_header:
        notes.append(f"no header found: the columns are named column_1 … column_{len(names)}.")
    if dialect.first and len(names) > len(dialect.first) and dialect.has_header:
        blank_first = True
    extra = dialect.has_header and len(names) < len(dialect.first)
    frame.columns = names
    if extra:
        raise DataError(
            f"{name}: the header names {len(dialect.first)} columns, the rows have {len(names)}."
        )
    if len(names) > 1 and names[-1].startswith("column_") and frame.iloc[:, -1].isna().all():
        frame = frame.iloc[:, :-1]  # every line ends with a delimiter
    return Table(frame, name, notes, blank_first=blank_first)


def _names(dialect: Dialect) -> tuple[list[str], list[str], bool]:
    """Return one unique name a column, notes, and whether the first has no name."""
    n_fields = dialect.n_fields
    if not dialect.has_header:
        return [f"column_{i + 1}" for i in range(n_fields)], [], False
    given = list(dialect.first)
    if len(given) == n_fields - 1:  # R writes row names without a heading
        given = ["", *given]
    elif len(given) == n_fields + 1 and given[-1] == "":
        given = given[:-1]
    blank_first = given[0] == ""
    names: list[str] = []
    notes = []
    for i, base in enumerate(given):
        name = base or f"column_{i + 1}"
        copies = 0
        while name in names:
            copies += 1
            name = f"{base}.{copies}"
        if copies == 1:
            notes.append(f"the column name {base!r} occurs more than once.")
        names.append(name)
    return names, notes, blank_first


def _check_lines(text: str, name: str, dialect: Dialect, n_fields: int) -> list[str]:
    """Refuse lines with too many cells; count those with too few."""
    csv.field_size_limit(1 << 27)
    reader = csv.reader(io.StringIO(text), delimiter=dialect.delimiter, skipinitialspace=True)
    short = 0
    try:
        if dialect.has_header:
            next(row for row in reader if row)
        for row in reader:
            if len(row) > n_fields and any(cell.strip() for cell in row[n_fields:]):
                raise DataError(
                    f"{name}, line {reader.line_num}: {len(row)} cells where there are "
                    f"{n_fields} columns (a stray {dialect.delimiter!r} or quote?)."
                )
            short += 0 < len(row) < n_fields and any(cell.strip() for cell in row)
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: {error}.") from error
    if not short:
        return []
    lines = "1 line has" if short == 1 else f"{short} lines have"
    return [f"{lines} fewer cells than there are columns: filled up as missing."]


def _parse(text: str, name: str, dialect: Dialect, n_fields: int) -> pd.DataFrame:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)  # cells past the last are blank
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        try:
            return pd.read_csv(
                io.StringIO(text),
                sep=dialect.delimiter,
                header=0 if dialect.has_header else None,
                names=list(range(n_fields)),
                index_col=False,
                na_values=list(MISSING),
                keep_default_na=False,
                skipinitialspace=True,
                decimal=dialect.decimal,
                low_memory=False,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
            reason = str(error).removeprefix("Error tokenizing data. C error: ").strip().rstrip(".")
            if "EOF inside string" in reason:
                reason = "a quote that is opened is never closed"
            raise DataError(f"{name} is not a regular table: {reason}.") from error


def _normal(table: Table, *, parse_text: bool) -> Table:
    """Bring every column to one of the four types, and the names to unique text."""
    import pandas as pd

    frame = table.frame
    if not isinstance(frame.index, pd.RangeIndex) and frame.index.names != [None]:
        frame = frame.reset_index()
    names = [
        "_".join(map(str, name)).strip() if isinstance(name, tuple) else str(name).strip()
        for name in frame.columns
    ]
    repeated = (
        sorted({name for name in names if names.count(name) > 1})
        if len(set(names)) < len(names)
        else []
    )
    if repeated:
        raise DataError(f"{table.name} has several columns named {_listed(repeated[:3])}.")
    columns = {}
    for i, name in enumerate(names):
        values, note = typed_column(frame.iloc[:, i], parse_text)
        columns[name] = pd.Series(values, dtype=values.dtype)
        if note:
            table.notes.append(f"column {name!r}: {note}.")
    table.frame = pd.DataFrame(columns)
    if not len(frame) or not names:
        raise DataError(f"{table.name} has no rows.")
    return table


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
