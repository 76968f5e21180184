"""Which method fits this table, how surely, at what cost, and why."""

from ._blend import BlendClassifier, BlendRegressor
from ._calibrated import CalibratedClassifier
from ._candidates import CANDIDATES, Candidate, candidates_for, find_candidate, goes_sparse
from ._clock import Watcher, budget_seconds
from ._clusters import CLUSTERS_SCHEMA, Cluster, Clustering, LoneRow, Trait, find_clusters
from ._column_types import MISSING_WORDS, plain_text
from ._columns import classify_columns, feature_names, make_pipeline_for, make_preparation
from ._compare import compare, load
from ._dates import DateParts, to_dates
from ._decisions import ColumnDecision, Decisions, Reading
from ._folds import outer_splits
from ._metrics import Metric, choose_metric
from ._numbers import parse_number
from ._pipelines import Calibrate, make_model, members_of, preparation_of
from ._result import (
    SCHEMA,
    Choice,
    Column,
    Comparison,
    Curve,
    Data,
    Dependence,
    Diagnostics,
    Difference,
    Finding,
    Importance,
    Model,
    Protocol,
    Task,
    Weight,
    Whole,
)
from ._sample import thinned
from ._script import script
from ._statistics import mean_interval
from ._table import Table, find_column, nearest, read_table, table_from
from ._task import Problem, pose
from ._text import DataError
from ._text_features import TextFeatures
from ._threshold import ThresholdClassifier

__all__ = [
    "CANDIDATES",
    "CLUSTERS_SCHEMA",
    "MISSING_WORDS",
    "SCHEMA",
    "BlendClassifier",
    "BlendRegressor",
    "Calibrate",
    "CalibratedClassifier",
    "Candidate",
    "Choice",
    "Cluster",
    "Clustering",
    "Column",
    "ColumnDecision",
    "Comparison",
    "Curve",
    "Data",
    "DataError",
    "DateParts",
    "Decisions",
    "Dependence",
    "Diagnostics",
    "Difference",
    "Finding",
    "Importance",
    "LoneRow",
    "Metric",
    "Model",
    "Problem",
    "Protocol",
    "Reading",
    "Table",
    "Task",
    "TextFeatures",
    "ThresholdClassifier",
    "Trait",
    "Watcher",
    "Weight",
    "Whole",
    "budget_seconds",
    "candidates_for",
    "choose_metric",
    "classify_columns",
    "compare",
    "feature_names",
    "find_candidate",
    "find_clusters",
    "find_column",
    "goes_sparse",
    "load",
    "make_model",
    "make_pipeline_for",
    "make_preparation",
    "mean_interval",
    "members_of",
    "nearest",
    "outer_splits",
    "parse_number",
    "plain_text",
    "pose",
    "preparation_of",
    "read_table",
    "script",
    "table_from",
    "thinned",
    "to_dates",
]
