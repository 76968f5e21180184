"""Columns that give the target away, each by itself or a few as a sum.

A column that by itself predicts the target of rows it was not fitted on, (almost) without
error, is mostly known only after the target: a code of it, a part of it, a copy in other units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Leak", "giveaways"]

SURE_CLASSES = 0.98  # share of what there is to gain over the most frequent class
SURE_NUMBERS = 0.999  # R²
EXACT = 1e-6  # 1 − R² of a sum
MAX_ROWS = 5000
MAX_SUM = 60  # columns among which a sum is looked for

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Leak:
    """Columns that give the target away.

    Attributes
    ----------
    columns : tuple of str
    score : float
        Accuracy or R² on held-out rows, of these columns alone.
    how : str
        "alone", or "as a sum".
    """

    columns: tuple[str, ...]
    score: float
    how: str


def giveaways(
    columns: Mapping[str, tuple[Array, bool]], y: Array, *, classes: bool, seed: int = 0
) -> list[Leak]:
    """Find columns that predict the target by themselves.

    Each is asked alone: a row gets the answer of the training rows with the same value; of a
    number, that of the nearest values. So a threshold, a curve and a mapping of codes are found
    as well as a line, whatever models are compared. For numbers, a sum of columns is looked
    for too.

    Parameters
    ----------
    columns : mapping of str to (array, whether it is ordered)
        Numbers (a missing one is NaN), or codes of categories.
    y : ndarray of shape (n_rows,)
        Class numbers or the target's numbers.
    classes : bool
    seed : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, noise = rng.normal(size=(2, 300))
    >>> giveaways({"x": (x, True), "noise": (noise, True)}, (x > 0.3).astype(int), classes=True)
    [Leak(columns=('x',), score=1.0, how='alone')]
    """
    rng = np.random.default_rng(seed)
    n = len(y)
    rows = rng.permutation(n)[:MAX_ROWS]
    if len(rows) < 20:
        return []
    y = y[rows]
    half = len(rows) // 2
    halves = ((rows[:half], y[:half], rows[half:], y[half:]),
              (rows[half:], y[half:], rows[:half], y[:half]))  # fmt: skip
    found = []
    for name, (values, ordered) in columns.items():
        answers = [
            _answers(values[train], y_train, values[test], ordered=ordered, classes=classes)
            for train, y_train, test, _ in halves
        ]
        truth = np.concatenate([y_test for _, _, _, y_test in halves])
        guesses = np.concatenate(answers)
        if ordered and not classes:
            inside = _inner(values[np.concatenate([test for _, _, test, _ in halves])])
            guesses, truth = guesses[inside], truth[inside]
        score, sure = _score(guesses, truth, classes=classes)
        if sure:
            found.append(Leak((name,), score, "alone"))
    if not found and not classes:
        found += _sum({k: v[rows] for k, (v, ordered) in columns.items() if ordered}, y)
    return found


def _inner(values: Array) -> Array:
    """Which rows are not at the ends of a column, where there are no nearest on both sides."""
    values = values.astype(np.float64)
    low, high = np.nanquantile(values, [0.05, 0.95])
    inside = np.isnan(values) | ((values >= low) & (values <= high))
    return inside if inside.sum() >= 10 else np.ones(len(values), dtype=bool)


def _score(answers: Array, truth: Array, *, classes: bool) -> tuple[float, bool]:
    if classes:
        right = float(np.mean(answers == truth))
        base = float(np.bincount(truth).max() / len(truth))
        least = np.bincount(truth)
        # of a rare class one row decides: half of its rows have to be right as well
        rare = int(np.argmin(np.where(least > 0, least, len(truth) + 1)))
        found = float(np.mean(answers[truth == rare] == rare))
        return right, (right - base) / max(1e-12, 1 - base) >= SURE_CLASSES and found > 0.5
    spread = float(np.mean((truth - truth.mean()) ** 2))
    score = 1.0 - float(np.mean((answers - truth) ** 2)) / max(spread, 1e-300)
    return score, score >= SURE_NUMBERS


def _answers(x: Array, y: Array, query: Array, *, ordered: bool, classes: bool) -> Array:
    """Predict each query by the training rows of the same, or else the nearest values."""
    x, query = _filled(x, query)
    distinct, place = np.unique(x, return_inverse=True)
    if classes:
        votes = np.zeros((len(distinct), int(y.max()) + 1))
        np.add.at(votes, (place, y), 1.0)
        known = votes.argmax(axis=1)
        usual: Any = np.bincount(y).argmax()
    else:
        known = np.bincount(place, y) / np.bincount(place)
        usual = y.mean()
    at = np.searchsorted(distinct, query).clip(0, len(distinct) - 1)
    if not ordered:
        return np.where(distinct[at] == query, known[at], usual)
    below = (at - (distinct[at] > query)).clip(0, len(distinct) - 1)
    width = np.where(at > below, distinct[at] - distinct[below], 1.0)
    share = ((query - distinct[below]) / width).clip(0.0, 1.0)
    if classes:
        return np.where(share < 0.5, known[below], known[at])
    return (1.0 - share) * known[below] + share * known[at]


def _filled(x: Array, query: Array) -> tuple[Array, Array]:
    """Put what is missing below everything else: that it is missing may tell all."""
    x, query = x.astype(np.float64), query.astype(np.float64)
    both = np.concatenate([x, query])
    present = both[~np.isnan(both)]
    low = float(present.min() - (present.max() - present.min()) - 1.0) if len(present) else 0.0
    return np.where(np.isnan(x), low, x), np.where(np.isnan(query), low, query)


def _sum(numbers: Mapping[str, Array], y: Array) -> list[Leak]:
    """Find columns of which the target is a weighted sum, exactly."""
    names = [name for name, values in numbers.items() if not np.isnan(values.astype(float)).any()]
    if not 2 <= len(names) <= MAX_SUM or len(y) < 3 * len(names):
        return []
    X = np.column_stack([numbers[name].astype(np.float64) for name in names])
    X = X - X.mean(axis=0)
    spread = X.std(axis=0)
    keep = np.flatnonzero(spread > 0)
    X = X[:, keep] / spread[keep]
    y = (y - y.mean()) / max(float(y.std()), 1e-300)

    def left(chosen: list[int]) -> float:
        w = np.linalg.lstsq(X[:, chosen], y, rcond=None)[0]
        return float(np.mean((y - X[:, chosen] @ w) ** 2))

    chosen = list(range(X.shape[1]))
    if left(chosen) > EXACT:
        return []
    for j in list(chosen):
        fewer = [k for k in chosen if k != j]
        if fewer and left(fewer) <= EXACT:
            chosen = fewer
    if not 1 <= len(chosen) <= 6:
        return []
    return [Leak(tuple(names[keep[j]] for j in chosen), 1.0 - left(chosen), "as a sum")]
