import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from kiso.inspection import plot_decision_regions
from kiso.neighbors import KNeighborsClassifier

X = np.array([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]])


def colours(ax):
    return np.unique(ax.images[0].get_array().reshape(-1, 3), axis=0)


@pytest.mark.parametrize("labels", [["left", "left", "right", "right"], [3, 3, 7, 7]])
def test_every_point_has_the_colour_of_its_class(labels):
    model = KNeighborsClassifier(1).fit(X, labels)
    ax = plot_decision_regions(model, X, labels, resolution=50)
    image = np.asarray(ax.images[0].get_array())
    assert image.shape == (50, 50, 3)
    assert len(colours(ax)) == 2
    assert (image[:, :25] == image[0, 0]).all()
    assert (image[:, 25:] == image[0, -1]).all()
    x0, x1, _, _ = ax.images[0].get_extent()
    assert x0 < 0
    assert x1 > 4
    assert [c.get_label() for c in ax.collections] == [str(v) for v in sorted(set(labels))]


def test_any_classifier_and_no_labels():
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    ax = plot_decision_regions(model, X, resolution=20)
    assert len(ax.collections) == 0
    assert len(colours(ax)) == 2


def test_more_points_than_a_batch():
    model = KNeighborsClassifier(1).fit(X, [0, 0, 1, 1])
    assert plot_decision_regions(model, X[:1], resolution=300).images[0].get_array().shape[0] == 300


def test_bad_input_is_refused():
    model = KNeighborsClassifier(1).fit(X, [0, 0, 1, 1])
    with pytest.raises(ValueError, match="two features"):
        plot_decision_regions(model, X[:, :1])
    with pytest.raises(ValueError, match="one class for each of 4 rows"):
        plot_decision_regions(model, X, [0, 1])
