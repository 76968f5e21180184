"""The calls: powers, polynomials and smooth functions as constructed tanh networks.

De Ryck, Lanthaler & Mishra (2021), *On the approximation of functions by tanh neural
networks*, Lemmas 3.1 and 3.2 (arXiv 2104.08938).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from kiso._validation import Array

from ._chebyshev import RESOLVED, chebyshev_series, values_at
from ._check import (
    ORDERS,
    check_alpha,
    check_degree,
    check_interval,
    check_order,
    check_positive,
    check_powers,
)
from ._construction import Construction, unit_roundoff
from ._heads import Head, polynomial_head, power_head
from ._network import TanhNetwork

__all__ = ["tanh_function", "tanh_notes", "tanh_polynomial", "tanh_powers"]

_MOST_FLOAT64, _MOST_DIGITS = 12, 40  # degrees worth trying: rounding forbids more


def tanh_powers(
    powers: int | Sequence[int],
    *,
    h: float | str | Fraction | None = None,
    bound: float = 1.0,
    alpha: float | Fraction | None = None,
    order: int = 2,
    digits: int | None = None,
) -> TanhNetwork:
    """Make a network with outputs x^p, one for each of `powers`, on [−bound, bound].

    Odd powers up to s alone take (s + 1)/2 units (Lemma 3.1); all powers 1 … s, s odd, take
    3(s + 1)/2 (Lemma 3.2); powers 0 … 2n take 3n + 2. For order 2 and odd p

        f̂_p(x) = Σ_i (−1)ⁱ C(p, i) σ((p/2 − i) h x) / (σ⁽ᵖ⁾(0) hᵖ)
               = xᵖ + (p/24)(T_{p+2}/T_p) h² xᵖ⁺² + O(h⁴).

    Parameters
    ----------
    powers : int or sequence of int
        Each 0 or more, none twice.
    h : float, str, Fraction or None, default=None
        The step. None takes the best for float64, or for `digits`.
    bound : float, default=1.0
        M.
    alpha : float or Fraction or None, default=None
        Shift of the units for even powers. None is bound/s, in the proof 1/s, where s is the
        highest odd power in use.
    order : int, default=2
        2 is the paper's; each further 2 costs one unit more in every group and changes the
        error from O(h²) to O(h^order), which also moves the best h up.
    digits : int or None, default=None
        Decimal digits of the arithmetic that h is chosen for. None is float64.

    Returns
    -------
    TanhNetwork

    Raises
    ------
    ValueError
        For powers that are negative, doubled or missing, and other values out of range.

    Examples
    --------
    >>> cube = tanh_powers(3)
    >>> cube
    TanhNetwork(1 → 2 → 1, h=0.000134, error ≤ 2e-07)
    >>> bool(cube.errors()[0] <= cube.error_bound[0])
    True
    """
    wanted = check_powers(list(powers) if isinstance(powers, Iterable) else [powers])
    scale = check_positive("bound", bound)
    shift = check_alpha(alpha, scale, max(wanted) | 1)
    heads = tuple(power_head(p, shift) for p in wanted)
    construction = Construction(heads, float(scale), check_order(order))
    return _finish(construction, h, digits, (-scale, scale), Fraction(1), _power_targets(wanted))


def tanh_notes(
    *, h: float | str | Fraction | None = None, alpha: float | Fraction = 1, bound: float = 1.0
) -> TanhNetwork:
    """Make the four-neuron network of the notes: σ(hx), σ(2hx), σ(h(x ± α)) → x, x², x³.

        σ(hx)/h = x + O(h²),   [σ(2hx) − 2σ(hx)]/(σ'''(0) h³) = x³ − 2h²x⁵ + O(h⁴),
        [σ(h(x+α)) − σ(h(x−α)) − 2αh]/(σ'''(0) α h³) − α²/3 = x² + O(h²).

    In the notes the last lacks, as far as they can be read, the term 2αh.

    Parameters
    ----------
    h : float, str, Fraction or None, default=None
        None takes the best for float64.
    alpha : float or Fraction, default=1
    bound : float, default=1.0

    Examples
    --------
    >>> tanh_notes().network
    Network(Affine(1 → 4), Tanh(), Affine(4 → 3))
    """
    a = check_positive("alpha", alpha)
    zero, one, two = Fraction(0), Fraction(1), Fraction(2)
    # σ(hz)/h·6/(T₃h²) = z³ − 3z/h² + …, so the difference over 6α leaves −1/h² to take away
    square = Head(
        {(3, a): 1 / (6 * a), (3, -a): -1 / (6 * a)}, {0: -a * a / 3, -2: one},
        (zero, zero, one), "x^2",
    )  # fmt: skip
    heads = (power_head(1, a), square, power_head(3, a))
    slopes = (
        ((1, zero), (one,)), ((3, zero), (one, two)), ((3, a), (one,)), ((3, -a), (one,)),
    )  # fmt: skip
    scale = check_positive("bound", bound)
    construction = Construction(heads, float(scale), 2, slopes)
    return _finish(construction, h, None, (-scale, scale), one, _power_targets([1, 2, 3]))


def tanh_polynomial(
    coefficients: ArrayLike,
    *,
    interval: tuple[float, float] = (-1.0, 1.0),
    h: float | str | Fraction | None = None,
    alpha: float | Fraction | None = None,
    order: int = 2,
    digits: int | None = None,
) -> TanhNetwork:
    """Make a network that is Σ_p coefficients[p] x^p on an interval.

    Written in y = (x − centre)/half-width, so that |y| ≤ 1; only the units for powers that
    occur are there.

    Parameters
    ----------
    coefficients : array-like
        Lowest power first.
    interval : tuple of two floats, default=(-1, 1)
    h, alpha, order, digits
        As in `tanh_powers`.

    Raises
    ------
    ValueError
        For no or non-finite coefficients, or an empty interval.

    Examples
    --------
    >>> quartic = tanh_polynomial([1, 0, -3, 0, 2], interval=(0, 2), order=6)
    >>> bool(quartic.errors()[0] < quartic.error_bound[0] < 1e-3)
    True
    """
    c = np.asarray(coefficients, float)
    if c.ndim != 1 or not c.size or not np.all(np.isfinite(c)):
        raise ValueError(f"coefficients={coefficients!r}: give finite numbers, lowest power first")
    low, high = check_interval(interval)
    centre, half = (low + high) / 2, (high - low) / 2
    in_y = _substituted([Fraction(float(value)) for value in c], centre, half)
    shift = check_alpha(alpha, Fraction(1), (len(in_y) - 1) | 1)
    head = polynomial_head(in_y, shift, name="P(x)")
    construction = Construction((head,), 1.0, check_order(order))

    def target(x: Array) -> Array:
        return np.polynomial.polynomial.polyval(x, c)[:, None]

    return _finish(construction, h, digits, (low, high), half, target)


def tanh_function(
    f: Callable[..., ArrayLike],
    *,
    interval: tuple[float, float] = (-1.0, 1.0),
    degree: int | None = None,
    order: int | None = None,
    digits: int | None = None,
) -> TanhNetwork:
    """Make a network that is a smooth function on an interval, with a bound on the error.

    f is expanded in Chebyshev polynomials, f = Σ_k c_k T_k(y), cut at `degree` (the tail is at
    most Σ_{k>degree} |c_k|), and the polynomial is constructed. A high degree leaves a short
    tail and costs rounding (the best error of degree p goes as u^(r/(p+r−1))): degree and
    order are chosen where the stated bound is least.

    Parameters
    ----------
    f : callable
        Takes an array of points and gives as many values; or one number (`math.exp`).
    interval : tuple of two floats, default=(-1, 1)
    degree : int or None, default=None
        None tries 1 … 12, and to 40 with `digits`.
    order : int or None, default=None
        None tries 2, 4, 6, 8.
    digits : int or None, default=None
        As in `tanh_powers`; f itself is sampled in float64.

    Raises
    ------
    ValueError
        If f gives other shapes or values that are not finite.

    Warns
    -----
    ConvergenceWarning
        If f is not smooth (a kink, a jump, a pole close by): the coefficients then do not fall to
        rounding, and what is beyond them is measured, not bounded.

    Examples
    --------
    >>> sine = tanh_function(np.sin, interval=(0, 3))
    >>> bool(sine.errors()[0] <= sine.error_bound[0] < 1e-3)
    True
    """
    low, high = check_interval(interval)
    half = (high - low) / 2
    series = chebyshev_series(f, float(low), float(high))
    c, unseen = series.c, series.unseen
    if not series.smooth:
        warnings.warn(
            f"f is not smooth enough on [{float(low):g}, {float(high):g}]: its first {len(c)} "
            f"Chebyshev polynomials miss it by {unseen:.2g}, as measured, so that the bound on "
            "the error is one on the points looked at only",
            ConvergenceWarning,
            stacklevel=2,
        )
    shown = np.cumsum(np.abs(c)[::-1])[::-1]  # Σ_{k≥i} |c_k|
    best = None
    most = min(len(c), _MOST_FLOAT64 if digits is None else _MOST_DIGITS)
    for d in range(1, most + 1) if degree is None else [check_degree(degree)]:
        tail = RESOLVED * shown[0] + unseen + float(shown[d + 1] if d + 1 < len(shown) else 0)
        if best is not None and tail > float(best.error_bound[0]):
            continue
        poly = [Fraction(float(v)) for v in np.polynomial.chebyshev.cheb2poly(c[: d + 1])]
        for r in ORDERS if order is None else [check_order(order)]:
            head = polynomial_head(poly, Fraction(1, max(2, d | 1)), name="f(x)")
            made = _finish(
                Construction((head,), 1.0, r), None, digits, (low, high), half,
                lambda x: values_at(f, x)[:, None], tail,
            )  # fmt: skip
            if best is None or made.error_bound[0] < best.error_bound[0]:
                best = made
    assert best is not None
    return best


def _finish(
    construction: Construction,
    h: float | str | Fraction | None,
    digits: int | None,
    interval: tuple[Fraction, Fraction],
    scale: Fraction,
    targets: Callable[[Array], Array],
    tail: float = 0.0,
) -> TanhNetwork:
    if digits is not None and not 1 <= digits <= 150:
        raise ValueError(f"digits={digits}: give 1 to 150, or None for float64")
    step = construction.best_h(unit_roundoff(digits)) if h is None else check_positive("h", h)
    return TanhNetwork(construction, step, interval, scale, targets, tail, digits)


def _power_targets(powers: list[int]) -> Callable[[Array], Array]:
    return lambda x: np.stack([x**p for p in powers], axis=1)


def _substituted(c: list[Fraction], centre: Fraction, half: Fraction) -> list[Fraction]:
    """Return the coefficients in y of Σ c_p (centre + half y)^p."""
    found = [Fraction(0)] * len(c)
    for p, value in enumerate(c):
        for j in range(p + 1):
            found[j] += value * comb(p, j) * centre ** (p - j) * half**j
    return found
