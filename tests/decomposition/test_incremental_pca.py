"""IncrementalPCA: whatever the pieces, the result is that of one PCA of all rows."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.decomposition import PCA, IncrementalPCA
from tests.naive import pca as naive

NAMES = [
    "mean_",
    "components_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
    "noise_variance_",
]


@parametrize_with_checks(
    [IncrementalPCA(), IncrementalPCA(n_components=1, whiten=True, batch_size=3)]
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def in_pieces(X, cuts, **options):
    model = IncrementalPCA(**options)
    for piece in np.split(X, sorted(cuts)):
        if len(piece):
            model.partial_fit(piece)
    return model


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 9),
    d=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, 9), max_size=4),
    dtype=st.sampled_from([np.float64, np.float32]),
    offset=st.sampled_from([0.0, 100.0]),
)
def test_against_the_definition(n, d, seed, cuts, dtype, offset):
    X = (offset + np.random.default_rng(seed).normal(size=(n, d))).astype(dtype)
    mean, variances, _ = naive.pca(X)
    model = in_pieces(X, [min(c, n) for c in cuts])
    k, tol = min(n, d), 1e-10 if dtype == np.float64 else 1e-4
    assert_allclose(model.mean_, mean, rtol=tol)
    assert_allclose(model.explained_variance_, variances[:k], atol=tol * variances[0])
    assert_allclose(model.var_, X.astype(float).var(axis=0), rtol=100 * tol)
    assert_allclose(model.components_ @ model.components_.T, np.eye(k), atol=1e-5)
    assert (model.n_samples_seen_, model.n_components_) == (n, k)
    assert model.components_.dtype == model.mean_.dtype == model.transform(X).dtype == dtype


def test_pieces_order_and_merging_do_not_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 6)) @ rng.normal(size=(6, 6)) + 1000
    whole = PCA(3).fit(X)
    models = [
        IncrementalPCA(3).fit(X),
        IncrementalPCA(3, batch_size=10).fit(np.asfortranarray(X)),
        in_pieces(X, [1, 2, 50, 1500], n_components=3),
        in_pieces(X[::-1], [700], n_components=3),
        in_pieces(X[:500], [9], n_components=3).merge(IncrementalPCA(5).fit(X[500:])),
    ]
    for model in models:
        for name in NAMES:
            assert_allclose(getattr(model, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
        assert_allclose(model.transform(X), whole.transform(X), atol=1e-8)
        assert_allclose(model.score(X), whole.score(X), rtol=1e-10)


def test_nothing_of_early_pieces_is_lost():
    """A direction that is weak at first and strong in the end; keeping k = 1 would lose it."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=(500, 3)) * [3.0, 2.9, 0.1]
    then = rng.normal(size=(500, 3)) * [0.1, 2.9, 0.1]
    X = np.vstack([first, then])
    exact = PCA(1).fit(X)
    ours = in_pieces(X, range(50, 1000, 50), n_components=1)
    theirs = sklearn.decomposition.IncrementalPCA(1, batch_size=50).fit(X)
    assert_allclose(ours.explained_variance_, exact.explained_variance_, rtol=1e-12)
    assert abs(theirs.explained_variance_[0] / exact.explained_variance_[0] - 1) > 0.01


def test_fewer_rows_than_components():
    X = np.random.default_rng(2).normal(size=(10, 4))
    model = IncrementalPCA(3).partial_fit(X[:1])
    assert_array_equal(model.explained_variance_, [0.0])
    assert_array_equal(model.transform(X[:1]), [[0.0]])
    assert model.partial_fit(X[1:2]).n_components_ == 2
    assert model.partial_fit(X[2:]).n_components_ == 3
    assert_allclose(model.explained_variance_, PCA(3).fit(X).explained_variance_)


def test_merge_leaves_the_other_alone():
    X = np.random.default_rng(3).normal(size=(40, 3))
    one, other = IncrementalPCA(2).fit(X[:10]), IncrementalPCA(1).fit(X[10:])
    before = copy.deepcopy(other.components_)
    assert one.merge(other) is one
    assert_array_equal(other.components_, before)
    assert (one.n_samples_seen_, one.n_components_) == (40, 2)
    assert (other.n_samples_seen_, other.n_components_) == (30, 1)


def test_sparse_is_dense():
    X = sp.random_array((200, 8), density=0.2, rng=np.random.default_rng(4), format="csr")
    dense = IncrementalPCA(3).fit(X.toarray())
    for form in (X, X.tocsc(), X.tolil()):
        found = IncrementalPCA(3).partial_fit(form)
        assert_allclose(found.components_, dense.components_, atol=1e-10)
        assert_allclose(found.transform(form), dense.transform(X.toarray()), atol=1e-10)


def test_float32_pieces_stay_float32_until_float64_comes():
    X = np.random.default_rng(5).normal(size=(30, 3)).astype(np.float32)
    model = IncrementalPCA(2).partial_fit(X)
    assert model.components_.dtype == np.float32
    assert model.partial_fit(X.astype(float)).components_.dtype == np.float64


def test_memory_map_is_walked_through(tmp_path):
    X = np.random.default_rng(6).normal(size=(3000, 5))
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_array_equal(
        IncrementalPCA(2).fit(mapped).components_, IncrementalPCA(2).fit(X).components_
    )


def test_bad_pieces_are_refused_and_change_nothing():
    X = np.random.default_rng(7).normal(size=(30, 3))
    model = IncrementalPCA(2).fit(X)
    before = model.components_
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.partial_fit(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="squares of X overflow"):
        model.partial_fit(np.eye(3) * 1e200)
    with pytest.raises(ValueError, match="squares of X overflow"):
        model.partial_fit(np.full((2, 3), 1e200))
    with pytest.raises(ValueError, match="X has 2 features, but IncrementalPCA is expecting 3"):
        model.partial_fit(X[:, :2])
    with pytest.raises(ValueError, match="other has seen 2 features, this one 3"):
        model.merge(IncrementalPCA().fit(X[:, :2]))
    with pytest.raises(TypeError, match="merge takes a fitted IncrementalPCA"):
        model.merge(PCA())
    with pytest.raises(NotFittedError):
        model.merge(IncrementalPCA())
    with pytest.raises(NotFittedError):
        IncrementalPCA().transform(X)
    assert not hasattr(IncrementalPCA(), "components_")
    with pytest.raises(ValueError, match="n_components=4 must be at most n_features=3"):
        IncrementalPCA(4).fit(X)
    assert_array_equal(model.components_, before)


def test_pickled_it_goes_on():
    X = np.random.default_rng(8).normal(size=(30, 3))
    model = pickle.loads(pickle.dumps(IncrementalPCA(2).fit(X[:10]))).partial_fit(X[10:])
    assert_allclose(model.components_, PCA(2).fit(X).components_, atol=1e-10)
