"""Why a model scores as it does: what the pictures of the report show.

Held-out answers come from the folds of the race. The rest is fitted anew: on all rows, with
the parameters that most folds chose, for the weights, the objective's path and the memory; and
on growing parts of a training fold, for the learning curve.
"""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.sparse import diags_array

from ._clock import OutOfBudget
from ._columns import feature_columns
from ._dependence import dependences
from ._ensemble import Ensemble, joined
from ._folds import Part, prepare
from ._metrics import Answers
from ._pipelines import core
from ._result import Curve, Dependence, Diagnostics, Importance, Weight
from ._run import HeldOut, Plan, Runner, count_parameters, most_chosen, short

__all__ = [
    "close_runner",
    "diagnose",
    "diagnose_ensemble",
    "importances",
    "learning_curves",
    "of_columns",
]

IMPORTANCE_ROWS = 1000
SHUFFLES = 5
MAX_ROWS = 10_000  # held-out rows kept for the pictures
MAX_WEIGHTS = 200
CURVE_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
CURVE_FOLDS = 3


def close_runner(runner: Runner, part: Part) -> None:
    """Fit on all rows: memory, number of parameters, path and weights.

    The memory is the peak of what Python and NumPy allocate during the fit, beyond what was
    there before; workspaces inside compiled libraries are not seen.

    Parameters
    ----------
    runner : Runner
        Done with its folds.
    part : Part
        All rows, prepared.
    """
    params = most_chosen(runner.model)
    already = tracemalloc.is_tracing()
    if not already:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        estimator = runner.fit(params, part)
        peak = tracemalloc.get_traced_memory()[1]
    except OutOfBudget:
        raise
    except Exception as error:  # its scores stand; there is only nothing to explain them by
        runner.warned[f"the fit on all rows failed: {short(error)}"] += 1
        return
    finally:
        if not already:
            tracemalloc.stop()
    runner.model.memory_bytes = max(0, peak - before)
    runner.model.n_parameters = count_parameters(estimator, runner.candidate, len(part.y_train))
    runner.last = (estimator, part)


def importances(runner: Runner) -> list[Importance]:
    """Return how much each column matters to a model, on rows that it was not fitted on.

    A column is shuffled among the test rows of the last fold, all its features together, and
    the score falls by so much (Breiman 2001, "Random forests", section 10); mean and standard
    deviation over five shuffles. For a model of any kind, but of columns that say the same each
    alone matters little.

    Raises
    ------
    OutOfBudget
        If time is up.
    """
    if runner.tested is None or runner.model.baseline:
        return []
    return _importances([runner.tested], runner.plan)


def _importances(tested: list[tuple[Any, Part]], plan: Plan) -> list[Importance]:
    """Shuffle the columns of one model's test rows, or of several whose mean answers."""
    part = tested[0][1]
    rng = np.random.default_rng(plan.seed)
    rows = np.sort(rng.permutation(len(part.y_test))[:IMPORTANCE_ROWS])
    y, w = part.y_test[rows], None if part.w_test is None else part.w_test[rows]
    fitted = [
        (estimator, p.X_test[rows], np.asarray(feature_columns(p.preparation), dtype=object))
        for estimator, p in tested
    ]
    regression = plan.problem.task == "regression"

    def score(shuffled: str | None = None, order: Any = None) -> float:
        answers = []
        for estimator, X, features in fitted:
            X_now = X if shuffled is None else _shuffled(X, features == shuffled, order)
            if len(fitted) == 1:
                return plan.metric.score(Answers(estimator), X_now, y, w)
            answers.append(
                estimator.predict(X_now) if regression else estimator.predict_proba(X_now)
            )
        return plan.metric.score(Answers(joined(answers)), None, y, w)

    try:
        whole = score()
        found = []
        for name in dict.fromkeys(name for _, _, features in fitted for name in features):
            falls = []
            for _ in range(SHUFFLES):
                plan.clock.check()
                falls.append(whole - score(name, rng.permutation(len(y))))
            found.append(Importance(name, float(np.mean(falls)), float(np.std(falls, ddof=1))))
    except ValueError:  # few rows, a score that is not finite
        return []
    found.sort(key=lambda importance: -importance.mean)
    return found


def _shuffled(X: Any, of_column: Any, order: Any) -> Any:
    """Put some features of all rows in another order, all of them in the same."""
    if isinstance(X, np.ndarray):
        X = X.copy()
        X[:, of_column] = X[order][:, of_column]
        return X
    taken = diags_array(of_column.astype(np.float64))
    kept = diags_array((~of_column).astype(np.float64))
    return type(X)(X @ kept + X[order] @ taken)


def diagnose(runner: Runner) -> None:
    """Fill in the diagnostics that need no further fit."""
    model, plan = runner.model, runner.plan
    kept = model.diagnostics
    _held_out(kept, runner.held_out, plan)
    if runner.last is None:
        return
    estimator, part = runner.last
    estimator = core(estimator)
    path = getattr(estimator, "objective_path_", None)
    if path is not None and len(path) > 1:  # a single step is no path
        kept.objective = [float(value) for value in path]
        kept.objective_label = runner.candidate.objective or "objective"
    kept.weights = weights(estimator, part, plan.problem.data.class_names)


def of_columns(runner: Runner) -> list[Dependence]:
    """Return the partial dependences of the fit of the last fold, on its test rows.

    Raises
    ------
    OutOfBudget
        If time is up.
    """
    if runner.tested is None or not runner.held_out:
        return []
    estimator, part = runner.tested
    rows, importance = runner.held_out[-1].rows, runner.model.importances
    return dependences([(estimator, part.preparation)], rows, importance, runner.plan)


def diagnose_ensemble(ensemble: Ensemble, plan: Plan, *, explain: bool) -> None:
    """Fill in what the pictures of an ensemble show, and its final settings."""
    model, members = ensemble.model, ensemble.members
    held_out = [
        HeldOut(
            members[0].held_out[j].rows,
            *_mean_answers([member.held_out[j] for member in members]),
        )
        for j in range(len(model.scores))
    ]
    _held_out(model.diagnostics, held_out, plan)
    model.final_settings = {member.model.name: member.model.final_settings for member in members}
    sizes = [member.model.n_parameters for member in members]
    known = [size for size in sizes if size is not None]
    model.n_parameters = sum(known) if len(known) == len(sizes) else None
    tested = [member.tested for member in members if member.tested is not None]
    done = len({member.n_done for member in members}) == 1 and len(tested) == len(members)
    if done and plan.clock.left > 0:
        with suppress(OutOfBudget):
            plan.clock.allow(plan.clock.left)
            model.importances = _importances(tested, plan)
            if explain:
                fitted = [(estimator, part.preparation) for estimator, part in tested]
                rows = members[0].held_out[-1].rows
                model.diagnostics.dependence = dependences(fitted, rows, model.importances, plan)


def _mean_answers(of_fold: list[HeldOut]) -> tuple[Any, Any]:
    if of_fold[0].probability is None:
        return np.mean([held.predicted for held in of_fold], axis=0), None
    mean = np.mean([np.asarray(held.probability) for held in of_fold], axis=0)
    return np.argmax(mean, axis=1), mean


def _held_out(kept: Diagnostics, held_out: list[HeldOut], plan: Plan) -> None:
    """Keep each row's answer from the first repeat in which it was held out."""
    problem = plan.problem
    if not held_out:
        return
    places = np.concatenate([h.rows for h in held_out])
    _, first = np.unique(places, return_index=True)
    if first.size > MAX_ROWS:
        chosen = np.random.default_rng(plan.seed).choice(first.size, MAX_ROWS, replace=False)
        first = first[np.sort(chosen)]
    predicted = np.concatenate([h.predicted for h in held_out])[first]
    places = places[first]
    kept.rows = [int(row) for row in problem.rows[places]]
    names = problem.data.class_names
    if names:
        kept.truth = [names[c] for c in problem.y[places]]
        kept.predicted = [names[c] for c in predicted]
    else:
        kept.truth = [float(value) for value in problem.y[places]]
        kept.predicted = [float(value) for value in predicted]
    probability = [h.probability for h in held_out if h.probability is not None]
    if len(probability) == len(held_out):
        kept.probability = np.concatenate(probability)[first].tolist()


def weights(estimator: Any, part: Part, class_names: list[str]) -> list[Weight]:
    """Return the coefficients of a linear model times each feature's standard deviation.

    So they say how far the prediction moves when a feature moves by one standard deviation;
    the largest first.
    """
    coef = getattr(estimator, "coef_", None)
    if coef is None:
        return []
    coef = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    names = part.names
    if coef.shape[1] != len(names):
        return []
    with np.errstate(all="ignore"):  # a column too large to be scaled has a spread of infinity
        values = coef * _spread(part.X_train)
    of = [""] * len(values)
    if len(values) > 1 and len(values) == len(class_names):
        of = class_names
    elif len(values) == 1 and len(class_names) == 2:
        of = [class_names[1]]
    found = [
        Weight(name, float(value), label)
        for row, label in zip(values, of, strict=True)
        for name, value in zip(names, row, strict=True)
    ]
    found.sort(key=lambda weight: -abs(weight.value))
    return found[:MAX_WEIGHTS]


def _spread(X: Any) -> Any:
    if isinstance(X, np.ndarray):
        return X.std(axis=0)
    mean = np.asarray(X.mean(axis=0)).ravel()
    square = np.asarray(X.multiply(X).mean(axis=0)).ravel()
    return np.sqrt(np.maximum(square - mean**2, 0.0))


def learning_curves(runners: list[Runner], plan: Plan) -> None:
    """Fit growing parts of up to three training folds; set each model's curve.

    The columns are prepared on each part alone, as they would be if there were no more rows.

    Raises
    ------
    OutOfBudget
        If time is up; the curves of what was done until then are set.
    """
    splits = plan.splits[:CURVE_FOLDS]
    n_train = min(len(train) for train, _ in splits)
    sizes = _sizes(n_train, len(plan.problem.data.class_names))
    # runner, train or test, fold, size
    scores = np.full((len(runners), 2, len(splits), len(sizes)), np.nan)
    try:
        for i, (train, test) in enumerate(splits):
            order = np.random.default_rng([plan.seed, i]).permutation(train)
            order = _classes_first(order, plan.problem)
            for s, size in enumerate(sizes):
                parts: dict[bool, Part] = {}
                for r, runner in enumerate(runners):
                    plan.clock.check()
                    if runner.sparse not in parts:
                        parts[runner.sparse] = prepare(
                            plan.problem, order[:size], test, sparse=runner.sparse
                        )
                    scores[r, :, i, s] = _curve_point(runner, parts[runner.sparse])
    finally:
        test_rows = round(float(np.mean([len(test) for _, test in splits])))
        for runner, found in zip(runners, scores, strict=True):
            runner.model.diagnostics.curve = _curve(found, sizes, test_rows)


def _curve(scores: Any, sizes: list[int], test_rows: int) -> Curve | None:
    """Return the means over the folds that are through, at the sizes that could be fitted."""
    through = ~np.isnan(scores[:, :, -1:]).any(axis=(0, 2))
    scores = scores[:, through]
    fitted = np.flatnonzero(~np.isnan(scores).any(axis=(0, 1)))
    if not through.any() or fitted.size < 2:
        return None
    train, test = scores[:, :, fitted].mean(axis=1)
    return Curve([sizes[i] for i in fitted], train.tolist(), test.tolist(), test_rows, verdict="")


def _sizes(n_train: int, n_classes: int) -> list[int]:
    least = max(10, 3 * n_classes)
    return sorted({size for share in CURVE_SHARES if (size := int(share * n_train)) >= least})


def _classes_first(order: Any, problem: Any) -> Any:
    """Put two rows of each class in front, so that no part lacks a class."""
    if problem.task == "regression":
        return order
    y = problem.y[order]
    front = np.concatenate([np.flatnonzero(y == c)[:2] for c in np.unique(y)])
    return np.concatenate([order[front], np.delete(order, front)])


def _curve_point(runner: Runner, part: Part) -> tuple[float, float]:
    metric = runner.plan.metric
    try:
        estimator = runner.fit(most_chosen(runner.model), part, count=False)
        return (
            metric.of(Answers(estimator), part, train=True),
            metric.of(Answers(estimator), part),
        )
    except OutOfBudget:
        raise
    except Exception:  # a part too small to fit has no point on the curve
        return float("nan"), float("nan")
