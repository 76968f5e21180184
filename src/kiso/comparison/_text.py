"""How a text file is a table: its encoding, delimiter, header and way of writing numbers.

Everything here is decided from the first lines, by counting; nothing is guessed by name.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections import Counter
from dataclasses import dataclass

__all__ = ["DataError", "Dialect", "decode", "decompress", "is_number", "sniff"]

SAMPLE = 1 << 16  # characters looked at
DELIMITERS = "\t;|,"  # in this order where everything else is equal
MISSING = (
    "",
    "?",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "-nan",
    "-NaN",
    "NaT",
    "NULL",
    "null",
)

_FOREIGN = {  # first bytes -> what it is
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow file",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"\x7fELF": "a program",
    b"\x93NUMPY": "a NumPy array",
}
_MARKUP = re.compile(r"\s*(<!doctype|<html|<\?xml)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


class DataError(ValueError):
    """The user's mistake: a file, column or value that cannot be worked with, in a sentence."""


@dataclass
class Dialect:
    r"""How the lines of a text file become cells.

    Attributes
    ----------
    delimiter : str
        One character, or the regular expression `\s+` for runs of blanks.
    decimal : str
        "." or ",".
    has_header : bool
        Whether the first line names the columns.
    first : list of str
        The cells of the first line, stripped.
    n_fields : int
        Cells in most lines after the first.
    """

    delimiter: str
    decimal: str
    has_header: bool
    first: list[str]
    n_fields: int


def decompress(raw: bytes, name: str) -> bytes:
    """Undo gzip, bzip2 or xz, recognised by the first bytes and not by the file's name."""
    openers = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\x00": lzma}
    for magic, module in openers.items():
        if raw.startswith(magic):
            try:
                return bytes(module.decompress(raw))
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise DataError(f"{name} is damaged or cut short: {error}.") from error
    return raw


def decode(raw: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file and a note on its encoding ("" for UTF-8).

    Raises
    ------
    DataError
        If the bytes are no text.
    """
    for magic, what in _FOREIGN.items():
        if raw.startswith(magic):
            raise DataError(f"{name} is {what}: give a table as CSV, TSV or Parquet.")
    note = ""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding, note = "utf-16", "read as UTF-16"
    elif b"\x00" in raw[:SAMPLE]:
        raise DataError(f"{name} is not a text table: give CSV, TSV or Parquet.")
    else:
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text, note = raw.decode("cp1252", errors="replace"), "not UTF-8: read as Windows-1252"
    head = text[:SAMPLE]
    odd = sum((ch < " " and ch not in "\t\n\r\f\v") or ch == "\ufffd" for ch in head)
    if odd > 0.01 * len(head):
        raise DataError(f"{name} is not a text table: give CSV, TSV or Parquet.")
    if _MARKUP.match(head):
        raise DataError(f"{name} is a web page or XML, not a table: give CSV, TSV or Parquet.")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n"), note


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def sniff(text: str, *, header: bool | None = None) -> Dialect:
    """Find out how a text becomes cells.

    Parameters
    ----------
    text : str
        The whole file; only its beginning is looked at.
    header : bool, optional
        Whether the first line names the columns; found out where None.
    """
    sample = text[:SAMPLE]
    if len(text) > SAMPLE and "\n" in sample:
        sample = sample[: sample.rindex("\n") + 1]  # whole lines only
    delimiter, rows = _delimiter(sample)
    body = rows[1:] or rows
    first = [cell.strip() for cell in rows[0]]
    lengths = Counter(map(len, body))
    # one line of the header's length is enough: an index column would be in every line
    n_fields = len(first) if len(first) in lengths else lengths.most_common(1)[0][0]
    # a sample can end inside a quoted cell
    body = [row for row in body if len(row) == n_fields]
    decimal = "," if delimiter != "," and _decimal_comma(body) else "."
    if header is None:
        header = _has_header(first, body, decimal) if len(rows) > 1 else not _numeric(first)
    return Dialect(delimiter, decimal, header, first, n_fields)


def _cells(sample: str, delimiter: str) -> list[list[str]]:
    if delimiter == r"\s+":
        return [line.split() for line in sample.splitlines() if line.strip()]
    reader = csv.reader(io.StringIO(sample), delimiter=delimiter, skipinitialspace=True)
    try:
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error:  # a cell beyond the csv module's limit
        return []


def _delimiter(sample: str) -> tuple[str, list[list[str]]]:
    """Return the delimiter that cuts the lines most evenly, and the cells it gives."""
    best: tuple[tuple[float, float, int], str, list[list[str]]] | None = None
    for delimiter in DELIMITERS:
        rows = _cells(sample, delimiter)
        if not rows:
            continue
        fields, count = Counter(map(len, rows)).most_common(1)[0]
        # the header may lack the name of an index column, or have one too many
        if fields < 2 or abs(len(rows[0]) - fields) > 1 or count < 0.5 * len(rows):
            continue
        others = [d for d in DELIMITERS if d != delimiter]
        cells = [cell for row in rows[:100] for cell in row]
        clean = sum(
            not any(d in cell for d in others) or _COMMA_NUMBER.fullmatch(cell.strip()) is not None
            for cell in cells
        )
        score = (round(count / len(rows), 2), round(clean / len(cells), 1), fields)
        if best is None or score > best[0]:
            best = score, delimiter, rows
    if best is not None:
        return best[1], best[2]
    blanks = _cells(sample, r"\s+")
    if blanks and len(blanks[0]) > 1 and len({len(row) for row in blanks}) == 1:
        cells = [cell for row in blanks[1:] or blanks for cell in row]
        if sum(map(is_number, cells)) > 0.5 * len(cells):
            return r"\s+", blanks
    return ",", _cells(sample, ",") or [[line] for line in sample.splitlines() if line.strip()]


def _decimal_comma(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if not commas or any(is_number(cell) and "." in cell for cell in cells):
        return False
    return not all(_GROUPED.fullmatch(cell) for cell in commas)


def _numeric(cells: list[str]) -> bool:
    return any(is_number(cell) for cell in cells)


def _has_header(first: list[str], body: list[list[str]], decimal: str) -> bool:
    """Tell names from data: names are no numbers above numbers, nor values seen below."""

    def number(cell: str) -> bool:
        return is_number(cell.replace(",", ".") if decimal == "," else cell)

    if len(first) != len(body[0]):
        return True  # a header that lacks the index column's name
    numbers = [i for i, cell in enumerate(first) if number(cell)]
    if _consecutive([first[i] for i in numbers]):
        return True  # a data frame's default names 0, 1, 2, ... or years, among others or not
    columns = list(zip(*body, strict=True))
    below = [sum(map(number, column)) > 0.5 * len(column) for column in columns]
    words = sum(
        is_below and bool(cell) and cell not in MISSING and not number(cell)
        for cell, is_below in zip(first, below, strict=True)
    )
    if numbers:  # a name may be a number, as 'inf' and '2019' are, where most are words
        return words > len(numbers)
    if any(below):
        return True
    again = sum(cell in set(column) for cell, column in zip(first, columns, strict=True) if cell)
    return again < 0.5 * len(first)


def _consecutive(cells: list[str]) -> bool:
    if len(cells) < 2 or not all(cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    if not (numbers[0] == 0 or numbers[0] >= 1000 or (numbers[0] == 1 and len(numbers) > 2)):
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
