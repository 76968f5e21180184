"""From Parquet files that need not fit in memory to a fitted model, one row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from kiso.comparison import DataError, find_candidate, nearest
from kiso.datasets import ParquetRows, parquet_rows

from ._model import FittedModel

__all__ = ["train_on_files"]

# short name -> module:class of what needs no target
WITHOUT_TARGET = {
    "kmeans": "kiso.cluster:KMeans",
    "minibatchkmeans": "kiso.cluster:MiniBatchKMeans",
}
FEW_CLASSES = 20  # whole numbers with no more values than this in the first rows are classes


def train_on_files(
    pattern: str,
    model: str,
    *,
    target: str | None = None,
    task: Literal["classification", "regression"] | None = None,
    params: Mapping[str, Any] | None = None,
    drop: Sequence[str] = (),
    random_state: int = 0,
    callbacks: Sequence[Any] = (),
) -> tuple[FittedModel, str]:
    """Fit a model to Parquet files, a row group in memory at a time.

    Columns of numbers are the features, scaled to mean 0 and deviation 1 by a first pass; other
    columns are not used.

    Parameters
    ----------
    pattern : str
        Files, as ``data/part-*.parquet``.
    model : str
        Short name or class name of an estimator that fits rows in parts.
    target : str, optional
        The column to predict; for "kmeans" a column that is left out of the features.
    task : {"classification", "regression"}, optional
        Inferred from the target where None.
    params : mapping, optional
        Parameters of the estimator.
    drop : sequence of str
        Columns not to use.
    random_state : int, default=0
    callbacks : sequence
        scikit-learn callbacks for the estimator.

    Returns
    -------
    fitted : FittedModel
    quality : str
        How well it fits these rows, in words.

    Raises
    ------
    DataError
        If files, columns, model or parameters do not fit; in one sentence.
    """
    try:
        rows = parquet_rows(pattern)
        away = {target, *drop} - {None}
        everything = parquet_rows(pattern, rows.names)
        unknown = [name for name in away if name not in everything.columns]
        if unknown:
            raise DataError(
                f"There is no column {unknown[0]!r} in {pattern}; there are "
                f"{', '.join(everything.columns)}."
            )
        features = [name for name in rows.columns if name not in away]
        unused = [name for name in everything.columns if name not in features and name != target]
        return _train(
            rows[features], model, target, task, params or {}, unused, random_state, callbacks
        )
    except (ValueError, TypeError, FileNotFoundError) as error:
        raise error if isinstance(error, DataError) else DataError(f"{error}") from error


def _train(
    rows: ParquetRows,
    model: str,
    target: str | None,
    task: Any,
    params: Mapping[str, Any],
    unused: list[str],
    seed: int,
    callbacks: Sequence[Any],
) -> tuple[FittedModel, str]:
    known = WITHOUT_TARGET.get(model.strip().lower())
    if known is not None:
        estimator, task = _without_target(known, params, seed), "clustering"
    else:
        if target is None:
            near = nearest(model.strip().lower(), list(WITHOUT_TARGET)) or list(WITHOUT_TARGET)
            raise DataError(
                f"Say which column to predict, with --target; without one there is "
                f"{', '.join(near)}."
            )
        task = task or _task_of(rows[target])
        estimator = _with_target(model, task, params, seed)
    scaler = StandardScaler()
    for block in rows.blocks():
        if len(block):
            scaler.partial_fit(block)
    scaled = rows.map(scaler.transform)
    if callbacks and hasattr(estimator, "set_callbacks"):
        estimator.set_callbacks(*callbacks)
    y = None if task == "clustering" or target is None else rows[target]
    estimator.fit(*((scaled,) if y is None else (scaled, y)))
    if callbacks and hasattr(estimator, "set_callbacks"):
        estimator.set_callbacks()
    classes = [str(name) for name in getattr(estimator, "classes_", ())]
    fitted = FittedModel(
        pipeline=Pipeline([("scale", scaler), ("model", estimator)]),
        estimator=type(estimator).__name__,
        task=task,
        target=target if y is not None and target else "cluster",
        columns=dict.fromkeys(rows.columns, "number"),
        unused=unused,
        class_names=classes,
        n_rows=rows.n_rows,
        versions={name: version(name) for name in ("kiso", "numpy", "scikit-learn")},
    )
    return fitted, _quality(estimator, scaled, y, task)


def _task_of(column: ParquetRows) -> str:
    """Guess from the first row group what a target is."""
    values = np.asarray(column.read(0))
    if values.dtype.kind == "f":
        whole = np.isfinite(values).all() and (values == np.round(values)).all()
        return "classification" if whole and len(np.unique(values)) <= 2 else "regression"
    few = values.dtype.kind not in "iu" or len(np.unique(values)) <= FEW_CLASSES
    return "classification" if few else "regression"


def _without_target(path: str, params: Mapping[str, Any], seed: int) -> Any:
    module, name = path.split(":")
    make: Callable[..., Any] = getattr(import_module(module), name)
    return _with_params(make(random_state=seed), params)


def _with_target(model: str, task: Any, params: Mapping[str, Any], seed: int) -> Any:
    return _with_params(find_candidate(model, task).make(seed=seed), params)


def _with_params(estimator: Any, params: Mapping[str, Any]) -> Any:
    unknown = [name for name in params if name not in estimator.get_params()]
    if unknown:
        raise DataError(
            f"{type(estimator).__name__} has no parameter {unknown[0]!r}; "
            f"it has {', '.join(sorted(estimator.get_params()))}."
        )
    return estimator.set_params(**params)


def _quality(estimator: Any, scaled: Any, y: Any, task: str) -> str:
    if task == "clustering":
        return f"inertia {estimator.inertia_:.6g} (columns scaled to deviation 1)"
    label = "accuracy" if task == "classification" else "R²"
    return f"{label} {estimator.score(scaled, y):.4f} on the rows that it was fitted on"
