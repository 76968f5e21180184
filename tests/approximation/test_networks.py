"""Constructed networks: exact counts, constants, bounds that hold, and errors by name."""

import math
from fractions import Fraction
from math import comb, factorial

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning

from kiso.approximation import (
    TanhNetwork,
    interpolate,
    tanh_function,
    tanh_notes,
    tanh_polynomial,
    tanh_powers,
)
from kiso.approximation._coefficients import (
    half_slopes,
    merged_coefficients,
    series,
    tanh_derivative,
)
from kiso.approximation._heads import power_head
from kiso.nn import Affine, Network, Tanh


@pytest.mark.parametrize("p", [1, 3, 5, 7, 9, 11])
def test_coefficients_are_the_central_differences(p):
    """Merged pairs of δᵖ: (−1)ⁱ C(p, i) at slope p/2 − i, twice."""
    wanted = {Fraction(p, 2) - i: 2 * (-1) ** i * comb(p, i) for i in range((p + 1) // 2)}
    slopes = half_slopes(p)
    got = merged_coefficients(p, slopes)
    assert {a: c * tanh_derivative(p) for a, c in zip(slopes, got, strict=True)} == wanted


def test_derivatives_of_tanh():
    with mpmath.workdps(40):
        taylor = mpmath.taylor(mpmath.tanh, 0, 11)
        for m in range(12):
            assert abs(tanh_derivative(m) - taylor[m] * factorial(m)) < 1e-8


@pytest.mark.parametrize("p", [1, 3, 5, 7])
@pytest.mark.parametrize("order", [2, 4, 6])
def test_series_begins_at_the_order(p, order):
    slopes = half_slopes(p, order)
    found = series(p, slopes, merged_coefficients(p, slopes), order)
    assert found[p] == 1
    assert min(m for m in found if m != p) == p + order


@pytest.mark.parametrize("p", range(9))
@pytest.mark.parametrize("alpha", [Fraction(1, 5), Fraction(2)])
def test_heads_are_the_power_exactly(p, alpha):
    head = power_head(p, alpha)
    for y in (Fraction(-7, 3), Fraction(0), Fraction(5, 11)):
        total = sum(w * (y + s) ** q for (q, s), w in head.terms.items()) + head.constants[0]
        assert total == y**p


@pytest.mark.parametrize("s", [1, 3, 5, 7, 9])
def test_widths_of_the_lemmas(s):
    assert tanh_powers(range(1, s + 1, 2)).n_units == (s + 1) // 2
    assert tanh_powers(range(1, s + 1)).n_units == (3 * (s + 1) // 2 if s > 1 else 1)
    made = tanh_powers(range(s)) if s > 1 else tanh_powers(range(3))
    n = (s - 1) // 2 if s > 1 else 1
    assert made.n_units == 3 * n + 2


def test_it_is_an_ordinary_network():
    made = tanh_notes()
    kinds = [type(layer) for layer in made.network]
    assert isinstance(made.network, Network)
    assert kinds == [Affine, Tanh, Affine]
    assert made.network.n_parameters == 4 + 4 + 12 + 3
    x = np.linspace(-1, 1, 9)
    np.testing.assert_array_equal(made(x), made.network(x[:, None]))
    slope = made.network.input_gradient(x[:, None], output=2)
    np.testing.assert_allclose(slope[:, 0], 3 * x**2, atol=1e-6)


def exact_errors(made, digits=80, n=21):
    """Largest error of each output in many digits: the slow twin, straight from the formula."""
    low, high = made.interval
    points = [low + (high - low) * Fraction(i, n - 1) for i in range(n)]
    with mpmath.workdps(digits):
        x = [mpmath.mpf(p.numerator) / p.denominator for p in points]
        rows = made.evaluate(x, digits)
        errors = []
        for k, head in enumerate(made.construction.heads):
            centre = sum(made.interval) / 2
            wanted = [sum(c * ((p - centre) / made.scale) ** j for j, c in enumerate(head.target))
                      for p in points]  # fmt: skip
            errors.append(max(abs(row[k] - mpmath.mpf(w.numerator) / w.denominator)
                              for row, w in zip(rows, wanted, strict=True)))  # fmt: skip
    return np.array([float(e) for e in errors])


@pytest.mark.parametrize(("p", "constant"), [(1, 0.0833), (3, 1.0), (5, 3.542), (7, 8.507),
                                             (9, 16.72)])  # fmt: skip
def test_constants_and_order(p, constant):
    coarse, fine = (tanh_powers(p, h=Fraction(1, 10**k)) for k in (3, 4))
    assert coarse.constants[0] == pytest.approx(constant, rel=5e-4)
    errors = exact_errors(coarse)[0], exact_errors(fine)[0]
    assert np.log10(errors[0] / errors[1]) == pytest.approx(2, abs=1e-3)
    assert errors[1] / 1e-8 == pytest.approx(constant, rel=5e-4)


@pytest.mark.parametrize("make", [tanh_notes, lambda **k: tanh_powers(range(8), **k),
                                  lambda **k: tanh_powers(range(1, 6), bound=2.5, **k),
                                  lambda **k: tanh_powers([2, 3], order=4, **k)])  # fmt: skip
@pytest.mark.parametrize("h", ["1/20", "1/1000"])
def test_truncation_bound_holds_and_is_tight(make, h):
    made = make(h=h)
    errors = exact_errors(made)
    assert np.all(errors <= made.truncation * (1 + 1e-12))
    moving = [k for k, head in enumerate(made.construction.heads) if head.terms]
    assert np.all(errors[moving] > 0.8 * made.truncation[moving])


def test_notes_without_the_linear_term_and_the_wrong_constant():
    """E11: −2αh belongs to x², and it is α²/3 that is left, not α²."""
    h, alpha = 1e-3, 1.0
    x = np.linspace(-1, 1, 11)
    bare = (np.tanh(h * (x + alpha)) - np.tanh(h * (x - alpha))) / (-2 * alpha * h**3)
    linear = 2 * alpha * h / (-2 * alpha * h**3)
    assert np.max(np.abs(bare - x**2)) > 1e5
    assert np.max(np.abs(bare - linear - alpha**2 / 3 - x**2)) < 1e-5
    assert np.min(np.abs(bare - linear - alpha**2 - x**2)) > 0.6


@pytest.mark.parametrize("p", [3, 5, 7, 9])
def test_best_h_in_float64(p):
    """The chosen h is within a factor 2.5 of the best error of a scan."""
    scan = [tanh_powers(p, h=float(h)).errors(501)[0] for h in np.logspace(-5, -1, 61)]
    chosen = tanh_powers(p)
    assert chosen.errors(501)[0] < 2.5 * min(scan)
    u_law = (2.0**-53) ** (1 / (p + 1))
    assert 0.2 < float(chosen.h) / u_law < 5


@settings(deadline=None, max_examples=25)
@given(
    c=st.lists(st.floats(-5, 5), min_size=1, max_size=7),
    low=st.floats(-3, 3),
    width=st.floats(0.1, 4),
    order=st.sampled_from([2, 4, 8]),
)
def test_polynomials_keep_their_bound(c, low, width, order):
    made = tanh_polynomial(c, interval=(low, low + width), order=order)
    size = np.polynomial.polynomial.polyval(abs(low) + width, np.abs(c))
    assert made.errors(301)[0] <= made.error_bound[0] + 1e-14 * size


@pytest.mark.parametrize(
    ("f", "interval", "within"),
    [(np.exp, (-1, 1), 1e-7), (np.sin, (0, 3), 1e-6), (lambda x: np.log(x), (1, 2), 1e-5),
     (np.ones_like, (-1, 1), 1e-13), (np.zeros_like, (2, 5), 0)],
)  # fmt: skip
def test_functions_keep_their_bound(f, interval, within):
    made = tanh_function(f, interval=interval)
    assert made.errors()[0] <= made.error_bound[0] <= within


def test_numpy_numbers_are_numbers():
    assert tanh_powers(np.int64(3)).n_units == 2
    assert tanh_powers(np.arange(1, 4), bound=np.float32(2)).error_bound.shape == (3,)


@pytest.mark.parametrize("bound", [1e-3, 100.0])
def test_the_scale_of_x_does_not_matter(bound):
    powers = np.arange(1, 6)
    one, other = tanh_powers(powers), tanh_powers(powers, bound=bound)
    np.testing.assert_allclose(other.truncation / bound**powers, one.truncation, rtol=0.05)
    assert np.all(other.errors() <= other.error_bound)


def test_a_pole_nearby_is_said_in_the_bound():
    made = tanh_function(lambda x: 1 / (1 + 25 * x**2))
    assert 0.05 < made.errors()[0] <= made.error_bound[0]
    assert made.tail > 0.9 * made.errors()[0]


def test_functions_of_one_number_and_constants():
    made = tanh_function(math.sin, interval=(0, 2))
    assert made.errors()[0] <= made.error_bound[0] < 1e-4
    assert made(1.0) == pytest.approx(math.sin(1), abs=1e-4)
    assert tanh_function(lambda x: 2.5, interval=(3, 4)).errors()[0] < 1e-14


@pytest.mark.parametrize("f", [np.abs, np.sign, lambda x: np.sqrt(np.abs(x - 0.3))])
def test_what_is_not_smooth_is_said_and_bounded_all_the_same(f):
    with pytest.warns(ConvergenceWarning, match="not smooth enough"):
        made = tanh_function(f, degree=7)
    assert made.errors()[0] <= made.error_bound[0]


def test_many_oscillations_are_smooth():
    made = tanh_function(lambda x: np.sin(40 * x), interval=(0, 3), degree=4)  # no warning
    assert made.errors()[0] <= made.error_bound[0]


def test_many_digits():
    made = tanh_function(np.exp, digits=60)
    x = [Fraction(i, 10) for i in range(-10, 11)]
    with mpmath.workdps(60):
        points = [mpmath.mpf(p.numerator) / p.denominator for p in x]
        rows = made.evaluate(points, 60)
        worst = max(abs(r[0] - mpmath.exp(p)) for r, p in zip(rows, points, strict=True))
    assert float(worst) <= made.error_bound[0] < 1e-13
    assert made.errors(21)[0] < 1e-14  # evaluated in 60 digits, compared in float64
    with pytest.raises(ValueError, match="digits=60"):
        made.network  # noqa: B018


def test_far_more_digits_than_floats_hold():
    made = tanh_powers(range(1, 8), digits=120)
    errors = exact_errors(made, digits=120)
    assert np.all(errors <= made.error_bound)
    assert np.all(errors < 1e-28)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tanh_powers([]), "powers"),
        (lambda: tanh_powers([1, 1]), "powers"),
        (lambda: tanh_powers(-1), "powers"),
        (lambda: tanh_powers(3, h=0), "h=0"),
        (lambda: tanh_powers(3, h=float("nan")), "h=nan"),
        (lambda: tanh_powers(3, h="one"), "h='one'"),
        (lambda: tanh_powers(3, h="1/0"), "h='1/0'"),
        (lambda: tanh_powers(3, order=3), "order=3"),
        (lambda: tanh_powers(2, alpha=-1), "alpha=-1"),
        (lambda: tanh_powers(2, bound=0), "bound=0"),
        (lambda: tanh_notes(bound=0), "bound=0"),
        (lambda: tanh_polynomial([]), "coefficients"),
        (lambda: tanh_polynomial([np.nan]), "coefficients"),
        (lambda: tanh_polynomial([1], interval=(1, 1)), "interval"),
        (lambda: tanh_function(lambda x: x[:3]), "one finite value"),
        (lambda: tanh_function(lambda x: 1 / (x - x)), "one finite value"),
        (lambda: tanh_function(np.exp, degree=-1), "degree=-1"),
        (lambda: tanh_powers(3).evaluate([1], digits=0), "digits=0"),
        (lambda: tanh_powers(3, digits=400), "digits=400"),
        (lambda: interpolate(np.exp, 0), "degree=0"),
        (lambda: interpolate(np.exp, 3, nodes="random"), "random"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_pictures():
    for made in (tanh_notes(), tanh_function(np.exp)):
        assert isinstance(made, TanhNetwork)
        assert isinstance(made.plot(), Figure)


@pytest.mark.parametrize("nodes", ["chebyshev", "equispaced"])
def test_interpolation_is_exact_for_polynomials(nodes):
    c = np.random.default_rng(0).normal(size=8)
    x = np.linspace(0.5, 3, 101)  # 0.5 is a node of the equispaced ones
    p = interpolate(lambda t: np.polynomial.polynomial.polyval(t, c), 7, nodes=nodes,
                    interval=(0.5, 3.0))  # fmt: skip
    np.testing.assert_allclose(p(x), np.polynomial.polynomial.polyval(x, c), rtol=1e-10)
