"""The checker catches what is wrong and says where (erratum E10's kind), and nothing else."""

import numpy as np
import pytest

from kiso.losses import AbsoluteError, SoftmaxCrossEntropy, SquaredError
from kiso.nn import Affine, Layer, Network, check_gradients

X = np.random.default_rng(0).standard_normal((4, 3))


class Mutant(Affine):
    """Affine with one mistake in its backward pass."""

    mistake = ""

    def forward(self, x, *, train=None):
        y, right = super().forward(x, train=train)

        def backward(dy):
            dx, grads = right(dy)
            if self.mistake == "dx not transposed":
                dx = dy @ self.W
            elif self.mistake == "sign of dW":
                grads["W"] = -grads["W"]
            elif self.mistake == "db is the mean":
                grads["b"] = dy.mean(axis=0)
            elif self.mistake == "one entry":
                grads["W"][2, 1] *= 1.001
            elif self.mistake == "nan":
                grads["b"][0] = np.nan
            return dx, grads

        return y, backward


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("", None),
        ("dx not transposed", "input"),
        ("sign of dW", "W"),
        ("db is the mean", "b"),
        ("one entry", "W"),
        ("nan", "b"),
    ],
)
@pytest.mark.parametrize("method", ["auto", "complex", "taylor"])
def test_mutants_are_caught_and_named(mistake, name, method):
    layer = Mutant.create(3, 3, init="normal", random_state=0)
    layer.mistake = mistake
    report = check_gradients(layer, X, method=method)
    assert report.wrong == ([] if name is None else [name]), report
    if mistake == "one entry":
        (check,) = (c for c in report.checks if c.wrong)
        assert [index for index, _, _ in check.wrong] == [(2, 1)]
        assert "W[2, 1]: given" in str(report)
    if mistake == "sign of dW" and method == "taylor":
        assert report.checks[0].slope < 1.5


class Absolute(Layer):
    def forward(self, x, *, train=None):
        return np.abs(x), lambda dy: (dy * np.sign(x.real), {})


def test_what_is_not_analytic_is_asked_by_differences():
    report = check_gradients(Absolute(), X)
    assert report.ok, report
    assert "Taylor" in report.checks[0].method
    with pytest.raises(TypeError, match="does not take complex"):
        check_gradients(Absolute(), X, method="complex")


def test_functions_of_value_and_gradient():
    t = np.ones((4, 3))
    assert check_gradients(lambda a: SquaredError().value_and_gradient(a, t), X).ok
    wrong = check_gradients(lambda a: (float((a**2).sum()), a), X)
    assert wrong.wrong == ["input"]
    assert len(wrong.checks[0].wrong) == 12


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (SquaredError(), np.ones((4, 2))),
        (SquaredError(reduction="sum"), np.ones((4, 2))),
        (AbsoluteError(), np.ones((4, 2))),
        (SoftmaxCrossEntropy(), np.array([0, 1, 1, 0])),
    ],
)
def test_network_with_loss(loss, target):
    network = Network.dense([3, 4, 2], random_state=0)
    report = check_gradients(network, X, loss=loss, target=target)
    assert report.ok, report
    assert [check.name for check in report.checks] == ["0.W", "0.b", "2.W", "2.b", "input"]


def test_the_contract_is_checked():
    class Overwrites(Layer):
        def forward(self, x, *, train=None):
            def backward(dy):
                dy *= 2
                return dy, {}

            return 2 * x, backward

    with pytest.raises(ValueError, match="changed its dy"):
        check_gradients(Overwrites(), X)

    class Copies(Affine):
        @property
        def parameters(self):
            return {"W": self.W.copy(), "b": self.b.copy()}

    with pytest.raises(TypeError, match="the arrays that the layer holds"):
        check_gradients(Copies.create(3, 2, random_state=0), X)

    class WrongShape(Layer):
        def forward(self, x, *, train=None):
            return x, lambda dy: (dy[:1], {})

    with pytest.raises(ValueError, match=r"input has shape \(4, 3\), its gradient \(1, 3\)"):
        check_gradients(WrongShape(), X)


def test_nothing_is_left_changed():
    network = Network.dense([3, 5, 2], random_state=0)
    before, x = network.vector, X.copy()
    check_gradients(network, x, method="taylor")
    check_gradients(network, x)
    np.testing.assert_array_equal(network.vector, before)
    np.testing.assert_array_equal(x, X)


def test_large_arrays_are_sampled():
    network = Network.dense([3, 50, 2], random_state=0)
    report = check_gradients(network, X, max_entries=20)
    assert report.ok
    assert [check.n_checked for check in report.checks] == [20, 20, 20, 2, 12]


def test_fortran_order_and_shared_layers():
    layer = Affine(np.asfortranarray(np.arange(9.0).reshape(3, 3) / 9), np.ones(3))
    assert check_gradients(layer, np.asfortranarray(X)).ok
    twice = Network([layer, layer])
    report = check_gradients(twice, X)
    assert report.ok, report
    assert [check.name for check in report.checks] == ["0.W", "0.b", "input"]


class Own(Layer):
    """A learner's layer: arrays as attributes, and nothing said of parameters."""

    def __init__(self, W, b):
        self.W, self.b, self.seen = W, b, None

    def forward(self, x, *, train=None):
        self.seen = x

        def backward(dy):
            dW = self.seen.T @ dy
            dW[1, 0] += 1e-3
            return dy @ self.W.T, {"W": dW, "b": dy.sum(axis=0)}

        return x @ self.W + self.b, backward


class Plain:
    """The same contract without the base class, and without `train`."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        return x @ self.W, lambda dy: (dy @ self.W.T, {"W": 2 * (x.T @ dy)})


def test_layers_of_ones_own():
    rng = np.random.default_rng(1)
    layer = Own(rng.standard_normal((3, 2)), rng.standard_normal(2))
    layer(X)  # it has remembered an input: that is no parameter
    report = check_gradients(layer, X)
    assert report.wrong == ["W"]
    assert [c.name for c in report.checks] == ["W", "b", "input"]
    assert [entry[0] for c in report.checks for entry in c.wrong] == [(1, 0)]
    report = check_gradients(Plain(rng.standard_normal((3, 2))), X)
    assert report.wrong == ["W"]
    assert len(report.checks[0].wrong) == 6

    class Forgets(Plain):
        def forward(self, x):
            return x @ self.W, lambda dy: (dy @ self.W.T, {})

    with pytest.raises(ValueError, match=r"keys \[\] where params has keys \['W'\]"):
        check_gradients(Forgets(layer.W), X)


def test_layers_of_ones_own_are_trained():
    from kiso.nn import train
    from kiso.optim import GradientDescent

    class Scale(Layer):
        def __init__(self, s):
            self.s = s

        def forward(self, x, *, train=None):
            return self.s * x, lambda dy: (self.s * dy, {"s": (dy * x).sum(axis=0)})

    layer = Scale(np.ones(3))
    states = train(Network([layer]), SquaredError(), (X, 2 * X), GradientDescent(0.3), n_epochs=200)
    assert [state.objective for state in states][-1] < 1e-6
    np.testing.assert_allclose(layer.s, 2, atol=1e-3)
