"""−∇f is the direction of steepest descent: no unit vector has a smaller slope.

By Cauchy-Schwarz ∇fᵀu ≥ −‖∇f‖ for ‖u‖ = 1, with equality for u = −∇f/‖∇f‖ alone. The best
of N random unit vectors comes close as N grows: in n dimensions the chance to be within an
angle θ goes as θⁿ⁻¹, so the shortfall 1 − cos θ of the best goes as N^(−2/(n−1)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.optim import Objective, Rosenbrock

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIMENSIONS = (2, 3, 5)
COUNTS = 4 ** np.arange(2, 9)  # 16 ... 65,536 directions
N_REPEATS = 24
STEP = 1e-6


def run(seed: int) -> Outcome:
    """Throw random directions at Rosenbrock's function and compare with −∇f."""
    rng = np.random.default_rng(seed)
    checks: list[Check] = []
    shortfalls = {}
    for n in DIMENSIONS:
        f = Rosenbrock(n)
        x = f.start + 0.1 * rng.standard_normal(n)
        ratios = best_ratios(f, x, rng)
        shortfalls[n] = 1 - ratios
        checks.append(at_most(f"n = {n}: best random slope / steepest", 1.0, float(ratios.max())))
        least = 0.99 if n == 5 else 0.999
        checks.append(
            at_least(f"n = {n}: the same, {COUNTS[-1]:,} directions", least, ratios[:, -1].mean())
        )
        slope = np.polyfit(np.log(COUNTS), np.log(np.median(1 - ratios, axis=0)), 1)[0]
        name = f"n = {n}: exponent of the shortfall in N"
        checks.append(close(name, -2 / (n - 1), float(slope), atol=0.2, digits=3))
        checks.append(decrease_check(n, f, x, rng))
    f = Rosenbrock(2)
    fan = slopes_around(f, f.start)
    return Outcome(tuple(checks), {"shortfalls": shortfalls, "fan": fan})


def unit_vectors(rng: np.random.Generator, count: int, n: int) -> Any:
    """Directions, uniform on the sphere."""
    u = rng.standard_normal((count, n))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def best_ratios(f: Objective, x: Any, rng: np.random.Generator) -> Any:
    """Slope of the best of the first N directions over −‖∇f‖: (repeats, counts)."""
    g = f.gradient(x)
    rows = []
    for _ in range(N_REPEATS):
        slopes = unit_vectors(rng, int(COUNTS[-1]), f.n) @ g
        best = np.minimum.accumulate(slopes)[COUNTS - 1]
        rows.append(best / -np.linalg.norm(g))
    return np.array(rows)


def decrease_check(n: int, f: Objective, x: Any, rng: np.random.Generator) -> Check:
    """Compare values, not slopes: a short real step along each direction."""
    g = f.gradient(x)
    steepest = f.value(x) - f.value(x - STEP * g / np.linalg.norm(g))
    others = [f.value(x) - f.value(x + STEP * u) for u in unit_vectors(rng, 2000, n)]
    return at_most(f"n = {n}: best decrease / that of −∇f", 1.0, float(max(others) / steepest))


def slopes_around(f: Objective, x: Any) -> tuple[Any, Any]:
    """The slope in every direction of the plane, over ‖∇f‖."""
    angles = np.linspace(0, 2 * np.pi, 181)
    g = f.gradient(x)
    from_steepest = np.arctan2(-g[1], -g[0])
    u = np.stack([np.cos(angles + from_steepest), np.sin(angles + from_steepest)], axis=1)
    return np.degrees(angles) - 180, np.roll((u @ g / np.linalg.norm(g))[:-1], 90)


def draw(outcome: Outcome) -> Figure:
    """Left: slope against angle. Right: shortfall of the best random direction."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    angles, slopes = outcome.data["fan"]
    left.plot(angles[:-1], slopes, color="C0")
    left.axhline(-1.0, color="black", ls="--", lw=0.8)
    left.plot(0, -1, "o", color="C3", ms=9)
    left.annotate("−∇f/‖∇f‖", (0, -1), xytext=(14, 10), textcoords="offset points")
    left.set(
        xlabel="angle to −∇f, degrees",
        ylabel="slope / ‖∇f‖",
        title="Rosenbrock's function at its start: slope in every direction",
        xticks=range(-180, 181, 60),
    )
    for n, shortfall in outcome.data["shortfalls"].items():
        middle = np.median(shortfall, axis=0)
        low, high = np.quantile(shortfall, [0.1, 0.9], axis=0)
        line = right.loglog(COUNTS, middle, "o-", label=f"n = {n}")[0]
        right.fill_between(COUNTS, low, high, color=line.get_color(), alpha=0.2)
        theory = middle[2] * (COUNTS / COUNTS[2]) ** (-2 / (n - 1))
        right.loglog(COUNTS, theory, "--", color=line.get_color(), lw=1)
    right.set(
        xlabel="random unit directions N",
        ylabel="shortfall of the best: 1 − slope/(−‖∇f‖)",
        title="The best of N comes close (dashed: N^(−2/(n−1)))",
    )
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="The negative gradient is the direction of steepest descent",
    rows=(50,),
    claim="∇fᵀu ≥ −‖∇f‖ for every unit u, with equality for u = −∇f/‖∇f‖",
    source="Higham & Higham (2019), Deep learning: an introduction for applied "
    "mathematicians, section 4",
    run=run,
    draw=draw,
)
