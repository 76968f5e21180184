"""The course of a training run: strides of steps, validation, the best weights, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from kiso._validation import Array
from kiso.losses import Loss
from kiso.optim import Rule
from kiso.optim._check import check_count, check_real

from ..layers.run import Run
from .checkpoint import Checkpoint, load_checkpoint, plain_text, save_checkpoint
from .engine import Engine, learning_rate_of
from .feed import Feed
from .network import Network
from .train_state import TrainState, TrainStatus
from .weights import WeightsError, named_arrays

__all__ = ["Metric", "Plan", "Trainer", "predict_in_blocks"]

Metric: TypeAlias = Callable[[Array, Array], float]

_ENDLESS = 2**62  # steps


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to look at."""

    n_epochs: int | None
    n_steps: int | None
    every: int | None
    patience: int | None
    min_delta: float
    metrics: Mapping[str, Metric]
    validation: tuple[Any, Any] | None

    def __post_init__(self) -> None:
        for name in ("n_epochs", "n_steps", "every", "patience"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), least=1)
        check_real("min_delta", self.min_delta, least=0)
        if self.metrics and self.validation is None:
            raise ValueError("metrics: they are computed on validation data; give validation")

    def last_step(self, feed: Feed) -> int:
        """Number of the last step; out of reach where the data say when to end."""
        last = _ENDLESS if self.n_steps is None else self.n_steps
        if feed.n_batches is not None and self.n_epochs is not None:
            last = min(last, self.n_epochs * feed.n_batches)
        return last

    def total(self, feed: Feed) -> int | None:
        """Steps of the whole run, or None where the data say when to end."""
        last = self.last_step(feed)
        return None if last == _ENDLESS else last


class Trainer:
    """One training run: what moves besides the network."""

    def __init__(
        self,
        network: Network,
        loss: Loss,
        rule: Rule,
        feed: Feed,
        engine: Engine,
        run: Run,
        plan: Plan,
        keep_best: bool,
        settings: Mapping[str, Any],
    ):
        self.network, self.loss, self.rule = network, loss, rule
        self.feed, self.engine, self.run, self.plan = feed, engine, run, plan
        self.arrays = named_arrays(network)
        self.settings = dict(settings)
        self.keep_best = keep_best
        self.best = {name: a.copy() for name, a in self.arrays.items()} if keep_best else {}
        self.best_value = float("inf")
        self.since_best = 0
        self.n_iter = 0

    def states(self, checkpoint: Path | None) -> Iterator[TrainState]:
        """Train, and say after each stride how it stands."""
        last = self.plan.last_step(self.feed)
        status = TrainStatus.RUNNING
        objective = gradient_norm = float("nan")
        try:
            while status is TrainStatus.RUNNING:
                wanted = max(0, min(self._stride(), last - self.n_iter))
                progress = self.engine.advance(wanted)
                self.n_iter += progress.n_steps
                complete = self.n_iter >= last or self.feed.ended
                if not (progress.n_steps or progress.fault or complete):
                    continue  # a pass ended just where a state was given
                if progress.mass:
                    objective = progress.loss / progress.mass
                    gradient_norm = progress.gradient_norm
                metrics = self._validate() if not progress.fault else {}
                better = not progress.fault and self._note(metrics.get("loss", objective))
                if progress.fault:
                    status = TrainStatus.DIVERGED
                elif complete:
                    status = TrainStatus.COMPLETE
                elif self.plan.patience is not None and self.since_best >= self.plan.patience:
                    status = TrainStatus.STOPPED_EARLY
                if checkpoint is not None and status is not TrainStatus.DIVERGED:
                    save_checkpoint(checkpoint, self._checkpoint())
                if status is not TrainStatus.RUNNING:
                    self._put_best_back()
                yield TrainState(
                    n_iter=self.n_iter,
                    objective=objective,
                    converged=status in (TrainStatus.COMPLETE, TrainStatus.STOPPED_EARLY),
                    epoch=self.feed.epoch,
                    learning_rate=learning_rate_of(self.rule, max(0, self.n_iter - 1)),
                    gradient_norm=gradient_norm,
                    metrics=metrics,
                    best=better,
                    status=status,
                    detail=progress.fault,
                )
        finally:
            self._put_best_back()

    def _put_best_back(self) -> None:
        if self.keep_best and np.isfinite(self.best_value):
            for name, array in self.arrays.items():
                array[...] = self.best[name]

    def _stride(self) -> int:
        if self.plan.every is not None:
            return self.plan.every
        n = self.feed.n_batches
        return _ENDLESS if n is None else n - self.n_iter % n

    def _validate(self) -> dict[str, float]:
        if self.plan.validation is None:
            return {}
        X, t = self.plan.validation
        with np.errstate(over="ignore", invalid="ignore"):  # it may be about to diverge
            y = predict_in_blocks(self.network, X)
            values = {"loss": self.loss.value(y, t)}
        return values | {name: float(f(y, t)) for name, f in self.plan.metrics.items()}

    def _note(self, value: float) -> bool:
        """Say whether this is the best so far, and keep the weights if so."""
        if not value < self.best_value - self.plan.min_delta:
            self.since_best += 1
            return False
        self.best_value, self.since_best = value, 0
        for name, kept in self.best.items():
            kept[...] = self.arrays[name]
        return True

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            network=self.network,
            rule=self.rule,
            rule_state=self.engine.rule_state,
            best=self.best,
            progress={
                "n_iter": self.n_iter,
                "best_value": self.best_value,
                "since_best": self.since_best,
                "feed": self.feed.position(),
                "dropout": self.run.rng.bit_generator.state,
                "loss": repr(self.loss),
                "settings": plain_text(self.settings),
            },
        )

    def resume(self, path: Path) -> None:
        """Take up a run where a checkpoint left it."""
        progress = load_checkpoint(path, self._checkpoint(), lambda at: self._place(path, at))
        self.n_iter = progress["n_iter"]
        self.best_value, self.since_best = progress["best_value"], progress["since_best"]
        self.engine.resume_at(self.n_iter)

    def _place(self, path: Path, progress: dict[str, Any]) -> None:
        """Move generators and data to where a checkpoint was; on an error they stay."""
        before = self.run.rng.bit_generator.state
        field = "dropout"
        try:
            self.run.rng.bit_generator.state = progress["dropout"]
            field = "feed"
            self.feed.move_to(progress["feed"])
        except (TypeError, KeyError, OverflowError, AttributeError) as error:
            self.run.rng.bit_generator.state = before
            raise WeightsError(f"{path}: {field} is damaged ({error!r})") from error
        except ValueError as error:  # another generator, other data: the message says which
            self.run.rng.bit_generator.state = before
            raise WeightsError(f"{path}: {field}: {error}") from error


def predict_in_blocks(network: Network, X: Any) -> Array:
    """Return the outputs for many rows, in blocks so that hidden layers stay small."""
    n_rows = network.block_rows
    if len(X) <= n_rows:
        return network(X)
    blocks = [network(X[start : start + n_rows]) for start in range(0, len(X), n_rows)]
    return np.concatenate(blocks)
