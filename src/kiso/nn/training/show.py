"""A progress bar around the states of a training run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .train_state import TrainState

__all__ = ["shown"]


def shown(states: Iterator[TrainState], n_steps: int | None) -> Iterator[TrainState]:
    """Pass states on, and show steps, epoch, objective, validation and the time that is left.

    Parameters
    ----------
    states : iterator of TrainState
    n_steps : int or None
        Steps of the whole run, where that is known.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[Any] = [
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=n_steps, figures="")
        for state in states:
            progress.update(task, completed=state.n_iter, figures=_figures(state))
            yield state


def _figures(state: TrainState) -> str:
    """The figures of a state in one line."""
    values = {"objective": state.objective}
    values |= {f"validation {name}": value for name, value in state.metrics.items()}
    text = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    return f"epoch {state.epoch}  {text}"
