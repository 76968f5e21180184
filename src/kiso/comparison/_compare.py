"""`compare`: read, pose, race, judge, say."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ._bundled import BUNDLED, DEFAULT, bundled_table
from ._candidates import Candidate, choose, goes_sparse
from ._clock import Clock, OutOfBudget, Watcher, budget_seconds
from ._columns import width
from ._diagnose import (
    close_runner,
    diagnose,
    diagnose_ensemble,
    importances,
    learning_curves,
    of_columns,
)
from ._ensemble import ENSEMBLE, Ensemble, joined, make_ensemble
from ._folds import outer_splits, prepare
from ._metrics import Answers, choose_metric
from ._pipelines import Calibrate
from ._result import (
    Comparison,
    Finding,
    Model,
    Protocol,
    Task,
    Whole,
    counts,
    levelled,
    versions,
)
from ._run import Plan, Runner, make_runner, most_chosen, race
from ._sample import sample_size, thinned
from ._statistics import corrected_t_test
from ._suspects import Suspects, confirm, look
from ._table import Table, read_table, table_from
from ._task import Problem, check_folds, pose
from ._text import DataError
from ._threshold import choose_threshold, costs_of
from ._words import SURE, conclusion, curve_verdict
from .detectors import rare_class

__all__ = ["compare", "default_repeats", "load"]

LARGEST_DENSE = 1 << 31  # beyond this, models that take no sparse features are skipped
N_DEPENDENCE = 3  # models whose partial dependences are drawn
FOLDS_SHARE = 0.85  # of the budget; the rest is for the fits that explain
LEAN_SHARE = 0.93  # the same, without learning curves


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
    metrics: Sequence[str] = (),
    groups: str | None = None,
    time: str | Sequence[str] = (),
    gap: int = 0,
    rare: Literal["drop", "merge"] | None = None,
    weights: str | None = None,
    calibrate: Calibrate | None = None,
    cost: str | None = None,
    positive: str | None = None,
    sample: int | None = None,
    random_state: int = 0,
    explain: bool = True,
    reserve: float = 0.0,
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
        scikit-learn's name of a scorer, or a short one (rmse, mae, auc, log_loss). Where None,
        R² or accuracy; average precision where one of two classes has less than 5 % of the
        rows, balanced accuracy where all but one of more do.
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
    metrics : sequence of str
        Further metrics, of the same held-out answers; the first ranks where `metric` is None.
    groups : str, optional
        Column that says which rows belong together (a patient, a user): no value of it is in
        both the training and the test rows of a fold, and it is not used to predict.
    time : str or sequence of str
        Column that says when, or several from the coarsest (year, month, day): each fold is
        tested on what comes after its training rows.
    gap : int, default=0
        Times left out between training and test rows.
    rare : {"drop", "merge"}, optional
        What becomes of classes with fewer rows than folds.
    weights : str, optional
        Column that says how much each row counts, in fits and in scores; models that take no
        weights are skipped.
    calibrate : {"sigmoid", "isotonic"}, optional
        Calibrate each classifier's probabilities on held-out parts of its training rows.
    cost : str, optional
        What a false positive and a false negative cost, as "1:10" (two classes): for each
        model with probabilities the threshold of least cost, and what it costs on folds that
        it was not chosen on.
    positive : str, optional
        The class that is the case; where None the rarer one.
    sample : int, optional
        Rows, drawn at random, that the models are ranked on; 0 for all. Where None 100,000 of
        tables with more than 200,000. The best model is then fitted and scored on all rows.
    random_state : int, default=0
        The same seed gives the same scores, to the digit, on the same machine; with a budget
        as far as the same folds finish.
    explain : bool, default=True
        Whether to fit learning curves too, for the report.
    reserve : float, default=0
        Seconds of the budget that the caller needs for itself, to read and to draw.
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
    limit = budget_seconds(budget)
    clock = Clock(None if limit is None else max(1e-9, limit - reserve))
    table = load(data)
    target = target or table.default_target
    if not target:
        names = ", ".join(map(str, table.frame.columns[:30]))
        raise DataError(f"Say which column of {table.name} to predict: {names}.")
    if n_folds < 2:
        raise DataError(f"{n_folds} folds: give at least 2.")
    if gap < 0:
        raise DataError(f"The gap {gap} is negative.")
    moments = (time,) if isinstance(time, str) else tuple(time)
    if moments and groups is not None:
        raise DataError("Folds are cut by groups or forward in time, not both: give one.")
    if gap and not moments:
        raise DataError("A gap is between times: name the column of the time too.")
    problem = pose(
        table, target, task, drop=drop, groups=groups, time=moments, gap=gap, rare=rare,
        least=n_folds, weights=weights,
    )  # fmt: skip
    check_folds(problem, n_folds)
    if sample is not None and sample < 0:
        raise DataError(f"The sample of {sample} rows is negative.")
    if n_repeats is None:
        n_repeats = 1 if moments else default_repeats(len(problem.y))
    if n_repeats < 1:
        raise DataError(f"{n_repeats} repeats: give at least 1.")
    if moments and n_repeats > 1:
        raise DataError("Time goes by once: folds forward in time have no repeats.")
    if random_state < 0:
        raise DataError(f"The seed {random_state} is negative.")
    named: list[str | None] = [metric, *metrics] if metric else list(metrics)
    chosen = [
        choose_metric(name, problem.task, problem.data.class_counts) for name in named or [None]
    ]
    with_ensemble = not models or ENSEMBLE in models
    models = [name for name in models if name != ENSEMBLE]
    with_ensemble = with_ensemble and ENSEMBLE not in exclude
    exclude = [name for name in exclude if name != ENSEMBLE]
    if calibrate and problem.task != "classification":
        raise DataError(f"--calibrate is for classification, and the task is {problem.task}.")
    costs = None if cost is None else costs_of(cost)
    case = "" if costs is None else _case(problem, positive)
    candidates = choose(problem.task, models, exclude)
    whole = problem
    problem = thinned(whole, sample_size(len(whole.y), sample), random_state)
    if problem is not whole:
        check_folds(problem, n_folds)
    plan = Plan(
        problem=problem,
        splits=outer_splits(problem, n_folds, n_repeats, random_state),
        n_inner=_n_inner(problem, n_folds),
        metric=chosen[0],
        seed=random_state,
        clock=clock,
        watcher=watcher,
        also=tuple(dict.fromkeys(m for m in chosen[1:] if m != chosen[0])),
        calibrate=calibrate or "",
    )
    least = min(len(test) for _, test in plan.splits)
    for one in (plan.metric, *plan.also):
        if least < one.least_rows:
            raise DataError(
                f"{one.label} needs {one.least_rows} held-out rows in a fold, and {n_folds} folds "
                f"of {len(problem.y)} rows leave {least}: ask for fewer folds."
            )
    protocol = _protocol(plan, n_folds, n_repeats, limit)
    protocol.weights = weights or ""
    protocol.sample_rows = len(problem.y) if problem is not whole else 0
    protocol.calibrate, protocol.cost = calibrate or "", cost or ""
    protocol.split_columns = [groups] if groups is not None else list(moments)
    if not named and plan.metric.name not in ("accuracy", "r2"):
        _say_imbalance(plan, protocol)
    suspects = look(table, plan, random_split=protocol.splitting == "random")
    runners = _runners(candidates, plan)
    interrupted = _run(runners, plan, suspects, explain=explain)
    ensemble = make_ensemble(runners, plan) if with_ensemble else None
    if costs is not None:
        _choose_thresholds(runners, ensemble, plan, costs, case)
    result = _result(plan, protocol, runners, ensemble, interrupted=interrupted, explain=explain)
    if problem is not whole and not interrupted and result.best is not None:
        result.whole = _on_all_rows(result.best, runners, plan, whole, n_folds)
        result.conclusion = conclusion(result)
        result.seconds = clock.elapsed
    return result


def _on_all_rows(
    best: Model, runners: list[Runner], plan: Plan, whole: Problem, n_folds: int
) -> Whole | None:
    """Fit the winner of a sample to all rows but a fold, and score it there.

    None where the budget is too short for that, or the fit fails.
    """
    members = [r for r in runners if r.model.name in (best.members or [best.name])]
    train, test = outer_splits(whole, n_folds, 1, plan.seed)[-1]
    times = len(train) / max(1, len(plan.splits[0][0]))
    expected = 1.3 * times * sum(float(np.mean(r.model.refit_seconds)) for r in members)
    if expected > plan.clock.left:
        return None
    plan.clock.allow(plan.clock.left)
    start = plan.clock.now()
    answers = []
    score = float("nan")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for runner in members:
                part = prepare(whole, train, test, sparse=runner.sparse)
                estimator = runner.fit(most_chosen(runner.model), part, count=False)
                if len(members) == 1:
                    score = plan.metric.of(Answers(estimator), part)
                elif whole.task == "regression":
                    answers.append(estimator.predict(part.X_test))
                else:
                    answers.append(estimator.predict_proba(part.X_test))
        if answers:
            score = plan.metric.of(Answers(joined(answers)), part)
    except (OutOfBudget, ValueError, MemoryError):
        return None
    return Whole(len(train), len(test), score, plan.clock.now() - start)


def _case(problem: Problem, positive: str | None) -> str:
    """Return the class that is the case: as asked, or the rarer."""
    names, counts = problem.data.class_names, problem.data.class_counts
    if problem.task != "classification" or len(names) != 2:
        what = f"{len(names)} classes" if names else "numbers"
        raise DataError(f"--cost is for two classes, and {problem.data.target!r} has {what}.")
    if positive is not None and positive not in names:
        raise DataError(
            f"{positive!r} is no class of {problem.data.target!r}: {' or '.join(names)}."
        )
    return positive or names[int(counts[1] <= counts[0])]


def _choose_thresholds(
    runners: list[Runner],
    ensemble: Ensemble | None,
    plan: Plan,
    costs: tuple[float, float],
    case: str,
) -> None:
    """Give each model with probabilities a threshold, and what mistakes cost with it."""
    code = plan.problem.data.class_names.index(case)
    y, weights = plan.problem.y, plan.problem.weights
    for model, found in _held_out_probabilities(runners, ensemble):
        folds = [
            (p[:, code], y[rows] == code, np.ones(len(rows)) if weights is None else weights[rows])
            for rows, p in found
        ]
        if folds:
            model.choice = choose_threshold(folds, costs, case)


def _held_out_probabilities(
    runners: list[Runner], ensemble: Ensemble | None
) -> list[tuple[Model, list[tuple[Any, Any]]]]:
    found = [
        (r.model, [(h.rows, h.probability) for h in r.held_out if h.probability is not None])
        for r in runners
    ]
    if ensemble is not None:
        mean = []
        for j in range(len(ensemble.model.scores)):
            of_fold = [member.held_out[j] for member in ensemble.members]
            mean.append(
                (of_fold[0].rows, np.mean([np.asarray(h.probability) for h in of_fold], axis=0))
            )
        found.append((ensemble.model, mean))
    return found


def _say_imbalance(plan: Plan, protocol: Protocol) -> None:
    """Say that the usual metric would mislead, and which is taken in its place."""
    data = plan.problem.data
    rare = rare_class(data.class_counts)
    if rare is None:
        return
    share = data.class_counts[rare] / sum(data.class_counts)
    most = max(data.class_counts) / sum(data.class_counts)
    protocol.metric_reason = (
        f"only {100 * share:.2g} % of the rows are {data.class_names[rare]!r}: accuracy would be "
        f"{most:.3f} without looking at any column, so the models are ranked by "
        f"{plan.metric.label}"
    )
    data.findings.append(
        Finding("imbalance", f"{protocol.metric_reason}.", "--metric accuracy", [data.target])
    )


def load(data: Any = None, **options: Any) -> Table:
    """Return the table that `data` names: a file, a bundled data set, a data frame.

    Parameters
    ----------
    data : path, pandas.DataFrame, Table or None
    **options
        How a file is to be read, as for `read_table`.
    """
    asked = {name: value for name, value in options.items() if value not in (None, (), [], "")}
    if asked and isinstance(data, (str, Path)) and (data not in BUNDLED or Path(data).exists()):
        return read_table(data, **asked)
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
        stratified=problem.task == "classification" and problem.times is None,
        seed=plan.seed,
        budget_seconds=budget,
        splitting=(
            "time"
            if problem.times is not None
            else "groups"
            if problem.groups is not None
            else "random"
        ),
        gap=problem.gap,
        also=[metric.label for metric in plan.also],
    )


def _runners(candidates: list[Candidate], plan: Plan) -> list[Runner]:
    columns, n_rows = plan.problem.columns, len(plan.problem.y)
    n_features = width(columns)
    n_bytes = 8 * n_features * n_rows
    runners = []
    for candidate in candidates:
        sparse = goes_sparse(candidate, columns, n_rows)
        runner = make_runner(candidate, plan, n_features, sparse=sparse)
        if runner.running and n_bytes > LARGEST_DENSE and not sparse and not candidate.baseline:
            runner.model.status = "skipped"
            runner.model.message = (
                f"its {n_features:,} features of {len(plan.problem.y):,} rows would take "
                f"{n_bytes / 1e9:.1f} GB, as it takes no sparse ones"
            )
        runners.append(runner)
    return runners


def _run(runners: list[Runner], plan: Plan, suspects: Suspects, *, explain: bool) -> bool:
    """Run the race and the fits that explain; whether the user interrupted it."""
    running = [runner for runner in runners if runner.running]
    if plan.watcher is not None:
        plan.watcher.begin({r.model.name: r.total_units() for r in running})
    try:
        with plan.clock.heeding_interrupts(), warnings.catch_warnings():
            # those of fits are in the models' messages; the rest has its say in the scores
            warnings.simplefilter("ignore")
            share = FOLDS_SHARE if explain or suspects else LEAN_SHARE
            race(running, plan, seconds=plan.clock.left * share)
            plan.clock.allow(plan.clock.left)
            confirm(suspects, [runner for runner in runners if runner.held_out], plan)
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
    means = levelled([runner.model for runner in runners])
    done = [r for r in runners if r.model.scores and r.model.status in ("done", "out of budget")]
    done.sort(key=lambda runner: -means[runner.model.name])
    rows = np.arange(len(plan.problem.y))
    try:
        for runner in done:
            plan.clock.check()
            runner.model.importances = importances(runner)
        for sparse in (False, True):
            group = [runner for runner in done if runner.sparse == sparse]
            if not group:
                continue
            part = prepare(plan.problem, rows, rows[:1], sparse=sparse)
            for runner in group:
                # a fit that is one step cannot be stopped: it had better not begin
                if float(np.mean(runner.model.refit_seconds)) * 1.3 > plan.clock.left:
                    continue
                close_runner(runner, part)
        if curves:
            for runner in [r for r in done if not r.model.baseline][:N_DEPENDENCE]:
                runner.model.diagnostics.dependence = of_columns(runner)
            learning_curves([r for r in done if not r.model.baseline], plan)
    except OutOfBudget:
        return


def _result(
    plan: Plan,
    protocol: Protocol,
    runners: list[Runner],
    ensemble: Ensemble | None,
    *,
    interrupted: bool,
    explain: bool,
) -> Comparison:
    for runner in runners:
        diagnose(runner)
        if runner.model.params:
            chosen = most_chosen(runner.model)
            runner.model.final_settings = runner.settings(chosen, plan.problem.y)
    models = _ordered([runner.model for runner in runners], protocol)
    if ensemble is not None:
        diagnose_ensemble(ensemble, plan, explain=explain and not interrupted)
        models.append(ensemble.model)
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
    if leader is not None:
        _against(comparison, leader)
    if ensemble is not None and leader is not None and comparison.best is not None:
        gap = ensemble.model.difference
        if gap is not None and gap.mean < 0 and gap.p_value < SURE:
            ensemble.model.leads = True
            _against(comparison, ensemble.model)
    for model in models:
        curve = model.diagnostics.curve
        if curve is not None:
            curve.verdict = curve_verdict(model, curve, protocol, comparison.best)
    comparison.conclusion = conclusion(comparison)
    return comparison


def _against(comparison: Comparison, leader: Model) -> None:
    """Test every model's difference to the leader, on the folds that both have."""
    for model in comparison.models:
        n = min(len(model.scores), len(leader.scores))
        if n:
            model.difference = corrected_t_test(
                leader.scores[:n], model.scores[:n], comparison.protocol.fold_sizes[:n]
            )


def _ordered(models: list[Model], protocol: Protocol) -> list[Model]:
    """Order: those with enough folds by their levelled means, then the others."""
    means = levelled(models)

    def key(model: Model) -> tuple[int, float, str]:
        place = 0 if counts(model, models, protocol) else 1 if model.scores else 2
        return place, -means.get(model.name, 0.0), model.name

    return sorted(models, key=key)
