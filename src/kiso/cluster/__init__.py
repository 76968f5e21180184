"""Clustering: k-means, exact and fast, that shows every step."""

from ._choose_k import KChoice, choose_k
from ._kmeans import KMeans
from ._lloyd import LloydState
from ._mini_batch import MiniBatchKMeans, MiniBatchState
from ._pictures import animate, plot_clusters
from ._plus_plus import kmeans_plusplus
from ._seeding import SeedingState

__all__ = [
    "KChoice",
    "KMeans",
    "LloydState",
    "MiniBatchKMeans",
    "MiniBatchState",
    "SeedingState",
    "animate",
    "choose_k",
    "kmeans_plusplus",
    "plot_clusters",
]
