import numpy as np
import pytest
from matplotlib.figure import Figure

from kiso.optim import Adam, Beale, Himmelblau, Newton, Rosenbrock, descent, plot_trajectories


def test_any_method_on_any_function_on_a_given_axis():
    f = Himmelblau()
    ax = Figure().add_subplot()
    runs = {
        "Adam": list(descent(f, f.start, method=Adam(0.1), max_iter=50)),
        "Newton": descent(f, f.start, method=Newton()),
    }
    last = runs["Adam"][-1].x
    got = plot_trajectories(f, runs, ax)
    assert got is ax
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_array_equal(drawn["Adam"][0], f.start)
    np.testing.assert_array_equal(drawn["Adam"][-1], last)
    assert len(drawn["minimum"]) == 4
    ax.figure.canvas.draw()


def test_arrays_plain_functions_and_limits():
    path = np.array([[0.0, 0.0], [1.0, 0.5], [np.inf, 0.0]])
    ax = plot_trajectories(lambda x: x @ x, {"p": path}, xlim=(-1, 2), ylim=(-1, 3))
    assert ax.get_xlim() == (-1, 2)
    assert ax.get_ylim() == (-1, 3)
    assert len(ax.lines[0].get_xydata()) == 2


@pytest.mark.parametrize("f", [Beale(), Rosenbrock()])
def test_default_limits_hold_the_minimum(f):
    ax = plot_trajectories(f, {"still": np.array([f.start])})
    x, y = f.minimizers[0]
    assert ax.get_xlim()[0] < x < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < y < ax.get_ylim()[1]


def test_bad_runs():
    with pytest.raises(ValueError, match="runs is empty"):
        plot_trajectories(Beale(), {})
    with pytest.raises(ValueError, match=r"runs\['a'\] has shape \(2, 3\)"):
        plot_trajectories(Beale(), {"a": np.zeros((2, 3))})
