"""What in a table would mislead a comparison: a module for each kind of fault.

A detector takes data and returns what it found as data; it repairs nothing. `warnings_of` in
`_findings` turns what was found into sentences, each with the option that mends it.
"""

from ._groups import GroupColumn, names_someone, repeated_identifiers
from ._imbalance import rare_class
from ._leaks import Leak, giveaways
from ._sentinels import Sentinel, sentinels
from ._time import TimeColumn, times_in_order
from ._totals import TotalRow, total_rows

__all__ = [
    "GroupColumn",
    "Leak",
    "Sentinel",
    "TimeColumn",
    "TotalRow",
    "giveaways",
    "names_someone",
    "rare_class",
    "repeated_identifiers",
    "sentinels",
    "times_in_order",
    "total_rows",
]
