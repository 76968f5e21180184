"""Time as a budget: each model has its share, and what one does not need is for the others.

A fit is stopped within one of its steps: the clock rides along as a callback of
scikit-learn's interface, raises when time is up, and tells how far the fit is.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from ._text import DataError

__all__ = ["Clock", "OneStep", "OutOfBudget", "StepCallback", "Watcher", "budget_seconds"]

_UNITS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*", re.IGNORECASE)


class OutOfBudget(Exception):  # noqa: N818  it is no error
    """A model's time is up."""


class Watcher(Protocol):
    """Who wants to see progress: the command line's bars, a notebook, nobody."""

    def begin(self, totals: Mapping[str, int]) -> None:
        """Say which models will run and how many fits each will take."""

    def advance(self, name: str, done: float, note: str) -> None:
        """Say that a model has done so many fits (with fractions), and what it is at."""

    def finish(self, name: str, status: str) -> None:
        """Say that a model is through its folds, or why not."""

    def end(self) -> None:
        """Say that nothing more will come."""


class Clock:
    """The whole budget, and the deadline of the piece of work at hand.

    Parameters
    ----------
    seconds : float or None
        None for no limit.
    now : callable
        Seconds from some origin; monotonic.
    """

    def __init__(self, seconds: float | None, now: Callable[[], float] = time.perf_counter):
        self.now = now
        self.began = now()
        self.limit = float("inf") if seconds is None else float(seconds)
        self.deadline = self.began + self.limit
        self.interrupted = False

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.now() - self.began

    @property
    def left(self) -> float:
        """Seconds left of the whole budget."""
        return self.limit - self.elapsed

    def allow(self, seconds: float) -> None:
        """Let the next piece of work take so long, within the whole budget."""
        self.deadline = self.now() + min(seconds, self.left)

    def check(self) -> None:
        """Raise `OutOfBudget` if the piece of work is over its time, and after Ctrl-C that."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self.now() > self.deadline:
            raise OutOfBudget

    @contextmanager
    def heeding_interrupts(self) -> Iterator[None]:
        """Note Ctrl-C, so that the next `check` raises it if it got lost on its way.

        KeyboardInterrupt is raised wherever the interpreter happens to be; in a destructor
        or a callback of the compiler it would be printed and forgotten: here it is only noted.
        """
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):
            yield
            return

        def note(number: int, frame: Any) -> None:
            self.interrupted = True
            handler(number, frame)

        try:
            signal.signal(signal.SIGINT, note)
        except ValueError:  # signals reach the main thread only
            yield
            return
        print_unraisable = sys.unraisablehook

        def forget(unraisable: Any) -> None:
            if not issubclass(unraisable.exc_type, KeyboardInterrupt):
                print_unraisable(unraisable)

        sys.unraisablehook = forget
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
            sys.unraisablehook = print_unraisable


class StepCallback:
    """A callback that checks the clock after each step of a fit and reports progress."""

    def __init__(self, clock: Clock, report: Callable[[float], None]):
        self.clock, self.report = clock, report
        self.steps = 0
        self.max_steps: int | None = None

    def setup(self, estimator: Any, context: Any) -> None:
        """Learn how many steps there can be."""
        self.max_steps = context.max_subtasks

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to put away."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing to do before a step."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """After a step: is there time, and how far are we."""
        if context.parent is None:
            return
        self.steps += 1
        self.clock.check()
        if self.max_steps:
            self.report(min(1.0, self.steps / self.max_steps))


class OneStep:
    """A callback that ends a fit after its first step."""

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing to set up."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to put away."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing to do before the step."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Ask to stop."""
        return True


def budget_seconds(text: str | float | None) -> float | None:
    """Turn "90", "60s", "2m", "1.5h", "1m30s" or a number into seconds.

    Raises
    ------
    DataError
        If it is no positive length of time.

    Examples
    --------
    >>> budget_seconds("1m30s")
    90.0
    """
    if text is None:
        return None
    message = f"The budget {text!r} is no length of time: write 60s, 2m or 1m30s."
    if not isinstance(text, str):
        seconds = float(text)
    else:
        parts = list(_DURATION.finditer(text))
        if not parts or "".join(part.group(0) for part in parts) != text:
            raise DataError(message)
        if any(part.group(2).lower() not in _UNITS for part in parts):
            raise DataError(message)
        seconds = sum(float(p.group(1)) * _UNITS[p.group(2).lower()] for p in parts)
    if not 0 < seconds < float("inf"):
        raise DataError(message)
    return seconds
