"""The compiled loops against the layers: same batches, same numbers but for rounding."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso._compute import threads as _threads
from kiso.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy, SquaredError
from kiso.nn import Network, TrainStatus, train
from kiso.nn.compiled import activation_loops as loops
from kiso.nn.compiled.engine import CompiledEngine
from kiso.optim import Adam, Cosine, GradientDescent, Momentum, Nesterov

RULES = [
    GradientDescent(0.05),
    Momentum(0.02, 0.8),
    Nesterov(Cosine(0.02, n_steps=30)),
    Adam(0.01, 0.8, 0.95),
]
LOSSES = [SquaredError, SoftmaxCrossEntropy, SigmoidCrossEntropy]
NAMES = ["tanh", "sigmoid", "relu", "leaky_relu", "softplus", "gelu"]


def last(states):
    (state,) = deque(states, maxlen=1)
    return state


def targets(rng, loss, n, n_out, labels):
    if loss is SoftmaxCrossEntropy and labels:
        return rng.integers(n_out, size=n)
    T = rng.random((n, n_out))
    return T / T.sum(axis=1, keepdims=True) if loss is SoftmaxCrossEntropy else T


def twice(sizes, names, dtype=np.float64):
    return [Network.dense(sizes, activation=names, random_state=1, dtype=dtype) for _ in range(2)]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=5),
    st.lists(st.sampled_from(NAMES), min_size=3, max_size=3),
    st.integers(1, 30),
    st.integers(1, 12),
    st.sampled_from(RULES),
    st.sampled_from(LOSSES),
    st.sampled_from(["mean", "sum"]),
    st.sampled_from([0.0, 0.3]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_both_loops_take_the_same_steps(
    sizes, names, n, batch_size, rule, loss, reduction, decay, weighted, replace, labels
):
    rng = np.random.default_rng(n)
    X, t = rng.standard_normal((n, sizes[0])), targets(rng, loss, n, sizes[-1], labels)
    options = {
        "n_steps": 15, "every": 4, "batch_size": batch_size, "replace": replace,
        "weight_decay": decay, "sample_weight": rng.random(n) + 0.1 if weighted else None,
        "random_state": 3,
    }  # fmt: skip
    networks = twice(sizes, names[: len(sizes) - 2])
    states = [
        last(train(network, loss(reduction=reduction), (X, t), rule, loop=loop, **options))
        for network, loop in zip(networks, ["layers", "compiled"], strict=True)
    ]
    np.testing.assert_allclose(networks[0].vector, networks[1].vector, rtol=1e-8, atol=1e-10)
    assert states[0].objective == pytest.approx(states[1].objective, rel=1e-9)
    assert states[0].gradient_norm == pytest.approx(states[1].gradient_norm, rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_single_precision(loss, rule):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 7)).astype(np.float32)
    t = targets(rng, loss, 200, 3, labels=True)
    networks = twice([7, 32, 16, 3], ["tanh", "gelu"], np.float32)
    for network, loop in zip(networks, ["layers", "compiled"], strict=True):
        last(train(network, loss(), (X, t), rule, n_epochs=4, random_state=0, loop=loop))
    assert networks[1].dtype == np.float32
    np.testing.assert_allclose(networks[0].vector, networks[1].vector, rtol=2e-3, atol=2e-4)


def test_a_run_that_was_stopped_goes_on_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 3)), rng.integers(2, size=50)
    loss, rule, path = SoftmaxCrossEntropy(), Adam(0.01), tmp_path / "run"
    whole, parts = twice([3, 20, 2], "tanh")
    options = {"batch_size": 8, "random_state": 0, "loop": "compiled", "weight_decay": 0.1}
    last(train(whole, loss, data, rule, n_epochs=6, **options))
    last(train(parts, loss, data, rule, n_epochs=2, checkpoint=path, **options))
    last(train(parts, loss, data, rule, n_epochs=6, resume=path, **options))
    np.testing.assert_array_equal(whole.vector, parts.vector)


def test_functions_of_each_number():
    x = np.concatenate([np.linspace(-30, 30, 20_001), np.logspace(-300, 2, 2001), [0, np.inf]])
    x = np.concatenate([x, -x])
    z = x.copy()
    loops.tanhs(z)
    np.testing.assert_allclose(z, np.tanh(x.astype(np.longdouble)).astype(float), rtol=8e-16)
    x *= 20
    z = x.copy()
    loops.sigmoids(z)
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    np.testing.assert_allclose(z, exact.astype(float), rtol=8e-16, atol=1e-307)
    for function in (loops.tanhs, loops.sigmoids):
        z = np.array([np.nan])
        function(z)
        assert np.isnan(z[0])


def test_a_gradient_that_overflows_is_named():
    X, t = np.full((4, 1), 1e300), np.full((4, 1), 1e120)
    network = Network.dense([1, 1], random_state=0)
    network[0].W[...] = 0.0
    options = {"n_epochs": 2, "loop": "compiled", "sample_weight": np.full(4, 1e-30)}
    loss = SquaredError(reduction="sum")
    state = last(train(network, loss, (X, t), Momentum(), **options))
    assert state.status is TrainStatus.DIVERGED
    assert "step 1: the gradient of 0.W, in layer 0 Affine(1 → 1), is not finite" in state.detail
    assert network[0].W[0, 0] == 0.0


def test_which_runs_are_compiled_by_themselves(monkeypatch):
    taken = []
    advance = CompiledEngine.advance
    monkeypatch.setattr(
        CompiledEngine, "advance", lambda self, n: (taken.append(1), advance(self, n))[1]
    )
    X = np.random.default_rng(0).standard_normal((8, 3))
    for sizes, expected in (([3, 4, 2], 1), ([3, 200_000, 2], 0)):
        taken.clear()
        network = Network.dense(sizes, random_state=0)
        last(train(network, SquaredError(), (X, X[:, :2]), Adam()))
        assert len(taken) == expected


@pytest.mark.jit
@pytest.mark.parametrize("check", [True, False])
def test_lanes_give_one_result_on_any_number_of_threads(monkeypatch, check):
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((700, 60)), rng.integers(5, size=700)
    weights, objectives = [], []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=n_threads: n)
        network = Network.dense([60, 150, 3, 5], activation="gelu", random_state=0)
        options = {"batch_size": 200, "n_epochs": 3, "weight_decay": 0.01, "random_state": 1}
        rule = Adam(0.01, check_finite=check)
        state = last(train(network, SoftmaxCrossEntropy(), (X, t), rule, **options))
        weights.append(network.vector)
        objectives.append(state.objective)
    assert all(np.array_equal(weights[0], other) for other in weights[1:])
    assert objectives[0] == objectives[1] == objectives[2]
    network = Network.dense([60, 150, 3, 5], activation="gelu", random_state=0)
    slow = last(train(network, SoftmaxCrossEntropy(), (X, t), rule, loop="layers", **options))
    np.testing.assert_allclose(network.vector, weights[0], rtol=1e-7, atol=1e-9)
    assert slow.objective == pytest.approx(objectives[0])


@pytest.mark.jit
def test_lanes_all_stop_where_one_diverges(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    X = np.random.default_rng(0).standard_normal((256, 60))
    t = X[:, :1].copy()
    X[200] = 1e200  # of the last lane alone
    network = Network.dense([60, 300, 1], activation="relu", random_state=0)
    before = network.vector
    state = last(train(network, SquaredError(), (X, t), Adam(), batch_size=256))
    assert state.status is TrainStatus.DIVERGED
    assert np.array_equal(network.vector, before)
