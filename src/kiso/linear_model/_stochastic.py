"""Stochastic gradient descent on α R(w) + (1/n) Σ c_i ℓ(y_i, w·x_i + b), a row at a time.

R(w) = (1 − ρ) ½‖w‖² + ρ ‖w‖₁. The steps of one epoch are compiled (`_sgd_loops.epoch`);
here stands what happens between epochs: the order of rows, step lengths, and when to stop.
Several weight vectors (one class against the rest) are trained side by side on the same
order of rows, on threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np
from sklearn.utils.extmath import row_norms

from kiso._compute import costs
from kiso._compute.threads import lanes, run_lanes
from kiso._validation import Array
from kiso.base import State

from . import _sgd_loops as loops

LOSSES = {
    "hinge": loops.HINGE,
    "perceptron": loops.HINGE,
    "squared_hinge": loops.SQUARED_HINGE,
    "log_loss": loops.LOG,
    "modified_huber": loops.MODIFIED_HUBER,
    "squared_error": loops.SQUARED_ERROR,
    "huber": loops.HUBER,
    "epsilon_insensitive": loops.TUBE,
    "squared_epsilon_insensitive": loops.SQUARED_TUBE,
}
RATES = {
    "constant": loops.CONSTANT,
    "adaptive": loops.CONSTANT,  # changes between epochs
    "optimal": loops.OPTIMAL,
    "invscaling": loops.INVSCALING,
    "pa1": loops.PA1,
    "pa2": loops.PA2,
}
SPARSE_DECAY = 0.01  # share of a step that the intercept takes on sparse rows (Bottou)
_MIN_ETA = 1e-6  # adaptive: below it the fit ends instead of dividing η once more

Score = Callable[[int, Array, float], float]


@dataclass(frozen=True, kw_only=True)
class SGDState(State):
    """Where stochastic gradient descent stands after an epoch.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, n_features)
        Weights as predictions use them: the means, where averaging has begun.
    intercept : ndarray of shape (n_outputs,)
    last_coef, last_intercept : ndarray
        Weights as the last step left them.
    mean_coef, mean_intercept : ndarray or None
        Their means over the steps since averaging began; None without averaging.
    eta : float
        Step length of the last step, largest over the outputs (0 where a rule decides).
    n_updates : ndarray of shape (n_outputs,)
        Steps of this epoch whose loss moved the weights: the perceptron's mistakes.
    validation_score : float or None
        With early stopping, the mean score of the outputs on the rows set aside.
    rule_state : object
        What an update rule of `kiso.optim` remembers, where there is one.
    """

    coef: Array
    intercept: Array
    last_coef: Array
    last_intercept: Array
    mean_coef: Array | None
    mean_intercept: Array | None
    eta: float
    n_updates: Array
    validation_score: float | None = None
    rule_state: Any = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the estimator was told, as numbers; names as in scikit-learn."""

    loss: str
    epsilon: float
    penalty: str | None
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    learning_rate: str
    eta0: float
    power_t: float
    average: int
    max_iter: int
    tol: float | None
    n_iter_no_change: int
    shuffle: bool
    stop_when_still: bool = False  # an epoch without an update ends the fit

    @property
    def rho(self) -> float:
        """ρ, the share of L1."""
        return {"l1": 1.0, "elasticnet": self.l1_ratio}.get(str(self.penalty), 0.0)

    @property
    def l1(self) -> float:
        return self.alpha * self.rho

    @property
    def l2(self) -> float:
        return 0.0 if self.penalty is None else self.alpha * (1.0 - self.rho)

    @property
    def shape(self) -> float:
        """The number inside a loss: margin of a hinge, width of a parabola or tube."""
        return {"hinge": 1.0, "squared_hinge": 1.0, "modified_huber": 1.0, "perceptron": 0.0}.get(
            self.loss, self.epsilon
        )

    @property
    def t0(self) -> float:
        """Bottou's start of the 'optimal' rate: the first η is (1/√α)^½, a typical weight."""
        typical_weight = sqrt(1.0 / sqrt(self.alpha)) if self.alpha > 0 else inf
        return 1.0 / (typical_weight * self.alpha) if self.alpha > 0 else inf


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a fit starts: zeros, given weights, or what an earlier fit left."""

    coef: Array
    intercept: Array
    mean_coef: Array | None
    mean_intercept: Array | None
    t: float = 1.0


@dataclass(frozen=True)
class Rows:
    """The rows as the compiled epoch wants them."""

    X: Array
    data: Array
    indices: Array
    indptr: Array
    dense: bool

    @classmethod
    def of(cls, X: Any) -> Rows:
        """Wrap a C-contiguous array or a CSR matrix, without a copy of its values."""
        none = np.zeros(1, dtype=np.int32)
        if isinstance(X, np.ndarray):
            return cls(X, np.zeros(1, X.dtype), none, none, True)
        data = X.data if X.nnz else np.zeros(1, X.dtype)
        narrow = max(X.nnz, X.shape[1]) <= np.iinfo(np.int32).max
        index = np.int32 if narrow else np.int64
        indices = X.indices.astype(index, copy=False) if X.nnz else none
        return cls(
            np.zeros((1, 1), X.dtype), data, indices, X.indptr.astype(index, copy=False), False
        )


@dataclass(frozen=True)
class Targets:
    """What each weight vector learns: numbers, or one class (1) against the others (−1).

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Numbers of X's dtype, or class numbers.
    weight : ndarray of shape (n_samples,), or of size 0
        Weights of the samples; none for all 1.
    classes : tuple of int
        The class of each output; empty for regression.
    class_weight : ndarray of shape (n_outputs, 2), or None
        What samples of the others, and of the class, are multiplied with.
    """

    y: Array
    weight: Array
    classes: tuple[int, ...] = ()
    class_weight: Array | None = None

    def of(self, output: int) -> tuple[Array, Array]:
        """Targets and weights (of size 0 for all 1) of one output."""
        return self.at(slice(None), output)

    def at(self, rows: Any, output: int) -> tuple[Array, Array]:
        """The same for some rows."""
        dtype = self.weight.dtype
        weight = self.weight[rows] if self.weight.size else self.weight
        if not self.classes:
            return self.y[rows], weight
        member = self.y[rows] == self.classes[output]
        if self.class_weight is not None:
            of_class = self.class_weight[output].astype(dtype)[member.astype(np.intp)]
            weight = weight * of_class if weight.size else of_class
        signs = member.astype(dtype)
        signs *= 2
        signs -= 1
        return signs, weight


@dataclass
class Progress:
    """When to stop: scikit-learn's rule on the objective, or on a validation score."""

    tol: float | None
    patience: int
    best: float = inf
    idle: int = 0

    def idle_after(self, cost: float) -> bool:
        """Note the cost of an epoch; True after `patience` epochs without a gain of tol."""
        too_little = self.tol is not None and cost > self.best - self.tol
        self.idle = self.idle + 1 if too_little else 0
        self.best = min(self.best, cost)
        return self.idle >= self.patience


@dataclass
class Machine:
    """One weight vector in training."""

    number: int
    v: Array
    b: float
    z: Array  # running sum of the weights, of size 0 without averaging
    mean_b: float
    q: Array
    t: float
    eta: float
    progress: Progress
    u: float = 0.0
    objective: float = inf
    score: float | None = None
    n_updates: int = 0
    done: bool = False

    def run(
        self, rows: Rows, order: Array, y: Array, weight: Array, norms: Array, s: Settings
    ) -> None:
        """One epoch."""
        eta = 1.0 / s.alpha if s.learning_rate == "optimal" else self.eta
        self.b, self.mean_b, self.u, self.t, loss_sum, penalty_sum, self.n_updates, _ = loops.epoch(
            rows.X, rows.data, rows.indices, rows.indptr, rows.dense,
            order, y, weight, norms,
            self.v, self.b, self.z, self.mean_b, s.average, self.q, self.u,
            LOSSES[s.loss], s.shape, s.l2, s.l1,
            RATES[s.learning_rate], eta, s.power_t, s.t0, self.t,
            (1.0 if rows.dense else SPARSE_DECAY) if s.fit_intercept else 0.0,
        )  # fmt: skip
        self.objective = (loss_sum + penalty_sum) / len(order)

    def judge(self, s: Settings, score: Score | None) -> None:
        """Decide whether this was the last epoch."""
        if score is not None:
            self.score = score(self.number, self.v, self.b)
        stuck = self.progress.idle_after(self.objective if self.score is None else -self.score)
        if stuck and s.learning_rate == "adaptive" and self.eta > _MIN_ETA:
            self.eta /= 5.0
            self.progress.idle = 0
        elif stuck or (s.stop_when_still and self.n_updates == 0):
            self.done = True

    def mean(self, s: Settings) -> tuple[Array, float]:
        """Weights and intercept, averaged over the steps since t = `average`."""
        n_averaged = self.t - s.average
        return (self.z / n_averaged if n_averaged > 0 else self.z.copy()), self.mean_b

    def last_eta(self, s: Settings) -> float:
        """Step length of the last step."""
        if s.learning_rate == "optimal":
            return 1.0 / (s.alpha * (s.t0 + self.t - 2.0))
        return (
            self.eta / (self.t - 1.0) ** s.power_t if s.learning_rate == "invscaling" else self.eta
        )


def machines(start: Start, s: Settings) -> list[Machine]:
    """One machine for each output, its arrays its own."""
    n_outputs, n_features = start.coef.shape
    n_averaged = max(0.0, start.t - s.average)
    made = []
    for k in range(n_outputs):
        z, mean_b = np.zeros(0, start.coef.dtype), 0.0
        if start.mean_coef is not None and start.mean_intercept is not None:
            z, mean_b = n_averaged * start.mean_coef[k], float(start.mean_intercept[k])
        made.append(
            Machine(
                number=k,
                v=start.coef[k].copy(),
                b=float(start.intercept[k]),
                z=z.astype(start.coef.dtype, copy=False),
                mean_b=mean_b,
                q=np.zeros(n_features if s.l1 else 0, start.coef.dtype),
                t=start.t,
                eta=s.eta0,
                progress=Progress(s.tol, s.n_iter_no_change),
            )
        )
    return made


def descend(
    X: Any,
    targets: Targets,
    train: Array,
    start: Start,
    settings: Settings,
    rng: np.random.Generator,
    score: Score | None = None,
) -> Iterator[SGDState]:
    """Yield a state after each epoch, until every weight vector has stopped.

    Parameters
    ----------
    X : C-contiguous ndarray or CSR matrix of shape (n_samples, n_features)
    targets : Targets
    train : ndarray of intp
        The rows to learn from.
    start : Start
    settings : Settings
    rng : Generator
        Gives the order of the rows, a new one each epoch.
    score : callable, optional
        (output, weights, intercept) → score on validation rows, for early stopping.
    """
    rows = Rows.of(X)
    passive_aggressive = RATES[settings.learning_rate] >= loops.PA1
    norms = row_norms(X, squared=True) if passive_aggressive else np.zeros(0, X.dtype)
    order = train.astype(np.intp)
    uniform = np.empty(len(order))
    team = machines(start, settings)
    n_lanes = len(team) if len(order) * X.shape[1] >= costs.EPOCH_LANE_ENTRIES else 1
    lanes_of_machines = lanes(len(team), max_lanes=n_lanes)
    only = targets.of(0) if len(team) == 1 else None

    def lane(numbers: slice) -> None:
        for machine in team[numbers]:
            if not machine.done:
                y, weight = only or targets.of(machine.number)
                machine.run(rows, order, y, weight, norms, settings)

    for n_iter in range(1, settings.max_iter + 1):
        if settings.shuffle:
            loops.shuffle(order, rng.random(out=uniform))
        run_lanes(lane, lanes_of_machines)
        for machine in team:
            refuse_overflow(machine.v, machine.b, machine.objective, n_iter)
            if not machine.done:
                machine.judge(settings, score)
        state = _state(team, settings, n_iter)
        yield state
        if state.converged:
            return


def refuse_overflow(coef: Array, intercept: Any, objective: float, n_iter: int) -> None:
    """Raise where weights, or the losses they led to, are no longer numbers."""
    if not (np.isfinite(objective) and np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"Floating-point under-/overflow occurred at epoch #{n_iter}: the weights or losses "
            "are no longer finite. Scale the features (StandardScaler), or lower eta0."
        )


def _state(team: list[Machine], s: Settings, n_iter: int) -> SGDState:
    last_coef = np.stack([m.v for m in team])
    last_intercept = np.array([m.b for m in team], dtype=last_coef.dtype)
    coef, intercept, mean_coef, mean_intercept = last_coef, last_intercept, None, None
    if s.average:
        means = [m.mean(s) for m in team]
        mean_coef = np.stack([w for w, _ in means]).astype(last_coef.dtype, copy=False)
        mean_intercept = np.array([b for _, b in means], dtype=last_coef.dtype)
        if max(m.t for m in team) > s.average:
            coef, intercept = mean_coef, mean_intercept
    scores = [m.score for m in team if m.score is not None]
    return SGDState(
        n_iter=n_iter,
        objective=float(sum(m.objective for m in team)),
        converged=all(m.done for m in team),
        coef=coef,
        intercept=intercept,
        last_coef=last_coef,
        last_intercept=last_intercept,
        mean_coef=mean_coef,
        mean_intercept=mean_intercept,
        eta=max(m.last_eta(s) for m in team),
        n_updates=np.array([m.n_updates for m in team]),
        validation_score=float(np.mean(scores)) if scores else None,
    )
