"""What the constructions can be asked for, and what is said otherwise."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

ORDERS = (2, 4, 6, 8)


def check_fraction(name: str, value: Any) -> Fraction:
    """Return a number as the fraction that it is."""
    try:
        return Fraction(value.item() if isinstance(value, np.generic) else value)
    except (TypeError, ValueError, ArithmeticError):
        raise ValueError(f"{name}={value!r}: give a finite number") from None


def check_positive(name: str, value: Any) -> Fraction:
    """Return a positive number as a fraction."""
    number = check_fraction(name, value)
    if number <= 0:
        raise ValueError(f"{name}={value}: give a number > 0")
    return number


def check_alpha(alpha: float | Fraction | None, bound: Fraction, s: int) -> Fraction:
    """Return the shift; None is bound/s."""
    return bound / s if alpha is None else check_positive("alpha", alpha)


def check_powers(powers: list[Any]) -> list[int]:
    """Return the powers; none may be negative, doubled or missing."""
    whole = all(isinstance(p, int | np.integer) and p >= 0 for p in powers)
    if not powers or not whole or len(set(powers)) != len(powers):
        raise ValueError(f"powers={powers}: give different whole numbers >= 0, at least one")
    return [int(p) for p in powers]


def check_order(order: int) -> int:
    """Return an order that is known."""
    if order not in ORDERS:
        raise ValueError(f"order={order}: give one of {', '.join(map(str, ORDERS))}")
    return order


def check_degree(degree: int) -> int:
    """Return a degree that is not negative."""
    if degree < 0:
        raise ValueError(f"degree={degree}: give 0 or more")
    return degree


def check_interval(interval: tuple[float, float]) -> tuple[Fraction, Fraction]:
    """Return both ends as fractions."""
    low, high = (check_fraction("interval", end) for end in interval)
    if not low < high:
        raise ValueError(f"interval={interval}: give two numbers, the lower first")
    return low, high
