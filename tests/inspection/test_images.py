"""Pictures of networks of images: what stands in them, and that nothing is lost."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.inspection import plot_filters, plot_worst_images
from kiso.neural_network import ConvClassifier
from kiso.nn import plot_feature_maps, plot_im2col

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fitted():
    X, y = RNG.random((60, 3, 8, 8)), np.array(["cat", "dog", "eel"])[np.arange(60) % 3]
    X[y == "cat", 0] += 1
    line = "conv 4 3x3 same, relu, pool 2, conv 5 3x3, relu, dense 8, relu"
    model = ConvClassifier(line, max_iter=3, augmentation="shift 1", random_state=0)
    return model.fit(X, y), X, y


def drawn(figure):
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    return figure.axes


def test_filters(fitted):
    W = fitted[0].network_[2].W
    axes = drawn(plot_filters(W, n_columns=3))
    assert len(axes) == 4
    tile = axes[1].images[0].get_array()
    assert tile.shape == (3, 3, 3)
    assert np.abs(tile - 0.5).max() == pytest.approx(0.5)
    assert drawn(plot_filters(np.zeros((2, 5, 1, 1))))[0].images[0].get_array().shape == (1, 1)
    mixed = np.concatenate([np.ones((1, 4, 2, 2)), -np.ones((1, 4, 2, 2))], axis=1)
    mixed[0, 0, 0, 0] = 1.5  # the weights nearly cancel: the mean is scaled, not they
    figure = plot_filters(mixed)
    assert drawn(figure)[0].images[0].get_array().max() == 1
    assert figure.get_suptitle().startswith("1 filters, means over 8 channels")
    with pytest.raises(ValueError, match=r"W of shape \(3, 3\)"):
        plot_filters(np.ones((3, 3)))


def test_feature_maps(fitted):
    model, X, _ = fitted
    axes = drawn(plot_feature_maps(model, X[0], n_maps=2))
    titles = [ax.get_title(loc="left") for ax in axes if ax.get_title(loc="left")]
    assert titles[:2] == ["image: 3 × 8 × 8", "Conv2D(3 → 4, 3×3, same): 4 × 8 × 8"]
    assert titles[-1] == "ReLU(): 5 × 2 × 2"
    assert len(axes) == 1 + 2 * 5
    first = model.network_[2](X[:1])
    np.testing.assert_allclose(axes[2].images[0].get_array(), first[0, 1], rtol=1e-6)
    with pytest.raises(ValueError, match=r"image of shape \(8, 8\)"):
        plot_feature_maps(model, X[0, 0])


def test_im2col():
    image, col = drawn(plot_im2col(np.arange(12.0).reshape(3, 4), (2, 3), padding=1))
    assert image.get_title() == "image: 1 × 3 × 4, with zeros around it"
    assert image.images[0].get_array().shape == (5, 6)
    assert [image.patches[0].get_height(), image.patches[0].get_width()] == [2, 3]
    assert col.get_title() == "im2col: 16 × 6"
    assert len(col.texts) == 96
    assert [t.get_text() for t in col.texts[:6]] == ["0", "0", "0", "0", "0", "1"]
    with pytest.raises(ValueError, match="leaves no pixel"):
        plot_im2col(np.ones((2, 2)), 3)


def test_numbers_of_im2col_stay_in_their_cells():
    X = RNG.standard_normal((2, 5, 5)) * 10.0 ** RNG.integers(-5, 7, (2, 5, 5))
    figure = plot_im2col(X, 3, stride=2, dilation=2, padding=2)
    for ax in drawn(figure):
        for text in ax.texts:
            j, i = text.get_position()
            (x0, y0), (x1, y1) = ax.transData.transform([(j - 0.5, i + 0.5), (j + 0.5, i - 0.5)])
            box = text.get_window_extent()
            assert x0 <= box.x0, text
            assert box.x1 <= x1, text
            assert y0 <= box.y0, text
            assert box.y1 <= y1, text
    assert len(figure.axes[0].patches) == 2  # a frame a channel
    large = drawn(plot_im2col(np.ones((28, 28)), 5))
    assert [len(ax.texts) for ax in large] == [0, 0]


def test_worst_images(fitted):
    model, X, y = fitted
    axes = drawn(plot_worst_images(model, X, y, n_images=5))
    assert len(axes) == 6
    counts = [int(t.get_text()) for t in axes[0].texts]
    assert sum(counts) == 60
    p = model.predict_proba(X)[np.arange(60), np.searchsorted(model.classes_, y)]
    worst = p.argmin()
    assert axes[1].get_title().startswith(f"{y[worst]} as {model.predict(X[worst : worst + 1])[0]}")
    rows = drawn(plot_worst_images(model, X.reshape(60, -1), y, n_images=1))
    assert len(rows) == 2
    with pytest.raises(ValueError, match=r"give one of \['cat' 'dog' 'eel'\]"):
        plot_worst_images(model, X, ["ape"] * 60)
