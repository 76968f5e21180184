"""Uniform stability of stochastic gradient: one sample more or less hardly matters.

Two data sets of n samples differ in one. Stochastic gradient with the same row numbers and
rates η_t ≤ 2/β on convex, L-Lipschitz, β-smooth losses ends at w and w′ with
E sup_z |f(w; z) − f(w′; z)| ≤ (2L²/n) Σ η_t, which bounds the expected generalisation gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most, close
from kiso.optim import GradientDescent, stochastic_descent, with_replacement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (50, 100, 200, 400, 800)
N_RUNS = 200  # random data sets and row sequences; their mean stands for the expectation
N_FEATURES = 5
RATE, N_STEPS = 0.5, 600
LIPSCHITZ = 1.0  # logistic loss with ‖x‖ ≤ 1: |∇f| ≤ 1, β = 1/4, so η ≤ 8


def run(seed: int) -> Outcome:
    """Train on twin data sets of several sizes; compare with the bound."""
    rng = np.random.default_rng(seed)
    told = [gaps_of_twins(n, rng) for n in SIZES]
    steps = told[0][0]
    gaps = np.array([gap for _, gap in told])  # (sizes, steps)
    bounds = np.array([bound(n, steps) for n in SIZES])
    checks = verdicts(steps, gaps, bounds)
    return Outcome(
        checks,
        {"steps": steps, "gaps": gaps, "bounds": bounds},
        "The notes count the references of Higham & Higham as the printed version does, one more "
        "than version 1: [16] is Hardt, Recht & Singer, and [33], of tiny perturbations, Su et al.",
    )


def bound(n: int, steps: Any) -> Any:
    """(2L²/n) Σ η_t after so many steps."""
    return 2 * LIPSCHITZ**2 * RATE * steps / n


def verdicts(steps: Any, gaps: Any, bounds: Any) -> tuple[Check, ...]:
    """Below the bound at every step and size, and proportional to 1/n."""
    worst = float(np.max(gaps / bounds))
    slope = np.polyfit(np.log(SIZES), np.log(gaps[:, -1]), 1)[0]
    return (
        at_most("largest gap / bound, over all steps and sizes", 1.0, worst, digits=3),
        close("exponent of the gap in n", -1.0, float(slope), atol=0.2, digits=3),
        at_most(
            "gap at the end / gap at a quarter (the bound: 4), largest n",
            4.0,
            float(gaps[-1, -1] / gaps[-1, len(steps) // 4]),
            digits=3,
        ),
    )


def samples(rng: np.random.Generator, *shape: int) -> tuple[Any, Any]:
    """Points on the unit sphere with noisy labels ±1."""
    x = rng.standard_normal((*shape, N_FEATURES))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return x, np.where(x[..., 0] + 0.3 * rng.standard_normal(shape) > 0, 1.0, -1.0)


def gaps_of_twins(n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Mean over runs of sup_z |f(w; z) − f(w′; z)| as the steps go on."""
    X, s = samples(rng, N_RUNS, n)
    twin_x, twin_s = samples(rng, N_RUNS)  # stands in for sample 0 of each set
    runs = np.arange(N_RUNS)

    def loss(w: Any, rows: Any) -> tuple[float, Any]:
        """One row a run, the same for both twins; w (2, runs, features)."""
        x = np.stack([X[runs, rows], X[runs, rows]])
        label = np.stack([s[runs, rows], s[runs, rows]])
        swapped = rows == 0
        x[1, swapped], label[1, swapped] = twin_x[swapped], twin_s[swapped]
        margin = label * np.sum(x * w, axis=2)
        pull = -label / (1 + np.exp(margin))
        return float(np.mean(np.logaddexp(0, -margin))), pull[..., None] * x

    start = np.zeros((2, N_RUNS, N_FEATURES))
    batches = with_replacement(n, N_RUNS, n_steps=N_STEPS, random_state=rng)
    states = stochastic_descent(loss, start, batches, GradientDescent(RATE), every=20)
    told = []
    for state in states:
        w, other = state.params
        told.append((state.n_iter, worst_difference(w, other, rng)))
    steps, gaps = np.array(told).T
    return steps, gaps


def worst_difference(w: Any, other: Any, rng: np.random.Generator) -> float:
    """Mean over runs of the largest loss difference at any z = (x, ±1), ‖x‖ = 1.

    The candidates are random points and ±(w − w′)/‖w − w′‖, where it is largest for
    twins that are close.
    """
    apart = w - other
    size = np.linalg.norm(apart, axis=1, keepdims=True)
    along = np.divide(apart, size, out=np.zeros_like(apart), where=size > 0)
    points = samples(rng, 200)[0]
    z = np.concatenate([np.broadcast_to(points, (len(w), *points.shape)), along[:, None]], axis=1)
    a, b = np.einsum("rzf,rf->rz", z, w), np.einsum("rzf,rf->rz", z, other)
    both = [np.abs(np.logaddexp(0, -t * a) - np.logaddexp(0, -t * b)) for t in (1, -1)]
    return float(np.mean(np.max(both, axis=(0, 2))))


def draw(outcome: Outcome) -> Figure:
    """Left: gap and bound over the steps. Right: against the number of samples."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps, gaps, bounds = (outcome.data[k] for k in ("steps", "gaps", "bounds"))
    for i, n in enumerate(SIZES):
        left.loglog(steps, gaps[i], color=f"C{i}", label=f"n = {n}")
        left.loglog(steps, bounds[i], "--", color=f"C{i}", lw=0.9)
    left.set(
        xlabel="step",
        ylabel="E sup |f(w; z) − f(w′; z)|",
        title="Twins that differ in one sample (dashed: the bound)",
    )
    left.legend(fontsize=8)
    right.loglog(SIZES, gaps[:, -1], "o-", label="measured")
    right.loglog(SIZES, bounds[:, -1], "k--", label="bound 2L² Ση/n")
    right.set(
        xlabel="samples n", ylabel=f"gap after {N_STEPS} steps", title="Stability improves as 1/n"
    )
    right.set_xticks(SIZES, map(str, SIZES))
    right.set_xticks([], minor=True)
    left.set_xticks((20, 60, 200, 600), ("20", "60", "200", "600"))
    left.set_xticks([], minor=True)
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Stochastic gradient is stable: swapping one of n samples moves it by O(1/n)",
    rows=(69,),
    claim="Convex: ε_stab ≤ (2L²/n) Σ η_t",
    source="Hardt, Recht & Singer (2016), Train faster, generalize better, theorem 3.8; "
    "Higham & Higham (2019), section 7",
    run=run,
    draw=draw,
)
