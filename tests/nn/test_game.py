"""Games in compiled loops against the layers: same draws, same numbers but for rounding."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso._compute import threads as _threads
from kiso.nn import (
    GAME_LOSSES,
    Affine,
    Game,
    GameStatus,
    LeakyReLU,
    Network,
    Sigmoid,
    Spectral,
    adversarial_loop,
    play,
)
from kiso.nn.compiled.adversarial import CompiledAdversarialLoop
from kiso.nn.gan.loop import AdversarialLoop
from kiso.optim import Adam, Cosine, GradientDescent, Momentum, Nesterov, RMSProp

RULES = [
    GradientDescent(0.05),
    Momentum(0.02, 0.8),
    Nesterov(Cosine(0.02, n_steps=30)),
    Adam(0.01, 0.8, 0.95),
]
NAMES = ["tanh", "sigmoid", "relu", "leaky_relu", "softplus", "gelu"]
NUMBERS = [
    "objective", "discriminator_loss", "generator_loss", "discriminator_norm", "generator_norm",
    "real_score", "fake_score", "coverage",
]  # fmt: skip


def made(
    hidden=((5,), (4,)), names=("tanh", "relu"), rules=RULES[3], dtype=np.float64, n_x=2, **options
):
    """A game, and data for it."""
    sizes = [3, *hidden[0], n_x], [n_x, *hidden[1], 1]
    networks = [
        Network.dense(s, activation=name, random_state=k, dtype=dtype)
        for k, (s, name) in enumerate(zip(sizes, names, strict=True))
    ]
    rules = rules if isinstance(rules, tuple) else (rules, rules)
    loss = GAME_LOSSES[options.pop("loss", "non-saturating")]
    options = {"n_steps": 7, "every": 4, "batch_size": 6, **options}
    game = Game(
        *networks, loss, lambda rng, n: rng.standard_normal((n, 3), dtype), rules, **options
    )
    return game, np.random.default_rng(0).standard_normal((50, n_x)).astype(dtype)


def both_ways(game, X):
    """Play layer by layer and in compiled loops; return games, states and slopes of each."""
    games, runs = [], []
    for loop in ("layers", "compiled"):
        games.append(copy.deepcopy(game))
        games[-1].loop = loop
        if not game.averaging:
            games[-1].sampler = games[-1].generator
        runs.append(list(play(games[-1], X, np.random.default_rng(1))))
    return games, runs


def assert_same(games, runs, rtol, atol):
    for which in ("generator", "discriminator", "sampler"):
        one, other = (getattr(game, which).vector for game in games)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
    assert [s.n_iter for s in runs[0]] == [s.n_iter for s in runs[1]]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(
            [getattr(one, name) for name in NUMBERS],
            [getattr(other, name) for name in NUMBERS],
            rtol=rtol, atol=atol,
        )  # fmt: skip
        assert one.status is other.status
        np.testing.assert_allclose(one.samples, other.samples, rtol=rtol, atol=atol)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 40), max_size=3),
    st.lists(st.integers(1, 40), max_size=3),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(RULES), st.sampled_from(RULES)),
    st.sampled_from(list(GAME_LOSSES)),
    st.sampled_from([1, 7, 33]),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.9]),
    st.integers(1, 20),
)
def test_compiled_steps_are_those_of_the_layers(
    first, second, names, rules, loss, batch_size, turns, averaging, n_x
):
    game, X = made(
        (first, second), names, rules, n_x=n_x, loss=loss, batch_size=batch_size,
        discriminator_steps=turns, averaging=averaging,
    )  # fmt: skip
    assert_same(*both_ways(game, X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("loss", list(GAME_LOSSES))
def test_single_precision_in_lanes(loss):
    hidden = (100, 64), (64, 100)
    game, X = made(
        hidden, ("relu", "leaky_relu"), Adam(1e-3, beta1=0.5), np.float32, loss=loss,
        batch_size=531,
    )  # fmt: skip
    game.discriminator = Network([*game.discriminator, Sigmoid()])
    games, runs = both_ways(game, X)
    assert games[1].generator.dtype == np.float32
    assert_same(games, runs, rtol=1e-3, atol=2e-4)


@pytest.mark.jit
def test_lanes_give_one_result_on_any_number_of_threads(monkeypatch):
    vectors = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=n_threads: n)
        game, X = made(((100, 64), (64, 100)), batch_size=530, averaging=0.9, n_steps=6)
        assert CompiledAdversarialLoop(game, X, np.random.default_rng(0)).n_lanes >= 2
        *_, state = play(game, X, np.random.default_rng(1))
        parts = game.generator.vector, game.discriminator.vector, game.sampler.vector
        told = [getattr(state, name) for name in NUMBERS]
        vectors.append(np.concatenate([*parts, told]))
    assert all(np.array_equal(vectors[0], other) for other in vectors[1:])


@pytest.mark.parametrize("rate", [1e3, 1e30, 1e160])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("check", [True, False])
def test_divergence_comes_at_the_same_step_in_the_same_words(rate, which, check):
    fast, slow = GradientDescent(rate, check_finite=check), GradientDescent(1e-3)
    rules = (fast, slow) if which == 0 else (slow, fast)
    game, X = made(((5,), (4,)), ("softplus", "softplus"), rules, loss="least-squares",
                   n_steps=100, every=30, averaging=0.5, discriminator_steps=2)  # fmt: skip
    games, runs = both_ways(game, X)
    one, other = runs[0][-1], runs[1][-1]
    assert one.status is other.status is GameStatus.DIVERGED
    assert other.n_iter == one.n_iter < 100
    assert one.detail == other.detail
    for a, b in zip(games[0].generator.vector, games[1].generator.vector, strict=True):
        assert a == pytest.approx(b, rel=1e-6, nan_ok=True)
    for name in NUMBERS[1:5]:
        pair = getattr(one, name), getattr(other, name)
        assert pair[0] == pytest.approx(pair[1], rel=1e-6, nan_ok=True)


def test_steps_are_cut_into_chunks_that_can_be_interrupted(monkeypatch):
    monkeypatch.setattr("kiso._compute.costs.GAN_CALL_WORK", 1)
    game, X = made(n_steps=40, every=20, rules=Momentum(0.02, 0.8))
    assert_same(*both_ways(game, X), rtol=1e-7, atol=1e-9)
    draws = []

    def latent(rng, n):
        draws.append(n)
        if len(draws) == 24:  # one to show, then two a step: the 12th step's second
            raise KeyboardInterrupt
        return rng.standard_normal((n, 3))

    games = [made(n_steps=n, every=n, rules=Momentum(0.02, 0.8))[0] for n in (11, 40)]
    list(play(games[0], X, np.random.default_rng(1)))
    games[1].latent = latent
    with pytest.raises(KeyboardInterrupt):
        list(play(games[1], X, np.random.default_rng(1)))
    np.testing.assert_array_equal(games[0].generator.vector, games[1].generator.vector)
    np.testing.assert_array_equal(games[0].discriminator.vector, games[1].discriminator.vector)


def test_slope_of_a_discriminator_that_is_sure():
    """Σ |∂L_G/∂f|, by which vanishing is seen."""
    game, X = made(loss="minimax", batch_size=33)
    loops = [
        kind(game, X, np.random.default_rng(2))
        for kind in (AdversarialLoop, CompiledAdversarialLoop)
    ]
    start = game.generator.vector, game.discriminator.vector
    for loop in loops:
        game.generator.set_vector(start[0])
        game.discriminator.set_vector(start[1])
        loop.advance(3)
    assert loops[0].slope == pytest.approx(loops[1].slope, rel=1e-9)
    assert loops[0].most == pytest.approx(loops[1].most, rel=1e-9)


class TestWhichGamesAreCompiled:
    def why_not(self, game, X, z=None):
        return CompiledAdversarialLoop.suits(game, X, np.zeros((1, 3), X.dtype) if z is None else z)

    def test_by_themselves(self, monkeypatch):
        taken = []
        advance = CompiledAdversarialLoop.advance
        monkeypatch.setattr(
            CompiledAdversarialLoop, "advance", lambda self, n: (taken.append(n), advance(self, n))
        )
        game, X = made()
        list(play(game, X, np.random.default_rng(0)))
        assert taken == [4, 3]
        monkeypatch.setattr("kiso._compute.costs.GAN_MOST_NUMBERS", 1)
        list(play(game, X, np.random.default_rng(0)))
        assert taken == [4, 3]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"rules": RMSProp(0.1)}, "a rule is not"),
            ({"penalty": 1.0}, "gradient penalty"),
        ],
        ids=str,
    )
    def test_options(self, change, message):
        game, X = made(**change)
        assert message in self.why_not(game, X)
        game.loop = "compiled"
        with pytest.raises(ValueError, match=message):
            next(play(game, X, np.random.default_rng(0)))

    def test_networks_and_data(self):
        game, X = made()
        assert self.why_not(game, X) == ""
        assert "one dtype" in self.why_not(game, X.astype(np.float32))
        assert "do not fit" in self.why_not(game, X, np.zeros((1, 4)))
        assert "one row a sample" in self.why_not(game, np.asfortranarray(X))
        inner = Affine.create(2, 1, random_state=0)
        for layers in ([Spectral(inner)], [LeakyReLU(), inner]):
            game.discriminator = Network(layers)
            assert "affine" in self.why_not(game, X)

    def test_an_unknown_loop(self):
        game, X = made(loop="fast")
        with pytest.raises(ValueError, match="loop='fast'"):
            next(play(game, X, np.random.default_rng(0)))


@pytest.mark.parametrize("loop", ["layers", "compiled"])
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_game_is_set_back_to_the_last_bit(loop, averaging):
    game, X = made(loop=loop, averaging=averaging, n_steps=20)
    players = adversarial_loop(game, X, np.random.default_rng(1))
    players.advance(3)
    place = players.snapshot()

    def go_on():
        players.advance(2)
        players.discriminate()
        players.generate()
        players.advance(1)
        return [net.vector for net in (game.generator, game.discriminator, game.sampler)]

    first = go_on()
    players.restore(place)
    assert players.n_iter == 3
    for a, b in zip(first, go_on(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("loop", ["layers", "compiled"])
def test_one_player_moves_alone(loop):
    game, X = made(loop=loop)
    players = adversarial_loop(game, X, np.random.default_rng(1))
    g, d = game.generator.vector, game.discriminator.vector
    players.discriminate()
    np.testing.assert_array_equal(game.generator.vector, g)
    assert (game.discriminator.vector != d).any()
    d = game.discriminator.vector
    players.generate()
    np.testing.assert_array_equal(game.discriminator.vector, d)
    assert (game.generator.vector != g).any()
