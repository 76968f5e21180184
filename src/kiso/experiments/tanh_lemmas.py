"""Tanh networks that are constructed: counts, orders, constants, and where rounding stops them.

For odd p, with T_p = tanh⁽ᵖ⁾(0), f̂_p(y) = δᵖ_{hy}σ(0)/(T_p hᵖ) has (p + 1)/2 units and

    f̂_p − yᵖ = (p/24)(T_{p+2}/T_p) h² yᵖ⁺² + O(h⁴).

Rounding adds about u h¹⁻ᵖ, so the best h goes as u^(1/(p+1)).
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.approximation import TanhNetwork, tanh_notes, tanh_powers
from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.nn import Tanh

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POWERS = (1, 3, 5, 7, 9)
CONSTANTS = {1: 0.0833, 3: 1.000, 5: 3.542, 7: 8.507, 9: 16.72}
BEST = {3: (1.2e-4, 2.5e-8), 5: (2.0e-3, 1.5e-5), 7: (8.6e-3, 6.1e-4), 9: (1.6e-2, 4.4e-3)}
SCAN = {3: (-5.0, -2.5), 5: (-4.0, -1.5), 7: (-3.2, -1.0), 9: (-3.0, -0.8)}  # log10 h
POINTS = [Fraction(i, 7) for i in range(-7, 8)]
DIGITS = (16, 24, 32, 40, 48, 56)


def run(seed: int) -> Outcome:
    """Count, measure orders and constants in 60 digits, then find the float64 U-curves."""
    del seed  # nothing is random
    curves = {p: u_curve(p) for p in POWERS}
    checks = [
        *derivative_checks(),
        *count_checks(),
        *order_checks(),
        *notes_checks(),
        *u_curve_checks(curves),
        *law_checks(),
        *digit_checks(),
    ]
    remark = (
        "The notes' formula for x², as far as it can be read, lacks −2αh and grows as 1/h² "
        "without it; one transcription has −α² where −α²/3 belongs. The constant of x⁷ is 8.5098 "
        "exactly, of which 8.507 is a measurement. The paper is arXiv 2104.08938; the number "
        "2104.08803 that goes with it in some notes is another paper's."
    )
    return Outcome(tuple(checks), {"curves": curves}, remark)


def derivative_checks() -> list[Check]:
    """T_m from the values of tanh on a circle: T_m = m! × mean of tanh(e^iθ) e^(−imθ)."""
    turn = np.exp(2j * np.pi * np.arange(128) / 128)
    tanh, x = Tanh(), np.linspace(0, 20, 401)
    taylor = np.fft.fft(tanh(turn)).real / 128
    odd = float(np.abs(tanh(x) + tanh(-x)).max())
    found = [round(float(taylor[m]) * factorial(m)) for m in POWERS]
    off = max(abs(float(taylor[m]) * factorial(m) - t) for m, t in zip(POWERS, found, strict=True))
    wanted = [1, -2, 16, -272, 7936]
    return [
        Check("tanh⁽ᵐ⁾(0), m = 1, 3, …, 9", str(wanted), str(found), found == wanted),
        at_most("and how far from whole numbers", 1e-6, off, digits=1),
        at_most("|tanh(x) + tanh(−x)| on [0, 20]: tanh is odd", 0.0, odd),
    ]


def count_checks() -> list[Check]:
    """Neurons of the lemmas and of the notes, counted in the networks that are returned."""

    def hidden(made: TanhNetwork) -> int:
        return int(made.network.layers[0].output_shape((1,))[0])

    odd = [hidden(tanh_powers(range(1, s + 1, 2))) for s in POWERS]
    every = [hidden(tanh_powers(range(1, s + 1))) for s in POWERS[1:]]
    even = [hidden(tanh_powers(range(2 * n + 1))) for n in (1, 2, 3, 4)]
    return [
        same("neurons for odd powers to s = 1, 3, …, 9: (s+1)/2", [1, 2, 3, 4, 5], odd),
        same("neurons for all powers to s = 3, 5, 7, 9: 3(s+1)/2", [6, 9, 12, 15], every),
        same("neurons for x⁰ … x²ⁿ, n = 1 … 4: 3n+2", [5, 8, 11, 14], even),
        same("neurons for x, x², x³ in the notes", [4], [hidden(tanh_notes())]),
    ]


def same(what: str, claimed: list[int], measured: list[int]) -> Check:
    """Check that two lists are equal."""
    return Check(what, str(claimed), str(measured), claimed == measured)


def errors_in_digits(made: TanhNetwork, powers: Any, digits: int) -> Any:
    """Largest |output − x^p| on fifteen points of [−1, 1], in many digits."""
    rows = made.evaluate(POINTS, digits)
    return np.array([
        max(float(abs(as_fraction(row[k]) - x**p)) for x, row in zip(POINTS, rows, strict=True))
        for k, p in enumerate(powers)
    ])  # fmt: skip


def as_fraction(value: Any) -> Fraction:
    """Return an mpf as the fraction that it is."""
    mantissa, exponent = value.man_exp
    size = abs(int(mantissa)) * Fraction(2) ** int(exponent)
    return size if value > 0 else -size


def order_checks() -> list[Check]:
    """Errors at h = 1e-3 and 1e-4 with 60 digits: order, and constant against the formula."""
    checks = []
    for p in POWERS:
        coarse, fine = (
            errors_in_digits(tanh_powers(p, h=h), [p], 60)[0] for h in ("1/1000", "1/10000")
        )
        checks.append(close(f"x^{p}: order", 2, float(np.log10(coarse / fine)), atol=5e-3))
        constant = CONSTANTS[p]
        checks.append(close(f"x^{p}: constant", constant, fine * 1e8, atol=1e-3 * constant))
    checks.append(close("x³: order of the derivative", 2, derivative_order(), atol=1e-2))
    return checks


def derivative_order() -> float:
    """Order of ‖f̂₃' − 3x²‖, by the input gradient: the lemmas bound derivatives as well."""
    x = np.linspace(-1, 1, 201)[:, None]
    errors = [
        np.abs(tanh_powers(3, h=h).network.input_gradient(x) - 3 * x**2).max()
        for h in ("1/25", "1/50")
    ]
    return float(np.log2(errors[0] / errors[1]))


def notes_checks() -> list[Check]:
    """The four-neuron network: orders, the constant 2 of x³; x² with a term left out."""
    coarse, fine = (errors_in_digits(tanh_notes(h=h), [1, 2, 3], 60) for h in ("1/1000", "1/10000"))
    orders = np.log10(coarse / fine)
    h, alpha, x = 1e-3, 1.0, np.linspace(-1, 1, 101)
    bare = (np.tanh(h * (x + alpha)) - np.tanh(h * (x - alpha))) / (-2 * alpha * h**3)
    right = bare + 1 / h**2 - alpha**2 / 3
    misread = bare + 1 / h**2 - alpha**2
    return [
        *(close(f"four neurons, x^{p}: order", 2, float(orders[p - 1]), atol=5e-3)
          for p in (1, 2, 3)),
        close("four neurons, x³: constant", 2, float(fine[2] * 1e8), atol=2e-3),
        at_most("x², h = 1e-3: error, with −2αh and α²/3", 1e-5, max_error(right, x)),
        at_least("x², the same without −2αh (E11): error, about 1/h²", 0.9e6, max_error(bare, x)),
        close("x², the same with α² for α²/3 (E11): error", 2 / 3, max_error(misread, x),
              atol=1e-4),
    ]  # fmt: skip


def max_error(values: Any, x: Any) -> float:
    """Largest |values − x²|."""
    return float(np.max(np.abs(values - x**2)))


def u_curve(p: int, n: int = 121) -> tuple[Any, Any, TanhNetwork]:
    """h, float64 errors on [−1, 1], and the network with the h that is chosen by default."""
    h = np.logspace(*SCAN.get(p, (-7.0, -0.5)), n)
    errors = [float(tanh_powers(p, h=float(value)).errors(401)[0]) for value in h]
    return h, np.array(errors), tanh_powers(p)


def u_curve_checks(curves: Any) -> list[Check]:
    """Best h and best error of the table, and that the default is nearly as good."""
    checks = [at_most("x: error of the default h, float64", 2e-15, curves[1][2].errors()[0])]
    for p, (best_h, best_error) in BEST.items():
        h, errors, chosen = curves[p]
        at = int(np.argmin(errors))
        checks += [
            within_factor(f"x^{p}, float64: best h", best_h, float(h[at]), 2),
            within_factor(f"x^{p}, float64: best error", best_error, float(errors[at]), 2),
            at_most(f"x^{p}: error of the default h / best", 2.5,
                    float(chosen.errors(401)[0] / errors[at])),
        ]  # fmt: skip
    return checks


def within_factor(what: str, claimed: float, measured: float, factor: float) -> Check:
    """Check that a number is right to within a factor."""
    holds = 1 / factor <= measured / claimed <= factor
    return Check(what, f"{claimed:.3g}, to a factor {factor:g}", measured, bool(holds))


def law_checks() -> list[Check]:
    """Slope of log h* against the digits of the arithmetic: −1/(p+1), not −1/(p+2)."""
    checks = []
    for p in (3, 5):
        best = []
        for digits in DIGITS:
            around = np.arange(-1.5, 1.5, 0.125) - digits / (p + 1)
            errors = [
                errors_in_digits(tanh_powers(p, h=float(10.0**e)), [p], digits)[0] for e in around
            ]
            smooth = np.convolve(np.log(errors), np.ones(5) / 5, mode="valid")  # rounding is noise
            best.append(around[2 + int(np.argmin(smooth))])
        slope = -float(np.polyfit(DIGITS, best, 1)[0])
        checks.append(close(f"x^{p}: exponent of u in the best h", 1 / (p + 1), slope, atol=0.02))
    return checks


def digit_checks() -> list[Check]:
    """What was seen in mpmath, and that (p+1) log₁₀(1/h) digits are needed and enough."""
    checks = []
    for p, h, claimed in ((3, "1e-12", 1.0e-24), (5, "1e-8", 3.54e-16)):
        error = errors_in_digits(tanh_powers(p, h=h), [p], 50)[0]
        checks.append(within_factor(f"x^{p}, h = {h}, 50 digits: error", claimed, error, 1.02))
    for p, digits in ((7, 64), (9, 80)):
        made = tanh_powers(p, h="1e-8")
        few, enough = (errors_in_digits(made, [p], d)[0] for d in (50, digits))
        bound = 1.05 * CONSTANTS[p] * 1e-16
        checks.append(at_least(f"x^{p}, h = 1e-8, 50 digits: error", 1e-6, few, digits=1))
        checks.append(at_most(f"x^{p}, h = 1e-8, {digits} digits: error", bound, enough, digits=3))
    return checks


def draw(outcome: Outcome) -> Figure:
    """Draw the U-curves with both laws, and the h that is chosen."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    for k, (p, (h, errors, chosen)) in enumerate(outcome.data["curves"].items()):
        axes.loglog(h, np.maximum(errors, 1e-17), ".", ms=3, color=f"C{k}", label=f"x^{p}")
        law = chosen.construction.truncation(h)[0] + chosen.construction.rounding(h)[0]
        axes.loglog(h, law, color=f"C{k}", lw=1)
        if p > 1:
            axes.axvline(float(chosen.h), color=f"C{k}", ls=":", lw=1)
    axes.set(xlabel="h", ylabel="largest error on [−1, 1]", ylim=(1e-17, 30))
    axes.set_title("Float64: C h² falls, u h¹⁻ᵖ rises (lines: predicted; dotted: chosen h)")
    axes.legend(title="tanh network for")
    return figure


EXPERIMENT = Experiment(
    title="The tanh lemmas: powers as constructed networks",
    rows=(40, 41, 42, 43, 44, 45, 46),
    claim="(s+1)/2 neurons give all odd powers to s, 3(s+1)/2 all powers, with an error O(h²) that "
    "(p/24)(T_{p+2}/T_p) leads; rounding puts the best h at u^(1/(p+1))",
    source="De Ryck, Lanthaler & Mishra (2021), arXiv 2104.08938, Lemmas 3.1 and 3.2",
    run=run,
    draw=draw,
)
