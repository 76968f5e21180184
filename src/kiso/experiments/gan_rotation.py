"""Gradient steps on the game V = xy circle the equilibrium instead of reaching it.

x wants V small, y wants it large; (0, 0) is the only equilibrium. With step η

    at the same time    x ← x − ηy, y ← y + ηx           |z|² grows by 1 + η² a step
    in turn             x ← x − ηy, y ← y + ηx_new       x² + y² − ηxy stays: an ellipse
    extrapolated        the slopes at the point of a step ahead: |z|² × (1 − η² + η⁴)
    optimistic          2 g_t − g_{t−1} in the place of g_t: contracts
    penalised           V − (γ/2)y² (a penalty on the discriminator's slope): contracts

and the mean of the points of the ellipse goes to the equilibrium as 1/t.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.optim import GradientDescent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ETA = 0.2
GAMMA = 0.5
N_STEPS = 500

Point: TypeAlias = Any  # (x, y)
Move: TypeAlias = Callable[[Point, Point], tuple[Point, Point]]


def slopes(z: Point, penalty: float = 0.0) -> Point:
    """(∂V/∂x, −∂V/∂y) of V = xy − (γ/2)y²: what each player steps down."""
    x, y = z
    return np.array([y, -x + penalty * y])


def stepper(eta: float) -> Callable[[Point, Point], Point]:
    """A step of gradient descent from z along g."""
    rule = GradientDescent(eta)
    return lambda z, g: rule.update(g, rule.init(z), z)[0]


def ways(eta: float) -> dict[str, Move]:
    """The five ways to play; each takes (z, what it remembers) to the same of the next step."""
    step = stepper(eta)

    def together(z: Point, memory: Point) -> tuple[Point, Point]:
        return step(z, slopes(z)), memory

    def in_turn(z: Point, memory: Point) -> tuple[Point, Point]:
        half = step(z, slopes(z) * [1, 0])
        return step(half, slopes(half) * [0, 1]), memory

    def extrapolated(z: Point, memory: Point) -> tuple[Point, Point]:
        return step(z, slopes(step(z, slopes(z)))), memory

    def optimistic(z: Point, memory: Point) -> tuple[Point, Point]:
        now = slopes(z)
        return step(z, 2 * now - memory), now

    def penalised(z: Point, memory: Point) -> tuple[Point, Point]:
        half = step(z, slopes(z, GAMMA) * [1, 0])
        return step(half, slopes(half, GAMMA) * [0, 1]), memory

    return {
        "at the same time": together,
        "in turn": in_turn,
        "extrapolated": extrapolated,
        "optimistic": optimistic,
        "penalised": penalised,
    }


def play(move: Move, start: Point, n_steps: int) -> Any:
    """The path: (n_steps + 1, 2)."""
    z, memory = start, slopes(start)
    path = [z]
    for _ in range(n_steps):
        z, memory = move(z, memory)
        path.append(z)
    return np.array(path)


def run(seed: int) -> Outcome:
    """Play from a random point and compare lengths with the factors above."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    start = np.array([np.cos(angle), np.sin(angle)])
    paths = {name: play(move, start, N_STEPS) for name, move in ways(ETA).items()}
    length = {name: np.linalg.norm(path, axis=1) for name, path in paths.items()}
    x, y = paths["in turn"].T
    kept = x**2 + y**2 - ETA * x * y
    mean = np.linalg.norm(paths["in turn"].mean(axis=0))
    grown = growth(length["at the same time"])
    checks = (
        close("same time: |z|² a step, ×", 1 + ETA**2, grown, atol=1e-9),
        at_most("in turn: x² + y² − ηxy moves by", 1e-9, float(np.ptp(kept))),
        at_least("in turn: least |z| of 500 steps", 0.5, float(length["in turn"].min())),
        at_most("in turn: |mean of the points|", 3 / (ETA * N_STEPS), float(mean)),
        close("extrapolated: |z|² a step, ×", 1 - ETA**2 + ETA**4,
              growth(length["extrapolated"]), atol=1e-9),
        at_most("optimistic: |z| after 500 steps", 1e-3, float(length["optimistic"][-1])),
        at_most("penalised: |z| after 500 steps", 1e-3, float(length["penalised"][-1])),
    )  # fmt: skip
    return Outcome(checks, {"paths": paths, "length": length})


def growth(length: Any) -> float:
    """The factor of |z|² a step, from the first and the last length."""
    return float((length[-1] / length[0]) ** (2 / (len(length) - 1)))


def draw(outcome: Outcome) -> Figure:
    """Left: the paths in the plane. Right: distance from the equilibrium."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, path in outcome.data["paths"].items():
        shown = path[:120] if name != "at the same time" else path[:40]
        left.plot(*shown.T, ".-", lw=0.8, ms=3, label=name)
        right.semilogy(outcome.data["length"][name], label=name)
    left.plot(0, 0, "k+", ms=12)
    left.set(xlabel="x", ylabel="y", title="V = xy", aspect="equal")
    right.set(xlabel="steps", ylabel="distance from the equilibrium")
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Gradient steps on V = xy circle; what damps them",
    rows=(91,),
    claim="|z|² × (1 + η²) at the same time, an ellipse in turn; extrapolation, optimism and a "
    "penalty on the slope converge",
    source="Goodfellow (2016), NIPS tutorial on GANs, section 7.2; Gidel et al. (2019), A "
    "variational inequality perspective on GANs; Mescheder et al. (2018)",
    run=run,
    draw=draw,
)
