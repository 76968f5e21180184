"""Lanes over threads: same result on any number of threads, no deadlock, nothing left running."""

import _thread
import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from kiso._compute import threads as _threads
from kiso._compute.atomics import _barrier_slowly
from kiso._compute.pool import ThreadPool, Worker
from kiso._compute.threads import (
    block_rows,
    blocks,
    lanes,
    map_rows,
    n_threads,
    one_blas_thread,
    run_together,
)


@given(st.integers(0, 10_000), st.integers(1, 500), st.integers(1, 40))
def test_lanes_partition_the_rows(n_rows, min_rows, max_lanes):
    cut = lanes(n_rows, min_rows=min_rows, max_lanes=max_lanes)
    assert 1 <= len(cut) <= max_lanes
    rows = [i for lane in cut for i in range(lane.start, lane.stop)]
    assert rows == list(range(n_rows))
    if len(cut) > 1:
        assert min(lane.stop - lane.start for lane in cut) >= min_rows


@given(st.integers(0, 100), st.integers(0, 300), st.integers(1, 64))
def test_blocks_partition_a_lane(start, length, size):
    parts = list(blocks(slice(start, start + length), size))
    assert [i for b in parts for i in range(b.start, b.stop)] == list(range(start, start + length))
    assert all(0 < b.stop - b.start <= size for b in parts)


def test_block_rows_fits_the_budget():
    assert block_rows(1000, 8, budget=1 << 20) * 8000 <= 1 << 20
    assert block_rows(10**9, 8) == 64


def test_same_sum_on_any_number_of_threads():
    x = np.random.default_rng(0).normal(size=100_003)

    def total():
        return sum(map_rows(lambda rows: float(x[rows].sum()), len(x)))

    many = total()
    with threadpool_limits(1):
        assert n_threads() == 1
        assert total() == many


def test_results_in_lane_order():
    def slow_first(rows):
        time.sleep(0.02 if rows.start == 0 else 0)
        return rows.start

    assert map_rows(slow_first, 8, max_lanes=4) == [0, 2, 4, 6]


def test_nested_calls_run_inline(monkeypatch):
    monkeypatch.setattr("kiso._compute.threads._openmp_effective_n_threads", lambda: 3)

    def outer(rows):
        assert n_threads() == 1
        return sum(map_rows(lambda inner: inner.stop - inner.start, rows.stop - rows.start))

    assert sum(map_rows(outer, 1000)) == 1000


def test_exception_leaves_nothing_running():
    running = []

    def task(rows):
        if rows.start == 0:
            raise ValueError("first lane")
        running.append(1)
        time.sleep(0.02)
        running.pop()

    with pytest.raises(ValueError, match="first lane"):
        map_rows(task, 16)
    assert running == []


def blas_threads():
    return {
        lib["filepath"]: lib["num_threads"]
        for lib in threadpool_info()
        if lib["user_api"] == "blas"
    }


def test_blas_limit_overlaps_between_threads():
    before = blas_threads()
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    def first():
        with one_blas_thread():
            first_in.set()
            second_in.wait(5)
        first_out.set()

    def second():
        first_in.wait(5)
        with one_blas_thread():
            second_in.set()
            first_out.wait(5)
            assert set(blas_threads().values()) == {1}

    workers = [threading.Thread(target=f) for f in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
        assert not worker.is_alive()
    assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_fork():
    assert sum(map_rows(lambda r: r.stop - r.start, 100)) == 100
    child = os.fork()
    if child == 0:
        ok = sum(map_rows(lambda r: r.stop - r.start, 100)) == 100
        os._exit(0 if ok else 1)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(child, 9)
    pytest.fail("the forked child hangs")


def workers_of(n_lanes, n_threads):
    """The threads that took part."""
    meeting = threading.Barrier(n_threads)

    def task(rows):
        meeting.wait(10)
        return threading.get_ident()

    return set(map_rows(task, n_lanes))


def test_threads_are_kept(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    first = workers_of(3, 3)
    assert threading.get_ident() in first
    assert len(first) == 3
    time.sleep(0.05)  # until they sleep
    assert workers_of(3, 3) == first


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone says")
def test_threads_may_use_the_cores_of_their_caller(monkeypatch):
    """They are barred from one to be woken elsewhere; when they work they are free again."""
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    meeting = threading.Barrier(3)
    for _ in range(20):
        cores = map_rows(lambda rows: (meeting.wait(10), os.sched_getaffinity(0))[1], 3)
        assert cores == [os.sched_getaffinity(0)] * 3


def test_callers_share_the_threads(monkeypatch):
    """As many threads as one may have, beside the callers themselves; all get their results."""
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    monkeypatch.setattr(_threads, "_pool", ThreadPool())
    seen, right = set(), []

    def caller(k):
        def task(rows):
            seen.add(threading.get_ident())
            time.sleep(0.0005)
            return k * rows.start

        right.append(all(map_rows(task, 8) == [k * i for i in range(8)] for _ in range(30)))

    callers = [threading.Thread(target=caller, args=(k,)) for k in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(60)
        assert not thread.is_alive()
    assert right == [True] * 4
    assert len(seen) == 5
    _threads._pool.shut_down()


def test_interrupt_waits_for_what_runs(monkeypatch):
    """Ctrl-C in the caller's lane, and again while it waits."""
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    began, over = threading.Event(), []

    def task(rows):
        if threading.current_thread() is threading.main_thread():
            began.wait(10)
            threading.Timer(0.05, _thread.interrupt_main).start()
            raise KeyboardInterrupt
        began.set()
        time.sleep(0.3)
        over.append(rows)

    with pytest.raises(KeyboardInterrupt):
        map_rows(task, 2)
    assert len(over) == 1
    assert map_rows(lambda rows: rows.start, 4) == [0, 1, 2, 3]


def test_no_thread_to_be_had(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 4)
    monkeypatch.setattr(_threads, "_pool", ThreadPool())
    monkeypatch.setattr(threading.Thread, "start", raising)
    assert map_rows(lambda rows: rows.start, 4) == [0, 1, 2, 3]


def raising(self):
    raise RuntimeError("can't start new thread")


def test_work_together_is_at_the_same_time(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    meeting = threading.Barrier(3)
    parts = run_together(lambda mine, n: (meeting.wait(10), mine, n, n_threads_inside())[1:], 4)
    assert parts == [(slice(0, 1), 3, 1), (slice(1, 2), 3, 1), (slice(2, 4), 3, 1)]
    monkeypatch.setattr(_threads, "n_threads", lambda: 1)
    assert run_together(lambda mine, n: (mine, n), 4) == [(slice(0, 4), 1)]


@pytest.mark.parametrize("who", [0, 1])
def test_nobody_waits_for_one_who_will_not_come(monkeypatch, who):
    """Ctrl-C before a part has met the others: while its loop is being compiled, say."""
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    counter, told = np.zeros(1, np.int64), []

    def task(mine, n_parts):
        if mine.start == who:
            time.sleep(0.05)
            raise KeyboardInterrupt
        told.append(_barrier_slowly(counter, n_parts))

    with pytest.raises(KeyboardInterrupt):
        run_together(task, 3, counter)
    assert told == [False, False] * who  # those behind the caller do not begin


def test_who_does_not_meet_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    assert run_together(lambda mine, _: mine.start, 2, np.zeros(1, np.int64)) == [0, 1]


def test_interrupt_before_all_have_begun(monkeypatch):
    """Ctrl-C between two starts, one of which was to wake its thread yet."""
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    monkeypatch.setattr(_threads, "_pool", ThreadPool())
    counter, told, starts = np.zeros(1, np.int64), [], []

    def start(worker, job):
        starts.append(worker)
        worker.job = job
        if len(starts) == 2:
            raise KeyboardInterrupt
        worker.begin.given[0] += 1
        time.sleep(0.05)  # it sleeps by now, and is not woken

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "start", start)
        with pytest.raises(KeyboardInterrupt):
            run_together(lambda _, n: told.append(_barrier_slowly(counter, n)), 3, counter)
    assert told == []
    assert map_rows(lambda rows: rows.start, 4) == [0, 1, 2, 3]
    _threads._pool.shut_down()
    assert not any(worker.thread.is_alive() for worker in starts)


def test_nothing_is_kept_of_work_that_failed(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    gc.collect()
    gc.disable()
    try:
        array = np.ones(10)
        gone = weakref.ref(array)

        def task(rows, array=array):
            raise ValueError(array.size)

        with pytest.raises(ValueError, match="10"):
            map_rows(task, 4)
        del array, task
        assert gone() is None
    finally:
        gc.enable()


def test_no_new_threads_after_the_end(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    monkeypatch.setattr(_threads, "_pool", ThreadPool())
    _threads._shut_down_pool()
    before = threading.active_count()
    assert map_rows(lambda rows: rows.start, 4) == [0, 1, 2, 3]
    assert threading.active_count() == before


def n_threads_inside():
    return n_threads()
