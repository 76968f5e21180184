"""The score: scikit-learn's scorers, greater is better, with words for people."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, get_scorer

from ._result import Task
from ._table import nearest
from ._text import DataError
from .detectors import rare_class

__all__ = ["Answers", "Metric", "choose_metric"]

_CLASSIFICATION = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "f1_macro": "F1 (macro)",
    "f1_micro": "F1 (micro)",
    "f1_weighted": "F1 (weighted)",
    "precision": "precision",
    "precision_macro": "precision (macro)",
    "recall": "recall",
    "recall_macro": "recall (macro)",
    "matthews_corrcoef": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "roc_auc_ovr": "ROC AUC (one against rest)",
    "average_precision": "average precision",
    "neg_log_loss": "log loss",
    "neg_brier_score": "Brier score",
}
_REGRESSION = {
    "r2": "R²",
    "explained_variance": "explained variance",
    "neg_root_mean_squared_error": "RMSE",
    "neg_mean_squared_error": "MSE",
    "neg_mean_absolute_error": "MAE",
    "neg_median_absolute_error": "median absolute error",
    "neg_mean_absolute_percentage_error": "MAPE",
}
_SHORT = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "mcc": "matthews_corrcoef",
    "log_loss": "neg_log_loss",
    "logloss": "neg_log_loss",
    "brier": "neg_brier_score",
    "ap": "average_precision",
    "pr_auc": "average_precision",
    "rmse": "neg_root_mean_squared_error",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "r²": "r2",
}
_MANY_CLASSES = {  # what stands in for a metric of two classes
    "f1": "f1_macro",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "roc_auc": "roc_auc_ovr",
}
_TWO_CLASSES_ONLY = {"average_precision"}
_NEEDS_PROBABILITY = {"neg_log_loss", "neg_brier_score", "roc_auc_ovr"}


@dataclass(frozen=True)
class Metric:
    """A scorer of scikit-learn.

    Attributes
    ----------
    name : str
        scikit-learn's name.
    label : str
        For people; without "neg": an error is shown as an error.
    needs_probability : bool
        Whether a model without `predict_proba` cannot be scored.
    positive : int
        The class that average precision looks for.
    """

    name: str
    label: str
    needs_probability: bool
    positive: int = 1

    @property
    def sign(self) -> int:
        """-1 for an error, which is shown as it is and not with its sign turned."""
        return -1 if self.name.startswith("neg_") else 1

    @property
    def least_rows(self) -> int:
        """Held-out rows that a score takes; R² compares with their mean."""
        return 2 if self.name in ("r2", "explained_variance") else 1

    def of(self, answers: Answers, part: Any, *, train: bool = False) -> float:
        """Score a model's answers for the test (or training) rows of a part, with its weights."""
        if train:
            return self.score(answers, part.X_train, part.y_train, part.w_train)
        return self.score(answers, part.X_test, part.y_test, part.w_test)

    def score(self, answers: Answers, X: Any, y: Any, weights: Any = None) -> float:
        """Score a model's answers for X, greater is better.

        Parameters
        ----------
        answers : fitted estimator or Answers
        X, y : array-like
        weights : ndarray of shape (n_rows,), optional
            How much each row counts; all the same where None.

        Raises
        ------
        ValueError
            If a prediction is not finite, so that there is no score.
        """
        with warnings.catch_warnings():
            # a class that is never predicted has precision 0: that is the score, no news
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            if self.name == "average_precision":
                score = self._average_precision(answers, X, y, weights)
            else:
                score = float(get_scorer(self.name)(answers, X, y, sample_weight=weights))
        if not np.isfinite(score):
            raise ValueError(f"{self.label} is not finite")
        return score

    def _average_precision(self, answers: Answers, X: Any, y: Any, weights: Any) -> float:
        """As scikit-learn's scorer, for either class."""
        if hasattr(answers, "decision_function"):
            found = np.asarray(answers.decision_function(X))
            found = found if self.positive == 1 else -found
        else:
            found = np.asarray(answers.predict_proba(X))[:, self.positive]
        return float(average_precision_score(y == self.positive, found, sample_weight=weights))


class Answers:
    """A fitted estimator that answers each question about the same rows once.

    A scorer, the pictures and the clock each want predictions; this keeps them.
    """

    def __init__(self, estimator: Any):
        self._estimator = estimator
        self._kept: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in ("predict", "predict_proba", "decision_function"):
            return getattr(self._estimator, name)
        method = getattr(self._estimator, name)

        def answer(X: Any) -> Any:
            if name not in self._kept:
                self._kept[name] = method(X)
            return self._kept[name]

        answer.__name__ = name  # by which a scorer knows what it asked for
        return answer


def choose_metric(wanted: str | None, task: Task, class_counts: Sequence[int] = ()) -> Metric:
    """Return the metric of this name, or the task's own.

    That is R², or accuracy; where one class is so rare that accuracy would be high without
    looking at a column, average precision of the rarer of two, balanced accuracy of more.

    Raises
    ------
    DataError
        If there is none of this name for the task.
    """
    labels = _CLASSIFICATION if task == "classification" else _REGRESSION
    n_classes = len(class_counts)
    name = wanted.strip() if wanted else next(iter(labels))
    if not wanted and task == "classification" and rare_class(class_counts) is not None:
        name = "average_precision" if n_classes == 2 else "balanced_accuracy"
    name = _SHORT.get(name.lower(), name)
    if n_classes > 2:
        name = _MANY_CLASSES.get(name, name)
    if name not in labels and f"neg_{name}" in labels:
        name = f"neg_{name}"
    if name not in labels or (n_classes > 2 and name in _TWO_CLASSES_ONLY):
        names = [*labels, *(short for short, long in _SHORT.items() if long in labels)]
        near = nearest(name, names) or list(labels)
        suits = f"{task} of {n_classes} classes" if n_classes else task
        raise DataError(f"There is no metric {wanted!r} for {suits}; there is {', '.join(near)}.")
    positive = 0 if n_classes == 2 and class_counts[0] < class_counts[1] else 1
    return Metric(name, labels[name], name in _NEEDS_PROBABILITY, positive)
