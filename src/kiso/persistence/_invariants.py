"""What must hold of the arrays in a model file before compiled code runs on them.

Compiled loops follow indices without asking. A file may have been damaged or made by hand, so that
each loaded object that says what must hold of it (`check_loaded(n_features)`, beside its class)
is asked before the model is given out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_invariants"]


def check_invariants(content: Any) -> None:
    """Ask every object in a loaded model whether its arrays fit together.

    Raises
    ------
    ValueError
        With what does not hold.
    """
    seen: set[int] = set()
    stack: list[tuple[Any, int | None]] = [(content, None)]
    while stack:
        value, n_features = stack.pop()
        if id(value) in seen or isinstance(value, str | bytes | int | float | None):
            continue
        seen.add(id(value))
        n_features = getattr(value, "n_features_in_", n_features)
        check = getattr(value, "check_loaded", None)
        if callable(check):
            check(n_features)
        stack += [(part, n_features) for part in _parts(value)]


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, np.ndarray):
        return list(value.ravel()) if value.dtype == object else []
    return list(vars(value).values()) if hasattr(value, "__dict__") else []
