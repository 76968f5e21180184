"""Rows that are read part by part by this process, and what is computed from them lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._form import Form, columns_of, float_dtype

__all__ = ["LazyRows", "MappedRows", "lazy_form"]


class LazyRows:
    """Rows that come part by part; nothing is read until it is asked for.

    A subclass gives `n_parts`, `name(i)` and `read(i)`. `blocks()` walks the parts;
    `numpy.asarray(rows)` reads all of them into one array.
    """

    n_parts: int

    def name(self, number: int) -> str:
        """What errors call a part."""
        return f"part {number}"

    def read(self, number: int) -> Any:
        """Read one part: a table, a column or an array."""
        raise NotImplementedError

    def sample(self) -> Any:
        """Something that has the columns and types of the parts; it may have no rows."""
        return self.read(0)

    def blocks(self) -> Iterator[Any]:
        """Walk the parts in order."""
        for number in range(self.n_parts):
            yield self.read(number)

    def map(self, function: Callable[[Any], Any]) -> MappedRows:
        """What a function makes of each part, computed as it is read."""
        return MappedRows(self, function)

    def __iter__(self) -> Iterator[Any]:
        return self.blocks()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """All rows, in memory."""
        if copy is False:
            raise ValueError("rows that are read from files are copied into an array")
        whole = np.concatenate([np.asarray(block) for block in self.blocks()])
        return whole if dtype is None else whole.astype(dtype)


class MappedRows(LazyRows):
    """What a function makes of each part of other rows, computed as it is read."""

    def __init__(self, rows: LazyRows, function: Callable[[Any], Any]):
        self.rows, self.function, self.n_parts = rows, function, rows.n_parts

    def name(self, number: int) -> str:
        """What errors call a part."""
        return self.rows.name(number)

    def read(self, number: int) -> Any:
        """Compute one part."""
        return self.function(self.rows.read(number))

    def sample(self) -> Any:
        """What the function makes of a part."""
        return self.read(0)

    def __repr__(self) -> str:
        return f"<{self.n_parts} parts computed from {self.rows!r}>"


def lazy_form(X: LazyRows, y: Any, weight: Any, targets: str) -> Form:
    """Find what every part has to look like from the first."""
    for other, what in ((y, "y"), (weight, "sample_weight")):
        if other is None or (not isinstance(other, LazyRows) and np.ndim(other) == 0):
            continue
        if not isinstance(other, LazyRows):
            raise TypeError(
                f"{what} is {type(other).__name__}: give it in the same parts as X (a column of "
                "the same files: rows['name'])"
            )
        if other.n_parts != X.n_parts:
            raise ValueError(f"{what} has {other.n_parts} parts, X has {X.n_parts}")
    first = X.sample()
    sample = None if y is None else np.asarray(y.sample())
    table = hasattr(first, "columns")
    dtypes = tuple(first.dtypes) if table else (first.dtype,)
    return Form(
        n_features=int(first.shape[1]),
        columns=columns_of(first.columns) if table else None,
        dtypes=dtypes,
        dtype=float_dtype(dtypes),
        sparse=False,
        targets=targets,
        n_targets=0 if sample is None or sample.ndim == 1 else sample.shape[1],
        label_kind=label_kind(targets, None if sample is None else sample.dtype),
    )


def label_kind(targets: str, dtype: Any) -> str:
    """Whether labels are numbers or text."""
    if targets != "labels":
        return ""
    return "number" if getattr(dtype, "kind", "O") in "biuf" else "text"
