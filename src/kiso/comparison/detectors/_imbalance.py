"""A class so rare that always answering the other is nearly always right."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["rare_class"]

RARE = 0.05


def rare_class(counts: Sequence[int]) -> int | None:
    """Return the place of the rarer of two classes where it has less than 5 % of the rows.

    Of more than two classes, the rarest, where the most frequent has more than 95 %.

    Examples
    --------
    >>> rare_class([980, 20]), rare_class([600, 400]), rare_class([970, 20, 10])
    (1, None, 2)
    """
    if len(counts) < 2 or max(counts) <= (1 - RARE) * sum(counts):
        return None
    return min(range(len(counts)), key=lambda place: counts[place])
