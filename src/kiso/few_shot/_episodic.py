"""Training by episodes: classes are drawn, and of each class samples; a generator of states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kiso._compute.threads import one_blas_thread
from kiso._validation import Array
from kiso.base import State
from kiso.nn import Run, TrainStatus
from kiso.optim import NonFiniteGradientError, Rule, global_norm

from ._episode_losses import Lesson

__all__ = ["ClassSampler", "EpisodeState", "Learner", "Plan", "learn"]


@dataclass(frozen=True, kw_only=True)
class EpisodeState(State):
    """Where training by episodes stands.

    Attributes
    ----------
    n_iter : int
        Steps, an episode each.
    objective : float
        Mean loss of the episodes since the last state, each before its step.
    converged : bool
        Whether all steps were taken.
    accuracy : float
        Share of right answers in those episodes.
    gradient_norm : float
        Of the last step.
    status : TrainStatus
        RUNNING, COMPLETE or DIVERGED.
    detail : str
        For DIVERGED, what was not finite and when.
    """

    accuracy: float
    gradient_norm: float
    status: TrainStatus = TrainStatus.RUNNING
    detail: str = ""


class Learner(Protocol):
    """What learns: its parameters, and what an episode teaches."""

    @property
    def parameters(self) -> Any:
        """Tree of the arrays that move."""

    def study(self, run: Run) -> Lesson:
        """Draw an episode; gradients nested as `parameters`."""


@dataclass(frozen=True)
class Plan:
    """How long to learn, and by which rule."""

    rule: Rule
    n_steps: int
    every: int
    few_threads: bool  # products so small that a second thread of BLAS is in the way


@dataclass(frozen=True)
class ClassSampler:
    """Draws samples of classes drawn at random.

    Attributes
    ----------
    X : ndarray of shape (n_samples, ...)
    members : list of ndarray
        Rows of X of each class.
    turns : int
        4 where each rotation by 90° of a class is a class of its own, else 1.
    """

    X: Array
    members: list[Array]
    turns: int = 1

    @property
    def n_classes(self) -> int:
        """Classes there are to draw, the turned ones counted."""
        return self.turns * len(self.members)

    def draw(self, rng: np.random.Generator, n_classes: int, n_each: int) -> Array:
        """Return samples of shape (n_classes · n_each, ...), sample after sample of a class."""
        chosen = rng.choice(self.n_classes, n_classes, replace=False)
        rows = [rng.choice(self.members[k // self.turns], n_each, replace=False) for k in chosen]
        samples = self.X[np.concatenate(rows)]
        if self.turns > 1:
            turn = np.repeat(chosen % self.turns, n_each)
            for k in range(1, self.turns):
                which = turn == k
                samples[which] = np.rot90(samples[which], k, axes=(-2, -1))
        return samples


class _Course:
    """Training under way: what the rule remembers, and what the last steps gave."""

    def __init__(self, learner: Learner, rule: Rule, rng: np.random.Generator):
        self.learner, self.rule, self.params = learner, rule, learner.parameters
        self.memory = rule.init(self.params)
        self.run = Run(rng, reuse_buffers=True)
        self.norm = float("nan")
        self.lessons: list[tuple[float, float]] = []  # loss and accuracy since the last state

    def step(self) -> None:
        """Take a step; FloatingPointError, and nothing moves, where something is not finite."""
        self.run.begin_step()
        lesson = self.learner.study(self.run)
        if not np.isfinite(lesson.loss):
            raise FloatingPointError(f"the loss is {lesson.loss}")
        self.norm = global_norm(lesson.gradients)
        try:
            _, self.memory = self.rule.update(
                lesson.gradients, self.memory, self.params, in_place=True
            )
        except NonFiniteGradientError:
            raise FloatingPointError("a gradient is not finite") from None
        self.run.apply_statistics()
        self.lessons.append((lesson.loss, lesson.accuracy))


def learn(learner: Learner, plan: Plan, rng: np.random.Generator) -> Iterator[EpisodeState]:
    """Take steps; yield a state every so many. What is not finite ends it."""
    course, n_iter, detail = _Course(learner, plan.rule, rng), 0, ""
    threads = one_blas_thread if plan.few_threads else nullcontext
    while n_iter < plan.n_steps and not detail:
        course.lessons.clear()
        with threads(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            try:
                for _ in range(min(plan.every, plan.n_steps - n_iter)):
                    course.step()
                    n_iter += 1
            except FloatingPointError as error:
                detail = f"step {n_iter + 1}: {error}"
        status = TrainStatus.COMPLETE if n_iter == plan.n_steps else TrainStatus.RUNNING
        if detail:
            status = TrainStatus.DIVERGED
        nothing = [(float("nan"), float("nan"))]
        loss, accuracy = np.mean(course.lessons or nothing, axis=0)
        yield EpisodeState(
            n_iter=n_iter,
            objective=float(loss),
            converged=status is TrainStatus.COMPLETE,
            accuracy=float(accuracy),
            gradient_norm=course.norm,
            status=status,
            detail=detail,
        )
