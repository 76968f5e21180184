"""From heads to units and weights, and the error that this makes.

A unit is σ(a h (y + s)); y = (x − centre)/scale, |y| ≤ M. By the Taylor series of σ a head is

    P(y) + Σ_{i≥1} h²ⁱ Q_i(y),   Q_i(y) = Σ λ_{p,s} e_{p,i} (y + s)ᵖ⁺²ⁱ,

and since |σ⁽ᵐ⁾(t)| ≤ |T_m| for odd m (σ' has a positive Fourier transform), what is left
after m is at most |T_{m+2}|/(m+2)! |t|ᵐ⁺² for each unit: the truncation error is bounded at
every h, not only in the limit. Rounding adds about u Σ_j |v_j| |a_j h (y + s_j)| ~ u h¹⁻ᵖ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import comb, cos, factorial, pi

import numpy as np

from kiso._validation import Array

from ._coefficients import half_slopes, merged_coefficients, series, tanh_derivative
from ._heads import Head

__all__ = ["Construction", "unit_roundoff"]

UNIT_ROUNDOFF = 2.0**-53
_TERMS = 4  # Q_1 … Q_4 are kept as polynomials, the rest is bounded
_GRID = 4096  # Chebyshev points on which maxima are taken


Unit = tuple[Fraction, Fraction]  # (a, s)


@dataclass(frozen=True)
class Construction:
    """Heads on one hidden layer of tanh units, for any h.

    Attributes
    ----------
    heads : tuple of Head
    bound : float
        M: |y| ≤ M.
    order : int
        The error is O(h^order): 2, 4, ….
    slopes : tuple of ((p, s), slopes over h)
        For the terms whose slopes are not ½, 3/2, ….
    """

    heads: tuple[Head, ...]
    bound: float
    order: int = 2
    slopes: tuple[tuple[tuple[int, Fraction], tuple[Fraction, ...]], ...] = ()

    def _atom(self, term: tuple[int, Fraction]) -> tuple[Sequence[Fraction], Sequence[Fraction]]:
        """Return slopes and coefficients of f̂_p(y + s)."""
        special = dict(self.slopes).get(term)
        if special is None:
            return _standard_atom(term[0], self.order)
        if len(special) < (term[0] + 1) // 2:  # too few: lower powers are left to the constants
            a = special[0]
            scale = Fraction(factorial(term[0]), tanh_derivative(term[0]))
            return special, (scale / a ** term[0],)
        return special, merged_coefficients(term[0], special)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """(a, s) of each unit: unshifted first, then +α, then −α."""
        found = {(a, term[1]) for head in self.heads for term in head.terms
                 for a in self._atom(term)[0]}  # fmt: skip
        return tuple(sorted(found, key=lambda unit: (unit[1] != 0, -unit[1], unit[0])))

    def output_weights(self, h: Fraction) -> tuple[list[list[Fraction]], list[Fraction]]:
        """Return v (units × heads) and the constants of the heads, exact."""
        index = {unit: j for j, unit in enumerate(self.units)}
        v = [[Fraction(0)] * len(self.heads) for _ in self.units]
        constants = []
        for k, head in enumerate(self.heads):
            for term, factor in head.terms.items():
                slopes, coefficients = self._atom(term)
                for a, c in zip(slopes, coefficients, strict=True):
                    v[index[a, term[1]]][k] += factor * c / h ** term[0]
            constants.append(sum((c * h**q for q, c in head.constants.items()), Fraction(0)))
        return v, constants

    def error_polynomials(self, k: int) -> list[list[Fraction]]:
        """Return Q_1, Q_2, … of head k, lowest power first, exact."""
        head = self.heads[k]
        found: list[defaultdict[int, Fraction]] = [defaultdict(Fraction) for _ in range(_TERMS)]
        for (p, s), factor in head.terms.items():
            for m, e in series(p, *self._atom((p, s)), _TERMS).items():
                if m <= p:
                    continue
                poly = found[(m - p) // 2 - 1]
                for j in range(m + 1):
                    if s or j == m:
                        poly[j] += factor * e * comb(m, j) * s ** (m - j)
        return [[poly[j] for j in range(max(poly, default=0) + 1)] for poly in found]

    @cached_property
    def truncation_series(self) -> Array:
        """Return max over |y| ≤ M of |Q_i|, one row a head; the last column bounds the rest.

        Maxima on N Chebyshev points are raised by 1/cos(πd/2N), the most that a polynomial of
        degree d can exceed them by between the points (Ehlich & Zeller, 1964).
        """
        y = np.cos((np.arange(_GRID) + 0.5) * pi / _GRID) * self.bound
        found = np.zeros((len(self.heads), _TERMS + 1))
        for k, head in enumerate(self.heads):
            for i, poly in enumerate(self.error_polynomials(k)):
                values = np.polynomial.polynomial.polyval(y, [float(c) for c in poly])
                found[k, i] = np.max(np.abs(values)) / cos(pi * len(poly) / (2 * _GRID))
            for (p, s), factor in head.terms.items():
                m = p + 2 * _TERMS + 2
                size = abs(factor) * abs(Fraction(tanh_derivative(m), factorial(m)))
                slopes, coefficients = self._atom((p, s))
                moment = sum(abs(c) * a**m for a, c in zip(slopes, coefficients, strict=True))
                found[k, -1] += float(size * moment) * (self.bound + abs(float(s))) ** m
        return found

    @cached_property
    def rounding_series(self) -> list[dict[int, float]]:
        """{q: R_q}: rounding is at most about u Σ_q R_q h^q, for each head."""
        found = []
        for head in self.heads:
            parts: defaultdict[int, float] = defaultdict(float)
            for (p, s), factor in head.terms.items():
                reach = self.bound + abs(float(s))
                slopes, coefficients = self._atom((p, s))
                moment = sum(abs(c) * a for a, c in zip(slopes, coefficients, strict=True))
                parts[1 - p] += float(abs(factor) * moment) * reach
            for q, c in head.constants.items():
                parts[q] += float(abs(c))
            found.append(dict(parts))
        return found

    def constants(self) -> Array:
        """Return max |Q_{r/2}| of each head: error ≈ constant · h^order."""
        return self.truncation_series[:, self.order // 2 - 1]

    def truncation(self, h: Array | float) -> Array:
        """Return the bound Σ_i max|Q_i| h²ⁱ, shape (n_heads, *h.shape)."""
        powers = np.stack([np.asarray(h, float) ** (2 * i) for i in range(1, _TERMS + 2)])
        return np.tensordot(self.truncation_series, powers, axes=1)

    def rounding(self, h: Array | float, u: float = UNIT_ROUNDOFF) -> Array:
        """Return u Σ_q R_q h^q, shape (n_heads, *h.shape)."""
        h = np.asarray(h, float)
        with np.errstate(over="ignore"):  # at a tiny h it may be infinite: not a candidate
            powers = [sum(r * h**q for q, r in parts.items()) for parts in self.rounding_series]
        return u * np.stack(powers)

    def best_h(self, u: float = UNIT_ROUNDOFF) -> Fraction:
        """Return the h of least truncation + rounding, relative to Σ|c_p| Mᵖ, in the worst head.

        With a head of power p alone and order r this is h* = (R u (p − 1)/(r C))^(1/(p+r−1)),
        so u^(1/(p+1)) for order 2. Rounded to eight bits, so that the slopes k h/2 are exact.
        """
        h = np.exp(np.linspace(np.log(u) / 2 - 2, 0.5, 1200)) / self.bound
        sizes = [sum(abs(float(c)) * self.bound**p for p, c in enumerate(head.target)) or 1.0
                 for head in self.heads]  # fmt: skip
        errors = self.truncation(h) + self.rounding(h, u)
        total = np.max(errors / np.array(sizes)[:, None], axis=0)
        return rounded(h[int(np.argmin(total))])


def unit_roundoff(digits: int | None) -> float:
    """Return u of float64, or of so many decimal digits."""
    return UNIT_ROUNDOFF if digits is None else 10.0**-digits


@lru_cache(maxsize=256)
def _standard_atom(p: int, order: int) -> tuple[Sequence[Fraction], Sequence[Fraction]]:
    slopes = half_slopes(p, order)
    return slopes, merged_coefficients(p, slopes)


def rounded(h: float, bits: int = 8) -> Fraction:
    """Return h to this many significant bits, as a fraction."""
    mantissa, exponent = np.frexp(h)
    return Fraction(round(float(mantissa) * 2**bits)) * Fraction(2) ** (int(exponent) - bits)
