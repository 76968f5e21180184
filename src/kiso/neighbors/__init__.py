"""Nearest neighbours: search, classification and regression, exact whatever the algorithm."""

from ._classifier import KNeighborsClassifier
from ._graph import kneighbors_graph, radius_neighbors_graph
from ._nearest import NearestNeighbors
from ._radius_classifier import RadiusNeighborsClassifier
from ._radius_regressor import RadiusNeighborsRegressor
from ._regressor import KNeighborsRegressor

__all__ = [
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "NearestNeighbors",
    "RadiusNeighborsClassifier",
    "RadiusNeighborsRegressor",
    "kneighbors_graph",
    "radius_neighbors_graph",
]
