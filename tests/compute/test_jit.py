"""The one wrapper round Numba."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from kiso._compute import jit
from kiso._compute.jit import compiled, compiled_strict


@compiled
def _double(x):
    return 2 * x


@compiled
def _sum_doubled(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += _double(x[i])
    return total


@compiled
def _count_nan(x):
    count = 0
    for i in range(x.shape[0]):
        if np.isnan(x[i]):
            count += 1
    return count


@compiled_strict
def _two_sum_error(a, b):
    s = a + b
    t = s - a
    return (a - (s - t)) + (b - t)


@compiled
def _calls_strict(a, b):
    return _two_sum_error(a, b)


def test_strict_stays_strict_in_a_fast_loop():
    assert _calls_strict(1e16, 1.0) == 1.0


def test_loops_see_their_callees():
    assert _sum_doubled(np.arange(4.0)) == 12.0


@pytest.mark.jit
def test_a_loop_is_not_called_before_its_callees_are_bound(tmp_path, monkeypatch):
    """One thread binds a module, another calls a loop of it that is bound already."""
    source = "from kiso._compute.jit import compiled\n"
    source += "\n@compiled\ndef entry(x):\n    return last(x) + 1\n"
    (tmp_path / "slowly_bound.py").write_text(source + "\n@compiled\ndef last(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import slowly_bound

    bind, half = jit._Loop.bind, threading.Event()

    def slow_bind(self):
        if self.py_func.__name__ == "last":
            half.set()
            time.sleep(0.1)
        return bind(self)

    monkeypatch.setattr(jit._Loop, "bind", slow_bind)
    entry, found = slowly_bound.entry, []
    binder = threading.Thread(target=lambda: found.append(entry(1)))
    binder.start()
    assert half.wait(10)
    assert entry(1) == 2
    binder.join()
    assert found == [2]


def test_fast_math_keeps_nan():
    assert _count_nan(np.array([1.0, np.nan, np.inf])) == 1


def test_strict_keeps_compensation():
    assert _two_sum_error(1e16, 1.0) == 1.0


def test_policy_does_not_assume_finite():
    assert not jit.FAST_MATH & {"nnan", "ninf", "fast"}


@pytest.mark.jit
def test_runs_where_no_cache_can_be_written(tmp_path):
    """No folder for the cache: the loop still runs, compiled in every process."""
    module = tmp_path / "loops_here.py"
    module.write_text(
        "from kiso._compute.jit import compiled\n@compiled\ndef f(x):\n    return x + 1\n"
    )
    code = (
        "import numba.core.caching as c, loops_here\n"
        "c.CacheImpl._locator_classes = []\n"
        "print(loops_here.f(1))"
    )
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert out.stdout.strip() == "2", out.stderr


@pytest.mark.jit
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_second_process_hits_the_cache(tmp_path):
    (tmp_path / "loops_here.py").write_text(
        "from kiso._compute.jit import compiled\n@compiled\ndef f(x):\n    return x + 1\n"
    )
    code = (
        "import loops_here; loops_here.f(1); "
        "s = loops_here.__dict__['f'].stats; print(sum(s.cache_hits.values()))"
    )
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    hits = [
        subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert hits == ["0", "1"]
    assert Path(tmp_path, "__pycache__").is_dir()


def test_threads_meet():
    """None goes on before the last has come: sums of what all wrote are whole."""
    from kiso._compute.atomics import _barrier_slowly, _compiled_barrier

    for waiting in (_barrier_slowly, _compiled_barrier()):
        if waiting is not _barrier_slowly and os.environ.get("NUMBA_DISABLE_JIT") == "1":
            continue
        counter, written = np.zeros(1, np.int64), np.zeros(3)
        seen = [[], [], []]

        def work(me, barrier=waiting, counter=counter, written=written, seen=seen):
            for turn in range(50):
                written[me] = turn
                barrier(counter, 3)
                seen[me].append(written.sum())
                barrier(counter, 3)

        threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert seen == [[3 * turn for turn in range(50)]] * 3


@pytest.mark.jit
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_cache_is_stale_when_a_callee_elsewhere_changes(tmp_path):
    head = "from kiso._compute.jit import compiled\n"
    (tmp_path / "outer_loops.py").write_text(
        head + "from inner_loops import g\n@compiled\ndef f(x):\n    return g(x) + 1\n"
    )
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
    }
    found = []
    for constant in (10, 20, 20):
        inner = tmp_path / "inner_loops.py"
        inner.write_text(head + f"@compiled\ndef g(x):\n    return x + {constant}\n")
        os.utime(inner, (0, constant))
        code = "import outer_loops; print(outer_loops.f(1), len(outer_loops.f.stats.cache_hits))"
        out = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        found.append(out.stdout.split())
    assert found == [["12", "0"], ["22", "0"], ["22", "1"]]


def test_a_meeting_that_is_called_off():
    """Whoever waits goes on, told so; so does whoever comes later; those who met do not know."""
    from kiso._compute.atomics import _barrier_slowly, _compiled_barrier, cancel_barrier

    for barrier in (_barrier_slowly, _compiled_barrier()):
        if barrier is not _barrier_slowly and os.environ.get("NUMBA_DISABLE_JIT") == "1":
            continue
        counter, found = np.zeros(1, np.int64), []
        assert barrier(np.zeros(1, np.int64), 1)
        waiting = threading.Thread(
            target=lambda barrier=barrier, counter=counter, found=found: found.append(
                barrier(counter, 3)
            )
        )
        waiting.start()
        cancel_barrier(counter)
        waiting.join(30)
        assert [*found, barrier(counter, 3), barrier(counter, 3)] == [False] * 3
