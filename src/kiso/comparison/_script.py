"""The best model of a comparison as a Python script, which scores it on the same folds."""

from __future__ import annotations

from collections.abc import Sequence
from pprint import pformat
from typing import Any

import numpy as np

from ._candidates import find_candidate
from ._result import Comparison, Model

__all__ = ["script"]

_TEMPLATE = '''"""{title}

Written by kiso compare. Run it to score the model on the folds of that comparison; `model` is
then fitted on all rows, and predicts with `model.predict(table)`.
"""

import numpy as np
{imports}
from kiso.comparison import choose_metric, load, make_pipeline_for, outer_splits, pose

SEED = {seed}
# what the search inside each training fold chose
CHOSEN = {chosen}
# what most folds chose, for the fit on all rows
FINAL = {final}

table = load({source!r}{options})
problem = pose(
    table,
    {target!r},
    {task!r},
    drop={drop!r},
    groups={groups!r},
    time={time!r},
    gap={gap},
    rare={rare!r},
    least={n_folds},
)
metric = choose_metric({metric!r}, problem.task, problem.data.class_counts)
folds = outer_splits(problem, {n_folds}, {n_repeats}, SEED)[: len(CHOSEN)]


def make(settings):
    """Return the preparation of the columns and the model, not yet fitted."""
    return make_pipeline_for(problem.columns, {estimator}(**settings), len(problem.y){sparse})


scores = []
for (train, test), settings in zip(folds, CHOSEN, strict=True):
    model = make(settings).fit(problem.X.iloc[train], problem.y[train])
    scores.append(metric.score(model, problem.X.iloc[test], problem.y[test]))
scores = metric.sign * np.array(scores)
print(f"{{metric.label}} {{scores.mean():.6g}} on {{len(scores)}} held-out folds")
print(*(f"{{score:.6g}}" for score in scores))

truth = problem.labels if problem.task == "classification" else problem.y
model = make(FINAL).fit(problem.X, truth)
'''


def script(
    comparison: Comparison,
    source: str | None,
    *,
    options: dict[str, Any] | None = None,
    drop: Sequence[str] = (),
    rare: str | None = None,
    model: Model | None = None,
) -> str:
    """Return a Python program that scores a model on the folds of a comparison.

    Parameters
    ----------
    comparison : Comparison
    source : str or None
        What `load` takes: a file, or the name of a bundled data set.
    options : dict, optional
        How the file was read.
    drop : sequence of str
        Columns that were not used.
    rare : str, optional
        What became of rare classes.
    model : Model, optional
        The best where None.

    Raises
    ------
    ValueError
        If no model has a score.
    """
    model = model or comparison.best
    if model is None or not model.settings:
        raise ValueError("no model has a score: there is nothing to write a script of")
    protocol, data = comparison.protocol, comparison.data
    candidate = find_candidate(model.name, protocol.task)
    module, _, name = candidate.path.partition(":")
    by_groups = protocol.splitting == "groups"
    given = {
        key: value for key, value in (options or {}).items() if value not in (None, (), [], "")
    }
    title = f"{model.name} for {data.target!r} of {data.name}".replace('"', "'").replace("\\", "/")
    return _TEMPLATE.format(
        title=f"{title}.",
        imports=f"\nfrom {module} import {name}"
        if module.startswith("kiso")
        else f"from {module} import {name}\n",
        seed=protocol.seed,
        chosen=pformat([_plain(s) for s in model.settings], width=96, sort_dicts=False),
        final=pformat(
            _plain(model.final_settings or model.settings[0]), width=96, sort_dicts=False
        ),
        source=source,
        options="".join(f", {key}={value!r}" for key, value in given.items()),
        target=data.target,
        task=protocol.task,
        drop=list(drop),
        groups=protocol.split_columns[0] if by_groups else None,
        time=list(protocol.split_columns) if protocol.splitting == "time" else [],
        gap=protocol.gap,
        rare=rare,
        n_folds=protocol.n_folds,
        n_repeats=protocol.n_repeats,
        metric=protocol.metric,
        estimator=name,
        sparse=", sparse=True" if model.sparse else "",
    )


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in settings.items()}
