"""The same numbers in every container that users bring, and the values that poison them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def _strided(a: np.ndarray) -> np.ndarray:
    twice = np.repeat(a, 2, axis=0)
    return twice[::2]


def _read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


def _mapped(a: np.ndarray) -> np.ndarray:
    with tempfile.NamedTemporaryFile(suffix=".npy", delete=False) as file:
        np.save(file, a)
    mapped = np.load(file.name, mmap_mode="r")
    Path(file.name).unlink()
    return mapped


def _frame(a: np.ndarray, dtype: Any = None) -> pd.DataFrame:
    frame = pd.DataFrame(a, columns=[f"c{i}" for i in range(a.shape[1])])
    return frame if dtype is None else frame.astype(dtype)


def _polars(a: np.ndarray) -> Any:
    import polars

    return polars.DataFrame({f"c{i}": column for i, column in enumerate(a.T)})


def _large_csr(a: np.ndarray) -> Any:
    m = sparse.csr_array(a)
    m.indices, m.indptr = m.indices.astype(np.int64), m.indptr.astype(np.int64)
    return m


def _explicit_zeros(a: np.ndarray) -> Any:
    row, column = np.indices(a.shape)
    return sparse.coo_array((a.ravel(), (row.ravel(), column.ravel())), shape=a.shape)


ANY_SHAPE = {
    "list": lambda a: a.tolist(),
    "object": lambda a: a.astype(object),
    "fortran": np.asfortranarray,
    "strided": _strided,
    "read-only": _read_only,
    "memory map": _mapped,
    "masked, no mask": lambda a: np.ma.masked_array(a),
    "masked, false mask": lambda a: np.ma.masked_array(a, np.zeros(a.shape, bool)),
}
TABLES = {
    "frame": _frame,
    "nullable": lambda a: _frame(a, "Float64"),
    "arrow": lambda a: _frame(a, "double[pyarrow]"),
    "frame of objects": lambda a: _frame(a, object),
    "polars": _polars,
}
SPARSE = {
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "csr matrix": sparse.csr_matrix,
    "csr of int64 indices": _large_csr,
    "explicit zeros": _explicit_zeros,
}
VECTORS = {
    **ANY_SHAPE,
    "series": pd.Series,
    "nullable": lambda a: pd.Series(a).astype("Float64" if a.dtype.kind == "f" else "Int64"),
    "arrow": lambda a: pd.Series(a).astype(
        "double[pyarrow]" if a.dtype.kind == "f" else "int64[pyarrow]"
    ),
    "polars": lambda a: __import__("polars").Series(a),
}


def _put(a: np.ndarray, value: Any, dtype: Any = object) -> np.ndarray:
    a = a.astype(dtype)
    a[(1, *[0] * (a.ndim - 1))] = value
    return a


def _one_masked(a: np.ndarray) -> Any:
    mask = np.zeros(a.shape, bool)
    mask[(1, *[0] * (a.ndim - 1))] = True
    return np.ma.masked_array(a, mask)


def _dates(a: np.ndarray) -> np.ndarray:
    return _put(np.zeros(a.shape, "M8[s]") + np.arange(len(a)).reshape(-1, *[1] * (a.ndim - 1)),
                np.datetime64("NaT"), "M8[s]")  # fmt: skip


# what no container may bring in; NaN-like values are allowed in X where they mean "missing"
POISONS = {
    "masked": _one_masked,
    "NaT": _dates,
    "NaT among objects": lambda a: _put(a, np.datetime64("NaT")),
    "complex": lambda a: a.astype(complex) + 1j,
    "complex among objects": lambda a: _put(a, np.complex128(1j)),
    "infinity": lambda a: _put(a, np.inf, float),
    "infinity among objects": lambda a: _put(a, np.inf),
    "-infinity among objects": lambda a: _put(a, -np.inf),
}
MISSING = {
    "NaN": lambda a: _put(a, np.nan, float),
    "None": lambda a: _put(a, None),
    "NaN among objects": lambda a: _put(a, np.nan),
}
MISSING_IN_VECTORS = {
    "NA": lambda a: pd.Series(_put(a, None)).astype("Float64"),
    "NA of Arrow": lambda a: pd.Series(_put(a, None)).astype("double[pyarrow]"),
    "null of polars": lambda a: __import__("polars").Series(_put(a, None).tolist()),
    "pd.NA among objects": lambda a: _put(a, pd.NA),
    "pd.NaT among objects": lambda a: _put(a, pd.NaT),
}
