"""Ties go to the lower index whatever searches: brute force, tree, lists, a memory map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from kiso._compute import costs
from kiso.neighbors import NearestNeighbors, _brute_loops, _metric_loops
from tests.naive import neighbors as naive

ADDED = ["euclidean", "manhattan", "chebyshev", "hamming", "minkowski"]
DISTANCES = {**naive.DISTANCES, "minkowski": naive.minkowski(3)}


def searches(X, metric, folder):
    """Models of the same rows, one for each way of searching them."""
    own = {"metric": metric, "p": 3}
    np.save(folder / "rows.npy", X)
    held = np.load(folder / "rows.npy", mmap_mode="r")
    yield NearestNeighbors(algorithm="brute", **own).fit(X), np.asarray
    if metric != "hamming":
        yield NearestNeighbors(algorithm="kd_tree", leaf_size=1, **own).fit(X), np.asarray
    yield NearestNeighbors(**own).fit(sparse.csr_array(X)), sparse.csr_array
    yield NearestNeighbors(**own).fit(held), np.asarray


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 70),
    d=st.integers(1, 10),
    levels=st.integers(1, 4),
    k=st.integers(1, 20),
    metric=st.sampled_from(ADDED),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_integer_grids(tmp_path_factory, n, d, levels, k, metric, dtype, seed):
    rng = np.random.default_rng(seed)
    X, Q = (rng.integers(0, levels, (rows, d)).astype(dtype) for rows in (n, 6))
    k, D = min(k, n), naive.distances(Q, X, DISTANCES[metric])
    reduced = D**3 if metric == "minkowski" else D  # a root of equal sums may differ by rounding
    expected = naive.k_nearest(np.round(reduced, 9), k)[1]
    for model, given_as in searches(X, metric, tmp_path_factory.mktemp("map")):
        distance, index = model.kneighbors(given_as(Q), k)
        assert_array_equal(index, expected)
        assert_allclose(distance, np.take_along_axis(D, expected, 1), rtol=1e-6)
        near = model.radius_neighbors(given_as(Q), 1.01 / d if metric == "hamming" else 1.01)[1]
        limit = 1.01 / d if metric == "hamming" else 1.01
        for found, rows in zip(near, naive.within(D, limit), strict=True):
            assert_array_equal(found, rows)


@pytest.mark.parametrize("metric", [*ADDED, "cosine"])
def test_lists_of_several_blocks(metric, monkeypatch):
    monkeypatch.setattr(costs, "SPARSE_BLOCK_ROWS", 16)
    rng = np.random.default_rng(0)
    X = sparse.random_array((150, 8), density=0.4, rng=rng, format="csr")
    X.data = np.ceil(3 * X.data)
    model = NearestNeighbors(n_neighbors=4, metric=metric, p=3).fit(X)
    assert metric == "chebyshev" or len(model._rows.lists.lists) > 5
    dense = NearestNeighbors(n_neighbors=4, metric=metric, p=3).fit(X.toarray())
    assert_allclose(model.kneighbors(X)[0], dense.kneighbors(X.toarray())[0], atol=1e-12)
    assert_allclose(model.kneighbors()[0], dense.kneighbors()[0], atol=1e-12)
    if metric != "cosine":  # whose products round otherwise, so that ties are none
        assert_array_equal(model.kneighbors()[1], dense.kneighbors()[1])
    radius = 0.3123 if metric in ("cosine", "hamming") else 2.0
    found, expected = (m.radius_neighbors_graph(None, radius).nnz for m in (model, dense))
    assert found == expected


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_lists_whose_sums_overflow_or_cancel(scale):
    rng = np.random.default_rng(0)
    X = sparse.random_array((200, 12), density=0.3, rng=rng, format="csr")
    X.data = scale * (1 + 1e-9 * X.data)  # rows that have the same features nearly coincide
    found = NearestNeighbors(n_neighbors=3, metric="manhattan").fit(X).kneighbors(X)
    gap = abs(X.toarray()[:, None] / scale - X.toarray()[None] / scale).sum(-1)
    assert_allclose(found[0] / scale, np.sort(gap, axis=1)[:, :3], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("p", [0.5, 1.5, 3, 3.5, 5.5, 7.5, 9, 2.3])
def test_powers_alone_and_many(p):
    gap = np.r_[0.0, np.random.default_rng(0).random(40) * 5]
    many = np.empty_like(gap)
    _metric_loops.powers(gap, p, many)
    assert_allclose(many, gap**p, rtol=1e-14)
    assert_array_equal(many, [_metric_loops.power(g, p) for g in gap])


def test_no_feature_is_left_out_of_a_block():
    rng = np.random.default_rng(0)
    for d in range(1, 10):
        X, Q = rng.standard_normal((37, d)), rng.standard_normal((40, d))
        wide = np.zeros((40, -(-d // _brute_loops.STEP) * _brute_loops.STEP))
        wide[:, :d] = Q
        columns, D = np.full((wide.shape[1], 37), np.nan), np.empty((40, 37))
        _brute_loops.lay_columns(X, columns)
        _brute_loops.add_features(wide, columns, _metric_loops.MANHATTAN, 1.0, D)
        assert_allclose(D, abs(Q[:, None] - X).sum(-1))
