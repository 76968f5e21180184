"""Decision trees and random forests: exact splits, categorical features, every split a step."""

from ._base import TreeState
from ._classifier import DecisionTreeClassifier
from ._regressor import DecisionTreeRegressor
from ._tree import Tree

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "Tree",
    "TreeState",
]
