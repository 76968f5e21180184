"""Random forests: the mean of many trees, each on a bootstrap of the rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier as SklearnClassifier
from sklearn.ensemble import RandomForestRegressor as SklearnRegressor
from sklearn.metrics import accuracy_score, r2_score

from kiso._validation import Array, RandomState, StrOptions
from kiso.tree._classifier import DecisionTreeClassifier
from kiso.tree._problem import Problem
from kiso.tree._regressor import DecisionTreeRegressor
from kiso.tree._targets import Classes, Numbers, warn_of_friedman

from ._forest_base import BaseForest

__all__ = ["RandomForestClassifier", "RandomForestRegressor"]


class RandomForestClassifier(Classes, BaseForest):
    r"""The mean of the class shares of many trees, which differ by chance.

    Each tree sees n rows drawn with replacement and tries `max_features` features, drawn
    anew, at each node; :math:`p(c \mid x) = \frac1T\sum_t p_t(c \mid x)`. The forest is the
    same on any number of threads.

    Parameters
    ----------
    n_estimators : int, default=100
        T.
    criterion, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        As for `DecisionTreeClassifier`.
    max_features, max_leaf_nodes, min_impurity_decrease, ccp_alpha, monotonic_cst
        As for `DecisionTreeClassifier`.
    categorical_features
        As for `DecisionTreeClassifier`; `max_features` is "sqrt" by default.
    bootstrap : bool, default=True
        Whether rows are drawn; False: each tree sees all.
    oob_score : bool or callable, default=False
        Whether to score each row by the trees that did not see it (accuracy, or
        `callable(y, prediction)`).
    n_jobs : int or None, default=None
        Without effect: trees are grown on all cores given to the process.
    random_state : int, RandomState, Generator or None, default=None
        Draws the rows and the features of each tree.
    verbose : int, default=0
        Without effect; use a callback.
    warm_start : bool, default=False
        Whether `fit` adds trees to those there are.
    class_weight : dict, list of dict, "balanced", "balanced_subsample" or None, default=None
        As for `DecisionTreeClassifier`; "balanced_subsample" balances within each bootstrap.
    max_samples : int, float or None, default=None
        Rows drawn for each tree (a float is a share); None: as many as there are.

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
    classes_, n_classes_ : ndarray and int
    feature_importances_ : ndarray of shape (n_features,)
    oob_score_, oob_decision_function_ : float and ndarray
        With `oob_score`, over the rows that some tree did not see; the others are NaN, and a
        warning says so.
    objective_path_ : ndarray
        Mean total impurity of the leaves after each tree.
    n_outputs_, n_features_in_, feature_names_in_
        As for `DecisionTreeClassifier`.

    References
    ----------
    Breiman (2001), Random Forests, Machine Learning 45.

    Examples
    --------
    >>> from kiso.ensemble import RandomForestClassifier
    >>> X = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]]
    >>> model = RandomForestClassifier(20, random_state=0).fit(X, [0, 0, 0, 1, 1, 1])
    >>> model.predict([[0.5], [4.5]])
    array([0, 1])
    """

    _tree_type = DecisionTreeClassifier
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseForest._parameter_constraints,
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
        "class_weight": [dict, list, StrOptions({"balanced", "balanced_subsample"}), None],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    def _class_weight(self) -> Any:
        """Weights for all rows at once."""
        if self.class_weight == "balanced_subsample":
            return None if self.bootstrap else "balanced"
        return self.class_weight

    def _bag_weights(self, problem: Problem, weight: Array, drawn: Array) -> Array:
        if self.class_weight != "balanced_subsample":
            return weight
        for label in problem.targets.outputs.astype(np.intp):
            count = np.bincount(label, drawn)
            present = np.count_nonzero(count)
            weight = weight * (drawn.sum() / (present * np.maximum(count, 1)))[label]
        return weight

    def _shares(self, X: Any) -> Array:
        return self._mean(X)

    def _score_out_of_bag(self, X: Any, y: Any) -> None:
        mean, known = self._out_of_bag(X)
        y = np.asarray(y).reshape(len(known), -1)
        classes = [self.classes_] if self.n_outputs_ == 1 else self.classes_
        best = mean.reshape(len(known), self.n_outputs_, -1).argmax(axis=2)
        found = np.stack([own[best[:, k]] for k, own in enumerate(classes)], axis=1)
        self.oob_score_ = self._oob(accuracy_score, y, found, known)
        mean[~known] = np.nan
        # scikit-learn puts the outputs last
        self.oob_decision_function_ = mean if self.n_outputs_ == 1 else np.moveaxis(mean, 1, 2)


class RandomForestRegressor(Numbers, BaseForest):
    r"""The mean of many regression trees, which differ by chance.

    Parameters
    ----------
    n_estimators, bootstrap, oob_score, n_jobs, random_state, verbose, warm_start, max_samples
        As for `RandomForestClassifier`; `oob_score` is R² by default.
    criterion, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        As for `DecisionTreeRegressor`.
    max_features, max_leaf_nodes, min_impurity_decrease, ccp_alpha, monotonic_cst
        As for `DecisionTreeRegressor`.
    categorical_features
        As for `DecisionTreeRegressor`; `max_features` is 1.0, all, by default.

    Attributes
    ----------
    estimators_ : list of DecisionTreeRegressor
    feature_importances_ : ndarray of shape (n_features,)
    oob_score_, oob_prediction_ : float and ndarray
        With `oob_score`, over the rows that some tree did not see; the others are NaN, and a
        warning says so.
    objective_path_, n_outputs_, n_features_in_, feature_names_in_
        As for `RandomForestClassifier`.

    References
    ----------
    Breiman (2001), Random Forests, Machine Learning 45.

    Examples
    --------
    >>> from kiso.ensemble import RandomForestRegressor
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> model = RandomForestRegressor(20, random_state=0).fit(X, [1.0, 1.0, 1.0, 1.0])
    >>> model.predict([[1.7]])
    array([1.])
    """

    _tree_type = DecisionTreeRegressor
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseForest._parameter_constraints,
        "criterion": [StrOptions({"squared_error", "absolute_error", "poisson"})],
    }

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: Any = None,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ):
        self.n_estimators = n_estimators
        self.criterion = warn_of_friedman(criterion)
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    def predict(self, X: Any) -> Array:
        """Mean prediction of the trees, shape (n_samples,) or (n_samples, n_outputs)."""
        found = self._mean(self._read_queries(X))
        return found[:, 0] if self.n_outputs_ == 1 else found[:, :, 0]

    def _score_out_of_bag(self, X: Any, y: Any) -> None:
        mean, known = self._out_of_bag(X)
        mean = mean.reshape(len(known), self.n_outputs_)
        y = np.asarray(y, dtype=np.float64).reshape(mean.shape)
        self.oob_score_ = self._oob(r2_score, y, mean, known)
        mean[~known] = np.nan
        self.oob_prediction_ = mean[:, 0] if self.n_outputs_ == 1 else mean


# isinstance is true where scikit-learn and SHAP ask for scikit-learn's forests
SklearnClassifier.register(RandomForestClassifier)
SklearnRegressor.register(RandomForestRegressor)
