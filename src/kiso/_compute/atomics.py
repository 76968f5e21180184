"""Atomic counters and barriers for threads that share a compiled loop.

Numba has no atomic operations on CPUs; these are LLVM's, as `kiso._compute.jit.Intrinsic`s
with slow Python of the same meaning beside them.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from kiso._compute.jit import Intrinsic, dispatcher
from kiso._compute.levels import level

__all__ = ["atomic_load", "barrier", "cancel_barrier", "fetch_increment", "spin_hint"]

_lock = threading.RLock()

PATIENCE = 20000  # looks at the counter before a waiting thread gives its core to another
OFF = 1 << 62  # in the counter of a meeting: it is called off


def _place(context: Any, builder: Any, kind: Any, counter: Any) -> Any:
    return context.make_array(kind)(context, builder, counter).data


def _compiled_load() -> Any:
    """Numba has no atomic numbers on CPUs: they come from LLVM."""
    from numba import extending
    from numba.core import types

    intrinsic: Any = extending.intrinsic

    @intrinsic
    def atomic_load(typing: Any, counter: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _place(context, builder, signature.args[0], args[0])
            return builder.load_atomic(at, "acquire", 8)

        return types.int64(counter), generate

    return atomic_load


def _compiled_spin_hint() -> Any:
    """Call the processor's instruction for that."""
    from llvmlite import ir
    from numba import extending
    from numba.core import cgutils, types

    intrinsic: Any = extending.intrinsic
    function_named: Any = cgutils.get_or_insert_function
    machine, word = level().architecture, ir.IntType(32)

    @intrinsic
    def spin_hint(typing: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if machine == "x86_64":
                kind = ir.FunctionType(ir.VoidType(), [])
                pause = function_named(builder.module, kind, "llvm.x86.sse2.pause")
                builder.call(pause, [])
            elif machine == "aarch64":
                kind = ir.FunctionType(ir.VoidType(), [word])
                hint = function_named(builder.module, kind, "llvm.aarch64.hint")
                builder.call(hint, [word(1)])  # YIELD
            return context.get_dummy_value()

        return types.void(), generate

    return spin_hint


def _compiled_yield() -> Any:
    """Call the system's."""
    from llvmlite import ir
    from numba import extending
    from numba.core import cgutils, types

    intrinsic: Any = extending.intrinsic
    function_named: Any = cgutils.get_or_insert_function

    @intrinsic
    def give_way(typing: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(function_named(builder.module, kind, name), [])
            return context.get_dummy_value()

        return types.void(), generate

    return give_way


def _compiled_increment() -> Any:
    from numba import extending
    from numba.core import types

    intrinsic: Any = extending.intrinsic

    @intrinsic
    def fetch_increment(typing: Any, counter: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _place(context, builder, signature.args[0], args[0])
            return builder.atomic_rmw("add", at, context.get_constant(types.int64, 1), "seq_cst")

        return types.int64(counter), generate

    return fetch_increment


def _compiled_barrier() -> Any:
    turn_of, look_at = _compiled_increment(), _compiled_load()
    stand_by, yield_core = _compiled_spin_hint(), _compiled_yield()

    def meeting(counter: Any, n: int) -> bool:
        come_so_far = turn_of(counter) + 1
        all_here = min((come_so_far + n - 1) // n * n, OFF)
        looks = 0
        while look_at(counter) < all_here:
            looks += 1
            stand_by()
            if looks > PATIENCE:
                yield_core()
        return look_at(counter) < OFF

    return dispatcher(meeting)


def _load_slowly(counter: Any) -> int:
    """Read the counter."""
    return int(counter[0])


def _spin_hint_slowly() -> None:
    """Do nothing."""


def _increment_slowly(counter: Any) -> int:
    """Count."""
    with _lock:
        counter[0] += 1
        return int(counter[0]) - 1


def _barrier_slowly(counter: Any, n: int) -> bool:
    """Wait as `barrier` does."""
    all_here = min((_increment_slowly(counter) + n) // n * n, OFF)
    while counter[0] < all_here:
        time.sleep(0)
    return bool(counter[0] < OFF)


atomic_load: Any = Intrinsic(_compiled_load, _load_slowly)
"""`atomic_load(counter)`: read an array of one int64 that other threads write."""

fetch_increment: Any = Intrinsic(_compiled_increment, _increment_slowly)
"""`fetch_increment(counter)`: 0, 1, 2, … to the threads that share the counter, each number once.

The counter is an array of one int64, zero at first.
"""

spin_hint: Any = Intrinsic(_compiled_spin_hint, _spin_hint_slowly)
"""`spin_hint()`: a spinning thread leaves more of the core to the core's other thread."""

barrier: Any = Intrinsic(_compiled_barrier, _barrier_slowly)
"""`barrier(counter, n)`: wait until all n threads that share the counter have come.

The counter is an array of one int64, zero at first; a thread calls it as often as the others
do. What each wrote before, all see after. True, unless the meeting has been called off because
somebody will not come: whoever has not got beyond the first then has to give up.
"""


def cancel_barrier(counter: Any) -> None:
    """Let nobody wait at this counter any more: somebody will not come."""
    with _lock:
        counter[0] = OFF
