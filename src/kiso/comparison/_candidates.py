"""The estimators that `compare` tries: one line of the registry each, imported when tried.

A new family adds its lines here and nothing else. Grids are small, and in order from the
simplest fit to the most pliable: of equal scores the first wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from ._columns import has_text, width
from ._result import Column, Task
from ._table import nearest
from ._text import DataError

__all__ = [
    "CANDIDATES",
    "Candidate",
    "candidates_for",
    "choose",
    "find_candidate",
    "goes_sparse",
]

DENSE_BYTES = 1 << 28  # features that would be larger go sparse where a model takes that


@dataclass(frozen=True)
class Candidate:
    """An estimator, its grid, and when it is suitable.

    Attributes
    ----------
    name : str
        Short name, unique within a task: what `--models` and `kiso fit` take.
    task : "classification" or "regression"
    path : str
        Module and class, "kiso.linear_model:Ridge".
    description : str
        In one sentence, what kind of function it fits.
    grid : mapping
        Parameter -> values to search inside the training fold.
    params : mapping
        Parameters that are set and not searched.
    seeded : bool
        Whether it takes `random_state`.
    sparse : bool
        Whether it takes sparse features.
    counted : tuple of str
        Fitted attributes whose sizes add up to the number of parameters.
    keeps_rows : bool
        Whether it predicts from the training rows themselves: they are its parameters.
    objective : str
        What `objective_path_` holds, for people; "" if its fit is one step.
    unsuitable : callable
        `(n_rows, n_features)` -> why it is skipped, "" if it is not.
    in_target_units : tuple of str
        Parameters whose values, here and in the grid, count in standard deviations of the
        target: for an estimator that is no use where they do not fit the target's scale.
    cost : float
        About how long a fold takes beside those of the others: cheap models go first until
        the first fold has measured it.
    baseline : bool
    """

    name: str
    task: Task
    path: str
    description: str
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    seeded: bool = False
    sparse: bool = True
    counted: tuple[str, ...] = ("coef_", "intercept_")
    keeps_rows: bool = False
    objective: str = ""
    unsuitable: Callable[[int, int], str] = lambda n_rows, n_features: ""
    in_target_units: tuple[str, ...] = ()
    cost: float = 1.0
    baseline: bool = False

    @property
    def class_name(self) -> str:
        """Name of the estimator's class."""
        return self.path.partition(":")[2]

    def make(self, params: Mapping[str, Any] | None = None, seed: int = 0) -> Any:
        """Return a new estimator with these parameters on top of the candidate's own."""
        module, _, name = self.path.partition(":")
        settings = {**self.params, **(params or {})}
        if self.seeded:
            settings["random_state"] = seed
        return getattr(import_module(module), name)(**settings)

    def scaled(self, params: Mapping[str, Any], y: Any) -> dict[str, Any]:
        """Return these parameters, and the candidate's own that need it, on the target's scale."""
        own = {name: self.params[name] for name in self.in_target_units if name in self.params}
        settings = {**own, **params}
        spread = float(np.std(y)) if self.in_target_units else 1.0
        for name in self.in_target_units:
            if name in settings and 0 < spread < np.inf:
                settings[name] = settings[name] * spread
        return settings


def _times(ratio: float) -> str:
    """Return "more than", "about twice" or "about 7 times"."""
    whole = round(ratio)
    return "more than" if whole < 2 else "about twice" if whole == 2 else f"about {whole:,} times"


_LOCAL_WORK = 2e10  # multiplications that a fit and its predictions may take


def _too_local(n_rows: int, n_features: int) -> str:
    """LWR solves (features + 1)² equations for each query, of which leave-one-out has 26,000."""
    queries = 26 * min(n_rows, 1000) + 1.2 * n_rows
    work = queries * n_rows * (n_features + 1.0) ** 2
    if work <= _LOCAL_WORK:
        return ""
    return (
        f"it fits a model around each query: {n_rows:,} rows of {n_features} features are "
        f"{_times(work / _LOCAL_WORK)} the work that compare allows"
    )


_NEIGHBOR_WORK = 2e11  # multiplications of all rows with each other
_MOST_NEIGHBORS = 25


def _too_crowded(n_rows: int, n_features: int) -> str:
    """k-NN measures each row against every other; and a training fold has to hold k rows."""
    if n_rows < 2 * _MOST_NEIGHBORS:
        return f"it tries up to {_MOST_NEIGHBORS} neighbours: {n_rows:,} rows are too few"
    work = float(n_rows) ** 2 * n_features
    if work <= _NEIGHBOR_WORK:
        return ""
    return (
        f"it measures each row against every other: {n_rows:,} rows of {n_features} features are "
        f"{_times(work / _NEIGHBOR_WORK)} the work that compare allows"
    )


def _too_many_rows(n_rows: int, n_features: int) -> str:
    """An iteration goes through all rows, and there are 50 iterations in each of some 100 fits."""
    if n_rows <= 100_000:
        return ""
    return f"it goes 50 times through {n_rows:,} rows in each of its fits"


_MOST_KERNEL_ROWS = 10_000


def _too_many_pairs(n_rows: int, n_features: int) -> str:
    """A kernel machine compares a good part of all pairs of rows, in each of some 100 fits."""
    if n_rows <= _MOST_KERNEL_ROWS:
        return ""
    return (
        f"it compares rows in pairs: {n_rows:,} rows are more than the {_MOST_KERNEL_ROWS:,} "
        "that compare allows"
    )


_MOST_FOREST_VALUES = 3_000_000


def _too_many_values(n_rows: int, n_features: int) -> str:
    """100 trees look at each value some 20 times (no grid: a forest hardly needs tuning)."""
    if n_rows * n_features <= _MOST_FOREST_VALUES:
        return ""
    return (
        f"it looks at every value in 100 trees: {n_rows:,} rows of {n_features} features are more "
        f"than the {_MOST_FOREST_VALUES:,} values that compare allows"
    )


_MOST_BOOSTED_VALUES = 60_000_000


def _too_many_for_boosting(n_rows: int, n_features: int) -> str:
    """Each of 100 trees (and each class) goes through the values' bins a few times."""
    if n_rows * n_features <= _MOST_BOOSTED_VALUES:
        return ""
    return (
        f"it goes through every value in 100 trees: {n_rows:,} rows of {n_features} features are "
        f"more than the {_MOST_BOOSTED_VALUES:,} values that compare allows"
    )


CANDIDATES: tuple[Candidate, ...] = (
    Candidate(
        "baseline",
        "classification",
        "sklearn.dummy:DummyClassifier",
        "Always predicts the most frequent class, whatever the row.",
        params={"strategy": "prior"},
        counted=("class_prior_",),
        baseline=True,
        cost=0.0,
    ),
    Candidate(
        "logistic",
        "classification",
        "kiso.linear_model:LogisticRegression",
        "Probabilities from a weighted sum of the features; planes between the classes.",
        grid={"C": [0.01, 0.1, 1.0, 10.0]},
        objective="mean log loss and penalty",
        cost=2.0,
    ),
    Candidate(
        "perceptron",
        "classification",
        "kiso.linear_model:Perceptron",
        "Rosenblatt's rule: moves a plane whenever it is on the wrong side of a row.",
        grid={"average": [False, True]},
        seeded=True,
        objective="mean perceptron loss of an epoch",
        cost=2.0,
    ),
    Candidate(
        "sgd",
        "classification",
        "kiso.linear_model:SGDClassifier",
        "Logistic regression or a linear SVM, learnt one row at a time.",
        grid={"loss": ["log_loss", "hinge"], "alpha": [1e-2, 1e-3, 1e-4]},
        seeded=True,
        objective="mean loss and penalty of an epoch",
        cost=2.0,
    ),
    Candidate(
        "neighbors",
        "classification",
        "kiso.neighbors:KNeighborsClassifier",
        "The vote of the training rows that are nearest.",
        grid={"n_neighbors": [_MOST_NEIGHBORS, 10, 5, 1]},
        keeps_rows=True,
        unsuitable=_too_crowded,
        cost=3.0,
    ),
    Candidate(
        "baseline",
        "regression",
        "sklearn.dummy:DummyRegressor",
        "Always predicts the mean, whatever the row.",
        params={"strategy": "mean"},
        counted=("constant_",),
        baseline=True,
        cost=0.0,
    ),
    Candidate(
        "linear",
        "regression",
        "kiso.linear_model:LinearRegression",
        "A weighted sum of the features, by least squares.",
        sparse=False,
    ),
    Candidate(
        "ridge",
        "regression",
        "kiso.linear_model:Ridge",
        "Least squares that keeps the weights small.",
        grid={"alpha": [1000.0, 100.0, 10.0, 1.0, 0.1]},
    ),
    Candidate(
        "bayes",
        "regression",
        "kiso.linear_model:BayesianLinearRegression",
        "A distribution over weighted sums; how small the weights are, the data decide.",
        params={"optimize_prior": True},
        sparse=False,
        objective="minus log evidence",
    ),
    Candidate(
        "local",
        "regression",
        "kiso.linear_model:LocallyWeightedRegression",
        "A plane fitted afresh around each query, by the rows near it.",
        seeded=True,
        sparse=False,
        keeps_rows=True,
        unsuitable=_too_local,
        cost=8.0,
    ),
    Candidate(
        "neighbors",
        "regression",
        "kiso.neighbors:KNeighborsRegressor",
        "The mean of the training rows that are nearest.",
        grid={"n_neighbors": [_MOST_NEIGHBORS, 10, 5, 1]},
        keeps_rows=True,
        unsuitable=_too_crowded,
        cost=3.0,
    ),
    Candidate(
        "sgd",
        "regression",
        "kiso.linear_model:SGDRegressor",
        "Least squares, learnt one row at a time.",
        grid={"alpha": [1e-2, 1e-3, 1e-4]},
        seeded=True,
        objective="mean loss and penalty of an epoch",
        cost=2.0,
    ),
    Candidate(
        "mlp",
        "classification",
        "kiso.neural_network:MLPClassifier",
        "A neural network with 10 hidden units; curved boundaries.",
        grid={"alpha": [30.0, 0.3]},
        params={
            "hidden_layer_sizes": (10,),
            "activation": "tanh",
            "solver": "lbfgs",
            "max_iter": 50,
        },
        seeded=True,
        sparse=False,
        counted=("parameters_",),
        objective="mean loss and penalty",
        unsuitable=_too_many_rows,
        cost=7.0,
    ),
    Candidate(
        "mlp",
        "regression",
        "kiso.neural_network:MLPRegressor",
        "A neural network with 10 hidden units; smooth curved functions.",
        grid={"alpha": [30.0, 0.3]},
        params={
            "hidden_layer_sizes": (10,),
            "activation": "tanh",
            "solver": "lbfgs",
            "max_iter": 50,
        },
        seeded=True,
        sparse=False,
        counted=("parameters_",),
        objective="mean loss and penalty",
        unsuitable=_too_many_rows,
        cost=7.0,
    ),
    Candidate(
        "svm",
        "classification",
        "kiso.svm:SVC",
        "The widest margin between the classes, with boundaries bent by a Gaussian kernel.",
        grid={"C": [0.1, 1.0, 10.0]},
        counted=("dual_coef_", "intercept_"),
        keeps_rows=True,
        objective="minus the dual objective",
        unsuitable=_too_many_pairs,
        cost=6.0,
    ),
    Candidate(
        "svm",
        "regression",
        "kiso.svm:SVR",
        "A smooth function from a Gaussian kernel, inside a tube that costs nothing; C and "
        "epsilon in standard deviations of the target.",
        grid={"C": [0.1, 1.0, 10.0]},
        params={"epsilon": 0.1},
        in_target_units=("C", "epsilon"),
        counted=("dual_coef_", "intercept_"),
        keeps_rows=True,
        objective="minus the dual objective",
        unsuitable=_too_many_pairs,
        cost=6.0,
    ),
    Candidate(
        "linear-svm",
        "classification",
        "kiso.svm:LinearSVC",
        "The plane with the widest margin between the classes.",
        grid={"C": [0.01, 0.1, 1.0, 10.0]},
        seeded=True,
        objective="half the squared weights and C times the losses",
        cost=3.0,
    ),
    Candidate(
        "linear-svm",
        "regression",
        "kiso.svm:LinearSVR",
        "A weighted sum of the features that large errors pull less than in least squares; C in "
        "standard deviations of the target.",
        grid={"C": [0.01, 0.1, 1.0, 10.0]},
        in_target_units=("C",),
        seeded=True,
        objective="half the squared weights and C times the absolute errors",
        cost=3.0,
    ),
    Candidate(
        "forest",
        "classification",
        "kiso.ensemble:RandomForestClassifier",
        "The mean vote of 100 trees, each grown on a draw of the rows; steps, no curves.",
        seeded=True,
        sparse=False,
        counted=(),
        objective="mean impurity of the leaves",
        unsuitable=_too_many_values,
        cost=5.0,
    ),
    Candidate(
        "forest",
        "regression",
        "kiso.ensemble:RandomForestRegressor",
        "The mean of 100 trees, each grown on a draw of the rows; steps, no curves.",
        params={"max_features": 1 / 3},
        seeded=True,
        sparse=False,
        counted=(),
        objective="mean impurity of the leaves",
        unsuitable=_too_many_values,
        cost=5.0,
    ),
    Candidate(
        "boosting",
        "classification",
        "kiso.ensemble:HistGradientBoostingClassifier",
        "The sum of 100 small trees, each fitted to what those before it left; steps, no curves.",
        params={"early_stopping": False},
        seeded=True,
        sparse=False,
        counted=(),
        objective="mean loss",
        unsuitable=_too_many_for_boosting,
        cost=4.0,
    ),
    Candidate(
        "boosting",
        "regression",
        "kiso.ensemble:HistGradientBoostingRegressor",
        "The sum of 100 small trees, each fitted to what those before it left; steps, no curves.",
        params={"early_stopping": False},
        seeded=True,
        sparse=False,
        counted=(),
        objective="mean loss",
        unsuitable=_too_many_for_boosting,
        cost=4.0,
    ),
)


def candidates_for(task: Task) -> list[Candidate]:
    """Return the candidates for a task, the baseline first."""
    return [candidate for candidate in CANDIDATES if candidate.task == task]


def find_candidate(name: str, task: Task) -> Candidate:
    """Return the candidate of this name (short name or class name, in any case).

    Raises
    ------
    DataError
        If there is none for the task, with the nearest names.
    """
    found = candidates_for(task)
    wanted = name.strip().lower()
    for candidate in found:
        if wanted in (candidate.name, candidate.class_name.lower()):
            return candidate
    names = [candidate.name for candidate in found]
    for candidate in CANDIDATES:
        if wanted in (candidate.name, candidate.class_name.lower()):
            raise DataError(
                f"Model {name!r} is for {candidate.task}, and the task is {task}; "
                f"there is {', '.join(names)}."
            )
    near = nearest(wanted, names) or names
    raise DataError(f"There is no model {name!r} for {task}; there is {', '.join(near)}.")


def choose(task: Task, models: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[Candidate]:
    """Return the candidates to run: those named, or all but those excluded.

    The baseline is always among them: a score without it says little.
    """
    wanted = [find_candidate(name, task) for name in models]
    unwanted = [find_candidate(name, task) for name in exclude]
    found = candidates_for(task)
    if wanted:
        found = [c for c in found if c in wanted or c.baseline]
    found = [c for c in found if c not in unwanted]
    if not any(not c.baseline for c in found) and not any(c.baseline for c in wanted):
        raise DataError("No model is left to compare: name or keep at least one.")
    return found


def goes_sparse(candidate: Candidate, columns: Sequence[Column], n_rows: int) -> bool:
    """Whether a model is given sparse features: for texts, and where dense ones would be large."""
    large = 8 * width(columns) * n_rows > DENSE_BYTES
    return candidate.sparse and not candidate.baseline and (large or has_text(columns))
