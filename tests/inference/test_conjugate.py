"""Conjugate priors: batch equals sequence, evidence equals the chain, SciPy says the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from kiso.inference import (
    BetaBernoulli,
    BetaBinomial,
    DirichletCategorical,
    GammaPoisson,
    NegativeBinomial,
    NormalInverseGamma,
    NormalInverseWishart,
    NormalKnownVariance,
    StudentT,
)

PRIORS = {
    "known": NormalKnownVariance(1.0, 2.0, 0.5),
    "gamma": NormalInverseGamma(1.0, 0.7, 2.0, 3.0),
    "wishart": NormalInverseWishart([0.0, 1.0], 0.7, 3.5, [[2.0, 0.3], [0.3, 1.0]]),
    "beta": BetaBernoulli(0.7, 2.0),
    "dirichlet": DirichletCategorical([0.5, 1.0, 3.0]),
    "poisson": GammaPoisson(1.5, 0.8),
}


def draw(name, rng, n):
    if name == "wishart":
        return rng.normal(size=(n, 2)) * 3 + 5
    if name in ("known", "gamma"):
        return rng.normal(size=n) * 3 + 5
    return rng.integers(0, {"beta": 2, "dirichlet": 3, "poisson": 9}[name], n)


def numbers(prior):
    return np.concatenate([np.ravel(value) for value in vars(prior).values()])


@pytest.fixture(params=sorted(PRIORS))
def named(request):
    return request.param, PRIORS[request.param]


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 20))
@pytest.mark.parametrize("name", sorted(PRIORS))
def test_sequence_equals_batch_and_evidence_is_the_chain(name, seed, n):
    prior, data = PRIORS[name], draw(name, np.random.default_rng(seed), n)
    belief, chain = prior, 0.0
    for i in range(n):
        chain += belief.predictive().log_prob(data[i : i + 1])[0]
        belief = belief.posterior(data[i : i + 1])
    assert type(belief) is type(prior)
    assert_allclose(numbers(belief), numbers(prior.posterior(data)), rtol=1e-11)
    assert_allclose(prior.log_evidence(data), chain, rtol=1e-9, atol=1e-9)


def test_weights_are_repetitions(named):
    name, prior = named
    rng = np.random.default_rng(0)
    data, w = draw(name, rng, 12), rng.integers(0, 3, 12)
    again = np.repeat(data, w, axis=0)
    assert_allclose(numbers(prior.posterior(data, w)), numbers(prior.posterior(again)))
    assert_allclose(prior.log_evidence(data, w), prior.log_evidence(again))
    nothing = np.zeros(12)
    assert_allclose(numbers(prior.posterior(data, nothing)), numbers(prior))
    assert prior.log_evidence(data, nothing) == pytest.approx(0, abs=1e-12)


def test_predictive_sums_or_integrates_to_one_and_samples_from_it(named):
    name, prior = named
    predictive = prior.predictive()
    x = predictive.sample(200_000, random_state=0)
    if name in ("beta", "dirichlet", "poisson"):
        k = np.arange({"beta": 2, "dirichlet": 3, "poisson": 500}[name])
        p = np.exp(predictive.log_prob(k))
        assert_allclose(p.sum(), 1, rtol=1e-9)
        measured = np.bincount(x.astype(int))[:8] / len(x)
        assert_allclose(measured, p[: len(measured)], atol=0.006)
    elif name != "wishart":
        total, _ = integrate.quad(lambda v: np.exp(predictive.log_prob([v])[0]), -200, 200)
        assert_allclose(total, 1, rtol=1e-3)
        half = np.median(x)
        below, _ = integrate.quad(lambda v: np.exp(predictive.log_prob([v])[0]), -200, half)
        assert_allclose(below, 0.5, atol=0.006)


def test_predictive_is_the_model_averaged_over_the_posterior():
    data = np.array([1.0, 3.0, 2.5])
    post = NormalInverseGamma(0.0, 1.0, 2.0, 2.0).posterior(data)
    rng = np.random.default_rng(0)
    variance = 1 / rng.gamma(post.shape, 1 / post.scale, 400_000)
    mean = rng.normal(post.mean, np.sqrt(variance / post.kappa))
    for x in (0.0, 2.0, 5.0):
        average = stats.norm(mean, np.sqrt(variance)).pdf(x).mean()
        assert_allclose(np.exp(post.predictive().log_prob([x])[0]), average, rtol=0.02)


def test_evidence_against_integration():
    data = np.array([0.5, 2.0, 1.0])
    prior = NormalKnownVariance(0.3, 1.7, 0.6)

    def joint(mu):
        likelihood = stats.norm(mu, np.sqrt(0.6)).pdf(data).prod()
        return likelihood * stats.norm(0.3, np.sqrt(1.7)).pdf(mu)

    assert_allclose(np.exp(prior.log_evidence(data)), integrate.quad(joint, -20, 20)[0])
    counts = np.array([2, 0, 5])

    def joint_counts(rate):
        return stats.poisson(rate).pmf(counts).prod() * stats.gamma(1.5, scale=1 / 0.8).pdf(rate)

    found = np.exp(PRIORS["poisson"].log_evidence(counts))
    assert_allclose(found, integrate.quad(joint_counts, 0, 60)[0], rtol=1e-6)


def test_wishart_in_one_dimension_is_gamma():
    data = np.random.default_rng(0).normal(size=9)
    wishart = NormalInverseWishart([1.0], 0.7, 4.0, [[6.0]])
    gamma = NormalInverseGamma(1.0, 0.7, 2.0, 3.0)
    assert_allclose(wishart.log_evidence(data), gamma.log_evidence(data))
    after, other = wishart.posterior(data), gamma.posterior(data)
    x = np.linspace(-3, 3, 7)
    assert_allclose(after.predictive().log_prob(x), other.predictive().log_prob(x))
    for name in ("mean", "variance"):
        a, b = after.credible_interval(0.9)[name], other.credible_interval(0.9)[name]
        assert_allclose([a.low[0], a.high[0]], b)
    assert_allclose(after.map()["covariance"][0, 0], other.map()["variance"])


def test_credible_intervals_against_scipy():
    known, gamma = PRIORS["known"], PRIORS["gamma"]
    assert_allclose(known.credible_interval(0.9), stats.norm(1, np.sqrt(2)).interval(0.9))
    found = gamma.credible_interval(0.8)
    t = stats.t(4.0, 1.0, np.sqrt(3.0 / (2.0 * 0.7)))
    assert_allclose(found["mean"], t.interval(0.8))
    assert_allclose(found["variance"], stats.invgamma(2.0, scale=3.0).interval(0.8))
    assert_allclose(PRIORS["beta"].credible_interval(), stats.beta(0.7, 2.0).interval(0.95))
    assert_allclose(
        PRIORS["poisson"].credible_interval(0.5), stats.gamma(1.5, scale=1 / 0.8).interval(0.5)
    )
    low, high = PRIORS["dirichlet"].credible_interval(0.9)
    assert_allclose([low[2], high[2]], stats.beta(3.0, 1.5).interval(0.9))


def test_credible_interval_covers_as_often_as_it_says():
    """Parameters drawn from the prior lie in the posterior's 80 % interval 80 % of the time."""
    rng, inside = np.random.default_rng(0), 0
    prior = GammaPoisson(3.0, 1.0)
    for _ in range(2000):
        rate = rng.gamma(3.0)
        low, high = prior.posterior(rng.poisson(rate, 4)).credible_interval(0.8)
        inside += low <= rate <= high
    assert inside / 2000 == pytest.approx(0.8, abs=0.035)


def test_map_is_where_the_density_is_highest():
    gamma = PRIORS["gamma"]
    top = gamma.map()

    def log_density(mean, variance):
        of_variance = stats.invgamma(2.0, scale=3.0).logpdf(variance)
        return of_variance + stats.norm(1.0, np.sqrt(variance / 0.7)).logpdf(mean)

    best = log_density(top["mean"], top["variance"])
    for factor in (0.98, 1.02):
        assert log_density(top["mean"] * factor, top["variance"]) < best
        assert log_density(top["mean"], top["variance"] * factor) < best
    assert PRIORS["known"].map() == 1.0
    assert BetaBernoulli(3.0, 2.0).map() == pytest.approx(2 / 3)
    assert BetaBernoulli(0.5, 2.0).map() == 0.0
    assert BetaBernoulli(2.0, 0.5).map() == 1.0
    assert GammaPoisson(0.5, 1.0).map() == 0.0
    assert GammaPoisson(3.0, 2.0).map() == 1.0
    flat = BetaBernoulli(1.0, 1.0)
    assert flat.posterior([1, 1, 0]).map() == pytest.approx(2 / 3)  # maximum likelihood
    wishart = PRIORS["wishart"].map()["covariance"]
    assert_allclose(wishart, np.array([[2.0, 0.3], [0.3, 1.0]]) / 7.5)


def test_far_mean_keeps_its_digits():
    data = np.random.default_rng(0).normal(size=50)
    near = NormalInverseGamma(0.0, 1.0, 2.0, 3.0)
    far = NormalInverseGamma(2.0**30, 1.0, 2.0, 3.0)
    data = np.rint(data * 2**20) / 2**20  # exact beside 2³⁰
    assert_allclose(far.log_evidence(data + 2.0**30), near.log_evidence(data), rtol=1e-9)


def test_predictives_against_scipy():
    k = np.arange(-1, 8) * 1.0
    beta = BetaBinomial(6, 0.7, 2.0)
    assert_allclose(beta.log_prob(k), stats.betabinom(6, 0.7, 2.0).logpmf(k), atol=1e-12)
    assert_allclose([beta.mean, beta.variance], stats.betabinom(6, 0.7, 2.0).stats())
    negative = NegativeBinomial(1.5, 0.8)
    oracle = stats.nbinom(1.5, 0.8 / 1.8)
    assert_allclose(negative.log_prob(k), oracle.logpmf(k))
    assert_allclose([negative.mean, negative.variance], oracle.stats())
    assert beta.log_prob([0.5])[0] == negative.log_prob([0.5])[0] == -np.inf
    A = np.array([[2.0, 0.3], [0.3, 1.0]])
    t = StudentT(5.0, np.array([1.0, 2.0]), A)
    x = np.random.default_rng(0).normal(size=(9, 2))
    assert_allclose(t.log_prob(x), stats.multivariate_t([1, 2], A, df=5).logpdf(x))
    assert_allclose(np.cov(t.sample(400_000, random_state=0).T), t.variance, atol=0.08)
    assert np.isnan(StudentT(1.0, np.zeros(1), np.eye(1)).mean).all()
    assert np.isinf(StudentT(2.0, np.zeros(1), np.eye(1)).variance).all()


def test_priors_are_frozen(named):
    _, prior = named
    with pytest.raises(AttributeError):
        prior.mean = 3.0


BAD_PRIORS = [
    (lambda: NormalKnownVariance(variance=0.0), "variance=0"),
    (lambda: NormalKnownVariance(noise_variance=-1.0), "noise_variance="),
    (lambda: NormalKnownVariance(mean=np.nan), "mean="),
    (lambda: NormalInverseGamma(kappa=0.0), "kappa="),
    (lambda: NormalInverseGamma(shape=np.inf), "shape="),
    (lambda: NormalInverseWishart([0.0, 0.0], 1.0, 1.0, np.eye(2)), "dof=1.0"),
    (lambda: NormalInverseWishart([0.0, 0.0], 1.0, 3.0, np.ones((2, 2))), "positive definite"),
    (lambda: NormalInverseWishart([0.0], 1.0, 3.0, np.eye(2)), "scale has shape"),
    (lambda: BetaBernoulli(a=-1.0), "a=-1"),
    (lambda: DirichletCategorical([1.0, 0.0]), "alpha="),
    (lambda: GammaPoisson(rate=0.0), "rate="),
]


@pytest.mark.parametrize(("make", "match"), BAD_PRIORS)
def test_bad_priors(make, match):
    with pytest.raises(ValueError, match=match):
        make()


BAD_DATA = [
    ("beta", [0, 2], "allowed are 0 and 1"),
    ("dirichlet", [0, 3], "labels go to 2"),
    ("dirichlet", [-1], "whole numbers from 0"),
    ("poisson", [-1, 2], "whole numbers from 0"),
    ("poisson", [0.5], "whole numbers from 0"),
    ("known", [], "at least one number"),
    ("gamma", [[1.0]], "at least one number"),
    ("gamma", [np.nan], "NaN"),
    ("wishart", [[1.0]], "columns"),
]


@pytest.mark.parametrize(("name", "data", "match"), BAD_DATA)
def test_bad_data(name, data, match):
    with pytest.raises(ValueError, match=match):
        PRIORS[name].posterior(data)


def test_bad_questions(named):
    _, prior = named
    for level in (0.0, 1.0, 1.5, np.nan):
        with pytest.raises(ValueError, match="level="):
            prior.credible_interval(level)
    with pytest.raises(ValueError, match="no single most probable"):
        BetaBernoulli().map()
    with pytest.raises(ValueError, match="no single most probable"):
        DirichletCategorical([0.5, 2.0]).map()
    for n_trials in (0, 2.5):
        with pytest.raises(ValueError, match="n_trials"):
            BetaBernoulli().predictive(n_trials)
