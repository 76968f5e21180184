"""RadiusNeighborsClassifier and RadiusNeighborsRegressor against votes counted one by one."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.neighbors import RadiusNeighborsClassifier, RadiusNeighborsRegressor
from tests.naive import neighbors as naive


@pytest.mark.jit
@parametrize_with_checks(
    [
        RadiusNeighborsClassifier(outlier_label="most_frequent", algorithm="kd_tree"),
        RadiusNeighborsClassifier(10.0, weights="distance"),
        RadiusNeighborsRegressor(),
        RadiusNeighborsRegressor(10.0, weights="distance", algorithm="brute"),
    ]
)
@pytest.mark.filterwarnings("ignore:.*samples have no neighbors:UserWarning")
@pytest.mark.filterwarnings("ignore:.*a tree holds no sparse rows:UserWarning")
def test_sklearn_checks(estimator, check):
    check(estimator)


def fading(distance):  # depends on the neighbourhood: called for each query by itself
    return 1 / (distance.max() + distance + 1)


WEIGHTS = {"uniform": np.ones_like, "distance": naive.inverse_distance, fading: None}


@pytest.mark.filterwarnings("ignore:.*samples have no neighbors:UserWarning")
@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 50),
    d=st.integers(1, 3),
    radius=st.sampled_from([0.0, 1.0, 1.5, 9.0]),
    weights=st.sampled_from(list(WEIGHTS)),
    algorithm=st.sampled_from(["brute", "kd_tree", "auto"]),
    seed=st.integers(0, 99),
)
def test_shares_and_means_are_of_the_rows_in_reach(n, d, radius, weights, algorithm, seed):
    rng = np.random.default_rng(seed)
    X, Q = rng.integers(0, 5, (n, d)) * 1.0, rng.integers(0, 9, (7, d)) * 1.0
    y = np.array(["a", "b", "c"])[np.r_[0, 1, rng.integers(0, 3, n)]][:n]
    target = rng.standard_normal((n, 2))
    D = naive.distances(Q, X, naive.DISTANCES["euclidean"])
    settings = {"weights": weights, "algorithm": algorithm}
    votes = RadiusNeighborsClassifier(radius, outlier_label="b", **settings).fit(X, y)
    means = RadiusNeighborsRegressor(radius, **settings).fit(X, target).predict(Q)
    single = RadiusNeighborsRegressor(radius, **settings).fit(X, target[:, 1]).predict(Q)
    shares, labels = votes.predict_proba(Q), votes.predict(Q)
    for i, rows in enumerate(naive.within(D, radius)):
        if not rows:
            assert_array_equal(shares[i], votes.classes_ == "b")
            assert labels[i] == "b"
            assert np.isnan(means[i]).all()
            continue
        near = D[i, rows]
        w = fading(near) if weights is fading else WEIGHTS[weights](near[None])[0]
        assert_allclose(shares[i], naive.vote(y, [rows], [w])[0], atol=1e-12)
        assert labels[i] == votes.classes_[shares[i].argmax()]
        assert_allclose(means[i], w @ target[rows] / w.sum())
        assert_allclose(single[i], means[i, 1])


def test_outliers_get_their_label():
    X, y = np.arange(6.0)[:, None], np.array([0, 2, 2, 2, 0, 2])
    far = [[1.0], [50.0]]
    with pytest.raises(ValueError, match=r"no neighbors found for test samples \[1\]"):
        RadiusNeighborsClassifier().fit(X, y).predict(far)
    common = RadiusNeighborsClassifier(outlier_label="most_frequent").fit(X, y)
    assert common.outlier_label_ == [2]
    assert_array_equal(common.predict(far), [2, 2])
    strange = RadiusNeighborsClassifier(outlier_label=-1).fit(X, y)
    with pytest.warns(UserWarning, match="is no class of y"):
        assert_array_equal(strange.predict(far), [2, -1])
    with pytest.warns(UserWarning, match="is no class of y"):
        assert_array_equal(strange.predict_proba(far)[1], [0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        words = RadiusNeighborsClassifier(outlier_label="nobody").fit(X, np.where(y, "yes", "no"))
        assert_array_equal(words.predict(far), ["yes", "nobody"])
        two = RadiusNeighborsClassifier(outlier_label=[7, 0]).fit(X, np.c_[y, y > 0])
        assert_array_equal(two.predict(far), [[2, 1], [7, 0]])
        assert_array_equal(pickle.loads(pickle.dumps(two)).predict(far), two.predict(far))


def test_none_predicts_training_rows_from_the_others():
    X, y = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 1, 1, 0])
    model = RadiusNeighborsClassifier(1.0, outlier_label=1).fit(X, y)
    assert_array_equal(model.predict(None), [1, 0, 1, 1])
    with pytest.warns(UserWarning, match="1 samples have no neighbors within radius=1.0"):
        found = RadiusNeighborsRegressor(1.0).fit(X, y).predict(None)
    assert_array_equal(found, [1, 0.5, 1, np.nan])


def test_bad_settings_are_refused():
    X, y = np.arange(8.0)[:, None], np.arange(8) % 2
    for label, error in (([1, 2], ValueError), ("no", TypeError), (0.5j, TypeError)):
        with pytest.raises((error, ValueError), match="outlier_label"):
            RadiusNeighborsClassifier(outlier_label=label).fit(X, y)
    with pytest.raises(ValueError, match="zero weights"):
        RadiusNeighborsClassifier(weights=np.zeros_like).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="add up to zero"):
        RadiusNeighborsRegressor(weights=np.zeros_like).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="one for each of the distances"):
        RadiusNeighborsRegressor(weights=lambda d: d[:1]).fit(X, y).predict(X)
    for model in (RadiusNeighborsClassifier(-1.0), RadiusNeighborsRegressor(-0.5)):
        with pytest.raises(ValueError, match="'radius' parameter"):
            model.fit(X, y)
