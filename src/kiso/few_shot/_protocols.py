"""How few-shot classifiers are judged: Lake's runs, and episodes drawn at random.

The two are not comparable. A run asks for one of 20 characters of one alphabet (similar to
each other); an episode takes its classes from wherever they come.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from kiso._gate import column_or_1d
from kiso._validation import Array, RandomState, check_generator
from kiso.datasets import fetch_omniglot_runs

__all__ = ["Episode", "Scores", "episodes", "score_episodes", "score_runs"]


class Run(Protocol):
    """What a run has: `kiso.datasets.OneShotRun`, or one of your own."""

    @property
    def support(self) -> Any:
        """One example of each class, whose number is its class."""

    @property
    def queries(self) -> Any:
        """Samples to classify."""

    @property
    def labels(self) -> Any:
        """Their classes."""


@dataclass(frozen=True)
class Episode:
    """Rows of a data set: examples of a few classes, and others of the same to classify.

    Attributes
    ----------
    support : ndarray of shape (n_way * n_shot,), int
    queries : ndarray of shape (n_way * n_query,), int
        Indices of rows, class after class in the same order of classes.
    """

    support: Array
    queries: Array


@dataclass(frozen=True)
class Scores:
    """How the questions of a protocol were answered.

    Attributes
    ----------
    errors : ndarray of shape (n_runs,)
        Share of wrong answers in each run or episode.
    n_questions : int
        In all.
    """

    errors: Array
    n_questions: int

    @property
    def error(self) -> float:
        """Mean share of wrong answers."""
        return float(self.errors.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of that mean over runs; NaN for a single one."""
        n = len(self.errors)
        return float(self.errors.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")


def score_runs(
    estimator: Any,
    runs: Iterable[Run] | None = None,
    *,
    transform: Callable[[Any], Any] | None = None,
    data_folder: str | os.PathLike[str] | None = None,
) -> Scores:
    """Evaluate a classifier on one-shot runs, by default Lake's 20 runs of 20 characters.

    A fitted estimator with a `support` method is given each run's examples so; any other is
    cloned and fitted on them (flattened, if it is of another library and they are pictures:
    say so by `transform`). The estimator that is passed in does not change.

    Parameters
    ----------
    estimator : classifier
    runs : iterable of runs or None, default=None
        Each with `support`, `queries` and `labels`; None loads `fetch_omniglot_runs`.
    transform : callable or None, default=None
        Applied to the support and to the queries of each run (to shrink, or flatten).
    data_folder : path-like, optional
        Where Omniglot lies; see `kiso.datasets.fetch_omniglot_runs`.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If there are no runs, or a query's class has no example.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from kiso.few_shot import NearestExampleClassifier, score_runs
    >>> run = SimpleNamespace(support=[[0.0], [1.0]], queries=[[0.1], [0.6]], labels=[0, 0])
    >>> score_runs(NearestExampleClassifier(), [run]).error
    0.5
    """
    change = transform if transform is not None else _unchanged
    errors, n_questions = [], 0
    for run in fetch_omniglot_runs(data_folder=data_folder) if runs is None else runs:
        labels = np.asarray(run.labels)
        classes = np.arange(len(run.support))
        if not np.isin(labels, classes).all():
            raise ValueError(f"labels: some have no example; there are {len(classes)} of them")
        model = _with_support(estimator, change(run.support), classes)
        errors.append(float(np.mean(model.predict(change(run.queries)) != labels)))
        n_questions += len(labels)
    if not errors:
        raise ValueError("runs is empty: give one or more")
    return Scores(np.array(errors), n_questions)


def score_episodes(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    n_way: int = 20,
    n_shot: int = 1,
    n_query: int = 1,
    n_episodes: int = 100,
    random_state: RandomState = None,
) -> Scores:
    """Evaluate a classifier on random episodes over labelled samples of new classes.

    Parameters
    ----------
    estimator : classifier
        As for `score_runs`.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,)
    n_way, n_shot, n_query, n_episodes, random_state
        As for `episodes`.

    Returns
    -------
    Scores
    """
    X, y = np.asarray(X), column_or_1d(y)
    errors, n_questions = [], 0
    for episode in episodes(y, n_way=n_way, n_shot=n_shot, n_query=n_query,
                            n_episodes=n_episodes, random_state=random_state):  # fmt: skip
        model = _with_support(estimator, X[episode.support], y[episode.support])
        errors.append(float(np.mean(model.predict(X[episode.queries]) != y[episode.queries])))
        n_questions += len(episode.queries)
    return Scores(np.array(errors), n_questions)


def episodes(
    y: Any,
    *,
    n_way: int = 20,
    n_shot: int = 1,
    n_query: int = 1,
    n_episodes: int = 100,
    random_state: RandomState = None,
) -> Iterator[Episode]:
    """Draw episodes: classes without replacement, and of each class its samples so too.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Classes.
    n_way : int, default=20
        Classes of an episode.
    n_shot, n_query : int, default=1
        Examples and queries of each class.
    n_episodes : int, default=100
    random_state : int, Generator, RandomState or None, default=None

    Returns
    -------
    iterator of Episode

    Raises
    ------
    ValueError
        If there are fewer classes than `n_way`, or a class has fewer than
        `n_shot + n_query` samples.

    Examples
    --------
    >>> y = ["a", "a", "b", "b", "c", "c"]
    >>> episode = next(episodes(y, n_way=2, random_state=0))
    >>> len(episode.support), len(episode.queries)
    (2, 2)
    """
    given = {"n_way": n_way, "n_shot": n_shot, "n_query": n_query, "n_episodes": n_episodes}
    for name, value in given.items():
        if int(value) != value or value < 1:
            raise ValueError(f"{name}={value}: give a whole number >= 1")
    classes, codes, counts = np.unique(column_or_1d(y), return_inverse=True, return_counts=True)
    if len(classes) < n_way:
        raise ValueError(f"n_way={n_way}: y has only {len(classes)} classes")
    least = int(counts.argmin())
    if counts[least] < n_shot + n_query:
        raise ValueError(
            f"class {str(classes[least])!r} has {counts[least]} samples; an episode needs "
            f"{n_shot + n_query} of each (n_shot={n_shot} + n_query={n_query})"
        )
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    return _draw(members, n_way, n_shot, n_query, n_episodes, check_generator(random_state))


def _draw(
    members: list[Array],
    n_way: int,
    n_shot: int,
    n_query: int,
    n_episodes: int,
    rng: np.random.Generator,
) -> Iterator[Episode]:
    for _ in range(n_episodes):
        chosen = [
            rng.choice(members[k], n_shot + n_query, replace=False)
            for k in rng.choice(len(members), n_way, replace=False)
        ]
        yield Episode(
            np.concatenate([rows[:n_shot] for rows in chosen]),
            np.concatenate([rows[n_shot:] for rows in chosen]),
        )


def _unchanged(X: Any) -> Any:
    return X


def _with_support(estimator: Any, X: Any, y: Any) -> Any:
    """Return the classifier with these examples; the one given stays as it is."""
    if hasattr(estimator, "support"):
        try:
            check_is_fitted(estimator)
        except NotFittedError:
            pass
        else:
            return copy.copy(estimator).support(X, y)
    return clone(estimator).fit(X, y)
