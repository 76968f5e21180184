"""Rows of Parquet files, one row group in memory at a time."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ._lazy import LazyRows

__all__ = ["ParquetRows", "parquet_rows"]


class ParquetRows(LazyRows):
    """Rows of Parquet files: each row group is a part; see `parquet_rows`.

    Attributes
    ----------
    paths : list of str
    columns : list of str
        In the order in which they are read.
    groups : list of (path, number)
        The row groups, in order.
    n_rows : int
        Rows of all files, which their footers say.
    """

    def __init__(self, paths: Sequence[str], columns: Sequence[str], one: bool = False):
        self.paths, self.columns, self.one = list(paths), list(columns), one

    @cached_property
    def groups(self) -> list[tuple[str, int]]:
        """Path and number of each row group."""
        return [(path, i) for path in self.paths for i in range(_footer(path).num_row_groups)]

    @property
    def n_parts(self) -> int:  # type: ignore[override]
        """Row groups of all files."""
        return len(self.groups)

    @property
    def n_rows(self) -> int:
        """Rows of all files."""
        return sum(int(_footer(path).num_rows) for path in self.paths)

    @property
    def names(self) -> list[str]:
        """All columns of the files."""
        return list(_open(self.paths[0]).schema_arrow.names)

    def name(self, number: int) -> str:
        """File and row group."""
        path, group = self.groups[number]
        return f"{path}, row group {group}"

    def read(self, number: int) -> Any:
        """Read a row group: a table, or a column where one was asked for."""
        path, group = self.groups[number]
        file = _open(path)
        missing = [name for name in self.columns if name not in file.schema_arrow.names]
        if missing:
            raise ValueError(f"{self.name(number)}: there is no column {missing[0]!r}")
        table = file.read_row_group(group, columns=self.columns, use_threads=True)
        frame = table.to_pandas()[self.columns]
        return frame[self.columns[0]] if self.one else frame

    def sample(self) -> Any:
        """The columns and types, without rows."""
        schema = _open(self.paths[0]).schema_arrow
        frame = schema.empty_table().to_pandas()[self.columns]
        return frame[self.columns[0]] if self.one else frame

    def __getitem__(self, names: str | list[str]) -> Self:
        """One column (as targets and weights are), or some columns, of the same rows."""
        wanted = [names] if isinstance(names, str) else list(names)
        known = _open(self.paths[0]).schema_arrow.names
        for name in wanted:
            if name not in known:
                raise KeyError(f"there is no column {name!r}; there are {', '.join(known)}")
        return type(self)(self.paths, wanted, isinstance(names, str))

    def __repr__(self) -> str:
        return f"<{len(self.columns)} columns of {len(self.paths)} Parquet files>"


def _open(path: str) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, memory_map=False)


def _footer(path: str) -> Any:
    return _open(path).metadata


def parquet_rows(
    paths: str | Path | Iterable[str | Path], columns: Sequence[str] | None = None
) -> ParquetRows:
    """Return rows of Parquet files that are read as a fit or a prediction asks for them.

    Every pass of a fit reads the row groups one after the other, so memory holds one of them at
    a time, in the data's precision; no cluster is needed. Files are taken in the order of their
    names.

    Parameters
    ----------
    paths : str, Path or iterable of these
        Files, folders, or patterns such as ``"data/part-*.parquet"``.
    columns : sequence of str, optional
        What to read; all columns that hold numbers by default.

    Returns
    -------
    ParquetRows
        ``rows["price"]`` is a column of the same rows, for `y` and `sample_weight`;
        ``rows[["a", "b"]]`` are some columns. ``rows.blocks()`` walks the row groups as tables.
        What `predict` and `transform` return for such rows is computed as it is read, too:
        walk it by ``blocks()``, or put it into memory by `numpy.asarray`.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    KeyError
        If a column is not there.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from pathlib import Path
    >>> from kiso.datasets import parquet_rows
    >>> from kiso.linear_model import LinearRegression
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i in range(3):
    ...     part = pd.DataFrame({"x": [i, i + 0.5], "y": [2.0 * i, 2.0 * i + 1]})
    ...     part.to_parquet(folder / f"part-{i}.parquet")
    >>> rows = parquet_rows(folder / "part-*.parquet", columns=["x"])
    >>> model = LinearRegression().fit(rows, rows["y"])
    >>> model.coef_.round(6)
    array([2.])
    >>> import numpy as np
    >>> np.asarray(model.predict(rows)).round(6)
    array([0., 1., 2., 3., 4., 5.])
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found = [path for one in given for path in _files(str(one))]
    if not found:
        raise FileNotFoundError(f"there is no Parquet file {', '.join(map(str, given))}")
    schema = _open(found[0]).schema_arrow
    rows = ParquetRows(found, schema.names)
    if columns is not None:
        return rows[list(columns)]
    types = schema.empty_table().to_pandas().dtypes
    numbers = [str(name) for name, dtype in types.items() if getattr(dtype, "kind", "O") in "biuf"]
    if not numbers:
        raise ValueError(f"{found[0]} has no column of numbers: {', '.join(schema.names)}")
    return rows[numbers]


def _files(pattern: str) -> list[str]:
    path = Path(pattern)
    if path.is_dir():
        return sorted(map(str, path.glob("*.parquet")))
    if path.is_file():
        return [pattern]
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  it may be absolute
