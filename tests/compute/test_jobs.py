"""How many threads: the limits of the process, `n_jobs`, and other libraries in the process."""

import importlib.util
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from joblib import cpu_count, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

import kiso
from kiso._compute import threads
from kiso._compute.threads import TakesJobs, limited_to, n_threads, one_blas_thread, resolve_jobs

SRC = str(Path(kiso.__file__).parents[1])
CORES = cpu_count()


def blas_threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


@pytest.mark.parametrize(
    ("n_jobs", "expected"), [(1, 1), (-1, CORES), (-CORES, 1), (-CORES - 5, 1), (10**6, CORES)]
)
def test_what_n_jobs_stands_for(n_jobs, expected):
    assert resolve_jobs(n_jobs) == expected


def test_no_jobs_are_refused():
    with pytest.raises(ValueError, match="n_jobs=0"):
        resolve_jobs(0)


def test_none_is_what_the_process_may_have(monkeypatch):
    monkeypatch.setattr(threads, "_openmp_effective_n_threads", lambda: 5)
    assert resolve_jobs(None) == n_threads() == 5
    with threadpool_limits(1), parallel_config(n_jobs=1):
        assert resolve_jobs(None) == n_threads() == 1


def test_limits_nest_and_the_lowest_holds(monkeypatch):
    monkeypatch.setattr(threads, "cpu_count", lambda: 8)
    with limited_to(3):
        assert n_threads() == 3
        with limited_to(5):
            assert n_threads() == 3
        with limited_to(1):
            assert n_threads() == 1
            assert blas_threads() == {1}
        with limited_to(None):
            assert n_threads() == 3
    assert n_threads() == resolve_jobs(None)


BACK_IN_ANY_ORDER = """
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
from kiso._compute import threads

def blas_threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

before = blas_threads()
limit = threads._BlasLimit()
limit.acquire(2)
limit.acquire(1)
assert blas_threads() == {1}
limit.release(1)
assert blas_threads() == {2}
limit.acquire(1)
limit.release(2)
assert blas_threads() == {1}
limit.release(1)
assert blas_threads() == before
"""


def test_blas_gets_its_number_back_in_any_order():
    """In a process of its own: what earlier tests have left running here uses BLAS, too."""
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    found = subprocess.run(
        [sys.executable, "-c", BACK_IN_ANY_ORDER], env=env, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


def test_threads_are_counted_before_blas_is_held(monkeypatch):
    """OpenBLAS that is built with OpenMP takes OpenMP's threads with it."""
    now = [4]
    monkeypatch.setattr(threads, "_openmp_effective_n_threads", lambda: now[0])
    monkeypatch.setattr(threads, "_blas", threads._BlasLimit())
    with one_blas_thread():
        now[0] = 1
        assert n_threads() == 4
        with one_blas_thread():
            assert n_threads() == 4
    assert n_threads() == 1


def test_limits_are_the_thread_s_own():
    seen = []
    with limited_to(1):
        other = threading.Thread(target=lambda: seen.append(n_threads()))
        other.start()
        other.join()
    assert seen == [resolve_jobs(None)]


def test_methods_keep_to_n_jobs():
    class Counting(TakesJobs):
        def __init__(self, n_jobs=None):
            self.n_jobs = n_jobs

        def fit(self, X):
            """Fit."""
            return n_threads()

        def _iterate(self, problem):
            for _ in range(3):
                yield n_threads()

    assert Counting(1).fit(None) == 1
    assert Counting().fit(None) == resolve_jobs(None)
    assert Counting.fit.__doc__ == "Fit."
    steps = Counting(1)._iterate(None)
    assert next(steps) == 1
    assert n_threads() == resolve_jobs(None)  # between steps nothing is held
    assert list(steps) == [1, 1]


def test_every_estimator_with_n_jobs_keeps_to_it():
    import inspect

    found = []
    for room in ("linear_model", "neighbors", "ensemble", "svm", "cluster", "decomposition"):
        module = getattr(kiso, room)
        for name in module.__all__:
            kind = getattr(module, name)
            if inspect.isclass(kind) and "n_jobs" in inspect.signature(kind).parameters:
                assert issubclass(kind, TakesJobs), name
                found.append(name)
    assert len(found) >= 11


USES = """
    import os, time, sys
    {first}
    import numpy as np
    from kiso.neighbors import NearestNeighbors
    from joblib import parallel_config
    from threadpoolctl import threadpool_limits
    {last}
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 64))
    def use(**params):
        model = NearestNeighbors(algorithm="brute", **params).fit(X)
        model.kneighbors(X[:500])
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range({rounds}):
            model.kneighbors(X)
        return (time.process_time() - cpu) / (time.perf_counter() - wall)
    {how}
"""


def cpu_over_wall(how, *, first="", last="", rounds=3, **env):
    code = textwrap.dedent(USES.format(first=first, last=last, how=how, rounds=rounds))
    env = {**os.environ, "PYTHONPATH": SRC, **env}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return float(out.stdout.split()[-1])


@pytest.mark.jit
@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "env"),
    [
        ("print(use(n_jobs=1))", {}),
        ("with threadpool_limits(1): print(use())", {}),
        ("with parallel_config(n_jobs=1): print(use())", {}),
        ("print(use())", {"OMP_NUM_THREADS": "1"}),
        pytest.param(
            "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(use())", {},
            marks=pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone"),
        ),
    ],
)  # fmt: skip
def test_one_thread_uses_one_core(how, env):
    """A busy machine can only make the ratio smaller."""
    assert cpu_over_wall(how, **env) < 1.1


@pytest.mark.jit
@pytest.mark.slow
@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize(
    "library", ["faiss", "torch", "sklearnex", "pykdtree", "lightgbm", "xgboost"]
)
def test_threads_beside_other_libraries(library, place):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    how = (
        "from kiso._compute.threads import n_threads, one_blas_thread\n"
        "before = n_threads()\n"
        "with one_blas_thread(): inside = n_threads()\n"
        "assert inside == before, (inside, before)\n"
        "print(before)"
    )
    how = textwrap.indent(how, "    ").lstrip()
    given = {"first": "", "last": ""} | {place: f"import {library}"}
    assert cpu_over_wall(how, rounds=1, **given) == resolve_jobs(None)


def test_results_do_not_depend_on_n_jobs():
    from kiso.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 20)), rng.integers(0, 3, 3000)
    one, many = (KNeighborsClassifier(n_jobs=n).fit(X, y).predict_proba(X) for n in (1, None))
    assert np.array_equal(one, many)
