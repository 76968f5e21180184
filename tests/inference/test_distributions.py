"""Every distribution against SciPy, and against the rules that all of them keep."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from kiso.inference import (
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    Laplace,
    LinearGaussian,
    Poisson,
)
from tests.naive.distributions import (
    absolute_error,
    fisher_information,
    weighted_mean_and_covariance,
)

# name -> (new object, draw data of n rows, names of the fitted parameters)
KINDS = {
    "full": (Gaussian, lambda r, n: r.normal(size=(n, 3)) @ r.normal(size=(3, 3)), "mean_"),
    "diag": (lambda: Gaussian("diag"), lambda r, n: r.normal(size=(n, 3)), "mean_"),
    "spherical": (lambda: Gaussian("spherical"), lambda r, n: r.normal(size=(n, 3)), "mean_"),
    "bernoulli": (Bernoulli, lambda r, n: r.integers(0, 2, (n, 2)), "probs_"),
    "poisson": (Poisson, lambda r, n: r.poisson([0.5, 7.0], (n, 2)), "rate_"),
    "exponential": (Exponential, lambda r, n: r.exponential([0.1, 9.0], (n, 2)), "rate_"),
    "laplace": (Laplace, lambda r, n: r.laplace(size=(n, 2)), "loc_"),
    "categorical": (Categorical, lambda r, n: r.choice(["a", "b", "c"], n), "probs_"),
}
PARAMETERS = (
    "mean_", "covariance_", "probs_", "rate_", "loc_", "scale_", "coef_", "intercept_",
    "variance_",
)  # fmt: skip


def parameters(model):
    return {name: getattr(model, name) for name in PARAMETERS if hasattr(model, name)}


def assert_same_fit(a, b, rtol=1e-10):
    assert parameters(a).keys() == parameters(b).keys()
    for name, value in parameters(a).items():
        assert_allclose(value, parameters(b)[name], rtol=rtol, atol=1e-12, err_msg=name)


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return KINDS[request.param]


# -- rules that all keep ------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), n_pieces=st.integers(2, 5), weighted=st.booleans())
@pytest.mark.parametrize("name", sorted(KINDS))
def test_pieces_in_any_order_equal_the_whole(name, seed, n_pieces, weighted):
    make, draw, _ = KINDS[name]
    rng = np.random.default_rng(seed)
    X = draw(rng, 40)
    w = rng.uniform(0.1, 2, 40) if weighted else np.ones(40)
    cuts = np.sort(rng.choice(np.arange(1, 40), n_pieces - 1, replace=False))
    cut = list(zip(np.split(X, cuts), np.split(w, cuts), strict=True))
    pieces = [make().fit(x, v) for x, v in cut]
    rng.shuffle(pieces)
    whole = make().fit(X, w)
    assert_same_fit(pieces[0].merge(*pieces[1:]), whole)
    one_by_one = pieces[0]
    for piece in pieces[1:]:
        one_by_one = one_by_one.merge(piece)
    assert_same_fit(one_by_one, whole)
    online = make()
    for x, v in cut:
        online.partial_fit(x, v)
    assert_same_fit(online, whole)


def test_merging_changes_neither(kind):
    make, draw, name = kind
    rng = np.random.default_rng(0)
    a, b = make().fit(draw(rng, 30)), make().fit(draw(rng, 20))
    before = getattr(a, name).copy(), getattr(b, name).copy()
    merged = a.merge(b)
    assert merged.statistics_.weight == 50
    assert_array_equal(getattr(a, name), before[0])
    assert_array_equal(getattr(b, name), before[1])
    assert not np.array_equal(getattr(merged, name), before[0])


def test_whole_weights_are_repetitions_and_zero_is_absence(kind):
    make, draw, _ = kind
    rng = np.random.default_rng(1)
    X, w = draw(rng, 30), rng.integers(0, 4, 30)
    weighted = make().fit(X, w)
    assert_same_fit(weighted, make().fit(np.repeat(X, w, axis=0)))
    assert_same_fit(weighted, make().fit(X[w > 0], w[w > 0]))


def test_no_weight_at_all_is_refused(kind):
    make, draw, _ = kind
    X = draw(np.random.default_rng(0), 5)
    with pytest.raises(ValueError, match="sample_weight"):
        make().fit(X, np.zeros(5))
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        make().fit(X, -np.ones(5))
    with pytest.raises(ValueError, match="sample_weight"):
        make().fit(X, np.ones(4))
    fitted = make().fit(X)
    assert_same_fit(clone(fitted).fit(X), fitted.partial_fit(X, np.zeros(5)))


def test_fit_maximises_the_likelihood(kind):
    """Moving any parameter a little lowers the mean log probability."""
    make, draw, _ = kind
    rng = np.random.default_rng(2)
    X = draw(rng, 200)
    best = make().fit(X)
    top = best.log_prob(X).mean()
    moved = 0
    for name, value in parameters(best).items():
        for factor in (0.97, 1.03):
            other = clone(best).fit(X)
            new = np.asarray(value) * factor
            if name == "probs_" and isinstance(best, Categorical):
                new = np.full_like(value, 1 / 3)
            setattr(other, name, new if new.ndim else float(new))
            assert other.log_prob(X).mean() < top
            moved += 1
    assert moved >= 2


def test_entropy_is_the_mean_surprise(kind):
    make, draw, _ = kind
    fitted = make().fit(draw(np.random.default_rng(3), 300))
    surprise = -fitted.log_prob(fitted.sample(200_000, random_state=0))
    assert_allclose(surprise.mean(), fitted.entropy(), atol=6 * surprise.std() / 447)


def test_kl_is_the_mean_difference(kind):
    make, draw, _ = kind
    rng = np.random.default_rng(4)
    p, q = make().fit(draw(rng, 60)), make().fit(draw(rng, 60))
    x = p.sample(200_000, random_state=1)
    difference = p.log_prob(x) - q.log_prob(x)
    assert p.kl_divergence(q) > 0
    assert_allclose(difference.mean(), p.kl_divergence(q), atol=6 * difference.std() / 447)
    assert p.kl_divergence(p) == pytest.approx(0, abs=1e-12)


def test_same_seed_same_sample(kind):
    make, draw, _ = kind
    fitted = make().fit(draw(np.random.default_rng(0), 30))
    assert_array_equal(fitted.sample(10, random_state=3), fitted.sample(10, random_state=3))
    assert len(fitted.sample(0)) == 0
    with pytest.raises(ValueError, match="n_samples"):
        fitted.sample(-1)
    with pytest.raises(TypeError, match="n_samples"):
        fitted.sample(2.5)


def test_refusals(kind):
    make, draw, _ = kind
    X = draw(np.random.default_rng(0), 10)
    with pytest.raises(NotFittedError):
        make().log_prob(X)
    with pytest.raises(NotFittedError):
        make().fit(X).merge(make())
    with pytest.raises(ValueError):
        make().fit(X[:0])
    with pytest.raises(ValueError):
        make().fit(np.zeros((3, 2, 2)))
    if X.dtype.kind != "U":
        for bad in (np.nan, np.inf):
            Z = X.astype(float)
            Z[3, 1] = bad
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                make().fit(Z)
        with pytest.raises(ValueError, match="columns"):
            make().fit(X).log_prob(X[:, :1])
        with pytest.raises(ValueError, match="columns"):
            make().fit(X).merge(make().fit(X[:, :1]))
        with pytest.raises(ValueError, match="columns"):
            make().fit(X).partial_fit(X[:, :1])
    other = Poisson() if make is not Poisson else Bernoulli()
    with pytest.raises(TypeError, match="merge"):
        make().fit(X).merge(other.fit([0, 1]))
    with pytest.raises(TypeError, match="closed form"):
        make().fit(X).kl_divergence(other)


def test_given_parameters_have_no_data_to_merge():
    with pytest.raises(ValueError, match="no data to merge"):
        Poisson().fit([1, 2]).merge(Poisson.from_parameters(1.0))
    with pytest.raises(ValueError, match="settings differ"):
        Gaussian().fit([[1.0], [2.0]]).merge(Gaussian("diag").fit([[1.0], [2.0]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["F", "view"])
def test_layout_and_precision_do_not_matter(kind, dtype, layout):
    make, draw, _ = kind
    X = draw(np.random.default_rng(5), 50)
    if X.dtype.kind == "U":
        return
    plain = make().fit(X.astype(np.float64))
    X = X.astype(dtype)
    X = np.asfortranarray(X) if layout == "F" else np.repeat(X, 2, axis=1)[:, ::2]
    assert_same_fit(make().fit(X), plain, rtol=1e-10 if dtype == np.float64 else 2e-5)
    assert plain.log_prob(X).dtype == np.float64


# -- Gaussian -----------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 15), d=st.integers(1, 4))
def test_gaussian_fit_against_the_textbook(seed, n, d):
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(n, d)) * 10 + 5, rng.uniform(0.1, 2, n)
    mean, covariance = weighted_mean_and_covariance(X, w)
    full = Gaussian().fit(X, w)
    assert_allclose(full.mean_, mean)
    assert_allclose(full.covariance_, covariance, atol=1e-10)
    assert_allclose(Gaussian("diag").fit(X, w).covariance_, np.diag(covariance), atol=1e-10)
    spherical = Gaussian("spherical").fit(X, w).covariance_
    assert isinstance(spherical, float)
    assert_allclose(spherical, np.diag(covariance).mean(), atol=1e-10)


def test_gaussian_against_scipy():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4))
    mean, covariance = rng.normal(size=4), A @ A.T
    x = rng.normal(size=(9000, 4))  # more than one lane
    oracle = stats.multivariate_normal(mean, covariance)
    full = Gaussian.from_parameters(mean, covariance)
    assert_allclose(full.log_prob(x), oracle.logpdf(x), rtol=1e-10)
    assert_allclose(full.entropy(), oracle.entropy())
    diagonal = stats.multivariate_normal(mean, np.diag(np.diag(covariance)))
    diag = Gaussian.from_parameters(mean, np.diag(covariance))
    assert_allclose(diag.log_prob(x), diagonal.logpdf(x))
    assert_allclose(diag.entropy(), diagonal.entropy())
    one = Gaussian.from_parameters(2.0, 9.0)
    assert_allclose(one.log_prob([1.0, 5.0]), stats.norm(2, 3).logpdf([1.0, 5.0]))


def test_gaussian_density_does_not_depend_on_units():
    """Columns of scales 1e-8 and 1e8 beside each other are not singular."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    unit = np.array([1e-8, 1e8])
    a, b = Gaussian().fit(X), Gaussian().fit(X * unit)
    assert_allclose(b.log_prob(X * unit), a.log_prob(X) - np.log(unit).sum(), rtol=1e-9)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_mean_far_from_zero(covariance_type):
    """Mean 1e9, variance 1, in pieces: the naive E x² − (E x)² has no digit left."""
    rng = np.random.default_rng(0)
    X = 1e9 + rng.normal(size=(100_000, 2))
    exact = (X - 1e9).var(axis=0)
    merged = Gaussian(covariance_type)
    for piece in np.split(X, 100):
        merged.partial_fit(piece)
    variances = np.diag(merged._full_covariance())
    expected = exact if covariance_type != "spherical" else exact.mean()
    assert_allclose(variances, expected, rtol=1e-9)


def test_hundred_million_by_merging():
    """A fit merged with itself again and again: 1e8 observations, the same parameters."""
    rng = np.random.default_rng(1)
    one = Gaussian().fit(1e9 + rng.normal(size=(1000, 2)))
    ten = one
    for _ in range(5):
        ten = ten.merge(*[ten] * 9)
    assert ten.statistics_.weight == 1e8
    assert_allclose(ten.mean_, one.mean_, rtol=1e-15)
    assert_allclose(ten.covariance_, one.covariance_, rtol=1e-12)


@pytest.mark.slow
def test_hundred_million_samples():
    """1e8 samples of mean 1e9 and variance 1, drawn and taken in piece by piece."""
    rng = np.random.default_rng(2)
    fitted, total, squares = Gaussian("diag"), 0.0, 0.0
    for _ in range(100):
        noise = np.rint(rng.normal(size=(1_000_000, 1)) * 2**20) / 2**20  # exact beside 1e9
        total += noise.sum()
        squares += (noise**2).sum()
        fitted.partial_fit(1e9 + noise)
    assert fitted.statistics_.weight == 1e8
    variance = squares / 1e8 - (total / 1e8) ** 2
    assert_allclose(fitted.covariance_, variance, rtol=1e-9)


@pytest.mark.parametrize("X", [np.ones((1, 2)) * 3.3, np.ones((50, 2)) * 0.1], ids=["one", "const"])
@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_degenerate_data(X, covariance_type):
    fitted = Gaussian(covariance_type).fit(X)
    assert_array_equal(fitted.mean_, X[0])
    assert not np.any(fitted.covariance_)
    assert fitted.entropy() == -np.inf
    assert_array_equal(fitted.sample(3, random_state=0), X[[0, 0, 0]])
    for call in (lambda: fitted.log_prob(X), fitted.fisher_information):
        with pytest.raises(ValueError, match="covariance is singular"):
            call()
    assert np.isfinite(Gaussian(covariance_type, reg_covar=0.1).fit(X).log_prob(X)).all()
    merged = fitted.merge(Gaussian(covariance_type).fit(X), fitted)
    assert_array_equal(merged.mean_, X[0])
    assert not np.any(merged.covariance_)


def test_collinear_columns_are_singular_and_sample_in_their_plane():
    x = np.random.default_rng(0).normal(size=200)
    fitted = Gaussian().fit(np.column_stack([x, 2 * x, x**2]))
    with pytest.raises(ValueError, match="rank 2 of at most 3"):
        fitted.log_prob(np.zeros((1, 3)))
    s = fitted.sample(50, random_state=0)
    assert_allclose(s[:, 1], 2 * s[:, 0], atol=1e-6)
    assert Gaussian().fit(np.eye(3)).kl_divergence(fitted) == np.inf


def test_overflow_is_said():
    with pytest.raises(ValueError, match="overflow"):
        Gaussian().fit(np.array([[1e200], [-1e200]]))


@pytest.mark.parametrize(
    ("mean", "covariance", "match"),
    [
        ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "covariance is not positive semi-definite"),
        ([0.0, 0.0], [[1.0, 0.5], [0.2, 1.0]], "covariance is not symmetric"),
        ([0.0, 0.0], [[1.0]], "covariance has shape"),
        ([0.0, 0.0], [1.0, -1.0], "covariance="),
        ([0.0, 0.0], -1.0, "covariance="),
        ([0.0, np.nan], 1.0, "mean="),
        ([[0.0]], 1.0, "mean has shape"),
        ([0.0, 0.0], [[1.0, np.nan], [np.nan, 1.0]], "covariance contains NaN"),
    ],
)
def test_bad_gaussian_parameters(mean, covariance, match):
    with pytest.raises(ValueError, match=match):
        Gaussian.from_parameters(mean, covariance)


def test_tiny_covariances_are_no_worse_than_others():
    tiny = Gaussian.from_parameters([0.0, 0.0], np.eye(2) * 1e-300)
    round_ = Gaussian.from_parameters([0.0, 0.0], np.eye(2))
    assert_allclose(tiny.log_prob([[0.0, 0.0]]), round_.log_prob([[0.0, 0.0]]) + 300 * np.log(10))


def test_one_number_is_no_data():
    with pytest.raises(ValueError, match=r"X=5.0: give an array"):
        Gaussian().fit(5.0)


def test_bad_gaussian_settings():
    with pytest.raises(ValueError, match="covariance_type"):
        Gaussian("round").fit([[1.0]])
    with pytest.raises(ValueError, match="reg_covar"):
        Gaussian(reg_covar=-1.0).fit([[1.0]])


# -- the others against SciPy -------------------------------------------------------------


def test_bernoulli_against_scipy():
    p = np.array([0.2, 1.0, 0.0])
    b = Bernoulli.from_parameters(p)
    x = np.array([[0, 1, 0], [1, 1, 0], [1, 0, 0], [0.5, 1, 0]])
    expected = stats.bernoulli(p).logpmf(x[:3]).sum(axis=1)
    assert_allclose(b.log_prob(x), [*expected, -np.inf])
    assert_allclose(b.entropy(), stats.bernoulli(0.2).entropy())
    assert_array_equal(np.isinf(np.diag(b.fisher_information())), [False, True, True])
    for bad in ([0, 2], [0, -1], [0.5]):
        with pytest.raises(ValueError, match="allowed are 0 and 1"):
            Bernoulli().fit(bad)
    with pytest.raises(ValueError, match="probs="):
        Bernoulli.from_parameters(1.5)


@pytest.mark.parametrize("rate", [0.0, 0.3, 4.0, 150.0, 1999.0, 2001.0, 1e5])
def test_poisson_against_scipy(rate):
    p = Poisson.from_parameters(rate)
    x = np.array([0, 1, 5, 150, 2000, 1e5])
    assert_allclose(p.log_prob(x), stats.poisson(rate).logpmf(x), rtol=1e-10)
    k = np.arange(int(rate + 20 * np.sqrt(rate) + 60))
    pmf = stats.poisson(rate).pmf(k)
    assert_allclose(p.entropy(), -(pmf * np.log(np.where(pmf > 0, pmf, 1))).sum(), rtol=1e-10)


def test_poisson_support():
    huge = Poisson.from_parameters(1e300).entropy()
    assert_allclose(huge, 0.5 * (np.log(2 * np.pi * np.e) + 300 * np.log(10)))
    p = Poisson().fit([0, 0])
    assert_array_equal(p.rate_, [0])
    assert_array_equal(p.log_prob([0.0, 1.0, -1.0, 0.5]), [0, -np.inf, -np.inf, -np.inf])
    for bad in ([1, -1], [0.5]):
        with pytest.raises(ValueError, match="counts are whole numbers"):
            Poisson().fit(bad)
    with pytest.raises(ValueError, match="rate="):
        Poisson.from_parameters(-1.0)


def test_exponential_against_scipy():
    e = Exponential.from_parameters([0.5, 4.0])
    x = np.array([[1.0, 2.0], [0.0, 0.0], [-1.0, 1.0]])
    assert_allclose(e.log_prob(x), stats.expon(scale=[2, 0.25]).logpdf(x).sum(axis=1))
    assert_allclose(e.entropy(), stats.expon(scale=[2, 0.25]).entropy().sum())
    with pytest.raises(ValueError, match="allowed are numbers from 0"):
        Exponential().fit([1.0, -1.0])
    zeros = Exponential().fit([0.0, 0.0])
    assert zeros.entropy() == -np.inf
    assert_array_equal(zeros.sample(2, random_state=0), [[0], [0]])
    with pytest.raises(ValueError, match="no density"):
        zeros.log_prob([0.0])


def test_laplace_against_scipy():
    oracle = stats.laplace([1.0, -2.0], [0.5, 3.0])
    l = Laplace.from_parameters([1.0, -2.0], [0.5, 3.0])  # noqa: E741
    x = np.random.default_rng(0).normal(size=(20, 2))
    assert_allclose(l.log_prob(x), oracle.logpdf(x).sum(axis=1))
    assert_allclose(l.entropy(), oracle.entropy().sum())
    constant = Laplace().fit([2.0, 2.0])
    assert constant.entropy() == -np.inf
    with pytest.raises(ValueError, match="no density"):
        constant.log_prob([2.0])


@settings(deadline=None, max_examples=60)
@given(
    x=st.lists(st.integers(-5, 5), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
)
def test_weighted_median_minimises_absolute_error(x, seed):
    w = np.random.default_rng(seed).integers(0, 4, len(x)) * 1.0
    w[0] += 1
    found = Laplace().fit(np.array(x, float), w)
    least = min(absolute_error(m, x, w) for m in x)
    assert absolute_error(found.loc_[0], x, w) == pytest.approx(least)
    assert found.scale_[0] == pytest.approx(least / w.sum())
    assert len(found.statistics_.rows) == (w > 0).sum()


def test_categorical():
    c = Categorical(["z", "b", "a"]).fit(["a", "b", "a"])
    assert_array_equal(c.categories_, ["a", "b", "z"])
    assert_allclose(c.probs_, [2 / 3, 1 / 3, 0])
    assert_array_equal(c.log_prob(["z", "q"]), [-np.inf, -np.inf])
    merged = Categorical().fit([1, 2]).merge(Categorical().fit([3, 3]))
    assert_array_equal(merged.categories_, [1, 2, 3])
    assert_allclose(merged.probs_, [0.25, 0.25, 0.5])
    assert_array_equal(Categorical.from_parameters([0.1, 0.9], ["b", "a"]).probs_, [0.9, 0.1])
    p = Categorical.from_parameters([0.5, 0.5])
    assert p.kl_divergence(Categorical.from_parameters([1.0])) == np.inf
    with pytest.raises(TypeError, match="strings with labels that are not"):
        Categorical().fit([1, 2]).merge(Categorical().fit(["a"]))
    with pytest.raises(TypeError, match="labels of one kind"):
        Categorical().fit(np.array([1, "a"], dtype=object))
    for missing in (None, np.nan, np.datetime64("NaT")):
        with pytest.raises(ValueError, match=r"Na[NT]"):
            Categorical().fit(np.array([missing, "a", "a"], dtype=object))
    with pytest.raises(ValueError, match="not among the categories"):
        Categorical(["a"]).fit(["b"])
    with pytest.raises(ValueError, match="twice"):
        Categorical(["a", "a"]).fit(["a"])
    for bad, match in (([0.5, 0.6], "sum of 1"), ([1.5, -0.5], "not negative"), ([], "at least")):
        with pytest.raises(ValueError, match=match):
            Categorical.from_parameters(bad)
    with pytest.raises(ValueError, match="NaN"):
        Categorical().fit([1.0, np.nan])


# -- Fisher information: the variance of the score ----------------------------------------

FISHER = {
    "full": (
        [0.5, -1.0, 2.0, 0.6, 1.0],
        lambda t: Gaussian.from_parameters(t[:2], [[t[2], t[3]], [t[3], t[4]]]),
    ),
    "diag": ([0.5, -1.0, 2.0, 1.0], lambda t: Gaussian.from_parameters(t[:2], t[2:])),
    "spherical": ([0.5, -1.0, 2.0], lambda t: Gaussian.from_parameters(t[:2], t[2])),
    "bernoulli": ([0.3, 0.6], Bernoulli.from_parameters),
    "poisson": ([0.7, 4.0], Poisson.from_parameters),
    "exponential": ([0.7, 4.0], Exponential.from_parameters),
    "laplace": ([0.7, 4.0, 1.0, 2.0], lambda t: Laplace.from_parameters(t[:2], t[2:])),
    "categorical": (
        [0.2, 0.5],
        lambda t: Categorical.from_parameters([*t, 1 - t.sum()]),
    ),
}


@pytest.mark.parametrize("name", sorted(FISHER))
def test_fisher_information_is_the_variance_of_the_score(name):
    theta, make = FISHER[name]
    theta = np.array(theta)
    X = make(theta).sample(200_000, random_state=0)
    measured = fisher_information(lambda t, x: make(t).log_prob(x), theta, X)
    exact = make(theta).fisher_information()
    size = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert_allclose(measured / size, exact / size, atol=0.025)


# -- LinearGaussian -----------------------------------------------------------------------


def line(rng, n=60, d=3):
    X = rng.normal(size=(n, d)) + 100
    return X, X @ np.arange(1.0, d + 1) - 7 + rng.normal(size=n)


def test_linear_gaussian_is_weighted_least_squares():
    rng = np.random.default_rng(0)
    X, y = line(rng)
    w = rng.uniform(0, 2, len(y))
    m = LinearGaussian().fit(X, y, w)
    A = np.column_stack([X, np.ones(len(y))]) * np.sqrt(w)[:, None]
    expected = np.linalg.lstsq(A, y * np.sqrt(w), rcond=None)[0]
    assert_allclose(m.coef_, expected[:-1], rtol=1e-9)
    assert_allclose(m.intercept_, expected[-1], rtol=1e-7)
    residual = y - X @ m.coef_ - m.intercept_
    assert_allclose(m.variance_, w @ residual**2 / w.sum(), rtol=1e-9)
    expected_log_prob = stats.norm(m.predict(X), np.sqrt(m.variance_)).logpdf(y)
    assert_allclose(m.log_prob(X, y), expected_log_prob)
    assert_allclose(m.entropy(), stats.norm(0, np.sqrt(m.variance_)).entropy())


def test_linear_gaussian_merges_in_any_order():
    X, y = line(np.random.default_rng(1))
    parts = [LinearGaussian().fit(X[a:b], y[a:b]) for a, b in ((0, 1), (1, 30), (30, 60))]
    whole = LinearGaussian().fit(X, y)
    for order in itertools.permutations(parts):
        assert_same_fit(order[0].merge(*order[1:]), whole, rtol=1e-8)
    online = LinearGaussian().partial_fit(X[:20], y[:20]).partial_fit(X[20:], y[20:])
    assert_same_fit(online, whole, rtol=1e-8)
    assert whole.merge(whole).n_features_in_ == 3
    with pytest.raises(ValueError, match="columns"):
        online.partial_fit(X[:, :1], y)


def test_linear_gaussian_fisher_information_gives_standard_errors():
    """The covariance of the estimate over many data sets is (n I)⁻¹."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 1)) + 2
    fits = []
    for _ in range(2000):
        y = 3 * X[:, 0] + 1 + rng.normal(size=400) * 0.5
        m = LinearGaussian().fit(X, y)
        fits.append([*m.coef_, m.intercept_, m.variance_])
    predicted = np.linalg.inv(400 * m.fisher_information())
    assert_allclose(np.std(fits, axis=0), np.sqrt(np.diag(predicted)), rtol=0.15)


def test_linear_gaussian_edges():
    rank_deficient = LinearGaussian().fit([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [1.0, 2.0, 3.0])
    assert_allclose(rank_deficient.predict([[4.0, 8.0]]), [4.0])
    one = LinearGaussian().fit([[1.0]], [5.0])
    assert_array_equal(one.coef_, [0.0])
    assert one.intercept_ == 5.0
    assert one.entropy() == -np.inf
    with pytest.raises(ValueError, match="no density"):
        one.log_prob([[1.0]], [5.0])
    with pytest.raises(ValueError, match="information is infinite"):
        one.fisher_information()
    given_ = LinearGaussian.from_parameters([2.0], 1.0, 0.25)
    assert_allclose(given_.sample(np.ones((4000, 1)), random_state=0).mean(), 3.0, atol=0.05)
    with pytest.raises(ValueError, match="fit to"):
        given_.fisher_information()
    for y, match in (([1.0], "y has 1"), ([[1.0], [2.0]], "y has shape"), ([1, np.nan], "y cont")):
        with pytest.raises(ValueError, match=match):
            LinearGaussian().fit([[1.0], [2.0]], y)
    with pytest.raises(ValueError, match="variance="):
        LinearGaussian.from_parameters([1.0], 0.0, -1.0)
