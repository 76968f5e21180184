"""Ensembles of trees: random forests, every tree a step."""

from ._forest import RandomForestClassifier, RandomForestRegressor
from ._forest_base import ForestState

__all__ = ["ForestState", "RandomForestClassifier", "RandomForestRegressor"]
