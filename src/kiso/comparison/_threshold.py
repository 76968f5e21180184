"""A probability from which on a row counts as a case, chosen by what mistakes cost.

c₊    cost of a false positive (a case is called, and is none)
c₋    cost of a false negative (a case is missed)
p     probability of a case
τ     a row is called a case where p ≥ τ; for true probabilities the best is c₊ / (c₊ + c₋)
      (Elkan 2001, "The foundations of cost-sensitive learning", eq. 2)

What a model states is not always the true probability, so the threshold is chosen by the cost
on held-out rows; what it costs is measured on folds that it was not chosen on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ._result import Choice
from ._text import DataError

__all__ = ["ThresholdClassifier", "best_threshold", "choose_threshold", "costs_of"]

Array = np.ndarray[Any, np.dtype[np.float64]]


class ThresholdClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier of two classes that calls a case from a probability of its own on.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba`.
    threshold : float, default=0.5
        Probability of `positive` from which on it is predicted.
    positive : default=None
        The class that is the case; the second where None.

    Examples
    --------
    >>> from kiso.linear_model import LogisticRegression
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]
    >>> careful = ThresholdClassifier(LogisticRegression(), 0.3, "yes").fit(X, y)
    >>> careful.predict(X).tolist()
    ['no', 'yes', 'yes', 'yes']
    """

    def __init__(self, estimator: Any, threshold: float = 0.5, positive: Any = None):
        self.estimator = estimator
        self.threshold = threshold
        self.positive = positive

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the classifier.

        Raises
        ------
        ValueError
            If there are not two classes, or `positive` is none of them.
        """
        estimator = clone(self.estimator)
        weighed = {}
        if sample_weight is not None and has_fit_parameter(estimator, "sample_weight"):
            weighed = {"sample_weight": sample_weight}
        self.estimator_ = estimator.fit(X, y, **weighed)
        self.classes_ = np.asarray(self.estimator_.classes_)
        if len(self.classes_) != 2:
            raise ValueError(f"a threshold needs two classes, and there are {len(self.classes_)}")
        names = [str(label) for label in self.classes_]
        if self.positive is not None and str(self.positive) not in names:
            raise ValueError(f"positive is {self.positive!r}: it is {' or '.join(names)}")
        self.positive_ = 1 if self.positive is None else names.index(str(self.positive))
        if hasattr(self.estimator_, "n_features_in_"):
            self.n_features_in_ = self.estimator_.n_features_in_
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the classifier's own probabilities, (n_rows, 2)."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> Any:
        """Return `positive` where its probability reaches the threshold, else the other class."""
        case = self.predict_proba(X)[:, self.positive_] >= self.threshold
        return self.classes_[np.where(case, self.positive_, 1 - self.positive_)]


def costs_of(text: str) -> tuple[float, float]:
    """Return the costs of a false positive and a false negative from "1:10".

    Raises
    ------
    DataError
        If they are no two numbers above zero.

    Examples
    --------
    >>> costs_of("1:10")
    (1.0, 10.0)
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*[:/]\s*(\d+\.?\d*|\.\d+)\s*", text)
    costs = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if min(costs) <= 0:
        raise DataError(
            f"--cost {text!r}: write the cost of a false positive and of a false negative, as 1:10."
        )
    return costs


def best_threshold(p: Array, case: Any, costs: tuple[float, float], weights: Any = None) -> float:
    """Return the threshold of least cost on these rows; of equals the nearest to c₊ / (c₊ + c₋).

    Parameters
    ----------
    p : ndarray of shape (n_rows,)
        Probability of a case.
    case : ndarray of bool
    costs : (false positive, false negative)
    weights : ndarray, optional

    Examples
    --------
    >>> import numpy as np
    >>> best_threshold(np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True]), (1, 9))
    0.15...
    """
    w = np.ones(len(p)) if weights is None else weights
    values, place = np.unique(p, return_inverse=True)
    yes = np.bincount(place, w * case, len(values))
    no = np.bincount(place, w * ~case, len(values))
    # calling everything from values[i] on, i = 0 … n; the last calls nothing
    missed = np.concatenate([[0.0], np.cumsum(yes)])
    called = np.concatenate([np.cumsum(no[::-1])[::-1], [0.0]])
    cost = costs[0] * called + costs[1] * missed
    edges = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [np.nextafter(values[-1], 2)]])
    bayes = costs[0] / (costs[0] + costs[1])
    equal = np.flatnonzero(cost <= cost.min() * (1 + 1e-12) + 1e-300)
    low, high = edges[equal], edges[equal]
    low = np.where(equal > 0, values[np.maximum(equal - 1, 0)], 0.0)
    high = np.where(equal < len(values), values[np.minimum(equal, len(values) - 1)], 1.0)
    inside = (low < bayes) & (bayes <= high)
    if inside.any():
        return float(bayes)
    return float(edges[equal[np.argmin(np.abs(edges[equal] - bayes))]])


def choose_threshold(
    folds: Sequence[tuple[Array, Any, Any]], costs: tuple[float, float], positive: str
) -> Choice:
    """Choose a threshold by all held-out rows; measure each fold at that of the other folds.

    Parameters
    ----------
    folds : sequence of (p, case, weights)
        Of each fold the held-out rows: probability of a case, whether it is one, weights.
    costs : (false positive, false negative)
    positive : str
        Name of the class that is the case.
    """

    def joined(which: Sequence[int]) -> tuple[Array, Any, Any]:
        p, case, w = zip(*(folds[i] for i in which), strict=True)
        return np.concatenate(p), np.concatenate(case), np.concatenate(w)

    places = list(range(len(folds)))
    spent = plain = 0.0
    for i in places:
        rest = [j for j in places if j != i]
        other = joined(rest) if rest else None
        tau = (
            costs[0] / sum(costs)
            if other is None
            else best_threshold(other[0], other[1], costs, other[2])
        )
        spent += _cost(folds[i], tau, costs)
        plain += _cost(folds[i], 0.5, costs)
    p, case, w = joined(places)
    total = float(w.sum())
    tau = best_threshold(p, case, costs, w)
    if np.array_equal(p >= float(f"{tau:.3g}"), p >= tau):
        tau = float(f"{tau:.3g}")  # the same calls, in a number that can be read
    return Choice(
        positive=positive,
        false_positive=costs[0],
        false_negative=costs[1],
        threshold=tau,
        cost=spent / total,
        cost_at_half=plain / total,
        cost_never=costs[1] * float(w @ case) / total,
        cost_always=costs[0] * float(w @ ~case) / total,
        caught=float(w @ (case & (p >= tau))) / max(float(w @ case), 1e-300),
        called=float(w @ (p >= tau)) / total,
    )


def _cost(fold: tuple[Array, Any, Any], tau: float, costs: tuple[float, float]) -> float:
    p, case, w = fold
    called = p >= tau
    return float(costs[0] * (w @ (called & ~case)) + costs[1] * (w @ (~called & case)))
