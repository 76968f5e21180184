"""The best model of a comparison as a Python script, which scores it on the same folds."""

from __future__ import annotations

from collections.abc import Sequence
from pprint import pformat
from typing import Any

import numpy as np

from ._candidates import Candidate, find_candidate
from ._result import Comparison, Model, Protocol

__all__ = ["script"]

_TEMPLATE = '''"""{title}

Written by kiso compare. Run it to score the model on the folds of that comparison; `model` is
then fitted on all rows, and predicts with `model.predict(table)`.
"""

import numpy as np
{imports}
from kiso.comparison import {names}

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
    weights={weights!r},
)
{thin}metric = choose_metric({metric!r}, problem.task, problem.data.class_counts)
folds = outer_splits(problem, {n_folds}, {n_repeats}, SEED)[: len(CHOSEN)]


def make(settings):
    """Return the preparation of the columns and the model, not yet fitted."""
{make}


scores = []
for (train, test), settings in zip(folds, CHOSEN, strict=True):
    model = make(settings).fit(problem.X.iloc[train], problem.y[train]{weigh_train})
    scores.append(metric.score(model, problem.X.iloc[test], problem.y[test]{weigh_test}))
scores = metric.sign * np.array(scores)
print(f"{{metric.label}} {{scores.mean():.6g}} on {{len(scores)}} held-out folds")
print(*(f"{{score:.6g}}" for score in scores))

{all_rows}truth = problem.labels if problem.task == "classification" else problem.y
model = make(FINAL)
{threshold}model.fit(problem.X, truth{weigh_all})
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
    parts = [find_candidate(name, protocol.task) for name in model.members or [model.name]]
    sparse = {m.name: m.sparse for m in comparison.models}
    by_groups = protocol.splitting == "groups"
    given = {
        key: value for key, value in (options or {}).items() if value not in (None, (), [], "")
    }
    title = f"{model.name} for {data.target!r} of {data.name}".replace('"', "'").replace("\\", "/")
    return _TEMPLATE.format(
        title=f"{title}.",
        imports=_imports(parts, several=bool(model.members)),
        names=_names(model, protocol),
        make=_make(model, parts, sparse, protocol),
        threshold=_threshold(model),
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
        weights=protocol.weights or None,
        thin=f"whole = problem\nproblem = thinned(whole, {protocol.sample_rows}, SEED)\n"
        * bool(protocol.sample_rows),
        all_rows="problem = whole\n" * bool(protocol.sample_rows),
        weigh_train=", model__sample_weight=problem.weights[train]" * bool(protocol.weights),
        weigh_test=", problem.weights[test]" * bool(protocol.weights),
        weigh_all=", model__sample_weight=problem.weights" * bool(protocol.weights),
        n_folds=protocol.n_folds,
        n_repeats=protocol.n_repeats,
        metric=protocol.metric,
    )


def _imports(parts: list[Candidate], *, several: bool) -> str:
    """Return the lines that import the estimators; scikit-learn's before kiso's."""
    found: dict[str, list[str]] = {}
    for candidate in parts:
        module, _, name = candidate.path.partition(":")
        found.setdefault(module, []).append(name)
    if several:
        found["sklearn.pipeline"] = ["Pipeline"]
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in found.items()]
    foreign = sorted(line for line in lines if not line.startswith("from kiso"))
    own = sorted(line for line in lines if line.startswith("from kiso"))
    return "\n".join([*foreign, "", *own]).rstrip("\n") + "\n" * (not own)


def _names(model: Model, protocol: Protocol) -> str:
    """Return what the script imports of kiso.comparison."""
    names = ["choose_metric", "load", "make_pipeline_for", "outer_splits", "pose"]
    if model.members:
        names.append("BlendClassifier" if protocol.task == "classification" else "BlendRegressor")
    names += ["CalibratedClassifier"] * bool(protocol.calibrate and not model.baseline)
    names += ["ThresholdClassifier"] * bool(model.choice)
    names += ["thinned"] * bool(protocol.sample_rows)
    if len(names) == 5:
        return ", ".join(names)
    listed = "".join(f"    {name},\n" for name in sorted(names))
    return f"(\n{listed})"


def _make(model: Model, parts: list[Candidate], sparse: dict[str, bool], protocol: Protocol) -> str:
    """Return the body of `make`."""

    def pipeline(candidate: Candidate, settings: str) -> str:
        made = f"{candidate.class_name}(**{settings})"
        if protocol.calibrate and not candidate.baseline:
            made = f"CalibratedClassifier({made}, {protocol.calibrate!r}, random_state=SEED)"
        flag = ", sparse=True" if sparse.get(candidate.name) else ""
        return f"make_pipeline_for(problem.columns, {made}, len(problem.y){flag})"

    if not model.members:
        return f"    return {pipeline(parts[0], 'settings')}"
    lines = "".join(f"        {pipeline(c, f'settings[{c.name!r}]')},\n" for c in parts)
    blend = "BlendClassifier" if protocol.task == "classification" else "BlendRegressor"
    return f"    members = [\n{lines}    ]\n    return Pipeline([('model', {blend}(members))])"


def _threshold(model: Model) -> str:
    """Return the lines that put the threshold of least cost around the final model."""
    if model.choice is None:
        return ""
    return (
        "# the threshold of least cost, by all held-out rows\n"
        f"threshold, positive = {model.choice.threshold!r}, {model.choice.positive!r}\n"
        "model.set_params(model=ThresholdClassifier(model['model'], threshold, positive))\n"
    )


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        k: _plain(v) if isinstance(v, dict) else v.item() if isinstance(v, np.generic) else v
        for k, v in settings.items()
    }
