"""`kiso fit`: one model, fitted to a table, in a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ._console import err, fail, out
from ._reading import load_table, names, reading_options

if TYPE_CHECKING:
    from kiso.comparison import Table
    from kiso.persistence import FittedModel


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="[DATA]", required=False)
@click.option("--target", metavar="COLUMN", help="The column to predict.")
@click.option("-o", "--output", metavar="FILE", help="Where the model goes (MODEL.kiso).")
@click.option("--task", type=click.Choice(["classification", "regression"]),
              help="Inferred from the target where not given.")  # fmt: skip
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True,
              help="A parameter of the model, as C=0.1; may be repeated.")  # fmt: skip
@click.option("--tune", is_flag=True, help="Choose parameters by 3-fold cross-validation.")
@click.option("--drop", metavar="A,B", multiple=True,
              help="Do not use these columns; may be repeated.")  # fmt: skip
@click.option("--rare", type=click.Choice(["drop", "merge"]),
              help="What becomes of classes with fewer than 5 rows.")  # fmt: skip
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option("--calibrate", type=click.Choice(["sigmoid", "isotonic"]),
              help="Calibrate probabilities on held-out parts of the rows.")  # fmt: skip
@click.option("--threshold", metavar="CLASS=P",
              help="Predict this class from a probability of P on (two classes).")  # fmt: skip
@reading_options
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def command(
    model: str,
    data: str | None,
    target: str | None,
    output: str | None,
    task: Literal["classification", "regression"] | None,
    settings: tuple[str, ...],
    tune: bool,
    drop: tuple[str, ...],
    rare: Literal["drop", "merge"] | None,
    weights: str | None,
    calibrate: Literal["sigmoid", "isotonic"] | None,
    threshold: str | None,
    seed: int,
    **options: Any,
) -> None:
    """Fit MODEL (logistic, ridge, ...) to the table DATA and write it to a file.

    Several models joined by + (logistic+forest) are fitted all, and answer with their mean.

    DATA is a CSV, TSV or Parquet file, or the name of a data set that scikit-learn bundles.
    The columns are prepared as in `kiso compare`, and the preparation is part of the model.

    A pattern of Parquet files, as 'data/part-*.parquet', is read a row group at a time, so the
    rows need not fit in memory; columns of numbers are used, scaled to deviation 1. There MODEL
    may also be kmeans or minibatchkmeans.
    """
    from kiso.persistence import parse_params, save_model, train_model

    path = Path(output or f"{model.lower()}.kiso")
    if path.is_dir() or not path.parent.is_dir():
        fail(f"{path} cannot be written: name a file in a folder that exists.", 2)
    params = parse_params(settings)
    if data is not None and _is_pattern(data):
        if tune or rare or weights or calibrate or threshold:
            fail(
                "--tune, --rare, --weights, --calibrate and --threshold need a table in memory: "
                "give one file.",
                2,
            )
        _fit_files(data, model, path, target=target, task=task, params=params,
                   drop=names(drop), random_state=seed)  # fmt: skip
        return
    table = load_table(data, options)
    target = _target(table, target)
    with _steps(model) as callbacks, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = train_model(
            table, target, model, task=task, params=params, tune=tune,
            drop=names(drop, table), rare=rare, weights=weights,
            calibrate=calibrate, threshold=_threshold(threshold),
            random_state=seed, callbacks=callbacks,
        )  # fmt: skip
    try:
        save_model(fitted, path)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}.", 2)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        err().print(f"warning: {message}", soft_wrap=True)
    _summarise(fitted, table, path)


def _threshold(text: str | None) -> tuple[str, float] | None:
    """Return the class and the probability of "yes=0.2"."""
    if text is None:
        return None
    label, equals, value = text.rpartition("=")
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not equals or not 0 <= found <= 1:
        fail(f"--threshold {text!r}: write the class and a probability, as yes=0.2.", 2)
    return label, found


def _is_pattern(data: str) -> bool:
    return data.endswith((".parquet", ".pq")) and any(mark in data for mark in "*?[")


def _fit_files(data: str, model: str, path: Path, **asked: Any) -> None:
    """Fit to files that are read a row group at a time."""
    from kiso.persistence import save_model, train_on_files

    with _steps(model) as callbacks, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted, quality = train_on_files(data, model, callbacks=callbacks, **asked)
    try:
        save_model(fitted, path)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}.", 2)
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        err().print(f"warning: {message}", soft_wrap=True)
    screen = out()
    what = "" if fitted.task == "clustering" else f" for {fitted.target!r} ({fitted.task})"
    screen.print(
        f"{fitted.estimator}{what}, {fitted.n_rows:,} rows, {len(fitted.columns)} columns",
        soft_wrap=True,
    )
    screen.print(quality, soft_wrap=True)
    if fitted.unused:
        screen.print(f"not used: {', '.join(fitted.unused)}", soft_wrap=True)
    screen.print(f"written to {path} ({path.stat().st_size:,} bytes)", soft_wrap=True)


def _target(table: Table, target: str | None) -> str:
    from kiso.comparison import DataError

    if target or table.default_target:
        return target or table.default_target
    names = ", ".join(map(str, table.frame.columns[:30]))
    raise DataError(f"Say which column of {table.name} to predict, with --target: {names}.")


def _summarise(fitted: FittedModel, table: Table, path: Path) -> None:
    """Say what was fitted, how well it fits its own rows, and what was not used."""
    rows = table.frame[table.frame[fitted.target].notna()]
    score = fitted.pipeline.score(rows[list(fitted.columns)], _truth(fitted, rows))
    label = "accuracy" if fitted.task == "classification" else "R²"
    screen = out()
    screen.print(
        f"{fitted.estimator} for {fitted.target!r} ({fitted.task}), "
        f"{fitted.n_rows:,} rows, {len(fitted.columns)} columns",
        soft_wrap=True,
    )
    screen.print(
        f"{label} {score:.4f} on the {fitted.n_rows:,} rows that it was fitted on; "
        "on new rows it is lower: kiso compare measures that",
        soft_wrap=True,
    )
    for note in fitted.notes:
        screen.print(f"note: {note}", soft_wrap=True)
    if fitted.unused:
        screen.print(f"not used: {', '.join(fitted.unused)}", soft_wrap=True)
    screen.print(f"written to {path} ({path.stat().st_size:,} bytes)", soft_wrap=True)


def _truth(fitted: FittedModel, rows: Any) -> Any:
    """Return the target as the pipeline's classes write it."""
    values = rows[fitted.target].to_numpy()
    if fitted.task == "regression":
        return values.astype(float)
    return values.astype(fitted.pipeline.classes_.dtype)


@contextmanager
def _steps(model: str) -> Iterator[list[Any]]:
    """Show the steps of the fit on standard error, where that is a terminal."""
    console = err()
    if not console.is_terminal:
        yield []
        return
    with console.status(f"fitting {model}") as status:
        yield [_StepLine(lambda text: status.update(f"fitting {model}: {text}"))]


class _StepLine:
    """A callback that says which step a fit has reached."""

    max_propagation_depth = None

    def __init__(self, say: Any):
        self.say = say
        self.n_steps = 0

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing to prepare."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to put away."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing to say before a step."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Count the steps of the model itself."""
        if context.task_name == "step":
            self.n_steps += 1
            self.say(f"step {self.n_steps}")
