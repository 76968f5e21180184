"""Compiled loops: the only place that names Numba.

A loop is a module-level function marked with `compiled`. Numba is imported, and the
loops of a module are bound to it, when one of them is first called, so that importing
kiso never pays for Numba. What Numba compiles it keeps on disk beside the module or,
where the install is read-only, in the user's cache folder.

Write loops so that they hit that cache: no closures and no functions as arguments. A loop
may call loops of other files: what is kept of it is stale when one of those changes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
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
        self._ready = False
        functools.update_wrapper(self, function)
        self.__globals__ = function.__globals__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._ready:  # bound alone is not enough: its callees have to be, too
            _bind_module(self.py_func.__globals__)
            assert self._compiled is not None
            self._ready = True
        compiled: Any = self._compiled
        return compiled(*args, **kwargs)

    def bind(self) -> Callable[P, R]:
        """Make (once) and return Numba's dispatcher of this function."""
        import numba

        if self._compiled is None:
            # said even where it is False: a loop that is not told inherits its caller's policy
            fast: Any = set(FAST_MATH) if self.fast else False
            options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fast}
            try:
                self._compiled = numba.njit(self.py_func, cache=True, **options)
                _stamp_sources(self._compiled, self.__globals__.get("__file__", ""))
            except RuntimeError:  # neither the install nor the user's cache can be written
                self._compiled = numba.njit(self.py_func, **options)
        compiled = self._compiled
        assert compiled is not None
        return compiled


def _bind_module(module_globals: dict[str, Any]) -> None:
    """Put dispatchers in place of every loop of a module: loops see their callees so.

    Loops of other modules that it calls are bound in their own modules first.
    """
    with _lock:
        own = module_globals.get("__file__", "")
        if own and own in _sources:
            return
        loops = [
            (name, v) for name, v in module_globals.items() if isinstance(v, _Loop | Intrinsic)
        ]
        _sources[own] = {own}
        for _, value in loops:
            home = value.__globals__
            if home is not module_globals:
                _bind_module(home)
                _sources[own] |= _sources[home.get("__file__", "")]
        # at once, or a thread would meet loops whose callees are not bound yet
        module_globals.update({name: value.bind() for name, value in loops})


_sources: dict[str, set[str]] = {}
"""For each file whose loops are bound: it and the files of all loops that those call."""


def _stamp_sources(dispatcher: Any, own: str) -> None:
    """Let the cache of a loop be stale, too, when a file changes whose loops it calls."""
    others = sorted(_sources.get(own, set()) - {own})
    cache: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if others and hasattr(cache, "_source_stamp"):
        stamps = [(n, Path(n).stat().st_mtime) for n in others if Path(n).exists()]
        cache._source_stamp = (cache._source_stamp, *stamps)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop with the house's fast-math policy, without the GIL, cached on disk."""
    return _Loop(function, fast=True)


def compiled_strict(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop that must follow IEEE 754 to the letter (compensated sums)."""
    return _Loop(function, fast=False)


class Intrinsic:
    """A function that is written in the instructions of LLVM, for use inside loops.

    Parameters
    ----------
    build : callable
        Makes Numba's intrinsic, or a compiled function of some; called once, when it is needed.
    slow : callable
        Python of the same meaning, for where nothing is compiled.
    """

    def __init__(self, build: Callable[[], Any], slow: Callable[..., Any]) -> None:
        self.build, self.slow = build, slow
        self.__globals__ = slow.__globals__
        self._built: Any = None

    def bind(self) -> Any:
        """Make (once) and return what loops call."""
        if self._built is None:
            import numba

            settings: Any = numba.config
            self._built = self.slow if settings.DISABLE_JIT else self.build()
        return self._built
