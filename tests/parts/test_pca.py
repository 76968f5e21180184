"""Principal components of rows in parts are those of all rows."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from kiso.decomposition import PCA, IncrementalPCA

CHUNKS = (300, 2, 900, 798)


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2000, 12)) @ rng.normal(size=(12, 12)) + 50


def parted(X):
    return da.from_array(X, chunks=(CHUNKS, 5))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_components": 3, "whiten": True},
        {"n_components": 0.9},
        {"n_components": "mle"},
        {"svd_solver": "full"},
        {"n_components": 3, "svd_solver": "randomized", "random_state": 0},
        {"n_components": 3, "svd_solver": "covariance_eigh"},
    ],
    ids=str,
)
def test_equals_the_fit_of_all_rows(X, settings):
    one, parts = PCA(**settings).fit(X), PCA(**settings).fit(parted(X))
    np.testing.assert_allclose(parts.components_, one.components_, atol=1e-10)
    np.testing.assert_allclose(parts.explained_variance_, one.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(parts.mean_, one.mean_, rtol=1e-12)
    assert parts.svd_solver_ == one.svd_solver_
    assert parts.n_samples_ == 2000
    lazy = parts.transform(parted(X))
    assert isinstance(lazy, da.Array)
    assert lazy.chunks[0] == CHUNKS
    np.testing.assert_allclose(lazy.compute(), one.transform(X), atol=1e-9)
    back = parts.inverse_transform(lazy)
    np.testing.assert_allclose(back.compute(), one.inverse_transform(one.transform(X)), rtol=1e-9)
    if parts.noise_variance_ or parts.n_components_ == 12:
        assert parts.score(parted(X)) == pytest.approx(one.score(X), rel=1e-10)


def test_digits_are_kept_where_squares_lose_them(X):
    near = X.copy()
    near[:, 0] = near[:, 1] + 1e-9 * near[:, 2]
    one, parts = PCA().fit(near), PCA().fit(parted(near))
    assert parts.svd_solver_ == "full"
    np.testing.assert_allclose(parts.singular_values_, one.singular_values_, atol=1e-9)


def test_incremental_takes_parts_and_adds_more(X):
    one = IncrementalPCA(4).fit(X)
    parts = IncrementalPCA(4).fit(parted(X))
    np.testing.assert_allclose(parts.components_, one.components_, atol=1e-10)
    again = IncrementalPCA(4).partial_fit(parted(X)[:1202]).partial_fit(X[1202:])
    np.testing.assert_allclose(again.components_, one.components_, atol=1e-10)
    lazy = IncrementalPCA(4).fit_transform(parted(X))
    np.testing.assert_allclose(lazy.compute(), one.transform(X), atol=1e-9)
    with pytest.raises(ValueError, match="expecting"):
        parts.partial_fit(parted(X)[:, :5])


def test_tables_sparse_rows_and_float32(X):
    table = pd.DataFrame(X, columns=[f"f{i}" for i in range(12)])
    ddf = dd.from_pandas(table, npartitions=3)
    parts = PCA(2).fit(ddf)
    projected = parts.transform(ddf)
    assert isinstance(projected, dd.DataFrame)
    assert list(projected.columns) == ["pca0", "pca1"]
    np.testing.assert_allclose(projected.compute(), PCA(2).fit(X).transform(X), atol=1e-9)

    thin = np.where(X > 50, X, 0.0)
    rows = parted(thin).rechunk((CHUNKS, 12)).map_blocks(sp.csr_matrix)
    one, parts = PCA(3).fit(sp.csr_matrix(thin)), PCA(3).fit(rows)
    np.testing.assert_allclose(parts.components_, one.components_, atol=1e-10)

    parts = PCA(3).fit(parted(X.astype(np.float32)))
    assert parts.components_.dtype == np.float32
    np.testing.assert_allclose(parts.components_, PCA(3).fit(X).components_, atol=1e-4)
    assert parts.transform(parted(X.astype(np.float32))).dtype == np.float32


def test_refusals(X):
    with pytest.raises(ValueError, match="arpack"):
        PCA(2, svd_solver="arpack").fit(parted(X))
    with pytest.raises(ValueError, match="n_components=13"):
        PCA(13).fit(parted(X))
    bad = X.copy()
    bad[301, 4] = np.nan
    with pytest.raises(ValueError, match="partition 1: X contains NaN in column 4"):
        PCA().fit(parted(bad))
    with pytest.raises(ValueError, match="minimum of 2"):
        PCA().fit(parted(X)[:1])


def test_same_bits_on_a_cluster(X, client):
    on_cluster = PCA(3).fit(parted(X))
    with dask.config.set(scheduler="threads"):
        here = PCA(3).fit(parted(X))
    np.testing.assert_array_equal(on_cluster.components_, here.components_)
