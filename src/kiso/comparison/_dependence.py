"""How a model's mean prediction changes with one column, the others being as they are.

    f̄(v) = (1/n) Σᵢ f(v, xᵢ)   (Friedman 2001, "Greedy function approximation", section 8.2)

where xᵢ are the other columns of held-out rows. Columns that go together are pulled apart by
this: where such rows cannot be, so cannot the prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._dates import date_format, to_dates
from ._result import Column, Dependence, Importance
from ._run import Plan

__all__ = ["N_STRONGEST", "dependences"]

N_STRONGEST = 4  # columns
N_ROWS = 200  # held-out rows that are averaged over
N_VALUES = 20
N_CATEGORIES = 8
N_CLASSES = 3


def dependences(
    fitted: Sequence[tuple[Any, Any]], rows: Any, importances: Sequence[Importance], plan: Plan
) -> list[Dependence]:
    """Return the mean predictions along the columns that matter most.

    Parameters
    ----------
    fitted : sequence of (estimator, preparation)
        One model, or several whose mean answers.
    rows : ndarray of int
        Places of rows that the model was not fitted on.
    importances : sequence of Importance
        Largest first.
    plan : Plan

    Raises
    ------
    OutOfBudget
        If time is up.
    """
    problem = plan.problem
    kinds = {column.name: column for column in problem.columns if column.used}
    strongest = [
        kinds[i.column]
        for i in importances
        if i.mean > 0 and i.column in kinds and kinds[i.column].kind != "text"
    ]
    rows = np.sort(np.random.default_rng(plan.seed).permutation(rows)[:N_ROWS])
    classes = _classes(problem.data.class_counts)
    found = []
    for column in strongest[:N_STRONGEST]:
        plan.clock.check()
        values, at = _values(problem.X[column.name], column)
        if len(values) < 2:
            continue
        table = problem.X.iloc[np.tile(rows, len(values))].reset_index(drop=True)
        spread = np.repeat(np.arange(len(values)), len(rows))
        table[column.name] = values.take(spread).reset_index(drop=True)
        answers = [
            _answer(estimator, preparation, table, classes) for estimator, preparation in fitted
        ]
        mean = np.mean(answers, axis=0).reshape(len(values), len(rows), -1).mean(axis=1)
        found.append(
            Dependence(
                column=column.name,
                kind="category" if column.kind in ("category", "boolean") else column.kind,
                at=at,
                mean=mean.tolist(),
                of=[problem.data.class_names[c] for c in classes],
            )
        )
    return found


def _classes(counts: Sequence[int]) -> list[int]:
    """Return the classes that are drawn: of two the rarer, of more the most frequent."""
    if not counts:
        return []
    if len(counts) == 2:
        return [int(counts[1] <= counts[0])]
    return [int(c) for c in np.argsort(-np.asarray(counts), kind="stable")[:N_CLASSES]]


def _answer(estimator: Any, preparation: Any, table: Any, classes: list[int]) -> Any:
    X = preparation.transform(table)
    X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X.tocsr()
    if not classes:
        return np.asarray(estimator.predict(X), dtype=np.float64).reshape(len(table), -1)
    if hasattr(estimator, "predict_proba"):
        proba = np.asarray(estimator.predict_proba(X))
        place = {int(c): j for j, c in enumerate(estimator.classes_)}
        return np.column_stack(
            [proba[:, place[c]] if c in place else np.zeros(len(table)) for c in classes]
        )
    predicted = np.asarray(estimator.predict(X))
    return np.column_stack([(predicted == c).astype(np.float64) for c in classes])


def _values(values: Any, column: Column) -> tuple[Any, list[Any]]:
    """Return some of a column's values, in order, and how they are drawn."""
    present = values.dropna()
    if column.kind in ("category", "boolean"):
        counts = present.astype(object).value_counts()
        kept = present.drop_duplicates()
        kept = kept[kept.isin(counts.index[:N_CATEGORIES])]
        kept = kept.iloc[np.argsort([list(counts.index).index(v) for v in kept])]
        return kept, [str(value) for value in kept]
    if column.kind == "date":
        form = "" if present.dtype.kind == "M" else date_format(present)
        dates = np.asarray(to_dates(present, form), dtype="datetime64[s]")
        numbers = dates.astype(np.int64).astype(np.float64)
    else:
        numbers = present.to_numpy(dtype=np.float64)
    order = np.argsort(numbers, kind="stable")
    low, high = int(0.01 * (len(order) - 1)), int(np.ceil(0.99 * (len(order) - 1)))
    places = order[np.unique(np.linspace(low, high, N_VALUES).round().astype(int))]
    _, first = np.unique(numbers[places], return_index=True)
    places = places[first]
    return present.iloc[places], numbers[places].tolist()
