"""Second derivatives: against complex steps of first ones, and by their remainder's slope."""

import numpy as np
import pytest

from kiso.nn import (
    GELU,
    Affine,
    AveragePool,
    BatchNorm,
    Conv2D,
    Flatten,
    LeakyReLU,
    Network,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    Softplus,
    Spectral,
    Tanh,
    check_gradients,
    gradient_penalty,
    tangent,
)
from kiso.optim._tree import leaves_of


def affine(n_in, n_out, seed=0):
    return Affine.create(n_in, n_out, init="normal", random_state=seed)


NETWORKS = {
    "tanh": lambda: Network([affine(3, 5), Tanh(), affine(5, 4, 1), Tanh(), affine(4, 1, 2)]),
    "sigmoid": lambda: Network([affine(3, 5), Sigmoid(), affine(5, 1, 1)]),
    "softplus": lambda: Network([affine(3, 5), Softplus(), affine(5, 1, 1)]),
    "gelu": lambda: Network([affine(3, 5), GELU(), affine(5, 1, 1)]),
    "leaky": lambda: Network([affine(3, 5), LeakyReLU(0.2), affine(5, 1, 1)]),
    "relu": lambda: Network([affine(3, 6), ReLU(), affine(6, 1, 1)]),
    "convolution": lambda: Network(
        [
            affine(3, 16),
            Reshape((1, 4, 4)),
            Conv2D.create(1, 3, 3, padding=1, random_state=0),
            Tanh(),
            AveragePool(2),
            Flatten(),
            affine(12, 1, 1),
        ]
    ),
    "residual": lambda: Network(
        [Residual(Sequential([affine(3, 3), Tanh()])), Flatten(), affine(3, 1, 1)]
    ),
}
X = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize("name", NETWORKS)
def test_tangent_is_the_derivative_along_v(name):
    network = NETWORKS[name]()
    v = np.random.default_rng(1).normal(size=X.shape)
    y, t, _ = tangent(network, X, v)
    h = 1e-30
    moved = network(X + 1j * h * v)
    np.testing.assert_allclose(y, moved.real, rtol=1e-13)
    np.testing.assert_allclose(t, moved.imag / h, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_backward_of_the_tangent(name):
    """Both outputs as one scalar: its gradients, by central differences of the forward pass."""
    network = NETWORKS[name]()
    rng = np.random.default_rng(2)
    v = rng.normal(size=X.shape)
    y, t, backward = tangent(network, X, v)
    wy, wt = rng.normal(size=y.shape), rng.normal(size=t.shape)
    dx, dv, gradients = backward(wy, wt)

    def scalar():
        y, t, _ = tangent(network, X, v)
        return np.sum(wy * y) + np.sum(wt * t)

    for array, gradient in [(X, dx), (v, dv), *zip(leaves_of(network.parameters),
                                                   leaves_of(gradients), strict=True)]:  # fmt: skip
        measured = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept, ends = array[index], []
            for step in (1e-6, -1e-6):
                array[index] = kept + step
                ends.append(scalar())
            array[index] = kept
            measured[index] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(gradient, measured, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("norm", [0.0, 1.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_remainder_of_the_penalty_falls_as_the_square(name, norm):
    network = NETWORKS[name]()
    value, gradients = gradient_penalty(network, X, norm=norm)
    p = network.vector
    direction = np.random.default_rng(3).normal(size=p.shape)
    slope = network.flatten(gradients) @ direction
    steps, remainders = 10.0 ** np.arange(-2.5, -4.6, -0.5), []
    for h in steps:
        network.set_vector(p + h * direction)
        remainders.append(abs(gradient_penalty(network, X, norm=norm)[0] - value - h * slope))
    order = np.polyfit(np.log(steps), np.log(remainders), 1)[0]
    assert order == pytest.approx(2, abs=0.1)


def test_penalty_of_a_constant_has_no_direction():
    network = Network([Affine(np.zeros((3, 1)), np.ones(1))])
    value, gradients = gradient_penalty(network, X)
    assert value == 1.0
    assert not np.any(gradients[0]["W"])


def test_penalty_refuses_what_it_cannot_differentiate_twice():
    with pytest.raises(TypeError, match="BatchNorm.*second derivative"):
        gradient_penalty(Network([BatchNorm(3), affine(3, 1)]), X)
    with pytest.raises(ValueError, match="one output a sample"):
        gradient_penalty(Network([affine(3, 2)]), X)


def test_float32_stays():
    network = Network.dense([3, 4, 1], dtype=np.float32, random_state=0)
    _, gradients = gradient_penalty(network, X.astype(np.float32))
    assert {g.dtype for g in leaves_of(gradients)} == {np.dtype(np.float32)}


class TestSpectral:
    def test_the_largest_singular_value_becomes_one(self):
        inner = affine(7, 4)
        layer = Spectral(inner)
        outputs = layer(np.eye(7)) - inner.b
        assert np.linalg.svd(outputs, compute_uv=False)[0] == pytest.approx(1, abs=1e-6)

    def test_gradients(self):
        layer = Spectral(affine(5, 3))
        for _ in range(300):  # the rule holds u and v fixed: exact where they have settled
            layer.u[:] = layer._normalised(None)[1]
        report = check_gradients(layer, np.random.default_rng(0).normal(size=(4, 5)))
        assert report.ok, report

    def test_u_follows_the_weights_in_training_alone(self):
        layer = Spectral(affine(5, 3))
        network = Network([layer])
        before = layer.u.copy()
        layer.inner.W[:] = np.random.default_rng(5).normal(size=(5, 3))
        network(np.ones((2, 5)))
        np.testing.assert_array_equal(layer.u, before)
        from kiso.nn import Run

        run = Run(0)
        for _ in range(60):
            run.begin_step()
            network.forward(np.ones((2, 5)), train=run)
            run.apply_statistics()
        assert layer._normalised(None)[3] == pytest.approx(np.linalg.norm(layer.inner.W, 2))

    def test_penalty_goes_through(self):
        network = Network([Spectral(affine(3, 4)), Tanh(), Spectral(affine(4, 1, 1))])
        gradients = gradient_penalty(network, X)[1]
        h = 1e-6
        W = network[0].inner.W
        ends = []
        for step in (h, -h):
            W[1, 2] += step
            ends.append(gradient_penalty(network, X)[0])
            W[1, 2] -= step
        assert gradients[0]["W"][1, 2] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-3)

    def test_takes_only_layers_with_weights(self):
        with pytest.raises(TypeError, match="weights W"):
            Spectral(Tanh())

    def test_zero_weights(self):
        layer = Spectral(Affine(np.zeros((2, 2)), np.zeros(2)))
        assert not layer(np.ones((1, 2))).any()
