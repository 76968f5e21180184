"""Regression by a decision tree."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from kiso._validation import Array, RandomState, StrOptions

from ._base import BaseTree
from ._targets import Numbers

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
    criterion : {"squared_error", "absolute_error"}, default="squared_error"
        "absolute_error" takes O(n log n) for each feature and level.
    splitter, max_depth, min_samples_split, min_samples_leaf, min_weight_fraction_leaf, \
    max_features, random_state, max_leaf_nodes, min_impurity_decrease, ccp_alpha, \
    categorical_features
        As for `DecisionTreeClassifier`.

    Attributes
    ----------
    tree_, feature_importances_, max_features_, n_outputs_, objective_path_, \
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
        "criterion": [StrOptions({"squared_error", "absolute_error"})],
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
        categorical_features: Any = "from_dtype",
    ):
        self.criterion = criterion
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
        self.categorical_features = categorical_features

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Grow the tree; parameters as for `DecisionTreeClassifier.fit`, y of numbers."""
        return self._fit(X, y, sample_weight=sample_weight)

    def predict(self, X: Any) -> Array:
        """Mean (or median) of the leaf of each row, shape (n_samples,)."""
        X = self._read_queries(X)
        return self.tree_.predict(X)[:, 0]
