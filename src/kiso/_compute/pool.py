"""Threads that stay and wait for work: awake for a moment, then asleep.

A loop of short passes hands out work every fraction of a millisecond. A thread that has just
worked looks for more for a moment before it sleeps, and so does the caller who waits for the
last of them: no longer, for two cores may share what one of them has, and whoever looks then
takes from whoever works. (It never yields its core: Linux makes a thread that has done so
wait for others long after.)

A thread that is woken on the core of the one who woke it stays there for milliseconds, while
another core is idle, on virtual machines above all. So where the system lets one (Linux), it
is barred from that core until it has begun.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from kiso._compute.atomics import atomic_load, spin_hint
from kiso._compute.jit import compiled

__all__ = ["ThreadPool", "Worker", "wait_for_first"]

LOOKS = 6000  # at a counter, before the thread sleeps: a fifth of a millisecond


@compiled
def watch(counter: np.ndarray, seen: int, looks: int) -> None:
    """Wait until the counter is no longer as it was seen, or patience ends."""
    for _ in range(looks):
        if atomic_load(counter) != seen:
            return
        spin_hint()


def _watch(counter: np.ndarray, seen: int) -> None:
    """Watch, where that is compiled; what comes after it waits in any case."""
    numba = sys.modules.get("numba")  # not imported only to wait
    if numba is not None and not numba.config.DISABLE_JIT:
        with suppress(Exception):  # what cannot be compiled or cached here must not stop work
            watch(counter, seen, LOOKS)


def wait_for_first(counter: np.ndarray) -> None:
    """Return when a counter is no longer zero: soon, or after a loop has been compiled."""
    _watch(counter, 0)
    while counter[0] == 0:
        time.sleep(0.001)


def _core_here() -> Callable[[], int] | None:
    """Return what says on which core the caller is, where a thread can be sent elsewhere."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    here: Any = getattr(ctypes.CDLL(None), "sched_getcpu", None)
    return here


_here = _core_here()


def _send_elsewhere(thread: int | None) -> set[int]:
    """Bar a thread from the caller's core; return what cores it should have again."""
    if _here is None or thread is None:
        return set()
    with suppress(OSError):
        cores: set[int] = os.sched_getaffinity(0)
        others = cores - {_here()}
        if others:
            os.sched_setaffinity(thread, others)
            return cores
    return set()


class _Signal:
    """Given by one thread and awaited by another, who counts what it has been given."""

    def __init__(self) -> None:
        self.given = np.zeros(1, np.int64)
        self.news = threading.Lock()  # free after a signal that nobody has slept for
        self.news.acquire()

    def give(self) -> None:
        self.given[0] += 1
        self.wake()

    def wake(self) -> None:
        """Wake whoever sleeps, to look again."""
        with suppress(RuntimeError):  # it is free: the last signal was not slept for
            self.news.release()

    def wait(self, n: int) -> None:
        """Return when n signals have been given; may be asked again, or be interrupted."""
        while (seen := self.given[0]) < n:
            _watch(self.given, seen)
            if self.given[0] == seen:
                self.news.acquire()


class Worker:
    """A thread that does one job after another. Jobs catch their own exceptions."""

    def __init__(self) -> None:
        self.job: Callable[[], None] | None = None
        self.cores: set[int] = set()  # that it may have, where it was sent away from one of them
        self.begin, self.end = _Signal(), _Signal()
        self.thread = threading.Thread(target=self._serve, name="kiso", daemon=True)
        self.thread.start()

    def start(self, job: Callable[[], None]) -> None:
        """Begin a job; the one before is over."""
        self.job = job
        self.cores = _send_elsewhere(self.thread.native_id)
        self.begin.give()

    def wait(self) -> None:
        """Return when all that was begun is over."""
        self.end.wait(self.begin.given[0])

    def wake(self) -> None:
        """Let the thread see what it was given, where `start` was interrupted."""
        self.begin.wake()

    def shut_down(self) -> None:
        """End the thread, which has no job."""
        self.job = None  # one that was never begun, perhaps
        self.begin.give()
        self.thread.join()

    def _serve(self) -> None:
        n_jobs = 1
        while True:
            self.begin.wait(n_jobs)
            if self.job is None:
                return
            if self.cores:
                with suppress(OSError):
                    os.sched_setaffinity(0, self.cores)
                self.cores = set()
            self.job()
            self.job = None  # it may hold arrays
            self.end.give()
            n_jobs += 1


class ThreadPool:
    """The workers of a process. Callers from several threads share them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[Worker] = []
        self.n_busy = 0
        self.closed = False

    def take(self, n: int) -> list[Worker]:
        """Take up to n workers for oneself; fewer where others have them.

        n is one less than the threads that the caller may have. The worker that was the last
        to work is the first to be taken: it is awake.
        """
        with self.lock:
            taken = self.idle[max(0, len(self.idle) - n) :]
            del self.idle[max(0, len(self.idle) - n) :]
            self.n_busy += len(taken)
            while len(taken) < n and self.n_busy < n and not self.closed:
                try:
                    taken.append(Worker())
                except RuntimeError:  # the system gives no more, or Python is ending
                    break
                self.n_busy += 1
            return taken

    def give_back(self, workers: list[Worker]) -> None:
        """Let others have them; they have no job."""
        with self.lock:
            self.idle += workers
            self.n_busy -= len(workers)

    def shut_down(self) -> None:
        """End the threads that have no job; after that there are no new ones."""
        with self.lock:
            workers, self.idle, self.closed = self.idle, [], True
        for worker in workers:
            worker.shut_down()
