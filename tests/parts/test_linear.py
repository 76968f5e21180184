"""Linear regressions of rows in parts are those of the rows together."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from kiso.linear_model import BayesianLinearRegression, LinearRegression, Ridge

from .conftest import CHUNKS

MODELS = [
    LinearRegression(),
    LinearRegression(fit_intercept=False),
    LinearRegression(positive=True),
    Ridge(2.5),
    Ridge(0.3, solver="svd"),
    Ridge(1.0, positive=True),
    BayesianLinearRegression(),
    BayesianLinearRegression(noise_variance=2.0, optimize_prior=True),
]


def parted(*arrays):
    return [da.from_array(a, chunks=(CHUNKS, *a.shape[1:])) for a in arrays]


def close(one, other, rtol=1e-10):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_equals_the_fit_of_all_rows(regression, model, weighted):
    X, y, w = regression
    dX, dy, dw = parted(X, y, w)
    model.fit(X, y, sample_weight=w if weighted else None)
    coef, intercept, sigma = model.coef_, model.intercept_, model.sigma_
    score = model.score(X, y, sample_weight=w)
    model.fit(dX, dy, sample_weight=dw if weighted else None)
    close(model.coef_, coef)
    close(model.intercept_, intercept)
    close(model.sigma_, sigma)
    assert model.n_features_in_ == 6
    assert isinstance(model.score(dX, dy, sample_weight=dw), float)
    close(model.score(dX, dy, sample_weight=dw), score)
    assert isinstance(model.predict(dX), da.Array)
    close(model.predict(dX).compute(), model.predict(X), rtol=1e-13)


def test_several_targets_and_collinear_columns(regression):
    X, y, _ = regression
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    Y = np.column_stack([y, X[:, 2] ** 2])
    dX, dY = da.from_array(X, chunks=(CHUNKS, 3)), da.from_array(Y, chunks=(CHUNKS, 1))
    one, parts = LinearRegression().fit(X, Y), LinearRegression().fit(dX, dY)
    close(parts.coef_, one.coef_)
    assert parts.rank_ == one.rank_ == 6
    close(parts.singular_, one.singular_, rtol=1e-8)
    predicted = parts.predict(dX)
    assert predicted.shape == (1000, 2)
    assert predicted.chunks[0] == CHUNKS
    close(parts.score(dX, dY), one.score(X, Y))


def test_fewer_rows_than_columns():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(6, 9)), rng.normal(size=6)
    dX, dy = da.from_array(X, chunks=(2, 9)), da.from_array(y, chunks=2)
    for model in (LinearRegression(), Ridge(0.5)):
        coef = model.fit(X, y).coef_
        close(model.fit(dX, dy).coef_, coef, rtol=1e-7)


def test_float32_stays(regression):
    X, y, _ = regression
    X = X.astype(np.float32)
    dX, dy = parted(X, y)
    one, parts = Ridge().fit(X, y), Ridge().fit(dX, dy)
    assert parts.coef_.dtype == np.float32
    np.testing.assert_allclose(parts.coef_, one.coef_, rtol=2e-6)
    assert parts.predict(dX).dtype == parts.predict(X).dtype


def test_sparse_partitions(regression):
    X, y, w = regression
    X = np.where(np.abs(X - 5) < 1, 0.0, X)
    dX, dy, dw = parted(X, y, w)
    dX = dX.map_blocks(sp.csr_matrix)
    one = Ridge().fit(sp.csr_matrix(X), y, sample_weight=w)
    coef = one.coef_
    parts = Ridge().fit(dX, dy, sample_weight=dw)
    close(parts.coef_, coef, rtol=1e-9)
    close(parts.predict(dX).compute(), one.predict(X))
    with pytest.raises(TypeError, match="sparse"):
        BayesianLinearRegression().fit(dX, dy)


def test_tables_and_unknown_sizes(regression):
    X, y, w = regression
    table = pd.DataFrame(X, columns=list("abcdef")).assign(y=y, w=w)
    ddf = dd.from_pandas(table, npartitions=5)
    ddf = ddf[ddf.a > 4.5]  # partitions whose sizes Dask does not know
    kept = table[table.a > 4.5]
    one = LinearRegression().fit(kept[list("abcdef")], kept.y, sample_weight=kept.w)
    parts = LinearRegression().fit(ddf[list("abcdef")], ddf.y, sample_weight=ddf.w)
    close(parts.coef_, one.coef_)
    assert list(parts.feature_names_in_) == list("abcdef")
    predicted = parts.predict(ddf[list("abcdef")])
    assert isinstance(predicted, dd.Series)
    pd.testing.assert_index_equal(predicted.compute().index, kept.index)
    close(predicted.compute(), one.predict(kept[list("abcdef")]))
    arrays = ddf[list("abcdef")].to_dask_array(), ddf.y.to_dask_array()
    assert np.isnan(arrays[0].shape[0])
    close(
        LinearRegression().fit(*arrays).coef_,
        LinearRegression().fit(*map(np.asarray, arrays)).coef_,
    )
    predicted = LinearRegression().fit(*arrays).predict(arrays[0])
    assert len(predicted.compute()) == len(kept)


def test_an_array_of_targets_beside_partitions_of_known_sizes(regression):
    X, y, _ = regression
    dX, _ = parted(X, y)
    close(LinearRegression().fit(dX, y).coef_, LinearRegression().fit(X, y).coef_)


def test_predictive_deviation_comes_with_the_mean(regression):
    X, y, _ = regression
    dX, dy = parted(X, y)
    model = BayesianLinearRegression().fit(dX, dy)
    mean, std = model.predict(dX, return_std=True)
    expected = model.predict(X, return_std=True)
    close(mean.compute(), expected[0], rtol=1e-13)
    close(std.compute(), expected[1], rtol=1e-13)


def test_same_bits_for_any_number_of_workers(regression, client):
    X, y, w = regression
    dX, dy, dw = parted(X, y, w)
    on_cluster = LinearRegression().fit(dX, dy, sample_weight=dw)
    with dask.config.set(scheduler="synchronous"):
        alone = LinearRegression().fit(dX, dy, sample_weight=dw)
    with dask.config.set(scheduler="threads"):
        threads = LinearRegression().fit(dX, dy, sample_weight=dw)
    for model in (on_cluster, threads):
        np.testing.assert_array_equal(model.coef_, alone.coef_)
        assert model.intercept_ == alone.intercept_


def test_steps_give_the_state(regression):
    dX, dy = parted(*regression[:2])
    (state,) = LinearRegression().steps(dX, dy)
    assert state.converged
