r"""Maps of rows after which a metric is one that loops add up feature by feature.

    weights w of minkowski  x ↦ w^(1/p) x              seuclidean  x ↦ x / √V
    mahalanobis             x ↦ (x − c) L, LLᵀ = VI    haversine   (φ, λ) ↦ the unit vector
    cosine                  x ↦ x/‖x‖                  correlation the same of x − mean(x)
    jaccard, dice, ...      x ↦ [x ≠ 0]

A row is mapped to the same numbers whatever rows are mapped with it, so that equal rows have
distance 0 exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from kiso._validation import Array

from ._map_loops import multiply_rows

__all__ = ["Binary", "OnSphere", "RowMap", "Scaled", "Unit", "Whitened", "is_sparse"]


class RowMap(Protocol):
    """What rows and queries are mapped by before they are searched."""

    def width(self, d: int) -> int:
        """Features after the map."""
        ...

    def dtype(self, given: Any) -> Any:
        """Type of the numbers after the map."""
        ...

    def __call__(self, X: Any, *, queries: bool) -> Any:
        """Map rows, dense or CSR."""
        ...


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array."""
    return bool(sparse.issparse(X))


class _SameShape:
    def width(self, d: int) -> int:
        return d

    def dtype(self, given: Any) -> Any:
        return given


@dataclass(frozen=True)
class Scaled(_SameShape):
    """Features multiplied by a number each."""

    scale: Array  # (d,)

    def __call__(self, X: Any, *, queries: bool) -> Any:
        scale = self.scale.astype(X.dtype, copy=False)
        return X.multiply(scale).tocsr() if is_sparse(X) else X * scale


@dataclass(frozen=True)
class Whitened(_SameShape):
    """(x − c) L, in float64: ‖(q − x) L‖² = (q − x) LLᵀ (q − x)ᵀ."""

    factor: Array  # (d, d)
    center: Array  # (d,) a row of the data's middle, against cancellation

    def dtype(self, given: Any) -> Any:
        return np.dtype(np.float64)

    def __call__(self, X: Any, *, queries: bool) -> Any:
        out = np.empty(X.shape)
        multiply_rows(np.ascontiguousarray(X), self.center, self.factor, out)
        return out


@dataclass(frozen=True)
class Unit:
    """Rows of length one; half of the squared distance is the cosine distance.

    A row of zeros has no direction: it gets cosine distance 1 to everything, as two more
    features, different ones for queries and for the rows they are compared with.
    """

    centered: bool = False  # each row's own mean is taken from it first

    def width(self, d: int) -> int:
        return d + 2

    def dtype(self, given: Any) -> Any:
        return given

    def __call__(self, X: Any, *, queries: bool) -> Any:
        if self.centered:
            X = X - X[:, :1]  # a constant row becomes zeros exactly
            X = X - X.mean(axis=1, keepdims=True, dtype=np.float64).astype(X.dtype)
        unit, zero = _unit(X)
        flags = np.zeros((unit.shape[0], 2), unit.dtype)
        flags[:, int(queries)] = zero
        if is_sparse(unit):
            return sparse.hstack([unit, sparse.csr_array(flags)], format="csr")
        return np.hstack([unit, flags])


@dataclass(frozen=True)
class OnSphere:
    """Latitude and longitude in radians to the point of the unit sphere, in float64."""

    def width(self, d: int) -> int:
        return 3

    def dtype(self, given: Any) -> Any:
        return np.dtype(np.float64)

    def __call__(self, X: Any, *, queries: bool) -> Any:
        latitude, longitude = X.astype(np.float64).T
        flat = np.cos(latitude)
        point = flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)
        return np.stack(point, axis=1)


@dataclass(frozen=True)
class Binary(_SameShape):
    """Ones where a feature is not zero, in float32: their products count exactly."""

    def dtype(self, given: Any) -> Any:
        return np.dtype(np.float32)

    def __call__(self, X: Any, *, queries: bool) -> Any:
        ones = (X != 0).astype(np.float32)
        return ones.tocsr() if is_sparse(ones) else ones


def _unit(X: Any) -> tuple[Any, Array]:
    """Give rows of length one, and which rows are zero and stay so.

    First divided by the largest value, so that squares neither overflow nor vanish. (What
    scikit-learn's `normalize` divides by is 1 below ten roundoffs.)
    """
    largest = abs(X).max(axis=1)
    largest = (largest.toarray() if is_sparse(largest) else largest).ravel()
    zero = largest == 0
    scaled = _divided(X, np.where(zero, 1, largest))
    squares = scaled.multiply(scaled) if is_sparse(X) else scaled**2
    lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
    return _divided(scaled, np.where(zero, 1, lengths)), zero


def _divided(X: Any, by: Array) -> Any:
    """Divide each row, dense or CSR, by a number of its own."""
    by = by.astype(X.dtype, copy=False)
    if not is_sparse(X):
        return X / by[:, None]
    each = np.repeat(by, np.diff(X.indptr))
    return type(X)((X.data / each, X.indices, X.indptr), shape=X.shape)
