"""What a model file holds: a fitted pipeline and what it was fitted on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FittedModel:
    """A fitted pipeline with what `predict` has to know of the table it was fitted on.

    Attributes
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Takes a table with the columns below; its last step is the estimator.
    estimator : str
        Class name of the last step.
    task : {"classification", "regression"}
    target : str
        Name of the predicted column.
    columns : dict of str to str
        Name and kind of each column that the pipeline uses, in order.
    unused : list of str
        Columns that were there and are not used (constants, identifiers, free text).
    class_names : list of str
        Empty for regression.
    n_rows : int
        Rows that it was fitted on.
    notes : list of str
        What was said of the table when it was read.
    versions : dict of str to str
        Versions of kiso and of what it stands on, at the time of fitting.
    reading : dict
        How the file was read: encoding, decimal mark, codes for missing values, columns that
        are text and units. New files are read the same way.
    profile : dict
        Of each column, what it held in training: range and quantiles of numbers, shares of
        categories, share missing. New rows are compared with it.
    """

    pipeline: Any
    estimator: str
    task: str
    target: str
    columns: dict[str, str]
    unused: list[str] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)
    n_rows: int = 0
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
