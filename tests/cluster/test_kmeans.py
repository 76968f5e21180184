"""KMeans is Lloyd's algorithm, to the last row, in every corner."""

import itertools
import multiprocessing
import os
import threading
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from scipy import sparse
from sklearn import cluster as peer
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from kiso._compute import costs
from kiso.cluster import KMeans, LloydState, SeedingState, _assignment
from kiso.cluster._rows import Rows
from kiso.cluster._seeding import Seeds
from kiso.cluster._seeding_loops import NEXT, PLANNED, SERVED, SIZE
from tests.naive import kmeans as naive

# the seeds are drawn from rows: leaving one out, or repeating it, draws others (scikit-learn's
# own KMeans is excused from these two for the same reason)
DRAWN = {
    f"check_sample_weight_equivalence_on_{kind}_data": "the seeds are drawn from other rows"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [KMeans(n_clusters=3, n_init=2)], expected_failed_checks=lambda estimator: DRAWN
)
def test_sklearn_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def problem(n, d, k, seed, dtype=np.float64, spread=3.0):
    rng = np.random.default_rng(seed)
    middles = spread * rng.standard_normal((k, d))
    X = (middles[rng.integers(0, k, n)] + rng.standard_normal((n, d))).astype(dtype)
    return X, X[rng.choice(n, k, replace=False)].copy()


def lloyd_states(model, X, **params):
    return [s for s in model.steps(X, **params) if isinstance(s, LloydState)]


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 200),
    d=st.sampled_from([1, 2, 5, 9, 30]),
    k=st.integers(1, 12),
    dtype=st.sampled_from([np.float32, np.float64]),
    weighted=st.booleans(),
    is_sparse=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_every_step_is_lloyds(n, d, k, dtype, weighted, is_sparse, seed):
    n = max(n, k)
    X, C = problem(n, d, k, seed, dtype, spread=1.0 + seed % 3)
    rng = np.random.default_rng(seed)
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], n) + (np.arange(n) == 0) if weighted else None
    expected = naive.lloyd(X, C, weight, tol=1e-9, max_iter=12)
    rows = sparse.csr_matrix(X) if is_sparse else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, init=C, n_init=1, tol=0, max_iter=12)
        states = lloyd_states(model, rows, sample_weight=weight)
    for state, (centers, labels, inertia) in zip(states, expected, strict=False):
        tolerance = 1e-5 if dtype == np.float32 else 1e-9
        np.testing.assert_allclose(state.centers, centers, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(state.labels, labels)
        assert state.inertia == pytest.approx(inertia, rel=1e-6, abs=1e-9 * n)
    assert abs(len(states) - len(expected)) <= 1  # rounding: a shift of exactly 0, or not


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(6000, 2, 15), (6000, 12, 20), (3000, 40, 60)])
def test_bounds_change_nothing(n, d, k, dtype):
    """Long runs over several lanes and blocks, where most rows are skipped."""
    X, C = problem(n, d, k, 0, dtype)
    model = KMeans(k, init=C, n_init=1, tol=0, max_iter=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        states = lloyd_states(model, X)
    weight = np.ones(n)
    for before, state in itertools.pairwise(states):
        D = (
            (X.astype(np.float64) ** 2).sum(axis=1)[:, None]
            - 2 * X.astype(np.float64) @ state.centers.T.astype(np.float64)
            + (state.centers.astype(np.float64) ** 2).sum(axis=1)
        )
        np.testing.assert_allclose(
            D[np.arange(n), state.labels], D.min(axis=1), rtol=1e-9, atol=1e-9
        )
        assert state.inertia == pytest.approx(
            naive.inertia(X, weight, state.centers, state.labels), rel=1e-9
        )
        new = naive.means(X, weight, before.centers, before.labels)
        np.testing.assert_allclose(state.centers, new, rtol=2e-6 if dtype == np.float32 else 1e-9)
    path = np.array([state.inertia for state in states])
    assert (np.diff(path) <= 1e-6 * path[:-1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tol", [0, 1e-4, 1e-2])
def test_agrees_with_sklearn(dtype, tol):
    X, C = problem(2000, 6, 8, 1, dtype)
    weight = np.random.default_rng(0).random(2000)
    for w in (None, weight):
        own = KMeans(8, init=C, n_init=1, tol=tol).fit(X, sample_weight=w)
        other = peer.KMeans(8, init=C, n_init=1, tol=tol).fit(X, sample_weight=w)
        assert own.n_iter_ == other.n_iter_
        assert own.cluster_centers_.dtype == dtype
        np.testing.assert_array_equal(own.labels_, other.labels_)
        np.testing.assert_allclose(own.cluster_centers_, other.cluster_centers_, rtol=1e-3)
        assert own.inertia_ == pytest.approx(other.inertia_, rel=1e-4)
        assert own.score(X, sample_weight=w) == pytest.approx(-own.inertia_, rel=1e-6)
        np.testing.assert_allclose(own.transform(X), other.transform(X), rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(own.predict(X), own.labels_)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_finds_blobs(init):
    X, y = make_blobs(600, centers=6, cluster_std=0.05, random_state=3)
    model = KMeans(6, init=init, n_init=10, random_state=0).fit(X)
    assert all(len(set(model.labels_[y == j])) == 1 for j in range(6))
    assert len(set(model.labels_)) == 6


def test_empty_clusters_are_relocated():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    model = KMeans(3, init=[[0.5], [100.0], [200.0]], n_init=1).fit(X)
    assert len(set(model.labels_)) == 3
    assert model.inertia_ == pytest.approx(0.5)


@pytest.mark.parametrize("d", [2, 20])
def test_more_clusters_than_distinct_rows(d):
    X = np.repeat(np.random.default_rng(0).standard_normal((3, d)), 5, axis=0)
    for init in ("k-means++", "k-means||", "random"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(\d\)"):
            model = KMeans(6, init=init, n_init=5, random_state=0).fit(X)
        assert np.isfinite(model.cluster_centers_).all()
        if init != "random":
            assert model.inertia_ == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("d", [3, 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_the_origin(d, dtype):
    """The same clusters at 0 and as far out as the precision carries."""
    rng = np.random.default_rng(0)
    X = rng.integers(-8, 8, (500, d)).astype(dtype) + 40 * rng.integers(0, 3, (500, 1))
    X = X.astype(dtype)
    far = 1e12 if dtype == np.float64 else 2.0**15
    near_by = KMeans(4, init=X[:4], n_init=1).fit(X)
    away = KMeans(4, init=X[:4] + dtype(far), n_init=1).fit(X + dtype(far))
    assert np.mean(near_by.labels_ == away.labels_) > 0.99  # centres are rounded out there
    assert away.inertia_ == pytest.approx(near_by.inertia_, rel=1e-3)


@pytest.mark.parametrize("kind", ["float16", "int64", "F", "strided", "bool"])
def test_other_layouts(kind):
    X = np.random.default_rng(0).integers(0, 2, (80, 12)).astype(np.float64)
    same = {
        "float16": X.astype(np.float16),
        "int64": X.astype(np.int64),
        "F": np.asfortranarray(X),
        "strided": np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
        "bool": X.astype(bool),
    }[kind]
    expected = KMeans(3, random_state=0).fit(X)
    found = KMeans(3, random_state=0).fit(same)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)


def test_small_shapes():
    one = KMeans(1).fit([[3.0, 4.0]])
    assert one.inertia_ == 0
    np.testing.assert_array_equal(one.cluster_centers_, [[3, 4]])
    flat = KMeans(2, random_state=0).fit([[1.0, 0], [1, 5], [1, 6]])  # a constant feature
    assert flat.inertia_ == pytest.approx(0.5)
    mean = KMeans(1).fit(np.arange(10.0)[:, None])
    assert mean.cluster_centers_[0, 0] == 4.5


def test_zero_weights_count_for_nothing():
    X, C = problem(300, 10, 4, 5)
    weight = (np.arange(300) % 3 > 0).astype(float)
    all_rows = KMeans(4, init=C, n_init=1, tol=0).fit(X, sample_weight=weight)
    some_rows = KMeans(4, init=C, n_init=1, tol=0).fit(X[weight > 0])
    np.testing.assert_allclose(all_rows.cluster_centers_, some_rows.cluster_centers_)
    assert all_rows.inertia_ == pytest.approx(some_rows.inertia_)
    X[0], weight[0] = 1e6, 0.0
    for seed in range(5):
        model = KMeans(4, random_state=seed).fit(X, sample_weight=weight)
        assert np.abs(model.cluster_centers_).max() < 1e3


def test_steps_show_seeding_then_lloyd():
    X, _ = problem(400, 10, 5, 2)
    model = KMeans(5, random_state=0, n_init=3)
    states = list(model.steps(X))
    assert [s.run for s in states if isinstance(s, SeedingState)] == [0] * 5 + [1] * 5 + [2] * 5
    seeding = [s for s in states if isinstance(s, SeedingState) and s.run == 0]
    for m, state in enumerate(seeding, start=1):
        assert len(state.indices) == m
        np.testing.assert_array_equal(state.centers, X[state.indices])
        share = naive.plus_plus_distribution(X, np.ones(400), state.indices)
        np.testing.assert_allclose(state.closest / state.inertia, share, atol=1e-12)
    ends = [s for s in states if isinstance(s, LloydState) and s.settled]
    assert len(ends) == 3
    assert [s.converged for s in states] == [False] * (len(states) - 1) + [True]
    assert model.inertia_ == min(s.inertia for s in ends)
    whole = KMeans(5, random_state=0, n_init=3).fit(X)
    np.testing.assert_array_equal(whole.cluster_centers_, model.cluster_centers_)
    assert len(whole.objective_path_) == len(states)


def test_callable_init_and_n_init():
    X, C = problem(100, 3, 4, 0)
    calls = []

    def init(X, n_clusters, random_state):
        calls.append(random_state.randint(10))
        return X[random_state.permutation(len(X))[:n_clusters]]

    KMeans(4, init=init, random_state=0).fit(X)
    assert len(calls) == 10
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        KMeans(4, init=C, n_init=3).fit(X)


def test_bad_input():
    X = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"n_samples=3 should be >= n_clusters=4"):
        KMeans(4).fit(X)
    with pytest.raises(ValueError, match="does not match the number of clusters 2"):
        KMeans(2, init=np.zeros((3, 2)), n_init=1).fit(X)
    with pytest.raises(ValueError, match="does not match the number of features"):
        KMeans(2, init=np.zeros((2, 3)), n_init=1).fit(X)
    with pytest.raises(ValueError, match="at least one non-zero"):
        KMeans(2).fit(X, sample_weight=[0, 0, 0])
    with pytest.raises(ValueError, match="[Nn]egative"):
        KMeans(2).fit(X, sample_weight=[1, -1, 1])
    with pytest.raises(ValueError, match="init"):
        KMeans(2, init="best").fit(X)


def test_not_converged_is_said():
    X, _ = problem(3000, 10, 20, 0, spread=0.1)
    with pytest.warns(ConvergenceWarning, match="did not converge in 2 iterations"):
        KMeans(20, max_iter=2, tol=0, random_state=0).fit(X)


@pytest.mark.jit
def test_threads_change_nothing():
    from threadpoolctl import threadpool_limits

    X, _ = problem(20_000, 12, 10, 3, np.float32)
    alone = KMeans(10, random_state=0).fit(X)
    with threadpool_limits(1):
        single = KMeans(10, random_state=0).fit(X)
    found = []
    jobs = [
        threading.Thread(target=lambda: found.append(KMeans(10, random_state=0).fit(X)))
        for _ in range(2)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    for other in (single, *found):
        np.testing.assert_array_equal(other.cluster_centers_, alone.cluster_centers_)
        np.testing.assert_array_equal(other.labels_, alone.labels_)
        assert other.inertia_ == alone.inertia_


def fit_centers(X):
    return KMeans(5, random_state=0).fit(X).cluster_centers_


@pytest.mark.jit
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_fork():
    """A child of a process whose threads have worked gives the same, and does not hang."""
    X, _ = problem(9000, 12, 5, 1)
    expected = fit_centers(X)
    child = multiprocessing.get_context("fork").Pool(1)
    try:
        found = child.map_async(fit_centers, [X]).get(timeout=60)[0]
    finally:
        child.terminate()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.jit
def test_from_workers():
    X, _ = problem(9000, 12, 5, 1)
    model = KMeans(5, random_state=0)
    found = Parallel(n_jobs=2, backend="loky")(delayed(model.fit)(X) for _ in range(2))
    for other in found:
        np.testing.assert_array_equal(other.cluster_centers_, fit_centers(X))


def test_memory_map(tmp_path):
    X, _ = problem(5000, 16, 4, 0, np.float32)
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    found = KMeans(4, random_state=0).fit(mapped)
    np.testing.assert_array_equal(found.labels_, KMeans(4, random_state=0).fit(X).labels_)


@pytest.mark.jit
def test_from_two_threads_at_once():
    X, _ = problem(9000, 12, 5, 1)
    found = Parallel(n_jobs=2, backend="threading")(delayed(fit_centers)(X) for _ in range(4))
    for centers in found:
        np.testing.assert_array_equal(centers, fit_centers(X))


def test_memory_stays_below_the_data():
    """Neither seeding nor Lloyd copies many rows: what is kept goes with n, not n d."""
    X = np.random.default_rng(0).normal(size=(40_000, 120))
    model = KMeans(4, random_state=0, max_iter=3, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:100])
        tracemalloc.start()
        try:
            model.fit(X)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 0.5 * X.nbytes


def test_scale_changes_no_label():
    X, _ = problem(2000, 6, 4, 1)
    expected = KMeans(4, random_state=0).fit(X)
    found = KMeans(4, random_state=0).fit(X * 2.0**40)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_ * 2.0**40)


def kept(model):
    return (
        model.cluster_centers_, model.labels_, model.inertia_, model.n_iter_,
        model.objective_path_,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "d", "k", "far"), [(5000, 2, 7, 0), (5000, 22, 9, 0), (700, 11, 4, 50)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_runs_side_by_side_are_the_steps(n, d, k, far, weighted, dtype):
    """A fit that nobody watches, on one thread and on many, and `steps`: the same bits."""
    X = problem(n, d, k, 0, dtype)[0] + dtype(far)
    weight = np.random.default_rng(0).random(n) if weighted else None
    model = KMeans(k, n_init=4, random_state=0)
    found = kept(model.fit(X, sample_weight=weight))
    with threadpool_limits(1, user_api="openmp"):
        alone = kept(model.fit(X, sample_weight=weight))
    last = None
    for last in model.steps(X, sample_weight=weight):  # noqa: B007
        pass
    assert last.converged
    for other in (alone, kept(model)):
        for one, two in zip(found, other, strict=True):
            np.testing.assert_array_equal(one, two)
    # and what came out is a fixed point of Lloyd's iteration
    D = ((X[:, None].astype(np.float64) - model.cluster_centers_) ** 2).sum(axis=2)
    np.testing.assert_array_equal(model.labels_, D.argmin(axis=1))


@pytest.mark.parametrize(("d", "n_init"), [(5, 8), (5, 1), (600, 3)])  # without and with bounds
@pytest.mark.parametrize("at", [1, 4])
def test_what_runs_have_reached_is_kept(d, n_init, at, monkeypatch):
    """Ctrl-C between two calls of the iterations, before any run or after some are through."""
    X = problem(400, d, 3, 0)[0]
    advance, calls = _assignment.Assignment.advance, []

    def interrupted(self, n_steps):
        calls.append(n_steps)
        advance(self, 2)
        if len(calls) == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(_assignment.Assignment, "advance", interrupted)
    model = KMeans(3, n_init=n_init, tol=0, random_state=0)
    with threadpool_limits(1, user_api="openmp"):
        try:
            model.fit(X)
        except KeyboardInterrupt:
            assert len(calls) == at
        else:
            assert len(calls) < at
    D = ((X[:, None] - model.cluster_centers_) ** 2).sum(axis=2)
    np.testing.assert_array_equal(model.labels_, D.argmin(axis=1))
    assert model.inertia_ == pytest.approx(D.min(axis=1).sum())
    assert np.isfinite(model.objective_path_).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(2, 6), (12, 5), (12, 200)])
def test_dense_sparse_mapped_and_large_rows_are_the_same(d, k, dtype, tmp_path, monkeypatch):
    X = problem(6000, d, 6, 2, dtype)[0]
    X[np.abs(X) < 1] = 0
    np.save(tmp_path / "rows.npy", X)
    model = KMeans(k, random_state=0, max_iter=15, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = kept(model.fit(X))
        mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
        for other in (sparse.csr_matrix(X), mapped, sparse.csc_matrix(X)):
            for one, two in zip(kept(model.fit(other)), expected, strict=True):
                np.testing.assert_array_equal(one, two)
        monkeypatch.setattr(costs, "PACKED_BYTES", 0)  # rows too large to pack: other draws
        model.fit(X)
        for state, (centers, labels, _) in zip(
            lloyd_states(KMeans(k, init=X[:k], n_init=1, max_iter=3, tol=0), X),
            naive.lloyd(X, X[:k], None, tol=0, max_iter=3), strict=False,
        ):  # fmt: skip
            np.testing.assert_allclose(state.centers, centers, rtol=1e-4, atol=1e-4)
            np.testing.assert_array_equal(state.labels, labels)
    assert model.inertia_ < 1.2 * expected[2]


def test_elkan_keeps_bounds_and_changes_no_label():
    X, C = problem(3000, 4, 6, 1)
    lloyd, elkan = (
        KMeans(6, init=C, n_init=1, algorithm=name).fit(X) for name in ("lloyd", "elkan")
    )
    np.testing.assert_array_equal(lloyd.labels_, elkan.labels_)
    np.testing.assert_allclose(lloyd.cluster_centers_, elkan.cluster_centers_, rtol=1e-12)
    with pytest.warns(RuntimeWarning, match="elkan.*single cluster"):
        KMeans(1, algorithm="elkan").fit(X)


@pytest.mark.parametrize("d", [2, 20])
def test_a_pool_that_gains_more_rows_than_there_is_room_for(d):
    """It serves one centre; what was drawn is not wrong."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, d))
    rows = Rows(X)
    for threads in (1, 2):
        seeds = Seeds.of(rows, 60, 4, np.random.default_rng(1))
        with threadpool_limits(threads, user_api="openmp"):
            seeds.choose()
            place = seeds.pools.place[0]
            place[[NEXT, PLANNED, SERVED]] = place[SIZE], 8, 8  # as if a pool of 8 had lasted
            seeds.pools.counts[:] = 1
            seeds.choose()
        assert place[SIZE] == 4  # not 64
        D = ((X[:, None] - X[seeds.indices[0, :2]]) ** 2).sum(axis=2).min(axis=1)
        np.testing.assert_allclose(seeds.closest[0], D, rtol=1e-9, atol=1e-9)
        assert seeds.potentials[0, 1] == pytest.approx(D.sum())


@pytest.mark.parametrize("d", [2, 20])
def test_seeds_one_by_one_and_at_once_are_the_same(d):
    """Far single rows go first, then the pools shrink and grow again."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, d))
    X[::50] *= 1e4
    rows, served = Rows(X), []
    one, all_ = (Seeds.of(rows, 60, 4, np.random.default_rng(1)) for _ in range(2))
    all_.choose(60)
    for j in range(60):
        one.choose()
        D = ((X[:, None] - X[one.indices[0, : j + 1]]) ** 2).sum(axis=2).min(axis=1)
        np.testing.assert_allclose(one.closest[0], D, rtol=1e-9, atol=1e-9)
        assert one.potentials[0, j] == pytest.approx(D.sum())
        served.append(one.pools.place[0, SIZE] // 4)
    assert max(served) > 3
    np.testing.assert_array_equal(one.indices, all_.indices)
    np.testing.assert_array_equal(one.potentials, all_.potentials)


def test_seeds_from_a_pool_are_drawn_by_their_distance():
    """Rejection makes of older draws draws with the probabilities of now: the third centre."""
    X = np.zeros((6, 16))
    X[:, 0] = [0.0, 1.0, 2.0, 4.0, 7.0, 11.0]
    rows = Rows(X)
    observed, expected = np.zeros(6), np.zeros(6)
    for seed in range(3000):
        chosen = Seeds.of(rows, 5, 1, np.random.default_rng(seed))
        chosen.choose(4)
        first = chosen.indices[0, :3]
        D = ((X[:, None, 0] - X[first, 0]) ** 2).min(axis=1)
        expected += D / D.sum()
        observed[chosen.indices[0, 3]] += 1
    assert chosen.pools.rows.shape[1] > 1  # there is a pool
    assert ((observed - expected) ** 2 / expected.clip(1)).sum() < 25  # χ² with 5 degrees
