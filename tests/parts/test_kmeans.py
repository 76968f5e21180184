"""k-means of rows in parts: Lloyd's steps on all rows, one pass each."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from kiso.cluster import KMeans, MiniBatchKMeans

CHUNKS = (3000, 1, 2999, 6000)


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(8, 5)) * 6 + 30
    return centers[rng.integers(8, size=sum(CHUNKS))] + rng.normal(size=(sum(CHUNKS), 5))


def parted(*arrays):
    return [da.from_array(a, chunks=(CHUNKS, *a.shape[1:])) for a in arrays]


def far_away(X):
    """Initial centres of which one has no rows."""
    return np.vstack([X[:7], X[:1] + 1000])


@pytest.mark.parametrize("tol", [0.0, 1e-4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", [lambda X: X[:8], far_away])
def test_same_iterations_from_the_same_centres(X, init, weighted, tol):
    w = np.random.default_rng(1).random(len(X))
    dX, dw = parted(X, w)
    model = KMeans(8, init=init(X), n_init=1, tol=tol)
    one = model.fit(X, sample_weight=w if weighted else None)
    centers, n_iter, inertia = one.cluster_centers_, one.n_iter_, one.inertia_
    labels, path = one.labels_, one.objective_path_
    parts = KMeans(8, init=init(X), n_init=1, tol=tol)
    parts.fit(dX, sample_weight=dw if weighted else None)
    assert parts.n_iter_ == n_iter
    np.testing.assert_allclose(parts.cluster_centers_, centers, rtol=1e-10)
    assert parts.inertia_ == pytest.approx(inertia, rel=1e-10)
    assert len(parts.objective_path_) == len(path)
    assert isinstance(parts.labels_, da.Array)
    np.testing.assert_array_equal(parts.labels_.compute(), labels)
    np.testing.assert_array_equal(parts.predict(dX).compute(), labels)
    assert parts.score(dX) == pytest.approx(one.score(X), rel=1e-10)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_seeds_are_as_good_as_those_of_all_rows(X, init):
    (dX,) = parted(X)
    one = KMeans(8, init=init, random_state=0, n_init=4).fit(X)
    parts = KMeans(8, init=init, random_state=0, n_init=4).fit(dX)
    assert parts.inertia_ <= 1.05 * one.inertia_
    again = KMeans(8, init=init, random_state=0, n_init=4).fit(dX)
    np.testing.assert_array_equal(again.cluster_centers_, parts.cluster_centers_)


def test_few_rows_are_the_whole_sample(X):
    small = X[:2000]
    one = KMeans(8, random_state=3).fit(small)
    parts = KMeans(8, random_state=3).fit(da.from_array(small, chunks=(600, 5)))
    np.testing.assert_allclose(parts.cluster_centers_, one.cluster_centers_, rtol=1e-10)


def test_parallel_seeds_of_many_centres():
    rng = np.random.default_rng(2)
    centers = rng.uniform(-100, 100, size=(60, 3))
    X = centers[rng.integers(60, size=9000)] + 0.1 * rng.normal(size=(9000, 3))
    parts = KMeans(60, init="k-means||", random_state=0).fit(da.from_array(X, chunks=(2500, 3)))
    one = KMeans(60, init="k-means||", random_state=0).fit(X)
    assert parts.inertia_ < 1.5 * one.inertia_


def test_steps_stop_and_go_on(X):
    (dX,) = parted(X)
    model = KMeans(8, init=X[:8], n_init=1)
    for state in model.steps(dX):
        if state.n_iter == 3:
            break
    assert model.n_iter_ == 3
    np.testing.assert_array_equal(model.cluster_centers_, state.centers)
    onward = KMeans(8, init=model.cluster_centers_, n_init=1).fit(dX)
    expected = KMeans(8, init=X[:8], n_init=1).fit(X)
    np.testing.assert_allclose(onward.inertia_, expected.inertia_, rtol=1e-3)


def test_tables_sparse_rows_and_float32(X):
    table = pd.DataFrame(X, columns=list("abcde"))
    ddf = dd.from_pandas(table, npartitions=4)
    init = X[:8]
    one = KMeans(8, init=init, n_init=1).fit(X)
    labels = one.labels_
    found = KMeans(8, init=init, n_init=1).fit_predict(ddf)
    assert isinstance(found, dd.Series)
    np.testing.assert_array_equal(found.compute(), labels)
    assert isinstance(KMeans(8, init=init, n_init=1).fit_transform(ddf), dd.DataFrame)

    thin = np.where(X > 28, X, 0.0)
    rows = parted(thin)[0].map_blocks(sp.csr_matrix)
    one = KMeans(8, init=thin[:8], n_init=1).fit(sp.csr_matrix(thin))
    parts = KMeans(8, init=thin[:8], n_init=1).fit(rows)
    np.testing.assert_allclose(parts.cluster_centers_, one.cluster_centers_, rtol=1e-9, atol=1e-12)

    (narrow,) = parted(X.astype(np.float32))
    parts = KMeans(8, init=init, n_init=1).fit(narrow)
    assert parts.cluster_centers_.dtype == np.float32
    one = KMeans(8, init=init, n_init=1).fit(X.astype(np.float32))
    assert parts.inertia_ == pytest.approx(one.inertia_, rel=1e-5)


def test_refusals(X):
    (dX,) = parted(X)
    with pytest.raises(TypeError, match="callable"):
        KMeans(2, init=lambda X, k, random_state: X[:k]).fit(dX)
    with pytest.raises(ValueError, match="n_clusters=8"):
        KMeans(8).fit(dX[:5])
    with pytest.raises(ValueError, match="number of features"):
        KMeans(8, init=X[:8, :3], n_init=1).fit(dX)


def test_same_bits_on_a_cluster(X, client):
    (dX,) = parted(X)
    on_cluster = KMeans(8, random_state=0).fit(dX)
    with dask.config.set(scheduler="threads"):
        here = KMeans(8, random_state=0).fit(dX)
    np.testing.assert_array_equal(on_cluster.cluster_centers_, here.cluster_centers_)
    assert on_cluster.inertia_ == here.inertia_


@pytest.mark.parametrize("weighted", [False, True])
def test_mini_batches_from_the_parts(X, weighted):
    w = np.random.default_rng(1).random(len(X))
    dX, dw = parted(X, w)
    weights = dw if weighted else None
    best = KMeans(8, random_state=0, n_init=5).fit(X).inertia_ / len(X)
    model = MiniBatchKMeans(8, random_state=0, n_init=5, batch_size=500)
    model.fit(dX, sample_weight=weights)
    assert -model.score(dX) / len(X) < 1.3 * best
    assert isinstance(model.labels_, da.Array)
    again = MiniBatchKMeans(8, random_state=0, n_init=5, batch_size=500)
    again.fit(dX, sample_weight=weights)
    np.testing.assert_array_equal(again.cluster_centers_, model.cluster_centers_)
    steps = [s.n_iter for s in MiniBatchKMeans(8, random_state=0, max_iter=2).steps(dX)]
    assert steps == sorted(steps)
    assert steps[0] >= 1


def test_partial_fit_goes_through_the_parts(X):
    (dX,) = parted(X)
    parts = MiniBatchKMeans(8, init=X[:8], n_init=1, random_state=0).partial_fit(dX)
    one = MiniBatchKMeans(8, init=X[:8], n_init=1, random_state=0)
    for start, size in zip(np.cumsum((0, *CHUNKS[:-1])), CHUNKS, strict=True):
        one.partial_fit(X[start : start + size])
    assert parts.n_steps_ == 4
    np.testing.assert_allclose(parts.cluster_centers_, one.cluster_centers_)
