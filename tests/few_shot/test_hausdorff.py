"""Modified Hausdorff: the definition, pictures in any form, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from kiso.few_shot import ModifiedHausdorffClassifier, modified_hausdorff
from kiso.few_shot import _hausdorff as module
from tests.naive import hausdorff as naive


def pictures(rng, n, height=9, width=7, dtype=np.float64):
    X = (rng.random((n, height, width)) < 0.2).astype(dtype)
    X[:, height // 2, width // 2] = 1
    return X


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_distance_is_the_definition(n, m, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    expected = naive.modified_hausdorff(a, b)
    assert modified_hausdorff(a, b) == pytest.approx(expected, rel=1e-12)
    assert modified_hausdorff(np.asfortranarray(b), a) == pytest.approx(expected, rel=1e-12)
    assert modified_hausdorff(a, a) == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, bool])
def test_distances_of_pictures(dtype):
    rng = np.random.default_rng(0)
    X, Q = pictures(rng, 6, dtype=dtype), pictures(rng, 5, dtype=dtype)
    y = np.array(["b", "a", "c", "a", "b", "c"])
    model = ModifiedHausdorffClassifier().fit(X, y)
    each = np.array([[naive.drawing_distance(q, x) for x in X] for q in Q])
    expected = np.stack([each[:, y == name].min(axis=1) for name in "abc"], axis=1)
    np.testing.assert_allclose(model.distances(Q), expected, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(Q), np.array(list("abc"))[expected.argmin(axis=1)])


def test_the_form_of_the_pictures_does_not_matter():
    rng = np.random.default_rng(1)
    X, y = pictures(rng, 8), np.arange(8)
    expected = ModifiedHausdorffClassifier().fit(X, y).distances(X)
    flat = ModifiedHausdorffClassifier(image_shape=(9, 7)).fit(X.reshape(8, -1), y)
    np.testing.assert_array_equal(flat.distances(X.reshape(8, -1)), expected)
    channels = ModifiedHausdorffClassifier().fit(X[:, None], y)
    np.testing.assert_array_equal(channels.distances(X[:, None]), expected)
    views = ModifiedHausdorffClassifier().fit(np.asfortranarray(X), y)
    padded = np.zeros((8, 20, 20))
    padded[:, 3:12, 8:15] = X  # moved in a larger frame: only the ink counts
    np.testing.assert_array_equal(views.distances(X[:, ::1, ::1]), expected)
    moved = ModifiedHausdorffClassifier().fit(padded, y)
    np.testing.assert_allclose(moved.distances(padded), expected, atol=1e-12)
    grey = ModifiedHausdorffClassifier(127).fit(255 * X, y)
    np.testing.assert_array_equal(grey.distances(255 * X), expected)


def test_support_replaces_the_classes_and_keeps_the_shape():
    rng = np.random.default_rng(2)
    X = pictures(rng, 6)
    model = ModifiedHausdorffClassifier().fit(X[:2], [0, 1])
    assert model.support(X[2:5], ["x", "y", "z"]).predict(X[2:5]).tolist() == ["x", "y", "z"]
    assert model.classes_.tolist() == ["x", "y", "z"]
    with pytest.raises(ValueError, match=r"support: samples of shape \(5, 7\).*\(9, 7\)"):
        model.support(X[:2, :5], [0, 1])
    assert model.classes_.tolist() == ["x", "y", "z"]  # a refused support set changes nothing
    with pytest.raises(ValueError, match="no ink"):
        model.support(np.zeros((2, 9, 7)), [0, 1])
    assert model.predict(X[2:3]).tolist() == ["x"]


def test_inside_cross_validation_and_pipelines():
    rng = np.random.default_rng(3)
    prototypes = pictures(rng, 3, 12, 12)
    X = np.concatenate([np.roll(prototypes, k, axis=2) for k in range(-2, 3)])
    y = np.tile(np.arange(3), 5)
    pipeline = make_pipeline(
        FunctionTransformer(lambda A: A / 255), ModifiedHausdorffClassifier(image_shape=(12, 12))
    )
    assert cross_val_score(pipeline, 255 * X.reshape(15, -1), y, cv=3).mean() > 0.6
    assert cross_val_score(ModifiedHausdorffClassifier(), X, y, cv=3).mean() > 0.6
    assert clone(pipeline)[-1].image_shape == (12, 12)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones((2, 6)), {}, r"samples of shape \(6,\).*image_shape"),
        (np.ones((2, 6)), {"image_shape": (2, 4)}, r"\(2, 4\): 8 pixels, but X has 6"),
        (np.ones((2, 3, 4, 4)), {}, "give pictures"),
        (np.zeros((2, 4, 4)), {}, r"X\[0\] has no ink.*threshold=0.5.*largest is 0"),
        (np.full((2, 4, 4), np.nan), {}, "NaN"),
    ],
)
def test_refused(X, options, message):
    with pytest.raises(ValueError, match=message):
        ModifiedHausdorffClassifier(**options).fit(X, [0, 1])


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([[0, 0, 0]], [[0, 0]], r"a: shape \(1, 3\)"),
        ([[0, 0]], np.empty((0, 2)), r"b: shape \(0, 2\)"),
        ([[0, 0]], [[0, np.inf]], "b contains NaN"),
    ],
)
def test_bad_points(a, b, message):
    with pytest.raises(ValueError, match=message):
        modified_hausdorff(a, b)


def test_empty_sets_are_infinitely_far():
    sets = module.PointSets.of([np.zeros((1, 2)), np.empty((0, 2))])
    d = module.distances(sets, sets)
    assert d[0, 0] == 0
    assert np.isinf(d[0, 1])
    assert np.isinf(d[1, 0])


def test_points_of_complex_numbers_or_with_a_mask_are_refused():
    points = np.ones((2, 2))
    for bad in (points + 1j, np.ma.masked_array(points, [[True, False], [False, False]])):
        with pytest.raises(ValueError, match=r"omplex|masked"):
            modified_hausdorff(points, bad)
