"""The gate for data: what every estimator takes for X, for y and for weights.

scikit-learn's validation asks dtypes first. What a dtype does not say gets through it: masks of
masked arrays, NaT among dates (−9.2e18 as a number), None and infinity in arrays of objects,
imaginary parts of targets, weights that sum to infinity. The functions here look at values and
then call scikit-learn's; estimators import these alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils import check_array as _check_array
from sklearn.utils import column_or_1d as _column_or_1d
from sklearn.utils.validation import _check_sample_weight
from sklearn.utils.validation import _check_y as _check_y_of_sklearn
from sklearn.utils.validation import validate_data as _validate_data

from kiso._validation import Array

__all__ = [
    "check_array",
    "check_sample_weight",
    "check_y",
    "column_or_1d",
    "finite_targets",
    "open_labels",
    "open_rows",
    "real_numbers",
    "validate_data",
]

_TIMES = (np.datetime64, np.timedelta64)


def validate_data(
    estimator: Any, X: Any = "no_validation", y: Any = "no_validation", **how: Any
) -> Any:
    """scikit-learn's `validate_data`, after the values of X and y have been looked at.

    Raises
    ------
    ValueError
        Where scikit-learn's does, and for masked entries, NaT, complex numbers, and None or
        infinity in a y of objects.
    """
    X = open_rows(X)
    if how.get("accept_large_sparse") is False:
        X = _with_small_indices(X)
    return _validate_data(estimator, X, open_labels(y), **how)


def check_array(array: Any, *, input_name: str = "X", **how: Any) -> Any:
    """scikit-learn's `check_array`, after the values have been looked at."""
    return _check_array(open_rows(array, input_name), input_name=input_name, **how)


def check_y(y: Any, **how: Any) -> Array:
    """scikit-learn's check of y alone, after its values have been looked at."""
    return np.asarray(_check_y_of_sklearn(open_labels(y), **how))


def column_or_1d(y: Any, *, name: str = "y", **how: Any) -> Array:
    """scikit-learn's `column_or_1d`, after the values have been looked at."""
    return np.asarray(_column_or_1d(open_labels(y, name), **how))


def check_sample_weight(
    sample_weight: Any,
    X: Any,
    *,
    dtype: Any = np.float64,
    copy: bool = False,
    ensure_non_negative: bool = True,
    allow_all_zero_weights: bool = False,
) -> Array:
    """Return weights (n_samples,) that can be written to; ones for None.

    Raises
    ------
    ValueError
        If they are not as many finite real numbers ≥ 0 as X has rows, if all are 0, or if
        their sum is beyond the largest number of `dtype`.
    """
    name = "sample_weight"
    if sample_weight is not None and not np.isscalar(sample_weight):
        sample_weight = open_rows(sample_weight, name)
        given = getattr(sample_weight, "dtype", None)
        if (
            given is None
            or getattr(given, "kind", "O") in "cOUSmM"
            or not isinstance(given, np.dtype)
        ):
            sample_weight = real_numbers(sample_weight, name)
    weight: Array = _check_sample_weight(
        sample_weight,
        X,
        dtype=dtype,
        copy=copy,
        ensure_non_negative=ensure_non_negative,
        allow_all_zero_weights=allow_all_zero_weights,
    )
    with np.errstate(over="ignore", invalid="ignore"):
        total = weight.sum()
    if not np.isfinite(total):
        raise ValueError(
            f"sample_weight: its sum is beyond the largest number of {weight.dtype} (the largest "
            f"weight is {weight.max():.3g}); multiply all weights by a small number"
        )
    return weight if weight.flags.writeable else weight.copy()


def finite_targets(y: Any) -> Array:
    """Give numeric targets in float64; refuse NaN and infinity, also of arrays of objects.

    Raises
    ------
    ValueError
        If a target is None, NaN, NaT, infinite or complex.

    Examples
    --------
    >>> finite_targets(np.array([1, 2.5], dtype=object))
    array([1. , 2.5])
    >>> finite_targets(np.array([1, None], dtype=object))
    Traceback (most recent call last):
    ...
    ValueError: Input y contains NaN (None at position 1).
    """
    numbers = np.asarray(open_labels(y), dtype=np.float64)
    assert_all_finite(numbers, input_name="y")
    return numbers


def real_numbers(value: Any, name: str, *, dtype: Any = np.float64) -> Array:
    """Return an array of real numbers; None for `dtype` keeps that of an array of numbers.

    Raises
    ------
    ValueError
        If it holds masked entries, complex numbers, or what is no number.
    """
    array = np.asarray(open_rows(value, name))
    if array.dtype.kind in "mM":
        raise ValueError(f"{name} holds dates or times ({array.dtype}): give numbers")
    if array.dtype.kind == "c":
        raise ValueError(f"{name}: Complex data not supported; give real numbers")
    if array.dtype.kind not in "biuf" or dtype is not None:
        try:
            return np.asarray(array, dtype=dtype or np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} holds what is no number: {error}") from None
    return array


def open_rows(X: Any, name: str = "X") -> Any:
    """Return X as it is, unless values in it would be read as something else.

    Raises
    ------
    ValueError
        For masked entries, NaT, and complex numbers among objects.
    """
    if X is None or isinstance(X, str) or sparse.issparse(X):
        return X
    if isinstance(X, np.ma.MaskedArray):
        return _unmasked(X, name)
    if isinstance(X, np.ndarray):
        _look_at(X, name)
    elif hasattr(X, "dtypes") and hasattr(X, "iloc") and getattr(X, "ndim", 0) == 2:
        for i, dtype in enumerate(X.dtypes):
            if getattr(dtype, "kind", "O") in "mM" and X.iloc[:, i].isna().any():
                _refuse_nat(f"{name}, column {X.columns[i]!r},")
            elif isinstance(dtype, np.dtype) and dtype.kind == "O":
                _look_at(X.iloc[:, i].to_numpy(), name)
    elif isinstance(X, list | tuple):
        if any(isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row) for row in X):
            _unmasked(np.ma.masked_array(X), name)
        array = _as_array(X)
        if array is not None and array.dtype.kind in "mMO":
            _look_at(array, name)
    elif hasattr(X, "__array__") and not callable(getattr(X, "fit", None)):
        array = _as_array(X)
        if array is not None and array.dtype.kind in "mMO":
            _look_at(array, name)
    return X


def open_labels(y: Any, name: str = "y") -> Any:
    """Return y as it is, unless a value in it is missing, infinite or complex.

    Raises
    ------
    ValueError
        For masked entries, NaT, complex numbers, and None, NaN or infinity among objects.
    """
    if y is None or isinstance(y, str) or sparse.issparse(y):
        return y
    if isinstance(y, np.ma.MaskedArray):
        return open_labels(_unmasked(y, name), name)
    if isinstance(y, list | tuple) and any(
        isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row) for row in y
    ):
        _unmasked(np.ma.masked_array(y), name)
    array = _as_array(y)
    if array is None:
        return y  # ragged: named by scikit-learn
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} holds complex numbers")
    if array.dtype.kind in "mM":
        _look_at(array, name)
    elif array.dtype.kind == "O":
        _refuse_missing(array, name)
        _look_at(array, name)
    return y


def _with_small_indices(X: Any) -> Any:
    """Sparse rows with 32-bit indices where these suffice; others as they are."""
    fmt = getattr(X, "format", "") if sparse.issparse(X) else ""
    if not fmt or max(*X.shape, X.nnz) > np.iinfo(np.int32).max:
        return X
    if fmt in ("csr", "csc") and X.indices.dtype == np.int64:
        parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
        return type(X)(parts, shape=X.shape, copy=False)
    if fmt == "coo" and X.row.dtype == np.int64:
        return type(X)((X.data, (X.row.astype(np.int32), X.col.astype(np.int32))), shape=X.shape)
    return X


def _as_array(value: Any) -> Array | None:
    try:
        return np.asarray(value)
    except Exception:  # ragged, or a container of another library: said where it is converted
        return None


def _unmasked(value: Any, name: str) -> Array:
    if np.ma.is_masked(value):
        n_masked = int(np.sum(np.ma.getmaskarray(value)))
        raise ValueError(
            f"{name} is a masked array with {n_masked} masked entries: fill them (.filled) or "
            "leave their rows out"
        )
    return np.asarray(value.data)


def _look_at(array: Array, name: str) -> None:
    """Refuse NaT, and complex numbers among objects."""
    if array.dtype.kind in "mM" and np.isnat(array).any():
        _refuse_nat(name)
    if array.dtype.kind != "O":
        return
    for value in array.ravel():
        if isinstance(value, _TIMES) and np.isnat(value):
            _refuse_nat(name)
        if isinstance(value, complex | np.complexfloating):
            raise ValueError(f"Complex data not supported: {name} holds {value!r}")


def _refuse_nat(name: str) -> None:
    raise ValueError(f"{name} contains NaT (a date or time that is missing)")


def _refuse_missing(array: Array, name: str) -> None:
    """Refuse None, NaN, NA and infinity among objects."""
    for i, value in enumerate(array.ravel()):
        if isinstance(value, str | bytes | bool | int):
            continue
        if value is None or type(value).__name__ in {"NAType", "NaTType"}:
            raise ValueError(f"Input {name} contains NaN ({value} at position {i}).")
        if isinstance(value, float | np.floating):
            if np.isnan(value):
                raise ValueError(f"Input {name} contains NaN.")
            if np.isinf(value):
                raise ValueError(f"Input {name} contains infinity.")
