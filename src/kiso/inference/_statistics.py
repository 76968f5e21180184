"""Sufficient statistics: all that a maximum likelihood fit needs of the data.

Each is a small frozen object with the total `weight` W = Σ wᵢ (the number of observations
where there are no weights) and `merge`: the statistics of pieces of the data give those of
the whole, in any order, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from kiso._compute.gram import ShiftedGram, shifted_gram
from kiso._validation import Array

__all__ = ["Counts", "Moments", "Observations", "Statistics", "Sums"]


class Statistics(Protocol):
    """What `Mergeable` asks of the statistics of a distribution."""

    @property
    def weight(self) -> float:
        """W, the total weight."""

    @property
    def n_features(self) -> int:
        """Columns of the data."""

    def merge(self, others: Sequence[Self]) -> Self:
        """The statistics of all the data that these and the others came from."""


@dataclass(frozen=True)
class Sums:
    """W and Σ wᵢ xᵢ (d,): enough where the sufficient statistic is the sum."""

    weight: float
    sums: Array

    @property
    def n_features(self) -> int:
        """Columns of the data."""
        return len(self.sums)

    @property
    def mean(self) -> Array:
        """Σ wᵢ xᵢ / W, shape (d,)."""
        return self.sums / self.weight

    def merge(self, others: Sequence[Sums]) -> Sums:
        """Add up."""
        every = [self, *others]
        return Sums(sum(s.weight for s in every), np.sum([s.sums for s in every], axis=0))


@dataclass(frozen=True)
class Moments:
    """W, the mean x̄ = s + o (d,) and the scatter S = Σ wᵢ (xᵢ − x̄)(xᵢ − x̄)ᵀ about it.

    The scatter is (d, d), or (d,) where only its diagonal is kept. Held about the mean, it
    merges without loss of digits however far the mean is from zero (Chan, Golub & LeVeque
    1983): S = Σₖ Sₖ + Σₖ Wₖ (x̄ₖ − x̄)(x̄ₖ − x̄)ᵀ. The mean is held as a value s of the data
    and a small offset o: a mean of 1e9 in one number is only known to 1e-7.
    """

    weight: float
    shift: Array
    offset: Array
    scatter: Array

    @classmethod
    def of(cls, found: ShiftedGram) -> Moments:
        """Centre what one pass over the data has found."""
        if found.weight == 0.0:
            return cls(0.0, found.shift, np.zeros_like(found.sums), np.zeros_like(found.gram))
        with np.errstate(all="ignore"):
            return cls(found.weight, found.shift, found.sums / found.weight, found.scatter)

    @property
    def mean(self) -> Array:
        """x̄, shape (d,)."""
        return self.shift + self.offset

    @property
    def n_features(self) -> int:
        """Columns of the data."""
        return len(self.shift)

    def merge(self, others: Sequence[Moments]) -> Moments:
        """Add up the scatters within the pieces and that of the pieces' means."""
        every = [s for s in (self, *others) if s.weight > 0]
        if len(every) < 2:
            return every[0] if every else self
        w = np.array([s.weight for s in every])
        shift = every[0].shift
        means = np.array([s.shift for s in every]) - shift
        means += np.array([s.offset for s in every])
        weight = float(w.sum())
        offset = means[0] + w @ (means - means[0]) / weight  # equal means merge to just that
        diagonal = self.scatter.ndim == 1
        scatter = shifted_gram(means, sample_weight=w, shift=offset, diagonal=diagonal).gram
        for s in every:
            scatter += s.scatter
        return Moments(weight, shift, offset, scatter)


@dataclass(frozen=True)
class Counts:
    """The weight of each category, categories sorted; merging takes their union."""

    categories: Array
    counts: Array

    n_features: int = 1

    @property
    def weight(self) -> float:
        """W."""
        return float(self.counts.sum())

    def merge(self, others: Sequence[Counts]) -> Counts:
        """Add up, category by category."""
        every = [self, *others]
        if len({s.categories.dtype.kind in "US" for s in every}) > 1:
            raise TypeError("cannot merge labels that are strings with labels that are not")
        categories = np.unique(np.concatenate([s.categories for s in every]))
        counts = np.zeros(len(categories))
        for s in every:
            counts[np.searchsorted(categories, s.categories)] += s.counts
        return replace(self, categories=categories, counts=counts)


@dataclass(frozen=True)
class Observations:
    """The observations themselves (n, d) with their weights (n,): no smaller statistic exists.

    Rows of weight zero are left out. Merging joins the rows: what is kept grows with the data.
    """

    rows: Array
    weights: Array

    @property
    def weight(self) -> float:
        """W."""
        return float(self.weights.sum(dtype=np.float64))

    @property
    def n_features(self) -> int:
        """Columns of the data."""
        return int(self.rows.shape[1])

    def merge(self, others: Sequence[Observations]) -> Observations:
        """Join the rows."""
        every = [self, *others]
        return Observations(
            np.concatenate([s.rows for s in every]), np.concatenate([s.weights for s in every])
        )
