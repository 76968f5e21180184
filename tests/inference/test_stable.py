"""Differences of large numbers against mpmath, over the range of float64."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiso.inference import (
    BetaBernoulli,
    DirichletCategorical,
    Exponential,
    GammaPoisson,
    Laplace,
    LinearGaussian,
    NormalInverseGamma,
    Poisson,
    kl_divergence,
)
from kiso.inference._predictive import BetaBinomial, NegativeBinomial, StudentT
from kiso.inference._stable import excess, log1pmx, log_rising

SIZES = [1e-300, 1e-10, 1e-3, 0.1, 1.0, 1.46, 7.3, 14.9, 15.1, 100.0, 1e6, 1e12, 1e17]
WIDE = st.floats(-300, 300).map(lambda e: 10.0**e)
MODEST = st.floats(-12, 14).map(lambda e: 10.0**e)


@pytest.fixture(autouse=True)
def _many_digits():
    with mpmath.workdps(420):
        yield


def mp(x):
    return mpmath.mpf(float(x))


def close(found, true, rtol=1e-12, atol=1e-14):
    assert np.isfinite(found)
    assert abs(mp(found) - true) <= rtol * abs(true) + mp(atol), (found, float(true))


@pytest.mark.parametrize("x", [-1 + 1e-15, -0.9, -0.51, -0.49, -1e-9, 1e-300, 1e-9, 0.49, 9.0])
def test_log1pmx(x):
    close(log1pmx(x), mpmath.log1p(mp(x)) - mp(x), 1e-14, 1e-307)


@pytest.mark.parametrize("a", SIZES)
def test_log_rising(a):
    for n in [*SIZES, 0.3, 1e-6]:
        true = mpmath.loggamma(mp(a) + mp(n)) - mpmath.loggamma(mp(a))
        close(log_rising(a, n), true)
    assert log_rising(a, 0.0) == 0.0


@given(WIDE, WIDE)
@settings(max_examples=60, deadline=None)
def test_excess_of_any_pair(a, b):
    with mpmath.workdps(420):
        true = mp(a) * mpmath.log(mp(a) / mp(b)) - mp(a) + mp(b)
        assert abs(mp(excess(a, b)) - true) <= 1e-12 * abs(true) + mp(1e-307)


@given(WIDE, st.floats(-0.4, 0.4))
@settings(max_examples=60, deadline=None)
def test_excess_of_near_pairs(a, relative):
    b = a * (1 + relative)
    with mpmath.workdps(420):
        true = mp(a) * mpmath.log(mp(a) / mp(b)) - mp(a) + mp(b)
        assert abs(mp(excess(a, b)) - true) <= 1e-12 * abs(true) + mp(1e-307)


@given(WIDE, WIDE)
@settings(max_examples=60, deadline=None)
def test_kl_of_rates(r, s):
    p, q = Exponential.from_parameters(r), Exponential.from_parameters(s)
    with mpmath.workdps(420):
        ratio = mp(s) / mp(r)
        true = ratio - 1 - mpmath.log(ratio)
        found = p.kl_divergence(q)
        assert found == np.inf if true > mp(1.797e308) else abs(mp(found) - true) <= 1e-12 * true


def test_kl_of_extreme_and_of_near_parameters():
    assert Exponential.from_parameters(1e300).kl_divergence(
        Exponential.from_parameters(1e-300)
    ) == pytest.approx(600 * np.log(10) - 1)
    assert (
        Exponential.from_parameters(1e-300).kl_divergence(Exponential.from_parameters(1e300))
        == np.inf
    )  # 1e600
    near = Poisson.from_parameters(1e6).kl_divergence(Poisson.from_parameters(1e6 + 1e-3))
    assert near == pytest.approx(5e-13, rel=1e-6)
    assert kl_divergence([0.5, 0.5], [0.5 + 1e-9, 0.5 - 1e-9]) == pytest.approx(2e-18, rel=1e-6)
    wide = Laplace.from_parameters(0.0, 1e-300).kl_divergence(Laplace.from_parameters(0.0, 1e300))
    assert wide == pytest.approx(600 * np.log(10) - 1)
    d = Laplace.from_parameters(0.0, 1.0).kl_divergence(Laplace.from_parameters(1e-9, 1.0))
    assert d == pytest.approx(5e-19, rel=1e-6)


@given(MODEST, MODEST, st.sampled_from([0, 1, 3, 1000, 10**6, 10**12]))
@settings(max_examples=60, deadline=None)
def test_negative_binomial(shape, rate, k):
    found = NegativeBinomial(shape, rate).log_prob([k])[0]
    with mpmath.workdps(420):
        a, r = mp(shape), mp(rate)
        true = (
            mpmath.loggamma(a + k) - mpmath.loggamma(a) - mpmath.loggamma(k + 1)
            - a * mpmath.log1p(1 / r) - k * mpmath.log1p(r)
        )  # fmt: skip
        close(found, true, 1e-11, 1e-11)


@given(MODEST, MODEST, st.sampled_from([1, 7, 1000, 10**9, 10**12]), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_beta_binomial(a, b, n, share):
    k = int(n * share)
    found = BetaBinomial(n, a, b).log_prob([k])[0]
    with mpmath.workdps(420):
        A, B = mp(a), mp(b)
        true = (
            mpmath.log(mpmath.binomial(n, k))
            if n <= 1000
            else mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
        )
        for up, low, sign in ((A + k, A, 1), (B + n - k, B, 1), (A + B + n, A + B, -1)):
            true += sign * (mpmath.loggamma(up) - mpmath.loggamma(low))
        close(found, true, 1e-10, 1e-9)


def test_named_values():
    assert GammaPoisson(1, 1e-17).predictive().log_prob([0])[0] == pytest.approx(-39.1439, abs=1e-4)
    assert BetaBernoulli(1, 1e18).credible_interval().high == pytest.approx(3.6889e-18, rel=1e-4)
    t = StudentT(1e12, np.zeros(1), np.eye(1))
    np.testing.assert_allclose(t.log_prob([0.0, 1.0]), [-0.91893853320, -1.41893853320], rtol=1e-10)
    far = StudentT(3.0, np.zeros(1), np.eye(1)).log_prob([1e200, 1e-200])
    np.testing.assert_allclose(far, [-4 * 200 * np.log(10) - 1.0008888 + 2 * np.log(3), -1.0008888],
                               atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6, 1e12])
def test_evidence_is_the_sum_of_the_predictives(size):
    rng = np.random.default_rng(0)
    flips, counts, line = rng.integers(0, 2, 5), rng.poisson(2.0, 5), rng.normal(size=5)
    for prior, data in (
        (BetaBernoulli(size, 2 * size), flips),
        (GammaPoisson(size, size), counts),
        (DirichletCategorical([size, size]), flips),
        (NormalInverseGamma(0.0, size, size, size), line),
    ):
        total, at = 0.0, prior
        for x in data:
            total += float(at.predictive().log_prob([x])[0])
            at = at.posterior([x])
        assert prior.log_evidence(data) == pytest.approx(total, rel=1e-9), prior


def test_what_cannot_be_represented_is_refused():
    x = np.array([1.0, 2.0, 4.0])
    for scale in (1e160, 1e-170):
        with pytest.raises(ValueError, match="scale the data"):
            LinearGaussian().fit(x, scale * x**2)
    for fit in (lambda: Exponential().fit([1e308] * 2), lambda: Poisson().fit([1e308] * 2)):
        with pytest.raises(ValueError, match="beyond the largest number"):
            fit()
