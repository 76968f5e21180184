"""How a file was read, as data: what was found out, guessed or told, for every column."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ColumnDecision", "Decisions", "Reading"]

KEPT = 50  # odd cells of a column that are kept by name


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; what is None or empty is found out from the content.

    Attributes
    ----------
    header : bool, optional
        Whether the first line names the columns.
    encoding : str, optional
        Codec, as utf-8, cp932, cp1252.
    delimiter : str, optional
        Between cells.
    decimal : {".", ","}, optional
        Decimal mark; the other one groups digits.
    missing : tuple of str
        Further texts or numbers that stand for a missing value, as "-999"; "height=-999" for
        one column.
    text : tuple of str
        Columns that are text whatever they hold.
    drop_rows : tuple of int
        Rows to leave out, counted from 1.
    """

    header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    drop_rows: tuple[int, ...] = ()


@dataclass
class ColumnDecision:
    """How a column was read.

    Attributes
    ----------
    kind : str
        "number", "text", "date", "boolean".
    unit : str
        Of its numbers: "km", "$", "%"; "" for none.
    format : str
        Of its dates, as `strptime` takes it; "quarter", "week", "epoch seconds".
    odd : list of (int, str)
        Cells that do not fit and count as missing: row (from 0) and text; the first 50.
    odd_rows : list of int
        Rows of all of them.
    lost_rows : list of int
        Rows of those that are no word for a missing value ("unknown").
    note : str
    """

    kind: str = "text"
    unit: str = ""
    format: str = ""
    odd: list[tuple[int, str]] = field(default_factory=list)
    odd_rows: list[int] = field(default_factory=list)
    lost_rows: list[int] = field(default_factory=list)
    note: str = ""


@dataclass
class Decisions:
    r"""How a file was read.

    Attributes
    ----------
    encoding : str
        Codec; "" for Parquet and data frames.
    delimiter : str
        `\s+` for runs of blanks.
    decimal : str
        "." or ",".
    decimal_reason : str
        "found", "guess" or "given".
    header_line : int
        Line of the names, from 1; 0 where there is none.
    skipped : list of (int, str)
        Lines above and between that are no rows: number and text.
    footer : list of (int, str)
        Lines below the table.
    missing : list of str
        What counts as missing beside the usual words.
    columns : dict of str to ColumnDecision
    """

    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    decimal_reason: str = "found"
    header_line: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)
    footer: list[tuple[int, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    columns: dict[str, ColumnDecision] = field(default_factory=dict)
