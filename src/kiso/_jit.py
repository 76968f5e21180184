"""Compiled loops: the only place that names Numba.

A loop is a module-level function marked with `compiled`. Numba is imported, and the
loops of a module are bound to it, when one of them is first called, so that importing
kiso never pays for Numba. What Numba compiles it keeps on disk beside the module or,
where the install is read-only, in the user's cache folder.

Write loops so that they hit that cache: no closures, no functions as arguments, and
callees in the same file (a callee imported from elsewhere goes stale in it).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# All of LLVM's liberties but nnan and ninf: with those `isnan` would be false, always.
FAST_MATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

_lock = threading.RLock()


class _Loop(Generic[P, R]):
    """A function that becomes its compiled form at the first call."""

    def __init__(self, function: Callable[P, R], fast: bool):
        self.py_func = function
        self.fast = fast
        self._compiled: Callable[P, R] | None = None
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._compiled is None:
            _bind_module(self.py_func.__globals__)
            assert self._compiled is not None
        return self._compiled(*args, **kwargs)

    def bind(self) -> Callable[P, R]:
        """Make (once) and return Numba's dispatcher of this function."""
        import numba

        if self._compiled is None:
            # said even where it is False: a loop that is not told inherits its caller's policy
            fast: Any = set(FAST_MATH) if self.fast else False
            options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fast}
            try:
                self._compiled = numba.njit(self.py_func, cache=True, **options)
            except RuntimeError:  # neither the install nor the user's cache can be written
                self._compiled = numba.njit(self.py_func, **options)
        compiled = self._compiled
        assert compiled is not None
        return compiled


def _bind_module(module_globals: dict[str, Any]) -> None:
    """Put dispatchers in place of every loop of a module: loops see their callees so."""
    with _lock:
        for name, value in list(module_globals.items()):
            if isinstance(value, _Loop):
                module_globals[name] = value.bind()


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop with the house's fast-math policy, without the GIL, cached on disk."""
    return _Loop(function, fast=True)


def compiled_strict(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop that must follow IEEE 754 to the letter (compensated sums)."""
    return _Loop(function, fast=False)
