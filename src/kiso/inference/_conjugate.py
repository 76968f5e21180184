"""What the conjugate priors share: intervals, levels, and the contract that they keep.

A prior is a frozen object. `posterior(data)` is another of the same class, so learning from
data in pieces, in any order, is the same as learning from all at once; `predictive()` is
the distribution of the next observation; `log_evidence(data)` is the logarithm of the
probability (density) of the data in the order given, which is the sum of the predictives'
log probabilities as the data come in one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, Protocol, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from kiso._parts import Part, is_parted, parts_of

P = TypeVar("P", bound=Callable[..., Any])


class Interval(NamedTuple):
    """Ends of an interval; arrays where there are several parameters."""

    low: Any
    high: Any


class ConjugatePrior(Protocol):
    """A distribution over parameters that data turn into another of its kind."""

    def posterior(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """The distribution of the parameters after seeing data."""

    def predictive(self) -> Any:
        """The distribution of the next observation, the parameters integrated out."""

    def map(self) -> Any:
        """The most probable parameters."""

    def credible_interval(self, level: float = 0.95) -> Any:
        """Central interval of each parameter that holds it with this probability."""

    def log_evidence(self, data: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log p(data), the parameters integrated out."""


def through_parts(posterior: P) -> P:
    """Let `posterior` take rows in parts: what a part leaves is the prior of the next."""

    @wraps(posterior)
    def by_part(self: Any, data: Any, sample_weight: Any = None) -> Any:
        if not is_parted(data):
            return posterior(self, data, sample_weight)
        rows = parts_of(data, None, sample_weight, targets="raw")
        return rows.fold(_posterior_of_part, self, range(rows.n_parts))

    return cast(P, by_part)


def _posterior_of_part(part: Part, prior: Any) -> Any:
    weight = part.weight
    if weight is not None:
        weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), len(part.X))
    try:
        return prior.posterior(np.asarray(part.X), weight)
    except ValueError as error:
        raise ValueError(f"partition {part.number}: {error}") from error


def check_level(level: float) -> float:
    """Return a probability strictly between 0 and 1."""
    if not 0 < level < 1 or not np.isfinite(level):
        raise ValueError(f"level={level!r}: give a probability between 0 and 1")
    return float(level)
