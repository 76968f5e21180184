"""Ensembles of trees, a tree a step: random forests, gradient boosting on histograms."""

from ._boosting import BoostingState
from ._forest import RandomForestClassifier, RandomForestRegressor
from ._forest_base import ForestState
from ._hist_boosting import HistGradientBoostingClassifier, HistGradientBoostingRegressor

__all__ = [
    "BoostingState",
    "ForestState",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
