"""Training: a generator of states.

    θ ← θ − step of the rule for  ∇ weight · C_batch(θ) + λ W

over mini-batches of the data, epoch after epoch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kiso._validation import Array, RandomState, check_generator
from kiso.losses import Loss
from kiso.optim import Rule
from kiso.optim._check import check_count, check_real
from kiso.optim._rule import check_rule

from ..compiled.engine import CompiledEngine
from ..layers.layer import ShapeError
from ..layers.plain import is_plain
from ..layers.run import Run
from .engine import Engine, LayerEngine, decays_itself, without_decay
from .feed import Feed, RowFeed, check_data, make_feed
from .network import Network
from .show import shown
from .states import States
from .train_state import TrainState, TrainStatus
from .trainer import Metric, Plan, Trainer

__all__ = ["TrainState", "TrainStatus", "train"]


def train(
    network: Network,
    loss: Loss,
    data: Any,
    rule: Rule,
    *,
    n_epochs: int | Literal["auto"] | None = "auto",
    n_steps: int | None = None,
    batch_size: int = 32,
    replace: bool = False,
    drop_last: bool = False,
    every: int | None = None,
    sample_weight: Array | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    keep_best: bool | None = None,
    weight_decay: float = 0.0,
    clip_norm: float | None = None,
    random_state: RandomState = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    loop: Literal["auto", "layers", "compiled"] = "auto",
    show: bool = False,
) -> Iterator[TrainState]:
    """Train a network in place; yield a state every so many steps.

    After each state the network is as of that state. With the last one, and when the run ends
    in another way (Ctrl-C, a caller that stops), it has the best weights if those are kept.

    Parameters
    ----------
    network : Network
        Its arrays are changed.
    loss : Loss
        From `kiso.losses`.
    data : (X, t), or iterable of (x, t) or (x, t, sample_weight)
        Arrays or memory maps with one sample along the first axis; or batches, one pass of
        the iterable an epoch.
    rule : Rule
        From `kiso.optim`, with its schedule.
    n_epochs : int, None or "auto", default="auto"
        Passes over the data; None sets no limit. "auto" is 1, or no limit where `n_steps` is
        given.
    n_steps : int or None, default=None
        Steps. Where both are given the run ends with whichever comes first.
    batch_size : int, default=32
        Samples a step; all of them if there are fewer.
    replace : bool, default=False
        Draw each batch independently; otherwise go through all samples in a new order each
        epoch. The short last batch of an epoch counts each of its samples as the others do.
    drop_last : bool, default=False
        Leave out the short last batch of an epoch (batch normalisation needs two samples).
    every : int or None, default=None
        Steps from one state to the next; None for an epoch. An iterable gives one at the
        end of each pass too.
    sample_weight : ndarray of shape (n,) or None, default=None
    validation : (X, t) or None, default=None
        Its loss and metrics are computed at each state.
    metrics : mapping of str to callable, default=None
        `metric(prediction, t) -> float` on the validation data.
    patience : int or None, default=None
        Stop after so many states in a row that are no better than the best by `min_delta`.
    min_delta : float, default=0.0
    keep_best : bool or None, default=None
        Put the best weights back at the end; None does so where there is validation data.
    weight_decay : float, default=0.0
        λ: λ W is added to the gradients of weights, not of biases. With a rule that decays by
        itself (`AdamW`, `Lion`) it takes the place of the rule's own and is decoupled as there:
        W ← (1 − η λ) W before the step, weights alone. The objective is the loss alone.
    clip_norm : float or None, default=None
        Largest norm of the gradient; longer ones are scaled down to it.
    random_state : int, Generator, RandomState or None, default=None
        Of the order of samples, and of dropout.
    checkpoint : path-like or None, default=None
        File that is written at each state, at once or not at all.
    resume : path-like or None, default=None
        Go on from such a file. With the same other arguments the result is that of a run
        that was never stopped, to the last bit.
    loop : {"auto", "layers", "compiled"}, default="auto"
        "compiled" is one compiled loop, for affine layers with activations, the squared
        error and cross-entropies, gradient descent, momentum, Nesterov and Adam; "auto"
        takes it where it can and wins. It rounds in another order.
    show : bool, default=False
        Show a bar of the steps with the objective, the validation figures and the time that is
        left; it moves at each state.

    Yields
    ------
    TrainState
        The last has another status than RUNNING.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, data hold NaN, or shapes do not fit: before the
        first step, as far as that can be seen.
    WeightsError
        If the file to resume from is damaged or belongs to another network or rule.

    Warns
    -----
    UserWarning
        If a run is resumed with other settings of the rule (its rate, say), another
        `weight_decay` or `clip_norm`: the new ones hold from there on.
    RuntimeWarning
        If the generator is dropped before its first step: nothing was trained.

    Examples
    --------
    >>> from kiso.losses import SquaredError
    >>> from kiso.optim import Adam
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> network = Network.dense([1, 8, 1], random_state=0)
    >>> for state in train(network, SquaredError(), (x, x**2), Adam(0.02), n_epochs=100,
    ...                    batch_size=16, random_state=0):
    ...     pass
    >>> state.n_iter, state.status.name, bool(state.objective < 1e-3)
    (400, 'COMPLETE', True)
    """
    check_rule(rule)
    if n_epochs == "auto":
        n_epochs = 1 if n_steps is None else None
    plan = Plan(n_epochs, n_steps, every, patience, min_delta, metrics or {}, _checked(validation))
    check_count("batch_size", batch_size, least=1)
    check_real("weight_decay", weight_decay, least=0)
    if clip_norm is not None:
        check_real("clip_norm", clip_norm, above=0)
    if loop not in ("auto", "layers", "compiled"):
        raise ValueError(f"loop={loop!r}: give 'auto', 'layers' or 'compiled'")
    seeds = check_generator(random_state).integers(2**63, size=(2, 4))
    feed = make_feed(
        data,
        sample_weight,
        batch_size=batch_size,
        replace=replace,
        drop_last=drop_last,
        n_epochs=n_epochs,
        rng=np.random.default_rng(seeds[0]),
    )
    _check_fit(network, feed)
    run = Run(np.random.default_rng(seeds[1]), reuse_buffers=True)
    engine: Engine | None = None
    if clip_norm is None:
        engine = _compiled(network, loss, feed, rule, weight_decay, loop)
    elif loop == "compiled":
        raise ValueError("loop='compiled': it knows no clip_norm")
    if engine is None:
        decoupled = weight_decay > 0 and decays_itself(rule)
        moved = without_decay(rule) if decoupled else rule
        engine = LayerEngine(
            network, loss, feed, moved, run, weight_decay, clip_norm, decoupled=decoupled
        )
    keep = validation is not None if keep_best is None else keep_best
    settings = {"rule": repr(rule), "weight_decay": weight_decay, "clip_norm": clip_norm}
    trainer = Trainer(network, loss, rule, feed, engine, run, plan, keep, settings)
    if resume is not None:
        trainer.resume(Path(resume))
    states = trainer.states(None if checkpoint is None else Path(checkpoint))
    if show:
        states = shown(states, plan.total(feed))
    return States(states, "train(...)")


def _compiled(
    network: Network, loss: Loss, feed: Feed, rule: Rule, weight_decay: float, loop: str
) -> CompiledEngine | None:
    """Return the compiled loop where it is wanted."""
    if (
        loop == "layers"
        or (loop == "auto" and is_plain())
        or (loop == "auto" and not CompiledEngine.wins(network, feed))
    ):
        return None
    why_not = CompiledEngine.suits(network, loss, feed, rule)
    if why_not and loop == "compiled":
        raise ValueError(f"loop='compiled': {why_not}")
    if why_not:
        return None
    assert isinstance(feed, RowFeed)
    return CompiledEngine(network, loss, feed, rule, weight_decay)


def _checked(validation: tuple[Any, Any] | None) -> tuple[Array, Array] | None:
    """Return the validation data as arrays."""
    if validation is None:
        return None
    if len(validation) != 2:
        raise ValueError("validation: give a tuple (X, t)")
    X, t = check_data("validation: X", validation[0]), check_data("validation: t", validation[1])
    if len(X) != len(t) or len(X) == 0:
        raise ValueError(f"validation: {len(X)} samples and {len(t)} targets")
    return X, t


def _check_fit(network: Network, feed: Feed) -> None:
    """Refuse arrays that do not fit the network, before any step."""
    if isinstance(feed, RowFeed):
        if feed.X.ndim < 2:
            raise ShapeError(f"data: X has shape {feed.X.shape}; give (n_samples, ...)")
        network.output_shape(feed.X.shape[1:])
