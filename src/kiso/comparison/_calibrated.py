"""Probabilities that mean what they say: scores of held-out rows, mapped to frequencies.

The training rows are cut into folds; each is scored by a model of the others, and a map from
score to frequency is fitted to these scores. The model that predicts is fitted on all rows.

sigmoid   p = 1 / (1 + exp(−(a s + b)))                       (Platt 1999, with his targets)
isotonic  the rising step function of least squared error     (Zadrozny and Elkan 2002)

More than two classes: each against the rest, divided by their sum.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

__all__ = ["CalibratedClassifier"]

N_FOLDS = 3
LEAST = 1e-7  # probability that a logarithm is taken of

Array = np.ndarray[Any, np.dtype[np.float64]]


class CalibratedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier whose probabilities are calibrated on held-out parts of its training rows.

    Parameters
    ----------
    estimator : classifier
        With `decision_function` or `predict_proba`.
    method : {"sigmoid", "isotonic"}, default="sigmoid"
        Isotonic needs about 1,000 rows.
    n_folds : int, default=3
        Parts of the training rows; fewer where a class has fewer rows.
    random_state : int, default=0
        Of the parts.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on all rows.
    maps_ : list of ndarray of shape (2, n)
        For each class (of two the second): the slope and the intercept of a sigmoid as one
        column, or the scores and the frequencies between which a line is drawn.

    Raises
    ------
    ValueError
        If a class has one row only.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.svm import LinearSVC
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> y = np.r_[np.zeros(18), 1, 0, 1, 0, np.ones(18)]
    >>> model = CalibratedClassifier(LinearSVC()).fit(X, y)
    >>> p = model.predict_proba([[-1.0], [0.0], [1.0]])[:, 1]
    >>> bool(p[0] < 0.2 and 0.3 < p[1] < 0.7 and p[2] > 0.8)
    True
    """

    def __init__(
        self,
        estimator: Any,
        method: Literal["sigmoid", "isotonic"] = "sigmoid",
        n_folds: int = N_FOLDS,
        random_state: int = 0,
    ):
        self.estimator = estimator
        self.method = method
        self.n_folds = n_folds
        self.random_state = random_state

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Hand callbacks to the fits, as scikit-learn's interface has it."""
        self._callbacks = callbacks
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the maps on held-out rows, and the classifier on all.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
        y : array-like of shape (n_rows,)
        sample_weight : array-like of shape (n_rows,), optional
        """
        if self.method not in ("sigmoid", "isotonic"):
            raise ValueError(f"method is {self.method!r}: it is 'sigmoid' or 'isotonic'")
        y = np.asarray(y)
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        n_folds = min(self.n_folds, int(counts.min()))
        if n_folds < 2:
            raise ValueError("calibration needs 2 rows of every class")
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        scores = np.zeros((len(y), 1 if len(self.classes_) == 2 else len(self.classes_)))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=self.random_state)
        for train, test in folds.split(codes, codes):
            part = self._fitted(X[train], y[train], None if weights is None else weights[train])
            scores[test] = _scores(part, X[test])
        self.estimator_ = self._fitted(X, y, weights)
        events = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        fit_map = _sigmoid if self.method == "sigmoid" else _isotonic
        w = np.ones(len(y)) if weights is None else weights
        self.maps_ = [
            fit_map(scores[:, j], (codes == event).astype(np.float64), w)
            for j, event in enumerate(events)
        ]
        self.n_features_in_ = X.shape[1]
        return self

    def _fitted(self, X: Any, y: Any, weights: Any) -> Any:
        estimator = clone(self.estimator)
        callbacks = getattr(self, "_callbacks", ())
        if callbacks and hasattr(estimator, "set_callbacks"):
            estimator.set_callbacks(*callbacks)
        weighed = {}
        if weights is not None and has_fit_parameter(estimator, "sample_weight"):
            weighed = {"sample_weight": weights}
        estimator.fit(X, y, **weighed)
        if callbacks and hasattr(estimator, "set_callbacks"):
            estimator.set_callbacks()
        return estimator

    def predict_proba(self, X: Any) -> Any:
        """Return calibrated probabilities, (n_rows, n_classes)."""
        check_is_fitted(self, "maps_")
        scores = _scores(self.estimator_, X)
        p = np.column_stack(
            [_mapped(found, scores[:, j], self.method) for j, found in enumerate(self.maps_)]
        )
        if p.shape[1] == 1:
            return np.hstack([1.0 - p, p])
        total = p.sum(axis=1, keepdims=True)
        return np.divide(p, total, out=np.full_like(p, 1.0 / p.shape[1]), where=total > 0)

    def predict(self, X: Any) -> Any:
        """Return the class of the highest calibrated probability; of equals the first."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def _scores(estimator: Any, X: Any) -> Array:
    """Return one score a class (of two: of the second); log-odds where there are probabilities."""
    if hasattr(estimator, "decision_function"):
        found = np.asarray(estimator.decision_function(X), dtype=np.float64)
        if found.ndim == 1:
            return found[:, None]
        if found.shape[1] == len(estimator.classes_):
            return found
    p = np.clip(np.asarray(estimator.predict_proba(X), dtype=np.float64), LEAST, 1 - LEAST)
    odds = np.log(p) - np.log1p(-p)
    return odds[:, 1:] if odds.shape[1] == 2 else odds


def _sigmoid(scores: Array, happened: Array, weights: Array) -> Array:
    """Fit a slope and an intercept by Newton's method with halved steps.

    The targets are (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2), so that rows that are apart leave the
    slope finite.
    """
    n_yes, n_no = float(weights @ happened), float(weights @ (1 - happened))
    t = np.where(happened > 0, (n_yes + 1) / (n_yes + 2), 1 / (n_no + 2))
    scale = max(float(np.abs(scores).max()), 1e-300)
    s = scores / scale
    F = np.column_stack([s, np.ones_like(s)])
    theta = np.array([0.0, np.log((n_yes + 1) / (n_no + 1))])

    def loss(theta: Array) -> float:
        z = F @ theta
        return float(weights @ (np.logaddexp(0, z) - t * z))

    value = loss(theta)
    for _ in range(100):
        p = expit(F @ theta)
        gradient = F.T @ (weights * (p - t))
        hessian = (F * (weights * p * (1 - p))[:, None]).T @ F + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and loss(theta - size * step) > value - 1e-4 * size * (gradient @ step):
            size /= 2
        theta = theta - size * step
        before, value = value, loss(theta)
        if before - value <= 1e-12 * max(1.0, abs(value)):
            break
    return np.array([[theta[0] / scale], [theta[1]]])


def _isotonic(scores: Array, happened: Array, weights: Array) -> Array:
    """Return the scores and frequencies where a rising function of least squares turns."""
    used = weights > 0
    values, place = np.unique(scores[used], return_inverse=True)
    w = np.bincount(place, weights[used])
    mean = np.bincount(place, (weights * happened)[used]) / w
    fitted = np.asarray(isotonic_regression(mean, weights=w).x)
    turns = np.ones(len(values), dtype=bool)
    turns[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    return np.vstack([values[turns], np.clip(fitted[turns], 0.0, 1.0)])


def _mapped(found: Array, scores: Array, method: str) -> Array:
    if method == "sigmoid":
        return np.asarray(expit(found[0, 0] * scores + found[1, 0]))
    return np.interp(scores, found[0], found[1])
