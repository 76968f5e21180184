"""What makes folds at random mislead: found in the table, confirmed by the scores.

Groups of rows and an order of time are suspected from the columns; what the score becomes when
the folds respect them is measured with the best model, so that the warning has both numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._clock import OutOfBudget
from ._findings import group_columns, inspect, leaks, option, time_columns
from ._folds import by_groups, by_time, prepare
from ._metrics import Answers
from ._result import Data, Finding, Model, levelled
from ._run import Plan, Runner, most_chosen
from ._table import Table
from ._task import Problem, place_in_time
from .detectors import GroupColumn, TimeColumn

__all__ = ["Suspects", "confirm", "look"]

N_FOLDS = 5
MAX_TRIED = 3  # columns of unsure groups whose folds are tried


@dataclass
class Suspects:
    """Columns that say which rows belong together, and when rows were."""

    groups: list[GroupColumn] = field(default_factory=list)
    times: list[TimeColumn] = field(default_factory=list)
    frame: Any = None  # the rows that are used, all columns

    def __bool__(self) -> bool:
        return bool(self.groups or self.times)


def look(table: Table, plan: Plan, *, random_split: bool) -> Suspects:
    """Add what is wrong with the table to the findings; return what the scores have to confirm."""
    problem = plan.problem
    data = problem.data
    frame = table.frame.iloc[problem.rows].reset_index(drop=True)
    for found in inspect(frame):
        found.rows = [int(problem.rows[row]) for row in found.rows]
        data.findings.append(found)
    groups = group_columns(frame, problem.columns, data.target)
    times = time_columns(frame, problem.columns, data.target)
    apart = [group.name for group in groups if group.sure] + [time.name for time in times]
    given = leaks(
        problem.X, problem.y, problem.columns, target=data.target,
        classes=problem.task == "classification", apart=apart, seed=plan.seed,
    )  # fmt: skip
    # a column that is a leak by itself is that, and no unsure group
    gone = {name for found in given for name in found.columns}
    data.findings += given
    if not random_split:
        return Suspects()
    groups = [group for group in groups if group.name not in gone]
    dates = [column for column in problem.columns if column.kind == "date" and column.used]
    if dates and not times:
        data.notes.append(
            f"folds are at random: scores are of dates in between, not of a forecast "
            f"({option('--time', dates[0].name)} for that)."
        )
    return Suspects(groups, times, frame)


def confirm(suspects: Suspects, runners: Sequence[Runner], plan: Plan) -> None:
    """Measure the best model with folds that respect groups and time; add findings.

    Stops where time is up: what is sure from the columns alone is said then without a score.
    """
    if not suspects:
        return
    best = _best(runners)
    data = plan.problem.data
    sure = [group for group in suspects.groups if group.sure][:1]
    for group in sure or suspects.groups[:MAX_TRIED]:
        scores = [] if best is None else _scores_by_group(best, plan, suspects.frame[group.name])
        finding = _groups_finding(group, best, scores, data, plan)
        if finding is not None:
            data.findings.insert(0, finding)
            break
    for time in suspects.times[:1]:
        scores = [] if best is None else _scores_by_time(best, plan, suspects.frame[time.name])
        finding = _time_finding(time, best, scores, plan)
        if finding.remedy:
            data.findings.insert(0, finding)
        else:
            data.notes.append(finding.message)


def _best(runners: Sequence[Runner]) -> Runner | None:
    able = [r for r in runners if r.model.scores and not r.model.baseline]
    most = max((r.n_done for r in able), default=0)
    able = [r for r in able if r.n_done >= min(most, N_FOLDS)]
    means = levelled([runner.model for runner in able])
    return max(able, key=lambda r: means[r.model.name]) if able else None


def _scores_by_group(runner: Runner, plan: Plan, values: Any) -> list[float]:
    import pandas as pd

    problem = plan.problem
    groups = pd.factorize(values, use_na_sentinel=False)[0]
    n_folds = min(N_FOLDS, int(groups.max()) + 1)
    stratified = problem.task == "classification"
    splits = by_groups(problem.y, groups, n_folds, plan.seed, stratified=stratified)
    return _scores(runner, plan, splits, without=str(values.name))


def _scores_by_time(runner: Runner, plan: Plan, values: Any) -> list[float]:
    places = np.unique(place_in_time(values), return_inverse=True)[1]
    return _scores(runner, plan, by_time(places, N_FOLDS))


def _scores(runner: Runner, plan: Plan, splits: list[Any], without: str = "") -> list[float]:
    """Fit the model, with the parameters that most folds chose, on other folds."""
    problem = plan.problem if not without else _without(plan.problem, without)
    found: list[float] = []
    for train, test in splits:
        try:
            part = prepare(problem, train, test, sparse=runner.sparse)
            estimator = runner.fit(most_chosen(runner.model), part, count=False)
            found.append(plan.metric.of(Answers(estimator), part))
        except OutOfBudget:
            break
        except Exception:  # a fold without one of the classes, say: the others tell enough
            continue
    return found


def _without(problem: Problem, name: str) -> Problem:
    columns = [
        dataclasses.replace(column, used=column.used and column.name != name)
        for column in problem.columns
    ]
    if not any(column.used for column in columns):
        return problem
    X = problem.X.drop(columns=name, errors="ignore")
    return dataclasses.replace(problem, columns=columns, X=X)


def _fallen(model: Model, scores: list[float], plan: Plan, least: float) -> bool:
    """Whether scores are lower by more than the folds differ, and than a share of the room.

    By their median, and its median distance: one fold that is far out neither makes a fall nor
    hides one.
    """
    middle = float(np.median(scores))
    fall = model.mean - middle
    room = abs(model.mean) if plan.metric.sign < 0 else max(1e-12, 1.0 - middle)
    noise = model.spread if np.isfinite(model.spread) else 0.0
    if len(scores) > 1:
        distance = 1.4826 * float(np.median(np.abs(np.asarray(scores) - middle)))
        noise = float(np.hypot(noise, distance)) / np.sqrt(len(scores))
    return bool(fall > max(2 * noise, least * room))


def _groups_finding(
    group: GroupColumn, best: Runner | None, scores: list[float], data: Data, plan: Plan
) -> Finding | None:
    sizes = f"{group.least}" if group.least == group.most else f"{group.least} to {group.most}"
    constant = [repr(name) for name in group.constant if name != data.target]
    if data.target in group.constant:
        constant.insert(0, f"the target {data.target!r}")
    shown = constant[:3]
    if len(constant) > 3:
        shown.append(f"{len(constant) - 3} more")
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    what = (
        f"each of the {group.n_groups:,} values of {group.name!r} stands in {sizes} rows that "
        f"have {listed} in common"
    )
    remedy = option("--groups", group.name)
    if best is None or not scores:
        if not group.sure:
            return None
        text = f"{what}: with some of them in training and some in test rows, scores are too high."
        return Finding("groups", text, remedy, [group.name])
    if not group.sure and not _fallen(best.model, scores, plan, 0.1):
        return None
    text = f"{what}: {_both(best, scores, plan)} where no {group.name!r} is in both training and test rows."  # noqa: E501
    return Finding("groups", text, remedy, [group.name])


def _time_finding(
    time: TimeColumn, best: Runner | None, scores: list[float], plan: Plan
) -> Finding:
    where = (
        f"the rows stand in the order of {time.name!r}"
        if time.in_order
        else f"the values of {time.name!r} lie on an even grid"
    )
    if time.step and not time.step.isdigit():
        where += f", {time.step} apart"
    remedy = option("--time", time.name)
    if best is None or not scores:
        text = f"{where}: folds at random fill gaps in time, a forecast scores lower."
        return Finding("time", text, remedy, [time.name])
    both = _both(best, scores, plan)
    if _fallen(best.model, scores, plan, 0.02):
        text = f"{where}: {both} where each fold is tested on what comes after its training rows."
        return Finding("time", text, remedy, [time.name])
    text = f"{where}: {both} forward in time ({remedy}), hardly less."
    return Finding("time", text, "", [time.name])


def _both(best: Runner, scores: list[float], plan: Plan) -> str:
    sign = plan.metric.sign
    random, other = (sign * best.model.mean, sign * float(np.mean(scores)))
    return (
        f"{best.model.name} scores {plan.metric.label} {_number(random)} with folds at random and "
        f"{_number(other)}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.3g}" if abs(value) >= 10 else \
        f"{value:.3f}".replace("-", "−")  # fmt: skip
