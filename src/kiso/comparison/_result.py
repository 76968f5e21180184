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
class Finding:
    """Something about a table that would mislead, and the option that mends it."""

    kind: str  # "groups", "time", "sentinel", "total", "leak", "imbalance", "rare"
    message: str  # a sentence
    remedy: str = ""  # "--groups patient"
    columns: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)  # of the table, from 0


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
    findings: list[Finding] = field(default_factory=list)  # warnings, each with its remedy


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
    splitting: str = "random"  # "random", "groups" or "time"
    split_columns: list[str] = field(default_factory=list)  # of the groups, or of the time
    gap: int = 0  # times between the last training row and the first test row
    metric_reason: str = ""  # why the metric is not the task's usual one
    also: list[str] = field(default_factory=list)  # labels of further metrics
    weights: str = ""  # column that says how much each row counts
    calibrate: str = ""  # how probabilities were calibrated: "sigmoid", "isotonic"
    cost: str = ""  # of a false positive and a false negative, "1:10"
    sample_rows: int = 0  # rows that the models were ranked on; 0 for all


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
class Dependence:
    """How the mean prediction changes with one column (partial dependence)."""

    column: str
    kind: str  # "number", "date" (seconds since 1970) or "category"
    at: list[Any]  # values of the column
    mean: list[list[float]]  # (values, outputs): mean prediction, or probability of each class
    of: list[str]  # the classes; empty for regression


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
    dependence: list[Dependence] = field(default_factory=list)  # of the strongest columns


@dataclass
class Importance:
    """How much a model's held-out score falls when a column is shuffled."""

    column: str
    mean: float
    spread: float  # standard deviation over the shuffles


@dataclass
class Choice:
    """From which probability on a row is called a case, and what mistakes then cost.

    Costs are means over held-out rows, each measured with a threshold chosen on other folds.
    """

    positive: str  # the class that is the case
    false_positive: float  # cost of calling what is none
    false_negative: float  # cost of missing one
    threshold: float  # chosen by all held-out rows
    cost: float  # of a row
    cost_at_half: float  # where the threshold is 0.5
    cost_never: float  # where no row is called a case
    cost_always: float  # where all are
    caught: float  # share of the cases that the threshold calls
    called: float  # share of all rows


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
    settings: list[dict[str, Any]] = field(default_factory=list)  # all that each fold's model took
    final_settings: dict[str, Any] = field(default_factory=dict)  # for a fit on all rows
    sparse: bool = False  # whether it was given sparse features
    fit_seconds: list[float] = field(default_factory=list)  # search and refit, one a fold
    predict_seconds: list[float] = field(default_factory=list)  # whole test fold
    memory_bytes: int | None = None  # peak that the fit added
    n_parameters: int | None = None
    n_fits: int = 0
    refit_seconds: list[float] = field(default_factory=list)  # of these the fit alone
    importances: list[Importance] = field(default_factory=list)  # largest first
    other_scores: dict[str, list[float]] = field(default_factory=dict)  # of further metrics
    members: list[str] = field(default_factory=list)  # of an ensemble
    leads: bool = False  # whether an ensemble is surely better than the best model alone
    choice: Choice | None = None  # threshold, where costs were given
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
class Whole:
    """The winner of a sample, on all rows."""

    train_rows: int
    test_rows: int
    score: float
    fit_seconds: float


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
    whole: Whole | None = None  # the best model on all rows, where it was chosen on a sample
    fit_command: str = ""  # the command that fits the best model and writes it to a file

    @property
    def ranked(self) -> list[Model]:
        """The models with enough folds to be ranked, in order; see `enough_folds`."""
        return [model for model in self.models if counts(model, self.models, self.protocol)]

    @property
    def best(self) -> Model | None:
        """The first of the ranked models; None where only the baseline was fast enough.

        An ensemble stands last, and is the best only where it is surely better than one model.
        """
        ranked = self.ranked
        leader = next((model for model in ranked if model.leads), None)
        return leader or next((model for model in ranked if not model.members), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready data under a versioned schema; NaN becomes None."""
        return {"schema": SCHEMA, **plain(dataclasses.asdict(self))}


def enough_folds(models: list[Model], protocol: Protocol) -> int:
    """Return how many folds a model needs to be ranked: those of one repeat.

    Where time was too short for that, as many as the furthest model but the baseline has.
    """
    one_repeat = min(len(protocol.fold_sizes), max(2, protocol.n_folds))
    furthest = max((len(m.scores) for m in models if not m.baseline), default=0)
    return max(1, min(one_repeat, furthest)) if furthest else max(1, one_repeat)


def counts(model: Model, models: list[Model], protocol: Protocol) -> bool:
    """Whether a model is ranked.

    The baseline alone is no result where others only lacked the time.
    """
    begun = any(m.scores and not m.baseline for m in models)
    waiting = any(m.status in ("out of budget", "interrupted") for m in models if not m.baseline)
    if model.baseline and waiting and not begun:
        return False
    if model.status == "done":
        return True
    return model.status not in ("failed", "skipped") and len(model.scores) >= enough_folds(
        models, protocol
    )


def levelled(models: list[Model]) -> dict[str, float]:
    """Return each model's mean score, as if it had been through all folds that any has.

    A model with fewer folds is compared on those it has: its mean is that of the model with
    most folds, less the mean difference on the folds they share. So easy or hard folds at the
    beginning make it no better or worse.
    """
    scored = [m for m in models if m.scores]
    if not scored:
        return {}
    reference = max(scored, key=lambda m: len(m.scores))
    found = {}
    for model in scored:
        n = len(model.scores)
        behind = np.mean(reference.scores[:n]) - np.mean(model.scores)
        found[model.name] = float(np.mean(reference.scores) - behind)
    return found


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
