"""What a distribution accepts: rows, weights, parameters. Each error names the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kiso._gate import check_array, check_sample_weight, real_numbers
from kiso._validation import FLOATS, Array

_ROUNDING = 1e-8  # by how much probabilities may miss 1, relative to float64


def check_rows(
    X: ArrayLike, *, name: str = "X", n_features: int | None = None, finite: bool = True
) -> Array:
    """Return observations as a float32 or float64 matrix; n numbers are n rows of one column.

    With `finite=False` NaN and infinity pass: the caller checks what came of them.
    """
    if np.ndim(X) == 0:
        raise ValueError(f"{name}={X!r}: give an array of shape (n,) or (n, n_features)")
    rows: Array = check_array(
        X, dtype=FLOATS, ensure_2d=False, ensure_all_finite=finite, input_name=name
    )
    if rows.ndim == 1:
        rows = rows[:, None]
    if n_features is not None and rows.shape[1] != n_features:
        raise ValueError(f"{name} has {rows.shape[1]} columns; the distribution has {n_features}")
    return rows


def check_weights(sample_weight: ArrayLike | None, X: Array) -> Array | None:
    """Return weights ≥ 0 of the rows of X in X's precision; None stays None."""
    if sample_weight is None:
        return None
    dtype = X.dtype if X.dtype in FLOATS else np.float64
    weights: Array = check_sample_weight(
        sample_weight, X, dtype=dtype, ensure_non_negative=True, allow_all_zero_weights=True
    )
    return weights


def check_line(x: ArrayLike, *, name: str = "data") -> Array:
    """Return observations of one number each as a float64 vector."""
    x = real_numbers(x, name)
    if x.ndim != 1 or len(x) == 0:
        raise ValueError(f"{name} has shape {x.shape}; give a vector of at least one number")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity")
    return x


def check_counts(X: Array, *, name: str = "X") -> Array:
    """Refuse what is not a whole number ≥ 0."""
    if X.size and X.min() < 0:
        raise ValueError(f"{name} contains {X.min():g}; counts are whole numbers from 0")
    if np.any(np.floor(X) != X):
        bad = X[np.floor(X) != X].flat[0]
        raise ValueError(f"{name} contains {bad:g}; counts are whole numbers from 0")
    return X


def check_binary(X: Array, *, name: str = "X") -> Array:
    """Refuse what is neither 0 nor 1."""
    other = (X != 0) & (X != 1)
    if other.any():
        raise ValueError(f"{name} contains {X[other].flat[0]:g}; allowed are 0 and 1")
    return X


def check_probabilities(p: ArrayLike, *, axis: int = -1, name: str = "p") -> Array:
    """Return probabilities as float64; refuse negative ones and sums that are not 1."""
    given = real_numbers(p, name, dtype=None)
    values: Array = given.astype(np.float64, copy=False)
    if values.ndim == 0 or values.size == 0:
        raise ValueError(f"{name} has shape {values.shape}; give at least one probability")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinity")
    if values.min() < 0:
        raise ValueError(f"{name} contains {values.min():g}; probabilities are not negative")
    error = np.abs(values.sum(axis=axis) - 1.0).max()
    narrow = np.issubdtype(given.dtype, np.floating) and given.dtype.itemsize < 8
    allowed = 10 * values.shape[axis] * np.finfo(given.dtype).eps if narrow else _ROUNDING
    if error > allowed:
        raise ValueError(f"{name} misses a sum of 1 along axis {axis} by {error:.3g}")
    return values


def check_parameter(value: ArrayLike, *, name: str, low: float, high: float = np.inf) -> Array:
    """Return a vector of parameters within [low, high], float64; a number is a vector of one."""
    values = np.atleast_1d(real_numbers(value, name))
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"{name} has shape {values.shape}; give a number or a vector")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}={value!r}: give finite numbers")
    if values.min() < low or values.max() > high:
        limits = f"at least {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        raise ValueError(f"{name}={value!r}: allowed are numbers {limits}")
    return values


def check_positive(value: Any, *, name: str) -> float:
    """Return a finite number > 0."""
    number = float(value)
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name}={value!r}: give a number > 0")
    return number


def check_covariance(value: ArrayLike, *, name: str, definite: bool = False) -> Array:
    """Return a symmetric positive semi-definite (or definite) matrix, float64.

    Semi-definite is: no eigenvalue of the correlation matrix below −d·eps·10.
    """
    matrix = np.atleast_2d(real_numbers(value, name))
    d = len(matrix)
    if matrix.ndim != 2 or matrix.shape != (d, d) or d == 0:
        raise ValueError(f"{name} has shape {np.shape(value)}; give a square matrix")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} contains NaN or infinity")
    diagonal = np.diagonal(matrix)
    size = np.outer(*[np.sqrt(np.abs(diagonal))] * 2)
    if np.any(np.abs(matrix - matrix.T) > 1e-8 * size + 1e-300):
        raise ValueError(f"{name} is not symmetric")
    kind = "definite" if definite else "semi-definite"
    if diagonal.min() < 0 or np.any(np.abs(matrix) > size * (1 + 1e-8)):
        raise ValueError(f"{name} is not positive {kind}")
    symmetric: Array = (matrix + matrix.T) / 2
    deviation = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    lowest = np.linalg.eigvalsh(symmetric / np.outer(deviation, deviation))[0]
    tolerance = 10 * d * np.finfo(np.float64).eps
    if lowest < -tolerance or (definite and lowest <= tolerance):
        raise ValueError(
            f"{name} is not positive {kind}: its correlation matrix has the eigenvalue {lowest:.3g}"
        )
    return symmetric
