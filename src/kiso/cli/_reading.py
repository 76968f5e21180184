"""Options that say how a file is read: the same for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kiso.comparison import Table

_OPTIONS = (
    click.option("--encoding", metavar="CODEC", help="As utf-8, cp932, cp1252; else found out."),
    click.option("--delimiter", metavar="CHARACTER", help="Between cells; else found out."),
    click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark; else found out."),
    click.option("--header/--no-header", default=None,
                 help="Whether the first line names the columns; else found out."),
    click.option("--missing", multiple=True, metavar="VALUE",
                 help="This is missing too, as -999, or COLUMN=VALUE; may be repeated."),
    click.option("--text", multiple=True, metavar="COLUMN",
                 help="This column is text whatever it holds; may be repeated."),
    click.option("--drop-rows", metavar="N,N-N", help="Leave out these rows, counted from 1."),
)  # fmt: skip
NAMES = ("encoding", "delimiter", "decimal", "header", "missing", "text", "drop_rows")


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of reading."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def load_table(data: str | None, options: dict[str, Any]) -> Table:
    """Return the table that `data` names, read as the options say.

    Parameters
    ----------
    data : str or None
        A file, or the name of a bundled data set.
    options : dict
        The command's own, from which those of reading are taken out.
    """
    from kiso.comparison import load

    asked = {name: options.pop(name) for name in NAMES}
    asked["text"] = list(asked["text"])
    if preferred := options.pop("preferred_encoding", ""):
        asked["preferred_encoding"] = preferred
    asked["drop_rows"] = rows(asked["drop_rows"])
    if asked["delimiter"] in ("tab", "\\t"):
        asked["delimiter"] = "\t"
    return load(data, **asked)


def names(listed: tuple[str, ...], table: Table | None = None) -> list[str]:
    """Return names given one an option or with commas; a column may have a comma in its own."""
    columns = set(map(str, table.frame.columns)) if table is not None else set()
    found = []
    for text in listed:
        parts = [text] if text.strip() in columns else text.split(",")
        found += [part.strip() for part in parts if part.strip()]
    return found


def rows(listed: str | None) -> list[int]:
    """Return the rows of "17,40-42".

    Raises
    ------
    DataError
        If it is no such list.
    """
    from kiso.comparison import DataError

    found: list[int] = []
    for part in (listed or "").split(","):
        first, dash, last = part.strip().partition("-")
        if not first and not dash:
            continue
        if not first.isdigit() or (dash and not last.isdigit()):
            raise DataError(f"--drop-rows {listed!r} is no list of rows: write 17,40-42.")
        found += range(int(first), int(last if dash else first) + 1)
    return found
