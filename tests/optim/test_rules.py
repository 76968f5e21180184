"""Every update rule against plain arithmetic; the forms, the trees, bad input."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from kiso.optim import (
    AdaGrad,
    Adam,
    AdamW,
    ClipNorm,
    ClipValue,
    GradientDescent,
    InverseTime,
    Lion,
    Momentum,
    Nesterov,
    NonFiniteGradientError,
    RMSProp,
    Rule,
    WeightDecay,
    global_norm,
)
from tests.naive import optim as naive

ETA = InverseTime(0.1, tau=3)  # a rate that changes tells a step from the next
ORACLES = {
    "gradient descent": (GradientDescent(ETA), naive.gradient_descent, ()),
    "momentum": (Momentum(ETA, alpha=0.8), naive.momentum, (0.8,)),
    "nesterov": (Nesterov(ETA, alpha=0.8), naive.nesterov, (0.8,)),
    "adagrad": (AdaGrad(ETA, eps=1e-6), naive.adagrad, (1e-6,)),
    "rmsprop": (RMSProp(ETA, rho=0.7, eps=1e-6), naive.rmsprop, (0.7, 1e-6)),
    "adam": (Adam(ETA, beta1=0.7, beta2=0.95, eps=1e-6), naive.adam, (0.7, 0.95, 1e-6)),
    "adamw": (
        AdamW(ETA, beta1=0.7, beta2=0.95, eps=1e-6, weight_decay=0.3),
        naive.adam,
        (0.7, 0.95, 1e-6, 0.3),
    ),
    "lion": (Lion(ETA, beta1=0.7, beta2=0.9, weight_decay=0.3), naive.lion, (0.7, 0.9, 0.3)),
}
RULES = [pytest.param(rule, id=name) for name, (rule, _, _) in ORACLES.items()]
WRAPPED = [
    *RULES,
    pytest.param(ClipNorm(Adam(0.1), 0.5), id="clip norm"),
    pytest.param(ClipValue(Momentum(0.1), 0.5), id="clip value"),
    pytest.param(WeightDecay(ClipNorm(RMSProp(0.1)), 0.1), id="decay of clipped"),
]


def tree(rng, dtype=np.float64, scale=1.0):
    """Nested every way, with the sizes that matter: none, one, a matrix, above a bundle."""

    def draw(*shape):
        return np.array(scale * rng.standard_normal(shape), dtype=dtype)

    return {
        "layers": [
            {"W": draw(3, 4), "b": draw(4)},
            {"W": np.asfortranarray(draw(4, 2)), "b": draw(4)[::2]},
        ],
        "rest": (draw(), draw(0), draw(1), draw(200, 200)),
    }


def numbers(params):
    layers, rest = params["layers"], params["rest"]
    arrays = [a for layer in layers for a in (layer["W"], layer["b"])] + list(rest)
    return np.concatenate([np.ravel(a) for a in arrays])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("name", ORACLES)
def test_rule_is_its_formula(name, in_place, dtype):
    rule, oracle, args = ORACLES[name]
    rng = np.random.default_rng(0)
    params = tree(rng, dtype)
    start = numbers(params)
    state = rule.init(params)
    all_grads = [tree(rng, dtype) for _ in range(4)]
    for grads in all_grads:
        params, state = rule.update(grads, state, params, in_place=in_place)
    assert state.step == 4
    rates = [ETA(step) for step in range(4)]
    got = numbers(params)
    assert got.dtype == dtype
    histories = np.array([numbers(grads) for grads in all_grads])
    some = np.r_[0:30, len(got) - 5 : len(got)]
    want = [oracle(float(start[i]), histories[:, i].tolist(), rates, *args) for i in some]
    np.testing.assert_allclose(got[some], want, rtol=2e-5 if dtype == np.float32 else 1e-12)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=6),
    st.sampled_from(sorted(ORACLES)),
)
def test_rule_is_its_formula_for_any_gradients(grads, name):
    rule, oracle, args = ORACLES[name]
    p = np.array([0.5])
    state = rule.init(p)
    for g in grads:
        p, state = rule.update(np.array([g]), state, p)
    want = oracle(0.5, grads, [ETA(step) for step in range(len(grads))], *args)
    assert p[0] == pytest.approx(want, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rule", WRAPPED)
def test_pure_form_changes_nothing_and_equals_in_place(rule):
    rng = np.random.default_rng(1)
    pure, grads = tree(rng), tree(rng)
    state = rule.init(pure)
    moved = copy.deepcopy(pure)
    moved_state = rule.init(moved)
    for _ in range(3):
        before = copy.deepcopy((pure, grads, state))
        following, following_state = rule.update(grads, state, pure)
        np.testing.assert_array_equal(numbers(pure), numbers(before[0]))
        np.testing.assert_array_equal(numbers(grads), numbers(before[1]))
        assert state.step == before[2].step
        again, _ = rule.update(grads, before[2], pure)  # the old state gives the same step
        np.testing.assert_array_equal(numbers(again), numbers(following))
        pure, state = following, following_state
        returned, moved_state = rule.update(grads, moved_state, moved, in_place=True)
        assert returned is moved
        np.testing.assert_array_equal(numbers(moved), numbers(pure))
    np.testing.assert_array_equal(numbers(grads), numbers(before[1]))


@pytest.mark.parametrize("rule", WRAPPED)
def test_result_has_the_nesting_of_the_parameters(rule):
    params, grads = tree(np.random.default_rng(0)), tree(np.random.default_rng(1))
    got, _ = rule.update(grads, rule.init(params), params)
    assert list(got) == ["layers", "rest"]
    assert isinstance(got["rest"], tuple)
    assert got["layers"][1]["W"].shape == (4, 2)
    assert got["rest"][0].shape == ()


def test_keys_of_gradients_may_come_in_any_order():
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    rule = GradientDescent(1.0)
    got, _ = rule.update({"b": np.full(2, 2.0), "a": np.ones(2)}, rule.init(params), params)
    np.testing.assert_array_equal(got["a"], [-1, -1])
    np.testing.assert_array_equal(got["b"], [-2, -2])


def test_in_place_follows_parameters_that_were_changed_or_replaced():
    """Buffers are no second truth: what the caller writes between steps counts."""
    rule = GradientDescent(1.0)
    params = [np.zeros(2), np.zeros(3)]
    grads = [np.ones(2), np.ones(3)]
    state = rule.init(params)
    rule.update(grads, state, params, in_place=True)
    params[0][:] = 10.0
    params[1] = np.full(3, 20.0)
    rule.update(grads, state, params, in_place=True)
    np.testing.assert_array_equal(params[0], 9.0)
    np.testing.assert_array_equal(params[1], 19.0)


def test_in_place_moves_adjacent_views_where_they_lie():
    """The leaves that the pure form returns lie in one buffer."""
    rule = Momentum(0.5)
    params = {"W": np.ones((2, 3)), "b": np.ones(3)}
    grads = {"W": np.full((2, 3), 2.0), "b": np.full(3, 4.0)}
    params, state = rule.update(grads, rule.init(params), params)
    assert params["W"].base is params["b"].base
    rule.update(grads, state, params, in_place=True)
    np.testing.assert_allclose(params["W"], 1 - 1.0 - (0.9 + 1.0))
    np.testing.assert_allclose(params["b"], 1 - 2.0 - (1.8 + 2.0))


def test_same_array_twice_is_refused():
    shared = np.zeros(2)
    with pytest.raises(ValueError, match=r"b.*share memory"):
        GradientDescent(1.0).init({"a": shared, "b": shared})


@pytest.mark.jit
def test_in_place_allocates_nothing_after_the_first_step():
    import tracemalloc

    rule = Adam()
    params = [np.ones(1_000_000, dtype=np.float32), np.ones(1000, dtype=np.float32)]
    grads = [np.ones_like(p) for p in params]
    state = rule.init(params)
    rule.update(grads, state, params, in_place=True)
    tracemalloc.start()
    for _ in range(3):
        rule.update(grads, state, params, in_place=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000  # small objects of Python; the parameters are 4 MB


@pytest.mark.jit
def test_threads_change_no_number():
    rng = np.random.default_rng(0)
    p, g = rng.standard_normal((2, 600_001)).astype(np.float32)
    whole, state = Adam().update(g, Adam().init(p), p)
    for piece in (slice(0, 3), slice(300_000, 300_100), slice(600_000, None)):
        part, _ = Adam().update(g[piece], Adam().init(p[piece]), p[piece])
        np.testing.assert_allclose(whole[piece], part, rtol=1e-6)
    assert np.all(state.tree("v") > 0)  # no number was left out
    with threadpool_limits(1):
        alone, _ = Adam().update(g, Adam().init(p), p)
    np.testing.assert_array_equal(whole, alone)


def test_nesterov_is_nesterovs_with_looked_ahead_parameters():
    def gradient(x):
        return 3.0 * x - 1.0

    rule, p = Nesterov(0.05, alpha=0.7), np.array([2.0])
    state = rule.init(p)
    for _ in range(6):
        p, state = rule.update(gradient(p), state, p)
    assert p[0] == pytest.approx(naive.nesterov_lookahead(2.0, gradient, 0.05, 0.7, 6))


def test_state_shows_its_averages_as_the_parameters_are_nested():
    rule = Adam(beta1=0.5, beta2=0.75)
    params = {"W": np.zeros((2, 2)), "b": np.zeros(1)}
    grads = {"W": np.arange(4.0).reshape(2, 2), "b": np.array([8.0])}
    _, state = rule.update(grads, rule.init(params), params)
    np.testing.assert_allclose(state.tree("m")["W"], grads["W"] / 2)
    np.testing.assert_allclose(state.tree("v")["b"], [16.0])


@pytest.mark.parametrize("rule", WRAPPED)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("in_place", [False, True])
def test_non_finite_gradient_names_step_and_parameter(rule, bad, in_place):
    assert isinstance(rule, Rule)
    rng = np.random.default_rng(2)
    params = tree(rng)
    params, state = rule.update(tree(rng), rule.init(params), params)
    before = copy.deepcopy((params, state))
    grads = tree(rng)
    grads["layers"][1]["W"][2, 1] = bad
    with pytest.raises(NonFiniteGradientError, match=r"step 2: .*layers\[1\]\['W'\]") as caught:
        rule.update(grads, state, params, in_place=in_place)
    assert caught.value.step == 2
    assert caught.value.path == "layers[1]['W']"
    np.testing.assert_array_equal(numbers(params), numbers(before[0]))
    grads["layers"][1]["W"][2, 1] = 0.0  # nothing of the bad step is left in the state
    got, _ = rule.update(grads, state, params)
    want, _ = rule.update(grads, before[1], before[0])
    np.testing.assert_array_equal(numbers(got), numbers(want))


@pytest.mark.jit
def test_non_finite_gradient_is_found_in_a_large_array():
    g = np.zeros(700_000, dtype=np.float32)
    g[-1] = np.nan
    with pytest.raises(NonFiniteGradientError, match="params"):
        Adam().update(g, Adam().init(g), g.copy())


def test_unchecked_rule_lets_nan_through():
    rule = GradientDescent(1.0, check_finite=False)
    got, _ = rule.update(np.array([np.nan]), rule.init(np.zeros(1)), np.zeros(1))
    assert np.isnan(got[0])


def test_clip_norm():
    params = {"W": np.zeros((1, 2)), "b": np.zeros(1)}
    grads = {"W": np.array([[2.0, 3.0]]), "b": np.array([6.0])}  # norm 7
    rule = ClipNorm(GradientDescent(1.0), max_norm=3.5)
    got, _ = rule.update(grads, rule.init(params), params)
    np.testing.assert_allclose(got["W"], [[-1.0, -1.5]])
    np.testing.assert_allclose(got["b"], [-3.0])
    assert global_norm(grads) == pytest.approx(7.0)
    loose = ClipNorm(GradientDescent(1.0), max_norm=7.5)
    got, _ = loose.update(grads, loose.init(params), params)
    np.testing.assert_array_equal(got["b"], [-6.0])


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_global_norm_is_right_where_squares_are_not(size):
    tree_ = [np.full(3, size, dtype=np.float32), np.full(1, size, dtype=np.float32)]
    assert global_norm(tree_) == pytest.approx(2 * size, rel=1e-6)
    assert global_norm([np.zeros(3), np.zeros(0)]) == 0.0


def test_weight_decay_is_the_gradient_of_the_penalty():
    p, g = np.array([2.0, -4.0]), np.array([1.0, 1.0])
    rule = WeightDecay(GradientDescent(0.1), decay=0.5)
    got, _ = rule.update(g, rule.init(p), p)
    np.testing.assert_allclose(got, p - 0.1 * (g + 0.5 * p))


def test_decoupled_decay_is_not_divided_by_the_scale():
    """AdamW shrinks by 1 − ηλ whatever the gradients; Adam with an L2 term does not."""
    p, g = np.array([10.0]), np.array([100.0])
    plain, _ = Adam(0.01).update(g, Adam().init(p), p)
    decoupled = AdamW(0.01, weight_decay=0.5)
    got, _ = decoupled.update(g, decoupled.init(p), p)
    assert got[0] - plain[0] == pytest.approx(-0.01 * 0.5 * 10)
    coupled = WeightDecay(Adam(0.01), decay=0.5)
    got, _ = coupled.update(g, coupled.init(p), p)
    assert got[0] == pytest.approx(plain[0], abs=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(-1.0), "learning_rate=-1.0: give a finite number > 0 or a schedule"),
        (lambda: Adam("fast"), "learning_rate='fast'"),
        (lambda: Adam(np.nan), "learning_rate=nan"),
        (lambda: Adam(beta1=1.0), "beta1=1.0: give a finite number >= 0 and < 1"),
        (lambda: Adam(eps=0.0), "eps=0.0"),
        (lambda: AdamW(weight_decay=-1.0), "weight_decay=-1.0"),
        (lambda: Momentum(alpha=1.5), "alpha=1.5"),
        (lambda: RMSProp(rho=True), "rho=True"),
        (lambda: ClipNorm(Adam(), max_norm=0.0), "max_norm=0.0"),
        (lambda: ClipValue("adam"), "rule='adam': give an update rule"),
        (lambda: ClipValue(Adam), "rule=<class .*: give an update rule"),
        (lambda: WeightDecay(Adam(), decay=-0.1), "decay=-0.1"),
    ],
)
def test_bad_hyperparameters(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    ("grads", "message"),
    [
        ({"W": np.ones((2, 2))}, "grads: keys .*'W'.* where params has keys"),
        ([np.ones((2, 2)), np.ones(2)], "grads: a list where params has keys"),
        (
            {"W": np.ones((2, 3)), "b": np.ones(2)},
            r"grads: W has shape \(2, 3\), expected \(2, 2\)",
        ),
        ({"W": np.ones((2, 2)), "b": 1.0}, r"grads: b has shape"),
        (
            {"W": [np.ones(2)] * 2, "b": np.ones(2)},
            r"grads\['W'\]: a list where params has an array",
        ),
    ],
)
def test_gradients_that_do_not_fit(grads, message, in_place):
    params = {"W": np.zeros((2, 2)), "b": np.zeros(2)}
    rule = Adam()
    with pytest.raises(ValueError, match=message):
        rule.update(grads, rule.init(params), params, in_place=in_place)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"W": np.zeros(2, dtype=int)}, "params: W is a int64 array; give an array of float32"),
        ({"W": [1.0, 2.0]}, r"params: W\[0\] is a float; give an array"),
        ({"W": np.zeros(2, dtype=np.float16)}, "W is a float16 array"),
        ({"W": None}, "W is a NoneType"),
    ],
)
def test_parameters_that_are_no_float_arrays(params, message):
    with pytest.raises(TypeError, match=message):
        Adam().init(params)


def test_parameters_that_are_not_those_of_the_state():
    rule, p = Adam(), np.zeros(3)
    state = rule.init(p)
    g = np.zeros(3)
    with pytest.raises(ValueError, match="made for float64"):
        rule.update(g, state, p.astype(np.float32))
    with pytest.raises(ValueError, match=r"shape \(2,\), expected \(3,\)"):
        rule.update(np.zeros(2), state, np.zeros(2))
    p.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        rule.update(g, state, p, in_place=True)
    rule.update(g, state, p)  # the pure form only reads


def test_against_torch():
    torch = pytest.importorskip("torch")
    pairs = [
        (Adam(0.01), torch.optim.Adam, {}),
        (AdamW(0.01, weight_decay=0.1), torch.optim.AdamW, {"weight_decay": 0.1}),
        (RMSProp(0.01), torch.optim.RMSprop, {"alpha": 0.9}),
        (AdaGrad(0.01), torch.optim.Adagrad, {}),
        (Momentum(0.01), torch.optim.SGD, {"momentum": 0.9}),
        (Nesterov(0.01), torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (WeightDecay(Adam(0.01), 0.1), torch.optim.Adam, {"weight_decay": 0.1}),
    ]
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal(50), rng.standard_normal((5, 50))
    for rule, other, options in pairs:
        theirs = torch.nn.Parameter(torch.tensor(start))
        optimizer = other([theirs], lr=0.01, **options)
        p, state = start, rule.init(start)
        for g in grads:
            p, state = rule.update(g, state, p)
            theirs.grad = torch.tensor(g)
            optimizer.step()
        np.testing.assert_allclose(p, theirs.detach().numpy(), rtol=1e-10, err_msg=repr(rule))
