"""`kiso reproduce`: run the experiments, show claim, measurement and verdict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import TYPE_CHECKING

import click

from ._console import err, fail, out

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table
    from rich.text import Text

    from kiso.experiments import Experiment
    from kiso.report import ExperimentResult
    from kiso.report import ExperimentStatus as Status


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "listed", is_flag=True, help="List the experiments and run none.")
@click.option("--all", "every", is_flag=True, help="Run all that do not take minutes.")
@click.option("--slow", is_flag=True, help="Run all, those that take minutes too.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0),
              help="Seed of every experiment.")  # fmt: skip
@click.option("--jobs", default=1, show_default=True, metavar="N", type=click.IntRange(min=1),
              help="Experiments run at the same time, each in its own process.")  # fmt: skip
@click.option("--report", metavar="DIR", type=click.Path(),
              help="Write a page with the pictures (index.html) into this folder.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON only.")
def command(
    names: tuple[str, ...],
    listed: bool,
    every: bool,
    slow: bool,
    seed: int,
    jobs: int,
    report: str | None,
    as_json: bool,
) -> None:
    """Run experiments: what a text claims, what comes out, and whether it holds.

    Exit code 0 if every claim holds, 1 if one is false or an experiment fails, 2 if the
    command cannot be understood, 130 after Ctrl-C. An experiment whose data are absent is
    skipped and said so; a published number that needs more data or time than there is here is
    "not testable here", which is neither true nor false and is counted apart.
    """
    whole_list = listed and not names
    experiments = _chosen(names, every=every, slow=slow or whole_list)
    if listed:
        _show_list(experiments, as_json=as_json)
        return
    if report is not None:
        _check_folder(report)
    results, interrupted = _run(experiments, seed, pictures=report is not None, jobs=jobs)
    if as_json:
        from kiso.report import experiments_to_dict

        click.echo(json.dumps(experiments_to_dict(results), ensure_ascii=False, allow_nan=False))
    else:
        _show_results(results)
    if report is not None:
        from kiso.report import write_experiments

        try:
            page = write_experiments(results, report)
        except OSError as error:
            fail(str(error), 1)
        if err().is_terminal:
            err().print(f"wrote {page}", soft_wrap=True)
    if interrupted:
        raise click.exceptions.Exit(130)
    if any(result.status in ("false", "failed") for result in results):
        raise click.exceptions.Exit(1)


def _chosen(names: tuple[str, ...], *, every: bool, slow: bool) -> list[Experiment]:
    """Load what was asked for, in that order; a mistake ends here, before anything runs."""
    from kiso import experiments

    known = experiments.names()
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else "see kiso reproduce --list"
            fail(f"there is no experiment {name!r}; {hint}", 2)
    if not (names or every or slow):
        fail("name an experiment, or use --all; --list shows them", 2)
    chosen = [experiments.load(name) for name in dict.fromkeys(names)]
    if every or slow:
        rest = [experiments.load(name) for name in known if name not in names]
        chosen += sorted((e for e in rest if slow or not e.slow), key=experiments.reading_order)
    return chosen


def _check_folder(folder: str) -> None:
    from kiso.report import prepare_folder

    try:
        prepare_folder(folder)
    except OSError as error:
        fail(str(error), 2)


def _run(
    experiments: list[Experiment], seed: int, *, pictures: bool, jobs: int
) -> tuple[list[ExperimentResult], bool]:
    """Run them, in order of the list; what is known after Ctrl-C, and whether there was one."""
    from kiso.report import STATUS_SIGNS, ExperimentResult

    results: list[ExperimentResult] = []
    start = perf_counter()
    try:
        with _live(len(experiments)) as advance:
            advance(experiments[0].name if experiments else "")
            for result in _each(experiments, seed, pictures=pictures, jobs=jobs):
                results.append(result)
                if err().is_terminal:
                    err().print(f"{STATUS_SIGNS[result.status]} {result.experiment.name}")
                after = experiments[len(results) :]
                advance(after[0].name if after else "", 1)
                start = perf_counter()
    except KeyboardInterrupt:
        for i, rest in enumerate(experiments[len(results) :]):
            seconds = perf_counter() - start if i == 0 else 0.0
            message = "interrupted before it came to an end" if i == 0 else "not begun"
            results.append(
                ExperimentResult(rest, "interrupted", seconds=seconds, seed=seed, message=message)
            )
        return results, True
    return results, False


def _each(
    experiments: list[Experiment], seed: int, *, pictures: bool, jobs: int
) -> Iterator[ExperimentResult]:
    """Yield the results as they come, in order; side by side in processes for jobs > 1."""
    if jobs == 1 or len(experiments) < 2:
        for experiment in experiments:
            yield _run_one(experiment, seed, pictures=pictures)
        return
    import os

    from joblib import Parallel, delayed, parallel_config

    threads = max(1, (os.cpu_count() or 1) // jobs)
    with parallel_config("loky", inner_max_num_threads=threads):
        yield from Parallel(n_jobs=jobs, return_as="generator")(
            delayed(_run_named)(experiment.name, seed, pictures) for experiment in experiments
        )


def _run_named(name: str, seed: int, pictures: bool) -> ExperimentResult:
    """`_run_one` in another process: what comes back leaves the arrays behind."""
    from dataclasses import replace

    from kiso import experiments

    result = _run_one(experiments.load(name), seed, pictures=pictures)
    if result.outcome is None:
        return result
    return replace(result, outcome=replace(result.outcome, data={}))


def _run_one(experiment: Experiment, seed: int, *, pictures: bool) -> ExperimentResult:
    """Run one experiment; an error is a result too, so that the others go on."""
    from kiso.datasets import available
    from kiso.report import ExperimentResult, house_style, status_of

    start = perf_counter()
    try:
        absent = [name for name in experiment.needs if not available(name)]
        if absent:
            return ExperimentResult(experiment, "skipped", seed=seed, message=_absent(absent))
        outcome = experiment.run(seed)
    except Exception as error:
        return ExperimentResult(experiment, "failed", seconds=perf_counter() - start, seed=seed,
                                message=_said(error))  # fmt: skip
    spent = perf_counter() - start
    status: Status = status_of(outcome.verdict)
    frames: tuple[Figure, ...] = ()
    figure, message = None, "" if outcome.checks else "it checked nothing"
    if pictures:
        try:
            with house_style():
                figure = experiment.draw(outcome)
                if experiment.animate is not None:
                    frames = tuple(experiment.animate(outcome))
        except Exception as error:
            status, message = "failed", f"its picture: {_said(error)}"
    return ExperimentResult(experiment, status, outcome, spent, seed, message, figure, frames)


def _absent(names: list[str]) -> str:
    """Say which data sets are absent, and what to do."""
    from kiso.datasets import data_home

    calls = ", ".join(f"kiso.datasets.fetch_{name.replace('-', '_')}()" for name in names)
    return (
        f"needs data that are absent: {', '.join(names)}. Download once with {calls}, which puts "
        f"them into {data_home()}; or name a folder that has them in KISO_DATA"
    )


def _said(error: Exception) -> str:
    """Return an error in one line: its kind, its message, where it was raised."""
    text = " ".join(str(error).split())
    frames = extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


@contextmanager
def _live(total: int) -> Iterator[Callable[..., None]]:
    """Show what runs and how long it may take, on standard error and only on a terminal."""
    console = err()
    if not console.is_terminal:
        yield lambda name, done=0: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda name, done=0: progress.update(task, description=name, advance=done)


_COLOURS: dict[Status, str] = {"holds": "green", "false": "red", "failed": "red"}


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(
            column,
            overflow="fold",
            justify="right" if column in ("time", "rows") else "left",
            min_width={"verdict": 8, "time": 6}.get(column),
        )
    return table


def _show_list(experiments: list[Experiment], *, as_json: bool) -> None:
    if as_json:
        fields = ("name", "title", "rows", "claim", "source", "slow", "needs")
        listed = [{field: getattr(e, field) for field in fields} for e in experiments]
        click.echo(json.dumps({"schema": "kiso.experiments/1", "experiments": listed}))
        return
    from rich.text import Text

    table = _table("name", "title", "rows", "")
    for e in experiments:
        flags = (["slow"] if e.slow else []) + [f"needs {name}" for name in e.needs]
        rows = ", ".join(map(str, e.rows))
        table.add_row(*map(Text, (e.name, e.title, rows, ", ".join(flags))))
    out().print(table)


def _show_results(results: list[ExperimentResult]) -> None:
    from rich.text import Text

    from kiso.report import STATUS_SIGNS, measured, status_of, status_words, words

    table = _table("experiment", "claim", "claimed", "measured", "verdict", "time")
    for result in results:
        name, time = result.experiment.name, words.seconds(result.seconds) if result.seconds else ""
        for check in result.checks:
            verdict = _verdict(status_of(check.holds))
            cells = map(Text, (name, check.what, check.claimed, measured(check)))
            table.add_row(*cells, verdict, time)
            name = time = ""
        if not result.checks:
            table.add_row(Text(name), "", "", "", _verdict(result.status), time)
    out().print(table)
    for result in results:
        if result.message:
            out().print(f"{result.experiment.name}: {result.status}: {result.message}")
    counts = Counter(result.status for result in results)
    parts = [
        f"{counts[status]} {status_words(status)}" for status in STATUS_SIGNS if counts[status]
    ]
    number = "1 experiment" if len(results) == 1 else f"{len(results)} experiments"
    out().print(f"{number}: {', '.join(parts)}")


def _verdict(status: Status) -> Text:
    from rich.text import Text

    from kiso.report import verdict_words

    return Text(verdict_words(status), style=_COLOURS.get(status, ""), no_wrap=True)
