"""Information measures: identities, SciPy, edges where logarithms are infinite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import mutual_info_score

from kiso.inference import (
    Gaussian,
    cross_entropy,
    empirical,
    empirical_joint,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
)


@st.composite
def pairs(draw):
    """Two distributions over K outcomes, with zeros here and there."""
    size = draw(st.integers(1, 8))
    weights = st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any)
    p, q = (np.array(draw(weights), dtype=float) for _ in range(2))
    return p / p.sum(), q / q.sum()


@settings(deadline=None, max_examples=150)
@given(pairs(), st.sampled_from([None, 2, 10.0]))
def test_identities_and_scipy(pair, base):
    p, q = pair
    assert_allclose(entropy(p, base=base), stats.entropy(p, base=base), atol=1e-12)
    assert_allclose(kl_divergence(p, q, base=base), stats.entropy(p, q, base=base), atol=1e-12)
    assert 0 <= entropy(p, base=base) <= np.log(len(p)) / np.log(base or np.e) + 1e-12
    kl, ce = kl_divergence(p, q, base=base), cross_entropy(p, q, base=base)
    assert kl >= 0
    assert_allclose(ce, entropy(p, base=base) + kl, atol=1e-12)
    js = js_divergence(p, q, base=base)
    assert_allclose(js, js_divergence(q, p, base=base), atol=1e-14)
    assert_allclose(js, jensenshannon(p, q, base=base) ** 2, atol=1e-12)
    assert kl_divergence(p, p) == 0
    assert js_divergence(p, p) == 0
    assert np.isinf(kl) == np.isinf(ce) == bool(np.any((p > 0) & (q == 0)))


def test_along_any_axis_and_broadcast():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4), (3, 2)), rng.dirichlet(np.ones(4), (3, 2))
    p0, q0 = np.moveaxis(p, -1, 0), np.moveaxis(q, -1, 0)
    for measure in (kl_divergence, cross_entropy, js_divergence):
        rows = [[measure(p[i, j], q[i, j]) for j in range(2)] for i in range(3)]
        assert_allclose(measure(p, q), rows)
        assert_allclose(measure(p0, q0, axis=0), rows)
        assert_allclose(measure(p, q[0, 0])[2, 1], measure(p[2, 1], q[0, 0]))
    assert isinstance(entropy(p[0, 0]), float)
    assert entropy(p).shape == (3, 2)


def test_known_values():
    assert entropy([1.0]) == entropy([1.0, 0.0]) == 0
    assert entropy(np.full(8, 1 / 8), base=2) == pytest.approx(3)
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert kl_divergence([1.0, 0.0], [0.5, 0.5], base=2) == pytest.approx(1)
    assert js_divergence([1.0, 0.0], [0.0, 1.0]) == pytest.approx(np.log(2))
    assert cross_entropy([1.0, 0.0], [0.25, 0.75], base=2) == 2


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5))
def test_mutual_information(seed, k, m):
    joint = np.random.default_rng(seed).dirichlet(np.ones(k * m)).reshape(k, m)
    joint[0, 0] += joint[-1, -1] if k * m > 1 else 0
    if k * m > 1:
        joint[-1, -1] = 0
    found = mutual_information(joint)
    by_entropies = entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint.ravel())
    assert_allclose(found, by_entropies, atol=1e-12)
    assert_allclose(mutual_information(joint.T), found, atol=1e-12)
    independent = np.outer(joint.sum(1), joint.sum(0))
    assert_allclose(mutual_information(independent), 0, atol=1e-12)
    assert_allclose(mutual_information(np.stack([joint, independent])), [found, 0], atol=1e-12)


def test_plug_in_from_samples():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 500)
    y = (x + rng.integers(0, 2, 500)) % 4
    *_, joint = empirical_joint(x, y)
    assert_allclose(mutual_information(joint), mutual_info_score(x, y))
    values, p = empirical(x)
    assert_allclose(p, [np.mean(x == v) for v in values])
    _, weighted = empirical([1, 2, 2], [2.0, 1.0, 1.0])
    assert_allclose(weighted, [0.5, 0.5])
    assert entropy(empirical(["only"])[1]) == 0


def gaussian(rng, d):
    A = rng.normal(size=(d, d + 2))
    return Gaussian.from_parameters(rng.normal(size=d), A @ A.T)


def test_gaussians_in_closed_form():
    rng = np.random.default_rng(0)
    p, q = gaussian(rng, 3), gaussian(rng, 3)
    x = p.sample(400_000, random_state=0)
    gap = p.log_prob(x) - q.log_prob(x)
    assert_allclose(kl_divergence(p, q), gap.mean(), atol=6 * gap.std() / 632)
    assert kl_divergence(p, p) == pytest.approx(0, abs=1e-12)
    assert kl_divergence(p, q) != pytest.approx(kl_divergence(q, p), rel=1e-3)
    assert_allclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q))
    assert_allclose(entropy(p, base=2) * np.log(2), entropy(p))
    diag = Gaussian.from_parameters([1.0, 2.0], [1.0, 4.0])
    same = Gaussian.from_parameters([1.0, 2.0], [[1.0, 0.0], [0.0, 4.0]])
    round_ = Gaussian.from_parameters([0.0, 0.0], 2.0)
    assert diag.kl_divergence(same) == pytest.approx(0, abs=1e-12)
    assert_allclose(round_.kl_divergence(diag), round_.kl_divergence(same))


def test_gaussian_mutual_information():
    rho = 0.6
    g = Gaussian.from_parameters([0.0, 5.0], [[4.0, 2 * rho], [2 * rho, 1.0]])
    expected = -0.5 * np.log(1 - rho**2)
    assert_allclose(mutual_information(g, components=[0]), expected)
    assert_allclose(mutual_information(g, components=[1], base=2), expected / np.log(2))
    assert mutual_information(
        Gaussian.from_parameters([0, 0], [1.0, 2.0]), components=[0]
    ) == pytest.approx(0, abs=1e-14)
    copy = Gaussian.from_parameters([0.0, 0.0], np.ones((2, 2)))
    assert mutual_information(copy, components=[0]) == np.inf


def test_float32_probabilities_pass():
    p = np.random.default_rng(0).dirichlet(np.ones(1000)).astype(np.float32)
    assert_allclose(entropy(p), stats.entropy(p.astype(float)), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: entropy([0.5, 0.6]), ValueError, "p misses a sum of 1"),
        (lambda: entropy([1.5, -0.5]), ValueError, "p contains -0.5"),
        (lambda: entropy([np.nan, 1.0]), ValueError, "p contains NaN"),
        (lambda: entropy([]), ValueError, "at least one"),
        (lambda: entropy(1.0), ValueError, "shape"),
        (lambda: entropy([1.0], base=1), ValueError, "base=1"),
        (lambda: entropy([1.0], base=-2), ValueError, "base=-2"),
        (lambda: kl_divergence([1.0], [0.5, 0.5]), ValueError, "p has 1 outcomes"),
        (lambda: kl_divergence([0.5, 0.5], [0.5, 0.4]), ValueError, "q misses"),
        (lambda: mutual_information([0.5, 0.5]), ValueError, "joint has shape"),
        (lambda: mutual_information([[0.5, 0.6]]), ValueError, "joint misses"),
        (lambda: mutual_information([[1.0]], components=[0]), ValueError, "components"),
        (lambda: empirical_joint([1, 2], [1]), ValueError, "one length"),
        (lambda: kl_divergence([1.0], Gaussian()), TypeError, "no distribution"),
        (lambda: js_divergence(Gaussian(), Gaussian()), TypeError, "closed form"),
    ],
)
def test_refusals(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_gaussian_refusals():
    g = Gaussian.from_parameters([0.0, 0.0], 1.0)
    with pytest.raises(ValueError, match="components"):
        mutual_information(g)
    with pytest.raises(ValueError, match="leave some"):
        mutual_information(g, components=[0, 1])
    with pytest.raises(ValueError, match="dimensions"):
        kl_divergence(g, Gaussian.from_parameters(0.0, 1.0))
