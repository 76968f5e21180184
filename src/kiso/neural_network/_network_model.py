"""What estimators over a network share: parameters, a fit as epochs, fitted attributes."""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Options
from sklearn.utils.validation import check_is_fitted

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
from kiso.losses import Loss
from kiso.nn import Network
from kiso.optim import Adam, GradientDescent, InverseTime, LearningRate, Momentum, Nesterov, Rule

from ._epochs import Adaptive, Adversary, EpochState, Problem, epochs

__all__ = ["SHARE", "NetworkModel"]

_log = logging.getLogger(__name__)

SHARE = Interval(Real, 0, 1, closed="left")


class NetworkModel(IterativeEstimator[Problem, EpochState]):
    """Base of the estimators that train a network."""

    _block_rows = 4096  # samples that go through the network at once

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "solver": [StrOptions({"sgd", "adam"})],
        "alpha": [positive(zero=True)],
        "batch_size": [StrOptions({"auto"}), positive(Integral)],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [positive(), callable],
        "power_t": [positive(zero=True)],
        "max_iter": [positive(Integral)],
        "shuffle": ["boolean"],
        "random_state": RANDOM_STATE,
        "tol": [positive(zero=True)],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [SHARE],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "beta_1": [SHARE],
        "beta_2": [SHARE],
        "epsilon": [positive()],
        "n_iter_no_change": [positive(Integral), Options(Real, {np.inf})],
        "max_fun": [positive(Integral)],
        "init": [str],
        "rule": [HasMethods(["init", "update"]), None],
    }

    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: LearningRate
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: RandomState
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int = 15000  # of those with solver="lbfgs", who take it as a parameter
    init: str
    rule: Rule | None
    adversary: Adversary | None = None  # of classifiers, who take it as a parameter

    network_: Network
    out_activation_: str
    validation_scores_: list[float] | None

    @abstractmethod
    def _targets(self, y: Array, *, reset: bool) -> tuple[Array, int, Loss]:
        """Return what the network learns, its number of outputs and the loss."""

    @abstractmethod
    def _start(self, X: Array, n_outputs: int, rng: np.random.Generator) -> Network:
        """Return the network as the fit begins with it."""

    @abstractmethod
    def _score_of(self, output: Array, t: Array) -> float:
        """Return accuracy or R² of the outputs of the network."""

    @abstractmethod
    def _weights(self, y: Array, given: Array | None) -> Array | None:
        """Return the weights of the samples; None where all are 1."""

    def _stratify(self, y: Array) -> Array | None:
        return None

    # --- before the fit ---------------------------------------------------------------

    def _prepare(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        **_: Any,
    ) -> Problem:
        X, y = self._validated(X, y, reset=True)
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(sample_weight, X, dtype=np.float64, copy=True)
        t, n_outputs, loss = self._targets(y, reset=True)
        weight = self._weights(y, weight)
        rng = check_generator(self.random_state)
        X, t, weight, validation = self._set_aside(X, y, t, weight, X_val, y_val, rng)
        if weight is not None:
            kept = np.flatnonzero(weight)  # a row of weight 0 has nothing to teach
            X, t, weight = X[kept], t[kept], weight[kept]
        network = self._start(X, n_outputs, rng)
        auto = self.batch_size == "auto"
        size = min(200 if auto else int(self.batch_size), len(X))
        rule, rate = self._rule(size)
        self.validation_scores_ = None if validation is None else []
        return Problem(
            network, loss, X, t, weight, validation, self._score_of, rule, rate, size,
            self.shuffle, self.alpha, self.max_iter, self.tol, self._patience, rng,
            self.adversary, self.max_fun,
        )  # fmt: skip

    @property
    def _patience(self) -> int | None:
        """Epochs in a row that may be no better; None for any number."""
        return None if np.isinf(self.n_iter_no_change) else int(self.n_iter_no_change)

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self, X, y, dtype=FLOATS, order="C", multi_output=True, y_numeric=False, reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            from kiso._gate import column_or_1d

            y = column_or_1d(y, warn=True)
        return X, y

    def _set_aside(
        self,
        X: Array,
        y: Array,
        t: Array,
        weight: Array | None,
        X_val: Any,
        y_val: Any,
        rng: np.random.Generator,
    ) -> tuple[Array, Array, Array | None, tuple[Array, Array] | None]:
        """Give the rows to learn from, and those to validate on if there are any."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val: give both, or neither")
        if X_val is not None:
            X_val, y_val = self._validated(X_val, y_val, reset=False)
            return X, t, weight, (X_val, self._targets(y_val, reset=False)[0])
        if not self.early_stopping:
            return X, t, weight, None
        from sklearn.model_selection import train_test_split

        learn, check = train_test_split(
            np.arange(len(X)),
            test_size=self.validation_fraction,
            stratify=self._stratify(y),
            random_state=int(rng.integers(2**31 - 1)),
        )
        if len(check) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset: validation_fraction={self.validation_fraction} of {len(X)} rows"
            )
        return X[learn], t[learn], None if weight is None else weight[learn], (X[check], t[check])

    def _rule(self, batch_size: int) -> tuple[Rule | None, Adaptive | None]:
        """Return the rule (None for L-BFGS) and, where the fit changes it, its rate."""
        if self.rule is not None:
            return self.rule, None
        rate, adaptive = self.learning_rate_init, None
        if self.solver == "adam":
            return Adam(rate, self.beta_1, self.beta_2, self.epsilon), None
        if not callable(rate) and self.learning_rate == "invscaling" and self.power_t > 0:
            rate = InverseTime(rate, tau=1 / batch_size, power=self.power_t)
        elif not callable(rate) and self.learning_rate == "adaptive":
            rate = adaptive = Adaptive(rate)
        if self.momentum == 0:
            return GradientDescent(rate), adaptive
        kind = Nesterov if self.nesterovs_momentum else Momentum
        return kind(rate, self.momentum), adaptive

    # --- the fit ----------------------------------------------------------------------

    def _iterate(self, problem: Problem) -> Iterator[EpochState]:
        level = logging.INFO if self.verbose else logging.DEBUG
        for state in epochs(problem):
            if self.validation_scores_ is not None and state.validation_score is not None:
                self.validation_scores_.append(state.validation_score)
            _log.log(level, "epoch %d: loss %.6g", state.n_iter, state.objective)
            if self.verbose:
                self._say(state)
            if state.detail and state.n_steps == 0:
                raise ValueError(
                    "Solver produced non-finite parameter weights. The input data may contain "
                    "large values and need to be preprocessed. No step could be taken: "
                    f"{state.detail}"
                )
            yield state

    def _say(self, state: EpochState) -> None:
        """Write a line of `verbose` to standard output."""
        text = f"Iteration {state.n_iter}, loss = {state.objective:.8f}"
        if state.validation_score is not None:
            text += f", validation score = {state.validation_score:.6f}"
        sys.stdout.write(f"{text}\n")

    def _fitted(self, problem: Problem, state: EpochState) -> dict[str, Any]:
        return {
            "n_iter_": state.n_iter,
            "t_": state.n_iter * len(problem.X),
            "loss_": state.objective,
            **self._best(state),
        }

    def _best(self, state: EpochState) -> dict[str, float | None]:
        """Return the best of the loss, or of the score where there are validation rows."""
        scores = [v for v in self.validation_scores_ or [] if not np.isnan(v)]
        if self.validation_scores_ is not None:
            return {"best_loss_": None, "best_validation_score_": max(scores, default=np.nan)}
        so_far = getattr(self, "_least_loss", np.inf) if state.n_iter > 1 else np.inf
        self._least_loss = float(np.fmin(so_far, state.objective))
        return {"best_loss_": self._least_loss, "best_validation_score_": None}

    def _not_converged(self, problem: Problem, state: EpochState) -> str | None:
        if state.detail:
            return (
                f"{type(self).__name__} diverged at {state.detail}. Scale the features or "
                "lower the learning rate."
            )
        return super()._not_converged(problem, state)

    @property
    def loss_curve_(self) -> Array:
        """The objective after each epoch: `objective_path_`, by scikit-learn's name."""
        return self.objective_path_

    @loss_curve_.setter
    def loss_curve_(self, path: Any) -> None:
        self.objective_path_ = np.asarray(path, dtype=np.float64)

    @property
    def parameters_(self) -> Array:
        """All parameters as one vector."""
        return self.network_.vector

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self)
        X = self._rows(X)
        network, size = self.network_, self._block_rows
        starts = range(0, X.shape[0], size)
        blocks = [network(_dense(X[start : start + size])) for start in starts]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def _rows(self, X: Any) -> Array:
        """Return what to predict for, validated."""
        rows: Array = validate_data(self, X, dtype=FLOATS, reset=False)
        return rows


def _dense(rows: Any) -> Array:
    """Return rows as an array where they are a sparse matrix."""
    dense: Array = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return dense
