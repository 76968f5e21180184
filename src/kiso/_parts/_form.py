"""What every part has to look like, and the check that it does, where the part is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from kiso._validation import Array

__all__ = ["Form", "Part", "check_form", "columns_of", "float_dtype", "read_part"]


@dataclass(frozen=True)
class Part:
    """Some of the rows.

    Attributes
    ----------
    X : ndarray (C-contiguous) or CSR matrix of shape (n, d), float32 or float64
    y : ndarray of shape (n, t), float64, for numbers; of shape (n,) for labels; or None
    weight : ndarray of shape (n,), float64, or None
    number : int
        Which of the parts it is.
    """

    X: Any
    y: Any
    weight: Array | None
    number: int

    def __len__(self) -> int:
        return int(self.X.shape[0])


@dataclass(frozen=True)
class Form:
    """What every part has to look like.

    Attributes
    ----------
    n_features : int
    columns : tuple of str or None
        Names of the columns, in order.
    dtypes : tuple of dtypes
        As declared: one for each column of a table, a single one for an array.
    dtype : dtype
        float32 or float64: what the parts are converted to.
    sparse : bool
        Whether X holds sparse matrices.
    targets : {"none", "numbers", "labels", "raw"}
    n_targets : int
        0 for targets of one dimension.
    label_kind : str
        Of labels: "number" or "text".
    """

    n_features: int
    columns: tuple[str, ...] | None
    dtypes: tuple[Any, ...]
    dtype: Any
    sparse: bool = False
    targets: str = "none"
    n_targets: int = 0
    label_kind: str = ""

    @property
    def one_target(self) -> bool:
        return self.n_targets == 0


def float_dtype(dtypes: Any) -> Any:
    """float32 where all columns are float32 (or float16), else float64."""
    narrow = {np.dtype(np.float32), np.dtype(np.float16)}
    single = all(dtype in narrow for dtype in dtypes) and len(dtypes) > 0
    return np.dtype(np.float32 if single else np.float64)


def columns_of(names: Any) -> tuple[str, ...] | None:
    """Names of columns where all are strings, as scikit-learn keeps them; else None."""
    names = tuple(names)
    return names if names and all(isinstance(name, str) for name in names) else None


def check_form(form: Form, *, accept_sparse: bool, multi_output: bool) -> None:
    """Refuse, before any part is read, what the declared types rule out."""
    if form.n_features == 0:
        raise ValueError("X has no columns")
    for at, dtype in enumerate(form.dtypes if form.targets != "raw" else ()):
        if not _is_number(dtype):
            which = f"column {form.columns[at]!r}" if form.columns else "the array"
            raise TypeError(
                f"X: {which} has dtype {dtype}: give numbers (encode or drop other columns)"
            )
    if form.sparse and not accept_sparse:
        raise TypeError("X holds sparse matrices: give dense partitions")
    if form.n_targets > 1 and not multi_output:
        raise ValueError(f"y has {form.n_targets} columns: give one")


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biuf"


def read_part(
    X: Any, y: Any, weight: Any, number: int, name: str, form: Form, check: bool
) -> Part | None:
    """Return a part as the solvers need it; None where it has no rows.

    Parameters
    ----------
    X, y, weight : tables, columns or arrays; None where there are none
    number : int
    name : str
        What errors call it.
    form : Form
    check : bool
        Whether to search X for NaN and infinity.

    Raises
    ------
    ValueError
        If it is not what `form` says; the error names the part.
    """
    if form.targets == "raw":
        return Part(X, y, weight, number) if X.shape[0] else None
    n = int(X.shape[0])
    for other, what in ((y, "y"), (weight, "sample_weight")):
        if other is not None and hasattr(other, "__len__") and len(other) != n:
            raise ValueError(f"{name}: X has {n} rows, {what} has {len(other)}")
    _check_columns(X, name, form)
    if n == 0:
        return None
    values = _values(X, form)
    if check:
        _check_finite(values, name, form)
    return Part(values, _targets(y, name, form), _weights(weight, n, name), number)


def _check_columns(X: Any, name: str, form: Form) -> None:
    if hasattr(X, "columns"):
        found = tuple(X.columns)
        if form.columns is not None and found != form.columns:
            raise ValueError(
                f"{name} has the columns {list(found)}; expected, in this order, "
                f"{list(form.columns)}"
            )
        if len(found) != form.n_features:
            raise ValueError(f"{name} has {len(found)} columns; expected {form.n_features}")
        for column, dtype, declared in zip(found, X.dtypes, form.dtypes, strict=True):
            if dtype != declared:
                raise ValueError(
                    f"{name}: column {column!r} has dtype {dtype}; expected {declared}"
                )
        return
    if X.ndim != 2 or X.shape[1] != form.n_features:
        raise ValueError(f"{name} has the shape {X.shape}; expected {form.n_features} columns")
    if sp.issparse(X) != form.sparse:
        kinds = {True: "sparse", False: "dense"}
        raise ValueError(f"{name} is {kinds[not form.sparse]}; expected {kinds[form.sparse]}")
    if X.dtype != form.dtypes[0]:
        raise ValueError(f"{name} has dtype {X.dtype}; expected {form.dtypes[0]}")


def _values(X: Any, form: Form) -> Any:
    if form.sparse:
        X = X.tocsr().astype(form.dtype, copy=not X.data.flags.aligned)
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X
    if hasattr(X, "columns"):
        X = X.to_numpy(dtype=form.dtype, na_value=np.nan)
    return aligned(X, form.dtype)


def aligned(values: Any, dtype: Any) -> Array:
    """An array in the order of C at an address that suits its type: sums have the same bits."""
    return np.require(values, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _check_finite(values: Any, name: str, form: Form) -> None:
    data = values.data if form.sparse else values
    with np.errstate(all="ignore"):
        if np.isfinite(data.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(data)
    if not bad.any():
        return
    what = "NaN" if np.isnan(data).any() else "infinity"
    where = ""
    if data.ndim == 2:
        at = int(np.flatnonzero(bad.any(axis=0))[0])
        where = f" in column {form.columns[at]!r}" if form.columns else f" in column {at}"
    raise ValueError(f"{name}: X contains {what}{where}")


def _targets(y: Any, name: str, form: Form) -> Any:
    if y is None or form.targets == "none":
        return None
    y = np.asarray(y)
    if form.targets == "labels":
        return _labels(y.reshape(len(y), -1)[:, 0] if y.ndim == 2 else y, name, form)
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: y holds what is not a number ({error})") from None
    if not np.isfinite(numbers).all():
        what = "NaN" if np.isnan(numbers).any() else "infinity"
        raise ValueError(f"{name}: y contains {what}")
    return aligned(numbers.reshape(len(numbers), -1), np.float64)


def _labels(y: Array, name: str, form: Form) -> Array:
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError(f"{name}: y contains NaN or infinity")
    if y.dtype.kind == "f" and (y != np.round(y)).any():
        raise ValueError(f"{name}: y holds numbers with fractions: labels are classes")
    if y.dtype.kind == "O":
        if not all(isinstance(label, str) for label in y):
            raise ValueError(f"{name}: y holds labels that are missing, or not all are strings")
        y = y.astype(str)
    kind = "number" if y.dtype.kind in "biuf" else "text"
    if form.label_kind and kind != form.label_kind:
        raise ValueError(f"{name}: y holds {kind}s; expected {form.label_kind}s")
    return y


def _weights(weight: Any, n: int, name: str) -> Array | None:
    if weight is None:
        return None
    weights = aligned(weight, np.float64)
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    weights = weights.reshape(n)
    if not np.isfinite(weights).all():
        raise ValueError(f"{name}: sample_weight contains NaN or infinity")
    if (weights < 0).any():
        raise ValueError(f"{name}: sample_weight contains negative values")
    return weights
