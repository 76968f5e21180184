import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

from kiso.inspection import plot_margin, plot_margin_steps
from kiso.linear_model import LogisticRegression
from kiso.neighbors import KNeighborsClassifier
from kiso.svm import SVC, LinearSVC
from kiso.tree import DecisionTreeClassifier

X = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 0.0], [4.0, 1.0], [9.0, 0.5]])
Y = np.array(["a", "a", "b", "b", "b"])


def hard():
    return LinearSVC(C=1e3, loss="hinge", intercept_scaling=20, tol=1e-8).fit(X, Y)


def lines(ax):
    return {float(level): path.vertices for level, path in
            zip(ax.collections[0].levels, ax.collections[0].get_paths(), strict=True)}  # fmt: skip


def circled(ax):
    found = [c for c in ax.collections if c.get_label() == "support vectors"]
    return found[0].get_offsets() if found else np.empty((0, 2))


def test_lines_are_where_the_score_is_0_and_1():
    model = hard()
    ax = plot_margin(model, X, Y, resolution=40)
    found = lines(ax)
    assert sorted(found) == [-1.0, 0.0, 1.0]
    for level, points in found.items():
        np.testing.assert_allclose(model.decision_function(points), level, atol=1e-6)


def test_support_vectors_are_circled():
    nearest = [[1.0, 1.0], [3.0, 0.0]]
    np.testing.assert_allclose(circled(plot_margin(hard(), X, Y)), nearest)
    machine = SVC(kernel="linear", C=1e3).fit(X, Y)
    np.testing.assert_allclose(np.sort(circled(plot_margin(machine, X, Y)), axis=0),
                               np.sort(machine.support_vectors_, axis=0))  # fmt: skip
    assert len(circled(plot_margin(hard(), X, Y, support=[]))) == 0
    np.testing.assert_allclose(circled(plot_margin(hard(), X, Y, support=[4])), X[[4]])
    np.testing.assert_allclose(circled(plot_margin(hard(), X, support=[[2.0, 2.0]])), [[2.0, 2.0]])


@pytest.mark.parametrize(
    "model", [LogisticRegression(), KNeighborsClassifier(3), DecisionTreeClassifier()]
)
def test_any_classifier(model):
    ax = plot_margin(model.fit(X, Y), X, Y, resolution=30)
    assert 0.0 in lines(ax)
    ax.figure.canvas.draw()


def test_each_of_several_classes_has_lines():
    data, labels = load_iris(return_X_y=True)
    data = data[:, 2:]
    for model in (LinearSVC(), SVC()):
        ax = plot_margin(model.fit(data, labels), data, labels, resolution=30)
        assert sum(hasattr(c, "levels") for c in ax.collections) == 3


@pytest.mark.parametrize("model", [LinearSVC(loss="hinge"), SVC(C=10.0), LogisticRegression()])
def test_the_margin_over_the_steps(model):
    figure = plot_margin_steps(model, X, Y, panels=4, resolution=15)
    assert isinstance(figure, Figure)
    assert 1 <= len(figure.axes) <= 4
    steps = [int(ax.get_title().split()[1].strip(",")) for ax in figure.axes]
    assert steps == sorted(set(steps))  # numbers of steps, not of epochs
    if not isinstance(model, LogisticRegression):
        assert "duality gap" in figure.axes[0].get_title()
    figure.canvas.draw()


def test_bad_input():
    with pytest.raises(ValueError, match="two features"):
        plot_margin(hard(), X[:, :1])
    with pytest.raises(ValueError, match="panels=0"):
        plot_margin_steps(LinearSVC(), X, Y, panels=0)
