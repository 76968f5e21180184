"""Categorical columns: which they are, and their values as codes 0, 1, ..."""

from __future__ import annotations

from typing import Any

import numpy as np

from kiso._validation import Array

__all__ = ["Columns"]

UNKNOWN = -1.0


class Columns:
    """Which columns are categorical, and their categories.

    Attributes
    ----------
    categories : dict of int to dict
        Column -> value -> code; codes follow the sorted values (or the dtype's order).
    """

    def __init__(self, X: Any, categorical_features: Any):
        self.categories: dict[int, dict[Any, int]] = {}
        for j in find_categorical(X, categorical_features):
            column = _column(X, j)
            dtype = getattr(column, "dtype", None)
            known = getattr(dtype, "categories", None)
            values = list(known) if known is not None else _distinct(column)
            self.categories[j] = {value: code for code, value in enumerate(values)}

    def n_categories(self, n_features: int) -> Array:
        """Number of categories of each feature; -1 for a numeric one."""
        return np.array([len(self.categories.get(j, ())) if j in self.categories else -1
                         for j in range(n_features)], dtype=np.int64)  # fmt: skip

    def encode(self, X: Any) -> Any:
        """X with codes in its categorical columns: NaN if missing, -1 if unknown."""
        if not self.categories:
            return X
        n_features = X.shape[1] if hasattr(X, "shape") else len(X[0])
        if n_features <= max(self.categories):
            return X  # the wrong number of features, which is said elsewhere
        frame = hasattr(X, "columns")
        out: Any = X.copy() if frame else np.array(X, dtype=object)
        for j, codes in self.categories.items():
            found = np.array(
                [np.nan if _missing(v) else codes.get(v, UNKNOWN) for v in _column(X, j)]
            )
            if frame:
                out.isetitem(j, found)
            else:
                out[:, j] = found
        return out if frame else out.astype(np.float64)


def find_categorical(X: Any, categorical_features: Any) -> list[int]:
    """Indices of the categorical columns from indices, names, a mask or the dtypes.

    Raises
    ------
    ValueError
        For names that X does not have, indices out of range, a mask of the wrong length.
    """
    if categorical_features is None:
        return []
    if isinstance(categorical_features, str):
        if categorical_features != "from_dtype":
            raise ValueError(
                f"categorical_features={categorical_features!r}: give indices, names, a mask, "
                "'from_dtype' or None"
            )
        dtypes = getattr(X, "dtypes", None)
        if dtypes is None or not hasattr(X, "columns"):
            return []
        return [j for j, t in enumerate(dtypes) if getattr(t, "name", "") == "category"]
    wanted = np.asarray(categorical_features)
    if wanted.size == 0:
        return []
    n_features = np.shape(X)[1]
    if wanted.dtype == bool:
        if wanted.shape != (n_features,):
            raise ValueError(
                f"categorical_features: a mask of shape {wanted.shape} for {n_features} features"
            )
        return [int(j) for j in np.flatnonzero(wanted)]
    if wanted.dtype.kind in "iu":
        if wanted.min() < 0 or wanted.max() >= n_features:
            raise ValueError(
                f"categorical_features: indices must be in 0..{n_features - 1}, "
                f"not {wanted.tolist()}"
            )
        return sorted({int(j) for j in wanted})
    names = list(getattr(X, "columns", []))
    absent = [name for name in wanted.tolist() if name not in names]
    if absent:
        raise ValueError(f"categorical_features: X has no columns {absent}; it has {names}")
    return sorted({names.index(name) for name in wanted.tolist()})


def _column(X: Any, j: int) -> Any:
    return X.iloc[:, j] if hasattr(X, "iloc") else np.asarray(X, dtype=object)[:, j]


def _missing(value: Any) -> bool:
    return value is None or bool(value != value) or type(value).__name__ == "NAType"


def _distinct(column: Any) -> list[Any]:
    values = {v for v in column if not _missing(v)}
    try:
        return sorted(values)
    except TypeError:  # of several types
        return sorted(values, key=lambda v: (type(v).__name__, v))
