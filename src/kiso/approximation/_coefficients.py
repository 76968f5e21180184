"""The exact numbers of the tanh lemmas, as fractions.

σ = tanh, T_m = σ⁽ᵐ⁾(0) = 1, −2, 16, −272, 7936 for m = 1, 3, 5, 7, 9, and

    f̂_p(y) = Σ_k c_k σ(a_k h y) / hᵖ = yᵖ + Σ_i e_i h²ⁱ yᵖ⁺²ⁱ,    i ≥ r/2, p odd,

with slopes a_k = ½, 3/2, 5/2, …. For order r = 2 these are the central differences of
De Ryck, Lanthaler & Mishra (2021), δᵖ_{hy}σ(0) / (σ⁽ᵖ⁾(0) hᵖ), with the pairs ±a merged
because σ is odd: (p + 1)/2 units. Higher orders need r/2 − 1 units more.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import factorial, prod

__all__ = ["half_slopes", "merged_coefficients", "series", "tanh_derivative"]


@lru_cache(maxsize=256)
def tanh_derivative(m: int) -> int:
    """Return T_m = σ⁽ᵐ⁾(0), an integer, by σ' = 1 − σ² for polynomials in σ.

    Examples
    --------
    >>> [tanh_derivative(m) for m in (1, 2, 3, 5, 7, 9)]
    [1, 0, -2, 16, -272, 7936]
    """
    poly = [0, 1]  # of σ
    for _ in range(m):
        slope = [k * c for k, c in enumerate(poly)][1:]
        poly = [0] * (len(slope) + 2)
        for k, c in enumerate(slope):
            poly[k] += c
            poly[k + 2] -= c
    return poly[0]


def half_slopes(p: int, order: int = 2) -> tuple[Fraction, ...]:
    """Return ½, 3/2, … : the slopes, over h, that f̂_p of this order uses."""
    return tuple(Fraction(2 * k + 1, 2) for k in range((p + order - 1) // 2))


def merged_coefficients(p: int, slopes: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return c_k with Σ_k c_k a_kᵐ T_m/m! = [m = p] for the first len(slopes) odd m.

    The Vandermonde system in a² is solved by Lagrange polynomials, exactly.

    Parameters
    ----------
    p : int
        Odd; below 2 len(slopes).
    slopes : sequence of Fraction
        Different and positive.

    Examples
    --------
    Times T_p these are (2), (−6, 2), (20, −10, 2) of the central differences.

    >>> [int(c * tanh_derivative(5)) for c in merged_coefficients(5, half_slopes(5))]
    [20, -10, 2]
    """
    scale = Fraction(factorial(p), tanh_derivative(p))
    squares = [a * a for a in slopes]
    found = []
    for k, a in enumerate(slopes):
        others = squares[:k] + squares[k + 1 :]
        poly = [Fraction(1)]  # Π (z − z_i), lowest power first
        for z in others:
            shifted = [Fraction(0), *poly]
            poly = [s - z * c for s, c in zip(shifted, [*poly, Fraction(0)], strict=True)]
        found.append(scale * poly[(p - 1) // 2] / (a * prod(squares[k] - z for z in others)))
    return tuple(found)


def series(
    p: int, slopes: Sequence[Fraction], coefficients: Sequence[Fraction], terms: int
) -> dict[int, Fraction]:
    """Return {m: Σ_k c_k a_kᵐ T_m/m!} where not 0: f̂_p(y) = Σ_m series[m] hᵐ⁻ᵖ yᵐ.

    Examples
    --------
    (p/24)(T_{p+2}/T_p) is 1 for p = 3, up to its sign.

    >>> s = half_slopes(3)
    >>> series(3, s, merged_coefficients(3, s), 1)
    {3: Fraction(1, 1), 5: Fraction(-1, 1)}
    """
    found = {}
    for m in range(1, p + 2 * terms + 1, 2):
        moment = sum((c * a**m for c, a in zip(coefficients, slopes, strict=True)), Fraction(0))
        value = moment * Fraction(tanh_derivative(m), factorial(m))
        if value:
            found[m] = value
    return found
