"""GAN: scikit-learn's interface, the game as written, and what goes wrong in it."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso.losses import SigmoidCrossEntropy
from kiso.neural_network import GAN
from kiso.nn import GAME_LOSSES, Affine, BatchNorm, Flatten, GameStatus, Network, Reshape
from kiso.optim import Adam, GradientDescent
from kiso.optim._tree import leaves_of

RNG = np.random.default_rng(0)
X = RNG.normal([3.0, -1.0], [1.0, 0.2], (600, 2))


def small(**parameters):
    given = {"generator": (8,), "discriminator": (8,), "max_iter": 30, "every": 10}
    return GAN(**{**given, "random_state": 0, **parameters})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([small(batch_size=16, max_iter=10)])
def test_sklearn_checks(estimator, check):
    check(estimator)


class TestLosses:
    R, F = RNG.normal(size=20), RNG.normal(size=20)

    @pytest.mark.parametrize("name", GAME_LOSSES)
    def test_slopes(self, name):
        loss, h = GAME_LOSSES[name], 1e-6
        _, d_real, d_fake = loss.discriminator(self.R, self.F)
        _, d_made = loss.generator(self.F)
        for k in (0, 7):
            e = np.eye(20)[k] * h
            ends = [loss.discriminator(self.R + s * e, self.F)[0] for s in (1, -1)]
            assert d_real[k] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-8)
            ends = [loss.discriminator(self.R, self.F + s * e)[0] for s in (1, -1)]
            assert d_fake[k] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-8)
            ends = [loss.generator(self.F + s * e)[0] for s in (1, -1)]
            assert d_made[k] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-8)

    def test_minimax_is_the_game_of_the_notes(self):
        minimax, bce = GAME_LOSSES["minimax"], SigmoidCrossEntropy()
        value, *_ = minimax.discriminator(self.R, self.F)
        assert value == pytest.approx(
            bce.value(self.R, np.ones(20)) + bce.value(self.F, np.zeros(20))
        )
        assert minimax.generator(self.F)[0] == pytest.approx(-bce.value(self.F, np.zeros(20)))
        other = GAME_LOSSES["non-saturating"]
        assert other.generator(self.F)[0] == pytest.approx(bce.value(self.F, np.ones(20)))

    @pytest.mark.parametrize("name", GAME_LOSSES)
    def test_far_out_is_finite(self, name):
        loss = GAME_LOSSES[name]
        far = np.array([-1000.0, 1000.0])
        assert np.isfinite(loss.discriminator(far, far)[0])
        assert np.isfinite(loss.generator(far)[0])


def test_a_step_is_what_is_written():
    """One step by hand: D first, then G against the new D."""
    gan = small(max_iter=1, every=1, batch_size=4, rule=GradientDescent(0.1), averaging=0.0,
                scale=False, latent=lambda rng, n: np.ones((n, 3)), n_latent=3)  # fmt: skip
    same = np.tile([[1.0, 2.0]], (10, 1))
    networks = [Network.dense([3, 4, 2], random_state=1), Network.dense([2, 4, 1], random_state=2)]
    gan.set_params(generator=networks[0], discriminator=networks[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gan.fit(same)
    G, D = networks
    bce, ones, zeros = SigmoidCrossEntropy(), np.ones((4, 1)), np.zeros((4, 1))
    fake = G(np.ones((4, 3)))
    grads = [
        D.loss_and_gradients(same[:4], ones, bce)[1],
        D.loss_and_gradients(fake, zeros, bce)[1],
    ]
    for p, g, h in zip(*map(leaves_of, (D.parameters, *grads)), strict=True):
        p -= 0.1 * (g + h)
    np.testing.assert_allclose(gan.discriminator_.vector, D.vector, rtol=1e-12)
    fake, back = G.forward(np.ones((4, 3)))
    scores, through = D.forward(fake)
    slope = bce.gradient(scores, ones)
    for p, g in zip(*map(leaves_of, (G.parameters, back(through(slope)[0])[1])), strict=True):
        p -= 0.1 * g
    np.testing.assert_allclose(gan.generator_.vector, G.vector, rtol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"loss": "minimax"},
        {"loss": "least-squares"},
        {"loss": "wasserstein", "gradient_penalty": 1.0, "discriminator_steps": 3},
        {"loss": "wasserstein", "spectral": True},
        {"gradient_penalty": 0.5},
    ],
    ids=str,
)
def test_learns_a_gaussian(parameters):
    gan = GAN((16,), (16,), n_latent=2, max_iter=600, random_state=0,
              rule=Adam(2e-3, beta1=0.5), **parameters)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gan.fit(X)
    samples = gan.sample(2000, random_state=1)
    np.testing.assert_allclose(samples.mean(axis=0), [3, -1], atol=0.5)
    assert 0.2 < samples.std(axis=0)[0] < 2
    assert 0.04 < samples.std(axis=0)[1] < 0.5


def test_states_and_picture_of_the_run():
    gan = small()
    states = list(gan.steps(X))
    assert [s.n_iter for s in states] == [10, 20, 30]
    assert all(s.samples.shape == (64, 2) for s in states)
    assert np.isfinite([s.generator_norm for s in states]).all()
    assert states[-1].status in (GameStatus.COMPLETE, GameStatus.COLLAPSED)


def test_reproducible_and_float32():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        a, b = small().fit(X), small().fit(X)
        c = small().fit(X.astype(np.float32))
    np.testing.assert_array_equal(a.sample(5, random_state=0), b.sample(5, random_state=0))
    assert c.sample(3).dtype == np.float32
    assert c.score_samples(X[:4]).dtype == np.float32


def test_scores_tell_data_from_elsewhere():
    rule = Adam(5e-4, beta1=0.5)
    gan = GAN((16,), (16,), rule=rule, max_iter=300, random_state=0).fit(X)
    assert gan.score_samples(X).mean() > gan.score_samples(X + np.array([0.0, 3.0])).mean()


class TestWhatGoesWrong:
    def test_missing_modes(self):
        """A generator that can make one point only."""
        modes = np.repeat(np.eye(4) * 10, 50, axis=0) + 0.01 * RNG.normal(size=(200, 4))
        point = Network([Affine(np.zeros((2, 4)), np.zeros(4))])
        with pytest.warns(ConvergenceWarning, match="modes are missing"):
            gan = small(generator=point, n_latent=2).fit(modes)
        assert gan.status_ is GameStatus.COLLAPSED
        assert gan.coverage_ < 0.5

    def test_vanishing_slope(self):
        """The minimax game against a discriminator that knows everything."""
        sure = Network([Affine(np.array([[0.0], [-60.0]]), np.array([3000.0]))])
        fixed = GradientDescent(1e-12)
        far = Network([Affine(np.ones((2, 2)), np.array([0.0, 5000.0]))])
        data = np.c_[RNG.normal(size=100), np.zeros(100)]
        gan = small(generator=far, discriminator=sure, loss="minimax", n_latent=2, scale=False,
                    rule=fixed)  # fmt: skip
        with pytest.warns(ConvergenceWarning, match="slope has vanished"):
            gan.fit(data)
        assert gan.status_ is GameStatus.VANISHING
        gan.set_params(loss="non-saturating")
        with pytest.warns(ConvergenceWarning, match="modes are missing"):
            gan.fit(data)

    def test_divergence_ends_the_fit_and_is_said(self):
        with pytest.warns(ConvergenceWarning, match=r"not finite \(step \d+: "):
            gan = small(loss="wasserstein", rule=GradientDescent(1e6), max_iter=200).fit(X)
        assert gan.status_ is GameStatus.DIVERGED
        assert gan.n_iter_ < 200

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"generator": (0,)}, "whole numbers of units"),
            ({"generator": Network.dense([2, 3])}, r"samples of shape \(3,\); those of X"),
            ({"generator": Network.dense([5, 2])}, "does not take z"),
            ({"discriminator": Network.dense([3, 1])}, "does not take the rows of X"),
            ({"discriminator": Network.dense([2, 2])}, r"it gives \(2,\)"),
            ({"discriminator": Network.dense([2, 1], dtype=np.float32)}, "float32, X of float64"),
            ({"rule": (Adam(),)}, "a rule, or one for each"),
            ({"loss": "wassertein"}, "'loss' parameter"),
        ],
        ids=str,
    )
    def test_bad_input(self, parameters, message):
        with pytest.raises(ValueError, match=message):
            small(**parameters).fit(X)

    def test_nan(self):
        with pytest.raises(ValueError, match="NaN"):
            small().fit(np.where(X > 4, np.nan, X))

    def test_batch_norm_has_no_second_derivative_here(self):
        D = Network([BatchNorm(2), Affine(np.ones((2, 1)), np.zeros(1))])
        with pytest.raises(TypeError, match="BatchNorm"):
            small(discriminator=D, loss="wasserstein").fit(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_images_and_batch_normalisation():
    images = RNG.random((40, 1, 4, 4))
    G = Network([Affine.create(3, 16, random_state=0), BatchNorm(16), Reshape((1, 4, 4))])
    D = Network([Flatten(), Affine.create(16, 6, random_state=1), BatchNorm(6),
                 Affine.create(6, 1, random_state=2)])  # fmt: skip
    gan = clone(small(generator=G, discriminator=D, n_latent=3)).fit(images)
    assert gan.sample(7).shape == (7, 1, 4, 4)
    assert gan.score_samples(images).shape == (40,)
    assert np.any(gan.generator_[1].mean != 0)  # the run's statistics came along


def test_interrupt_keeps_the_last_state(monkeypatch):
    gan = small(max_iter=1000)
    calls = []

    def stop(self, X, rng_state=None):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 1.0

    monkeypatch.setattr("kiso.nn.gan.play.Coverage.__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(X)
    assert gan.n_iter_ == 20
    assert gan.sample(3).shape == (3, 2)


def test_samples_of_another_shape_are_refused_by_score_samples():
    X = np.random.default_rng(0).normal(size=(30, 4))
    gan = GAN((4,), (4,), n_latent=2, max_iter=2, every=1, random_state=0).fit(X)
    assert gan.score_samples(X).shape == (30,)
    with pytest.raises(ValueError, match="samples of shape"):
        gan.score_samples(X[:20, :, None])
