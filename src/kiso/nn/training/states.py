"""A generator of states that says so when it is dropped before its first step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Generic, TypeVar

S = TypeVar("S")

__all__ = ["States"]


class States(Iterator[S], Generic[S]):
    """States one by one; nothing is computed before the first is asked for.

    Warns
    -----
    RuntimeWarning
        When it is dropped and no state was ever asked for.
    """

    def __init__(self, states: Iterator[S], name: str):
        self._states, self._name, self._begun = states, name, False

    def __next__(self) -> S:
        """Return the next state."""
        self._begun = True
        return next(self._states)

    def close(self) -> None:
        """End the run as it stands."""
        self._begun = True
        self._states.close()  # type: ignore[attr-defined]

    def __del__(self) -> None:
        if not getattr(self, "_begun", True):
            warnings.warn(
                f"{self._name} was dropped before its first step: nothing was done. Iterate over "
                "it, say: for state in states: ...",
                RuntimeWarning,
                stacklevel=2,
            )
