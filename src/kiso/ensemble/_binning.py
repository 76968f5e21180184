"""Features as bins: at most 255 for the values of a feature, one more for missing values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiso._compute.threads import lanes, run_lanes
from kiso._validation import Array

from ._boosting_loops import Bins, encode

__all__ = ["Binner"]

SAMPLE = 200_000  # rows that quantiles are taken from


@dataclass
class Binner:
    """Where the bins of each feature end.

    Attributes
    ----------
    cuts : list of ndarray
        A value is in bin b if b cuts are below it; none for a categorical feature.
    n_categories : ndarray of shape (n_features,)
        -1 for a numeric feature, whose values are then 0, 1, ..., n_categories − 1.
    """

    cuts: list[Array]
    n_categories: Array

    @classmethod
    def of(cls, X: Array, n_categories: Array, max_bins: int, rng: np.random.Generator) -> Binner:
        """Choose the cuts: between all distinct values if these are few, else at quantiles."""
        if len(X) > SAMPLE:
            X = X[np.sort(rng.choice(len(X), SAMPLE, replace=False))]
        cuts: list[Array] = [np.empty(0)] * X.shape[1]

        def task(lane: slice) -> None:
            for f in range(lane.start, lane.stop):
                if n_categories[f] < 0:
                    cuts[f] = _cuts(X[:, f], max_bins)

        run_lanes(task, lanes(X.shape[1], max_lanes=X.shape[1]))
        return cls(cuts, n_categories)

    def bins(self, X: Array, monotonic: Array) -> Bins:
        """Encode all rows."""
        n, d = X.shape
        n_bins = np.where(self.n_categories < 0, [len(c) + 1 for c in self.cuts], self.n_categories)
        codes = np.empty((d, n), np.uint8)

        def task(lane: slice) -> None:
            for f in range(lane.start, lane.stop):
                column = np.ascontiguousarray(X[:, f])
                if self.n_categories[f] < 0:
                    encode(column, self.cuts[f].astype(X.dtype), n_bins[f], codes[f])
                else:
                    codes[f] = np.where(column >= 0, column, n_bins[f])  # also what is unknown

        run_lanes(task, lanes(d, max_lanes=d))
        return Bins(codes, n_bins.astype(np.int64), self.n_categories >= 0, monotonic)


def _cuts(column: Array, max_bins: int) -> Array:
    known = np.sort(column[~np.isnan(column)])
    if not len(known):
        return np.empty(0, column.dtype)
    new = np.flatnonzero(known[1:] != known[:-1])
    if len(new) < max_bins:
        low, high = known[new], known[new + 1]
    else:
        place = np.linspace(0, len(known) - 1, max_bins + 1)[1:-1]
        low = np.unique(known[np.floor(place).astype(np.intp)])
        low = low[low < known[-1]]
        high = known[np.searchsorted(known, low, side="right")]
    middle = 0.5 * low + 0.5 * high
    return np.where(middle < high, middle, low).astype(column.dtype)
