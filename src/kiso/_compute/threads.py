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
from functools import partial, wraps
from itertools import count, pairwise
from typing import Any, TypeVar

import numpy as np
import scipy.linalg  # noqa: F401  loads SciPy's BLAS, so that the limit below reaches it
from joblib import cpu_count
from joblib.parallel import get_active_backend
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import ThreadpoolController

from kiso._compute.atomics import cancel_barrier
from kiso._compute.pool import ThreadPool, Worker, wait_for_first

T = TypeVar("T")

MAX_LANES = 16

_inside = threading.local()
_pool = ThreadPool()


def n_threads() -> int:
    """Threads to use: what the limits of the process and of the caller allow; one inside a lane.

    The limits of the process are CPU affinity, the container's quota, `OMP_NUM_THREADS`,
    `threadpoolctl.threadpool_limits`, and `joblib.parallel_config` and joblib's workers. The
    caller's is `n_jobs` (`limited_to`). While BLAS is held to one thread, which for a BLAS that
    is built with OpenMP holds OpenMP too, it is the number from before.
    """
    if getattr(_inside, "lane", False):
        return 1
    limit: int | None = getattr(_inside, "limit", None)
    return limit if limit is not None else _process_threads()


def _process_threads() -> int:
    """Threads that the limits of the process allow."""
    n_jobs = get_active_backend()[1]
    if n_jobs is not None:  # inside joblib.parallel_config
        return resolve_jobs(n_jobs)
    return _blas.threads_before or max(1, int(_openmp_effective_n_threads()))


def resolve_jobs(n_jobs: int | None) -> int:
    """Return the number of threads that `n_jobs` stands for.

    Parameters
    ----------
    n_jobs : int or None
        None is what the limits of the process allow; a positive number is at most that many, and
        no more than None; -1 is all cores that the process may run on, -2 all but one, and so on.

    Raises
    ------
    ValueError
        If it is 0.

    Examples
    --------
    >>> resolve_jobs(1)
    1
    """
    if n_jobs is None:
        return _process_threads()
    if n_jobs == 0:
        raise ValueError("n_jobs=0: give a number of threads, -1 for all cores, or None")
    cores = int(cpu_count())
    if n_jobs < 0:
        return max(1, cores + 1 + n_jobs)
    return min(n_jobs, max(cores, 1))


@contextmanager
def limited_to(n_jobs: int | None) -> Iterator[None]:
    """Hold kiso's threads and BLAS, for calls from this thread, to what `n_jobs` stands for.

    Nested limits: the lowest holds. None sets no limit of its own.
    """
    if n_jobs is None or getattr(_inside, "lane", False):
        yield
        return
    before: int | None = getattr(_inside, "limit", None)
    limit = resolve_jobs(n_jobs)
    if before is not None:
        limit = min(limit, before)
    _inside.limit = limit
    try:
        if limit < int(cpu_count()):
            with _blas.held_to(limit):
                yield
        else:
            yield
    finally:
        _inside.limit = before


_METHODS = (
    "fit",
    "partial_fit",
    "fit_predict",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "kneighbors",
    "radius_neighbors",
    "kneighbors_graph",
    "radius_neighbors_graph",
    "apply",
)


class TakesJobs:
    """A mixin for estimators with a parameter `n_jobs`: their methods keep to it.

    It stands first among the bases. Whatever of the methods above, or of the solver's steps
    (`_iterate`), a subclass defines runs inside `limited_to(self.n_jobs)`.
    """

    n_jobs: int | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the methods that the subclass defines."""
        super().__init_subclass__(**kwargs)
        for name in _METHODS:
            if name in cls.__dict__ and callable(cls.__dict__[name]):
                setattr(cls, name, _keeping_to_jobs(cls.__dict__[name]))
        if "_iterate" in cls.__dict__:
            cls._iterate = _stepping_with_jobs(cls.__dict__["_iterate"])  # type: ignore[attr-defined]


def _keeping_to_jobs(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def limited(self: Any, *args: Any, **kwargs: Any) -> T:
        with limited_to(self.n_jobs):
            return method(self, *args, **kwargs)

    return limited


def _stepping_with_jobs(solve: Callable[..., Iterator[T]]) -> Callable[..., Iterator[T]]:
    @wraps(solve)
    def limited(self: Any, *args: Any, **kwargs: Any) -> Iterator[T]:
        n_jobs = self.n_jobs
        with limited_to(n_jobs):
            states = iter(solve(self, *args, **kwargs))
        try:
            while True:
                with limited_to(n_jobs):
                    state = next(states, None)
                if state is None:
                    return
                yield state
        finally:
            if hasattr(states, "close"):
                states.close()

    return limited


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
    """BLAS at the lowest number of threads that anyone needs; the old number after the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.needs: list[int] = []
        self.threads_before: int | None = None  # of OpenMP, while BLAS is held
        self.controller: Any = None
        self.limiter: Any = None

    def acquire(self, limit: int) -> None:
        with self.lock:
            if self.controller is None:
                self.controller = ThreadpoolController().select(user_api="blas")
            if not self.needs:
                # before: OpenBLAS that is built with OpenMP sets OpenMP's number, too
                self.threads_before = max(1, int(_openmp_effective_n_threads()))
                self.limiter = self.controller.limit(limits=limit)
                self.limiter.__enter__()
            elif limit < min(self.needs):
                self._set(limit)
            self.needs.append(limit)

    def release(self, limit: int) -> None:
        with self.lock:
            self.needs.remove(limit)
            if not self.needs:
                self.limiter.__exit__(None, None, None)
                self.limiter = self.threads_before = None
            elif limit < min(self.needs):
                self._set(min(self.needs))

    def _set(self, limit: int) -> None:
        for library in self.controller.lib_controllers:
            library.set_num_threads(limit)

    @contextmanager
    def held_to(self, limit: int) -> Iterator[None]:
        self.acquire(limit)
        try:
            yield
        finally:
            self.release(limit)


_blas = _BlasLimit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside, for every thread of the process; nests and overlaps."""
    with _blas.held_to(1):
        yield


def _forget_threads() -> None:
    """In a forked child the parent's threads are gone, and its locks may be held."""
    global _pool, _blas
    _pool = ThreadPool()
    held = _blas.limiter
    _blas = _BlasLimit()
    _inside.lane, _inside.limit = False, None
    if held is not None:
        held.__exit__(None, None, None)


def _shut_down_pool() -> None:
    """At the end: a thread in compiled code must not outlive Python."""
    _pool.shut_down()


atexit.register(_shut_down_pool)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
