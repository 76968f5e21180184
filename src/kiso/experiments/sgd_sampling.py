"""Stochastic gradient with and without replacement, on a convex problem.

Higham & Higham pick one training point a step: independently (with replacement), or by
going through all of them in a new random order each epoch (without). Both give unbiased
steps. At a fixed rate η both end in a ball about the minimum; its squared radius is
proportional to η with replacement, and of higher order in η without, since over an epoch
every sample pulls once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.optim import (
    Batch,
    GradientDescent,
    stochastic_descent,
    with_replacement,
    without_replacement,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

M = 40  # samples
N_RUNS = 48  # side by side
RATES = 0.04 / 2.0 ** np.arange(4)
WAYS = ("with replacement", "without replacement")


def run(seed: int) -> Outcome:
    """Least squares from the same start, both ways, at several rates."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((M, 3))
    y = X @ rng.standard_normal(3) + rng.standard_normal(M)
    c = float(np.linalg.eigvalsh(X.T @ X / M)[0])  # the error falls by 1 − ηc a step at least
    paths = {
        (way, rate): follow(way, X, y, rate, int(np.ceil(9 / (rate * c * M))), rng)
        for way in WAYS
        for rate in RATES
    }
    balls = {way: np.array([np.mean(paths[way, rate][-8:]) for rate in RATES]) for way in WAYS}
    checks = (*unbiased_checks(rng), *ball_checks(balls))
    return Outcome(checks, {"paths": paths, "balls": balls})


def rows_of(way: str, n_epochs: int, rng: np.random.Generator) -> Iterator[Batch]:
    """One row a step for each run, drawn this way, the runs independent."""
    if way == "with replacement":
        return with_replacement(M, N_RUNS, n_steps=n_epochs * M, random_state=rng)
    streams = [
        without_replacement(M, 1, n_epochs=n_epochs, random_state=child)
        for child in rng.spawn(N_RUNS)
    ]
    steps = zip(*streams, strict=True)
    return (Batch(np.concatenate([b.rows for b in step]), step[0].epoch) for step in steps)


def follow(way: str, X: Any, y: Any, rate: float, n_epochs: int, rng: np.random.Generator) -> Any:
    """Return the mean of ‖w − w*‖² over the runs at the start and after each epoch."""
    best = np.linalg.lstsq(X, y)[0]

    def loss(w: Any, rows: Any) -> tuple[float, Any]:
        error = np.sum(X[rows] * w, axis=1) - y[rows]
        return float(np.mean(error**2) / 2), error[:, None] * X[rows]

    start = np.tile(best + 2.0, (N_RUNS, 1))
    n_epochs += 12  # eight of them are averaged once the ball is reached
    states = stochastic_descent(
        loss, start, rows_of(way, n_epochs, rng), GradientDescent(rate), every=M
    )
    points = [start, *(state.params for state in states)]
    return np.array([np.mean(np.sum((w - best) ** 2, axis=1)) for w in points])


def unbiased_checks(rng: np.random.Generator) -> list[Check]:
    """The mean of a batch, over many batches, is the mean of all: z-scores."""
    g = rng.standard_normal(M)
    checks = []
    draws: tuple[Any, ...] = (with_replacement, without_replacement)
    for way, draw_batches in zip(WAYS, draws, strict=True):
        # the first batch of each epoch: over all of them the error without replacement is 0
        firsts = islice(draw_batches(M, 8, random_state=rng), 0, 5 * 2000, 5)
        means = np.array([g[batch.rows].mean() for batch in firsts])
        z = (means.mean() - g.mean()) / (g.std() / np.sqrt(8 * len(means)))
        checks.append(at_most(f"bias of a batch mean, {way}, |z|", 4.0, abs(float(z)), digits=2))
    return checks


def ball_checks(balls: Any) -> list[Check]:
    """Exponent in η both ways, and which is smaller."""
    exponents = {
        way: float(np.polyfit(np.log(RATES), np.log(ball), 1)[0]) for way, ball in balls.items()
    }
    ratios = balls["without replacement"] / balls["with replacement"]
    return [
        close("with: exponent of ‖w − w*‖² in η", 1.0, exponents[WAYS[0]], atol=0.3, digits=2),
        at_least("without: the same exponent", 1.6, exponents[WAYS[1]], digits=2),
        at_most("ball without / ball with, largest over the rates", 1.0, float(ratios.max())),
    ]


def draw(outcome: Outcome) -> Figure:
    """Left: epochs, at two rates. Right: the ball against the rate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for color, way in zip(("C0", "C3"), WAYS, strict=True):
        for rate, style in ((RATES[0], "-"), (RATES[-1], "--")):
            path = outcome.data["paths"][way, rate]
            left.semilogy(path, style, color=color, label=f"{way}, η = {rate:g}")
        right.loglog(RATES, outcome.data["balls"][way], "o-", color=color, label=way)
    left.set(xlabel="epoch", ylabel="mean of ‖w − w*‖²", title="The same problem, start and rates")
    left.legend(fontsize=8)
    ball = outcome.data["balls"]
    for way, power in zip(WAYS, (1, 2), strict=True):
        line = ball[way][0] * (RATES / RATES[0]) ** power
        right.loglog(RATES, line, "k:", lw=1, label=f"∝ η{'²' if power == 2 else ''}")
    right.set(xlabel="learning rate η", ylabel="final ‖w − w*‖²", title="Where a fixed rate ends")
    right.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
    right.set_xticks([], minor=True)
    right.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    title="Stochastic gradient with and without replacement",
    rows=(51, 52),
    claim="Both give unbiased steps; reshuffling each epoch ends closer to the minimum",
    source="Higham & Higham (2019), Deep learning: an introduction for applied "
    "mathematicians, section 4; Mishchenko et al. (2020), Random reshuffling",
    run=run,
    draw=draw,
)
