"""`kiso warm`: compile in advance, so that no fit has to wait for the compiler."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ._console import err, out

FIRST_RUN = frozenset({"compare", "fit", "predict"})


@click.command()
@click.option("--jobs", type=click.IntRange(min=1), help="Processes (the number of cores).")
@click.option("--level", metavar="NAME", help="x86-64-v3, x86-64-v4 or aarch64 (this machine's).")
def command(jobs: int | None, level: str | None) -> None:
    """Compile the loops of all estimators once, on all cores, and keep them for this user.

    It is needed where kiso was installed without compiled loops (an editable installation, or
    another version of Numba than the one that the wheel was built with) and only saves time:
    what is not compiled in advance is compiled when it is first called.
    """
    from kiso.precompile import precompile

    with _bar() as progress:
        try:
            made = precompile(n_jobs=jobs, level=level, progress=progress)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--level") from None
    size = made.path.stat().st_size / 1e6
    out().print(
        f"{made.n_loops} loops for {made.level}, {size:.1f} MB: {made.path}", soft_wrap=True
    )
    for reason in made.errors:
        err().print(f"left out: {reason}", soft_wrap=True)


def before(name: str | None) -> None:
    """Compile in advance before the first command that fits, where somebody watches."""
    if name not in FIRST_RUN or not sys.stderr.isatty():
        return
    from kiso.precompile import is_precompiled, precompile

    if is_precompiled():
        return
    with _bar() as progress:
        try:
            precompile(only_first=True, progress=progress)
        except (OSError, RuntimeError) as problem:  # it goes on without
            err().print(f"compiling in advance failed, which costs time only: {problem}")


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; nothing elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of "
               "{task.total}"), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Compiling kiso's loops, once", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield show
