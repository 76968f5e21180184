"""What used to be wrong in silence: each a kind of error, with its siblings."""

import copy
import gc
import warnings

import numpy as np
import pytest

from kiso.adversarial import fgsm, loss_gradient, one_pixel, pgd
from kiso.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy, SquaredError
from kiso.nn import (
    GAME_LOSSES,
    Affine,
    BatchNorm,
    Conv2D,
    Flatten,
    Game,
    Layer,
    LayerNorm,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Spectral,
    Tanh,
    check_gradients,
    play,
    tangent,
    train,
)
from kiso.optim import Adam, ClipNorm, GradientDescent, Momentum, WeightDecay

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((40, 3)), RNG.standard_normal((40, 2))
IMAGES = RNG.standard_normal((6, 2, 8, 8))


def doubled(kind):
    """A subclass whose forward gives twice what its base gives."""

    class Doubled(kind):
        def forward(self, x, *, train=None):
            y, back = super().forward(x, train=train)
            return 2 * y, lambda dy: back(2 * dy)

    return Doubled


class TestOneOutputHoweverCalled:
    CASES = {
        "affine": (lambda: doubled(Affine).create(3, 2, random_state=0), X),
        "tanh": (lambda: doubled(Tanh)(), X),
        "conv": (lambda: doubled(Conv2D).create(2, 3, 3, random_state=0), IMAGES),
        "pool": (lambda: doubled(MaxPool)(2), IMAGES),
        "batch norm": (lambda: doubled(BatchNorm)(2), IMAGES),
        "relu": (lambda: doubled(ReLU)(), IMAGES),
        "sequential": (lambda: doubled(Sequential)([Affine.create(3, 2, random_state=0)]), X),
        "network": (lambda: doubled(Network)([Affine.create(3, 2, random_state=0)]), X),
        "parallel": (lambda: doubled(Parallel)([Tanh(), ReLU()]), X),
        "residual": (lambda: doubled(Residual)(Tanh()), X),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_calls_agree(self, name):
        make, x = self.CASES[name]
        layer = make()
        y = layer.forward(x)[0]
        np.testing.assert_array_equal(layer(x), y)
        for around in (Sequential([layer]), Network([layer]), Network([Residual(layer)])):
            if isinstance(around[0], Residual) and y.shape != x.shape:
                continue
            np.testing.assert_allclose(around(x), around.forward(x)[0], rtol=1e-12)
        np.testing.assert_array_equal(Network([layer])(x), y)
        assert layer.output_shape(x.shape[1:]) == y.shape[1:]

    def test_many_rows(self):
        layer = doubled(Affine).create(3, 2, random_state=0)
        x = RNG.standard_normal((5000, 3))
        np.testing.assert_allclose(Network([layer])(x), layer.forward(x)[0], rtol=1e-12)

    @pytest.mark.parametrize("loop", ["auto", "layers"])
    def test_training_sees_it(self, loop):
        nets = []
        for kind in (Affine, doubled(Affine)):
            net = Network([kind(np.ones((3, 2)), np.zeros(2))])
            for _ in train(net, SquaredError(), (X, T), GradientDescent(0.1), n_steps=1,
                           batch_size=40, loop=loop):  # fmt: skip
                pass
            nets.append(net)
        W = np.ones((3, 2))
        by_hand = W - 0.1 * 2 * X.T @ (2 * X @ W - T) / 40
        np.testing.assert_allclose(nets[1][0].W, by_hand, rtol=1e-10)
        assert abs(nets[0][0].W - nets[1][0].W).max() > 1e-3

    @pytest.mark.parametrize("method", ["forward", "loss_and_gradients"])
    def test_a_network_with_passes_of_its_own_is_not_compiled(self, method):
        kind = type("Own", (Network,), {method: getattr(Network, method)})
        setattr(kind, method, lambda self, *a, **k: getattr(Network, method)(self, *a, **k))
        net = kind([Affine.create(3, 2, random_state=0)])
        with pytest.raises(ValueError, match="loop='compiled'"):
            train(net, SquaredError(), (X, T), GradientDescent(0.1), loop="compiled")

    def test_second_derivatives_of_an_overridden_forward_are_refused(self):
        for layer in (doubled(Affine).create(3, 2, random_state=0), doubled(Tanh)()):
            with pytest.raises(TypeError, match="overrides the forward"):
                tangent(layer, X, X)

        class Cubic(Tanh):
            def value(self, x, out):
                return np.power(x, 3, out=out)

        with pytest.raises(TypeError, match="σ'' is not known"):
            tangent(Cubic(), X, X)


class Wrapped(Layer):
    """A user's layer round another."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x, *, train=None):
        y, back = self.inner.forward(x, train=train)

        def backward(dy):
            dx, gradients = back(dy)
            return dx, {"inner": gradients}

        return y, backward


class Listed(Wrapped):
    def __init__(self, inner):
        self.parts = [inner]

    def forward(self, x, *, train=None):
        y, back = self.parts[0].forward(x, train=train)

        def backward(dy):
            dx, gradients = back(dy)
            return dx, {"parts": [gradients]}

        return y, backward


class Hidden(Layer):
    def __init__(self, inner):
        self.get = lambda: inner

    @property
    def parameters(self):
        return self.get().parameters

    def forward(self, x, *, train=None):
        return self.get().forward(x, train=train)


class HiddenWithoutParameters(Hidden):
    parameters = {}

    def forward(self, x, *, train=None):
        y, back = self.get().forward(x, train=train)
        return y, lambda dy: (back(dy)[0], {})


class TestState:
    @pytest.mark.parametrize("wrap", [Wrapped, Listed])
    def test_statistics_in_a_layer_of_ones_own(self, wrap, tmp_path):
        def make():
            inner = Sequential([Affine.create(3, 4, random_state=0), BatchNorm(4)])
            return Network([wrap(inner), Tanh(), Affine.create(4, 2, random_state=1)])

        net, other = make(), make()
        for _ in train(net, SquaredError(), (X + 3, T), Adam(0.05), n_epochs=5, batch_size=8,
                       checkpoint=tmp_path / "run", random_state=0):  # fmt: skip
            pass
        assert abs(net(X) - other(X)).max() > 0.1
        net.save_weights(tmp_path / "w")
        other.load_weights(tmp_path / "w")
        np.testing.assert_array_equal(net(X), other(X))
        resumed = make()
        for _ in train(resumed, SquaredError(), (X + 3, T), Adam(0.05), n_epochs=5, batch_size=8,
                       resume=tmp_path / "run", random_state=0):  # fmt: skip
            pass
        np.testing.assert_array_equal(net(X), resumed(X))
        assert net.n_parameters == 3 * 4 + 4 + 8 + 8 + 2
        check_gradients(net, X[:5])

    def test_what_hides_is_refused(self):
        with pytest.raises(TypeError, match="no attribute of the layer"):
            Network([Hidden(BatchNorm(3))])
        net = Network([HiddenWithoutParameters(BatchNorm(3)), Affine.create(3, 2, random_state=0)])
        with pytest.raises(TypeError, match="could not be saved"):
            list(train(net, SquaredError(), (X, T), Adam(), n_steps=2))


def test_whichever_comes_first():
    for n_epochs, n_steps, steps in ((1, 100, 10), (3, 7, 7), (20, 100, 100), ("auto", 25, 25)):
        net = Network.dense([3, 4, 2], random_state=0)
        *_, state = train(net, SquaredError(), (X, T), Adam(), n_epochs=n_epochs,
                          n_steps=n_steps, batch_size=4)  # fmt: skip
        assert state.n_iter == steps
    batches = [(X[i : i + 4], T[i : i + 4]) for i in range(0, 40, 4)]
    *_, state = train(net, SquaredError(), batches, Adam(), n_epochs=1, n_steps=100)
    assert state.n_iter == 10
    *_, state = train(net, SquaredError(), (X, T), Adam(), batch_size=4)
    assert state.n_iter == 10


class TestOneDtype:
    def test_layers_without_a_dtype_take_the_networks(self):
        net = Network([
            Affine.create(3, 4, random_state=0, dtype=np.float32), BatchNorm(4), Tanh(),
            Residual(Sequential([LayerNorm(4), Spectral(Affine.create(4, 4, random_state=1))])),
        ])  # fmt: skip
        assert {a.dtype for layer in net for a in vars(layer).values()
                if isinstance(a, np.ndarray)} == {np.dtype(np.float32)}  # fmt: skip
        assert net(X.astype(np.float32)).dtype == net(X).dtype == np.float32
        assert net[3][0][1].u.dtype == net[3][0][0].gamma.dtype == np.float32

    def test_given(self):
        layers = [Affine.create(3, 4, random_state=0, dtype=np.float64), BatchNorm(4)]
        net = Network(layers, dtype=np.float32)
        assert net(X).dtype == np.float32
        assert layers[0].W.dtype == np.float64
        assert net[1].mean.dtype == np.float32

    def test_astype(self):
        shared = Affine.create(3, 3, random_state=0)
        net = Network([shared, Tanh(), shared, BatchNorm(3)])
        other = net.astype(np.float32)
        assert other[0] is other[2]
        assert other(X).dtype == np.float32
        assert net(X).dtype == np.float64
        np.testing.assert_allclose(other(X), net(X), rtol=1e-5, atol=1e-6)

    def test_mixing_is_refused_by_name(self):
        mixed = [Affine.create(3, 4, dtype=np.float32), BatchNorm(4, dtype=np.float64)]
        with pytest.raises(TypeError, match=r"layer 1 BatchNorm\(4\) is float64, layer 0 Affine"):
            Network(mixed)


class Twice(Layer):
    """Changes the shape and does not say so."""

    def forward(self, x, *, train=None):
        n = x.shape[-1]
        return np.concatenate([x, 2 * x], -1), lambda dy: (dy[..., :n] + 2 * dy[..., n:], {})


class TestShapes:
    def test_a_layer_that_changes_the_shape_trains(self):
        net = Network([Twice(), Affine.create(6, 2, random_state=0)])
        assert net.output_shape((3,)) == (2,)
        *_, state = train(net, SquaredError(), (X, T), Adam())
        assert state.converged

    def test_the_layer_at_fault_is_named(self):
        class Needs4(Layer):
            def forward(self, x, *, train=None):
                return x.reshape(len(x), 2, 2), lambda dy: (dy.reshape(len(dy), 4), {})

        net = Network([Affine.create(3, 3, random_state=0), Needs4(), Flatten()])
        with pytest.raises(ShapeError, match="layer 1: Needs4"):
            train(net, SquaredError(), (X, T), Adam())

    def test_a_forward_that_forgets_its_tuple(self):
        class Forgets(Layer):
            def forward(self, x, *, train=None):
                return x[:2]

        class ForgetsBack(Layer):
            def forward(self, x, *, train=None):
                return x, lambda dy: dy

        for layer in (Forgets(), Network([Forgets()]), Residual(Forgets())):
            with pytest.raises(TypeError, match=r"Forgets\(\): forward returned a ndarray alone"):
                layer(X)
        with pytest.raises(TypeError, match=r"backward returned a ndarray alone"):
            Network([Affine.create(3, 3), ForgetsBack()]).loss_and_gradients(X, X, SquaredError())


class TestTheObviousLoop:
    @pytest.mark.parametrize(
        "rule", [Adam(0.05), ClipNorm(GradientDescent(0.1), 1.0), WeightDecay(Momentum(0.05))]
    )
    def test_it_moves_the_network(self, rule):
        net = Network.dense([3, 4, 2], random_state=0)
        p = net.parameters
        st, before = rule.init(p), net.vector
        first = net.loss_and_gradients(X, T, SquaredError())[0]
        for _ in range(20):
            _, g = net.loss_and_gradients(X, T, SquaredError())
            p, st = rule.update(g, st, p)
        assert net.loss_and_gradients(X, T, SquaredError())[0] < first
        assert abs(net.vector - before).max() > 0.01

    def test_other_trees_stay(self):
        p = {"w": np.ones(2)}
        rule = Adam()
        rule.update({"w": np.ones(2)}, rule.init(p), p)
        assert (p["w"] == 1).all()
        net = Network.dense([3, 2], random_state=0)
        before = net.vector
        rule.update(net.parameters, rule.init(net.parameters), net.parameters, in_place=False)
        np.testing.assert_array_equal(net.vector, before)

    def test_assigning(self):
        net = Network.dense([3, 2], random_state=0)
        other = Network.dense([3, 2], random_state=1)
        held = net[0].W
        net.parameters = other.parameters
        assert net[0].W is held
        np.testing.assert_array_equal(net.vector, other.vector)
        with pytest.raises(ValueError, match="shape"):
            net.parameters = Network.dense([4, 2]).parameters


def dropped(make):
    make()
    gc.collect()


class TestDropped:
    def test_train_and_play(self):
        net = Network.dense([3, 2], random_state=0)
        with pytest.warns(RuntimeWarning, match=r"train\(\.\.\.\) was dropped"):
            dropped(lambda: train(net, SquaredError(), (X, T), Adam()))
        game = Game(
            Network.dense([2, 3]), Network.dense([3, 1]), GAME_LOSSES["minimax"],
            lambda rng, n: rng.standard_normal((n, 2)), (Adam(), Adam()), n_steps=1,
        )  # fmt: skip
        with pytest.warns(RuntimeWarning, match=r"play\(\.\.\.\) was dropped"):
            dropped(lambda: play(game, X, np.random.default_rng(0)))

    def test_one_that_began_says_nothing(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            next(train(Network.dense([3, 2]), SquaredError(), (X, T), Adam()))
            train(Network.dense([3, 2]), SquaredError(), (X, T), Adam()).close()
            gc.collect()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rule": Adam(0.02)}, "Adam"),
        ({"weight_decay": 0.1}, "weight_decay was 0.0, now is 0.1"),
        ({"clip_norm": 1.0}, "clip_norm was None"),
    ],
)
def test_resume_says_what_is_new(change, words, tmp_path):
    given = {"rule": Adam(0.01), "weight_decay": 0.0, "n_epochs": 1}
    path = tmp_path / "run"

    def run(**options):
        net = Network.dense([3, 2], random_state=0)
        rule = options.pop("rule")
        for _ in train(net, SquaredError(), (X, T), rule, random_state=0, **options):
            pass

    run(**given, checkpoint=path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(**{**given, "n_epochs": 2}, resume=path)
    with pytest.warns(UserWarning, match=words):
        run(**{**given, **change, "n_epochs": 2}, resume=path)


class TestMessages:
    def test_branches_of_images(self):
        branches = [Conv2D.create(2, n, 3, padding="same", random_state=n) for n in (3, 4)]
        net = Network([Parallel(branches, axis=1)])
        assert net(IMAGES).shape == (6, 7, 8, 8)
        assert net.output_shape((2, 8, 8)) == (7, 8, 8)
        check_gradients(net, IMAGES[:2])
        with pytest.raises(ShapeError, match="axis=1 joins channels"):
            Network([Parallel(branches)])(IMAGES)
        with pytest.raises(ValueError, match="axis=0"):
            Parallel(branches, axis=0)

    @pytest.mark.parametrize("loop", ["auto", "layers"])
    def test_no_bias(self, loop):
        net = Network([Affine(np.ones((3, 4)), None), Tanh(), Affine.create(4, 2, bias=False)])
        assert net.n_parameters == 20
        assert "no bias" in repr(net)
        np.testing.assert_allclose(net[0](X), X @ np.ones((3, 4)))
        check_gradients(net, X[:4])
        y, t, _ = tangent(net[0], X, X)
        np.testing.assert_allclose(y, t)
        *_, state = train(net, SquaredError(), (X, T), Adam(), loop=loop)
        assert state.converged
        net.summary((3,))
        copy.deepcopy(net)

    def test_a_last_batch_of_one(self):
        net = Network([Affine.create(3, 4, random_state=0), BatchNorm(4), Affine.create(4, 2)])
        data = X[:33], T[:33]
        with pytest.raises(ShapeError, match="drop_last=True"):
            list(train(net, SquaredError(), data, Adam(), batch_size=8))
        *_, state = train(net, SquaredError(), data, Adam(), batch_size=8, drop_last=True,
                          n_epochs=3)  # fmt: skip
        assert state.n_iter == 12
        assert state.epoch == 3

    def test_attacks_on_a_network(self):
        x = RNG.random((8, 4))
        net, labels = Network.dense([4, 5, 3], random_state=0), np.arange(8) % 3
        found = fgsm(net, x, labels, eps=0.1)
        inside = np.clip(x + 0.1 * np.sign(loss_gradient(net, x, labels)), 0, 1)
        np.testing.assert_allclose(found.images, inside)
        given = fgsm(net, x, labels, eps=0.1, loss=SoftmaxCrossEntropy())
        np.testing.assert_array_equal(given.images, found.images)
        dy = net(x) - np.eye(3)[labels]
        np.testing.assert_allclose(
            loss_gradient(net, x, labels, loss=SquaredError()), net.forward(x)[1](dy)[0]
        )
        one = Network.dense([4, 5, 1], random_state=0)
        near = pgd(one, x, labels % 2, eps=0.1, n_steps=3, loss=SigmoidCrossEntropy())
        assert near.images.shape == x.shape
        pictures = Network([Flatten(), Affine.create(64, 3, random_state=0)])
        one_pixel(pictures, RNG.random((2, 1, 8, 8)), np.array([0, 1]), random_state=0,
                  n_generations=2)  # fmt: skip
        with pytest.raises(ValueError, match="class numbers from 0 to 2"):
            fgsm(net, x, labels + 1)
