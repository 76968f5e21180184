"""Two worker processes, and data in partitions of uneven size."""

import numpy as np
import pytest

pytest.importorskip("distributed")


@pytest.fixture(scope="session")
def cluster():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as made,
        Client(made, set_as_default=False),
    ):
        yield made


@pytest.fixture
def client(cluster):
    """A client that Dask computes with, for this test alone."""
    from distributed import Client

    with Client(cluster) as made:
        yield made


@pytest.fixture
def regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 6)) * [1, 10, 0.1, 1, 3, 1] + 5
    y = X @ [1, -2, 3, 0.5, 0, 1] + rng.normal(size=1000) + 2
    return X, y, rng.random(1000)


CHUNKS = (100, 1, 300, 99, 400, 100)
