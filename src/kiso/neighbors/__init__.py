"""Nearest neighbours: search, classification and regression, exact whatever the algorithm."""

from ._classifier import KNeighborsClassifier
from ._graph import kneighbors_graph, radius_neighbors_graph
from ._nearest import NearestNeighbors
from ._regressor import KNeighborsRegressor

__all__ = [
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "NearestNeighbors",
    "kneighbors_graph",
    "radius_neighbors_graph",
]
