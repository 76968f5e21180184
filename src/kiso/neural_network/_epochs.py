"""From the parameters of a multilayer perceptron to a network and its epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array
from kiso.base import State
from kiso.losses import Loss
from kiso.nn import Affine, Dropout, Layer, Network, TrainState, TrainStatus, activation, train
from kiso.optim import LBFGS, Rule, descent

__all__ = ["Adaptive", "Adversary", "Batches", "EpochState", "Problem", "build", "epochs"]

# (network, loss, x, t, rng) -> what the network is to learn from in the place of x
Adversary: TypeAlias = Callable[[Network, Loss, Array, Array, np.random.Generator], Array]

SLOWEST = 1e-6  # an adaptive rate below which training ends


@dataclass(frozen=True, kw_only=True)
class EpochState(State):
    """Where a fit stands after an epoch (an iteration, for L-BFGS).

    Attributes
    ----------
    n_iter : int
        Epochs.
    objective : float
        Mean training loss of the epoch, each batch before its step; for L-BFGS the loss and
        penalty after the iteration.
    n_steps : int
        Steps taken.
    learning_rate, gradient_norm : float
        Of the last step.
    validation_loss, validation_score : float or None
        On the validation rows, where there are any.
    detail : str
        At which step and in which layer the fit diverged; empty if it did not.
    """

    n_steps: int
    learning_rate: float = float("nan")
    gradient_norm: float = float("nan")
    validation_loss: float | None = None
    validation_score: float | None = None
    detail: str = ""


class Adaptive:
    """A learning rate that the fit divides by 5 when it gets no better."""

    def __init__(self, rate: float):
        self.rate = rate

    def __call__(self, step: int) -> float:
        """Return the rate as it is now."""
        return self.rate


@dataclass(frozen=True)
class Problem:
    """What a fit works on; `network` is what it moves."""

    network: Network
    loss: Loss
    X: Array
    t: Array
    weight: Array | None
    validation: tuple[Array, Array] | None
    score: Callable[[Array, Array], float]
    rule: Rule | None  # None for L-BFGS
    rate: Adaptive | None
    batch_size: int
    shuffle: bool
    alpha: float
    max_iter: int
    tol: float
    patience: int | None
    rng: np.random.Generator
    adversary: Adversary | None = None
    max_fun: int = 15000


def build(
    sizes: Sequence[int],
    names: Any,
    *,
    dropout: float | Sequence[float],
    weights: Callable[[int, int, int], Affine],
) -> Network:
    """Return affine layers with activation and dropout after each hidden one.

    `weights(k, n_in, n_out)` gives layer k.
    """
    hidden = len(sizes) - 2
    activations = _each("activation", names, hidden, str)
    shares = _each("dropout", dropout, hidden, (int, float))
    layers: list[Layer] = []
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        layers.append(weights(k, n_in, n_out))
        if k == hidden:
            break
        if activations[k] != "identity":
            layers.append(activation(activations[k]))
        if shares[k] > 0:
            layers.append(Dropout(shares[k]))
    return Network(layers)


def _each(name: str, given: Any, n: int, kind: Any) -> list[Any]:
    each = [given] * n if isinstance(given, kind) else list(given)
    if len(each) != n:
        raise ValueError(f"{name}: {len(each)} given for {n} hidden layers")
    return each


def epochs(p: Problem) -> Iterator[EpochState]:
    """Train by a rule over mini-batches, or by L-BFGS over all rows."""
    return _by_lbfgs(p) if p.rule is None else _by_batches(p, p.rule)


def _by_batches(p: Problem, rule: Rule) -> Iterator[EpochState]:
    batches: Any = (p.X, p.t)
    weight = p.weight
    if not p.shuffle or p.adversary is not None:
        batches, weight = Batches(p), None
    states = train(
        p.network, p.loss, batches, rule, n_epochs=p.max_iter, batch_size=p.batch_size,
        sample_weight=weight, validation=p.validation,
        metrics={"score": p.score} if p.validation is not None else None,
        patience=None if p.rate is not None else p.patience, min_delta=p.tol,
        weight_decay=p.alpha / p.batch_size, random_state=p.rng,
    )  # fmt: skip
    best, waiting = float("inf"), 0
    for n_epochs, state in enumerate(states, 1):
        slowest = False
        if p.rate is not None:
            value = state.metrics.get("loss", state.objective)
            waiting = 0 if value < best - p.tol else waiting + 1
            best = min(best, value)
            if p.patience is not None and waiting > p.patience:
                slowest, waiting = p.rate.rate <= SLOWEST, 0
                p.rate.rate /= 5
        yield _epoch(state, n_epochs, slowest, p.validation is not None)
        if slowest:
            states.close()  # type: ignore[attr-defined]
            return


def _epoch(state: TrainState, n_epochs: int, slowest: bool, watched: bool) -> EpochState:
    nan = float("nan")
    return EpochState(
        n_iter=n_epochs,
        objective=state.objective,
        converged=slowest or state.status is TrainStatus.STOPPED_EARLY,
        n_steps=state.n_iter,
        learning_rate=state.learning_rate,
        gradient_norm=state.gradient_norm,
        validation_loss=state.metrics.get("loss"),
        validation_score=state.metrics.get("score", nan if watched and state.detail else None),
        detail=state.detail,
    )


@dataclass(frozen=True)
class Batches:
    """The batches of an epoch, each attacked, where that is wanted, as it is asked for.

    Training asks for a batch just before its step: the attack sees the weights as they are.
    """

    problem: Problem

    def __iter__(self) -> Iterator[Any]:
        p = self.problem
        arrays = [p.X, p.t, *([] if p.weight is None else [p.weight])]
        order = p.rng.permutation(len(p.X)) if p.shuffle else None
        for start in range(0, len(p.X), p.batch_size):
            rows = slice(start, start + p.batch_size)
            x, *rest = (a[rows if order is None else order[rows]] for a in arrays)
            yield x if p.adversary is None else self._attacked(x, rest[0]), *rest

    def _attacked(self, x: Array, t: Array) -> Array:
        p = self.problem
        assert p.adversary is not None
        given: Array = np.asarray(p.adversary(p.network, p.loss, x, t, p.rng), dtype=x.dtype)
        if given.shape != x.shape:
            raise ValueError(f"adversary: it gave shape {given.shape} for x of shape {x.shape}")
        return given


def _by_lbfgs(p: Problem) -> Iterator[EpochState]:
    """All parameters as one vector; the penalty (α/2n) ‖W‖² is on weights, not on biases."""
    network, decay = p.network, p.alpha / len(p.X)
    n_weights = sum(layer.W.size for layer in network if isinstance(layer, Affine))

    def fun(vector: Array) -> tuple[float, Array]:
        network.set_vector(vector)
        value, grads = network.loss_and_gradients(p.X, p.t, p.loss, sample_weight=p.weight)
        gradient = network.flatten(grads).astype(np.float64)
        gradient[:n_weights] += decay * vector[:n_weights]
        return value + 0.5 * decay * float(vector[:n_weights] @ vector[:n_weights]), gradient

    n_calls = 0

    def counted(vector: Array) -> tuple[float, Array]:
        nonlocal n_calls
        n_calls += 1
        return fun(vector)

    start = network.vector.astype(np.float64)
    last: Array = start
    for state in descent(counted, start, method=LBFGS(), max_iter=p.max_iter, tol=p.tol):
        if n_calls > p.max_fun and not state.converged and state.n_iter > 1:
            network.set_vector(last)  # this step took more calls than there were left
            return
        network.set_vector(state.x)
        last = state.x
        yield EpochState(
            n_iter=state.n_iter,
            objective=state.objective,
            converged=state.converged,
            n_steps=state.n_iter,
            gradient_norm=state.gradient_norm,
        )
        if n_calls >= p.max_fun:
            return
