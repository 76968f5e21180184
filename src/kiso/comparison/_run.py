"""The race: every model over the same folds, its grid searched inside each training fold.

The order is fold by fold, all models in each, the cheap ones first, so that whenever time is
up, or the user has seen enough, the models have been through (nearly) the same folds. A model
may use what is left of the budget beyond what the cheaper ones still need (measured on the
folds they have done); one that runs out waits, and goes on where it stopped if time is left
when the others are done.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import has_fit_parameter

from ._calibrated import CalibratedClassifier
from ._candidates import Candidate
from ._clock import Clock, OneStep, OutOfBudget, StepCallback, Watcher
from ._folds import Fold, Part
from ._metrics import Answers, Metric
from ._pipelines import Calibrate, core
from ._result import Model
from ._task import Problem

__all__ = ["HeldOut", "Plan", "Runner", "race"]

WARM_ROWS = 64
PASSES = 3
LITTLE = 0.1  # share of the whole time that a cheap model's remaining folds may take


@dataclass
class Plan:
    """What is the same for every model."""

    problem: Problem
    splits: list[Any]
    n_inner: int
    metric: Metric
    seed: int
    clock: Clock
    watcher: Watcher | None = None
    also: tuple[Metric, ...] = ()  # further metrics of the same answers
    calibrate: Calibrate = ""


@dataclass
class HeldOut:
    """Answers for the test rows of one outer fold."""

    rows: Any  # places in the problem
    predicted: Any
    probability: Any | None


@dataclass
class Searched:
    """An inner fit: its score and what it took."""

    score: float
    seconds: float


@dataclass
class Runner:
    """One candidate on its way through the folds."""

    candidate: Candidate
    model: Model
    plan: Plan
    sparse: bool
    grid: list[dict[str, Any]] = field(default_factory=list)
    searched: dict[tuple[int, int, int], Searched] = field(default_factory=dict)
    held_out: list[HeldOut] = field(default_factory=list)
    last: tuple[Any, Part] | None = None  # the last outer fit, for its weights and its path
    tested: tuple[Any, Part] | None = None  # the last outer fit, with its test rows
    fold_seconds: list[float] = field(default_factory=list)  # without the warm-up
    warm_seconds: float = 0.0
    unfinished: float = 0.0  # seconds of the fold that it is in
    units: int = 0
    warm: bool = False
    parked: bool = False
    warned: Counter[str] = field(default_factory=Counter)

    @property
    def n_done(self) -> int:
        """Outer folds with a score."""
        return len(self.model.scores)

    @property
    def running(self) -> bool:
        """Whether there are folds left that it can still do."""
        return self.model.status == "out of budget" and self.n_done < len(self.plan.splits)

    def total_units(self) -> int:
        """Fits that the whole race takes this model."""
        search = len(self.grid) * self.plan.n_inner if len(self.grid) > 1 else 0
        return len(self.plan.splits) * (search + 1)

    def run_fold(self, j: int, fold: Fold) -> None:
        """Search, refit and score on outer fold j.

        Raises
        ------
        OutOfBudget
            If the time allowed is over; what was searched so far is kept.
        """
        part = fold.outer(sparse=self.sparse)
        self._warm_up(part)
        params, search_seconds = self._search(j, fold)
        now = self.plan.clock.now
        start = now()
        estimator = self.fit(params, part)
        fit_seconds = now() - start
        answers = Answers(estimator)
        start = now()
        predicted = answers.predict(part.X_test)
        predict_seconds = now() - start
        score = self.plan.metric.of(answers, part)
        train_score = self.plan.metric.of(Answers(estimator), part, train=True)
        proba = None
        if hasattr(answers, "predict_proba"):
            proba = _of_all_classes(answers.predict_proba(part.X_test), estimator, self.plan)
        self.model.scores.append(score)
        self.model.train_scores.append(train_score)
        self.model.params.append(params)
        self.model.settings.append(self.settings(params, part.y_train))
        self.model.fit_seconds.append(search_seconds + fit_seconds)
        self.model.refit_seconds.append(fit_seconds)
        self.model.predict_seconds.append(predict_seconds)
        self.model.n_parameters = count_parameters(estimator, self.candidate, len(part.y_train))
        for metric in self.plan.also:
            found = _further(metric, answers, part)
            self.model.other_scores.setdefault(metric.name, []).append(found)
        self.held_out.append(HeldOut(fold.test, predicted, proba))
        self.last = self.tested = (estimator, part)
        self._advance()

    def fit(
        self, params: Mapping[str, Any], part: Part, *, count: bool = True, final: bool = True
    ) -> Any:
        """Fit a new estimator; its warnings are kept (if it counts), the clock may stop it.

        A fit of the search is not the final one: it is calibrated only where its score needs that.
        """
        self.plan.clock.check()
        X, y = part.X_train, part.y_train
        weighed = {} if part.w_train is None else {"sample_weight": part.w_train}
        estimator = self.candidate.make(self.candidate.scaled(params, y), self.plan.seed)
        estimator = self._calibrated(estimator, final)
        if hasattr(estimator, "set_callbacks"):
            estimator.set_callbacks(StepCallback(self.plan.clock, self._report))
        self.model.n_fits += count
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(X, y, **weighed)
        if count:
            self.warned.update({_gist(w) for w in caught})
        if hasattr(estimator, "set_callbacks"):
            estimator.set_callbacks()
        return estimator

    def _calibrated(self, estimator: Any, final: bool) -> Any:
        plan = self.plan
        if not plan.calibrate or self.candidate.baseline:
            return estimator
        if not final and (not plan.metric.needs_probability or hasattr(estimator, "predict_proba")):
            return estimator
        return CalibratedClassifier(estimator, plan.calibrate, random_state=plan.seed)

    def settings(self, params: Mapping[str, Any], y: Any) -> dict[str, Any]:
        """Return all that the estimator is made with, for rows with these targets."""
        found = {**self.candidate.params, **self.candidate.scaled(params, y)}
        return {**found, "random_state": self.plan.seed} if self.candidate.seeded else found

    def _warm_up(self, part: Part) -> None:
        """Fit a step on a few rows, untimed: compiled loops are loaded here, not in a fold."""
        if self.warm or self.candidate.baseline:
            return
        self.warm = True
        start = self.plan.clock.now()
        _, first = np.unique(part.y_train, return_index=True)
        rows = np.unique(np.append(first[:WARM_ROWS], np.arange(min(WARM_ROWS, len(part.y_train)))))
        X, y = part.X_train[rows], part.y_train[rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(Exception):  # the timed fit will fail in its turn
                params = self.candidate.scaled(self.grid[0], y)
                estimator = self.candidate.make(params, self.plan.seed)
                if hasattr(estimator, "set_callbacks"):
                    estimator.set_callbacks(OneStep())
                estimator.fit(X, y).predict(X)
        self.warm_seconds = self.plan.clock.now() - start

    def expected(self) -> float:
        """Seconds that its next fold will take; NaN where nothing is known."""
        known = self.fold_seconds
        return float(np.mean(known)) if known else float("nan")

    def _search(self, j: int, fold: Fold) -> tuple[dict[str, Any], float]:
        """Return the best grid point over the inner folds, and the seconds it took."""
        if len(self.grid) == 1 or not fold.places:
            return self.grid[0], 0.0
        for k in range(len(fold.places)):
            part = fold.inner(k, sparse=self.sparse)
            for g, params in enumerate(self.grid):
                if (j, g, k) not in self.searched:
                    self.searched[j, g, k] = self._try(params, part)
                    self._advance()
        found = [
            [self.searched[j, g, k] for k in range(len(fold.places))] for g in range(len(self.grid))
        ]
        means = np.array([np.mean([s.score for s in point]) for point in found])
        seconds = sum(s.seconds for point in found for s in point)
        if np.isnan(means).all():
            return self.grid[0], seconds
        # equal up to rounding: the simpler, which stands first
        best = int(np.flatnonzero(means >= np.nanmax(means) - 1e-12)[0])
        return self.grid[best], seconds

    def _try(self, params: Mapping[str, Any], part: Part) -> Searched:
        now = self.plan.clock.now
        start = now()
        try:
            estimator = self.fit(params, part, final=False)
            score = self.plan.metric.of(Answers(estimator), part)
        except OutOfBudget:
            raise
        except Exception as error:  # a grid point that fails is not chosen
            self.warned[f"a fit of the search failed: {short(error)}"] += 1
            score = float("nan")
        return Searched(score, now() - start)

    def _report(self, fraction: float) -> None:
        if self.plan.watcher is not None:
            self.plan.watcher.advance(self.model.name, self.units + fraction, self._note())

    def _advance(self) -> None:
        self.units += 1
        if self.plan.watcher is not None:
            self.plan.watcher.advance(self.model.name, self.units, self._note())

    def _note(self) -> str:
        return f"fold {min(self.n_done + 1, len(self.plan.splits))} of {len(self.plan.splits)}"

    def finish(self) -> None:
        """Tell the watcher that its folds are over."""
        if self.plan.watcher is not None:
            self.plan.watcher.finish(self.model.name, self.model.status)

    def close(self) -> None:
        """Say in its message what is unfinished, what failed, and what its fits warned of."""
        parts = [self.model.message] if self.model.message else []
        ends = {"out of budget": "within the budget", "interrupted": "before the interruption"}
        if self.model.status in ends:
            folds = f"{self.n_done} of {len(self.plan.splits)} folds"
            parts = [f"{folds} finished {ends[self.model.status]}"]
        for text, count in self.warned.most_common(3):
            parts.append(f"{text} ({count} of {self.model.n_fits} fits)")
        self.model.message = "; ".join(part.rstrip(".") for part in parts)


def make_runner(candidate: Candidate, plan: Plan, n_features: int, *, sparse: bool) -> Runner:
    """Set a candidate at the start, or aside where it does not suit."""
    model = Model(
        name=candidate.name,
        estimator=candidate.class_name,
        description=candidate.description,
        baseline=candidate.baseline,
        status="out of budget",
        grid={name: list(values) for name, values in candidate.grid.items()},
    )
    model.sparse = sparse
    runner = Runner(candidate, model, plan, sparse, _points(candidate))
    reason = candidate.unsuitable(len(plan.problem.y), n_features)
    try:
        estimator = candidate.make(seed=plan.seed)
    except (ImportError, AttributeError) as error:
        model.status, model.message = "failed", short(error)
        return runner
    if plan.problem.weights is not None and not has_fit_parameter(estimator, "sample_weight"):
        reason = "it takes no weights"
    estimator = runner._calibrated(estimator, final=True)
    if plan.metric.needs_probability and not hasattr(estimator, "predict_proba"):
        reason = f"it gives no probabilities, which {plan.metric.label} needs"
    if reason:
        model.status, model.message = "skipped", reason
    return runner


def _points(candidate: Candidate) -> list[dict[str, Any]]:
    names = list(candidate.grid)
    points: list[dict[str, Any]] = [{}]
    for name in names:
        points = [{**point, name: value} for point in points for value in candidate.grid[name]]
    return points


def race(runners: list[Runner], plan: Plan, *, seconds: float) -> None:
    """Run all folds of all models within so many seconds from now.

    Raises
    ------
    KeyboardInterrupt
        As the user's; what is done stands in the runners.
    """
    end = plan.clock.now() + seconds
    for _ in range(PASSES):
        for runner in runners:
            runner.parked = False
        for j, (train, test) in enumerate(plan.splits):
            waiting = [r for r in runners if r.running and not r.parked and r.n_done == j]
            if not waiting or plan.clock.now() >= end:
                continue
            fold = Fold(
                plan.problem,
                train,
                test,
                n_inner=plan.n_inner,
                seed=plan.seed,
                check=plan.clock.check,
            )
            for runner in sorted(waiting, key=_price):
                _run_one(runner, j, fold, runners, plan, end, seconds)
        if plan.clock.now() >= end or not any(runner.running for runner in runners):
            return


def _price(runner: Runner) -> tuple[bool, float, float]:
    """Cheap first: by what a fold took, and before that is known by the registry."""
    expected = runner.expected()
    known = bool(np.isfinite(expected))
    return not known, expected if known else 0.0, runner.candidate.cost


def _allowed(runner: Runner, runners: list[Runner], left: float, whole: float) -> float:
    """Return the seconds that a model may take for its next fold.

    Models whose remaining folds all take little of the whole time keep that. In the first fold,
    where some are still unknown, these keep equal shares of the rest.
    """
    others = [r for r in runners if r is not runner and r.running and not r.parked]
    needs = [1.1 * r.expected() * (len(r.plan.splits) - r.n_done) for r in others if r.fold_seconds]
    kept = sum(need for need in needs if need <= LITTLE * whole)
    left = max(0.0, left - min(kept, 0.5 * whole))
    unknown = sum(not r.fold_seconds for r in others)
    return left / (1 + unknown) if not runner.fold_seconds else left


def _run_one(
    runner: Runner,
    j: int,
    fold: Fold,
    runners: list[Runner],
    plan: Plan,
    end: float,
    whole: float,
) -> None:
    now = plan.clock.now
    start = now()
    allowed = end - start
    if np.isfinite(allowed):
        allowed = _allowed(runner, runners, allowed, whole)
        # what is not going to finish had better not begin, as long as others wait
        others = any(r.running and not r.parked for r in runners if r is not runner)
        if others and runner.expected() - runner.unfinished > 1.2 * allowed:
            runner.parked = True
            return
    plan.clock.allow(max(0.0, allowed))
    warm = runner.warm_seconds
    try:
        runner.run_fold(j, fold)
    except OutOfBudget:
        runner.parked = True
        runner.unfinished += now() - start
    except Exception as error:  # one model's failure is not the others'
        runner.model.status, runner.model.message = "failed", short(error)
    else:
        spent = now() - start - (runner.warm_seconds - warm)
        runner.fold_seconds.append(spent + runner.unfinished)
        runner.unfinished = 0.0
    if runner.n_done == len(plan.splits):
        runner.model.status = "done"
    if not runner.running:
        runner.finish()


def _of_all_classes(proba: Any, estimator: Any, plan: Plan) -> Any:
    """Return probabilities with a column for each class, also those without a training row."""
    n_classes = len(plan.problem.data.class_names)
    if proba.shape[1] == n_classes:
        return proba
    found = np.zeros((len(proba), n_classes))
    found[:, np.asarray(estimator.classes_, dtype=np.intp)] = proba
    return found


def _further(metric: Metric, answers: Answers, part: Part) -> float:
    """Return the score by another metric of the same answers; NaN where there is none."""
    if metric.needs_probability and not hasattr(answers, "predict_proba"):
        return float("nan")
    try:
        return metric.of(answers, part)
    except (ValueError, AttributeError):
        return float("nan")


def count_parameters(estimator: Any, candidate: Candidate, n_rows: int) -> int | None:
    """Return how many numbers the fitted estimator holds to predict with."""
    estimator = core(estimator)
    if candidate.keeps_rows:
        return n_rows * (estimator.n_features_in_ + 1)
    sizes = [
        np.size(getattr(estimator, name)) for name in candidate.counted if hasattr(estimator, name)
    ]
    return int(sum(sizes)) if sizes else None


def most_chosen(model: Model) -> dict[str, Any]:
    """Return the grid point chosen in most folds; of equals the one chosen first."""
    if not model.params:
        return {}
    keys = [repr(sorted(params.items(), key=str)) for params in model.params]
    winner = Counter(keys).most_common(1)[0][0]
    return model.params[keys.index(winner)]


def _gist(warning: Any) -> str:
    """Return a warning's text without its numbers, so that equal ones are counted together."""
    text = str(warning.message).split("\n")[0]
    if issubclass(warning.category, ConvergenceWarning):
        text = re.sub(r"\s*\([^)]*\)", "", text.split(". ")[0])
    return text if len(text) <= 200 else text[:199] + "…"


def short(error: BaseException) -> str:
    """Return an error in one line."""
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
