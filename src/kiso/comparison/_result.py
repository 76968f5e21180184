"""What `compare` finds: plain data, the one source of the table, the JSON and the report.

Every score says on which split it was measured and on how many rows. Scores are such that
greater is better; a metric that is an error is shown with its sign turned (`display`).
"""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

SCHEMA = "kiso.compare/1"

Task = Literal["classification", "regression"]
Status = Literal["done", "out of budget", "interrupted", "failed", "skipped"]


@dataclass
class Column:
    """A column of the table as the pipeline treats it."""

    name: str
    kind: str  # "number", "category", "date", "boolean", "constant", "identifier", "text"
    n_missing: int
    n_unique: int
    used: bool
    note: str = ""


@dataclass
class Data:
    """The table after reading: what came in and what was set aside."""

    name: str
    n_rows: int  # rows with a target: those that are used
    n_rows_read: int
    target: str
    columns: list[Column]
    class_names: list[str]  # empty for regression
    class_counts: list[int]
    notes: list[str] = field(default_factory=list)


@dataclass
class Protocol:
    """How the scores were measured; the same for every model."""

    task: Task
    task_reason: str  # why this task was inferred, or "given"
    metric: str  # scikit-learn's scorer name
    metric_label: str  # for people: "accuracy", "R²"
    n_folds: int
    n_repeats: int
    n_inner_folds: int
    fold_sizes: list[tuple[int, int]]  # (train rows, test rows) of each outer fold
    stratified: bool
    seed: int
    budget_seconds: float | None


@dataclass
class Difference:
    """Score difference to the best model: corrected resampled t-test (Nadeau & Bengio 2003)."""

    mean: float  # best minus this one, >= 0 but for rounding
    low: float  # 95 % interval
    high: float
    p_value: float


@dataclass
class Curve:
    """Learning curve of a model: scores against training rows."""

    train_rows: list[int]
    train_scores: list[float]  # mean over repeats, on the training rows themselves
    test_scores: list[float]  # mean over repeats, on a held-out fold
    test_rows: int
    verdict: str  # over- or under-fitting, in words


@dataclass
class Weight:
    """A coefficient of a linear model, in units of a standardised feature."""

    feature: str
    value: float
    of: str = ""  # class, where there are several


@dataclass
class Diagnostics:
    """What the pictures of a model show; held-out predictions only."""

    rows: list[int] = field(default_factory=list)  # row numbers of the table
    truth: list[Any] = field(default_factory=list)  # label or number, one a held-out row
    predicted: list[Any] = field(default_factory=list)
    probability: list[list[float]] = field(default_factory=list)  # (rows, classes), or empty
    curve: Curve | None = None
    objective: list[float] = field(default_factory=list)  # after each step of the final fit
    objective_label: str = ""
    weights: list[Weight] = field(default_factory=list)  # largest first


@dataclass
class Model:
    """One candidate and what came of it."""

    name: str  # short name: "logistic"
    estimator: str  # class name: "LogisticRegression"
    description: str  # one sentence: what kind of function it fits
    baseline: bool
    status: Status
    message: str = ""  # why it is not "done"; or warnings of its fits
    scores: list[float] = field(default_factory=list)  # one an outer fold, on its test rows
    train_scores: list[float] = field(default_factory=list)
    params: list[dict[str, Any]] = field(default_factory=list)  # chosen in each fold
    grid: dict[str, list[Any]] = field(default_factory=dict)
    fit_seconds: list[float] = field(default_factory=list)  # search and refit, one a fold
    predict_seconds: list[float] = field(default_factory=list)  # whole test fold
    memory_bytes: int | None = None  # peak that the fit added
    n_parameters: int | None = None
    n_fits: int = 0
    difference: Difference | None = None
    diagnostics: Diagnostics = field(default_factory=Diagnostics)

    @property
    def mean(self) -> float:
        """Mean score over the folds that finished; NaN for none."""
        return float(np.mean(self.scores)) if self.scores else float("nan")

    @property
    def spread(self) -> float:
        """Standard deviation over the folds (n − 1); NaN below two."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else float("nan")


@dataclass
class Comparison:
    """Everything that one run of `compare` found; models in order, best first."""

    data: Data
    protocol: Protocol
    models: list[Model]
    seconds: float
    complete: bool  # False after Ctrl-C or an exhausted budget
    versions: dict[str, str]
    interrupted: bool = False  # Ctrl-C
    conclusion: str = ""  # in words: which is best, how surely, at what cost

    @property
    def best(self) -> Model | None:
        """The model with the highest mean among those with a score on every fold."""
        done = [model for model in self.models if model.status == "done"]
        return done[0] if done else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready data under a versioned schema; NaN becomes None."""
        return {"schema": SCHEMA, **plain(dataclasses.asdict(self))}


def plain(value: Any) -> Any:
    """Return JSON-ready data; NaN and infinity become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def versions() -> dict[str, str]:
    """Return the versions of Python, kiso and what they stand on."""
    names = ("kiso", "numpy", "scipy", "scikit-learn", "pandas", "numba")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
