"""`kiso export`: a fitted model as an ONNX file."""

from __future__ import annotations

import click

from ._console import fail, out


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("output", metavar="OUT.onnx")
def command(model: str, output: str) -> None:
    """Write the fitted MODEL (a file of `kiso fit`) as ONNX, which other programs run.

    The graph has an input for each column: numbers as doubles (NaN is missing), dates as
    seconds since 1970, categories as strings ("" is missing), each of shape (rows, 1).
    """
    from kiso.persistence import export_onnx, load_model

    try:
        fitted = load_model(model)
    except OSError as error:
        fail(f"{model} cannot be read: {error.strerror or error}.", 2)
    try:
        path = export_onnx(fitted, output)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror or error}.", 2)
    out().print(
        f"{fitted.estimator} for {fitted.target!r} written to {path} "
        f"({path.stat().st_size:,} bytes); inputs: {', '.join(map(repr, fitted.columns))}",
        soft_wrap=True,
    )
