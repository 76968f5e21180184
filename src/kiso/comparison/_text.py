"""From the bytes of a file to its text: packed or not, in whatever encoding, and no picture."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib

from ._encoding import encoding_of

__all__ = ["DataError", "decode", "decompress", "is_number"]

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


class DataError(ValueError):
    """The user's mistake: a file, column or value that cannot be worked with, in a sentence."""


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


def decode(raw: bytes, name: str, encoding: str | None = None) -> tuple[str, str, str]:
    """Return the text of a file, its codec and a note on it ("" for UTF-8).

    Parameters
    ----------
    raw : bytes
    name : str
        What to call the file in errors.
    encoding : str, optional
        Where the caller knows it.

    Raises
    ------
    DataError
        If the bytes are no text, or not in the encoding that was given.
    """
    for magic, what in _FOREIGN.items():
        if raw.startswith(magic):
            raise DataError(f"{name} is {what}: give a table as CSV, TSV or Parquet.")
    if encoding is not None:
        codec, note = encoding, ""
        try:
            text = raw.decode(codec)
        except LookupError as error:
            raise DataError(
                f"There is no encoding {encoding!r}; there is utf-8, cp932, gb18030, cp1252, …"
            ) from error
        except UnicodeError as error:
            raise DataError(f"{name} is not in {encoding}: {error}.") from error
        text = text.removeprefix("\ufeff")
    else:
        try:
            codec, called = encoding_of(raw)
        except UnicodeError as error:
            raise DataError(f"{name} is not a text table: give CSV, TSV or Parquet.") from error
        text = raw.decode(codec, errors="replace").removeprefix("\ufeff")
        note = ""
        if called.startswith("UTF-16"):
            note = f"read as {called}"
        elif called:
            note = f"not UTF-8: read as {called} (--encoding for another)"
    head = text[:SAMPLE]
    odd = sum((ch < " " and ch not in "\t\n\r\f\v") or ch == "\ufffd" for ch in head)
    if odd > 0.01 * len(head):
        raise DataError(f"{name} is not a text table: give CSV, TSV or Parquet.")
    if _MARKUP.match(head):
        raise DataError(f"{name} is a web page or XML, not a table: give CSV, TSV or Parquet.")
    return text.replace("\r\n", "\n").replace("\r", "\n"), codec, note


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point."""
    return _NUMBER.fullmatch(cell.strip()) is not None
