"""η < 2/λmax: the edge between converging and diverging gradient descent.

On a quadratic with Hessian A the error of gradient descent is multiplied by I − ηA at each
step, so along the eigenvector of λ by 1 − ηλ: it shrinks if and only if η < 2/λ. With
momentum α the edge is 2(1 + α)/λmax.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome
from kiso.optim import (
    GradientDescent,
    Momentum,
    Objective,
    Quadratic,
    Rule,
    descent,
    plot_trajectories,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHA = 0.5
N_STEPS = 400


def run(seed: int) -> Outcome:
    """Find the edge by bisection on what the iterates do, never looking at the spectrum."""
    rng = np.random.default_rng(seed)
    bowl = Quadratic(rng.uniform(0.5, 50) * np.linspace(0.05, 1, 6), random_state=rng)
    X = rng.standard_normal((200, 4)) * [1.0, 1.5, 2.0, 0.7]
    squares = Quadratic(np.linalg.eigvalsh(X.T @ X / len(X)), random_state=rng)
    momentum = partial(Momentum, alpha=ALPHA)
    cases: list[tuple[str, Any, Objective, float]] = [
        ("quadratic in 6 variables", GradientDescent, bowl, 2.0),
        ("least squares, 200 × 4", GradientDescent, squares, 2.0),
        (f"momentum α = {ALPHA}, the quadratic", momentum, bowl, 2.0 * (1 + ALPHA)),
    ]
    checks, growth = [], {}
    for name, rule, f, claimed in cases:
        largest = float(np.linalg.eigvalsh(f.hessian(f.start))[-1])
        start = f.minimizers[0] + rng.standard_normal(f.n)
        edge = find_edge(rule, f, start) * largest
        checks.append(edge_check(name, claimed, edge))
        shares = np.linspace(0.05, 1.15, 45)
        factors = [growth_factor(rule(s * claimed / largest), f, start) for s in shares]
        growth[name] = (shares, np.array(factors))
    return Outcome(tuple(checks), {"growth": growth, "runs": trajectories()})


def edge_check(name: str, claimed: float, edge: float) -> Check:
    """Compare η·λmax at the edge with the claim, within 1 %."""
    holds = abs(edge - claimed) <= 0.01 * claimed
    return Check(f"η λmax at the edge, {name}", f"{claimed:g} ± 1 %", edge, bool(holds))


def growth_factor(rule: Rule, f: Objective, start: Any) -> float:
    """Factor a step by which the error grows in the long run (below 1: it shrinks)."""
    states = descent(f, start, method=rule, tol=0.0, max_iter=N_STEPS)
    gaps = []
    for state in states:
        gaps.append(float(np.linalg.norm(state.x - f.minimizers[0])))
        if gaps[-1] > 1e12 * gaps[0]:
            break
    half = len(gaps) // 2  # by then the slowest part of the error is all that is left
    return float((gaps[-1] / gaps[half]) ** (1 / (len(gaps) - 1 - half)))


def find_edge(make_rule: Any, f: Objective, start: Any) -> float:
    """Bisect for the largest rate at which the error still shrinks."""
    low, high = 0.0, 1e-3
    while growth_factor(make_rule(high), f, start) < 1:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        if growth_factor(make_rule(middle), f, start) < 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def trajectories() -> dict[str, Any]:
    """Paths on a bowl with λ = 1 and 10 on this side of the edge, near it, and beyond."""
    f = Quadratic([1.0, 10.0])
    paths = {}
    for eta in (0.05, 0.15, 0.19, 0.203):
        states = descent(f, [-2.0, 0.6], method=GradientDescent(eta), tol=0.0, max_iter=25)
        paths[f"η λmax = {eta * 10:g}"] = np.array([s.x for s in states])
    return paths


def draw(outcome: Outcome) -> Figure:
    """Left: growth a step against the rate. Right: paths on both sides of the edge."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (shares, factors) in outcome.data["growth"].items():
        left.plot(shares, np.where(factors < 1.5, factors, np.nan), ".-", label=name)
    left.axhline(1.0, color="grey", lw=0.8)
    left.axvline(1.0, color="black", ls="--", label="the edge of theory")
    left.set(
        xlabel="learning rate / (edge of theory)",
        ylabel="growth of the error, a step",
        title="The error shrinks up to the edge, and not beyond",
        ylim=(0.4, 1.2),
    )
    left.legend(fontsize=8)
    f = Quadratic([1.0, 10.0])
    plot_trajectories(f, outcome.data["runs"], right, xlim=(-2.4, 0.8), ylim=(-1.5, 1.5))
    right.set_title("Gradient descent, λ = 1 and 10: beyond 2 it leaves")
    return figure


EXPERIMENT = Experiment(
    title="Gradient descent converges up to a learning rate of 2/λmax",
    rows=(78,),
    claim="Gradient descent on a quadratic converges if and only if η < 2/λmax",
    source="CS229 lecture on linear regression and gradient descent; "
    "Goodfellow et al. (2016), Deep Learning, section 4.3",
    run=run,
    draw=draw,
)
