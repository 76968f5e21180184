"""Rows that stay where they are: read, converted and mapped a block at a time.

A memory map may be larger than memory, and rows that take much of it leave no room for
another copy. What searches ask of their rows is a block at a time, so only a block is made
float, put into C order and mapped for the metric; what is kept is the array as it was given.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._compute.threads import block_rows, blocks
from kiso._gate import check_array
from kiso._validation import FLOATS, Array

from ._metrics import Metric

__all__ = ["HeldRows", "hold", "stays"]

_SHARE = 0.25  # of the machine's memory: larger arrays are not copied
_READ = 1 << 22  # bytes that are checked at once


@dataclass(frozen=True)
class HeldRows:
    """Rows of a 2-D array; a slice of them is a new C-contiguous array of floats.

    Attributes
    ----------
    source : ndarray of shape (n, d)
        The array as it was given: of any order and any type of numbers.
    metric : Metric, optional
        What rows are mapped for.
    queries : bool
        Whether they are mapped as queries.
    """

    source: Array
    metric: Metric | None = None
    queries: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows that are handed out: float32 stays, everything else is float64.

        Some metrics map both to another type.
        """
        return np.dtype(self._raw if self.metric is None else self.metric.dtype(self._raw))

    @property
    def _raw(self) -> Any:
        return np.dtype(np.float32 if self.source.dtype == np.float32 else np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and features after mapping."""
        n, d = self.source.shape
        return n, d if self.metric is None else self.metric.width(d)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: Any) -> Array:
        block = np.array(self.source[rows], dtype=self._raw, order="C")
        if self.metric is None:
            return block
        return np.ascontiguousarray(self.metric.mapped(block, queries=self.queries))

    def mapped(self, metric: Metric, *, queries: bool) -> HeldRows:
        """Give the same rows where the metric's reduced distance is."""
        return HeldRows(self.source, metric, queries)


def stays(X: Any) -> bool:
    """Whether X is a memory map or takes a quarter of memory: it is not to be copied."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.size == 0 or X.dtype.kind not in "fiub":
        return False
    if X.dtype.itemsize > 8:  # longer floats than any search works with
        return False
    return isinstance(X, np.memmap) or X.size * 8 > _SHARE * _memory()


def _memory() -> float:
    """Bytes of memory that the machine has; infinity where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return np.inf


def hold(X: Array, estimator: Any, *, finite: bool | str = True) -> HeldRows:
    """Refuse what `check_array` refuses, block by block, and keep the array itself."""
    rows = HeldRows(np.asarray(X))  # not the memmap class: views of it cost more
    size = block_rows(X.shape[1], 8, budget=_READ)
    for block in blocks(slice(0, len(X)), size):
        check_array(
            rows[block], dtype=FLOATS, estimator=estimator, input_name="X", ensure_all_finite=finite
        )
    return rows
