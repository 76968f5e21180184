"""How much of the data samples come near: the coverage of Naeem et al. (2020).

    coverage = share of the xᵢ for which some sample lies nearer than its k-th neighbour
               among the others of the data

1 − 2⁻ᵏ is to be expected of samples that are as good as new data, 0 of samples that lie
elsewhere, and about (modes found)/(modes) of samples that miss some.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from kiso._validation import Array

__all__ = ["Coverage"]

N_POINTS = 512
NEIGHBORS = 5


class Coverage:
    """Coverage of a part of the data, drawn once.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    rng : numpy.random.Generator

    Attributes
    ----------
    n_samples : int
        How many samples to ask about: as many as there are points of the data.
    """

    def __init__(self, X: Array, rng: np.random.Generator):
        n = min(N_POINTS, len(X))
        chosen = np.sort(rng.choice(len(X), size=n, replace=False))
        self.points = X[chosen].reshape(n, -1).astype(np.float64)
        self.n_samples = n
        k = min(NEIGHBORS, n - 1)
        self.radii = np.partition(cdist(self.points, self.points), k, axis=1)[:, k]

    def __call__(self, samples: Array) -> float:
        """Return the share of points that have a sample within their radius; 0 for NaN."""
        flat = samples.reshape(len(samples), -1).astype(np.float64)
        if not np.isfinite(flat).all():
            return 0.0
        return float(np.mean(cdist(self.points, flat).min(axis=1) <= self.radii))
