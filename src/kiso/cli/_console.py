"""The two consoles of every command: results go to one, progress and messages to the other.

Rich honours NO_COLOR and is plain where the stream is no terminal.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 120  # columns where nobody says how many there are


def out() -> Console:
    """Return the console on standard output, for results."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console on standard error, for progress and messages."""
    return _console(sys.stderr)


def fail(message: str, code: int) -> NoReturn:
    """Say in one sentence what is wrong, on standard error, and end with an exit code.

    Codes: 2 the user's mistake, 1 our fault, 130 interrupted.
    """
    err().print(f"kiso: {message}", soft_wrap=True)
    raise click.exceptions.Exit(code)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    if hasattr(stream, "reconfigure"):  # a terminal without a sign shows "?", and goes on
        stream.reconfigure(errors="replace")
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        width=PIPED_WIDTH if piped else None,
    )
