"""Metrics that no loop adds up: distances of a block of queries to a block of rows.

For features that are true or false every distance is a formula of four counts,

    a = Σ q x,   b = Σ q (1 − x),   c = Σ (1 − q) x,   d = n − a − b − c,

and a is a product of matrices of zeros and ones, which float32 holds exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import DistanceMetric

from kiso._compute.matmul import product
from kiso._validation import Array

from ._maps import is_sparse

__all__ = ["BOOLEAN", "Counted", "FromFunction", "FromObject", "FromSciPy"]

BOOLEAN = {
    "dice",
    "jaccard",
    "rogerstanimoto",
    "russellrao",
    "sokalmichener",
    "sokalsneath",
    "yule",
}


@dataclass(frozen=True)
class Counted:
    """A distance of zeros and ones by how often both, one or none of them is one."""

    name: str

    def __call__(self, Q: Any, X: Any) -> Array:
        n = Q.shape[1]
        if is_sparse(Q):
            both = (Q @ X.T).toarray()
        else:
            both = product(Q, X.T, np.empty((len(Q), len(X)), np.float32))
        both = both.astype(np.float64)
        first = np.asarray(Q.sum(axis=1, dtype=np.float64)).reshape(-1, 1) - both
        second = np.asarray(X.sum(axis=1, dtype=np.float64)).reshape(1, -1) - both
        return _formula(self.name, both, first, second, n)


def _formula(name: str, a: Array, b: Array, c: Array, n: int) -> Array:
    """Distance by the counts of both, of the first alone and of the second alone; 0/0 is 0."""
    unequal = b + c
    if name == "russellrao":
        return (n - a) / n
    if name in {"rogerstanimoto", "sokalmichener"}:
        return 2.0 * unequal / (n + unequal)
    if name == "yule":
        crossed = b * c
        share, whole = 2.0 * crossed, a * (n - a - unequal) + crossed
    else:
        weight = {"jaccard": 1.0, "dice": 2.0, "sokalsneath": 0.5}[name]
        share, whole = unequal, weight * a + unequal
    return np.divide(share, whole, out=np.zeros_like(share), where=share != 0)


@dataclass(frozen=True)
class FromSciPy:
    """A metric of `scipy.spatial.distance.cdist`, with its parameters."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)

    def __call__(self, Q: Any, X: Any) -> Array:
        if self.name in BOOLEAN:
            Q, X = Q != 0, X != 0
        with np.errstate(all="ignore"):
            found = cdist(Q, X, self.name, **self.params)  # type: ignore[call-overload]
        return np.nan_to_num(found, copy=False, nan=np.inf)


@dataclass(frozen=True)
class FromObject:
    """A `sklearn.metrics.DistanceMetric` with parameters of its own."""

    metric: Any

    def __call__(self, Q: Any, X: Any) -> Array:
        narrow = type(self.metric).__name__.endswith("32")
        dtype = np.float32 if narrow else np.float64
        rows = (np.ascontiguousarray(A, dtype=dtype) for A in (Q, X))
        return np.asarray(self.metric.pairwise(*rows), dtype=np.float64)


@dataclass(frozen=True)
class FromFunction:
    """`function(q, x, **params)` of two rows, which has to return a number.

    Rows of sparse matrices come as sparse matrices of one row.
    """

    function: Callable[..., Any]
    params: dict[str, Any] = field(default_factory=dict)

    def __call__(self, Q: Any, X: Any) -> Array:
        D = np.empty((Q.shape[0], X.shape[0]))
        rows, queries = _rows(X), _rows(Q)
        for i, q in enumerate(queries):
            values = [self.function(q, x, **self.params) for x in rows]
            try:
                D[i] = values
            except (TypeError, ValueError):
                D[i] = np.nan
            if np.isnan(D[i]).any():
                self._refuse(values)
        return D

    def _refuse(self, values: list[Any]) -> None:
        """Name the first value that is no number."""
        for value in values:
            try:
                strange = np.isnan(float(value))
            except (TypeError, ValueError):
                strange = True
            if strange:
                raise ValueError(
                    f"metric={self.function!r}: a metric takes two rows and gives one number; "
                    f"it gave {value!r}"
                )


def _rows(X: Any) -> list[Any]:
    return [X[[i]] for i in range(X.shape[0])] if is_sparse(X) else list(X)


def object_name(metric: Any) -> str | None:
    """Name of a `DistanceMetric` without parameters that loops have, or None."""
    if not isinstance(metric, DistanceMetric):
        return None
    kind = type(metric).__name__.removesuffix("32").removesuffix("64").removesuffix("Distance")
    known = kind.lower()
    return known if known in {"euclidean", "manhattan", "chebyshev"} else None
