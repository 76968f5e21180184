"""Weights of neighbours: equal, by inverse distance, or a caller's function of distance."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from kiso._validation import Array

__all__ = ["neighbor_weights", "run_weights"]


def neighbor_weights(distance: Array, weights: Any) -> Array | None:
    """Weight of each neighbour, shape (n_queries, k); None where all are equal.

    With "distance" the neighbours at distance zero, where there are any, share all of it.
    """
    if weights is None or weights == "uniform":
        return None
    if callable(weights):
        return _given_weights(distance, weights)
    same = distance == 0
    with np.errstate(all="ignore"):
        # relative to the nearest: 1/1e-310 overflows, and a common factor changes nothing
        inverse = np.fmin.reduce(distance, axis=1, keepdims=True).astype(np.float64) / distance
    inverse[np.isnan(distance)] = 0.0  # rows that have no feature in common
    return np.where(same.any(axis=1, keepdims=True), same, inverse)


def run_weights(distance: Array, start: Array, weights: Any) -> Array | None:
    """`neighbor_weights` where query i has the distances `start[i]` to `start[i + 1]`."""
    if weights is None or weights == "uniform":
        return None
    if callable(weights):
        runs = [distance[a:b] for a, b in pairwise(start) if b > a]
        own = [_given_weights(run, weights) for run in runs]
        return np.concatenate([*own, np.empty(0)])
    if distance.size == 0:
        return np.empty(0)
    count = np.diff(start)
    first, count = start[:-1][count > 0], count[count > 0]
    nearest = np.repeat(np.minimum.reduceat(distance, first), count)
    with np.errstate(all="ignore"):
        inverse = nearest.astype(np.float64) / distance
    return np.where(nearest == 0, distance == 0, inverse)


def _given_weights(distance: Array, weights: Callable[[Array], Any]) -> Array:
    given = np.asarray(weights(distance), dtype=np.float64)
    if given.shape != distance.shape or np.isnan(given).any() or (given == -np.inf).any():
        raise ValueError(
            f"weights returned an array of shape {given.shape}: it has to return numbers "
            f"above -inf, one for each of the distances of shape {distance.shape}"
        )
    endless = given == np.inf
    if not endless.any():
        return given
    return np.where(endless.any(axis=-1, keepdims=True), endless, given)
