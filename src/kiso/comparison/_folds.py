"""The same folds for every model, each prepared once: at random, by groups, or forward in time.

Preparing the columns depends on the training rows and not on the model, so what a pipeline
would fit again for each model and grid point is fitted once a (inner or outer) training set.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from ._columns import feature_names, make_preparation
from ._task import Problem

__all__ = ["Fold", "Part", "by_groups", "by_time", "inner_splits", "outer_splits", "prepare"]

KEPT_BYTES = 1 << 30  # of prepared inner folds

Rows = np.ndarray[Any, np.dtype[np.intp]]


@dataclass
class Part:
    """A training set and the rows held out from it, prepared."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    preparation: Any
    w_train: Any = None  # how much each row counts; None for all the same
    w_test: Any = None

    @property
    def n_bytes(self) -> int:
        """Size of the prepared features."""
        return _size(self.X_train) + _size(self.X_test)

    @property
    def names(self) -> list[str]:
        """A readable name for each feature."""
        return feature_names(self.preparation)


def _size(X: Any) -> int:
    return int(X.nbytes if isinstance(X, np.ndarray) else X.data.nbytes + X.indices.nbytes)


def outer_splits(problem: Problem, n_folds: int, n_repeats: int, seed: int) -> list[Any]:
    """Return (train rows, test rows) of each outer fold, as the problem wants them split."""
    classes = problem.task == "classification"
    if problem.times is not None:
        return by_time(problem.times, n_folds, problem.gap)
    if problem.groups is not None:
        return [
            split
            for repeat in range(n_repeats)
            for split in by_groups(
                problem.y, problem.groups, n_folds, seed + repeat, stratified=classes
            )
        ]
    kind = RepeatedStratifiedKFold if classes else RepeatedKFold
    splitter = kind(n_splits=n_folds, n_repeats=n_repeats, random_state=seed)
    return list(splitter.split(np.zeros(len(problem.y)), problem.y))


def by_groups(y: Any, groups: Rows, n_folds: int, seed: int, *, stratified: bool) -> list[Any]:
    """Return folds in which no group is in both parts, the classes in like shares if possible."""
    nothing = np.zeros(len(y))
    if stratified:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of classes in fewer groups than folds
            splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
            found = list(splitter.split(nothing, y, groups))
        if all(len(test) and len(np.unique(y[train])) > 1 for train, test in found):
            return found
    splitter = GroupKFold(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(nothing, y, groups))


def by_time(times: Rows, n_folds: int, gap: int = 0) -> list[Any]:
    """Return expanding windows: each fold is tested on what comes after its training rows.

    The distinct times are cut into `n_folds` + 1 stretches of about as many rows; fold j is
    fitted on the first j stretches and tested on the next. Rows of one time stay together.

    Parameters
    ----------
    times : ndarray of int
        Places in time, from 0 without holes.
    n_folds : int
    gap : int
        Times that are left out between the two parts.
    """
    counts = np.bincount(times)
    share = np.cumsum(counts) / len(times)
    bounds = [int(np.searchsorted(share, j / (n_folds + 1))) + 1 for j in range(1, n_folds + 1)]
    ends = [*bounds[1:], len(counts)]
    found = []
    for start, end in zip(bounds, ends, strict=True):
        train = np.flatnonzero(times < start - gap)
        test = np.flatnonzero((times >= start) & (times < end))
        if len(train) and len(test):
            found.append((train, test))
    return found


def inner_splits(problem: Problem, train: Rows, n_inner: int, seed: int) -> list[Any]:
    """Return (train, test) places within an outer training set; none if it is too small.

    They are split as the outer folds are: a search that sees a test row's group, or its
    future, chooses what will not hold.
    """
    y = problem.y[train]
    if len(y) < 2 * n_inner:
        return []
    stratified = problem.task == "classification"
    if problem.times is not None:
        times = np.unique(problem.times[train], return_inverse=True)[1]
        if times.max() < n_inner:
            return []
        return by_time(times, n_inner, min(problem.gap, int(times.max()) // (2 * n_inner)))
    if problem.groups is not None:
        groups = problem.groups[train]
        n_inner = min(n_inner, len(np.unique(groups)))
        if n_inner < 2:
            return []
        return by_groups(y, groups, n_inner, seed, stratified=stratified)
    if stratified and np.unique(y, return_counts=True)[1].max() < n_inner:
        stratified = False
    kind = StratifiedKFold if stratified else KFold
    with warnings.catch_warnings():
        # a class smaller than the inner folds is in some of them; the scores show it
        warnings.simplefilter("ignore", UserWarning)
        return list(kind(n_inner, shuffle=True, random_state=seed).split(np.zeros(len(y)), y))


def prepare(problem: Problem, train: Rows, test: Rows, *, sparse: bool) -> Part:
    """Fit the preparation on the training rows alone; transform both."""
    preparation = make_preparation(problem.columns, len(problem.y), sparse=sparse)
    X_train = _features(preparation.fit_transform(problem.X.iloc[train]))
    X_test = _features(preparation.transform(problem.X.iloc[test]))
    w_train, w_test = (None, None) if problem.weights is None else (
        problem.weights[train], problem.weights[test])  # fmt: skip
    return Part(X_train, problem.y[train], X_test, problem.y[test], preparation, w_train, w_test)


def _features(X: Any) -> Any:
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X.tocsr()


class Fold:
    """One outer fold: its training and test rows, its inner folds, what is prepared of them.

    Parameters
    ----------
    problem : Problem
    train, test : ndarray of int
    n_inner : int
        Inner folds for the search over a grid.
    seed : int
    check : callable
        Called before each piece of work; raises when time is up.
    """

    def __init__(
        self,
        problem: Problem,
        train: Rows,
        test: Rows,
        *,
        n_inner: int,
        seed: int,
        check: Callable[[], None],
    ):
        self.problem, self.train, self.test = problem, train, test
        self.check = check
        self.places = inner_splits(problem, train, n_inner, seed)
        self._outer: dict[bool, Part] = {}
        self._inner: dict[tuple[int, bool], Part] = {}

    def outer(self, *, sparse: bool) -> Part:
        """Return the outer training and test sets."""
        if sparse not in self._outer:
            self.check()
            self._outer[sparse] = prepare(self.problem, self.train, self.test, sparse=sparse)
        return self._outer[sparse]

    def inner(self, k: int, *, sparse: bool) -> Part:
        """Return the k-th inner training and validation sets; kept while memory allows."""
        key = (k, sparse)
        if key in self._inner:
            return self._inner[key]
        self.check()
        train, test = self.places[k]
        part = prepare(self.problem, self.train[train], self.train[test], sparse=sparse)
        if sum(p.n_bytes for p in self._inner.values()) + part.n_bytes <= KEPT_BYTES:
            self._inner[key] = part
        return part
