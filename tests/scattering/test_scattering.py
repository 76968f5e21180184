"""Scattering: the definition, the bounds of the filters, forms of input, what is refused."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from kiso.few_shot import NearestExampleClassifier
from kiso.scattering import ScatteringTransform, morlet_filters
from tests.naive import scattering as naive


@pytest.mark.parametrize(("J", "L"), [(1, 1), (1, 4), (2, 6), (3, 8), (4, 3)])
@pytest.mark.parametrize("shape", [(32, 32), (27, 40)])
def test_filters(J, L, shape):
    bank = morlet_filters(J, L, shape)
    assert bank.psi.shape == (J, L, *shape)
    assert np.abs(bank.psi[:, :, 0, 0]).max() < 1e-15  # wavelets have mean 0
    assert bank.phi[0, 0] == 1
    assert bank.littlewood_paley.max() == pytest.approx(1, abs=1e-12)
    assert bank.littlewood_paley.min() > 0
    low = np.fft.ifft2(bank.phi).real
    assert low.min() > -1e-15
    assert low.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("J", "L", "size"), [(1, 2, (5, 7)), (2, 3, (8, 8)), (2, 2, (9, 6)), (3, 1, (8, 11))]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_is_the_definition(J, L, size, dtype):
    rng = np.random.default_rng(0)
    X = rng.random((2, *size)).astype(dtype)
    model = ScatteringTransform(J, L).fit(X)
    got = model.transform(np.asfortranarray(X))
    assert got.dtype == dtype
    padded = np.pad(X.astype(float), model._pad, mode="symmetric")
    bank = morlet_filters(J, L, padded.shape[1:])
    for features, picture in zip(got, padded, strict=True):
        expected = naive.scattering(picture, bank.psi, bank.phi, 2**J, model.output_shape_[1:])
        assert expected.shape == model.output_shape_
        tolerance = 1e-12 if dtype == np.float64 else 2e-6
        np.testing.assert_allclose(features, expected.ravel(), atol=tolerance)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_orders_are_parts_of_each_other(order):
    X = np.random.default_rng(1).random((3, 16, 16))
    full = ScatteringTransform(3, 2).fit(X)
    part = ScatteringTransform(3, 2, max_order=order).fit(X)
    assert len(part.paths_) == [1, 7, 19][order]
    maps = full.transform(X).reshape(3, *full.output_shape_)
    kept = [full.paths_.index(path) for path in part.paths_]
    np.testing.assert_allclose(
        part.transform(X).reshape(3, *part.output_shape_), maps[:, kept], atol=1e-14
    )


def test_blocks_views_and_lanes_do_not_matter():
    X = np.random.default_rng(2).random((37, 12, 20))
    model = ScatteringTransform(2, 3).fit(X)
    together = model.transform(X)
    np.testing.assert_array_equal(together[5:6], model.transform(X[5:6]))
    np.testing.assert_array_equal(together[::-3], model.transform(X[::-3]))
    np.testing.assert_array_equal(together, clone(model).fit_transform(X[:, None]))
    flat = ScatteringTransform(2, 3, image_shape=(12, 20))
    np.testing.assert_array_equal(together, flat.fit_transform(X.reshape(37, -1)))


def test_a_constant_has_only_its_average():
    model = ScatteringTransform(2, 4)
    features = model.fit_transform(np.full((1, 8, 8), 3.0)).reshape(model.output_shape_)
    np.testing.assert_allclose(features[0], 3.0)
    np.testing.assert_allclose(features[1:], 0.0, atol=1e-13)


def test_in_pipelines():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], 10)
    stripes = np.cos(2.0 * np.arange(16))
    X = np.array([np.roll(stripes, rng.integers(16)) * np.ones((16, 1)) for _ in y])
    X[y == 1] = X[y == 1].transpose(0, 2, 1)  # the same stripes, lying
    X += 0.3 * rng.standard_normal(X.shape)
    pipeline = make_pipeline(
        ScatteringTransform(3, 4, image_shape=(16, 16)), NearestExampleClassifier()
    )
    assert cross_val_score(pipeline, X.reshape(20, -1), y, cv=4).mean() > 0.9
    model = clone(pipeline)[0].fit(X.reshape(20, -1))
    assert len(model.get_feature_names_out()) == np.prod(model.output_shape_)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones((2, 16)), {}, r"samples of shape \(16,\).*image_shape"),
        (np.ones((2, 16)), {"image_shape": (4, 5)}, "16 pixels in all"),
        (np.ones((2, 3, 8, 8)), {}, "give pictures"),
        (np.ones((2, 8, 7)), {"n_scales": 3}, r"8×8 pixels or more, and have 8×7"),
        (np.ones((2, 8, 8)), {"max_order": 3}, "max_order=3"),
        (np.full((2, 8, 8), np.inf), {}, "infinity"),
        (np.ones((2, 8, 8)), {"n_scales": 0}, "'n_scales' parameter"),
    ],
)
def test_refused(X, options, message):
    with pytest.raises(ValueError, match=message):
        ScatteringTransform(**options).fit(X)


def test_other_pictures_than_those_of_fit():
    model = ScatteringTransform().fit(np.ones((1, 8, 8)))
    with pytest.raises(ValueError, match=r"pictures of \(8, 9\).*\(8, 8\)"):
        model.transform(np.ones((1, 8, 9)))
