"""How the steps of a training run are taken; here: layer by layer.

An engine takes n steps at a time and says what they cost; the training loop around it
(`training/train.py`) does not know which it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kiso._validation import Array
from kiso.losses import Loss
from kiso.optim import ClipNorm, NonFiniteGradientError, Rule, global_norm
from kiso.optim._schedules import rate_at
from kiso.optim._tree import leaves_of, named_leaves

from ..layers.layer import layers_within
from ..layers.run import Run
from .feed import Example, Feed
from .network import Network

__all__ = [
    "Engine",
    "LayerEngine",
    "Progress",
    "bad_gradient",
    "largest_output",
    "learning_rate_of",
]


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

    def resume_at(self, n_iter: int) -> None:  # noqa: B027  most count by the rule's state
        """Go on after this many steps, when `rule_state` has been read."""


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
        *,
        decoupled: bool = False,
    ):
        self.network, self.loss, self.feed, self.run = network, loss, feed, run
        self.rule = rule if clip_norm is None else ClipNorm(rule, clip_norm)
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.params = network.parameters
        self.rule_state = self.rule.init(self.params)
        self.grads: Any = None  # of the last step
        self.known = {id(layer) for _, layer in layers_within(network)}
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

    def _moved(self, taken: int) -> Any:
        """Let the rule take its step; a decoupled decay shrinks the weights first."""
        if self.decoupled:
            refuse_non_finite(self.grads, taken + 1)
            shrink = 1 - learning_rate_of(self.rule, taken) * self.weight_decay
            for p in leaves_of(self.params):
                if p.ndim > 1:
                    p *= p.dtype.type(shrink)
        return self.rule.update(self.grads, self.rule_state, self.params, in_place=True)

    def resume_at(self, n_iter: int) -> None:
        """Count the steps from there."""
        self.n_iter = n_iter

    def _descend(self, value: float, batch: Example) -> str:
        """Take the step, unless something is not finite: then say what."""
        step = self.n_iter + 1
        if not np.isfinite(value):
            return f"step {step}: the loss is {value}; {largest_output(self.network, batch.x)}"
        if batch.factor != 1.0:
            for g in leaves_of(self.grads):
                g *= g.dtype.type(batch.factor)
        if self.weight_decay and not self.decoupled:
            _decay(self.params, self.grads, self.weight_decay)
        taken = self.n_iter
        try:
            _, self.rule_state = self._moved(taken)
        except NonFiniteGradientError:
            return f"step {step}: {bad_gradient(self.network, self.grads, batch.x)}"
        for layer, _ in self.run.statistics:
            if id(layer) not in self.known:
                raise TypeError(
                    f"{layer!r} records running statistics and is in no attribute of a layer of "
                    "the network, so they could not be saved; keep it in an attribute"
                )
        self.run.apply_statistics()
        self.n_iter = step
        return ""


def refuse_non_finite(grads: Any, step: int) -> None:
    """Raise where a gradient is not finite, before anything is moved."""
    for name, g in named_leaves(grads):
        if not np.isfinite(g).all():
            raise NonFiniteGradientError(step, name, float(g[~np.isfinite(g)][0]))


def decays_itself(rule: Any) -> bool:
    """Whether the innermost rule has a decoupled decay of its own."""
    while hasattr(rule, "rule"):
        rule = rule.rule
    return hasattr(rule, "weight_decay")


def without_decay(rule: Any) -> Any:
    """Return the same rule, the innermost without decay."""
    if hasattr(rule, "rule"):
        return replace(rule, rule=without_decay(rule.rule))
    return replace(rule, weight_decay=0.0)


def learning_rate_of(rule: Any, step: int) -> float:
    """Return the rate of a step (from 0), through rules around rules; NaN where there is none."""
    while hasattr(rule, "rule"):
        rule = rule.rule
    rate = getattr(rule, "learning_rate", None)
    return float("nan") if rate is None else rate_at(rate, step)


def bad_gradient(network: Network, grads: Any, x: Array) -> str:
    """Say which gradient is the first that is not finite."""
    bad = next(name for name, g in named_leaves(grads) if not np.isfinite(g).all())
    layer = int(bad.partition(".")[0])
    return (
        f"the gradient of {bad}, in layer {layer} {network[layer]!r}, is not finite; "
        f"{largest_output(network, x)}"
    )


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
    return loss.mass(batch.t, batch.weight)


def _decay(params: Any, grads: Any, decay: float) -> None:
    """Add λ W to the gradients of weights; biases, of one axis, are left free."""
    for p, g in zip(leaves_of(params), leaves_of(grads), strict=True):
        if p.ndim > 1:
            g += g.dtype.type(decay) * p
