"""Which method fits this table, how surely, at what cost, and why."""

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

__all__ = [
    "SCHEMA",
    "Column",
    "Comparison",
    "Curve",
    "Data",
    "Diagnostics",
    "Difference",
    "Model",
    "Protocol",
    "Weight",
]
