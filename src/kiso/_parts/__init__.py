"""Rows that lie in parts: row groups of Parquet files, partitions of a Dask collection.

An iterative fit is map, merge, update. A solver asks its rows for a sum over all of them of
something small, `rows.sum_of(local, *small)`; where the rows lie and who computes is the
business of the rows.
"""

from ._estimator import TakesParts, lazily
from ._lazy import LazyRows
from ._rows import Part, Parts, RowsLostError, StreamedParts, add, is_parted, parts_of

__all__ = [
    "LazyRows",
    "Part",
    "Parts",
    "RowsLostError",
    "StreamedParts",
    "TakesParts",
    "add",
    "is_parted",
    "lazily",
    "parts_of",
]
