"""NearestNeighbors against every distance sorted: algorithms, metrics, types, corners.

`jit` marks what takes minutes as plain Python.
"""

import os
import pickle
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from kiso.neighbors import NearestNeighbors, _brute, kneighbors_graph, radius_neighbors_graph
from tests.naive import neighbors as naive

ALGORITHMS = ["brute", "kd_tree", "auto"]
NORMS = ["euclidean", "sqeuclidean", "manhattan", "chebyshev"]


def search(X, k=5, algorithm="brute", **settings):
    return NearestNeighbors(n_neighbors=k, algorithm=algorithm, **settings).fit(X)


def euclidean(Q, X):
    return np.sqrt(((np.asarray(Q, float)[:, None] - np.asarray(X, float)[None]) ** 2).sum(-1))


@pytest.mark.jit
@parametrize_with_checks([NearestNeighbors(), NearestNeighbors(algorithm="kd_tree", leaf_size=1)])
@pytest.mark.filterwarnings("ignore:.*a tree holds no sparse rows:UserWarning")
def test_sklearn_checks(estimator, check):
    check(estimator)


# --- against the slow twin ---


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 90),
    m=st.integers(1, 9),
    d=st.integers(1, 11),
    levels=st.integers(1, 4),
    k=st.integers(1, 20),
    algorithm=st.sampled_from(ALGORITHMS),
    metric=st.sampled_from(NORMS),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_ties_on_integer_grids_go_to_the_lower_index(
    n, m, d, levels, k, algorithm, metric, dtype, seed
):
    rng = np.random.default_rng(seed)
    X, Q = (rng.integers(0, levels, (rows, d)).astype(dtype) for rows in (n, m))
    k = min(k, n)
    expected = naive.k_nearest(naive.distances(Q, X, naive.DISTANCES[metric]), k)
    found = search(X, k, algorithm, metric=metric, leaf_size=1).kneighbors(Q)
    assert_array_equal(found[1], expected[1])
    assert_allclose(found[0], expected[0], rtol=1e-6)
    assert found[0].dtype == dtype


@pytest.mark.jit
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 3, 8, 19, 70])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_every_algorithm_gives_the_same_bits(metric, d, dtype):
    rng = np.random.default_rng(d)
    X, Q = (rng.standard_normal((rows, d)).astype(dtype) for rows in (700, 40))
    X[300:350] = X[:50]
    found = [search(X, 7, a, metric=metric).kneighbors(Q) for a in ALGORITHMS]
    for other in found[1:]:
        assert_array_equal(found[0][0], other[0])
        assert_array_equal(found[0][1], other[1])
    D = naive.distances(Q, X, naive.DISTANCES[metric])
    assert_allclose(found[0][0], naive.k_nearest(D, 7)[0], rtol=2e-7)


@pytest.mark.parametrize(
    ("metric", "params", "distance"),
    [
        ("minkowski", {"p": 3}, naive.minkowski(3)),
        ("minkowski", {"p": 0.5}, naive.minkowski(0.5)),
        ("hamming", {}, naive.DISTANCES["hamming"]),
        ("cosine", {}, naive.DISTANCES["cosine"]),
        ("cityblock", {}, naive.DISTANCES["manhattan"]),
        (lambda q, x: abs(q - x).max(), {}, naive.DISTANCES["chebyshev"]),
    ],
)
@pytest.mark.filterwarnings("ignore:p=0.5 is below 1:UserWarning")
def test_other_metrics(metric, params, distance):
    rng = np.random.default_rng(0)
    X, Q = rng.integers(0, 3, (300, 4)) * 1.0, rng.integers(0, 3, (20, 4)) * 1.0
    if metric == "cosine":
        X += rng.standard_normal(X.shape)
        X[5] = Q[3] = 0
    D = naive.distances(Q, X, distance)
    expected = naive.k_nearest(D, 6)
    for algorithm in ("brute", "auto"):
        found = search(X, 6, algorithm, metric=metric, **params).kneighbors(Q)
        assert_allclose(found[0], expected[0], atol=1e-12)
        rows = [i for i in range(20) if not (metric == "cosine" and i == 3)]  # all tied
        assert_array_equal(found[1][rows], expected[1][rows])
    if params.get("p") == 3:
        assert_array_equal(search(X, 6, "kd_tree", metric=metric, p=3).kneighbors(Q)[1], found[1])


def test_minkowski_weights_are_scipys():
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(0)
    X, Q, w = rng.standard_normal((200, 3)), rng.standard_normal((10, 3)), np.array([1.0, 4, 0])
    for p in (1, 2, 3):
        found = search(X, 4, p=p, metric_params={"w": w}).kneighbors(Q)
        expected = naive.k_nearest(cdist(Q, X, "minkowski", p=p, w=w), 4)
        assert_allclose(found[0], expected[0])
        assert_array_equal(found[1], expected[1])


def test_precomputed_distances():
    rng = np.random.default_rng(0)
    X, Q = rng.standard_normal((150, 3)), rng.standard_normal((10, 3))
    model = search(euclidean(X, X), 4, "auto", metric="precomputed")
    assert_array_equal(model.kneighbors(euclidean(Q, X))[1], search(X, 4).kneighbors(Q)[1])
    assert_array_equal(model.kneighbors()[1], search(X, 4).kneighbors()[1])
    found, expected = model.radius_neighbors(radius=1.0)[1], search(X).radius_neighbors(radius=1.0)
    for got, want in zip(found, expected[1], strict=True):
        assert_array_equal(got, want)


@pytest.mark.parametrize("metric", [*NORMS, "cosine"])
def test_sparse_rows(metric):
    rng = np.random.default_rng(1)
    X = sparse.random_array((300, 30), density=0.1, rng=rng, format="csr")
    Q = sparse.random_array((25, 30), density=0.1, rng=rng, format="coo")
    dense = search(X.toarray(), 5, metric=metric)
    thin = search(X, 5, "auto", metric=metric)
    for queries in (Q, Q.toarray()):
        for model in (dense, thin):
            found = model.kneighbors(queries)
            assert_allclose(found[0], dense.kneighbors(Q.toarray())[0], atol=1e-12)
    D = naive.distances(Q.toarray(), X.toarray(), naive.DISTANCES[metric])
    assert_allclose(thin.kneighbors(Q)[0], naive.k_nearest(D, 5)[0], atol=1e-12)


# --- itself, radius, graphs ---


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_row_is_not_its_own_neighbour_but_its_twin_is(algorithm):
    X = np.random.default_rng(0).integers(0, 3, (400, 3)).astype(float)
    expected = naive.k_nearest(euclidean(X, X), 6, without_self=True)
    found = search(X, 6, algorithm).kneighbors()
    assert_array_equal(found[1], expected[1])
    assert (found[0][:, 0] == 0).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("metric", [*NORMS, "hamming", "cosine"])
def test_radius(algorithm, metric):
    if algorithm == "kd_tree" and metric in ("hamming", "cosine"):
        return
    rng = np.random.default_rng(0)
    X, Q = rng.integers(1, 5, (400, 3)) * 1.0, rng.integers(1, 6, (30, 3)) * 1.0
    D = naive.distances(Q, X, naive.DISTANCES[metric])
    radius = 0.043 if metric == "cosine" else 1.0 / 3 if metric == "hamming" else 2.0
    model = search(X, algorithm=algorithm, metric=metric)
    d, found = model.radius_neighbors(Q, radius)
    for i, expected in enumerate(naive.within(D, radius)):
        assert_array_equal(found[i], expected)
        assert_allclose(d[i], D[i, expected], atol=1e-12)
    d, found = model.radius_neighbors(Q, radius, sort_results=True)
    for i in range(len(Q)):
        assert list(zip(d[i], found[i], strict=True)) == sorted(zip(d[i], found[i], strict=True))
    none = model.radius_neighbors(Q[:1] * 0 - 1e9, 0.0) if metric in NORMS else None
    assert none is None or none[1][0].size == 0


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_graphs(algorithm):
    X = np.random.default_rng(0).standard_normal((60, 2))
    model = search(X, 4, algorithm)
    D = euclidean(X, X)
    graph = model.kneighbors_graph(mode="distance").toarray()
    rows = naive.k_nearest(D, 4, without_self=True)[1]
    expected = np.zeros_like(D)
    np.put_along_axis(expected, rows, np.take_along_axis(D, rows, 1), 1)
    assert_allclose(graph, expected)
    assert_array_equal(kneighbors_graph(X, 4).toarray(), expected > 0)
    own = kneighbors_graph(X, 4, include_self=True).toarray()
    assert (np.diag(own) == 1).all()
    near = (D <= 0.8) & ~np.eye(60, dtype=bool)
    assert_array_equal(radius_neighbors_graph(X, 0.8).toarray(), near)
    assert_allclose(model.radius_neighbors_graph(X, 0.8, mode="distance").toarray(), near * D)


# --- hard numbers ---


@pytest.mark.jit
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e12, 1e30])
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_neither_scale_nor_offset_gives_a_wrong_neighbour(algorithm, scale, dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 20))
    X = (scale * np.where(np.arange(500)[:, None] % 2, X, 1e4 + X)).astype(dtype)
    Q = (X[rng.integers(0, 500, 40)] * (1 + 1e-5 * rng.standard_normal((40, 20)))).astype(dtype)
    D = ((Q[:, None].astype(np.longdouble) - X[None]) ** 2).sum(-1)
    d, i = search(X, 3, algorithm).kneighbors(Q)
    least = np.sort(D, axis=1)[:, :3]
    assert_allclose(np.take_along_axis(D, i, 1).astype(float), least.astype(float), rtol=1e-13)
    assert_allclose(d, np.sqrt(least).astype(float), rtol=1e-6)


@pytest.mark.jit
def test_products_that_overflow_are_measured():
    rng = np.random.default_rng(0)
    X = (1e25 * rng.standard_normal((300, 40))).astype(np.float32)
    expected = naive.k_nearest(euclidean(X[:20], X), 4)
    found = search(X, 4).kneighbors(X[:20])
    assert_array_equal(found[1], expected[1])


def test_wide_queries_keep_their_digits():
    X = np.array([[1.0], [1.0 + 2**-23]], np.float32)
    q = np.array([[1.0 + 2**-23 * 0.4], [1.0 + 2**-23 * 0.6]])
    for algorithm in ("brute", "kd_tree"):
        assert_array_equal(search(X, 1, algorithm).kneighbors(q)[1].ravel(), [0, 1])


@pytest.mark.jit
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_all_rows_equal(algorithm):
    X = np.full((3000, 2), 0.1, np.float32)
    d, i = search(X, 4, algorithm).kneighbors(X[:5])
    assert_array_equal(i, np.tile(np.arange(4), (5, 1)))
    assert_array_equal(d, 0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_shapes_and_types_of_input(algorithm):
    rng = np.random.default_rng(0)
    X = rng.integers(-9, 9, (120, 4))
    expected = search(X.astype(float), 5, algorithm).kneighbors(X[:9])[1]
    for view in (X, X.astype(np.float16), np.asfortranarray(X), X.astype(np.float32), X.tolist()):
        assert_array_equal(search(view, 5, algorithm).kneighbors(X[:9])[1], expected)
    wide = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1).astype(float)
    assert_array_equal(
        search(wide[::2, ::3], 5, algorithm).kneighbors(wide[:18:2, ::3])[1], expected
    )
    one = search(X[:1], 1, algorithm)
    assert_array_equal(one.kneighbors(X[:9])[1], np.zeros((9, 1)))
    line = search(X[:, :1], 3, algorithm).kneighbors(X[:9, :1])[1]
    assert_array_equal(line, naive.k_nearest(euclidean(X[:9, :1], X[:, :1]), 3)[1])
    every = search(X, len(X), algorithm).kneighbors(X[:3])[1]
    assert_array_equal(every, naive.k_nearest(euclidean(X[:3], X), len(X))[1])


@pytest.mark.jit
def test_a_memory_map_is_neither_loaded_nor_copied(tmp_path):
    X = np.random.default_rng(0).standard_normal((20_000, 64)).astype(np.float32)
    path = tmp_path / "rows.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    expected = search(X, 3).kneighbors(X[:50])[1]
    search(mapped, 3).kneighbors(X[:50])  # compiled
    tracemalloc.start()
    model = NearestNeighbors(n_neighbors=3).fit(mapped)
    found = model.kneighbors(X[:50])[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_array_equal(found, expected)
    assert np.shares_memory(model._fit_X.source, mapped)
    assert peak < X.nbytes / 2


# --- threads, pickles, refusals ---


@pytest.mark.jit
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
@pytest.mark.parametrize("m", [30, 1500])
def test_threads_change_nothing(algorithm, m, monkeypatch):
    rng = np.random.default_rng(0)
    X, Q = rng.integers(0, 9, (9000, 4)) * 1.0, rng.integers(0, 9, (m, 4)) * 1.0
    with threadpool_limits(1):
        expected = search(X, 5, algorithm).kneighbors(Q)
    monkeypatch.setattr("kiso._compute.threads.n_threads", lambda: 3)
    monkeypatch.setattr(_brute, "n_threads", lambda: 3)
    found = search(X, 5, algorithm).kneighbors(Q)
    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[1], expected[1])


@pytest.mark.jit
def test_two_searches_at_once():
    rng = np.random.default_rng(0)
    X, Q = rng.standard_normal((5000, 12)), rng.standard_normal((700, 12))
    alone = {a: search(X, 5, a).kneighbors(Q) for a in ("brute", "kd_tree")}
    found = {}

    def work(algorithm):
        found[algorithm] = search(X, 5, algorithm).kneighbors(Q)

    threads = [threading.Thread(target=work, args=(a,)) for a in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for algorithm, (d, i) in alone.items():
        assert_array_equal(found[algorithm][0], d)
        assert_array_equal(found[algorithm][1], i)


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_pickles(algorithm):
    X = np.random.default_rng(0).standard_normal((200, 3))
    model = search(X, 5, algorithm)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.kneighbors(X)[1], model.kneighbors(X)[1])


@pytest.mark.jit
def test_auto_takes_the_tree_where_it_prunes_and_not_elsewhere():
    rng = np.random.default_rng(0)
    flat = rng.standard_normal((20_000, 2))
    turned = flat @ rng.standard_normal((2, 20))  # 20 features, dimension 2
    deep = rng.standard_normal((20_000, 20))
    for X, k, metric, pays in (
        (flat, 5, "euclidean", True),
        (turned, 5, "euclidean", True),
        (deep, 5, "euclidean", False),
        (deep[:, :12], 5, "euclidean", False),
        (deep[:, :12], 5, "manhattan", False),
        (flat, 5, "manhattan", True),
        (flat, 10_001, "euclidean", False),
    ):
        model = search(X, k, "auto", metric=metric)
        assert model._choice.tree_for(X[:3000], k) is not None or not pays
        model.kneighbors(X[:200])
        assert (model._choice.tree is not None) == pays
    assert search(flat, 5, "auto", metric="cosine")._choice is None


@pytest.mark.jit
def test_auto_builds_no_tree_for_few_queries_but_once_they_are_many():
    X = np.random.default_rng(0).standard_normal((30_000, 3))
    model = search(X, 5, "auto")
    expected = search(X, 5).kneighbors(X[:100])
    built = []
    for _ in range(40):
        found = model.kneighbors(X[:100])
        built.append(model._choice.tree is not None)
        assert_array_equal(found[1], expected[1])
        assert_array_equal(found[0], expected[0])
    assert built == sorted(built)
    assert not built[0]
    assert built[-1]
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.kneighbors(X[:100])[1], expected[1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": "euclid"}, "metric"),
        ({"metric": "euclidean", "metric_params": {"w": [1]}}, "metric_params=.*none"),
        ({"metric_params": {"w": [1.0]}}, "each of the 2 features"),
        ({"metric_params": {"V": 3}}, "only p and w"),
        ({"algorithm": "kd_tree", "metric": "cosine"}, "a tree needs"),
        ({"algorithm": "kd_tree", "p": 0.5}, "a tree needs"),
        ({"metric": "precomputed"}, "square"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"leaf_size": 0}, "leaf_size"),
        ({"radius": -1.0}, "radius"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NearestNeighbors(**settings).fit(np.ones((5, 2)))


def test_bad_calls_are_refused():
    X = np.arange(10.0).reshape(5, 2)
    model = NearestNeighbors(n_neighbors=3).fit(X)
    with pytest.raises(ValueError, match="n_neighbors <= 4, the number of training samples, each"):
        model.kneighbors(n_neighbors=5)
    with pytest.raises(ValueError, match="n_neighbors=6: expected n_neighbors <= 5"):
        model.kneighbors(X, n_neighbors=6)
    with pytest.raises(TypeError, match="n_neighbors=2.5"):
        model.kneighbors(X, n_neighbors=2.5)
    with pytest.raises(ValueError, match="radius=-1"):
        model.radius_neighbors(X, radius=-1)
    with pytest.raises(ValueError, match="mode='both'"):
        model.kneighbors_graph(X, mode="both")
    with pytest.raises(ValueError, match="NaN"):
        model.kneighbors(np.full((1, 2), np.nan))


def _neighbors_of(seed):
    rng = np.random.default_rng(seed)
    X, Q = rng.standard_normal((3000, 6)), rng.standard_normal((600, 6))
    return [search(X, 5, a).kneighbors(Q)[1] for a in ("brute", "kd_tree")]


@pytest.mark.jit
def test_loky_workers_find_the_same():
    from joblib import Parallel, delayed

    expected = _neighbors_of(0)
    for found in Parallel(n_jobs=2, backend="loky")(delayed(_neighbors_of)(0) for _ in range(2)):
        for got, want in zip(found, expected, strict=True):
            assert_array_equal(got, want)


@pytest.mark.jit
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_finds_the_same():
    expected = _neighbors_of(0)  # the parent's threads are running
    child = os.fork()
    if child == 0:
        same = all(np.array_equal(a, b) for a, b in zip(_neighbors_of(0), expected, strict=True))
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
