"""ConvClassifier: estimator checks, images and rows alike, words, bad input, augmentation."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso import nn
from kiso.neural_network import ConvClassifier
from kiso.optim import Momentum
from kiso.persistence import FittedModel, load_model, save_model

NOT_REPETITION = {
    "check_sample_weight_equivalence_on_dense_data": "a weight is not a repetition in batches",
}
RNG = np.random.default_rng(0)


@parametrize_with_checks(
    [ConvClassifier(max_iter=30, learning_rate_init=0.01, random_state=0)],
    expected_failed_checks=lambda _: NOT_REPETITION,
)
def test_estimator_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


LINE = "conv 8 3x3 same, relu, pool 2, conv 16 3x3, relu, dense 32, relu, dropout 0.2"


@pytest.fixture(scope="module")
def fitted(digits):
    X, y = digits
    model = ConvClassifier(LINE, image_shape=(1, 8, 8), batch_size=64, learning_rate_init=0.01,
                           max_iter=10, random_state=0)  # fmt: skip
    return model.fit(X[:1400], y[:1400], X_val=X[1400:], y_val=y[1400:])


def test_digits(fitted, digits):
    X, y = digits
    assert fitted.score(X[1400:], y[1400:]) > 0.9
    assert len(fitted.validation_scores_) == fitted.n_iter_ == 10
    assert repr(fitted.network_) == (
        "Network(Reshape(1×8×8), Conv2D(1 → 8, 3×3, same), ReLU(), MaxPool(2×2), "
        "Conv2D(8 → 16, 3×3), ReLU(), Flatten(), Affine(64 → 32), ReLU(), Dropout(0.2), "
        "Affine(32 → 10))"
    )
    p = fitted.predict_proba(X[1400:])
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (fitted.classes_[p.argmax(axis=1)] == fitted.predict(X[1400:])).all()


def test_images_and_rows_are_the_same(fitted, digits):
    X, y = digits
    images = X.reshape(-1, 1, 8, 8)
    np.testing.assert_array_equal(fitted.predict_proba(images[:99]), fitted.predict_proba(X[:99]))
    np.testing.assert_array_equal(fitted.network_(images[:9]), fitted.network_(X[:9]))
    by_rows = clone(fitted).set_params(max_iter=1).fit(X[:200], y[:200])
    by_images = clone(fitted).set_params(max_iter=1, image_shape=None).fit(images[:200], y[:200])
    np.testing.assert_array_equal(by_rows.parameters_, by_images.parameters_)
    assert by_images.image_shape_ == (1, 8, 8)
    assert by_images.n_features_in_ == 64


def test_input_gradient(fitted, digits):
    X = digits[0][:3].reshape(-1, 1, 8, 8).astype(np.float64)
    slope = fitted.network_.input_gradient(X, output=3)
    assert slope.shape == X.shape
    moved = X.copy()
    moved[:, 0, 3, 3] += 1e-2
    change = (fitted.network_(moved) - fitted.network_(X))[:, 3]
    np.testing.assert_allclose(change, 1e-2 * slope[:, 0, 3, 3], rtol=0.1, atol=1e-3)


def test_steps_are_the_fit(digits):
    X, y = digits
    model = ConvClassifier("conv 4 3, relu, pool 2", image_shape=(1, 8, 8), max_iter=3,
                           augmentation="shift 1, flip", random_state=3)  # fmt: skip
    stepped = clone(model)
    states = list(stepped.steps(X[:300], y[:300]))
    monitor = ScoringMonitor(scoring="accuracy")
    model.set_callbacks(monitor).fit(X[:300], y[:300])
    assert [s.n_iter for s in states] == [1, 2, 3]
    np.testing.assert_array_equal(model.parameters_, stepped.parameters_)
    np.testing.assert_array_equal(model.loss_curve_, [s.objective for s in states])
    assert repr(model.network_).startswith(
        "Network(Reshape(1×8×8), RandomShift(1), RandomFlip(0.5)"
    )
    np.testing.assert_array_equal(model.predict(X[:50]), model.predict(X[:50]))


def test_layers_in_place_of_a_line(digits):
    X, y = digits
    layers = [nn.Conv2D.create(1, 4, 3, random_state=0), nn.Tanh(), nn.AveragePool(2), nn.Flatten()]
    before = layers[0].W.copy()
    model = ConvClassifier(layers, image_shape=(1, 8, 8), max_iter=2, random_state=0)
    model.fit(X[:100], y[:100])
    np.testing.assert_array_equal(layers[0].W, before)
    assert model.network_.layers[-1].W.shape == (36, 10)
    whole = [*layers, nn.Affine.create(36, 10, random_state=0)]
    other = ConvClassifier(whole, image_shape=(1, 8, 8), max_iter=1).fit(X[:100], y[:100])
    assert len(other.network_) == 6


def test_two_classes_warm_start_weights_and_a_rule(digits):
    X, y = digits
    few = y < 2
    X, y = X[few], np.array(["zero", "one"])[y[few]]
    model = ConvClassifier("conv 4 3x3, relu, avgpool 2 same", image_shape=(1, 8, 8), max_iter=4,
                           rule=Momentum(0.1), warm_start=True, class_weight="balanced",
                           random_state=0)  # fmt: skip
    first = model.fit(X, y).loss_
    assert model.n_outputs_ == 1
    assert model.score(X, y) > 0.97
    assert model.fit(X, y).loss_curve_[0] < first
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has"):
        model.fit(X, np.arange(len(X)) % 3)


def test_kept_in_a_file(fitted, digits, tmp_path):
    kept = FittedModel(make_pipeline(fitted), "ConvClassifier", "classification", "digit", {})
    again = load_model(save_model(kept, tmp_path / "model.kiso")).pipeline
    np.testing.assert_array_equal(
        again.predict_proba(digits[0][:50]), fitted.predict_proba(digits[0][:50])
    )


HH = (
    "conv 32 5x5 same, pool 3 stride 2 same, relu, conv 32 5x5 same, relu, "
    "avgpool 3 stride 2 same, conv 64 5x5 same, relu, avgpool 3 stride 2 same, conv 64 4x4, relu"
)


def test_the_network_of_higham_and_higham_has_145578_parameters():
    """Row 65: CIFAR-10, section 7."""
    X = RNG.random((20, 3, 32, 32), dtype=np.float32)
    model = ConvClassifier(HH, max_iter=1, init="normal", random_state=0).fit(X, np.arange(20) % 10)
    assert model.network_.n_parameters == 145_578
    shapes = [X.shape[1:]]
    for layer in model.network_:
        shapes.append(layer.output_shape(shapes[-1]))
    for expected in [(32, 16, 16), (32, 8, 8), (64, 4, 4), (64, 1, 1), (10,)]:
        assert expected in shapes
    assert "145,578" in model.network_.summary((3, 32, 32))


WORDS = [
    "depthwise 3x3 pad 1", "batchnorm", "conv 6 1x1 groups 1", "conv 4 3x3 stride 2 dilation 1",
    "globalpool", "flatten", "gelu", "pool 3 stride 1 pad 1", "crop 6", "flip 0.3",
]  # fmt: skip


@pytest.mark.parametrize("item", WORDS)
def test_words(item):
    X = RNG.random((12, 2, 8, 8))
    line = f"conv 3 3×3 same, {item}"
    model = ConvClassifier(line, max_iter=2, random_state=0).fit(X, np.arange(12) % 3)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("conv 20 5x5, rilu", "architecture: 'rilu': begin with one of conv"),
        ("conv 20", "'conv 20': give a size like 5 or 5x5"),
        ("conv", "give the number of filters"),
        ("conv 20 5x5x5", "'5x5x5': give a size"),
        ("conv 20 5x5 strid 2", "'strid': give stride, pad, same, valid, dilation, groups"),
        ("conv 20 5x5 groups 3", "'conv 20 5x5 groups 3': groups=3: n_in=2"),
        ("conv 4 3x3, conv 9 3x3 groups 4", "'conv 9 3x3 groups 4': groups=4: n_out=9"),
        ("conv 0 3x3", "'conv 0 3x3': give at least one filter"),
        ("conv 4 3x3 dilation 4", "window reaches over 9×9 of 8×8"),
        ("pool 2, pool 2, conv 4 3x3", r"'conv 4 3x3': Conv2D\(2 → 4, 3×3\) .* image of 2×2"),
        ("pool 9", r"'pool 9': MaxPool\(9×9\) leaves no pixel of an image of 8×8"),
        ("conv 4 9", "leaves no pixel"),
        ("dense 0", "at least one unit"),
        ("dense ten", "give the number of units"),
        ("dropout 1.5", "p=1.5"),
        ("dense 4, conv 3 3", "it takes images"),
        ("relu 3", "'3': give"),
    ],
)
def test_lines_that_are_not_understood(line, message):
    X = RNG.random((6, 2, 8, 8))
    with pytest.raises(ValueError, match=message):
        ConvClassifier(line).fit(X, [0, 1] * 3)


def test_bad_images_are_named(fitted):
    X, y = RNG.random((6, 8, 8, 3)), [0, 1] * 3
    with pytest.warns(UserWarning, match=r"looks like \(n, height, width, channels\)"):
        ConvClassifier("conv 2 1x1", max_iter=1).fit(X, y)
    good = ConvClassifier("conv 2 3x3", max_iter=1, random_state=0).fit(np.moveaxis(X, -1, 1), y)
    with pytest.raises(ValueError, match=r"give np.moveaxis\(X, -1, 1\)"):
        good.predict(X)
    with pytest.raises(ValueError, match=r"the fit had images of shape \(3, 8, 8\)"):
        good.predict(np.ones((1, 3, 9, 9)))
    with pytest.raises(ValueError, match=r"give X\[:, None\]"):
        ConvClassifier().fit(X[..., 0], y)
    with pytest.raises(ValueError, match=r"image_shape=\(1, 3, 3\): .* = 64"):
        ConvClassifier(image_shape=(1, 3, 3)).fit(np.ones((4, 64)), [0, 1] * 2)
    with pytest.raises(ValueError, match="image_shape"):
        ConvClassifier(image_shape=(1, 3, 3)).fit(np.moveaxis(X, -1, 1), y)
    with pytest.raises(ValueError, match=r"X of shape \(1, 6, 3, 8, 8\): images have the axes"):
        ConvClassifier().fit(np.moveaxis(X, -1, 1)[None], y)
    with pytest.raises(ValueError, match=r"Found array with 0 sample"):
        ConvClassifier().fit(np.ones((0, 3, 8, 8)), [])
    with pytest.raises(ValueError, match="augmentation: 'relu': begin with one of shift"):
        ConvClassifier(augmentation="relu").fit(np.moveaxis(X, -1, 1), y)
    with pytest.raises(TypeError, match="at place 0, is no layer"):
        ConvClassifier(["relu"]).fit(np.moveaxis(X, -1, 1), y)
    with pytest.raises(ValueError, match="NaN"):
        ConvClassifier().fit(np.full((4, 1, 8, 8), np.nan), [0, 1] * 2)


@pytest.mark.parametrize("shape", [(1, 8), (1.5, 8, 8), (1.0, 8, 8), ("1", "8", "8"), (-1, -8, 8)])
def test_image_shapes_that_are_none(shape):
    with pytest.raises(ValueError, match=r"image_shape=.*: give \(channels, height, width\)"):
        ConvClassifier(image_shape=shape).fit(RNG.random((4, 64)), [0, 1] * 2)


def test_rows_without_a_shape_are_signals_which_the_error_says():
    with pytest.raises(ValueError, match=r"3×3 of 1×64 .* an image of 1 × 64: .* image_shape"):
        ConvClassifier("conv 4 3x3").fit(RNG.random((4, 64)), [0, 1] * 2)


def test_bytes_are_warned_of():
    X, y = RNG.integers(0, 256, (6, 1, 8, 8), dtype=np.uint8), [0, 1] * 3
    for given in (X, X.astype(np.float64), X.reshape(6, -1)):
        with pytest.warns(UserWarning, match="numbers of about unit size"):
            ConvClassifier("conv 2 3x3", max_iter=1, image_shape=(1, 8, 8)).fit(given, y)
    ConvClassifier("conv 2 3x3", max_iter=1, learning_rate_init=1e-4).fit(X / 255, y)


def test_divergence_is_said():
    X, y = RNG.standard_normal((40, 1, 8, 8)), np.arange(40) % 2
    model = ConvClassifier("conv 2 3x3", solver="sgd", learning_rate_init=1e30, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged at step"):
        model.fit(X, y)
