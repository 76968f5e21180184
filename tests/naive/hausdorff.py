"""The modified Hausdorff distance, written down from its definition."""

import numpy as np
from scipy.spatial.distance import cdist


def modified_hausdorff(a, b):
    """Return max(mean of row minima, mean of column minima) of all distances."""
    d = cdist(a, b)
    return max(d.min(axis=1).mean(), d.min(axis=0).mean())


def drawing_distance(a, b, threshold=0.5):
    """The same between the places of ink of two pictures, each about its mean."""
    points = [np.argwhere(picture > threshold).astype(float) for picture in (a, b)]
    return modified_hausdorff(*(p - p.mean(axis=0) for p in points))
