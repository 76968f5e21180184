"""Clustering: k-means, exact and fast, that shows every step."""

from ._kmeans import KMeans
from ._lloyd import LloydState
from ._plus_plus import kmeans_plusplus
from ._seeding import SeedingState

__all__ = ["KMeans", "LloydState", "SeedingState", "kmeans_plusplus"]
