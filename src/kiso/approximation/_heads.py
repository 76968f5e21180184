"""Polynomials as combinations of shifted odd powers: what one output of the network is.

    P(y) = Σ λ_{p,s} (y + s)ᵖ + Σ_q κ_q h^q,     p odd, s ∈ {0, α, −α}

An odd power is itself. An even one comes from the recursion of De Ryck, Lanthaler & Mishra
(2021), Lemma 3.2:

    y²ⁿ = [(y+α)²ⁿ⁺¹ − (y−α)²ⁿ⁺¹ − 2 Σ_{k<n} C(2n+1, 2k) α²⁽ⁿ⁻ᵏ⁾⁺¹ y²ᵏ] / (2α(2n+1)),

for n = 1: y² = [(y+α)³ − (y−α)³]/(6α) − α²/3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import comb

__all__ = ["Head", "polynomial_head", "power_head"]

Term = tuple[int, Fraction]  # (p, s): stands for (y + s)ᵖ


@dataclass(frozen=True)
class Head:
    """λ_{p,s} in `terms`, κ_q in `constants`, and P itself, lowest power first."""

    terms: Mapping[Term, Fraction]
    constants: Mapping[int, Fraction]
    target: tuple[Fraction, ...]
    name: str = field(default="", compare=False)


@lru_cache(maxsize=512)
def _power(p: int, alpha: Fraction) -> tuple[Mapping[Term, Fraction], Fraction]:
    """Return λ and κ₀ of yᵖ."""
    if p == 0:
        return {}, Fraction(1)
    if p % 2:
        return {(p, Fraction(0)): Fraction(1)}, Fraction(0)
    n = p // 2
    scale = 1 / (2 * alpha * (p + 1))
    terms: defaultdict[Term, Fraction] = defaultdict(Fraction)
    terms[p + 1, alpha] += scale
    terms[p + 1, -alpha] -= scale
    constant = Fraction(0)
    for k in range(n):
        weight = -2 * comb(p + 1, 2 * k) * alpha ** (2 * (n - k) + 1) * scale
        lower, lower_constant = _power(2 * k, alpha)
        constant += weight * lower_constant
        for term, factor in lower.items():
            terms[term] += weight * factor
    return dict(terms), constant


def power_head(p: int, alpha: Fraction) -> Head:
    """Return the head of yᵖ.

    Examples
    --------
    The constant −α²/3 of y² (one transcription has −α²):

    >>> power_head(2, Fraction(1, 3)).constants[0] * -3
    Fraction(1, 9)
    """
    return polynomial_head([Fraction(0)] * p + [Fraction(1)], alpha, name=f"x^{p}")


def polynomial_head(coefficients: Sequence[Fraction], alpha: Fraction, name: str = "") -> Head:
    """Return the head of Σ_p coefficients[p] yᵖ."""
    terms: defaultdict[Term, Fraction] = defaultdict(Fraction)
    constant = Fraction(0)
    for p, factor in enumerate(coefficients):
        if factor:
            powers, part = _power(p, alpha)
            constant += factor * part
            for term, weight in powers.items():
                terms[term] += factor * weight
    return Head(
        {term: w for term, w in terms.items() if w}, {0: constant}, tuple(coefficients), name
    )
