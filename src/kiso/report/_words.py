"""Numbers, durations and sizes as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

NONE = "–"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with so many significant digits; a dash for none."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < 1e-12:  # rounding
        return "0"
    text = f"{value:,.{digits}g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else f"{value:.3g}"
    if "e" in text and 1e-4 <= abs(value) < 1e6:  # 12345 at four digits is 1.234e+04
        text = f"{value:,.0f}"
    return text.replace("-", "−") if "e" not in text else text


def fixed(value: float | None, decimals: int) -> str:
    """Return a number with so many decimals, as a column of a table wants it."""
    if value is None or not math.isfinite(value):
        return number(value)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def decimals(values: Iterable[float], digits: int = 4) -> int:
    """Return how many decimals show the largest of the values with so many digits."""
    largest = max((abs(v) for v in values if math.isfinite(v) and v), default=1.0)
    return min(max(digits - 1 - math.floor(math.log10(largest)), 0), 12)


def count(value: int | None) -> str:
    """Return a whole number with separators; a dash for none."""
    return NONE if value is None else f"{value:,}"


def seconds(value: float | None) -> str:
    """Return a duration in the unit that suits it."""
    if value is None or math.isnan(value):
        return NONE
    if value < 0.9995e-3:
        return f"{value * 1e6:.0f} µs"
    if value < 0.9995:
        return f"{value * 1e3:.3g} ms"
    if value < 99.95:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(value: float | None) -> str:
    """Return a number of bytes in the unit that suits it (powers of 1000)."""
    if value is None or math.isnan(value):
        return NONE
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB" if abs(value) < 999.5 else f"{value:,.0f} GB"


def between(values: Sequence[int]) -> str:
    """Return "30" or "30 to 31": one number where they are all the same."""
    if not values:
        return NONE
    low, high = min(values), max(values)
    return count(low) if low == high else f"{count(low)} to {count(high)}"


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return NONE if math.isnan(share) else f"{100 * share:.3g} %"
