"""Seeds as a function, the choice of k, pictures."""

import numpy as np
import pytest
from PIL import Image
from scipy import sparse, stats
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError

from kiso.cluster import (
    KMeans,
    LloydState,
    MiniBatchKMeans,
    SeedingState,
    animate,
    choose_k,
    kmeans_plusplus,
    plot_clusters,
)
from kiso.cluster._assignment import nearest_centers
from kiso.cluster._rows import Rows
from kiso.cluster._seeding import parallel
from tests.naive.kmeans import plus_plus_distribution


@pytest.mark.parametrize("is_sparse", [False, True])
def test_draws_by_squared_distance(is_sparse):
    """The second centre's frequencies against D² given the first (chi-square)."""
    X = np.array([[0.0], [1.0], [3.0], [3.0], [7.0]])
    weight = np.array([1.0, 2.0, 0.0, 1.0, 0.5])
    rows = sparse.csr_matrix(X) if is_sparse else X
    firsts, seconds = np.array(
        [
            kmeans_plusplus(rows, 2, sample_weight=weight, random_state=s, n_local_trials=1)[1]
            for s in range(1500)
        ]
    ).T
    assert 2 not in firsts
    assert 2 not in seconds
    share = weight / weight.sum()
    seen = np.bincount(firsts, minlength=5)
    assert stats.chisquare(seen[share > 0], 1500 * share[share > 0]).pvalue > 1e-3
    for first in (0, 1):
        expected = plus_plus_distribution(X, weight, [first])
        seen = np.bincount(seconds[firsts == first], minlength=5)
        some = expected > 0
        assert seen[~some].sum() == 0
        assert stats.chisquare(seen[some], seen.sum() * expected[some]).pvalue > 1e-3


@pytest.mark.parametrize("d", [2, 30])
def test_greedy_beats_plain(d):
    X, _ = make_blobs(3000, d, centers=20, random_state=0)

    def potential(trials):
        found = []
        for seed in range(8):
            centers, indices = kmeans_plusplus(X, 20, random_state=seed, n_local_trials=trials)
            np.testing.assert_array_equal(centers, X[indices])
            found.append(((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum())
        return np.mean(found)

    assert potential(None) < potential(1)


def test_parallel_is_as_good_as_plus_plus():
    X, _ = make_blobs(5000, 8, centers=60, cluster_std=0.3, random_state=0)
    rows, found = Rows(X), {}
    found["parallel"] = np.mean(
        [list(parallel(rows, 60, np.random.default_rng(s)))[-1].inertia for s in range(4)]
    )
    seeds = [kmeans_plusplus(X, 60, random_state=s)[0] for s in range(4)]
    found["plus plus"] = np.mean(
        [rows.total(rows.own_distances(c, nearest_centers(rows, c))) for c in seeds]
    )
    assert found["parallel"] < 1.5 * found["plus plus"]


def test_choose_k_finds_four():
    X, _ = make_blobs(400, centers=[[0, 0], [9, 0], [0, 9], [9, 9]], random_state=0)
    for criterion in ("gap", "silhouette"):
        found = choose_k(X, range(1, 8), criterion=criterion, n_references=4, random_state=0)
        assert found.k == 4
    assert (np.diff(found.inertia) < 0).all()
    assert np.isnan(found.silhouette[0])
    assert len(found.plot().axes) == 3


def test_choose_k_can_say_one():
    X = np.random.default_rng(0).uniform(size=(300, 2))
    assert choose_k(X, range(1, 6), n_references=8, random_state=0).k == 1


def test_choose_k_refuses():
    X = np.zeros((4, 2))
    for ks in ([], [0], [5], [1.5]):
        with pytest.raises(ValueError, match="whole numbers from 1 to n_samples=4"):
            choose_k(X, ks)
    with pytest.raises(ValueError, match="criterion='elbow'"):
        choose_k(X, [1, 2], criterion="elbow")


def test_pictures(tmp_path):
    X, _ = make_blobs(200, 3, centers=4, random_state=0)
    states = list(KMeans(4, random_state=0).steps(X))
    for kind, words in ((SeedingState, "seed 1"), (LloydState, "iteration 0")):
        state = next(s for s in states if isinstance(s, kind))
        ax = plot_clusters(X, state)
        assert ax.get_title().startswith(words)
        assert len(ax.collections[0].get_offsets()) == 200
    assert animate(X, states, tmp_path / "run.gif", dpi=30) == len(states)
    with Image.open(tmp_path / "run.gif") as film:
        assert film.n_frames == len(states)
    with pytest.raises(ValueError, match="two or more features"):
        plot_clusters(X[:, :1], states[0])
    with pytest.raises(ValueError, match="states is empty"):
        animate(X, [], tmp_path / "none.gif")


def test_a_picture_of_any_state_and_of_nothing_else(tmp_path):
    X, _ = make_blobs(80, 3, random_state=0)
    states = list(MiniBatchKMeans(3, random_state=0).steps(X))
    assert animate(X, states[:2], tmp_path / "run.gif", dpi=20) == 2
    assert plot_clusters(X, states[0]).get_title().startswith("batch 1: mean squared distance")
    unlabelled = MiniBatchKMeans(3, compute_labels=False, random_state=0).fit(X)
    colours = plot_clusters(X, unlabelled).collections[0].get_array()
    np.testing.assert_array_equal(colours, unlabelled.predict(X))
    for state in KMeans(3, random_state=0).steps(X):
        with pytest.raises(ValueError, match="X has 79 rows, the state 80"):
            plot_clusters(X[1:], state)
    for bad, error in ((X * np.nan, ValueError), (sparse.csr_array(X), TypeError)):
        with pytest.raises(error, match="NaN|Sparse"):
            plot_clusters(bad, states[0])
    with pytest.raises(NotFittedError):
        plot_clusters(X, KMeans(3))


def test_choose_k_far_from_the_origin():
    X = np.round(make_blobs(90, 3, centers=3, random_state=1)[0] * 64) / 64
    near, far = (choose_k(X + at, [2, 3, 4], n_references=2, random_state=0) for at in (0, 2.0**36))
    np.testing.assert_allclose(far.silhouette, near.silhouette, rtol=1e-6)
    assert far.k == near.k == 3
