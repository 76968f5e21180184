"""MiniBatchKMeans: its update by hand, its parameters, what it reaches."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.cluster import KMeans, MiniBatchKMeans

DRAWN = {
    f"check_sample_weight_equivalence_on_{kind}_data": "seeds and batches are drawn from other rows"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [MiniBatchKMeans(n_clusters=3, batch_size=10)], expected_failed_checks=lambda estimator: DRAWN
)
def test_sklearn_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_partial_fit_keeps_the_mean_of_all_rows_given(dtype, is_sparse):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 12)).astype(dtype)
    X[::2] += 8
    weight = rng.random(300).astype(dtype) + 0.1
    model = MiniBatchKMeans(2, init=X[:2], n_init=1, reassignment_ratio=0)
    counts, means = np.zeros(2), X[:2].astype(np.float64)
    for at in range(0, 300, 60):
        x, w = X[at : at + 60].astype(np.float64), weight[at : at + 60].astype(np.float64)
        labels = ((x[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        for j in (0, 1):
            mine = labels == j
            means[j] = (counts[j] * means[j] + w[mine] @ x[mine]) / (counts[j] + w[mine].sum())
            counts[j] += w[mine].sum()
        piece = X[at : at + 60]
        model.partial_fit(
            sparse.csr_matrix(piece) if is_sparse else piece, sample_weight=weight[at : at + 60]
        )
        tolerance = 1e-4 if dtype == np.float32 else 1e-10
        np.testing.assert_allclose(model.cluster_centers_, means, rtol=tolerance, atol=tolerance)
    assert model.n_steps_ == 5
    assert model.cluster_centers_.dtype == dtype
    np.testing.assert_allclose(model.counts_, counts, rtol=1e-6)


def test_comes_near_to_kmeans():
    X, y = make_blobs(4000, 5, centers=6, cluster_std=0.7, random_state=1)
    whole = KMeans(6, random_state=0, n_init=3).fit(X)
    model = MiniBatchKMeans(6, random_state=0, batch_size=256, n_init=3).fit(X)
    assert model.inertia_ <= 1.05 * whole.inertia_
    assert adjusted_rand_score(y, model.labels_) > 0.98
    assert len(model.objective_path_) == model.n_steps_
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    assert model.score(X) == pytest.approx(-model.inertia_)


def test_stops():
    X, _ = make_blobs(2000, 3, centers=3, random_state=0)
    endless = MiniBatchKMeans(
        3, batch_size=200, max_iter=3, max_no_improvement=None, random_state=0
    ).fit(X)
    assert (endless.n_steps_, endless.n_iter_) == (30, 3)
    early = MiniBatchKMeans(
        3, batch_size=200, max_iter=3, max_no_improvement=None, tol=10.0, random_state=0
    ).fit(X)
    assert early.n_steps_ == 2


def test_weights_draw_the_batches():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0], [50.0, 50.0]], 100, axis=0)
    weight = np.repeat([1.0, 1.0, 0.0], 100)
    model = MiniBatchKMeans(2, random_state=0, batch_size=50).fit(X, sample_weight=weight)
    assert model.cluster_centers_.max() < 2


def test_idle_centers_are_put_to_use():
    X = np.random.default_rng(0).standard_normal((500, 2))
    init = np.array([[0.0, 0.0], [1e3, 1e3]])
    used = MiniBatchKMeans(2, init=init, n_init=1, batch_size=100, random_state=0).fit(X)
    assert len(set(used.labels_)) == 2
    left = MiniBatchKMeans(
        2, init=init, n_init=1, batch_size=100, random_state=0, reassignment_ratio=0
    ).fit(X)
    assert set(left.labels_) == {0}


def test_without_labels():
    X, _ = make_blobs(500, 3, centers=3, random_state=0)
    model = MiniBatchKMeans(3, compute_labels=False, random_state=0, batch_size=100).fit(X)
    assert not hasattr(model, "labels_")
    assert model.inertia_ == pytest.approx(-model.score(X), rel=0.3)


@pytest.mark.parametrize("n_rare", [1, 3])
def test_as_many_centers_as_distinct_rows(n_rare):
    """Rows that are seldom drawn get centres of their own."""
    X = np.repeat(
        np.arange(6.0)[:, None] ** 2 * [1.0, 2.0], [900, 900, 900, 900, 9, n_rare], axis=0
    )
    for seed in range(4):
        model = MiniBatchKMeans(6, batch_size=64, random_state=seed, init="random", n_init=1)
        model.fit(X)
        assert len(np.unique(model.cluster_centers_, axis=0)) == 6
        assert len(set(model.labels_)) == 6
