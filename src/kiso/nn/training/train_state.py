"""What a training run says of itself after so many steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from kiso.base import State

__all__ = ["TrainState", "TrainStatus"]


class TrainStatus(Enum):
    """How a training run stands; the value says it in words."""

    RUNNING = "not over yet"
    COMPLETE = "all steps were taken"
    STOPPED_EARLY = "no state was better for as long as `patience` allows"
    DIVERGED = "a loss or a gradient was not finite"


@dataclass(frozen=True, kw_only=True)
class TrainState(State):
    """Where a training run stands.

    Attributes
    ----------
    n_iter : int
        Steps taken.
    objective : float
        Mean loss of the batches since the last state, each before its step.
    converged : bool
        Whether the run ended as planned (COMPLETE or STOPPED_EARLY).
    epoch : int
        Passes over the data that are complete.
    learning_rate : float
        η of the last step; NaN for a rule that has none.
    gradient_norm : float
        Of the last step, as the rule saw it but for clipping.
    metrics : mapping
        On the validation data: "loss", and what was asked for.
    best : bool
        Whether no state before was as good (validation loss, without it the objective).
    status : TrainStatus
        RUNNING but for the last state.
    detail : str
        For DIVERGED, at which step and in which layer.
    """

    epoch: int
    learning_rate: float
    gradient_norm: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    best: bool = False
    status: TrainStatus = TrainStatus.RUNNING
    detail: str = ""

    @property
    def step(self) -> int:
        """Steps taken: `n_iter`."""
        return self.n_iter
