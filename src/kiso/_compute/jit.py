"""Compiled loops: the wrapper round Numba, and everything private of Numba that it needs.

A loop is a module-level function marked with `compiled`. Numba is imported, and the loops of a
module are bound to it, when one of them is first called, so that importing kiso never pays for
Numba. Machine code comes, in this order, from a store (`store.py`: what the wheel brought or
`kiso warm` wrote), from Numba's own cache on disk (beside the module or, where the install is
read-only, in the user's cache folder), or from the compiler.

All loops of a process are compiled for one level of the processor (`levels.py`), by a code
generator of their own: other users of Numba in the process are not concerned.

Write loops so that they can be kept: no closures and no functions as arguments. A loop may call
loops of other files: what is kept of it is stale when one of those changes.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from kiso._compute import levels, store

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# All of LLVM's liberties but nnan and ninf: with those `isnan` would be false, always.
FAST_MATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

compilations: list[str] = []
"""Loops that had to be compiled in this process: "module:name", in order."""

_log = logging.getLogger("kiso.loops")
_lock = threading.RLock()
_thread = threading.local()  # .compiling: whether this thread is inside the compiler


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
            _import_numba()
            _bind_module(self.py_func.__globals__)
            assert self._compiled is not None
            self._ready = True
        compiled: Any = self._compiled
        return compiled(*args, **kwargs)

    def bind(self) -> Callable[P, R]:
        """Make (once) and return Numba's dispatcher of this function."""
        if self._compiled is None:
            self._compiled = dispatcher(self.py_func, fast=self.fast, cache=True)
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


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop with the house's fast-math policy, without the GIL, kept on disk."""
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


def dispatcher(function: Callable[..., Any], *, fast: bool = False, cache: bool = False) -> Any:
    """Return Numba's dispatcher of a function, or the function where nothing is compiled."""
    import numba

    settings: Any = numba.config
    if settings.DISABLE_JIT:
        return function
    # said even where it is False: a loop that says nothing inherits its caller's policy
    options = {
        "nopython": True,
        "boundscheck": None,
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(FAST_MATH) if fast else False,
    }
    made = _numba_classes()["Dispatcher"](function, targetoptions=options)
    if cache:
        made.enable_caching()
    return made


def entries() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield ("module:name", types of the arguments) of what was called from Python so far."""
    for made in _dispatchers:
        for args in made.overloads:
            yield made.loop_name, args


_dispatchers: list[Any] = []


def _private(name: str) -> Any:
    """Return a module of `numba.core`, none of which is a public interface."""
    return import_module(f"numba.core.{name}")


@functools.cache
def _numba_classes() -> dict[str, Any]:
    """Derive kiso's code generator, library and dispatcher from Numba's.

    Numba's own classes generate machine code for each callee as for each entry, at once, with
    two wrappers, and optimises each before its callers optimise it again. Here a library is
    linked into its callers as intermediate code; it is optimised and becomes machine code only
    if it is called from Python, through one wrapper: less than two thirds of the work, and a
    seventh of the bytes on disk.
    """
    cpu, sigutils = _private("cpu"), _private("sigutils")
    codegen: Any = _private("codegen")
    compiler: Any = _private("dispatcher")._FunctionCompiler
    caching: Any = _private("caching")
    registry: Any = _private("registry")
    descriptor: Any = _private("descriptors").TargetDescriptor
    global_compiler_lock = _private("compiler_lock").global_compiler_lock
    cpu_target = registry.cpu_target

    level = _chosen_level()

    class Library(codegen.JITCodeLibrary):
        """A library that becomes machine code when that is asked for."""

        _generated = False

        def _optimize_final_module(self) -> None:
            """Wait: a callee is optimised where it is inlined, as a part of its caller."""

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._verify_declare_only_symbols()
            self._finalized = True

        def _generate(self) -> None:
            self._ensure_finalized()
            if not self._generated:
                self._generated = True
                if getattr(self, "_compiled_object", None) is None:
                    super()._optimize_final_module()
                del self._dynamic_globals[:]
                super()._finalize_final_module()

        def get_pointer_to_function(self, name: str) -> Any:
            self._generate()
            return super().get_pointer_to_function(name)

        def serialize_using_object_code(self) -> Any:
            """Machine code and the names that it defines; it is not linked into others."""
            self._generate()
            names = [
                each.name
                for group in (self._final_module.functions, self._final_module.global_variables)
                for each in group
                if not each.is_declaration
            ]
            return self.name, "machine", (self._get_compiled_object(), names)

        @classmethod
        def _unserialize(cls, codegen: Any, state: Any) -> Any:
            name, kind, (machine_code, names) = state
            if kind != "machine":
                raise ValueError(f"code of kind {kind!r}")
            self = codegen.create_library(name)
            self.enable_object_caching()
            self._set_compiled_object(machine_code)
            self._finalize_final_module()
            codegen._engine._defined_symbols |= set(names)
            return self

    class Codegen(codegen.JITCPUCodegen):
        """Code for the level of this process."""

        _library_class = Library

        def _get_host_cpu_name(self) -> str:
            return level.cpu or str(super()._get_host_cpu_name())

        def _get_host_cpu_features(self) -> str:
            return level.feature_string or str(super()._get_host_cpu_features())

    class Target(descriptor):
        options = cpu.CPUTargetOptions

        @property
        def typing_context(self) -> Any:
            return cpu_target.typing_context

        @functools.cached_property
        def target_context(self) -> Any:
            context = cpu_target.target_context
            context.refresh()
            # as Numba itself does for code that is compiled ahead of time
            return context.subtarget(_internal_codegen=Codegen("kiso"))

    target = Target("cpu")

    class FunctionCompiler(compiler):
        inner = False

        def _customize_flags(self, flags: Any) -> Any:
            flags.no_cfunc_wrapper = True
            if self.inner:
                flags.no_cpython_wrapper = flags.no_compile = True
            return flags

    class Inner:
        """The key under which a callee is known."""

    class DiskFormat(caching.CompileResultCacheImpl):
        def reduce(self, cres: Any) -> Any:
            return _reduced(cres)

    class DiskCache(caching.FunctionCache):
        _impl_class = DiskFormat

    class Dispatcher(registry.CPUDispatcher):
        targetdescr = target

        def __init__(self, py_func: Any, **options: Any) -> None:
            super().__init__(py_func, **options)
            shared = vars(self)["_compiler"]
            parts = shared.targetdescr, shared.targetoptions, shared.locals, shared.pipeline_class
            self._compiler = FunctionCompiler(py_func, *parts)
            self._inner_compiler = FunctionCompiler(py_func, *parts)
            self._inner_compiler.inner = True
            self._inner: dict[Any, Any] = {}
            self.loop_name = f"{py_func.__module__}:{py_func.__qualname__}"
            _dispatchers.append(self)

        def enable_caching(self) -> None:
            self._cache = _LoopCache(self, DiskCache)

        @property
        def nopython_signatures(self) -> list[Any]:
            inner = [cres.signature for cres, _ in self._inner.values()]
            return [*super().nopython_signatures, *inner]

        def get_overload(self, sig: Any) -> Any:
            args, _ = sigutils.normalize_signature(sig)
            if tuple(args) in self._inner:
                return self._inner[tuple(args)][1]
            return super().get_overload(sig)

        def compile(self, sig: Any) -> Any:
            if getattr(_thread, "compiling", False):
                return self._compile_callee(sig)
            args = tuple(sigutils.normalize_signature(sig)[0])
            with global_compiler_lock:
                existing = self.overloads.get(args)
                if existing is not None:
                    return existing.entry_point
                kept = self._cache.load_overload(sig, self.targetctx)
                if kept is not None:
                    self._cache_hits[sig] += 1
                    self.targetctx.insert_user_function(
                        kept.entry_point, kept.fndesc, [kept.library]
                    )
                    self.add_overload(kept)
                    return kept.entry_point
            return _interruptible(lambda: self._compile_here(sig), self.loop_name)

        def _compile_here(self, sig: Any) -> Any:
            _thread.compiling = True
            try:
                entry = super().compile(sig)
                compilations.append(self.loop_name)
                return entry
            finally:
                _thread.compiling = False

        def _compile_callee(self, sig: Any) -> Any:
            """Compile what another loop calls: to intermediate code, for linking."""
            args, return_type = sigutils.normalize_signature(sig)
            args = tuple(args)
            if args in self._inner:
                return self._inner[args][1]
            with global_compiler_lock, self._compiling_counter:
                cres = self._inner_compiler.compile(args, return_type)
                key = Inner()
                self.targetctx.insert_user_function(key, cres.fndesc, [cres.library])
                self._inner[args] = cres, key
            return key

    return {"Dispatcher": Dispatcher, "target": target}


def _reduced(cres: Any) -> Any:
    """What can be pickled of a compiled loop; Numba's note of types is long and not needed."""
    return cres._replace(type_annotation="")._reduce()


def payload_of(made: Any, args: tuple[Any, ...]) -> bytes:
    """Return what a store keeps of a loop that has been compiled for these types."""
    return bytes(_private("serialize").dumps(_reduced(made.overloads[args])))


class _LoopCache:
    """Where compiled loops are kept: in stores, and in Numba's files on disk.

    What is damaged there is thrown away, with a line in the log, and compiled anew.
    """

    def __init__(self, made: Any, disk_cache: Any) -> None:
        self.loop = made.loop_name
        self.disk: Any = None
        with suppress(RuntimeError, OSError):  # no folder can be written
            self.disk = disk_cache(made.py_func)
            _stamp_sources(self.disk, made.py_func.__globals__.get("__file__", ""))

    @property
    def cache_path(self) -> str | None:
        return None if self.disk is None else str(self.disk.cache_path)

    def load_overload(self, sig: Any, context: Any) -> Any:
        import numba

        settings: Any = numba.config
        if not settings.BOUNDSCHECK:
            found = self._from_stores(sig, context)
            if found is not None:
                return found
        if self.disk is None:
            return None
        try:
            return self.disk.load_overload(sig, context)
        except Exception as error:  # whatever a damaged pickle may raise
            _log.warning("the kept code of %s is damaged (%r): compiled anew", self.loop, error)
            with suppress(Exception):
                self.flush()
            return None

    def _from_stores(self, sig: Any, context: Any) -> Any:
        rebuild = _private("compiler").CompileResult._rebuild
        args, _ = _private("sigutils").normalize_signature(sig)
        key = store.signature_key(args)
        for each in stores():
            if self.loop not in each.entries:
                continue
            payload = each.read(self.loop, key)
            if payload is None:
                continue
            context.refresh()
            try:
                return rebuild(context, *pickle.loads(payload))
            except Exception as error:
                each.forget(self.loop, key, error)
        return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        if self.disk is None:
            return
        try:
            self.disk.save_overload(sig, cres)
        except Exception as error:  # a full disk, a damaged index
            _log.warning("the code of %s could not be kept (%r)", self.loop, error)
            with suppress(Exception):
                self.flush()

    def flush(self) -> None:
        """Remove what is kept of this loop on disk."""
        if self.disk is not None:
            index = Path(self.disk._cache_file._index_path)
            index.unlink(missing_ok=True)
            for data in index.parent.glob(f"{index.stem}.*.nbc"):
                data.unlink(missing_ok=True)


def _stamp_sources(disk: Any, own: str) -> None:
    """Let the kept code of a loop be stale, too, when a file changes whose loops it calls."""
    others = sorted(_sources.get(own, set()) - {own})
    cache: Any = getattr(disk, "_cache_file", None)
    if others and hasattr(cache, "_source_stamp"):
        stamps = [(n, Path(n).stat().st_mtime) for n in others if Path(n).exists()]
        cache._source_stamp = (cache._source_stamp, *stamps)


@functools.cache
def _chosen_level() -> levels.Level:
    return levels.choose(set(store.find()))


@functools.cache
def stores() -> tuple[store.Store, ...]:
    """Return the stores for the level of this process and this environment."""
    found = []
    for path in store.find().get(_chosen_level().name, []):
        try:
            found.append(store.Store(path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s is not used: %s", path, error)
    return tuple(found)


# Ctrl-C


class _Task(Generic[T]):
    """A call on a thread of its own, whose caller can be interrupted."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.result: T | None = None
        self.error: BaseException | None = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, name="kiso-compiler", daemon=True)
        _tasks.append(self)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.result = self.call()
        except BaseException as error:  # it is the caller's
            self.error = error
        finally:
            self.done.set()
            _tasks.remove(self)


_tasks: list[_Task[Any]] = []


def _interruptible(call: Callable[[], T], what: str = "") -> T:
    """Call on another thread where this one may get Ctrl-C: LLVM and imports cannot be stopped.

    After Ctrl-C the call goes on in the background; what it compiles is kept.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    task = _Task(call)
    if not task.done.wait(0.5) and what:
        _announce(what)
    while not task.done.wait(0.5):
        pass
    if task.error is not None:
        try:
            raise task.error
        finally:
            task.error = None
    return task.result  # type: ignore[return-value]


def _import_numba() -> None:
    """Import Numba so that Ctrl-C does not reach it: it would hide it in an ImportError."""
    if "numba" not in sys.modules or getattr(sys.modules["numba"], "njit", None) is None:
        _interruptible(lambda: import_module("numba"))


_announced: set[str] = set()


def _announce(loop: str) -> None:
    """Say once for each package of loops, on a terminal or in the log, that it is compiled."""
    room = loop.partition(":")[0].rpartition(".")[0]
    who = _estimator_in_charge() or room
    if who in _announced:
        return
    _announced.add(who)
    on_terminal = bool(getattr(sys.stderr, "isatty", bool)())
    _log.log(
        logging.WARNING if on_terminal else logging.INFO,
        "compiling the loops of %s, once; `kiso warm` compiles all of them in advance",
        who,
    )


def _estimator_in_charge() -> str:
    """Return the class of the outermost estimator of kiso whose method is running."""
    frame, name = sys._getframe(), ""
    while frame is not None:
        owner = frame.f_locals.get("self") if frame.f_code.co_varnames[:1] == ("self",) else None
        kind = type(owner)
        if owner is not None and kind.__module__.startswith("kiso.") and hasattr(kind, "fit"):
            name = kind.__name__
        frame = frame.f_back  # type: ignore[assignment]
    return name


def _leave_compiler_behind() -> None:
    """At the end: a thread that is still compiling after Ctrl-C must not meet LLVM's end.

    The C library would destroy LLVM's tables under its hands. Where it can be had (glibc), the
    process ends without them; elsewhere the thread is waited for.
    """
    waiting = list(_tasks)
    if not waiting:
        return
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            c_library = ctypes.CDLL(None)
            c_library.on_exit(c_library._exit, None)
            return
    for task in waiting:
        task.done.wait()


atexit.register(_leave_compiler_behind)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tasks.clear)
