"""From a table to a fitted model: the pipeline of `compare`, fitted on all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

from kiso.comparison import (
    Calibrate,
    Candidate,
    DataError,
    Problem,
    Table,
    Task,
    find_candidate,
    make_model,
    members_of,
    pose,
)

from ._drift import profile_of
from ._model import FittedModel

__all__ = ["parse_params", "train_model"]


def train_model(
    table: Table,
    target: str,
    model: str,
    *,
    task: Task | None = None,
    params: Mapping[str, Any] | None = None,
    tune: bool = False,
    drop: Sequence[str] = (),
    rare: Literal["drop", "merge"] | None = None,
    weights: str | None = None,
    calibrate: Calibrate | None = None,
    threshold: tuple[str, float] | None = None,
    random_state: int = 0,
    callbacks: Sequence[Any] = (),
) -> FittedModel:
    """Fit one model to all rows of a table that have a target.

    Parameters
    ----------
    table : Table
        From `kiso.comparison.read_table` or `load`.
    target : str
        The column to predict.
    model : str
        Short name ("logistic", "ridge", …) or class name; or several, as "logistic+forest",
        whose mean answers.
    task : {"classification", "regression"}, optional
        Inferred from the target where None.
    params : mapping, optional
        Parameters of the estimator.
    tune : bool, default=False
        Choose the parameters of the model's small grid by 3-fold cross-validation; those in
        `params` stay as given.
    drop : sequence of str
        Columns not to use.
    rare : {"drop", "merge"}, optional
        What becomes of classes with fewer than 5 rows.
    weights : str, optional
        Column that says how much each row counts.
    calibrate : {"sigmoid", "isotonic"}, optional
        Calibrate the probabilities on held-out parts of the rows.
    threshold : (str, float), optional
        A class, and the probability from which on it is predicted.
    random_state : int, default=0
    callbacks : sequence
        scikit-learn callbacks for the pipeline (none while tuning).

    Returns
    -------
    FittedModel

    Raises
    ------
    DataError
        If the table, the target, the model or a parameter does not fit; in one sentence.
    """
    problem = pose(table, target, task, drop=drop, rare=rare, weights=weights)
    candidates = [find_candidate(name, problem.task) for name in members_of(model)]
    pipeline = make_model(
        problem, model, params=params, random_state=random_state, calibrate=calibrate or "",
        threshold=threshold,
    )  # fmt: skip
    weighed = {} if problem.weights is None else {"model__sample_weight": problem.weights}
    names = " + ".join(candidate.class_name for candidate in candidates)
    labels = problem.labels if problem.task == "classification" else problem.y
    try:
        if tune and (len(candidates) > 1 or calibrate or threshold):
            raise DataError(
                "--tune is for one model, neither calibrated nor with a threshold: set what kiso "
                "compare chose, with --set."
            )
        if tune and candidates[0].grid:
            pipeline = _tuned(
                pipeline, candidates[0], params or {}, problem, labels, random_state, weighed
            )
        else:
            if callbacks and len(candidates) == 1 and not (calibrate or threshold):
                pipeline.set_callbacks(*callbacks)
            pipeline.fit(problem.X, labels, **weighed)
            pipeline.set_callbacks()
    except (ValueError, TypeError) as error:
        raise DataError(f"{names} cannot be fitted: {error}") from error
    return FittedModel(
        pipeline=pipeline,
        estimator=names,
        task=problem.task,
        target=problem.data.target,
        columns={column.name: column.kind for column in problem.columns if column.used},
        unused=[column.name for column in problem.columns if not column.used],
        class_names=list(problem.data.class_names),
        n_rows=len(problem.y),
        notes=list(problem.data.notes),
        versions={name: version(name) for name in ("kiso", "numpy", "scikit-learn")},
        reading=reading_of(table, problem),
        profile=profile_of(problem.X, problem.columns),
    )


def reading_of(table: Table, problem: Problem) -> dict[str, Any]:
    """Return how a table was read, so that new files are read as it was."""
    found = table.decisions
    return {
        "encoding": found.encoding,
        "decimal": found.decimal if found.delimiter else "",
        "missing": list(found.missing),
        "text": [c.name for c in problem.columns if c.used and c.kind in ("category", "text")],
        "units": {name: c.unit for name, c in found.columns.items() if c.unit},
    }


def parse_params(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn "C=0.1", "penalty=l1", "fit_intercept=false" into parameters.

    A value is read as JSON where it is JSON (numbers, true, false, null, lists), else as
    text; Python's True, False and None do too.

    Raises
    ------
    DataError
        For an assignment without a name or an equals sign.

    Examples
    --------
    >>> parse_params(["C=0.1", "solver=lbfgs", "fit_intercept=False"])
    {'C': 0.1, 'solver': 'lbfgs', 'fit_intercept': False}
    """
    import json

    params: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.strip():
            raise DataError(f"{assignment!r} is no setting: write name=value, as C=0.1.")
        literal = {"True": "true", "False": "false", "None": "null"}.get(text.strip(), text)
        try:
            value = json.loads(literal)
        except json.JSONDecodeError:
            value = text.strip()
        params[name.strip()] = value
    return params


def _tuned(
    pipeline: Any,
    candidate: Candidate,
    params: Mapping[str, Any],
    problem: Problem,
    labels: Any,
    seed: int,
    weighed: Mapping[str, Any],
) -> Any:
    grid = {
        f"model__{name}": [candidate.scaled({name: value}, problem.y)[name] for value in values]
        for name, values in candidate.grid.items()
        if name not in params
    }
    smallest = min(problem.data.class_counts or [len(problem.y)])
    if smallest < 2:
        raise DataError("Tuning needs at least 2 rows of every class.")
    kind = StratifiedKFold if problem.task == "classification" else KFold
    folds = kind(min(3, smallest), shuffle=True, random_state=seed)
    search = GridSearchCV(pipeline, grid, cv=folds, error_score="raise")
    return search.fit(problem.X, np.asarray(labels), **weighed).best_estimator_
