"""`kiso predict`: what a fitted model says of the rows of a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ._console import err, fail
from ._reading import load_table, reading_options

if TYPE_CHECKING:
    import pandas as pd

    from kiso.persistence import FittedModel


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA")
@click.option("-o", "--output", metavar="FILE",
              help="CSV, TSV or Parquet, also .gz; standard output where not given.")  # fmt: skip
@click.option("--proba", is_flag=True, help="Also write the probability of each class.")
@click.option("--strict", is_flag=True, help="A cell that cannot be read is an error.")
@reading_options
@click.option("--keep", is_flag=True, help="Write the columns of DATA beside the predictions.")
def command(
    model: str,
    data: str,
    output: str | None,
    proba: bool,
    keep: bool,
    strict: bool,
    **options: Any,
) -> None:
    """Predict with the fitted MODEL (a file of `kiso fit`) for each row of the table DATA.

    DATA is read as the file was that the model was fitted on. The result has one row for each
    row of DATA, in its order. Columns that the model needs have to be there and of the kind that
    they were in training; others are not used. A row with a cell that cannot be read has no
    prediction, and is listed; with --strict it is an error.
    """
    from kiso.persistence import load_model, predict_table

    try:
        fitted = load_model(model)
    except OSError as error:
        fail(f"{model} cannot be read: {error.strerror or error}.", 2)
    table = load_table(data, {**options, **_as_in_training(fitted, options)})
    predictions, notes = predict_table(fitted, table, probabilities=proba, strict=strict)
    for note in [*_versions(fitted), *notes]:
        err().print(f"note: {note}", soft_wrap=True)
    if fitted.target in table.frame:
        _score(fitted, table.frame, predictions)
    if keep:
        predictions = table.frame.assign(**{str(c): predictions[c] for c in predictions})
    try:
        _write(predictions, output)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        fail(f"{output} cannot be written: {error}.", 2)


def _as_in_training(fitted: FittedModel, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of reading that the model brings along, where none are given."""
    stored = fitted.reading
    return {
        "decimal": options["decimal"] or stored.get("decimal") or None,
        "missing": (*stored.get("missing", ()), *options["missing"]),
        "text": (*stored.get("text", ()), *options["text"]),
        "preferred_encoding": stored.get("encoding", ""),
    }


def _versions(fitted: FittedModel) -> list[str]:
    """Say where the file was written by other versions; scikit-learn's matter too."""
    from importlib.metadata import version

    other = [
        f"{name} {written} (here {version(name)})"
        for name, written in fitted.versions.items()
        if name != "numpy" and written != version(name)
    ]
    return [f"the model was fitted with {', '.join(other)}"] if other else []


def _score(fitted: FittedModel, frame: pd.DataFrame, predictions: pd.DataFrame) -> None:
    """The table has the truth: say how well the predictions agree with it."""
    from sklearn.metrics import accuracy_score, r2_score

    truth = frame[fitted.target]
    known = truth.notna().to_numpy() & predictions["prediction"].notna().to_numpy()
    if not known.any():
        return
    predicted = predictions["prediction"].to_numpy()[known]
    if fitted.task == "classification":
        text = [str(value).removesuffix(".0") for value in truth[known]]
        score = accuracy_score(text, [str(value) for value in predicted])
        label = "accuracy"
    elif truth.dtype.kind in "iuf" and known.sum() > 1:
        score, label = r2_score(truth[known], predicted), "R²"
    else:
        return
    err().print(
        f"note: the table has {fitted.target!r}: {label} {score:.4f} on these {known.sum():,} rows",
        soft_wrap=True,
    )


def _write(predictions: pd.DataFrame, output: str | None) -> None:
    if output is None:
        predictions.to_csv(sys.stdout, index=False)
        return
    path = Path(output)
    if path.is_dir():
        raise IsADirectoryError("it is a folder; name a file")
    name = path.name.lower()
    part = path.with_name(f".{path.name}.part")
    try:
        if name.removesuffix(".gz").endswith((".parquet", ".pq")):
            predictions.to_parquet(part, index=False)
        else:
            separator = "\t" if name.removesuffix(".gz").endswith((".tsv", ".tab")) else ","
            packing: Literal["gzip"] | None = "gzip" if name.endswith(".gz") else None
            predictions.to_csv(part, index=False, sep=separator, compression=packing)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
