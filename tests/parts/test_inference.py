"""Distributions and posteriors of rows in parts."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from kiso import inference

CHUNKS = (300, 1, 699)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(1000, 3)) * [1, 2, 3] + 10


def parted(X):
    return da.from_array(X, chunks=(CHUNKS, *X.shape[1:]))


def test_gaussian(X):
    one, parts = inference.Gaussian().fit(X), inference.Gaussian().fit(parted(X))
    np.testing.assert_allclose(parts.covariance_, one.covariance_, rtol=1e-10)
    np.testing.assert_allclose(parts.mean_, one.mean_, rtol=1e-12)
    weight = np.random.default_rng(1).random(1000)
    weight[:300] = 0
    one.fit(X, sample_weight=weight)
    parts.fit(parted(X), sample_weight=parted(weight))
    np.testing.assert_allclose(parts.covariance_, one.covariance_, rtol=1e-10)
    more = inference.Gaussian().partial_fit(X[:301]).partial_fit(da.from_array(X[301:], chunks=200))
    np.testing.assert_allclose(more.mean_, X.mean(axis=0), rtol=1e-12)


def test_one_column_counts_and_labels(X):
    counts = np.random.default_rng(0).poisson(3, size=1000)
    one, parts = inference.Poisson().fit(counts), inference.Poisson().fit(parted(counts))
    np.testing.assert_allclose(parts.rate_, one.rate_, rtol=1e-12)
    labels = np.random.default_rng(0).choice(["a", "b", "c"], size=1000)
    one, parts = inference.Categorical().fit(labels), inference.Categorical().fit(parted(labels))
    np.testing.assert_allclose(parts.probs_, one.probs_, rtol=1e-12)
    series = dd.from_pandas(pd.Series(counts.astype(float)), npartitions=3)
    np.testing.assert_allclose(inference.Poisson().fit(series).rate_, counts.mean())


def test_posteriors(X):
    prior = inference.NormalKnownVariance(0.0, 1.0, 2.0)
    one, parts = prior.posterior(X[:, 0]), prior.posterior(parted(X[:, 0]))
    assert parts.mean == pytest.approx(one.mean, rel=1e-10)
    assert parts.variance == pytest.approx(one.variance, rel=1e-10)


def test_the_part_is_named(X):
    X[500, 1] = np.nan
    with pytest.raises(ValueError, match="partition 2"):
        inference.Gaussian().fit(parted(X))
    with pytest.raises(TypeError, match="Laplace does not fit.*sample"):
        inference.Laplace().fit(parted(X))
