"""How the steps of a training run are taken: layer by layer, or in one compiled loop.

An engine takes n steps at a time and says what they cost; the training loop around it
(`_train.py`) does not know which it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.losses import Loss, SquaredError
from kiso.optim import ClipNorm, GradientDescent, NonFiniteGradientError, Rule, global_norm
from kiso.optim._schedules import rate_at
from kiso.optim._tree import leaves_of

from ._activations import LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from ._affine import Affine
from ._feed import Example, Feed, RowFeed
from ._network import Network
from ._run import Run
from ._small_loops import LEAKY_RELU, LINEAR, RELU, SIGMOID, SOFTPLUS, TANH, descend
from ._weights import named_tree

__all__ = ["CompiledEngine", "Engine", "LayerEngine", "Progress", "learning_rate_of"]

SMALL_WORK = 1 << 15  # parameters × samples of a step up to which the compiled loop wins
CHUNK_WORK = 1 << 24  # of one compiled call: Ctrl-C waits for it


@dataclass(frozen=True)
class Progress:
    """What steps did.

    Attributes
    ----------
    n_steps : int
        Steps taken; fewer than asked where the data ended or the run diverged.
    loss, mass : float
        Losses added up, and what to divide them by for the objective.
    gradient_norm : float
        Of the last step, as the rule saw it but for clipping.
    fault : str
        Why the run diverged; empty if it did not.
    """

    n_steps: int
    loss: float
    mass: float
    gradient_norm: float = float("nan")
    fault: str = ""


class Engine(ABC):
    """Takes steps; `rule_state` is what the rule remembers."""

    rule_state: Any

    @abstractmethod
    def advance(self, n_steps: int) -> Progress:
        """Take at most this many steps."""


class LayerEngine(Engine):
    """Forward and backward through the layers, then the rule: any network, loss and rule."""

    def __init__(
        self,
        network: Network,
        loss: Loss,
        feed: Feed,
        rule: Rule,
        run: Run,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
    ):
        self.network, self.loss, self.feed, self.run = network, loss, feed, run
        self.rule = rule if clip_norm is None else ClipNorm(rule, clip_norm)
        self.weight_decay = weight_decay
        self.params = network.parameters
        self.rule_state = self.rule.init(self.params)
        self.grads: Any = None  # of the last step
        self.n_iter = 0

    def advance(self, n_steps: int) -> Progress:
        """Take steps one by one."""
        loss = mass = 0.0
        taken, fault = 0, ""
        while taken < n_steps and not fault:
            self.run.begin_step()
            batch = self.feed.next(self.run)
            if batch is None:
                break
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                value, self.grads = self.network.loss_and_gradients(
                    batch.x, batch.t, self.loss, self.run, sample_weight=batch.weight
                )
                fault = self._descend(value, batch)
            if not fault:
                share = _mass(self.loss, batch)
                loss, mass, taken = loss + share * value, mass + share, taken + 1
        norm = global_norm(self.grads) if taken else float("nan")
        return Progress(taken, loss, mass, norm, fault)

    def _descend(self, value: float, batch: Example) -> str:
        """Take the step, unless something is not finite: then say what."""
        step = self.n_iter + 1
        if not np.isfinite(value):
            return f"step {step}: the loss is {value}; {largest_output(self.network, batch.x)}"
        if batch.factor != 1.0:
            for g in leaves_of(self.grads):
                g *= g.dtype.type(batch.factor)
        if self.weight_decay:
            _decay(self.params, self.grads, self.weight_decay)
        try:
            _, self.rule_state = self.rule.update(
                self.grads, self.rule_state, self.params, in_place=True
            )
        except NonFiniteGradientError:
            bad = next(n for n, g in named_tree(self.grads) if not np.isfinite(g).all())
            layer = int(bad.partition(".")[0])
            return (
                f"step {step}: the gradient of {bad}, in layer {layer} {self.network[layer]!r}, "
                f"is not finite; {largest_output(self.network, batch.x)}"
            )
        self.run.apply_statistics()
        self.n_iter = step
        return ""


class CompiledEngine(Engine):
    """The compiled loop of `_small_loops.py`: small dense networks, squared error, plain SGD."""

    def __init__(self, network: Network, loss: Loss, feed: RowFeed, rule: GradientDescent):
        self.network, self.feed, self.rule = network, feed, rule
        self.mean = loss.reduction == "mean"
        self.rule_state = rule.init(network.parameters)
        self.affine = [layer for layer in network if isinstance(layer, Affine)]
        self.p = np.concatenate([a.ravel() for layer in self.affine for a in (layer.W, layer.b)])
        sizes = [self.affine[0].W.shape[0], *(layer.W.shape[1] for layer in self.affine)]
        self.sizes = np.array(sizes, np.intp)
        self.codes, self.leaks = _codes(network)
        self.g = np.empty_like(self.p)
        self.a, self.d = np.empty(sum(sizes), self.p.dtype), np.empty(sum(sizes), self.p.dtype)
        self.X = np.ascontiguousarray(feed.X, self.p.dtype)
        self.T = np.ascontiguousarray(feed.t.reshape(len(feed.t), -1), self.p.dtype)

    @classmethod
    def suits(cls, network: Network, loss: Loss, feed: Feed, rule: Rule) -> str:
        """Return why it cannot take this run; empty if it can."""
        if type(rule) is not GradientDescent:
            return "the rule is not GradientDescent without anything around it"
        if type(loss) is not SquaredError:
            return "the loss is not SquaredError"
        if not isinstance(feed, RowFeed) or feed.weight is not None:
            return "the data are not arrays without weights"
        if feed.X.ndim != 2 or isinstance(feed.X, np.memmap) or isinstance(feed.t, np.memmap):
            return "the data are not arrays in memory with one row a sample"
        if _codes(network, strict=False)[0].size == 0:
            return "the layers are not affine ones each with at most one known activation"
        if network.layers[0].parameters["W"].shape[0] != feed.X.shape[1]:
            return "X does not fit the first layer"
        n_out = network.output_shape(feed.X.shape[1:])[0]
        return "" if feed.t.shape == (len(feed.t), n_out) else "t does not fit the last layer"

    @classmethod
    def wins(cls, network: Network, feed: RowFeed) -> bool:
        """Whether it is faster here than calling the layers."""
        return network.n_parameters * feed.batch_size <= SMALL_WORK

    def advance(self, n_steps: int) -> Progress:
        """Take steps in as many calls as leave room for Ctrl-C."""
        if n_steps == 0:
            return Progress(0, 0.0, 0.0)
        self._read()
        size = max(1, CHUNK_WORK // (self.p.size * self.feed.batch_size))
        taken, loss, samples = 0, 0.0, 0
        try:
            while taken < n_steps:
                count = min(size, n_steps - taken)
                rows, starts = self.feed.rows(count)
                done, losses = self._call(rows, starts, self._rates(count))
                taken, loss = taken + done, loss + losses
                samples += int(starts[done])
                self.rule_state.step += done
                if done < count or not np.isfinite(self.p).all():
                    at = min(done, count - 1)
                    bad = self.X[rows[starts[at] : starts[at + 1]]]
                    return Progress(taken, loss, self._mass(samples, taken), fault=self._fault(bad))
        finally:
            self._write()
        norm = global_norm(self.g) * self._share(starts)
        return Progress(taken, loss, self._mass(samples, taken), norm)

    def _call(self, rows: Array, starts: Array, rates: Array) -> tuple[int, float]:
        return descend(
            self.p, self.g, self.sizes, self.codes, self.leaks, self.X, self.T, rows, starts,
            rates, self.feed.batch_size, self.mean, self.a, self.d,
        )  # fmt: skip

    def _rates(self, count: int) -> Array:
        rate, step = self.rule.learning_rate, self.rule_state.step
        if not callable(rate):
            return np.full(count, float(rate))
        return np.array([rate_at(rate, k) for k in range(step, step + count)])

    def _share(self, starts: Array) -> float:
        """What the last gradient, summed over its samples, was multiplied by."""
        size = 1.0 if self.mean else float(starts[-1] - starts[-2])
        return size / self.feed.batch_size

    def _mass(self, samples: int, steps: int) -> float:
        return float(samples if self.mean else steps)

    def _fault(self, x: Array) -> str:
        self._write()
        step = self.rule_state.step + 1
        return f"step {step}: the loss is not finite; {largest_output(self.network, x)}"

    def _read(self) -> None:
        at = 0
        for layer in self.affine:
            for array in (layer.W, layer.b):
                self.p[at : at + array.size] = array.ravel()
                at += array.size

    def _write(self) -> None:
        at = 0
        for layer in self.affine:
            for array in (layer.W, layer.b):
                array[...] = self.p[at : at + array.size].reshape(array.shape)
                at += array.size


_CODES: dict[type, int] = {
    Sigmoid: SIGMOID,
    Tanh: TANH,
    ReLU: RELU,
    LeakyReLU: LEAKY_RELU,
    Softplus: SOFTPLUS,
}


def _codes(network: Network, strict: bool = True) -> tuple[Array, Array]:
    """Return the code and the leak of the activation after each affine layer; empty if none."""
    codes: list[int] = []
    leaks: list[float] = []
    free = False  # an affine layer stands before that has no activation yet
    for layer in network:
        if type(layer) is Affine:
            codes.append(LINEAR)
            leaks.append(0.0)
        elif type(layer) in _CODES and free:
            codes[-1] = _CODES[type(layer)]
            leaks[-1] = getattr(layer, "negative_slope", 0.0)
        else:
            codes = []
            break
        free = type(layer) is Affine
    positive = all(leak >= 0 for leak in leaks)
    if not positive or len({leaf.dtype for leaf in leaves_of(network.parameters)}) != 1:
        codes = []
    if strict and not codes:
        raise ValueError(f"{network!r} has no compiled loop")
    return np.array(codes, np.intp), np.array(leaks if codes else [], np.float64)


def learning_rate_of(rule: Any, step: int) -> float:
    """Return the rate of a step (from 0), through rules around rules; NaN where there is none."""
    while hasattr(rule, "rule"):
        rule = rule.rule
    rate = getattr(rule, "learning_rate", None)
    return float("nan") if rate is None else rate_at(rate, step)


def largest_output(network: Network, x: Array) -> str:
    """Say which layer's output is the first that is not finite, else which is the largest."""
    largest, where = 0.0, 0
    with np.errstate(all="ignore"):
        y = network.as_input(x)
        for position, layer in enumerate(network):
            y = layer(y)
            size = float(np.abs(y).max())
            if not np.isfinite(size):
                return f"the output of layer {position} {layer!r} is not finite"
            if size > largest:
                largest, where = size, position
    return f"the largest output, {largest:.3g}, is that of layer {where} {network[where]!r}"


def _mass(loss: Loss, batch: Example) -> float:
    """What a batch's loss counts: its samples (or their weights) where it is a mean."""
    if loss.reduction != "mean":
        return 1.0
    return float(len(batch.x)) if batch.weight is None else float(batch.weight.sum())


def _decay(params: Any, grads: Any, decay: float) -> None:
    """Add λ W to the gradients of weights; biases, of one axis, are left free."""
    for p, g in zip(leaves_of(params), leaves_of(grads), strict=True):
        if p.ndim > 1:
            g += g.dtype.type(decay) * p
