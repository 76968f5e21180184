"""Classification by ridge regression on labels coded as ±1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_sample_weight

from kiso._gate import check_sample_weight, column_or_1d, validate_data
from kiso._linear_classifier import LinearClassifier
from kiso._validation import FLOATS, Array, StrOptions
from kiso.base import IterativeEstimator

from ._moments import is_sparse
from ._penalised import LinearState, Problem
from ._ridge import Ridge

__all__ = ["RidgeClassifier", "RidgeLabels"]


class RidgeLabels(LinearClassifier):
    """What the ridge classifiers share: labels as ±1, and predictions from the scores."""

    class_weight: dict[Any, float] | str | None
    _label_binarizer: LabelBinarizer

    def _coded(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array, Any]:
        """Validate; return X, y, its code Y (n, t) of ±1, and the weights or None."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc", "coo"],
            dtype=FLOATS,
            multi_output=True,
            y_numeric=False,
            ensure_all_finite=is_sparse(X),
        )
        coder = LabelBinarizer(pos_label=1, neg_label=-1)
        Y = coder.fit_transform(y).astype(np.float64)
        if not coder.y_type_.startswith("multilabel"):
            y = column_or_1d(y, warn=True)
        self._label_binarizer, self.classes_ = coder, coder.classes_
        weights = None
        if sample_weight is not None or self.class_weight is not None:
            weights = check_sample_weight(
                sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
            )
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, y)
        return X, y, Y, weights

    def predict(self, X: Any) -> Array:
        """Give the label with the highest score, or each label with a positive one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        return self._labels(self.decision_function(X))

    def _labels(self, scores: Array) -> Array:
        """The labels that go with scores."""
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return np.asarray((scores > 0).reshape(len(scores), -1).astype(np.int_))
        at = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[at]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.sparse = True
        return tags


@dataclass(frozen=True)
class _Coded:
    ridge: Ridge
    problem: Problem


class RidgeClassifier(RidgeLabels, IterativeEstimator[_Coded, LinearState]):
    """Least squares with an L2 penalty on labels coded as ±1.

    For each class k (one for two classes) it minimises Σ wᵢ (yᵢₖ − xᵢᵀ wₖ − bₖ)² + α ‖wₖ‖²,
    yᵢₖ = 1 in the class and −1 outside, and predicts the class of the largest score. The
    squared error punishes points that lie far on the right side, too, which the logistic
    loss does not; in exchange one decomposition solves all classes at once.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty, ≥ 0.
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    copy_X : bool, default=True
        Accepted for scikit-learn's sake; X is never written to.
    max_iter : int, default=None
        Largest number of steps of an iterative solver, as in `Ridge`.
    tol : float, default=1e-4
        Iterative solvers: relative size of the gradient at which to stop.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with the samples'; "balanced" makes the total
        weight of every class the same.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, \
            default="auto"
        As in `Ridge`.
    positive : bool, default=False
        Whether coefficients have to be ≥ 0.
    random_state : int, RandomState instance, default=None
        Accepted for scikit-learn's sake; nothing here is random.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), (n_classes, n_features) or (n_labels, n_features)
        The first for two classes.
    intercept_ : float or ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : ndarray of shape (n_classes,) or None
    solver_ : str
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    objective_path_ : ndarray of shape (n_steps,)

    Raises
    ------
    ValueError
        As `Ridge`.

    References
    ----------
    Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 4.2 (regression of
    an indicator matrix). Rifkin, Yeo & Poggio (2003), Regularized least-squares
    classification.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from kiso.linear_model import RidgeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RidgeClassifier().fit(X, y)
    >>> model.coef_.shape, model.score(X, y)
    ((3, 4), 0.85...)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **Ridge._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        class_weight: dict[Any, float] | str | None = None,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of any type that can be sorted, or a matrix of 0 and 1.
        sample_weight : float or array-like of shape (n_samples,), default=None
            How often each row counts; non-negative.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight)

    def _prepare(  # type: ignore[override]
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> _Coded:
        X, _, Y, weights = self._coded(X, y, sample_weight)
        ridge = Ridge(
            alpha=self.alpha,
            fit_intercept=self.fit_intercept,
            max_iter=self.max_iter,
            tol=self.tol,
            solver=self.solver,
            positive=self.positive,
        )
        return _Coded(ridge, ridge._prepare(X, Y, weights))

    def _iterate(self, problem: _Coded) -> Iterator[LinearState]:
        return problem.ridge._iterate(problem.problem)

    def _fitted(self, problem: _Coded, state: LinearState) -> dict[str, Any]:
        fitted = problem.ridge._fitted(problem.problem, state)
        del fitted["sigma_"]
        return fitted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "svd"
        return tags
