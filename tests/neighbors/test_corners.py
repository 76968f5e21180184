"""Corners of the search: rows of zeros, functions as metrics, sparse rows, limits, graphs."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.neighbors import NearestNeighbors as Peer

from kiso._compute import costs
from kiso.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    kneighbors_graph,
    radius_neighbors_graph,
)
from tests.naive import neighbors as naive

rng = np.random.default_rng(0)
X, Q = rng.standard_normal((40, 3)), rng.standard_normal((7, 3))
X[[4, 9]] = Q[2] = 0.0
D = naive.distances(Q, X, naive.DISTANCES["manhattan"])


def search(k=5, **settings):
    return NearestNeighbors(n_neighbors=k, **settings)


# --- rows of zeros by cosine: distance 1 from everything, as scikit-learn has it ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_zeros_have_cosine_distance_one_from_everything(kind, dtype, monkeypatch, tmp_path):
    x, q = X.astype(dtype), Q.astype(dtype)
    np.save(tmp_path / "x.npy", x)
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    monkeypatch.setattr(costs, "BRUTE_CHUNK_QUERIES", 3)
    expected = Peer(n_neighbors=40, metric="cosine").fit(x).kneighbors(q)[0]
    for rows in (kind(x), held):
        model = search(40, metric="cosine", radius=1.0).fit(rows)
        distance, index = model.kneighbors(kind(q))
        assert_allclose(distance, expected, atol=4 * np.finfo(dtype).eps)
        assert_array_equal(distance[2], 1)
        assert_array_equal(index[2], np.arange(40))
        assert_array_equal(model.radius_neighbors(kind(q))[1][2], np.arange(40))
        assert model.radius_neighbors(kind(q), 0.999)[1][2].size == 0
        own = np.delete(np.arange(40), 4)
        assert_array_equal(model.kneighbors(None, 39)[1][4], own)
        assert_array_equal(model.radius_neighbors()[1][4], own)


def test_right_angles_are_within_one_by_cosine():
    rows = np.random.default_rng(1).integers(-3, 4, (200, 3)).astype(float)
    across = np.c_[rows[:, 1], -rows[:, 0], 0 * rows[:, 0]]
    for x, q in zip(rows, across, strict=True):
        found = NearestNeighbors(radius=1.0, metric="cosine").fit(x[None]).radius_neighbors(q[None])
        assert found[1][0].size == 1


# --- functions as metrics ---


def manhattan(q, x):
    assert q.ndim == x.ndim == 1
    return abs(q - x).sum()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("view", [np.asarray, np.asfortranarray, lambda a: a.repeat(2, 1)[:, ::2]])
def test_a_function_sees_rows_of_any_layout(view, dtype):
    x, q = (9 * X).astype(dtype), (9 * Q).astype(dtype)
    expected = search(6, metric="manhattan", algorithm="brute").fit(x).kneighbors(q)
    found = search(6, metric=manhattan).fit(view(x)).kneighbors(view(q))
    assert_allclose(found[0], expected[0], rtol=1e-6)
    if dtype is np.int64:  # others may tie but for rounding
        assert_array_equal(found[1], expected[1])


def test_a_function_of_one_feature_one_row_or_one_query():
    found = search(3, metric=manhattan).fit(X[:, :1]).kneighbors(Q[:, :1])
    assert_allclose(found[0], search(3).fit(X[:, :1]).kneighbors(Q[:, :1])[0])
    assert_array_equal(search(1, metric=manhattan).fit(X[:1]).kneighbors(Q)[1], np.zeros((7, 1)))
    assert search(3, metric=manhattan).fit(X).kneighbors(Q[:1])[1].shape == (1, 3)
    rows = search(3, metric=lambda q, x: abs(q - x).sum()).fit(sparse.csr_array(X))
    assert_allclose(rows.kneighbors(sparse.csr_array(Q))[0], np.sort(D)[:, :3])


def test_a_function_may_give_what_is_no_distance():
    inner = search(2, metric=lambda q, x: -(q @ x)).fit(X).kneighbors(Q)
    assert_array_equal(inner[1], np.argsort(-Q @ X.T, axis=1, kind="stable")[:, :2])
    far = search(3, metric=lambda q, x: np.inf).fit(X).kneighbors(Q)
    assert_array_equal(far[1], np.tile(np.arange(3), (7, 1)))
    assert np.isinf(far[0]).all()


@pytest.mark.parametrize("gives", [np.nan, "x", None, np.ones(3)])
def test_a_function_that_gives_no_number_is_refused(gives):
    for model in (
        search(metric=lambda q, x: gives),
        KNeighborsRegressor(metric=lambda q, x: gives),
    ):
        with pytest.raises(ValueError, match=r"metric=.*two rows and gives one number; it gave"):
            model.fit(X, X[:, 0]).kneighbors(Q)


# --- sparse rows ---


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil"])
@pytest.mark.parametrize(
    "settings",
    [
        {"metric": "manhattan"},
        {"metric": "chebyshev"},
        {"metric": "hamming"},
        {"p": 3},
        {"p": 0.5},
        {"p": np.inf},
        {"metric_params": {"w": [1.0, 0, 4]}},
    ],
)
@pytest.mark.filterwarnings("ignore:p=0.5 is below 1:UserWarning")
def test_sparse_rows_by_every_metric(settings, form):
    thin, queries = (getattr(sparse, form + "_array")(A) for A in (X, Q))
    dense = search(algorithm="brute", **settings).fit(X)
    expected = dense.kneighbors(Q)[0]
    for model in (search(**settings).fit(thin), dense):
        assert_allclose(model.kneighbors(queries)[0], expected, atol=1e-12)
    assert_allclose(search(**settings).fit(thin).kneighbors(Q)[0], expected, atol=1e-12)


def test_sparse_rows_and_a_tree_or_given_distances():
    thin = sparse.csr_array(X)
    with pytest.warns(UserWarning, match="a tree holds no sparse rows"):
        assert search(algorithm="kd_tree").fit(thin)._fit_method == "brute"


# --- limits ---


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree", "auto"])
def test_all_rows_and_more(algorithm):
    model = search(40, algorithm=algorithm, radius=np.inf).fit(X)
    expected = naive.k_nearest(naive.distances(Q, X, naive.DISTANCES["euclidean"]), 40)
    assert_array_equal(model.kneighbors(Q)[1], expected[1])
    assert_array_equal(np.sort(model.kneighbors(None, 39)[1] - np.arange(40)[:, None] == 0), 0)
    assert model.radius_neighbors_graph(Q).nnz == 7 * 40
    assert model.radius_neighbors_graph().nnz == 40 * 39
    with pytest.raises(ValueError, match="expected n_neighbors <= 39"):
        model.kneighbors()


@pytest.mark.parametrize("kind", [KNeighborsClassifier, KNeighborsRegressor])
def test_fewer_rows_than_neighbours(kind):
    model = kind(41).fit(X, np.arange(40) % 2)
    with pytest.raises(ValueError, match=r"n_neighbors=41.*<= 40.*n_samples_fit = 40"):
        model.predict(Q)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
def test_duplicates_go_by_index_in_brute_force_and_tree(metric):
    twins = np.random.default_rng(2).integers(0, 3, (900, 3)) * 1e12 + 1
    found = [
        search(60, metric=metric, algorithm=a, leaf_size=7).fit(twins).kneighbors(twins[:30])
        for a in ("brute", "kd_tree")
    ]
    assert_array_equal(found[0][1], found[1][1])
    assert_array_equal(found[0][0], found[1][0])
    expected = naive.distances(twins[:30], twins, naive.DISTANCES[metric])
    assert_array_equal(found[0][1], naive.k_nearest(np.round(expected, -6), 60)[1])


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1.0, 1e12, 3e37, 3e38])
@pytest.mark.parametrize("metric", ["manhattan", "chebyshev"])
def test_sums_in_float32_leave_out_no_neighbour(metric, scale):
    """They round, vanish or overflow; what is found is what float64 finds, to the last bit."""
    some = np.random.default_rng(4)
    x, q = (some.uniform(-1, 1, (rows, 23)) for rows in (900, 20))
    x[1::2] = x[::2] * (1 + 1e-7 * some.standard_normal((450, 1)))  # nearer than float32 tells
    x, q = ((scale * part).astype(np.float32) for part in (x, q))
    with np.errstate(over="ignore", invalid="ignore"):  # scikit-learn adds up all there is
        found = search(7, metric=metric, algorithm="brute").fit(x).kneighbors(q)
        tree = search(7, metric=metric, algorithm="kd_tree").fit(x).kneighbors(q)
        expected = search(7, metric=metric, algorithm="brute").fit(x.astype(float)).kneighbors(q)
        assert_array_equal(found[0], expected[0].astype(np.float32))
    assert_array_equal(found[1], expected[1])
    assert_array_equal(found[1], tree[1])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint64", "float16", "float32"])
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_every_type_of_number(algorithm, dtype):
    x, q = abs(3 * X).astype(dtype), abs(3 * Q).astype(dtype)
    expected = search(6, algorithm=algorithm).fit(x.astype(float)).kneighbors(q.astype(float))
    found = search(6, algorithm=algorithm).fit(x).kneighbors(q)
    assert_array_equal(found[1], expected[1])
    assert_allclose(found[0], expected[0], rtol=1e-6)
    assert found[0].dtype == (np.float32 if dtype == "float32" else np.float64)


# --- graphs ---


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("include_self", [True, False, "auto"])
def test_graphs_are_scikit_learns(mode, include_self):
    import sklearn.neighbors as peer

    own = {"mode": mode, "include_self": include_self}
    rows = np.random.default_rng(3).standard_normal((30, 3))  # no ties
    for metric in ("minkowski", "cosine"):
        fitted = NearestNeighbors(metric=metric).fit(rows)
        for given in (rows, fitted):
            found = kneighbors_graph(given, 3, metric=metric, **own)
            expected = peer.kneighbors_graph(rows, 3, metric=metric, **own)
            assert_allclose(found.toarray(), expected.toarray(), atol=1e-12)
            found = radius_neighbors_graph(given, 0.7, metric=metric, **own)
            expected = peer.radius_neighbors_graph(rows, 0.7, metric=metric, **own)
            assert_allclose(found.toarray(), expected.toarray(), atol=1e-12)


def test_graphs_refuse_what_they_cannot_mean():
    model = NearestNeighbors().fit(X)
    with pytest.raises(ValueError, match="metric='cosine': the fitted estimator has metric='mink"):
        kneighbors_graph(model, 3, metric="cosine")
    with pytest.raises(ValueError, match="include_self='no'"):
        kneighbors_graph(X, 3, include_self="no")
    with pytest.raises(ValueError, match="mode='lengths'"):
        radius_neighbors_graph(X, 3, mode="lengths")


# --- a file that is larger than what may be used ---


def anonymous_bytes():
    """Memory of this process that is no page of a file; pages of files go when others want it."""
    with Path("/proc/self/status").open() as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.slow
def test_a_file_of_two_gigabytes_is_searched_in_little_memory(tmp_path):
    n, d, where = 9_000_000, 64, 8_765_432  # 2.3 GB, nearly all a hole in the file
    rows = np.memmap(tmp_path / "rows", np.float32, "w+", shape=(n, d))
    some = np.random.default_rng(0).standard_normal((50, d)).astype(np.float32) + 5
    rows[where : where + 50] = some
    rows[:50] = some + 1
    try:
        before, peaks, done = anonymous_bytes(), [0], threading.Event()

        def watch():
            while not done.wait(0.02):
                peaks.append(anonymous_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            model = NearestNeighbors(n_neighbors=2).fit(rows)
            distance, index = model.kneighbors(rows[where : where + 20])
        finally:
            done.set()
            watcher.join()
    except (OSError, StopIteration):
        pytest.skip("this system does not say how much memory is in use")
    assert_array_equal(index[:, 0], where + np.arange(20))
    assert_array_equal(distance[:, 0], 0)
    assert len(peaks) > 10
    assert max(peaks) - before < 200e6


# --- units, names and words ---


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 2.0**-90), (np.float64, 2.0**-400)])
def test_cosine_of_tiny_rows(dtype, scale, layout):
    X = np.random.default_rng(0).standard_normal((40, 3)).astype(dtype)
    X[7] = 0
    usual = NearestNeighbors(metric="cosine").fit(layout(X)).kneighbors(layout(X[:9]))
    X *= np.linspace(scale, 1, 40, dtype=dtype)[:, None]
    tiny = NearestNeighbors(metric="cosine").fit(layout(X)).kneighbors(layout(X[:9]))
    assert_array_equal(tiny[1], usual[1])
    assert_allclose(tiny[0], usual[0], atol=1e-6 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
@pytest.mark.parametrize(("metric", "size"), [("euclidean", 1e160), ("minkowski", 1e110)])
def test_powers_that_overflow_are_refused(algorithm, metric, size):
    X = np.random.default_rng(0).standard_normal((30, 3))
    search = NearestNeighbors(n_neighbors=3, algorithm=algorithm, metric=metric, p=3)
    search.fit(np.vstack([X, X + size]))
    search.kneighbors(X)  # those that are found are near
    with pytest.raises(ValueError, match="overflow"):
        search.kneighbors(X, n_neighbors=31)
    with pytest.raises(ValueError, match="overflow"):
        search.radius_neighbors(X, np.inf)
    far = NearestNeighbors(n_neighbors=31, metric=lambda q, x: np.inf if x[0] > 9 else 1.0)
    assert np.isinf(far.fit(np.vstack([X, X + 99])).kneighbors(X)[0][:, -1]).all()


def test_ball_tree_takes_what_scikit_learns_takes():
    X = np.random.default_rng(0).integers(0, 3, (40, 4)).astype(float)
    for settings in (
        {"metric": lambda q, x: float(abs(q - x).sum())},
        {"metric": "hamming"},
        {"p": 3, "metric_params": {"w": [1, 0, 2, 1]}},
    ):
        ball = NearestNeighbors(algorithm="ball_tree", **settings).fit(X).kneighbors(X)
        brute = NearestNeighbors(algorithm="brute", **settings).fit(X).kneighbors(X)
        assert_array_equal(ball[1], brute[1])
        peer = Peer(algorithm="ball_tree", **settings).fit(X).kneighbors(X)
        assert_allclose(ball[0], peer[0], atol=1e-12)


def test_effective_metric_is_scikit_learns():
    X = np.eye(4)
    for settings in ({"p": 1}, {"metric": "l1"}, {"metric": "l2"}, {"metric": "cosine"}, {}):
        own, peer = (kind(**settings).fit(X) for kind in (NearestNeighbors, Peer))
        assert own.effective_metric_ == peer.effective_metric_


def test_weights_none_are_uniform_and_targets_are_numbers():
    X, y = np.arange(8.0)[:, None], np.arange(8) % 3
    for model in (
        KNeighborsClassifier(3),
        KNeighborsRegressor(3),
        RadiusNeighborsClassifier(1.5),
        RadiusNeighborsRegressor(1.5),
    ):
        uniform = model.fit(X, y).predict(X)
        assert_array_equal(model.set_params(weights=None).fit(X, y).predict(X), uniform)
        if is_regressor(model):
            with pytest.raises(ValueError, match="y of type <U1: regression takes numbers"):
                model.fit(X, np.array(list("abcdefgh")))
