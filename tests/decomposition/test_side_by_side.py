"""PCA in threads, in worker processes, after a fork, and from files on disk."""

import multiprocessing
import os
import tracemalloc

import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_limits

from kiso.decomposition import PCA

MODELS = [
    PCA(4),
    PCA(4, svd_solver="covariance_eigh"),
    PCA(4, svd_solver="randomized", random_state=0),
]


def rows(n=9000, d=24):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)) * np.linspace(5, 1, d)


def axes(model, X):
    fitted = model.fit(X)
    return np.vstack([fitted.components_, fitted.transform(X[:5]).T[:, :1].repeat(X.shape[1], 1)])


def first_axes(X):
    return axes(PCA(4), X)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_one_thread_or_many(model):
    X = rows()
    with threadpool_limits(1):
        alone = axes(model, X)
    assert_array_equal(axes(model, X), alone)


@pytest.mark.jit
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_from_threads_at_once(model):
    X = rows()
    expected = axes(model, X)
    jobs = (delayed(axes)(type(model)(**model.get_params()), X) for _ in range(4))
    for found in Parallel(n_jobs=4, backend="threading")(jobs):
        assert_array_equal(found, expected)


@pytest.mark.jit
def test_from_workers():
    X = rows()
    for found in Parallel(n_jobs=2, backend="loky")(delayed(first_axes)(X) for _ in range(2)):
        np.testing.assert_allclose(found, first_axes(X), rtol=1e-10, atol=1e-12)


@pytest.mark.jit
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_fork():
    """A child of a process whose threads have worked gives the same, and does not hang."""
    X = rows()
    expected = first_axes(X)
    child = multiprocessing.get_context("fork").Pool(1)
    try:
        found = child.map_async(first_axes, [X]).get(timeout=60)[0]
    finally:
        child.terminate()
    assert_array_equal(found, expected)


def mapped(path, n, d):
    """A file of rows, written by the block."""
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n, d))
    rng = np.random.default_rng(0)
    block = rng.standard_normal((min(n, 1 << 16), d), np.float32) * np.linspace(3, 1, d, dtype="f")
    for start in range(0, n, len(block)):
        X[start : start + len(block)] = block[: n - start]
    del X
    return np.load(path, mmap_mode="r")


def check_map(path, n, d):
    X = mapped(path, n, d)
    tracemalloc.start()
    model = PCA(3).fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < max(X.nbytes / 4, 1 << 25)
    some = np.asarray(X[: min(n, 1 << 16)])
    expected = PCA(3).fit(some).components_
    np.testing.assert_allclose(model.components_, expected, atol=1e-3)


def test_memory_map(tmp_path):
    check_map(tmp_path / "rows.npy", 1 << 16, 16)


@pytest.mark.slow
def test_a_map_of_more_than_two_gigabytes(tmp_path):
    check_map(tmp_path / "rows.npy", 9 << 20, 64)
