"""Training: the naive twin, exact resume, early stopping, divergence, no growth."""

import tracemalloc
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.losses import Huber, SigmoidCrossEntropy, SoftmaxCrossEntropy, SquaredError
from kiso.nn import (
    Affine,
    BatchNorm,
    Dropout,
    LeakyReLU,
    Network,
    Parallel,
    ReLU,
    ShapeError,
    Softplus,
    Tanh,
    TrainStatus,
    WeightsError,
    check_gradients,
    train,
)
from kiso.nn.training.feed import RowFeed
from kiso.nn.training.weights import named_arrays
from kiso.optim import (
    Adam,
    Cosine,
    GradientDescent,
    Momentum,
    WeightDecay,
    with_replacement,
    without_replacement,
)
from tests.naive.nn import sgd

MSE = SquaredError()


def data(n=37, n_in=3, n_out=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_in))
    return X, np.tanh(X @ rng.standard_normal((n_in, n_out)))


def last(states):
    (state,) = deque(states, maxlen=1)
    return state


def net(seed=0, **kwargs):
    return Network.dense([3, 5, 2], random_state=seed, **kwargs)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("batch_size", [1, 4, 10])
def test_rows_are_those_of_the_samplers(replace, batch_size):
    feed = RowFeed(
        *data(11), None, batch_size=batch_size, replace=replace, rng=np.random.default_rng(5)
    )
    sampler = (with_replacement if replace else without_replacement)(
        11, batch_size, random_state=np.random.default_rng(5)
    )
    for n_steps in (1, 7, 2, 30):
        rows, starts = feed.rows(n_steps)
        for k in range(n_steps):
            expected = next(sampler)
            assert rows[starts[k] : starts[k + 1]].tolist() == expected.rows.tolist()
        assert feed.epoch == expected.epoch + (feed.taken % feed.n_batches == 0) or replace


@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 9),
    st.integers(1, 4),
    st.sampled_from(["sigmoid", "tanh", "relu", "softplus", "leaky_relu"]),
    st.booleans(),
    st.sampled_from(["layers", "compiled"]),
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
)
def test_both_loops_against_the_naive_twin(n, batch_size, name, replace, loop, sizes):
    rng = np.random.default_rng(n)
    X, T = rng.standard_normal((n, sizes[0])), rng.standard_normal((n, sizes[-1]))
    ours = Network.dense(sizes, activation=name, output="sigmoid", random_state=1)
    naive = Network.dense(sizes, activation=name, output="sigmoid", random_state=1)
    rule = GradientDescent(Cosine(0.1, n_steps=20))
    options = {"batch_size": batch_size, "replace": replace, "random_state": 3}
    state = last(train(ours, MSE, (X, T), rule, n_steps=12, every=12, loop=loop, **options))
    seeds = np.random.default_rng(3).integers(2**63, size=(2, 4))
    feed = RowFeed(
        X, T, None, batch_size=batch_size, replace=replace, rng=np.random.default_rng(seeds[0])
    )
    rows, starts = feed.rows(12)
    rates = [rule.learning_rate(k) for k in range(12)]
    losses = sgd(naive, X, T, rows, starts, rates, feed.batch_size)
    np.testing.assert_allclose(ours.vector, naive.vector, rtol=1e-10, atol=1e-13)
    assert state.objective == pytest.approx(np.mean(losses), rel=1e-10)
    assert state.status is TrainStatus.COMPLETE
    assert state.converged
    assert state.step == 12
    assert state.learning_rate == rule.learning_rate(11)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loops_agree(reduction, dtype):
    X, T = data()
    states = []
    networks = [
        Network(
            [
                Affine.create(3, 4, random_state=0, dtype=dtype),
                LeakyReLU(0.2),
                Affine.create(4, 2, random_state=1, dtype=dtype),
            ]
        )
        for _ in range(2)
    ]
    for network, loop in zip(networks, ("layers", "compiled"), strict=True):
        states.append(
            last(
                train(
                    network,
                    SquaredError(reduction=reduction),
                    (X, T),
                    GradientDescent(0.02),
                    n_epochs=3,
                    batch_size=5,
                    random_state=0,
                    loop=loop,
                )
            )
        )
    rtol = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(networks[0].vector, networks[1].vector, rtol=rtol, atol=rtol)
    assert networks[1].vector.dtype == dtype
    assert states[0].objective == pytest.approx(states[1].objective, rel=rtol)
    assert states[0].gradient_norm == pytest.approx(states[1].gradient_norm, rel=10 * rtol)


def test_why_the_compiled_loop_is_not_taken():
    X, T = data()
    for kwargs, why in (
        ({"rule": WeightDecay(Adam())}, "rule is not GradientDescent, Momentum"),
        ({"loss": Huber()}, "loss is not SquaredError"),
        ({"loss": SigmoidCrossEntropy()}, "t holds no probabilities"),
        ({"network": Network([Affine.create(3, 2), Dropout(0.1)])}, "layers are not affine"),
        ({"clip_norm": 0.1}, "no clip_norm"),
        ({"sample_weight": np.arange(37.0)}, "weights that are not positive"),
        ({"network": Network.dense([3, 3])}, "t does not fit"),
    ):
        given = {"network": net(), "loss": MSE, "rule": GradientDescent(0.1), **kwargs}
        with pytest.raises(ValueError, match=why):
            train(
                given["network"],
                given["loss"],
                (X, T),
                given["rule"],
                loop="compiled",
                clip_norm=given.get("clip_norm"),
                sample_weight=given.get("sample_weight"),
            )


def mixed():
    return Network(
        [
            Affine.create(3, 6, random_state=0),
            BatchNorm(6),
            ReLU(),
            Dropout(0.2),
            Affine.create(6, 2, random_state=1),
            Softplus(),
        ]
    )


@pytest.mark.parametrize(
    ("make", "rule"), [(mixed, Adam(0.01)), (mixed, WeightDecay(Momentum(0.05))), (net, None)]
)
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("stop", [1, 3])
def test_resume_is_bit_equal(tmp_path, make, rule, replace, stop):
    """Also in the middle of an epoch, with dropout, running statistics and best weights."""
    X, T = data()
    path = tmp_path / "run"
    rule = rule or GradientDescent(Cosine(0.1, n_steps=50))
    options = {
        "n_epochs": 5,
        "batch_size": 8,
        "every": 7,
        "replace": replace,
        "random_state": 4,
        "validation": data(9, seed=1),
    }
    whole = make()
    all_states = list(train(whole, MSE, (X, T), rule, **options))
    half = make()
    states = train(half, MSE, (X, T), rule, checkpoint=path, **options)
    for _ in range(stop):
        next(states)
    states.close()
    fresh = make()
    fresh.set_vector(np.full(fresh.n_parameters, 7.0))
    rest = list(train(fresh, MSE, (X, T), rule, resume=path, **options))
    assert [repr(s) for s in rest] == [repr(s) for s in all_states[stop:]]
    assert fresh.vector.tobytes() == whole.vector.tobytes()
    for a, b in zip(fresh, whole, strict=True):
        for name, array in a.statistics.items():
            assert array.tobytes() == b.statistics[name].tobytes()


def test_resume_from_batches(tmp_path):
    X, T = data(40)
    batches = [(X[i : i + 8], T[i : i + 8]) for i in range(0, 40, 8)]
    options = {"n_epochs": 3, "every": 3}
    whole, half, fresh = net(), net(), net(9)
    n_whole = [s.n_iter for s in train(whole, MSE, batches, Adam(0.01), **options)]
    assert n_whole == [3, 5, 8, 10, 13, 15]
    states = train(half, MSE, batches, Adam(0.01), checkpoint=tmp_path / "run", **options)
    for _ in range(3):
        next(states)
    last(train(fresh, MSE, batches, Adam(0.01), resume=tmp_path / "run", **options))
    assert fresh.vector.tobytes() == whole.vector.tobytes()


def test_a_run_that_was_over_can_go_on(tmp_path):
    X, T = data()
    path = tmp_path / "run"
    whole, parts = net(), net()
    options = {"batch_size": 8, "random_state": 0}
    last(train(whole, MSE, (X, T), Adam(), n_epochs=4, **options))
    last(train(parts, MSE, (X, T), Adam(), n_epochs=2, checkpoint=path, **options))
    (state,) = train(parts, MSE, (X, T), Adam(), n_epochs=2, resume=path, **options)
    assert state.status is TrainStatus.COMPLETE
    last(train(parts, MSE, (X, T), Adam(), n_epochs=4, resume=path, **options))
    assert parts.vector.tobytes() == whole.vector.tobytes()


def test_wrong_checkpoints(tmp_path):
    X, T = data()
    path = tmp_path / "run"
    last(train(net(), MSE, (X, T), Adam(), checkpoint=path))
    other = Network.dense([3, 4, 2], random_state=0)
    before = other.vector
    with pytest.raises(WeightsError, match=r"0\.W is float64 of shape \(3, 5\), the network's .*4"):
        train(other, MSE, (X, T), Adam(), resume=path)
    np.testing.assert_array_equal(other.vector, before)
    bent = Network.dense([3, 5, 2], activation="relu", random_state=0)  # the same arrays
    with pytest.raises(WeightsError, match="1 Tanh.*this run has.*1 ReLU"):
        train(bent, MSE, (X, T), Adam(), resume=path)
    with pytest.raises(WeightsError, match=r"rule \['Adam'\], this run has \['Momentum'\]"):
        train(net(), MSE, (X, T), Momentum(), resume=path)
    with pytest.raises(WeightsError, match="loss"):
        train(net(), SquaredError(reduction="sum"), (X, T), Adam(), resume=path)
    with pytest.raises(ValueError, match="batch_size=32"):
        train(net(), MSE, (X, T), Adam(), batch_size=5, resume=path)
    with pytest.raises(WeightsError, match="no checkpoint"):
        train(net(), MSE, (X, T), Adam(), resume=net().save_weights(tmp_path / "w"))
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-20] ^= 1  # one bit of a weight
    for damaged in (changed, whole[:100], whole[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="damaged"):
            train(net(), MSE, (X, T), Adam(), resume=path)


def test_early_stopping_keeps_the_best():
    X, T = data(20)
    noise = np.random.default_rng(5).standard_normal((20, 2))
    network = Network.dense([3, 40, 2], random_state=0)
    states, vectors = [], []
    for state in train(
        network,
        MSE,
        (X, T + noise),
        Adam(0.05),
        n_epochs=500,
        validation=data(30, seed=0),
        metrics={"mae": lambda y, t: np.abs(y - t).mean()},
        patience=5,
        random_state=0,
    ):
        states.append(state)
        vectors.append(network.vector)
    assert states[-1].status is TrainStatus.STOPPED_EARLY
    assert states[-1].converged
    losses = [state.metrics["loss"] for state in states]
    best = int(np.argmin(losses))
    assert best == len(losses) - 6
    assert states[best].best
    np.testing.assert_array_equal(network.vector, vectors[best])
    assert states[best].metrics["mae"] > 0


def test_ctrl_c_keeps_the_best_weights():
    X, T = data(20)
    network, seen = net(), []

    def metric(y, t):
        seen.append((MSE.value(y, t), network.vector))
        if len(seen) == 4:
            raise KeyboardInterrupt
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        last(
            train(
                network, MSE, (X, T), Adam(0.3), n_epochs=50, validation=(X, T),
                metrics={"m": metric}, random_state=0,
            )
        )  # fmt: skip
    best = min(seen[:3], key=lambda pair: pair[0])
    np.testing.assert_array_equal(network.vector, best[1])


@pytest.mark.parametrize("loop", ["layers", pytest.param("compiled", marks=pytest.mark.jit)])
def test_divergence_names_step_and_layer(loop):
    X, T = data()
    network = net(activation="relu")
    states = list(
        train(network, MSE, (X, T), GradientDescent(1e6), n_epochs=50, random_state=0, loop=loop)
    )
    assert states[-1].status is TrainStatus.DIVERGED
    assert not states[-1].converged
    assert f"step {states[-1].n_iter + 1}: the loss is" in states[-1].detail
    assert "layer 2 Affine(5 → 2)" in states[-1].detail
    assert np.isfinite(network.vector).all()


def test_a_gradient_that_is_not_finite_is_named():
    class Bad(ReLU):
        def slope(self, x, y, out):
            out[...] = np.nan
            return out

    network = Network([Affine.create(3, 4, random_state=0), Bad(), Affine.create(4, 2)])
    state = last(train(network, MSE, data(), Adam(), n_epochs=2))
    assert state.status is TrainStatus.DIVERGED
    assert state.n_iter == 0
    assert "step 1: the gradient of 0.W, in layer 0 Affine(3 → 4), is not finite" in state.detail


@pytest.mark.parametrize("loop", ["layers", pytest.param("compiled", marks=pytest.mark.jit)])
def test_nothing_grows(loop):
    X, T = data(512, 20)
    network = Network.dense([20, 64, 64, 2], random_state=0)
    states = train(
        network,
        MSE,
        (X, T),
        GradientDescent(0.01),
        n_epochs=None,
        batch_size=128,
        every=5,
        loop=loop,
        validation=(X[:50], T[:50]),
        random_state=0,
    )
    next(states), next(states)
    tracemalloc.start()
    try:
        next(states)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10):
            next(states)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000  # bytes; the arrays of one step are some 500,000


def test_buffers_are_of_the_run():
    """The large arrays of a step are the same ones at each step."""
    X, T = data(512, 20)
    network = Network.dense([20, 256, 2], random_state=0)
    states = train(network, MSE, (X, T), Adam(), n_epochs=None, batch_size=512, every=1)
    next(states), next(states)
    tracemalloc.start()
    try:
        next(states)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 512 * 256 * 8 / 2  # less than half of one hidden layer's output


def test_memory_maps_and_batches(tmp_path):
    X, T = data(64)
    on_disk = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    on_disk[:] = X
    options = {"n_epochs": 2, "batch_size": 16, "random_state": 0}
    a, b = net(), net()
    last(train(a, MSE, (X, T), Adam(), loop="layers", **options))
    last(train(b, MSE, (on_disk, T), Adam(), **options))
    np.testing.assert_array_equal(a.vector, b.vector)
    on_disk[63] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        last(train(b, MSE, (on_disk, T), Adam(), **options))


def test_a_generator_of_batches():
    X, T = data(40)
    batches = ((X[i : i + 8], T[i : i + 8]) for i in range(0, 40, 8))
    state = last(train(net(), MSE, batches, Adam(), n_steps=3))
    assert (state.n_iter, state.status) == (3, TrainStatus.COMPLETE)
    state = last(train(net(), MSE, batches, Adam()))  # what is left of it
    assert (state.n_iter, state.status) == (2, TrainStatus.COMPLETE)


def test_sample_weights_and_the_short_batch():
    """Over an epoch with a rate → 0, the parameters move by the gradient of the whole."""
    X, T = data(10)
    weight = np.arange(10.0)
    network = net()
    start = network.vector
    rate = 1e-7
    last(train(network, MSE, (X, T), GradientDescent(rate), batch_size=4, random_state=0))
    _, grads = net().loss_and_gradients(X, T, SquaredError(reduction="sum"))
    np.testing.assert_allclose(
        (start - network.vector) / rate * 4, net().flatten(grads), rtol=1e-4, atol=1e-5
    )
    one = net()
    state = last(train(one, MSE, (X, T), GradientDescent(0.1), batch_size=10, sample_weight=weight))
    value, grads = net().loss_and_gradients(X, T, MSE, sample_weight=weight)
    assert state.objective == pytest.approx(value)
    np.testing.assert_allclose(one.vector, start - 0.1 * net().flatten(grads), rtol=1e-10)


def test_weight_decay_leaves_biases_and_clipping_limits():
    X, T = data(8)
    a, start = net(init="normal"), net(init="normal")
    options = {"batch_size": 8, "n_steps": 1}
    last(train(a, MSE, (X, T), GradientDescent(0.1), weight_decay=0.5, **options))
    _, grads = start.loss_and_gradients(X, T, MSE)
    expected = start.vector - 0.1 * start.flatten(grads)
    expected[:25] -= 0.1 * 0.5 * start.vector[:25]
    np.testing.assert_allclose(a.vector, expected, rtol=1e-10)
    b = net(init="normal")
    state = last(train(b, MSE, (X, T), GradientDescent(1.0), clip_norm=1e-3, **options))
    assert np.linalg.norm(b.vector - start.vector) == pytest.approx(1e-3)
    assert state.gradient_norm == pytest.approx(np.linalg.norm(start.flatten(grads)))


def nan_at(i):
    X, T = data()
    X[i, 0] = np.nan
    return X, T


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"data": nan_at(30)}, ValueError, "X holds NaN"),
        ({"data": (np.ones((4, 3)), np.ones((5, 2)))}, ValueError, "X has 4 samples and t 5"),
        ({"data": (np.ones((0, 3)), np.ones((0, 2)))}, ValueError, "at least one"),
        ({"data": (np.ones((4, 5)), np.ones((4, 2)))}, ShapeError, r"layer 0: .*3.*\(5,\)"),
        ({"data": np.ones((4, 3))}, TypeError, "give a tuple"),
        ({"data": [(np.ones((0, 3)), np.ones((0, 2)))]}, ValueError, "0 samples"),
        ({"data": []}, ValueError, "no batch in epoch 0"),
        ({"data": [3]}, TypeError, "batch 1 of epoch 0 is no"),
        ({"data": iter([1]), "n_epochs": 2}, ValueError, "gone through once"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"n_epochs": 0}, ValueError, "n_epochs=0"),
        ({"rule": Adam}, TypeError, "give an update rule"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay"),
        ({"metrics": {"m": len}}, ValueError, "give validation"),
        ({"validation": nan_at(3)}, ValueError, "validation: X holds NaN"),
        ({"validation": (np.ones((4, 3)), np.ones((5, 2)))}, ValueError, "4 samples and 5"),
        ({"loop": "fast"}, ValueError, "loop='fast'"),
        ({"sample_weight": np.ones(3)}, ValueError, r"give \(37,\)"),
    ],
)
def test_bad_input(given, error, message):
    arguments = {"data": data(), "rule": Adam(), **given}
    with pytest.raises(error, match=message):
        last(train(net(), MSE, arguments.pop("data"), arguments.pop("rule"), **arguments))


def test_labels_outside_the_classes():
    X, _ = data(6)
    with pytest.raises(ValueError, match="classes from 0 to 5: give 0 to 1"):
        last(train(net(), SoftmaxCrossEntropy(), (X, np.arange(6)), Adam()))


@pytest.mark.parametrize("kind", ["twice", "siamese"])
def test_a_shared_layer_trains_with_the_sum_of_its_gradients(kind):
    X, _ = data()
    shared = Affine.create(3, 3, random_state=0)
    inner = [shared, Tanh(), shared] if kind == "twice" else [Parallel([shared, shared])]
    network = Network([*inner, Affine.create(3 if kind == "twice" else 6, 1, random_state=1)])
    assert network.n_parameters == 12 + (4 if kind == "twice" else 7)
    t = X[:, :1] ** 2
    assert check_gradients(network, X, loss=MSE, target=t).ok
    first = MSE.value(network(X), t)
    last(train(network, MSE, (X, t), Adam(0.02), n_epochs=30, random_state=0))
    assert MSE.value(network(X), t) < 0.9 * first


@pytest.mark.parametrize("kind", ["AdamW", "Lion", "clipped"])
def test_decay_of_a_rule_that_decays_itself_is_decoupled(kind):
    """W ← (1 − η λ) W, then the rule's own step; biases and the rule's own λ are left out."""
    from kiso.optim import AdamW, ClipNorm, Lion

    rng = np.random.default_rng(0)
    X, T = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))
    plain = {"AdamW": AdamW, "Lion": Lion, "clipped": AdamW}[kind]
    wrap = (lambda rule: ClipNorm(rule, 0.5)) if kind == "clipped" else (lambda rule: rule)
    net, other = (Network.dense([3, 4, 2], random_state=1) for _ in range(2))
    for layer in (*net, *other):
        if layer.parameters:
            layer.b[...] = 0.5
    for _ in train(net, MSE, (X, T), wrap(plain(0.02)), n_epochs=5, batch_size=12,
                   weight_decay=0.3):  # fmt: skip
        pass
    rule = wrap(plain(0.02, weight_decay=0.0))
    p = other.parameters
    state = rule.init(p)
    for _ in range(5):
        _, g = other.loss_and_gradients(X, T, MSE)
        for layer in other:
            if layer.parameters:
                layer.W *= 1 - 0.02 * 0.3
        p, state = rule.update(g, state, p)
    np.testing.assert_allclose(net.vector, other.vector, rtol=1e-9)


def changed_checkpoint(source, target, *, run=None, tensors=None, without=()):
    """Copy a checkpoint with other fields of its progress, other arrays, or metadata left out."""
    import json

    from safetensors import safe_open
    from safetensors.numpy import save_file

    from kiso.nn.training.weights import _checksum

    with safe_open(source, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = dict(file.metadata())
    arrays |= tensors or {}
    progress = json.loads(about["run"])
    for name, value in (run or {}).items():
        if value is ...:
            del progress[name]
        else:
            progress[name] = value
    about |= {"run": json.dumps(progress), "crc32": _checksum(arrays)}
    save_file(arrays, target, {k: v for k, v in about.items() if k not in without})


FIELDS = ["n_iter", "best_value", "since_best", "feed", "dropout", "rule_step"]


@pytest.mark.parametrize(
    ("change", "named"),
    [({"run": {name: ...}}, name) for name in FIELDS]
    + [({"run": {name: "text"}}, name) for name in FIELDS]
    + [({"run": {"n_iter": -1}}, "n_iter"), ({"without": ["crc32"]}, "crc32")]
    + [({"without": ["run"]}, "run"), ({"run": {"feed": {"taken": 1}}}, "feed")],
    ids=str,
)
def test_a_damaged_checkpoint_changes_nothing(tmp_path, change, named):
    X, T = data()
    last(train(net(), MSE, (X, T), Adam(), checkpoint=tmp_path / "run"))
    changed_checkpoint(tmp_path / "run", tmp_path / "bad", **change)
    network = net()
    arrays = {k: a.copy() for k, a in named_arrays(network).items()}
    with pytest.raises(WeightsError, match=named):
        last(train(network, MSE, (X, T), Adam(), resume=tmp_path / "bad"))
    for name, array in named_arrays(network).items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("spoil", [lambda a: a.astype(np.int8), lambda a: a * np.nan])
def test_slots_of_another_kind_are_refused_by_name(tmp_path, spoil):
    from safetensors import safe_open

    X, T = data()
    last(train(net(), MSE, (X, T), Adam(), checkpoint=tmp_path / "run"))
    with safe_open(tmp_path / "run", framework="numpy") as file:
        slot = next(name for name in file.keys() if name.startswith("rule/"))  # noqa: SIM118
        array = file.get_tensor(slot)
    changed_checkpoint(tmp_path / "run", tmp_path / "bad", tensors={slot: spoil(array)})
    with pytest.raises(WeightsError, match=slot):
        last(train(net(), MSE, (X, T), Adam(), resume=tmp_path / "bad"))
