"""The two consoles of every command: results go to one, progress and messages to the other.

Rich honours NO_COLOR and is plain where the stream is no terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def ending(*, show_traceback: bool) -> Iterator[None]:
    """Turn what a command raises into one sentence on standard error and an exit code.

    The user's mistake (`DataError`) is 2, Ctrl-C 130, anything else 1. A reader of standard
    output that goes away (`kiso compare | head -1`) is no error.
    """
    try:
        yield
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except BrokenPipeError:
        # the interpreter flushes once more at its end: let that go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None
    except Exception as error:
        if show_traceback:
            raise
        from kiso.comparison import DataError

        if isinstance(error, DataError):
            fail(str(error), 2)
        text = " ".join(str(error).split())
        kind = type(error).__name__
        what = f"{kind}: {text}" if text else kind
        fail(f"this should not happen: {what} (kiso --traceback ... shows where)", 1)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # for `ending`

    if hasattr(stream, "reconfigure"):  # a terminal without a sign shows "?", and goes on
        stream.reconfigure(errors="replace")
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return _Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        width=PIPED_WIDTH if piped else None,
    )
