"""`compare`: read, pose, race, judge, say."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._bundled import BUNDLED, DEFAULT, bundled_table
from ._candidates import Candidate, choose
from ._clock import Clock, OutOfBudget, Watcher, budget_seconds
from ._columns import width
from ._diagnose import close_runner, diagnose, learning_curves
from ._folds import outer_splits, prepare
from ._metrics import choose_metric
from ._result import Comparison, Model, Protocol, Task, versions
from ._run import Plan, Runner, make_runner, race
from ._statistics import corrected_t_test
from ._table import Table, table_from
from ._task import Problem, check_folds, pose
from ._text import DataError
from ._words import conclusion, curve_verdict

__all__ = ["compare", "default_repeats", "load"]

DENSE_BYTES = 1 << 28  # features that would be larger go sparse where a model takes that
LARGEST_DENSE = 1 << 31  # and beyond this, models that take no sparse features are skipped
FOLDS_SHARE = 0.85  # of the budget; the rest is for the fits that explain


def compare(
    data: Any = None,
    target: str | None = None,
    *,
    task: Task | None = None,
    metric: str | None = None,
    n_folds: int = 5,
    n_repeats: int | None = None,
    budget: str | float | None = None,
    models: Sequence[str] = (),
    exclude: Sequence[str] = (),
    drop: Sequence[str] = (),
    random_state: int = 0,
    explain: bool = True,
    watcher: Watcher | None = None,
) -> Comparison:
    """Find out which method fits a table, how surely, at what cost, and why.

    Every suitable estimator of kiso and a baseline are judged on the same folds. Each has a
    small grid, searched by cross-validation inside each training fold; the columns are
    prepared (imputation, one-hot, scaling) by transformers fitted on the training rows alone.
    Differences to the best are tested by the corrected resampled t-test.

    Parameters
    ----------
    data : path, pandas.DataFrame or None
        A CSV, TSV or Parquet file, a table, the name of a data set that scikit-learn
        bundles (breast_cancer, diabetes, digits, iris, wine), or None for the first of these.
    target : str, optional
        The column to predict; bundled data sets have one of their own.
    task : {"classification", "regression"}, optional
        Inferred from the target where None.
    metric : str, optional
        scikit-learn's name of a scorer, or a short one (rmse, mae, auc, log_loss). Accuracy
        or R² where None.
    n_folds : int, default=5
        At least 2.
    n_repeats : int, optional
        Repeats of the folds with other shuffles; where None 3 below 1,000 rows, else 1.
    budget : str or float, optional
        Seconds, or "60s", "2m"; what did not finish within it is said.
    models, exclude : sequence of str
        Short names of the models to run, or not to run.
    drop : sequence of str
        Columns not to use.
    random_state : int, default=0
        The same seed gives the same scores, to the digit, on the same machine; with a budget
        as far as the same folds finish.
    explain : bool, default=True
        Whether to fit learning curves too, for the report.
    watcher : Watcher, optional
        Is told of the progress.

    Returns
    -------
    Comparison
        Its `models` are in order, best first; after Ctrl-C what was known by then.

    Raises
    ------
    DataError
        If the data or the wishes do not allow a comparison; in one sentence.

    Examples
    --------
    >>> from kiso.comparison import compare
    >>> result = compare("iris", models=["logistic"], n_repeats=1, explain=False)
    >>> [model.name for model in result.models], result.best.mean > 0.9
    (['logistic', 'baseline'], True)
    """
    clock = Clock(budget_seconds(budget))
    table = load(data)
    target = target or table.default_target
    if not target:
        names = ", ".join(map(str, table.frame.columns[:30]))
        raise DataError(f"Say which column of {table.name} to predict: {names}.")
    problem = pose(table, target, task, drop=drop)
    if n_folds < 2:
        raise DataError(f"{n_folds} folds: give at least 2.")
    check_folds(problem, n_folds)
    n_repeats = default_repeats(len(problem.y)) if n_repeats is None else n_repeats
    if n_repeats < 1:
        raise DataError(f"{n_repeats} repeats: give at least 1.")
    if random_state < 0:
        raise DataError(f"The seed {random_state} is negative.")
    chosen_metric = choose_metric(metric, problem.task, len(problem.data.class_names))
    candidates = choose(problem.task, models, exclude)
    plan = Plan(
        problem=problem,
        splits=outer_splits(problem, n_folds, n_repeats, random_state),
        n_inner=_n_inner(problem, n_folds),
        metric=chosen_metric,
        seed=random_state,
        clock=clock,
        watcher=watcher,
    )
    least = min(len(test) for _, test in plan.splits)
    if least < chosen_metric.least_rows:
        raise DataError(
            f"{chosen_metric.label} needs {chosen_metric.least_rows} held-out rows in a fold, and "
            f"{n_folds} folds of {len(problem.y)} rows leave {least}: ask for fewer folds."
        )
    protocol = _protocol(plan, n_folds, n_repeats, budget_seconds(budget))
    runners = _runners(candidates, plan)
    interrupted = _run(runners, plan, explain=explain)
    return _result(plan, protocol, runners, interrupted=interrupted)


def load(data: Any = None) -> Table:
    """Return the table that `data` names: a file, a bundled data set, a data frame."""
    if data is None:
        return bundled_table(DEFAULT)
    if isinstance(data, str) and data in BUNDLED and not Path(data).exists():
        return bundled_table(data)
    return table_from(data)


def default_repeats(n_rows: int) -> int:
    """Return how often the folds are repeated where nobody says: small tables need it."""
    return 3 if n_rows < 1000 else 1


def _n_inner(problem: Problem, n_folds: int) -> int:
    """Return 3, or as many as the smallest class (or the rows) of a training fold allow."""
    counts = problem.data.class_counts or [len(problem.y)]
    least = min(counts) * (n_folds - 1) // n_folds
    return max(2, min(3, least))


def _protocol(plan: Plan, n_folds: int, n_repeats: int, budget: float | None) -> Protocol:
    problem, metric = plan.problem, plan.metric
    return Protocol(
        task=problem.task,
        task_reason=problem.reason,
        metric=metric.name,
        metric_label=metric.label,
        n_folds=n_folds,
        n_repeats=n_repeats,
        n_inner_folds=plan.n_inner,
        fold_sizes=[(len(train), len(test)) for train, test in plan.splits],
        stratified=problem.task == "classification",
        seed=plan.seed,
        budget_seconds=budget,
    )


def _runners(candidates: list[Candidate], plan: Plan) -> list[Runner]:
    n_features = width(plan.problem.columns)
    n_bytes = 8 * n_features * len(plan.problem.y)
    runners = []
    for candidate in candidates:
        sparse = candidate.sparse and n_bytes > DENSE_BYTES and not candidate.baseline
        runner = make_runner(candidate, plan, n_features, sparse=sparse)
        if runner.running and n_bytes > LARGEST_DENSE and not sparse and not candidate.baseline:
            runner.model.status = "skipped"
            runner.model.message = (
                f"its {n_features:,} features of {len(plan.problem.y):,} rows would take "
                f"{n_bytes / 1e9:.1f} GB, as it takes no sparse ones"
            )
        runners.append(runner)
    return runners


def _run(runners: list[Runner], plan: Plan, *, explain: bool) -> bool:
    """Run the race and the fits that explain; whether the user interrupted it."""
    running = [runner for runner in runners if runner.running]
    if plan.watcher is not None:
        plan.watcher.begin({r.model.name: r.total_units() for r in running})
    try:
        with plan.clock.heeding_interrupts(), warnings.catch_warnings():
            # those of fits are in the models' messages; the rest has its say in the scores
            warnings.simplefilter("ignore")
            race(running, plan, seconds=plan.clock.left * FOLDS_SHARE)
            _explain(running, plan, curves=explain)
    except KeyboardInterrupt:
        for runner in running:
            if runner.running:
                runner.model.status = "interrupted"
        return True
    finally:
        for runner in running:
            if runner.model.status in ("out of budget", "interrupted"):
                runner.finish()
            runner.close()
        if plan.watcher is not None:
            plan.watcher.end()
    return False


def _explain(runners: list[Runner], plan: Plan, *, curves: bool) -> None:
    """Fit on all rows, and learning curves, as far as the budget goes."""
    done = [runner for runner in runners if runner.model.status == "done"]
    done.sort(key=lambda runner: -runner.model.mean)
    rows = np.arange(len(plan.problem.y))
    plan.clock.allow(plan.clock.left)
    try:
        for sparse in (False, True):
            group = [runner for runner in done if runner.sparse == sparse]
            if not group:
                continue
            part = prepare(plan.problem, rows, rows[:1], sparse=sparse)
            for runner in group:
                close_runner(runner, part)
        if curves:
            learning_curves([r for r in done if not r.model.baseline], plan)
    except OutOfBudget:
        return


def _result(
    plan: Plan, protocol: Protocol, runners: list[Runner], *, interrupted: bool
) -> Comparison:
    for runner in runners:
        diagnose(runner)
    models = sorted((runner.model for runner in runners), key=_rank)
    comparison = Comparison(
        data=plan.problem.data,
        protocol=protocol,
        models=models,
        seconds=plan.clock.elapsed,
        complete=not interrupted and all(m.status != "out of budget" for m in models),
        versions=versions(),
        interrupted=interrupted,
    )
    leader = comparison.best or next((m for m in models if m.scores), None)
    for model in models:
        n = min(len(model.scores), len(leader.scores)) if leader is not None else 0
        if leader is not None and n:
            model.difference = corrected_t_test(
                leader.scores[:n], model.scores[:n], protocol.fold_sizes[:n]
            )
    for model in models:
        curve = model.diagnostics.curve
        if curve is not None:
            curve.verdict = curve_verdict(model, curve, protocol, comparison.best)
    comparison.conclusion = conclusion(comparison)
    return comparison


def _rank(model: Model) -> tuple[int, float, str]:
    """Order: done by score, then what has some scores, then the rest."""
    order = 0 if model.status == "done" else 1 if model.scores else 2
    return order, -model.mean if model.scores else 0.0, model.name
