"""What SGDClassifier, SGDRegressor and Perceptron share: from parameters and data to a fit."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_regressor

from kiso._gate import check_sample_weight, validate_data
from kiso._validation import (
    FLOATS,
    RANDOM_STATE,
    Array,
    HasMethods,
    Integral,
    Interval,
    RandomState,
    Real,
    StrOptions,
    check_generator,
    positive,
)
from kiso.base import IterativeEstimator

from ._stochastic import RATES, Score, Settings, SGDState, Start, Targets, descend

_log = logging.getLogger(__name__)

PENALTY: dict[str, Any] = {
    "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
    "alpha": [positive(zero=True)],
    "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
}
EPOCHS: dict[str, Any] = {
    "fit_intercept": ["boolean"],
    "max_iter": [positive(Integral)],
    "tol": [positive(zero=True), None],
    "shuffle": ["boolean"],
    "verbose": ["verbose"],
    "random_state": RANDOM_STATE,
    "warm_start": ["boolean"],
    "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
    "eta0": [positive()],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [positive(Integral)],
}
STEPS: dict[str, Any] = {
    "epsilon": [positive(zero=True)],
    "learning_rate": [StrOptions(set(RATES))],
    "power_t": [positive(zero=True)],
    "batch_size": [positive(Integral)],
    "rule": [HasMethods(["init", "update"]), None],
}
OF_CLASSES: dict[str, Any] = {
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "n_jobs": [Integral, None],
}


@dataclass(frozen=True)
class Problem:
    """What the solvers work on."""

    X: Any
    targets: Targets
    train: Array
    start: Start
    settings: Settings
    rng: np.random.Generator
    score: Score | None
    rule_state: Any = None
    history: list[Array] = field(default_factory=list)  # updates of each epoch done


class StochasticModel(IterativeEstimator[Problem, SGDState]):
    """Base of the linear models trained by stochastic gradient descent."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    _fits_parts = "epochs"

    penalty: str | None
    alpha: float
    l1_ratio: float | None
    fit_intercept: bool
    max_iter: int
    tol: float | None
    shuffle: bool
    verbose: int
    random_state: RandomState
    warm_start: bool
    average: bool | int
    eta0: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    loss: str = ""
    epsilon: float = 0.1
    learning_rate: str = "constant"
    power_t: float = 0.5
    batch_size: int = 1
    rule: Any = None

    coef_: Any
    intercept_: Array
    n_iter_: int
    t_: float

    # Between parameters and solver

    def _settings(self) -> Settings:
        """Check what parameters have to say of one another; return them as numbers."""
        passive_aggressive = self.learning_rate in ("pa1", "pa2")
        partner = self._pa_loss()
        if passive_aggressive and self.loss != partner:
            raise ValueError(
                f"learning_rate={self.learning_rate!r} with loss={self.loss!r}: "
                f"it only works with loss={partner!r}"
            )
        if passive_aggressive and self._in_batches():
            raise ValueError(
                f"learning_rate={self.learning_rate!r} with batch_size={self.batch_size!r}, "
                f"rule={self.rule!r}: passive-aggressive steps take one sample each; give "
                "batch_size=1 and rule=None"
            )
        if self.learning_rate == "optimal" and self.alpha == 0 and self.rule is None:
            raise ValueError(
                "alpha=0 with learning_rate='optimal': alpha must be > 0, as that rate is "
                "1/(alpha (t + t0)); give alpha > 0 or another learning_rate"
            )
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio=None with penalty='elasticnet': give 0 <= l1_ratio <= 1")
        return Settings(
            loss=self.loss,
            epsilon=float(self.epsilon),
            penalty=self.penalty,
            alpha=float(self.alpha),
            l1_ratio=0.0 if self.l1_ratio is None else float(self.l1_ratio),
            fit_intercept=bool(self.fit_intercept),
            learning_rate=self.learning_rate,
            eta0=float(self.eta0),
            power_t=float(self.power_t),
            average=int(self.average),
            max_iter=int(self.max_iter),
            tol=None if self.tol is None else float(self.tol),
            n_iter_no_change=int(self.n_iter_no_change),
            shuffle=bool(self.shuffle),
        )

    def _pa_loss(self) -> str:
        """The loss that passive-aggressive steps are made for."""
        return "hinge"

    def _in_batches(self) -> bool:
        return self.batch_size > 1 or self.rule is not None

    @abstractmethod
    def _learn(self, y: Array, weight: Array, *, partial: bool, classes: Any) -> Targets:
        """Turn y into what each weight vector learns; set `classes_` where there are."""

    @abstractmethod
    def _scorer(self, X: Any, targets: Targets, rows: Array) -> Score:
        """Return the score of a weight vector on rows set aside."""

    def _prepare(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
        *,
        partial: bool = False,
        classes: Any = None,
        **_: Any,
    ) -> Problem:
        settings = self._settings()
        again = partial and hasattr(self, "coef_")
        X, y = self._validated(X, y, reset=not again)
        weight = np.zeros(0, X.dtype)
        if sample_weight is not None:
            weight = check_sample_weight(
                sample_weight,
                X,
                dtype=X.dtype,
                copy=True,
                ensure_non_negative=True,
                allow_all_zero_weights=self.early_stopping,
            )
        targets = self._learn(y, weight, partial=partial, classes=classes)
        train, score = np.arange(X.shape[0]), None
        if self.early_stopping:
            train, held_out = self._split(y, weight)
            score = self._scorer(X, targets, held_out)
        rng = check_generator(self.random_state)
        n_outputs = max(1, len(targets.classes))
        start = (
            self._resume(settings, X.dtype)
            if again
            else self._start(n_outputs, X, settings, coef_init, intercept_init)
        )
        rule_state = getattr(self, "_rule_state", None) if again else None
        if partial:
            settings = replace(settings, max_iter=1, tol=None)
        return Problem(X, targets, train, start, settings, rng, score, rule_state)

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Array]:
        dtype = FLOATS if reset else [self.coef_.dtype]
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=dtype, order="C", reset=reset)
        if not isinstance(X, np.ndarray) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X, y

    def _split(self, y: Array, weight: Array) -> tuple[Array, Array]:
        """Rows to learn from, and rows set aside for early stopping.

        With a seed the same as scikit-learn's.
        """
        from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

        kind = ShuffleSplit if is_regressor(self) else StratifiedShuffleSplit
        seed: Any = self.random_state
        if isinstance(seed, np.random.Generator):
            seed = int(seed.integers(2**31 - 1))
        splitter = kind(1, test_size=self.validation_fraction, random_state=seed)
        train, held_out = next(splitter.split(np.zeros((len(y), 1)), y))
        if weight.size and not weight[held_out].any():
            raise ValueError(
                "sample_weight: all rows set aside for early stopping have weight 0; give "
                "another random_state or a larger validation_fraction"
            )
        return np.sort(train), np.sort(held_out)

    # Where a fit starts and what it leaves

    def _start(
        self, n_outputs: int, X: Any, s: Settings, coef_init: Any, intercept_init: Any
    ) -> Start:
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = _dense(self.coef_) if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        shape = (n_outputs, X.shape[1])
        coef = _initial("coef_init", coef_init, shape, X.dtype)
        intercept = _initial("intercept_init", intercept_init, shape[:1], X.dtype)
        means = (np.zeros_like(coef), np.zeros_like(intercept)) if s.average else (None, None)
        return Start(coef=coef, intercept=intercept, mean_coef=means[0], mean_intercept=means[1])

    def _resume(self, s: Settings, dtype: Any) -> Start:
        """Go on where an earlier fit ended."""
        coef = np.atleast_2d(_dense(self.coef_)).astype(dtype, copy=False)
        intercept = np.atleast_1d(self.intercept_).astype(dtype, copy=False)
        mean_coef = mean_intercept = None
        if s.average:
            last = getattr(self, "_last", None)
            # averaging begins here: the steps before count with the weights they led to
            mean_coef, mean_intercept = coef, intercept
            if last is not None:
                coef, intercept, mean_coef, mean_intercept = last
        return Start(
            coef=coef,
            intercept=intercept,
            mean_coef=mean_coef,
            mean_intercept=mean_intercept,
            t=float(self.t_),
        )

    def _iterate(self, problem: Problem) -> Iterator[SGDState]:
        p = problem
        given = (p.X, p.targets, p.train, p.start, p.settings, p.rng, p.score)
        if self._in_batches():
            from ._minibatch import descend_in_batches

            states = descend_in_batches(
                *given, batch_size=self.batch_size, rule=self.rule, rule_state=p.rule_state
            )
        else:
            states = descend(*given)
        level = logging.INFO if self.verbose else logging.DEBUG
        for state in states:
            _log.log(
                level, "epoch %d: objective %.6g, step %.3g, validation score %s",
                state.n_iter, state.objective, state.eta, state.validation_score,
            )  # fmt: skip
            problem.history.append(state.n_updates)
            yield state

    def _fitted(self, problem: Problem, state: SGDState) -> dict[str, Any]:
        fitted: dict[str, Any] = {
            "coef_": state.coef,
            "intercept_": state.intercept,
            "n_iter_": state.n_iter,
            "t_": problem.start.t + state.n_iter * self._steps_an_epoch(problem),
        }
        # set or emptied in every fit: what an earlier one left would be taken up by partial_fit
        averages = (state.mean_coef, state.mean_intercept)
        averaged = state.mean_coef is not None
        fitted["_last"] = (state.last_coef, state.last_intercept, *averages) if averaged else None
        fitted["_rule_state"] = state.rule_state
        return fitted

    def _steps_an_epoch(self, problem: Problem) -> int:
        n_samples: int = problem.X.shape[0]
        if not self._in_batches():
            return n_samples
        n_train = len(problem.train)
        return -(-n_train // min(self.batch_size, n_train))

    def _not_converged(self, problem: Problem, state: SGDState) -> str | None:
        if self.tol is None:
            return None
        return (
            f"Maximum number of iteration reached before convergence: {type(self).__name__} "
            f"stopped after {state.n_iter} epochs (objective {state.objective:.6g}). "
            "Raise max_iter or tol, or scale the features."
        )

    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
        """One epoch on the rows that are given."""
        self._validate_params()
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True: partial_fit has no rows to set aside; give False"
            )
        problem = self._prepare(X, y, None, None, sample_weight, partial=True, classes=classes)
        state = next(iter(self._iterate(problem)))
        self._keep(problem, state, [state.objective])
        self.n_iter_ = 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(coef: Any) -> Array:
    """`coef_` as an array, also after `sparsify`."""
    return coef if isinstance(coef, np.ndarray) else coef.toarray()


def _initial(name: str, given: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    if given is None:
        return np.zeros(shape, dtype)
    start = np.asarray(given, dtype=dtype)
    if start.size != np.prod(shape) or (start.ndim == 2 and start.shape != shape):
        raise ValueError(f"{name} of shape {start.shape} does not match the data: give {shape}")
    return start.reshape(shape)
