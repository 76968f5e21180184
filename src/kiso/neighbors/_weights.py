"""Weights of neighbours: equal, by inverse distance, or a caller's function of distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

__all__ = ["neighbor_weights"]


def neighbor_weights(distance: Array, weights: Any) -> Array | None:
    """Weight of each neighbour, shape (n_queries, k); None where all are equal.

    With "distance" the neighbours at distance zero, where there are any, share all of it.
    """
    if weights == "uniform":
        return None
    if callable(weights):
        given = np.asarray(weights(distance), dtype=np.float64)
        if given.shape != distance.shape or not np.isfinite(given).all():
            raise ValueError(
                f"weights returned an array of shape {given.shape}: it has to return finite "
                f"numbers, one for each of the distances of shape {distance.shape}"
            )
        return given
    same = distance == 0
    with np.errstate(all="ignore"):
        # relative to the nearest: 1/1e-310 overflows, and a common factor changes nothing
        inverse = distance.min(axis=1, keepdims=True).astype(np.float64) / distance
    return np.where(same.any(axis=1, keepdims=True), same, inverse)
