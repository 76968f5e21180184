"""Workers that are killed, clusters that are gone, and what travels."""

import os
import signal
import threading
import time

import dask.array as da
import numpy as np
import pytest

from kiso._parts import RowsLostError, _dask
from kiso.cluster import KMeans
from kiso.decomposition import PCA

N_PARTS = 12


def slow(block_id):
    """A partition that takes a while to make, so that there is a middle of a fit."""
    time.sleep(0.03)
    return np.random.default_rng(block_id[0]).normal(size=(200, 4)) + block_id[0] % 3


@pytest.fixture
def X():
    return da.map_blocks(slow, dtype=float, chunks=((200,) * N_PARTS, (4,)))


MODELS = [(PCA(2, svd_solver="full"), False)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("model", "supervised"), MODELS, ids=[type(m).__name__ for m, _ in MODELS])
def test_a_killed_worker_changes_nothing(model, supervised, X):
    from distributed import Client, LocalCluster

    y = (X[:, 0] + X[:, 1] > 1).astype(int) if supervised else None
    given = (X, y) if supervised else (X,)
    expected = [np.copy(v) for v in _fitted(model.fit(*given))]
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        victim = cluster.workers[0].pid
        timer = threading.Timer(0.15, os.kill, (victim, signal.SIGKILL))
        timer.start()
        model.fit(*given)
        timer.join()
    for found, value in zip(_fitted(model), expected, strict=True):
        np.testing.assert_array_equal(found, value)


def _fitted(model):
    names = ("coef_", "intercept_", "components_", "singular_values_", "cluster_centers_")
    return [np.asarray(getattr(model, name)) for name in names if hasattr(model, name)]


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_is_named_and_the_last_state_is_kept(X, monkeypatch):
    from distributed import Client, LocalCluster

    monkeypatch.setattr(_dask, "PATIENCE", 1.0)
    init = np.arange(20.0).reshape(5, 4) / 10
    model = KMeans(5, init=init, n_init=1, tol=0.0)
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster),
    ):
        address = cluster.scheduler_address
        states = model.steps(X)
        next(states)
        second = next(states)
        cluster.scale(0)
        began = time.monotonic()
        with pytest.raises(RowsLostError, match="cluster at .* (has had no workers|is lost)") as e:
            list(states)
        assert address in str(e.value)
        assert time.monotonic() - began < 30
    np.testing.assert_array_equal(model.cluster_centers_.shape, second.centers.shape)
    onward = KMeans(5, init=model.cluster_centers_, n_init=1).fit(X)
    assert onward.inertia_ <= second.inertia


def test_patience_is_within_half_a_minute():
    assert _dask.PATIENCE + 2 * _dask.POLL < 30
