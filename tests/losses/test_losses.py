"""Losses: values by hand, gradients proved by Taylor remainders, extremes, weights, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax, rel_entr, softmax

from kiso import losses
from kiso.losses import (
    AbsoluteError,
    EpsilonInsensitive,
    Hinge,
    Huber,
    KLDivergence,
    ModifiedHuber,
    Poisson,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SquaredEpsilonInsensitive,
    SquaredError,
    SquaredHinge,
)

REAL = [
    SquaredError(),
    AbsoluteError(),
    Huber(delta=0.7),
    EpsilonInsensitive(epsilon=0.3),
    SquaredEpsilonInsensitive(epsilon=0.3),
]
SIGNS = [Hinge(), Hinge(margin=0.0), SquaredHinge(), ModifiedHuber()]
PROBABILITIES = [SigmoidCrossEntropy()]
DISTRIBUTIONS = [SoftmaxCrossEntropy(), KLDivergence()]
ALL = REAL + SIGNS + PROBABILITIES + DISTRIBUTIONS


def targets(loss, a, rng):
    if loss in REAL:
        return rng.standard_normal(a.shape)
    if loss in SIGNS:
        return rng.choice([-1.0, 1.0], a.shape)
    if loss in PROBABILITIES:
        return rng.random(a.shape)
    return rng.dirichlet(np.ones(a.shape[1]), len(a))


def by_hand(loss, a, y):
    """The loss of each sample from its formula, without care for overflow."""
    r, m = a - y, a * y
    name = type(loss).__name__
    if name == "SquaredError":
        return 0.5 * r**2
    if name == "AbsoluteError":
        return np.abs(r)
    if name == "Huber":
        d = loss.delta
        return np.where(np.abs(r) <= d, 0.5 * r**2, d * np.abs(r) - 0.5 * d**2)
    if name == "EpsilonInsensitive":
        return np.maximum(0, np.abs(r) - loss.epsilon)
    if name == "SquaredEpsilonInsensitive":
        return np.maximum(0, np.abs(r) - loss.epsilon) ** 2
    if name == "Hinge":
        return np.maximum(0, loss.margin - m)
    if name == "SquaredHinge":
        return np.maximum(0, 1 - m) ** 2
    if name == "ModifiedHuber":
        return np.where(m >= -1, np.maximum(0, 1 - m) ** 2, -4 * m)
    if name == "SigmoidCrossEntropy":
        return -y * np.log(expit(a)) - (1 - y) * np.log(1 - expit(a))
    if name == "SoftmaxCrossEntropy":
        return -y * log_softmax(a, axis=1)
    return rel_entr(y, softmax(a, axis=1))


@pytest.mark.parametrize("loss", ALL, ids=repr)
@settings(deadline=None, max_examples=15)
@given(shape=st.tuples(st.integers(1, 6), st.integers(1, 4)), seed=st.integers(0, 99))
def test_values_are_the_formulas(loss, shape, seed):
    rng = np.random.default_rng(seed)
    a = 2 * rng.standard_normal(shape)
    y = targets(loss, a, rng)
    w = rng.random(len(a)) + 0.1
    expected = by_hand(loss, a, y).sum(axis=1)
    summed = type(loss)(**{**vars(loss), "reduction": "sum"})
    assert loss.value(a, y) == pytest.approx(expected.mean(), rel=1e-12, abs=1e-13)
    assert loss.value(a, y, w) == pytest.approx((w @ expected) / w.sum(), rel=1e-12, abs=1e-13)
    assert summed.value(a, y, w) == pytest.approx(w @ expected, rel=1e-12, abs=1e-13)
    value, gradient = loss.value_and_gradient(a, y, w)
    assert value == loss.value(a, y, w)
    np.testing.assert_array_equal(gradient, loss.gradient(a, y, w))


def taylor_slope(f, a, gradient, direction):
    """Order in h of |f(a + h d) − f(a) − h g·d|: 2 where g is the gradient."""
    steps = 10.0 ** -np.arange(2.0, 4.1, 0.5)
    linear = np.vdot(gradient, direction)
    rest = [abs(f(a + h * direction) - f(a) - h * linear) for h in steps]
    if max(rest) < 1e-14:  # the loss is linear here
        return 2.0
    return np.polyfit(np.log(steps), np.log(rest), 1)[0]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_gradients_have_taylor_slope_2(loss, reduction):
    rng = np.random.default_rng(3)
    a = 2 * rng.standard_normal((5, 3))
    y = targets(loss, a, rng)
    loss = type(loss)(**{**vars(loss), "reduction": reduction})
    for w in (None, rng.random(5)):
        direction = rng.standard_normal(a.shape)
        gradient = loss.gradient(a, y, w)
        slope = taylor_slope(lambda a, w=w: loss.value(a, y, w), a, gradient, direction)
        assert slope == pytest.approx(2.0, abs=0.05)
        wrong = taylor_slope(lambda a, w=w: loss.value(a, y, w), a, gradient + 0.1, direction)
        assert wrong < 1.5


@pytest.mark.parametrize("size", [1000.0, 1e5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_stable_at_extremes(loss, dtype, size):
    a = np.array([[-size, size], [size, -size], [0.0, 0.0]], dtype=dtype)
    y = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=dtype)
    if loss in SIGNS:
        y = 2 * y - 1
    value, gradient = loss.value_and_gradient(a, y)
    assert isinstance(value, float)
    assert np.isfinite(value)
    assert gradient.dtype == dtype
    assert gradient.shape == a.shape
    assert np.isfinite(gradient).all()


def test_large_logits_lose_nothing():
    z = np.array([1000.0, -1000.0])
    assert SigmoidCrossEntropy(reduction="sum").value(z, np.array([1.0, 0.0])) == 0.0
    assert SigmoidCrossEntropy(reduction="sum").value(z, np.array([0.0, 1.0])) == 2000.0
    assert SigmoidCrossEntropy().value([40.0], [1.0]) == pytest.approx(np.exp(-40.0), rel=1e-12)
    rows = np.array([[1000.0, 0.0], [0.0, -1000.0]])
    assert SoftmaxCrossEntropy(reduction="sum").value(rows, np.array([1, 1])) == 2000.0


def test_class_numbers_are_one_hot_distributions():
    rng = np.random.default_rng(0)
    z, labels = rng.standard_normal((7, 4)), rng.integers(0, 4, 7)
    one_hot = np.eye(4)[labels]
    for loss in DISTRIBUTIONS:
        value, gradient = loss.value_and_gradient(z, labels)
        value_2, gradient_2 = loss.value_and_gradient(z, one_hot)
        assert value == pytest.approx(value_2, rel=1e-14)
        np.testing.assert_allclose(gradient, gradient_2, atol=1e-16)
        np.testing.assert_allclose(gradient, (softmax(z, axis=1) - one_hot) / 7, atol=1e-16)


def test_identities():
    """CE = H + KL; KL ≥ 0, 0 for equals; softmax of two = sigmoid; first loss is log K."""
    rng = np.random.default_rng(1)
    z, t = rng.standard_normal((6, 5)), rng.dirichlet(np.ones(5), 6)
    entropy = -(t * np.log(t)).sum(axis=1).mean()
    kl = KLDivergence().value(z, t)
    assert SoftmaxCrossEntropy().value(z, t) == pytest.approx(entropy + kl, rel=1e-13)
    assert kl > 0
    assert KLDivergence().value(np.log(t), t) == pytest.approx(0.0, abs=1e-15)
    assert KLDivergence().value(np.zeros((1, 2)), np.array([[0.0, 1.0]])) == pytest.approx(
        np.log(2)
    )
    assert SoftmaxCrossEntropy().value(np.zeros((3, 10)), [0, 4, 9]) == pytest.approx(np.log(10))
    two = np.stack([np.zeros(6), z[:, 0]], axis=1)
    signs = (z[:, 1] > 0).astype(int)
    assert SoftmaxCrossEntropy().value(two, signs) == pytest.approx(
        SigmoidCrossEntropy().value(z[:, 0], signs), rel=1e-14
    )


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_weights_count_repetitions(loss):
    rng = np.random.default_rng(2)
    a = rng.standard_normal((5, 3))
    y = targets(loss, a, rng)
    counts = np.array([1, 0, 3, 2, 1])
    assert loss.value(a, y, counts) == pytest.approx(
        loss.value(np.repeat(a, counts, axis=0), np.repeat(y, counts, axis=0)), rel=1e-13
    )
    assert not loss.gradient(a, y, counts)[1].any()


def test_inputs_are_left_alone_in_any_layout():
    rng = np.random.default_rng(4)
    for loss in ALL:
        a = np.asfortranarray(rng.standard_normal((6, 4)))[::2]
        y = targets(loss, a, rng)
        before = a.copy(), y.copy()
        gradient = loss.gradient(a, y)
        np.testing.assert_array_equal(a, before[0])
        np.testing.assert_array_equal(y, before[1])
        np.testing.assert_array_equal(gradient, loss.gradient(a.copy(), y))
        assert not np.shares_memory(gradient, a)


def test_at_the_kinks():
    assert AbsoluteError().gradient([1.0], [1.0])[0] == 0
    assert EpsilonInsensitive(epsilon=0.5).gradient([1.5], [1.0])[0] == 0
    assert Hinge().gradient([1.0], [1.0])[0] == -1  # on the margin, as scikit-learn
    assert Hinge(margin=0.0).gradient([0.0], [1.0])[0] == -1  # on the plane is a mistake


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SquaredError(reduction="none"), "reduction='none'.*'mean' or 'sum'"),
        (lambda: Huber(delta=-1.0), "delta=-1.0"),
        (lambda: EpsilonInsensitive(epsilon=np.nan), "epsilon=nan"),
        (lambda: Hinge(margin=-1.0), "margin=-1.0"),
        (lambda: SquaredError().value(1.0, 1.0), "at least one sample"),
        (lambda: SquaredError().value([], []), "at least one sample"),
        (lambda: SquaredError().value([1.0], [[1.0]]), r"target of shape \(1, 1\).*\(1,\)"),
        (lambda: Hinge().value([1.0, 2.0], [1, 0]), "target holds .*0.*: give −1 or 1"),
        (lambda: SigmoidCrossEntropy().value([1.0], [2.0]), r"in \[0, 1\]"),
        (lambda: SigmoidCrossEntropy().value([1.0], [np.nan]), r"in \[0, 1\]"),
        (lambda: SoftmaxCrossEntropy().value([1.0], [0]), r"\(n_samples, n_classes\)"),
        (lambda: SoftmaxCrossEntropy().value([[1.0, 2.0]], [2]), "give 0 to 1"),
        (lambda: SoftmaxCrossEntropy().value([[1.0, 2.0]], [-1]), "from -1"),
        (lambda: SoftmaxCrossEntropy().value([[1.0, 2.0]], [0.0]), "integers"),
        (lambda: SoftmaxCrossEntropy().value([[1.0, 2.0]], [0, 1]), "2 samples, prediction 1"),
        (lambda: KLDivergence().value([[1.0, 2.0]], [[-0.5, 1.5]]), r"in \[0, 1\]"),
        (lambda: SquaredError().value([1.0], [1.0], [1.0, 2.0]), r"sample_weight of shape \(2,\)"),
        (lambda: SquaredError().value([1.0], [1.0], [-1.0]), "not negative"),
        (lambda: SquaredError().value([1.0], [1.0], [np.nan]), "finite"),
        (lambda: SquaredError().value([1.0], [1.0], [0.0]), "all are 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_everything_public_is_tested():
    tested = {type(loss).__name__ for loss in ALL} | {"Loss", "Poisson"}
    assert set(losses.__all__) == tested


def test_counts_by_hand():
    """Poisson's e^a is infinite where the others are finite: it has tests of its own."""
    rng = np.random.default_rng(0)
    a, y, v = rng.normal(size=(6, 2)), rng.poisson(2, (6, 2)), rng.normal(size=(6, 2))
    log_y = np.log(np.where(y > 0, y, 1))
    by_hand = (np.exp(a) - y * a + y * log_y - y).sum(axis=1)
    np.testing.assert_allclose(Poisson().terms(a, y), by_hand, rtol=1e-12)
    weight = rng.random(6)
    assert Poisson().value(a, y, weight) == pytest.approx(by_hand @ weight / weight.sum())
    lengths = np.array([1e-2, 1e-3, 1e-4])
    ahead = [Poisson().value(a + h * v, y) for h in lengths]
    slope = (Poisson().gradient(a, y) * v).sum()
    remainder = np.abs(np.array(ahead) - Poisson().value(a, y) - lengths * slope)
    order = np.polyfit(np.log(lengths), np.log(remainder), 1)[0]
    assert order == pytest.approx(2, abs=0.05)
    assert Poisson().gradient(a.astype(np.float32), y).dtype == np.float32
    assert Poisson().value(np.array([1000.0]), np.array([1.0])) == np.inf
    with pytest.raises(ValueError, match="counts"):
        Poisson().value(a, -y - 1.0)


class TestOptionsOfTheCrossEntropy:
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("smoothing", [0.0, 0.2])
    @pytest.mark.parametrize("ignored", [None, 1, -100])
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    @pytest.mark.parametrize("labels", [True, False])
    def test_pytorch(self, weighted, smoothing, ignored, reduction, labels):
        torch = pytest.importorskip("torch")
        rng = np.random.default_rng(0)
        z, t = rng.normal(size=(9, 4)), rng.integers(4, size=9)
        weight = rng.random(4) if weighted else None
        if ignored is not None and not labels:
            return
        if ignored == -100:
            t[::3] = -100
        if not labels:
            t = rng.dirichlet(np.ones(4), 9)
        theirs = torch.nn.CrossEntropyLoss(
            weight=None if weight is None else torch.tensor(weight), reduction=reduction,
            label_smoothing=smoothing, ignore_index=-100 if ignored is None else ignored,
        )  # fmt: skip
        given = torch.tensor(z, requires_grad=True)
        value = theirs(given, torch.tensor(t))
        value.backward()
        own = SoftmaxCrossEntropy(
            reduction=reduction, class_weight=weight, label_smoothing=smoothing,
            ignore_index=ignored,
        )  # fmt: skip
        cost, slope = own.value_and_gradient(z, t)
        assert cost == pytest.approx(value.item(), rel=1e-12)
        np.testing.assert_allclose(slope, given.grad.numpy(), rtol=1e-10, atol=1e-13)

    @pytest.mark.parametrize("labels", [True, False])
    def test_by_hand(self, labels):
        rng = np.random.default_rng(1)
        z, y, c, w = rng.normal(size=(6, 3)), rng.integers(3, size=6), rng.random(3), rng.random(6)
        t = np.eye(3)[y] if labels else rng.dirichlet(np.ones(3), 6)
        log_p, mixed = log_softmax(z, axis=1), c * (0.9 * t + 0.1 / 3)
        terms = -(mixed * log_p).sum(axis=1)
        loss = SoftmaxCrossEntropy(class_weight=c, label_smoothing=0.1)
        mass = (w * c[y]).sum() if labels else w.sum()
        target = y if labels else t
        assert loss.value(z, target, w) == pytest.approx((w * terms).sum() / mass)
        v, h = rng.normal(size=z.shape), 1e-6
        slope = (loss.value(z + h * v, target, w) - loss.value(z - h * v, target, w)) / (2 * h)
        assert (loss.gradient(z, target, w) * v).sum() == pytest.approx(slope, rel=1e-7)
        assert loss.gradient(z.astype(np.float32), target).dtype == np.float32

    def test_bad_options(self):
        z, y = np.zeros((3, 2)), np.array([0, 1, -1])
        with pytest.raises(ValueError, match="classes from -1"):
            SoftmaxCrossEntropy().value(z, y)
        with pytest.raises(ValueError, match="one a class"):
            SoftmaxCrossEntropy(class_weight=[1, 2, 3]).value(z, y[:2].repeat(2)[:3])
        with pytest.raises(ValueError, match="every sample is ignored"):
            SoftmaxCrossEntropy(ignore_index=0).value(z, np.zeros(3, int))
        with pytest.raises(ValueError, match="label_smoothing"):
            SoftmaxCrossEntropy(label_smoothing=1.0)
        with pytest.raises(ValueError, match="class_weight"):
            SoftmaxCrossEntropy(class_weight=[-1, 2])
        with pytest.raises(ValueError, match="KLDivergence takes no"):
            KLDivergence(label_smoothing=0.1)

    def test_training_takes_them(self):
        from kiso.nn import Network, train
        from kiso.optim import Adam

        rng = np.random.default_rng(0)
        x = rng.normal(size=(60, 3))
        t = np.where(x[:, 0] > 0, 1, 0)
        t[::4] = -1
        for loop in ("auto", "layers"):
            net = Network.dense([3, 8, 2], random_state=0)
            loss = SoftmaxCrossEntropy(ignore_index=-1, class_weight=[1, 2])
            *_, state = train(net, loss, (x, t), Adam(0.05), n_epochs=30, loop=loop)
            kept = t >= 0
            assert (net(x)[kept].argmax(axis=1) == t[kept]).mean() > 0.95
            assert state.objective < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.bool_, np.int8])
def test_labels_of_any_integer_dtype_have_the_same_gradient(dtype):
    scores, labels = np.array([0.5, -0.5]), np.ones(2, dtype)
    for loss in (Hinge(), SquaredHinge(), ModifiedHuber()):
        expected = loss.value_and_gradient(scores, np.ones(2))
        found = loss.value_and_gradient(scores, labels)
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])


def test_what_is_no_real_number_is_refused():
    scores = np.array([0.5, -0.5])
    masked = np.ma.masked_array([1.0, 1.0], [True, False])
    for bad in (scores + 1j, masked, np.array([1, 1j], dtype=object)):
        for arguments in ((bad, scores), (scores, bad), (scores, scores, bad)):
            with pytest.raises(ValueError, match=r"omplex|masked"):
                SquaredError().value(*arguments)


def test_nothing_times_an_infinite_loss_is_nothing():
    a, y = np.array([1e200, 1.0]), np.zeros(2)
    value, gradient = SquaredError().value_and_gradient(a, y, [0.0, 1.0])
    assert value == 0.5
    np.testing.assert_array_equal(gradient, [0.0, 1.0])
    loss = SoftmaxCrossEntropy()
    logits = np.array([[1e308, -1e308]])
    assert loss.value(logits, [[1.0, 0.0]]) == 0.0
    assert loss.value(logits, [0]) == 0.0
    assert loss.value(logits, [[0.0, 1.0]]) == np.inf
