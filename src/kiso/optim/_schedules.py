"""Learning rates that change with the step: callables step → rate; the first step is 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ._check import check_count, check_real

Schedule: TypeAlias = Callable[[int], float]
LearningRate: TypeAlias = float | Schedule

__all__ = [
    "Constant",
    "Cosine",
    "InverseTime",
    "LearningRate",
    "OneCycle",
    "Schedule",
    "StepDecay",
    "WarmUp",
    "rate_at",
]


def rate_at(learning_rate: LearningRate, step: int) -> float:
    """Return the learning rate of a step, counted from 0; 0 is allowed of a schedule."""
    if not callable(learning_rate):
        return float(learning_rate)
    rate = float(learning_rate(step))
    if not 0.0 <= rate < math.inf:
        raise ValueError(f"learning_rate gave {rate} at step {step}: give a finite number >= 0")
    return rate


@dataclass(frozen=True)
class Constant:
    """The same rate at every step: η_t = η.

    Parameters
    ----------
    rate : float
        Positive.

    Examples
    --------
    >>> Constant(0.1)(1000)
    0.1
    """

    rate: float

    def __post_init__(self) -> None:
        check_real("rate", self.rate, above=0)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        return self.rate


@dataclass(frozen=True)
class StepDecay:
    """Multiply by a factor at milestones: η_t = η γ^(number of milestones ≤ t).

    Parameters
    ----------
    rate : float
        The rate at step 0; positive.
    every : int or sequence of int
        A period in steps, or the milestones themselves.
    factor : float, default 0.1
        γ, in (0, 1].

    Examples
    --------
    >>> schedule = StepDecay(1.0, every=10, factor=0.5)
    >>> schedule(9), schedule(10), schedule(20)
    (1.0, 0.5, 0.25)
    >>> StepDecay(1.0, every=[3, 4], factor=0.5)(7)
    0.25
    """

    rate: float
    every: int | Sequence[int]
    factor: float = 0.1

    def __post_init__(self) -> None:
        check_real("rate", self.rate, above=0)
        check_real("factor", self.factor, above=0, most=1)
        for milestone in [self.every] if isinstance(self.every, int) else self.every:
            check_count("every", milestone, least=1)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        if isinstance(self.every, int):
            passed = step // self.every
        else:
            passed = sum(step >= milestone for milestone in self.every)
        return self.rate * self.factor**passed


@dataclass(frozen=True)
class InverseTime:
    """Robbins-Monro steps: η_t = η / (1 + t/τ)^p.

    With p = 1 the steps sum to infinity and their squares do not, which is what stochastic
    gradient needs to converge; on a strongly convex function the expected gap is O(1/t).

    Parameters
    ----------
    rate : float
        η, the rate at step 0; positive.
    tau : float, default 1.0
        Steps after which the rate has halved (p = 1); positive.
    power : float, default 1.0
        p, positive.

    References
    ----------
    Robbins & Monro (1951), A stochastic approximation method.

    Examples
    --------
    >>> schedule = InverseTime(1.0, tau=10)
    >>> schedule(0), schedule(10), schedule(30)
    (1.0, 0.5, 0.25)
    """

    rate: float
    tau: float = 1.0
    power: float = 1.0

    def __post_init__(self) -> None:
        check_real("rate", self.rate, above=0)
        check_real("tau", self.tau, above=0)
        check_real("power", self.power, above=0)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        return float(self.rate / (1.0 + step / self.tau) ** self.power)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from η to η_end over T steps, then η_end.

    η_t = η_end + (η − η_end)(1 + cos(π t/T))/2. After T steps the rate stays at η_end, where
    PyTorch's ``CosineAnnealingLR(T_max=T, eta_min=end)`` rises again.

    Parameters
    ----------
    rate : float
        η, positive.
    n_steps : int
        T, at least 1.
    end : float, default 0.0
        η_end, not negative.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR, equation 5, without restarts.

    Examples
    --------
    >>> schedule = Cosine(1.0, n_steps=10)
    >>> round(schedule(0), 6), round(schedule(5), 6), round(schedule(10), 6)
    (1.0, 0.5, 0.0)
    """

    rate: float
    n_steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        check_real("rate", self.rate, above=0)
        check_count("n_steps", self.n_steps, least=1)
        check_real("end", self.end, least=0)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        return _cosine(self.rate, self.end, min(1.0, step / self.n_steps))


@dataclass(frozen=True)
class WarmUp:
    """Rise linearly to another schedule, which then begins: η_t = (t+1)/w · schedule(0).

    Parameters
    ----------
    after : float or Schedule
        The rate that is reached, or the schedule that begins at step w.
    n_steps : int
        w, at least 1. The first step has 1/w of the rate, never none.

    Examples
    --------
    >>> schedule = WarmUp(1.0, n_steps=4)
    >>> [schedule(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    after: LearningRate
    n_steps: int

    def __post_init__(self) -> None:
        check_learning_rate("after", self.after)
        check_count("n_steps", self.n_steps, least=1)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        if step < self.n_steps:
            return rate_at(self.after, 0) * (step + 1) / self.n_steps
        return rate_at(self.after, step - self.n_steps)


@dataclass(frozen=True)
class OneCycle:
    """Up from peak/start_div to the peak, then down to almost nothing; both half cosines.

    The rates of PyTorch's ``OneCycleLR(max_lr=peak, total_steps=n_steps, pct_start=up)``, but
    that its rise ends at step ``pct_start · total_steps − 1``, here at up · (n_steps − 1); the
    momentum, which PyTorch moves the other way by default, stays as it is.

    Parameters
    ----------
    peak : float
        The highest rate; positive.
    n_steps : int
        Length of the cycle, at least 2. Afterwards the rate stays at its end.
    up : float, default 0.3
        Share of the steps that rise; in (0, 1).
    start_div, end_div : float, default 25 and 1e4
        The first rate is peak/start_div, the last peak/(start_div·end_div).

    References
    ----------
    Smith & Topin (2018), Super-convergence.

    Examples
    --------
    >>> schedule = OneCycle(1.0, n_steps=101)
    >>> round(schedule(0), 4), round(schedule(30), 4), round(schedule(100), 8)
    (0.04, 1.0, 4e-06)
    """

    peak: float
    n_steps: int
    up: float = 0.3
    start_div: float = 25.0
    end_div: float = 1e4

    def __post_init__(self) -> None:
        check_real("peak", self.peak, above=0)
        check_count("n_steps", self.n_steps, least=2)
        check_real("up", self.up, above=0, below=1)
        check_real("start_div", self.start_div, least=1)
        check_real("end_div", self.end_div, least=1)

    def __call__(self, step: int) -> float:
        """Return η_t."""
        last = self.n_steps - 1
        top = self.up * last
        start = self.peak / self.start_div
        if step <= top:
            return _cosine(start, self.peak, step / top)
        return _cosine(self.peak, start / self.end_div, min(1.0, (step - top) / (last - top)))


def _cosine(start: float, end: float, share: float) -> float:
    """Return the point of half a cosine from start (share 0) to end (share 1)."""
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0


def check_learning_rate(name: str, value: LearningRate) -> None:
    """Refuse what is neither a positive number nor a schedule."""
    if not callable(value):
        check_real(name, value, above=0, otherwise=" or a schedule step → rate")
