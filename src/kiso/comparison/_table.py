"""Reading a table from a file or a data frame.

What its columns hold after that, `_column_types` says; what had to be changed, notes.
"""

from __future__ import annotations

import csv
import difflib
import io
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._column_types import typed_column, typed_text
from ._dates import as_epoch
from ._decisions import ColumnDecision, Decisions, Reading
from ._encoding import encoding_of
from ._layout import Layout, are_units, lay_out
from ._numbers import Marks, count_marks
from ._text import DataError, decode, decompress

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "find_column", "nearest", "read_table", "table_from"]

MARK_ROWS = 50_000  # cells of a column that are looked through for their decimal mark
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
    decisions : Decisions
        How a file was read, as data.
    """

    frame: pd.DataFrame
    name: str
    notes: list[str] = field(default_factory=list)
    default_target: str = ""
    blank_first: bool = False
    decisions: Decisions = field(default_factory=Decisions)


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


def read_table(
    source: str | Path,
    *,
    header: bool | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    missing: Sequence[str] = (),
    text: Sequence[str] = (),
    drop_rows: Sequence[int] = (),
    preferred_encoding: str = "",
) -> Table:
    r"""Read CSV, TSV, Parquet, also compressed (gzip, bzip2, xz).

    The encoding, the delimiter (comma, semicolon, tab, bar, blanks), lines above and below the
    table, whether there is a header and a second line of names or units, and the decimal mark
    are found out from the whole content; so is what each column holds: numbers (grouped, with
    signs of currency or one unit), dates, true and false, text. `?`, `NA` and empty cells are
    missing. What was decided is in `Table.decisions` as data, and in `Table.notes` in words.

    Parameters
    ----------
    source : str or Path
        A file, or "-" for standard input.
    header : bool, optional
        Whether the first line names the columns; found out where None. Columns without
        a name are `column_1`, `column_2`, ...
    encoding : str, optional
        Codec, as "cp932".
    delimiter : str, optional
    decimal : {".", ","}, optional
        Decimal mark; the other one groups digits.
    missing : sequence of str
        What else is missing: "-999", or "height=-999" for one column.
    text : sequence of str
        Columns that are text whatever they hold.
    drop_rows : sequence of int
        Rows to leave out, from 1.
    preferred_encoding : str
        Tried before others where the file is no UTF-8.

    Raises
    ------
    DataError
        In one sentence, if there is no such file or it is no table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "t.csv")
    >>> _ = path.write_text("size;price\n1,5;10\n2,5;?\n")
    >>> table = read_table(path)
    >>> table.frame
       size  price
    0   1.5   10.0
    1   2.5    NaN
    >>> table.decisions.decimal, table.decisions.delimiter
    (',', ';')
    """
    if decimal not in (None, ".", ","):
        raise DataError(f"The decimal mark {decimal!r} is neither '.' nor ','.")
    name, raw = _bytes(source)
    raw = decompress(raw, name)
    if not raw.strip():
        raise DataError(f"{name} is empty.")
    if raw.startswith(b"PAR1"):
        table = _normal(Table(_parquet(raw, name), name))
        return _without_rows(_without_codes(table, missing), drop_rows)
    content, codec, note = _decoded(raw, name, encoding, preferred_encoding)
    del raw
    if not content.strip():
        raise DataError(f"{name} is empty.")
    options = Reading(header, codec, delimiter, decimal, tuple(missing), tuple(text))
    table = _from_text(content, name, options)
    if note:
        table.notes.insert(0, f"{note}.")
    return _without_rows(table, drop_rows)


def _decoded(raw: bytes, name: str, encoding: str | None, preferred: str) -> tuple[str, str, str]:
    if encoding is None and preferred:
        codec = encoding_of(raw, preferred)[0]
        if codec == preferred:
            return decode(raw, name, codec)
    return decode(raw, name, encoding)


def _without_rows(table: Table, rows: Sequence[int]) -> Table:
    """Leave rows out, counted from 1."""
    if not rows:
        return table
    n = len(table.frame)
    wrong = [row for row in rows if not 1 <= row <= n]
    if wrong:
        raise DataError(f"{table.name} has no row {wrong[0]}; its rows go from 1 to {n}.")
    keep = np.ones(n, dtype=bool)
    keep[np.asarray(rows) - 1] = False
    if not keep.any():
        raise DataError(f"{table.name} has no row left.")
    table.frame = table.frame[keep].reset_index(drop=True)
    out = n - int(keep.sum())
    table.notes.append(f"{'1 row' if out == 1 else f'{out:,} rows'} left out, as asked.")
    return table


def _without_codes(table: Table, missing: Sequence[str]) -> Table:
    """Make codes for a missing value missing, in a table that is typed already."""
    table.decisions.missing = list(missing)
    for text in missing:
        name, code = _code(text, [str(c) for c in table.frame.columns])
        for column in [name] if name else [str(c) for c in table.frame.columns]:
            values = table.frame[column]
            if values.dtype.kind in "iuf":
                try:
                    table.frame[column] = values.mask(values == float(code))
                except ValueError:
                    continue
            elif values.dtype.kind == "O":
                table.frame[column] = values.where(values != code, np.nan)
    return table


def _code(text: str, names: list[str]) -> tuple[str, str]:
    """Return ("height", "-999") of "height=-999", ("", "-999") of "-999"."""
    name, equals, code = text.rpartition("=")
    return (name, code) if equals and name in names else ("", text)


def table_from(data: Any, name: str = "") -> Table:
    """Return a table from a path, a pandas data frame or anything `DataFrame` takes."""
    import pandas as pd

    if isinstance(data, Table):
        return data
    if isinstance(data, (str, Path)):
        return read_table(data)
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    return _normal(Table(frame, name or "the table"))


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


def _from_text(text: str, name: str, options: Reading) -> Table:
    layout = lay_out(text, header=options.header, delimiter=options.delimiter)
    names, notes, blank_first = _names(layout)
    if len(text) <= _SCAN_BYTES and layout.delimiter != r"\s+":
        notes += _check_lines(name, layout, len(names))
    frame = _parse(name, layout, len(names))
    if frame.empty:
        raise DataError(f"{name} has a header and no rows.")
    if not layout.has_header:
        notes.append(f"no header found: the columns are named column_1 … column_{len(names)}.")
    if layout.first and len(names) > len(layout.first) and layout.has_header:
        blank_first = True
    if layout.has_header and len(names) < len(layout.first):
        raise DataError(
            f"{name}: the header names {len(layout.first)} columns, the rows have {len(names)}."
        )
    frame.columns = names
    while len(names) > 1 and names[-1].startswith("column_") and _blank(frame.iloc[:, -1]):
        names = names[:-1]
        frame = frame.iloc[:, :-1]  # every line ends with a delimiter
    decimal, reason = _decimal(frame, layout.delimiter, options.decimal)
    decisions = Decisions(
        options.encoding or "", layout.delimiter, decimal, reason, layout.header_line,
        layout.skipped, layout.footer, list(options.missing),
    )  # fmt: skip
    notes += _layout_notes(layout, decisions)
    table = Table(frame, name, notes, blank_first=blank_first, decisions=decisions)
    _type_columns(table, options)
    return table


def _type_columns(table: Table, options: Reading) -> None:
    import pandas as pd

    names = [str(name) for name in table.frame.columns]
    columns = {}
    coded = [_code(text, names) for text in options.missing]
    for i, name in enumerate(names):
        values, decision = typed_text(
            table.frame.iloc[:, i],
            name,
            decimal=table.decisions.decimal,
            missing=[code for column, code in coded if column in ("", name)],
            keep_text=name in options.text,
        )
        values, epoch = as_epoch(values, name)
        if epoch:
            decision = ColumnDecision("date", format=epoch, note=f"{epoch} since 1970, as dates")
        columns[name] = pd.Series(values, dtype=values.dtype)
        table.decisions.columns[name] = decision
        if decision.note:
            table.notes.append(f"column {name!r}: {decision.note}.")
    table.frame = pd.DataFrame(columns)


def _blank(column: Any) -> bool:
    return bool((column.fillna("").str.strip() == "").all())


def _decimal(frame: pd.DataFrame, delimiter: str, given: str | None) -> tuple[str, str]:
    """Return the decimal mark of the whole file, and how it is known."""
    if given is not None:
        return given, "given"
    marks = Marks()
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        cells = column.iloc[:: max(1, len(column) // MARK_ROWS)]
        cells = cells[cells.str.contains(r"[.,]", regex=True).fillna(False)]
        marks += count_marks(cells.astype(object).to_numpy())
    if marks.comma or marks.point:
        return ("," if marks.comma > marks.point else "."), "found"
    if marks.doubtful_comma and delimiter == ";":
        return ",", "guess"  # where the comma is no delimiter, it mostly is the decimal mark
    doubtful = marks.doubtful_comma or (marks.doubtful_point and delimiter == ";")
    return ".", "guess" if doubtful else "found"


def _layout_notes(layout: Layout, decisions: Decisions) -> list[str]:
    notes = []
    above = [(n, t) for n, t in layout.skipped if not t.lower().startswith("sep=")]
    if above:
        lines = (
            "1 line above the table" if len(above) == 1 else f"{len(above)} lines above the table"
        )
        notes.append(f"{lines} skipped: {_quoted(above)}.")
    if layout.footer:
        n = len(layout.footer)
        lines = "1 line below the table" if n == 1 else f"{n} lines below the table"
        notes.append(f"{lines} skipped: {_quoted(layout.footer)}.")
    if layout.second:
        said = "units" if are_units(layout.second) else "joined to the names"
        shown = ", ".join(repr(cell) for cell in layout.second if cell)
        notes.append(
            f"line {layout.header_line + 1} is a second header line ({said}): {shown:.200}."
        )
    if decisions.decimal_reason == "guess":
        mark = "comma" if decisions.decimal == "," else "point"
        example = "28,705 is 28.705" if decisions.decimal == "," else "28,705 is 28705"
        other = "." if decisions.decimal == "," else ","
        notes.append(
            f"all numbers with a mark have three digits after it; a decimal {mark} is a guess "
            f"({example}); --decimal {other} for the other."
        )
    return notes


def _quoted(lines: list[tuple[int, str]]) -> str:
    shown = ", ".join(f"line {n} {text[:40]!r}" for n, text in lines[:3])
    return shown + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")


def _names(layout: Layout) -> tuple[list[str], list[str], bool]:
    """Return one unique name a column, notes, and whether the first has no name."""
    n_fields = layout.n_fields
    if not layout.has_header:
        return [f"column_{i + 1}" for i in range(n_fields)], [], False
    given = list(layout.first)
    if layout.second and not are_units(layout.second):
        given = _joined(given, layout.second)
    if len(given) == n_fields - 1:  # R writes row names without a heading
        given = ["", *given]
    while len(given) > n_fields and given[-1] == "":
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


def _joined(first: list[str], second: list[str]) -> list[str]:
    """Join two lines of names; a name stands above the blank ones right of it."""
    names = []
    above = ""
    for i, (top, below) in enumerate(zip(first, second, strict=True)):
        above = top or (above if i else "")
        names.append(" ".join(part for part in (above, below) if part))
    return names


def _check_lines(name: str, layout: Layout, n_fields: int) -> list[str]:
    """Refuse lines with too many cells; count those with too few."""
    csv.field_size_limit(1 << 27)
    lines = io.StringIO(layout.body)
    reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True)
    short = 0
    try:
        for row in reader:
            if len(row) > n_fields and any(cell.strip() for cell in row[n_fields:]):
                raise DataError(
                    f"{name}, line {layout.body_line + reader.line_num - 1}: {len(row)} cells "
                    f"where there are {n_fields} columns (a stray {layout.delimiter!r} or quote?)."
                )
            short += 0 < len(row) < n_fields and any(cell.strip() for cell in row)
    except csv.Error as error:
        line = layout.body_line + reader.line_num - 1
        raise DataError(f"{name}, line {line}: {error}.") from error
    if not short:
        return []
    which = "1 line has" if short == 1 else f"{short} lines have"
    return [f"{which} fewer cells than there are columns: filled up as missing."]


def _parse(name: str, layout: Layout, n_fields: int) -> pd.DataFrame:
    """Cut the rows into cells, all of them texts."""
    import pandas as pd

    if not layout.body.strip():
        return pd.DataFrame()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)  # cells past the last are blank
        try:
            return pd.read_csv(
                io.StringIO(layout.body),
                sep=layout.delimiter,
                header=None,
                names=list(range(n_fields)),
                index_col=False,
                dtype=str,
                na_filter=False,
                skipinitialspace=True,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
            reason = str(error).removeprefix("Error tokenizing data. C error: ").strip().rstrip(".")
            if "EOF inside string" in reason:
                reason = "a quote that is opened is never closed"
            raise DataError(f"{name} is not a regular table: {reason}.") from error


def _normal(table: Table) -> Table:
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
        values, note = typed_column(frame.iloc[:, i])
        columns[name] = pd.Series(values, dtype=values.dtype)
        if note:
            table.notes.append(f"column {name!r}: {note}.")
    table.frame = pd.DataFrame(columns)
    if not len(frame) or not names:
        raise DataError(f"{table.name} has no rows.")
    return table


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
