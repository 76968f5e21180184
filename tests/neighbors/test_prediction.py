"""KNeighborsClassifier and KNeighborsRegressor against votes counted one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from tests.naive import neighbors as naive


@pytest.mark.jit
@parametrize_with_checks(
    [
        KNeighborsClassifier(),
        KNeighborsClassifier(weights="distance", algorithm="kd_tree"),
        KNeighborsRegressor(),
        KNeighborsRegressor(weights="distance", algorithm="brute"),
    ]
)
@pytest.mark.filterwarnings("ignore:.*a tree holds no sparse rows:UserWarning")
def test_sklearn_checks(estimator, check):
    check(estimator)


def cube(distance):
    return 1 / (1 + distance) ** 3


WEIGHTS = {
    "uniform": np.ones_like,
    "distance": naive.inverse_distance,
    cube: cube,
}


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 60),
    d=st.integers(1, 4),
    k=st.integers(1, 9),
    n_classes=st.integers(2, 4),
    weights=st.sampled_from(list(WEIGHTS)),
    seed=st.integers(0, 99),
)
def test_shares_and_means_are_the_neighbours(n, d, k, n_classes, weights, seed):
    rng = np.random.default_rng(seed)
    X, Q = rng.integers(0, 4, (n, d)) * 1.0, rng.integers(0, 4, (6, d)) * 1.0
    y = np.array(["a", "b", "c", "d"])[np.r_[0, 1, rng.integers(0, n_classes, n)]][:n]
    k = min(k, n)
    D = naive.distances(Q, X, naive.DISTANCES["euclidean"])
    distance, rows = naive.k_nearest(D, k)
    w = WEIGHTS[weights](distance)
    model = KNeighborsClassifier(k, weights=weights).fit(X, y)
    shares = model.predict_proba(Q)
    assert_allclose(shares, naive.vote(y, rows, w), atol=1e-12)
    assert_array_equal(model.predict(Q), model.classes_[shares.argmax(axis=1)])
    target = rng.standard_normal((n, 2))
    expected = np.array([w[i] @ target[rows[i]] / w[i].sum() for i in range(len(Q))])
    assert_allclose(KNeighborsRegressor(k, weights=weights).fit(X, target).predict(Q), expected)
    single = KNeighborsRegressor(k, weights=weights).fit(X, target[:, 0]).predict(Q)
    assert_allclose(single, expected[:, 0])


def test_several_outputs_are_each_classified():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((100, 2)), rng.integers(0, 3, (100, 2))
    model = KNeighborsClassifier(3).fit(X, y)
    assert model.outputs_2d_
    together = model.predict(X)
    for output in range(2):
        alone = KNeighborsClassifier(3).fit(X, y[:, output])
        assert_array_equal(together[:, output], alone.predict(X))
        assert_allclose(model.predict_proba(X)[output], alone.predict_proba(X))


def test_none_predicts_training_rows_from_the_others():
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 1, 0])
    assert_array_equal(KNeighborsClassifier(1).fit(X, y).predict(None), [0, 0, 0, 1, 1, 1])
    assert_allclose(KNeighborsRegressor(1).fit(X, y).predict(None), [0, 0, 0, 1, 1, 1])


def test_distance_weights_neither_overflow_nor_vanish():
    X, y = np.array([[0.0], [3e-310], [9e300]]), np.array([0.0, 1.0, 5.0])
    for algorithm in ("brute", "kd_tree"):
        model = KNeighborsRegressor(2, weights="distance", algorithm=algorithm, p=1).fit(X, y)
        assert_allclose(model.predict([[1e-310]]), [1 / 3])
        assert_allclose(model.predict([[0.0]]), [0.0])


def test_metric_reaches_the_vote():
    X, y = np.array([[3.0, 0.0], [2.2, 2.2]]), [0, 1]
    euclid, blocks = (KNeighborsClassifier(1, p=p).fit(X, y).predict([[0, 0]]) for p in (2, 1))
    assert (euclid, blocks) == ([0], [0])
    assert KNeighborsClassifier(1, metric="chebyshev").fit(X, y).predict([[0, 0]]) == [1]


def test_column_vector_and_bad_weights():
    X, y = np.arange(8.0)[:, None], np.arange(8) % 2
    with pytest.warns(DataConversionWarning, match="column-vector"):
        model = KNeighborsClassifier(3).fit(X, y[:, None])
    assert not model.outputs_2d_
    assert model.predict(X).shape == (8,)
    with pytest.raises(ValueError, match="zero weights"):
        KNeighborsClassifier(3, weights=np.zeros_like).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="add up to zero"):
        KNeighborsRegressor(3, weights=np.zeros_like).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="one for each of the distances"):
        KNeighborsRegressor(3, weights=lambda d: d[0]).fit(X, y).predict(X)
    with pytest.raises(ValueError, match="'weights' parameter"):
        KNeighborsClassifier(3, weights="gauss").fit(X, y)
    with pytest.raises(ValueError, match="n_neighbors=9"):
        KNeighborsClassifier(9).fit(X, y).predict(X)


def test_classifier_searches_as_nearest_neighbors():
    X = np.random.default_rng(0).standard_normal((50, 3))
    model = KNeighborsClassifier(4).fit(X, np.arange(50) % 3)
    assert_array_equal(
        model.kneighbors(X)[1], NearestNeighbors(n_neighbors=4).fit(X).kneighbors(X)[1]
    )
    assert model.kneighbors_graph(X).shape == (50, 50)
