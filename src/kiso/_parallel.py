"""Blocks of rows over threads: the only place that names threads.

Work on n rows is cut into lanes, contiguous runs of rows whose number does not depend on
how many threads there are; each lane is handled by one thread, in order, and what the
lanes return is combined in order. So the result is the same to the last bit on one core
and on many. While lanes run side by side BLAS is held to one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count, pairwise
from typing import Any, TypeVar

import scipy.linalg  # noqa: F401  loads SciPy's BLAS, so that the limit below reaches it
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import ThreadpoolController

T = TypeVar("T")

MAX_LANES = 16

_inside = threading.local()
_state_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0


def n_threads() -> int:
    """Threads to use: the cores given to this process, fewer where a caller limits them.

    Honours CPU affinity, container limits, `threadpoolctl.threadpool_limits` and the
    limits that joblib sets in its workers. One inside a lane.
    """
    if getattr(_inside, "lane", False):
        return 1
    return max(1, int(_openmp_effective_n_threads()))


def lanes(n_rows: int, *, min_rows: int = 1, max_lanes: int = MAX_LANES) -> list[slice]:
    """Cut n rows into at most `max_lanes` contiguous runs of at least `min_rows` rows."""
    count = max(1, min(max_lanes, n_rows // max(1, min_rows)))
    bounds = [n_rows * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


def blocks(rows: slice, block_rows: int) -> Iterator[slice]:
    """Walk a lane in blocks of at most `block_rows` rows."""
    for start in range(rows.start, rows.stop, block_rows):
        yield slice(start, min(start + block_rows, rows.stop))


def block_rows(n_columns: int, itemsize: int, *, budget: int = 1 << 20) -> int:
    """Rows of a block that fills about `budget` bytes (default 1 MiB: a core's L2)."""
    return max(64, budget // max(1, n_columns * itemsize))


def run_lanes(task: Callable[[slice], T], rows: list[slice]) -> list[T]:
    """Run `task` on each lane, on threads where that can help; results in lane order.

    The calling thread takes lanes too: it begins at once, while the others wake up. An
    exception in a lane, or Ctrl-C, reaches the caller only after every lane that had begun
    is over, so nothing writes into the caller's arrays behind its back.
    """
    workers = min(n_threads(), len(rows))
    if workers == 1:
        return [task(lane) for lane in rows]
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}
    turns = count()

    def take_lanes() -> None:
        while not errors and (i := next(turns)) < len(rows):
            try:
                results[i] = task(rows[i])
            except BaseException as error:  # also Ctrl-C: it goes on to the caller below
                errors[i] = error

    with one_blas_thread():
        futures = [_executor().submit(_run_inside, take_lanes) for _ in range(workers - 1)]
        try:
            _run_inside(take_lanes)
        except BaseException as error:
            errors[-1] = error
            raise
        finally:
            _settle(futures)
    if errors:
        raise errors[min(errors)]
    return [results[i] for i in range(len(rows))]


def run_together(task: Callable[[slice, int], T], n_lanes: int) -> list[T]:
    """Run `task(part of the lanes, number of parts)` for all parts at the same time.

    For work whose lanes wait for each other (`kiso._jit.meet`): as many parts as there are
    threads, each on a thread of its own, so that none waits for one that has not begun.
    Ctrl-C and exceptions reach the caller after all parts are over.
    """
    n_members = min(n_threads(), n_lanes)
    parts = [
        slice(n_lanes * i // n_members, n_lanes * (i + 1) // n_members) for i in range(n_members)
    ]
    if n_members == 1:
        return [task(parts[0], 1)]
    with one_blas_thread(), ThreadPoolExecutor(n_members) as pool:
        futures = [pool.submit(_run_inside, task, part, n_members) for part in parts]
        return [future.result() for future in futures]


def map_rows(
    task: Callable[[slice], T], n_rows: int, *, min_rows: int = 1, max_lanes: int = MAX_LANES
) -> list[T]:
    """`run_lanes` over the lanes of n rows."""
    return run_lanes(task, lanes(n_rows, min_rows=min_rows, max_lanes=max_lanes))


def _run_inside(task: Callable[..., T], *args: Any) -> T:
    _inside.lane = True
    try:
        return task(*args)
    finally:
        _inside.lane = False


def _settle(futures: list[Future[Any]]) -> None:
    """Cancel what has not begun and wait for what has."""
    running = [future for future in futures if not future.cancel()]
    wait(running)


def _executor() -> ThreadPoolExecutor:
    global _pool, _pool_size
    with _state_lock:
        size = max(n_threads(), _pool_size)
        if _pool is None or size > _pool_size:
            _pool = ThreadPoolExecutor(size, thread_name_prefix="kiso")
            _pool_size = size
        return _pool


class _BlasLimit:
    """BLAS at one thread while anyone needs it so; the old number back after the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holders = 0
        self.controller: Any = None
        self.limiter: Any = None

    def acquire(self) -> None:
        with self.lock:
            self.holders += 1
            if self.holders == 1:
                if self.controller is None:
                    self.controller = ThreadpoolController().select(user_api="blas")
                self.limiter = self.controller.limit(limits=1)
                self.limiter.__enter__()

    def release(self) -> None:
        with self.lock:
            self.holders -= 1
            if self.holders == 0:
                self.limiter.__exit__(None, None, None)
                self.limiter = None


_blas = _BlasLimit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside, for every thread of the process; nests and overlaps."""
    limit = _blas
    limit.acquire()
    try:
        yield
    finally:
        limit.release()


def _forget_threads() -> None:
    """In a forked child the parent's threads are gone, and its locks may be held."""
    global _pool, _pool_size, _state_lock, _blas
    _state_lock = threading.Lock()
    _pool, _pool_size = None, 0
    held = _blas.limiter
    _blas = _BlasLimit()
    _inside.lane = False
    if held is not None:
        held.__exit__(None, None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
