"""The mean answer of the leaders, scored on the folds that they have been through.

It costs no fit: the members' answers for the held-out rows of each fold are there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._blend import Given, GivenNumbers
from ._metrics import Answers, Metric
from ._result import Model, levelled
from ._run import Plan, Runner

__all__ = ["ENSEMBLE", "N_MEMBERS", "Ensemble", "joined", "make_ensemble"]

ENSEMBLE = "ensemble"  # its name in the table
N_MEMBERS = 3
GAIN = 0.8  # of the best member's gain over the baseline, that a member has
SAME = 0.995  # correlation of held-out answers from which two members are one


class Ensemble:
    """A model that is the mean of others.

    Attributes
    ----------
    model : Model
    members : list of Runner
    """

    def __init__(self, model: Model, members: list[Runner]):
        self.model = model
        self.members = members


def make_ensemble(runners: Sequence[Runner], plan: Plan) -> Ensemble | None:
    """Return the mean of up to three leaders; None where there are no two that differ."""
    members = _members(runners, plan)
    if len(members) < 2:
        return None
    names = [runner.model.name for runner in members]
    n = min(runner.n_done for runner in members)
    model = Model(
        name=ENSEMBLE,
        estimator="Blend",
        description=f"The mean answer of {', '.join(names[:-1])} and {names[-1]}.",
        baseline=False,
        status="done" if n == len(plan.splits) else "out of budget",
        members=names,
    )
    if model.status != "done":
        model.message = f"its members share {n} of {len(plan.splits)} folds"
    for j in range(n):
        answers = joined([_answer(runner, j) for runner in members])
        try:
            score = _score(plan.metric, answers, plan, j)
        except ValueError:
            return None
        model.scores.append(score)
        for metric in plan.also:
            try:
                found = _score(metric, answers, plan, j)
            except (ValueError, AttributeError):
                found = float("nan")
            model.other_scores.setdefault(metric.name, []).append(found)
        for name in ("fit_seconds", "refit_seconds", "predict_seconds"):
            spent = sum(getattr(runner.model, name)[j] for runner in members)
            getattr(model, name).append(spent)
        model.settings.append({r.model.name: r.model.settings[j] for r in members})
    return Ensemble(model, members)


def joined(answers: Sequence[Any]) -> Any:
    """Return the mean of answers: arrays (rows, classes) or (rows,) as an estimator gives them."""
    mean = np.mean(answers, axis=0)
    return Given(mean) if mean.ndim == 2 else GivenNumbers(mean)


def _score(metric: Metric, answers: Any, plan: Plan, j: int) -> float:
    test = plan.splits[j][1]
    weights = plan.problem.weights
    return metric.score(
        Answers(answers), None, plan.problem.y[test], None if weights is None else weights[test]
    )


def _answer(runner: Runner, j: int) -> Any:
    held = runner.held_out[j]
    return held.predicted if runner.plan.problem.task == "regression" else held.probability


def _members(runners: Sequence[Runner], plan: Plan) -> list[Runner]:
    """Return the leaders that have an answer to average, none twice."""
    able = [
        r
        for r in runners
        if r.model.scores
        and not r.model.baseline
        and r.model.status in ("done", "out of budget", "interrupted")
        and all(_answer(r, j) is not None for j in range(r.n_done))
    ]
    most = max((r.n_done for r in able), default=0)
    able = [r for r in able if r.n_done == most]
    means = levelled([r.model for r in runners])
    able.sort(key=lambda r: -means[r.model.name])
    base = next((means[r.model.name] for r in runners if r.model.baseline and r.model.scores), None)
    members: list[Runner] = []
    for runner in able:
        mine, best = means[runner.model.name], means[able[0].model.name]
        behind = base is not None and (mine <= base or mine - base < GAIN * (best - base))
        if behind or any(_same(runner, member) for member in members):
            continue
        members.append(runner)
        if len(members) == N_MEMBERS:
            break
    return members


def _same(one: Runner, other: Runner) -> bool:
    a, b = (
        np.concatenate([np.ravel(_answer(r, j)) for j in range(r.n_done)]) for r in (one, other)
    )
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return True
    with np.errstate(all="ignore"):
        return bool(np.corrcoef(a, b)[0, 1] >= SAME)
