"""Blocks of rows over threads: the only place that names threads.

Work on n rows is cut into lanes, contiguous runs of rows whose number does not depend on
how many threads there are; each lane is handled by one thread, in order, and what the
lanes return is combined in order. So the result is the same to the last bit on one core
and on many. While lanes run side by side BLAS is held to one thread.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, pairwise
from typing import Any, TypeVar

import numpy as np
import scipy.linalg  # noqa: F401  loads SciPy's BLAS, so that the limit below reaches it
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import ThreadpoolController

from kiso._compute.atomics import cancel_barrier
from kiso._compute.pool import ThreadPool, Worker, wait_for_first

T = TypeVar("T")

MAX_LANES = 16

_inside = threading.local()
_pool = ThreadPool()


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
    workers = _pool.take(min(n_threads(), len(rows)) - 1)
    if not workers:
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

    _share([take_lanes] * (len(workers) + 1), workers, errors)
    return [results[i] for i in range(len(rows))]


def run_together(
    task: Callable[[slice, int], T], n_lanes: int, meeting: np.ndarray | None = None
) -> list[T]:
    """Run `task(part of the lanes, number of parts)` for all parts at the same time.

    For work whose lanes wait for each other (`atomics.barrier`): as many parts as there are
    threads free, each on a thread of its own, so that none waits for one that has not begun.
    `meeting` is the counter at which they meet. The caller's part comes first: loops are
    compiled there, where Ctrl-C can end that. If it ends by an exception before it has come,
    the meeting is called off. Ctrl-C and exceptions reach the caller after all parts are over.
    """
    workers = _pool.take(min(n_threads(), n_lanes) - 1)
    if not workers:
        return [task(slice(0, n_lanes), 1)]
    n_parts = len(workers) + 1
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}

    def part(i: int) -> None:
        if i > 0 and meeting is not None:
            wait_for_first(meeting)
            if errors:
                return
        try:
            own = slice(n_lanes * i // n_parts, n_lanes * (i + 1) // n_parts)
            results[i] = task(own, n_parts)
        except BaseException as error:
            errors[i] = error
        if meeting is not None and (i in errors or meeting[0] == 0):
            cancel_barrier(meeting)

    _share([partial(part, i) for i in range(n_parts)], workers, errors, meeting)
    return [results[i] for i in range(n_parts)]


def run_sharing_counter(task: Callable[[np.ndarray], None], n_lanes: int) -> None:
    """Run `task(turns)` on as many threads as there are free, at most one a lane.

    For compiled loops that take lanes by themselves: each `atomics.fetch_increment(turns)`
    is one.
    """
    turns = np.zeros(1, np.int64)
    run_together(lambda _lanes, _n_parts: task(turns), n_lanes)


def _share(
    jobs: list[Callable[[], None]],
    workers: list[Worker],
    errors: dict[int, BaseException],
    meeting: np.ndarray | None = None,
) -> None:
    """Do the first job here and the others on the workers; raise the first error at the end.

    An interrupt may come between any two lines of this: not all jobs have begun then, and a
    worker may have been given one without having been woken.
    """
    over = False
    with one_blas_thread():
        try:
            for worker, job in zip(workers, jobs[1:], strict=True):
                worker.start(partial(_run_inside, job))
            _run_inside(jobs[0])
        except BaseException as error:  # Ctrl-C between two lanes
            errors[-1] = error
        while not over:
            try:
                if errors:
                    if meeting is not None:
                        cancel_barrier(meeting)
                    for worker in workers:
                        worker.wake()
                for worker in workers:
                    worker.wait()
                over = True
            except BaseException as error:  # Ctrl-C, again: what runs is waited for all the same
                errors.setdefault(-1, error)
        _pool.give_back(workers)
    if errors:
        try:
            raise errors[min(errors)]
        finally:
            errors.clear()  # it holds this frame, and the lanes' arrays with it


def map_rows(
    task: Callable[[slice], T], n_rows: int, *, min_rows: int = 1, max_lanes: int = MAX_LANES
) -> list[T]:
    """`run_lanes` over the lanes of n rows."""
    return run_lanes(task, lanes(n_rows, min_rows=min_rows, max_lanes=max_lanes))


def _run_inside(task: Callable[..., T], *args: Any) -> T:
    before = getattr(_inside, "lane", False)
    _inside.lane = True
    try:
        return task(*args)
    finally:
        _inside.lane = before


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
    global _pool, _blas
    _pool = ThreadPool()
    held = _blas.limiter
    _blas = _BlasLimit()
    _inside.lane = False
    if held is not None:
        held.__exit__(None, None, None)


def _shut_down_pool() -> None:
    """At the end: a thread in compiled code must not outlive Python."""
    _pool.shut_down()


atexit.register(_shut_down_pool)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
