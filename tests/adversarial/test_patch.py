"""Adversarial patches: the map is linear with a true adjoint, places are right, models err."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.adversarial import adversarial_patch, apply_patch, loss_gradient, patch_steps
from kiso.adversarial._placement import Placement, disc, draw_placement
from kiso.svm import SVC
from tests.adversarial.test_attacks import data, loss_of, models

SIDES = st.integers(1, 7)


def drawn(rng, n, patch, image, mask=None):
    mask = np.ones(patch) if mask is None else mask
    return draw_placement(n, mask, image, rng, scales=(0.5, 1.6), rotations=(-180, 180))


@given(SIDES, SIDES, st.integers(0, 5), st.integers(0, 5), st.integers(1, 3), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_adjoint_is_that_of_a_linear_map(height, width, more, wider, channels, seed):
    rng = np.random.default_rng(seed)
    patch, image = (height, width), (height + more, width + wider)
    at = drawn(rng, 3, patch, image, disc(patch) if seed % 2 else None)
    p, q = rng.standard_normal((2, channels, *patch))
    g = rng.standard_normal((3, channels, *image))
    np.testing.assert_allclose(np.vdot(at.laid(p), g), np.vdot(p, at.adjoint(g)), atol=1e-12)
    np.testing.assert_allclose(at.laid(2 * p - q), 2 * at.laid(p) - at.laid(q), atol=1e-12)


def naive_laid(at, p):
    """The definition, a pixel at a time: bilinear interpolation of the patch, 0 outside."""

    def value(c, r, s):
        inside = 0 <= r < p.shape[1] and 0 <= s < p.shape[2]
        return p[c, r, s] * at.mask[r, s] if inside else 0.0

    y = np.zeros((len(at.centres), len(p), *at.image_size))
    for i, c, row, col in np.ndindex(y.shape):
        offset = np.array([row, col]) - at.centres[i]
        a = at.angles[i]
        turned = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ offset
        r, s = turned / at.scales[i] + (np.array(at.mask.shape) - 1) / 2
        fr, fs = int(np.floor(r)), int(np.floor(s))
        y[i, c, row, col] = sum(
            value(c, fr + k, fs + m) * (1 - abs(r - fr - k)) * (1 - abs(s - fs - m))
            for k in (0, 1) for m in (0, 1)
        )  # fmt: skip
    return y


def test_the_map_is_bilinear_interpolation():
    rng = np.random.default_rng(0)
    for mask in (np.ones((3, 5)), disc((3, 5))):
        at, p = drawn(rng, 3, (3, 5), (8, 7), mask), rng.random((2, 3, 5))
        np.testing.assert_allclose(at.laid(p), naive_laid(at, p), atol=1e-12)


def test_without_scale_and_rotation_pixels_are_copied():
    x, p = np.zeros((1, 1, 6, 7)), np.arange(1.0, 7).reshape(1, 2, 3)
    at = Placement(np.array([[2.5, 4.0]]), np.ones(1), np.zeros(1), np.ones((2, 3)), (6, 7))
    x += 9
    expected = x.copy()
    expected[0, 0, 2:4, 3:6] = p[0]
    np.testing.assert_array_equal(at.apply(x, p), expected)
    quarter = Placement(np.array([[3.0, 4.0]]), np.ones(1), np.array([np.pi / 2]),
                        np.ones((3, 3)), (7, 7))  # fmt: skip
    p = np.arange(9.0).reshape(1, 3, 3)
    turned = quarter.laid(p)[0, 0, 2:5, 3:6]
    np.testing.assert_allclose(turned, np.rot90(p[0], -1), atol=1e-12)


def test_places_are_within_the_image_and_go_everywhere():
    rng = np.random.default_rng(0)
    at = draw_placement(4000, np.ones((4, 4)), (10, 12), rng, scales=(1, 1), rotations=(0, 0))
    whole = at.laid(np.ones((1, 4, 4))).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(whole, 16, atol=1e-9)  # nothing is cut off
    np.testing.assert_allclose(at.centres.min(axis=0), 1.5, atol=0.02)
    np.testing.assert_allclose(at.centres.max(axis=0), [7.5, 9.5], atol=0.02)


def classifiers():
    X, y = data(3)
    return [*models(3), SVC(kernel="rbf", gamma=1.0).fit(X, y)]


def test_any_model_is_deceived_by_a_patch_within_the_bounds():
    X, y = data(3)
    X, y = X[y != 2], y[y != 2]
    for model in classifiers():
        result = adversarial_patch(model, X, y, target=2, size=3, image_shape=(1, 4, 4),
                                   shape="disc", learning_rate=0.1, n_steps=120,
                                   random_state=0)  # fmt: skip
        rng = np.random.default_rng(1)
        noise = apply_patch(X, rng.random((1, 3, 3)), image_shape=(1, 4, 4), shape="disc",
                            random_state=1)  # fmt: skip
        assert result.success_rate > 0.2 + np.mean(model.predict(noise) == 2)
        assert result.objective_path[-20:].mean() < 0.8 * result.objective_path[:5].mean()
        assert result.patch.min() >= 0 <= result.images.min()
        assert result.patch.max() <= 1
        assert result.images.max() <= 1 + 1e-12


def test_gradient_with_respect_to_the_patch():
    """Taylor: |C(p + h v) − C(p) − h ⟨∂C/∂p, v⟩| falls as h²."""
    X, y = data(3, n=9)
    rng = np.random.default_rng(0)
    at = drawn(rng, 9, (2, 3), (4, 4))
    p, v = rng.random((1, 2, 3)), rng.standard_normal((1, 2, 3))
    for model in models(3):

        def loss(p, model=model):
            return loss_of(model, at.apply(X.reshape(-1, 1, 4, 4), p).reshape(X.shape), y).sum()

        seen = at.apply(X.reshape(-1, 1, 4, 4), p).reshape(X.shape)
        slope = np.vdot(at.adjoint(loss_gradient(model, seen, y).reshape(-1, 1, 4, 4)), v)
        h = np.array([1e-2, 1e-3])
        rest = [abs(loss(p + k * v) - loss(p) - k * slope) for k in h]
        assert np.log10(rest[0] / rest[1]) == pytest.approx(2, abs=0.1)


def test_states_seed_and_float32():
    X, y = data(2)
    model = models(2)[0]
    options = {"target": 1, "size": (2, 3), "image_shape": (1, 4, 4), "n_steps": 4}
    result = adversarial_patch(model, X, y, **options, random_state=3)
    *_, last = patch_steps(model, X, **options, random_state=3)
    np.testing.assert_array_equal(last.patch, result.patch)
    assert last.converged
    assert last.n_iter == 4 == len(result.objective_path)
    single = adversarial_patch(model, X.astype(np.float32), y, **options, random_state=3)
    assert single.images.dtype == single.patch.dtype == np.float32
    np.testing.assert_allclose(single.images, result.images, atol=1e-4)


def test_bad_input():
    X, y = data(2)
    model = models(2)[0]
    good = {"target": 1, "size": 2, "image_shape": (1, 4, 4)}
    for change, message in (
        ({"size": 5}, r"size=5: give 1 to 4"),
        ({"size": (2, 0)}, r"size=\(2, 0\)"),
        ({"shape": "star"}, "shape='star'"),
        ({"scales": (0, 1)}, r"scales=\(0, 1\)"),
        ({"rotations": (9, 1)}, r"rotations=\(9, 1\)"),
        ({"image_shape": (1, 3, 4)}, r"image_shape=\(1, 3, 4\)"),
        ({"image_shape": None}, "image_shape=None"),
        ({"n_steps": 0}, "n_steps=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"target": 7}, "7, which is not among"),
        ({"bounds": (0, 0.5)}, "outside bounds"),
    ):
        with pytest.raises(ValueError, match=message):
            adversarial_patch(model, X, y, **good | change)
    with pytest.raises(ValueError, match=r"patch of shape \(2, 2, 2\): give \(1, "):
        apply_patch(X, np.ones((2, 2, 2)), image_shape=(1, 4, 4))
