"""Mini-batch gradient descent on α R(W) + (1/m) Σ c_i ℓ(y_i, W x_i + b).

The cost is a mean over m samples, and so is its gradient; the mean over a batch B of m'
of them estimates it at a cost that does not depend on m (notes A p. 20-22; Goodfellow et
al. 2016, section 5.9 and algorithm 8.1):

    g = (1/m') Σ_{i ∈ B} c_i ∇ℓ(y_i, W x_i + b),        W ← W − η (g + α ∇R(W))

The short last batch of an epoch divides by m' all the same, and its penalty counts by its
share, so that over an epoch every sample has the same say. Scores and gradients of a batch
are two matrix products; all outputs (classes) are trained together.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.losses import (
    EpsilonInsensitive,
    Hinge,
    Huber,
    Loss,
    ModifiedHuber,
    SigmoidCrossEntropy,
    SquaredEpsilonInsensitive,
    SquaredError,
    SquaredHinge,
)
from kiso.optim import Rule

from ._stochastic import Progress, Score, Settings, SGDState, Start, Targets, refuse_overflow

_MIN_ETA = 1e-6


def loss_of(s: Settings) -> Loss:
    """The loss that scikit-learn's name means."""
    return {
        "hinge": Hinge(),
        "perceptron": Hinge(margin=0.0),
        "squared_hinge": SquaredHinge(),
        "log_loss": SigmoidCrossEntropy(),
        "modified_huber": ModifiedHuber(),
        "squared_error": SquaredError(),
        "huber": Huber(delta=s.epsilon),
        "epsilon_insensitive": EpsilonInsensitive(epsilon=s.epsilon),
        "squared_epsilon_insensitive": SquaredEpsilonInsensitive(epsilon=s.epsilon),
    }[s.loss]


@dataclass
class _Learner:
    """Weights in training, changed in place."""

    settings: Settings
    batch_size: int
    W: Array
    b: Array
    mean_coef: Array | None
    mean_intercept: Array | None
    t: float
    eta: float
    rule: Rule | None
    rule_state: Any
    last_eta: float = 0.0

    def __post_init__(self) -> None:
        self.loss = loss_of(self.settings)
        if self.rule is not None and self.rule_state is None:
            self.rule_state = self.rule.init(self._params())

    def _params(self) -> dict[str, Array]:
        return {"coef": self.W, "intercept": self.b}

    def step(self, X: Any, Y: Array, C: Array) -> tuple[float, float, Array]:
        """One step on a batch; return Σ c ℓ, m' times the penalty, and which outputs moved."""
        s = self.settings
        scores = X @ self.W.T + self.b
        terms, D = self.loss.terms_and_slopes(scores.ravel(), Y.ravel())
        D = D.reshape(scores.shape)
        D *= C
        absolute, square = np.abs(self.W).sum(dtype=float), np.vdot(self.W, self.W)
        penalty = len(Y) * (s.l1 * absolute + 0.5 * s.l2 * float(square))
        G = (X.T @ D).T / self.batch_size
        g = D.sum(axis=0) / self.batch_size if s.fit_intercept else np.zeros_like(self.b)
        share = len(Y) / self.batch_size
        if self.rule is None:
            self._descend(G, g, share)
        else:
            G += share * (s.l2 * self.W + s.l1 * np.sign(self.W))
            grads = {"coef": np.ascontiguousarray(G), "intercept": g}
            _, self.rule_state = self.rule.update(
                grads, self.rule_state, self._params(), in_place=True
            )
        self._average()
        self.t += 1.0
        moved: Array = np.abs(D).max(axis=0) > 0
        return float(np.vdot(terms, C)), penalty, moved

    def _descend(self, G: Array, g: Array, share: float) -> None:
        """W ← shrunk W − η G; then L1 takes η α ρ from every weight, at most all of it."""
        s = self.settings
        self.last_eta = eta = self.rate()
        self.W *= max(0.0, 1.0 - eta * s.l2 * share)
        self.W -= eta * G
        self.b -= eta * g
        if s.l1:
            taken = eta * s.l1 * share
            self.W -= np.clip(self.W, -taken, taken)

    def rate(self) -> float:
        """η of the step number t."""
        s = self.settings
        if s.learning_rate == "optimal":
            return 1.0 / (s.alpha * (s.t0 + self.t - 1.0))
        return self.eta / self.t**s.power_t if s.learning_rate == "invscaling" else self.eta

    def _average(self) -> None:
        if self.mean_coef is None or self.mean_intercept is None or self.t < self.settings.average:
            return
        count = self.t - self.settings.average + 1.0
        self.mean_coef += (self.W - self.mean_coef) / count
        self.mean_intercept += (self.b - self.mean_intercept) / count


def descend_in_batches(
    X: Any,
    targets: Targets,
    train: Array,
    start: Start,
    settings: Settings,
    rng: np.random.Generator,
    score: Score | None = None,
    *,
    batch_size: int,
    rule: Rule | None = None,
    rule_state: Any = None,
) -> Iterator[SGDState]:
    """Yield a state after each epoch; parameters as for `_stochastic.descend`.

    `batch_size` above the number of rows means all of them. With a `rule` of
    `kiso.optim` that rule takes the steps, on gradients that include the penalty's (of L1
    a subgradient), and the learning rate is its own.
    """
    s = settings
    batch_size = min(batch_size, len(train))
    learner = _Learner(
        s,
        batch_size,
        start.coef.copy(),
        start.intercept.astype(start.coef.dtype),
        None if start.mean_coef is None else start.mean_coef.copy(),
        None if start.mean_intercept is None else start.mean_intercept.copy(),
        start.t,
        s.eta0,
        rule,
        rule_state,
    )
    progress = Progress(s.tol, s.n_iter_no_change)
    for n_iter in range(1, s.max_iter + 1):
        order = rng.permutation(train) if s.shuffle else train
        total, moved = 0.0, np.zeros(len(learner.b), dtype=np.intp)
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            loss_sum, penalty, updated = learner.step(X[rows], *_batch(targets, rows, s, learner))
            total += loss_sum + penalty
            moved += updated
        objective = total / len(train)
        refuse_overflow(learner.W, learner.b, objective, n_iter)
        scores = None
        if score is not None:
            scores = [score(k, learner.W[k], float(learner.b[k])) for k in range(len(learner.b))]
        cost = objective if scores is None else -float(np.mean(scores))
        stuck = progress.idle_after(cost)
        if stuck and rule is None and s.learning_rate == "adaptive" and learner.eta > _MIN_ETA:
            learner.eta /= 5.0
            progress.idle, stuck = 0, False
        yield _state(learner, n_iter, objective, stuck, moved, scores)
        if stuck:
            return


def _batch(targets: Targets, rows: Array, s: Settings, learner: _Learner) -> tuple[Array, Array]:
    """Targets and weights of a batch, both (m', n_outputs)."""
    of_outputs = [targets.at(rows, k) for k in range(len(learner.b))]
    Y = np.stack([y for y, _ in of_outputs], axis=1)
    if s.loss == "log_loss":
        Y = (Y + 1) / 2
    weights = [w if w.size else np.ones(len(rows), Y.dtype) for _, w in of_outputs]
    return Y, np.stack(weights, axis=1)


def _state(
    learner: _Learner,
    n_iter: int,
    objective: float,
    converged: bool,
    moved: Array,
    scores: list[float] | None,
) -> SGDState:
    W, b = learner.W.copy(), learner.b.copy()
    mean_coef = None if learner.mean_coef is None else learner.mean_coef.copy()
    mean_b = None if learner.mean_intercept is None else learner.mean_intercept.copy()
    averaged = mean_coef is not None and mean_b is not None and learner.t > learner.settings.average
    return SGDState(
        n_iter=n_iter,
        objective=objective,
        converged=converged,
        coef=mean_coef if averaged and mean_coef is not None else W,
        intercept=mean_b if averaged and mean_b is not None else b,
        last_coef=W,
        last_intercept=b,
        mean_coef=mean_coef,
        mean_intercept=mean_b,
        eta=learner.last_eta,
        n_updates=moved,
        validation_score=None if scores is None else float(np.mean(scores)),
        rule_state=deepcopy(learner.rule_state),
    )
