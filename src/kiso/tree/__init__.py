"""Decision trees and random forests: exact splits, categorical features, every split a step."""

from ._base import TreeState
from ._classifier import DecisionTreeClassifier
from ._forest import RandomForestClassifier, RandomForestRegressor
from ._forest_base import ForestState
from ._pictures import export_text, plot_tree
from ._regressor import DecisionTreeRegressor
from ._tree import Tree

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ForestState",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "Tree",
    "TreeState",
    "export_text",
    "plot_tree",
]
