"""Self-contained HTML pages from results, and the pictures on them."""

from . import _words as words
from ._clusters import write_clusters
from ._comparison import write_comparison
from ._experiments import (
    STATUS_SIGNS,
    ExperimentResult,
    ExperimentStatus,
    experiments_to_dict,
    measured,
    prepare_folder,
    status_of,
    status_words,
    verdict_words,
    write_experiments,
)
from ._files import check_writable
from .figures._style import house_style

__all__ = [
    "STATUS_SIGNS",
    "ExperimentResult",
    "ExperimentStatus",
    "check_writable",
    "experiments_to_dict",
    "house_style",
    "measured",
    "prepare_folder",
    "status_of",
    "status_words",
    "verdict_words",
    "words",
    "write_clusters",
    "write_comparison",
    "write_experiments",
]
