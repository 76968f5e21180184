"""The support set, 1-NN on features, the protocols."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.few_shot import NearestExampleClassifier, episodes, score_episodes, score_runs


@parametrize_with_checks([NearestExampleClassifier()])
def test_estimator_checks(estimator, check):
    check(estimator)


@settings(deadline=None, max_examples=20)
@given(
    st.integers(1, 30), st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**32),
    st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_nearest_is_the_definition(n, m, d, seed, dtype):
    rng = np.random.default_rng(seed)
    X, Q = rng.normal(size=(m, d)).astype(dtype), rng.normal(size=(n, d)).astype(dtype)
    y = rng.integers(4, size=m)
    model = NearestExampleClassifier().fit(np.asfortranarray(X), y)
    gaps = np.linalg.norm(Q[:, None].astype(float) - X[None].astype(float), axis=2)
    expected = np.stack([gaps[:, y == k].min(axis=1) for k in np.unique(y)], axis=1)
    np.testing.assert_allclose(model.distances(Q), expected, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(Q), np.unique(y)[expected.argmin(axis=1)])


def test_tables_and_pictures_in_cross_validation():
    X, y = load_iris(return_X_y=True)
    scores = cross_val_score(NearestExampleClassifier(), X, y, cv=5)
    peer = cross_val_score(KNeighborsClassifier(1), X, y, cv=5)
    np.testing.assert_allclose(scores, peer)
    pictured = cross_val_score(NearestExampleClassifier(), X.reshape(-1, 2, 2), y, cv=5)
    np.testing.assert_array_equal(pictured, scores)


def test_support_before_fit_and_with_bad_input():
    with pytest.raises(NotFittedError):
        NearestExampleClassifier().support([[0.0]], [0])
    model = NearestExampleClassifier().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.support([[0.0], [1.0]], [0])
    with pytest.raises(ValueError, match="NaN"):
        model.support([[np.nan]], [0])
    with pytest.raises(ValueError, match="features"):
        model.support([[0.0, 1.0]], [0])
    with pytest.raises(ValueError, match=r"support: samples of shape \(1, 2\).*\(1,\)"):
        model.support([[[0.0, 1.0]]], [0])
    assert model.predict([[0.9]]).tolist() == [1]
    with pytest.raises(ValueError, match=r"X\[1\] is all zeros"):
        NearestExampleClassifier("cosine").fit([[1.0], [0.0]], [0, 1])
    with pytest.raises(ValueError, match="'metric' parameter"):
        NearestExampleClassifier("hamming").fit([[0.0]], [0])


def run(support, queries, labels):
    return SimpleNamespace(support=support, queries=queries, labels=labels)


def test_score_runs_changes_no_estimator():
    runs = [
        run([[0.0], [1.0], [2.0]], [[0.1], [1.1], [1.9], [2.0]], [0, 1, 2, 0]),
        run([[5.0], [6.0]], [[5.1], [5.2]], [0, 0]),
    ]
    fitted = NearestExampleClassifier().fit([[7.0], [9.0]], ["a", "b"])
    for model in (NearestExampleClassifier(), fitted, KNeighborsClassifier(1)):
        scores = score_runs(model, runs)
        assert scores.errors.tolist() == [0.25, 0.0]
        assert scores.n_questions == 6
        assert scores.error == 0.125
        assert scores.standard_error == pytest.approx(0.125)
    assert fitted.predict([[8.9]]).tolist() == ["b"]
    flipped = score_runs(fitted, runs, transform=lambda X: -np.asarray(X))
    assert flipped.errors.tolist() == [0.25, 0.0]
    assert np.isnan(score_runs(fitted, runs[:1]).standard_error)
    with pytest.raises(ValueError, match="runs is empty"):
        score_runs(fitted, [])
    with pytest.raises(ValueError, match="no example; there are 2"):
        score_runs(fitted, [run([[0.0], [1.0]], [[0.0]], [2])])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
def test_episodes(n_way, n_shot, n_query, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.array(list("abcde")), 6))
    options = {"n_way": n_way, "n_shot": n_shot, "n_query": n_query, "n_episodes": 3}
    drawn = list(episodes(y, **options, random_state=seed))
    again = list(episodes(y, **options, random_state=seed))
    assert len(drawn) == 3
    for episode, same in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(episode.support, same.support)
        support, queries = y[episode.support], y[episode.queries]
        assert not set(episode.support) & set(episode.queries)
        assert len(set(episode.support)) == n_way * n_shot
        assert len(set(episode.queries)) == n_way * n_query
        names, counts = np.unique(support, return_counts=True)
        assert len(names) == n_way
        assert set(counts) == {n_shot}
        np.testing.assert_array_equal(support[::n_shot], queries[::n_query])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_way": 3}, "n_way=3: y has only 2 classes"),
        ({"n_way": 2, "n_shot": 2}, "class 'b' has 2 samples; an episode needs 3"),
        ({"n_way": 0}, "n_way=0"),
        ({"n_way": 2, "n_query": 1.5}, "n_query=1.5"),
    ],
)
def test_episodes_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        episodes(["a", "a", "a", "b", "b"], **options)


def test_score_episodes():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(6), 4)
    X = 10.0 * y[:, None] + rng.normal(size=(24, 1))
    model = NearestExampleClassifier().fit(X[:4], y[:4])
    scores = score_episodes(model, X, y, n_way=5, n_query=2, n_episodes=7, random_state=0)
    assert scores.error == 0
    assert scores.n_questions == 7 * 5 * 2
    mixed = rng.permutation(y)
    assert score_episodes(model, X, mixed, n_way=5, random_state=0).error > 0.4
