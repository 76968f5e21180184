"""Which method fits this table, how surely, at what cost, and why."""

from ._columns import classify_columns, feature_names, make_pipeline_for, make_preparation
from ._dates import DateParts
from ._result import (
    SCHEMA,
    Column,
    Comparison,
    Curve,
    Data,
    Diagnostics,
    Difference,
    Model,
    Protocol,
    Weight,
)
from ._table import Table, find_column, read_table, table_from
from ._task import Problem, pose
from ._text import DataError

__all__ = [
    "SCHEMA",
    "Column",
    "Comparison",
    "Curve",
    "Data",
    "DataError",
    "DateParts",
    "Diagnostics",
    "Difference",
    "Model",
    "Problem",
    "Protocol",
    "Table",
    "Weight",
    "classify_columns",
    "feature_names",
    "find_column",
    "make_pipeline_for",
    "make_preparation",
    "pose",
    "read_table",
    "table_from",
]
