"""Gradient boosting on histograms: the two estimators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from kiso._gate import check_y
from kiso._validation import Array, Interval, RandomState, Real, StrOptions

from ._hist_base import BaseHistGradientBoosting
from ._losses import Loss

__all__ = ["HistGradientBoostingClassifier", "HistGradientBoostingRegressor"]


class HistGradientBoostingRegressor(RegressorMixin, BaseHistGradientBoosting):
    r"""A sum of small trees, each a step of gradient descent in the predictions.

    With raw predictions f, each step grows a tree on :math:`g_i = \partial L/\partial f_i`
    and :math:`h_i = \partial^2 L/\partial f_i^2`, whose leaves add
    :math:`-\nu\, G/(H + \lambda)`, with G and H the sums over the rows of a leaf. Features
    are cut at the ends of at most 255 bins, so that a split is found in a histogram. The
    model is the same on any number of threads.

    Parameters
    ----------
    loss : str, default="squared_error"
        "squared_error": half the squared error; "absolute_error"; "gamma" and "poisson":
        half the deviances of these distributions with :math:`\hat y = e^f`; "quantile": the
        pinball loss. For the absolute
        error and quantiles a leaf's value is the median (quantile) of its residuals.
    quantile : float or None, default=None
        Which quantile, for loss="quantile".
    learning_rate : float, default=0.1
        ν.
    max_iter : int, default=100
        Trees.
    max_leaf_nodes : int or None, default=31
        Leaves of a tree; the leaf whose split gains most is split first.
    max_depth : int or None, default=None
        Largest number of questions on the way to a leaf.
    min_samples_leaf : int, default=20
        Least rows of a leaf.
    l2_regularization : float, default=0.0
        λ.
    max_features : float, default=1.0
        Share of the features, drawn anew at each node.
    max_bins : int, default=255
        Most bins of a feature; missing values have one more.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        Which columns are categorical (indices, names or a mask), of at most `max_bins`
        values each; "from_dtype": pandas columns of dtype category. A split sends a set of
        categories to the left: a run of them in the order of G/(H + 10).
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1: the prediction rises with the feature; -1: it falls; 0: free. A dict is by name.
    interaction_cst : str, sequence of sets of int or None, default=None
        "pairwise", "no_interactions", or sets of features.
        Which features may be together on a way from the root to a leaf. Features that are
        in no set form one of their own.
    warm_start : bool, default=False
        Whether `fit` adds trees to those there are.
    early_stopping : bool or "auto", default="auto"
        Whether to end where the score no longer rises; "auto": with more than 10,000 rows.
    scoring : str, callable or None, default="loss"
        The score; "loss" is minus the mean loss, None is `score`.
    validation_fraction : int, float or None, default=0.1
        Rows (or share) held out for the score; None: it is taken from the training rows.
    n_iter_no_change : int, default=10
        How many steps may pass without a better score.
    tol : float, default=1e-7
        By how much a score has to be better.
    verbose : int, default=0
        Above 0 each step is told by `logging`, logger "kiso.ensemble", level INFO.
    random_state : int, RandomState, Generator or None, default=None
        For the rows held out, `max_features` and the quantiles of more than 200,000 rows.

    Attributes
    ----------
    n_iter_ : int
        Steps done.
    n_trees_per_iteration_ : int
        1.
    do_early_stopping_ : bool
    train_score_, validation_score_ : ndarray of shape (n_iter_ + 1,)
        Scores before the first step and after each; empty without early stopping.
    is_categorical_ : ndarray of bool or None
    objective_path_ : ndarray
        Mean training loss after each step.
    n_features_in_, feature_names_in_
        Number and names of the features.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine.
    Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.ensemble import HistGradientBoostingRegressor
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> model = HistGradientBoostingRegressor(min_samples_leaf=5).fit(X, np.sin(X[:, 0] / 20))
    >>> bool(model.score(X, np.sin(X[:, 0] / 20)) > 0.99)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHistGradientBoosting._parameter_constraints,
        "loss": [
            StrOptions({"squared_error", "absolute_error", "poisson", "gamma", "quantile"})
        ],
        "quantile": [Interval(Real, 0, 1, closed="both"), None],
    }  # fmt: skip

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        quantile: float | None = None,
        learning_rate: float = 0.1,
        max_iter: int = 100,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        l2_regularization: float = 0.0,
        max_features: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        warm_start: bool = False,
        early_stopping: Any = "auto",
        scoring: Any = "loss",
        validation_fraction: Any = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-7,
        verbose: int = 0,
        random_state: RandomState = None,
    ):
        self.loss = loss
        self.quantile = quantile
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state

    def _check_y(self, y: Any) -> Array:
        return np.asarray(check_y(y, y_numeric=True, estimator=self), dtype=np.float64)

    def _learn_targets(self, y: Array) -> Loss:
        if self.loss == "gamma" and not np.all(y > 0):
            raise ValueError(
                f"loss='gamma' requires strictly positive y.  The least is {y.min():g}"
            )
        if self.loss == "poisson" and not (np.all(y >= 0) and np.sum(y) > 0):
            raise ValueError("loss='poisson' requires non-negative y and sum(y) > 0.")
        if self.loss == "quantile" and self.quantile is None:
            raise ValueError("loss='quantile': give quantile, between 0 and 1; it is None")
        return Loss(self.loss, quantile=0.5 if self.quantile is None else float(self.quantile))

    def _encode_targets(self, y: Array) -> Array:
        return y

    def _mean(self, raw: Array) -> Array:
        return np.exp(raw[0]) if self.loss in ("gamma", "poisson") else raw[0]

    def predict(self, X: Any) -> Array:
        """Predict; shape (n_samples,)."""
        return self._mean(self._raw(X))

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """Yield the predictions after each step."""
        for raw in self._staged_raw(X):
            yield self._mean(raw)


class HistGradientBoostingClassifier(ClassifierMixin, BaseHistGradientBoosting):
    r"""A sum of small trees for the log-odds of the classes.

    For two classes :math:`p = \sigma(f)`, one tree a step; for more
    :math:`p_c = e^{f_c}/\sum_k e^{f_k}`, one tree for each class a step. The loss is the
    cross-entropy :math:`-\log p_y`. Trees are grown as in `HistGradientBoostingRegressor`.

    Parameters
    ----------
    loss : {"log_loss"}, default="log_loss"
        The cross-entropy.
    learning_rate, max_iter, max_leaf_nodes, max_depth, min_samples_leaf, l2_regularization
        As for `HistGradientBoostingRegressor`.
    max_features, max_bins, categorical_features, monotonic_cst, interaction_cst, warm_start
        As for `HistGradientBoostingRegressor`.
    early_stopping, scoring, validation_fraction, n_iter_no_change, tol, verbose, random_state
        As for `HistGradientBoostingRegressor`; the rows held out keep the shares of the
        classes. A monotonic constraint is on the probability of the second of two classes.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with `sample_weight`.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    n_trees_per_iteration_ : int
        1 for two classes, else the number of classes.
    n_iter_, do_early_stopping_, train_score_, validation_score_, is_categorical_
        As for `HistGradientBoostingRegressor`.
    objective_path_, n_features_in_, feature_names_in_
        As for `HistGradientBoostingRegressor`.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine.
    Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree.

    Examples
    --------
    >>> import numpy as np
    >>> from kiso.ensemble import HistGradientBoostingClassifier
    >>> X = np.arange(200.0).reshape(-1, 1)
    >>> model = HistGradientBoostingClassifier(max_iter=20).fit(X, X[:, 0] // 50)
    >>> model.predict([[10.0], [60.0], [199.0]])
    array([0., 1., 3.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseHistGradientBoosting._parameter_constraints,
        "loss": [StrOptions({"log_loss"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    classes_: Array

    def __init__(
        self,
        loss: str = "log_loss",
        *,
        learning_rate: float = 0.1,
        max_iter: int = 100,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        l2_regularization: float = 0.0,
        max_features: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        warm_start: bool = False,
        early_stopping: Any = "auto",
        scoring: Any = "loss",
        validation_fraction: Any = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-7,
        verbose: int = 0,
        random_state: RandomState = None,
        class_weight: Any = None,
    ):
        self.loss = loss
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.class_weight = class_weight

    def _check_y(self, y: Any) -> Array:
        y = check_y(y, estimator=self)
        check_classification_targets(y)
        return y

    def _learn_targets(self, y: Array) -> Loss:
        classes = np.unique(y)
        again = self.warm_start and hasattr(self, "_trees")
        if again and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True: y has the classes {classes}, and {self.classes_} before"
            )
        self.classes_ = classes
        return Loss(self.loss, n_outputs=1 if len(classes) <= 2 else len(classes))

    def _encode_targets(self, y: Array) -> Array:
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise ValueError(f"y_val contains labels that y has not: {np.unique(y[unknown])}")
        return np.searchsorted(self.classes_, y).astype(np.float64)

    def _row_weight(self, y: Array) -> Array | None:
        return None if self.class_weight is None else compute_sample_weight(self.class_weight, y)

    def _stratify(self, y: Array) -> Array | None:
        return y

    def _shares(self, raw: Array) -> Array:
        if len(raw) > 1:
            return softmax(raw, axis=0).T
        if len(self.classes_) == 1:
            return np.ones((raw.shape[1], 1))
        second = expit(raw[0])
        return np.stack([1.0 - second, second], axis=1)

    def _scores(self, raw: Array) -> Array:
        return raw[0] if len(raw) == 1 else raw.T

    def decision_function(self, X: Any) -> Array:
        """Raw predictions, shape (n_samples,) for two classes, else (n_samples, n_classes)."""
        return self._scores(self._raw(X))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, shape (n_samples, n_classes)."""
        return self._shares(self._raw(X))

    def predict(self, X: Any) -> Array:
        """The most probable class, shape (n_samples,)."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def staged_decision_function(self, X: Any) -> Iterator[Array]:
        """Yield the raw predictions after each step."""
        for raw in self._staged_raw(X):
            yield self._scores(raw)

    def staged_predict_proba(self, X: Any) -> Iterator[Array]:
        """Yield the probabilities after each step."""
        for raw in self._staged_raw(X):
            yield self._shares(raw)

    def staged_predict(self, X: Any) -> Iterator[Array]:
        """Yield the predicted classes after each step."""
        for shares in self.staged_predict_proba(X):
            yield self.classes_[shares.argmax(axis=1)]
