"""The same folds for every model, each prepared once.

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
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)

from ._columns import feature_names, make_preparation
from ._task import Problem

__all__ = ["Fold", "Part", "outer_splits", "prepare"]

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
    """Return (train rows, test rows) of each outer fold."""
    kind = RepeatedStratifiedKFold if problem.task == "classification" else RepeatedKFold
    splitter = kind(n_splits=n_folds, n_repeats=n_repeats, random_state=seed)
    return list(splitter.split(np.zeros(len(problem.y)), problem.y))


def inner_splits(y: Any, n_inner: int, seed: int, *, stratified: bool) -> list[Any]:
    """Return (train, test) places within an outer training set; none if it is too small."""
    if len(y) < 2 * n_inner:
        return []
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
    return Part(X_train, problem.y[train], X_test, problem.y[test], preparation)


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
        stratified = problem.task == "classification"
        self.places = inner_splits(problem.y[train], n_inner, seed, stratified=stratified)
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
