"""Distances given as a sparse graph, and every metric that scikit-learn takes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier as Reference

from kiso.neighbors import KNeighborsClassifier, NearestNeighbors, kneighbors_graph

RNG = np.random.default_rng(0)
X, Q = RNG.standard_normal((60, 3)), RNG.standard_normal((9, 3))
POSITIVE = np.abs(X) + 0.1
BITS, BIT_QUERIES = RNG.random((60, 8)) < 0.4, RNG.random((9, 8)) < 0.4
BIT_QUERIES[:, 0] = True  # 0/0 of rows without a one is a matter of convention
V = np.cov(X.T)


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("braycurtis", {}), ("canberra", {}), ("correlation", {}), ("cosine", {}),
        ("mahalanobis", {"VI": np.linalg.inv(V)}), ("seuclidean", {"V": np.diag(V)}),
        ("minkowski", {"w": [1.0, 2.0, 0.5]}), ("cityblock", {}),
    ],
    ids=lambda v: v if isinstance(v, str) else "-".join(v) or "plain",
)  # fmt: skip
def test_metrics_of_scipy(metric, params):
    rows, queries = (POSITIVE, np.abs(Q)) if metric in ("braycurtis", "canberra") else (X, Q)
    model = NearestNeighbors(n_neighbors=4, metric=metric, metric_params=params or None)
    distance, _ = model.fit(rows).kneighbors(queries)
    assert_allclose(distance, np.sort(cdist(queries, rows, metric, **params))[:, :4], rtol=1e-9)


@pytest.mark.parametrize(
    "metric", ["dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule"]
)
def test_metrics_of_true_and_false(metric):
    model = NearestNeighbors(n_neighbors=3, metric=metric).fit(BITS)
    every = np.sort(cdist(BIT_QUERIES, BITS, metric))[:, :3]
    assert_allclose(model.kneighbors(BIT_QUERIES)[0], every, rtol=1e-9, atol=1e-12)


def test_haversine_is_the_great_circle():
    rows = RNG.uniform(-1.5, 1.5, (50, 2))
    model = NearestNeighbors(n_neighbors=2, metric="haversine").fit(rows)
    (a, b), q = rows[:, :].T, rows[:5] + 0.01
    half = (np.sin((q[:, :1] - a) / 2) ** 2
            + np.cos(q[:, :1]) * np.cos(a) * np.sin((q[:, 1:] - b) / 2) ** 2)  # fmt: skip
    every = 2 * np.arcsin(np.sqrt(half))
    assert_allclose(model.kneighbors(q)[0], np.sort(every)[:, :2], rtol=1e-9)


def test_nan_euclidean_leaves_missing_numbers_out():
    from sklearn.metrics.pairwise import nan_euclidean_distances

    holes = X.copy()
    holes[::7, 1] = np.nan
    model = NearestNeighbors(n_neighbors=3, metric="nan_euclidean").fit(holes)
    every = np.sort(nan_euclidean_distances(Q, holes))[:, :3]
    assert_allclose(model.kneighbors(Q)[0], every, rtol=1e-9)


def test_a_sparse_graph_of_distances():
    y = (X[:, 0] > 0) * 1
    graph = kneighbors_graph(X, 10, mode="distance", include_self=True)
    model = KNeighborsClassifier(3, metric="precomputed").fit(graph, y)
    plain = KNeighborsClassifier(3).fit(X, y)
    assert_array_equal(model.predict(graph), plain.predict(X))
    reference = Reference(3, metric="precomputed").fit(graph, y)
    assert_array_equal(model.predict(graph), reference.predict(graph))


def test_a_graph_that_lacks_neighbours_is_refused():
    graph = sparse.csr_array(np.where(np.eye(6) > 0, 0.0, np.inf) == 0).astype(float)
    with pytest.raises(ValueError, match="neighb"):
        NearestNeighbors(n_neighbors=3, metric="precomputed").fit(graph).kneighbors(graph)


def test_a_tree_for_sparse_rows_says_that_it_is_none():
    with pytest.warns(UserWarning, match="a tree holds no sparse rows"):
        NearestNeighbors(algorithm="ball_tree").fit(sparse.csr_array(X))
