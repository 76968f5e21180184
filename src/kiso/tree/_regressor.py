"""Regression by a decision tree."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sklearn.tree import DecisionTreeRegressor as SklearnRegressor

from kiso._validation import Array, RandomState, StrOptions

from ._base import BaseTree
from ._targets import Numbers, warn_of_friedman

__all__ = ["DecisionTreeRegressor"]


class DecisionTreeRegressor(Numbers, BaseTree):
    r"""A binary tree of questions about single features; each leaf predicts one number.

    A node splits where :math:`W H - W_l H_l - W_r H_r` is largest; H is the variance of y
    (the leaf predicts the mean) or its mean absolute deviation from the median (which the
    leaf predicts). Ties as for `DecisionTreeClassifier`.

    Categories are ordered by their mean of y: cutting that order gives the best set for the
    squared error (Fisher 1958); for the absolute error it is a heuristic.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson"}, default="squared_error"
        "absolute_error" takes O(n log n) for each feature and level. "poisson" is the half
        Poisson deviance, Σ w y log(y/ȳ) / W, for y ≥ 0. "friedman_mse" is "squared_error",
        with a warning.
    splitter, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf
        As for `DecisionTreeClassifier`.
    max_features, random_state, max_leaf_nodes, min_impurity_decrease, ccp_alpha
        As for `DecisionTreeClassifier`.
    categorical_features
        As for `DecisionTreeClassifier`.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        1: the prediction rises with the feature; -1: it falls; 0: it is free. For one output.

    Attributes
    ----------
    tree_, feature_importances_, max_features_, n_outputs_, objective_path_
        As for `DecisionTreeClassifier`.
    n_features_in_, feature_names_in_
        As for `DecisionTreeClassifier`.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), Classification and Regression Trees.
    Fisher (1958), On grouping for maximum homogeneity.

    Examples
    --------
    >>> from kiso.tree import DecisionTreeRegressor
    >>> model = DecisionTreeRegressor(max_depth=1).fit([[0], [1], [2], [3]], [1, 3, 8, 10])
    >>> model.predict([[0.5], [2.5]])
    array([2., 9.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseTree._parameter_constraints,
        "criterion": [StrOptions({"squared_error", "absolute_error", "poisson"})],
    }

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        random_state: RandomState = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ):
        self.criterion = warn_of_friedman(criterion)
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Grow the tree; parameters as for `DecisionTreeClassifier.fit`, y of numbers."""
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)

    def predict(self, X: Any, check_input: bool = True) -> Array:
        """Mean (or median) of the leaf of each row, shape (n_samples,) or (n_samples, n_outputs).

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
        check_input : bool, default=True
            False: X is a checked array of float32 or float64, or CSR.
        """
        X = self._read_queries(X, check_input)
        found = self.tree_.predict(X)
        return found[:, 0] if self.n_outputs_ == 1 else found[:, :, 0]


# isinstance in scikit-learn's export_text and plot_tree, and in SHAP, is true then
SklearnRegressor.register(DecisionTreeRegressor)
