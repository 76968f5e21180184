"""Refusing bad hyper-parameters: the message names what was given and what is allowed."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def check_real(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    otherwise: str = "",
) -> None:
    """Refuse what is not a finite number within these limits."""
    limits = [("> ", above), (">= ", least), ("< ", below), ("<= ", most)]
    allowed = " and ".join(f"{sign}{limit:g}" for sign, limit in limits if limit is not None)
    allowed = f"a finite number{' ' if allowed else ''}{allowed}{otherwise}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r}: give {allowed}")
    number = float(value)
    if (
        not math.isfinite(number)
        or (above is not None and not number > above)
        or (least is not None and not number >= least)
        or (below is not None and not number < below)
        or (most is not None and not number <= most)
    ):
        raise ValueError(f"{name}={value!r}: give {allowed}")


def check_count(name: str, value: Any, *, least: int = 0) -> None:
    """Refuse what is not an integer of at least this size."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r}: give an integer >= {least}")
    if value < least:
        raise ValueError(f"{name}={value!r}: give an integer >= {least}")
