"""Runge's function by a tanh network 1-16-16-1 and Adam, with and without the derivative.

    C = (1/2m) Σ_j (h(x_j) − f(x_j))² + (λ²/2m) Σ_j (h'(x_j) − f'(x_j))²

on m fixed points of [−1, 1], all in every step. h' and what the second term does to the
parameters come from the derivative along a direction and its backward pass (`kiso.nn.tangent`),
so that first-order training has second derivatives without a numerical difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_most
from kiso.nn import Network, tangent
from kiso.optim import Adam, Cosine

from .runge import FINE, df, errors_of, f

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = [1, 16, 16, 1]
N_POINTS, N_STEPS, RATE = 128, 40_000, 0.02
LAMBDA = 1.0
STUDENT = {0.0: (1.6e-3, 5.2e-2), LAMBDA: (1.2e-4, 1.3e-3)}  # max error of h, of h'


def run(seed: int) -> Outcome:
    """Train from the same start twice: λ = 0, and λ = 1."""
    trained = {weight: fit(weight, seed) for weight in STUDENT}
    errors = {weight: errors_of(network) for weight, (network, _) in trained.items()}
    remark = (
        f"{N_STEPS:,} steps on {N_POINTS} points each. Mean squared errors on 10 001 points: "
        + ", ".join(f"{e[2]:.1e} (λ = {weight})" for weight, e in errors.items())
    )
    data = {"networks": {weight: network for weight, (network, _) in trained.items()},
            "costs": {weight: costs for weight, (_, costs) in trained.items()}}  # fmt: skip
    return Outcome(tuple(checks_of(errors)), data, remark)


def fit(weight: float, seed: int) -> tuple[Network, Any]:
    """Train one network; return it with the cost at every step."""
    network = Network.dense(SIZES, activation="tanh", random_state=seed)
    x = np.cos((np.arange(N_POINTS) + 0.5) * np.pi / N_POINTS)[:, None]
    y, dy, along = f(x), df(x), np.ones_like(x)
    rule = Adam(Cosine(RATE, N_STEPS))
    params = network.parameters
    state = rule.init(params)
    costs = np.empty(N_STEPS)
    for step in range(N_STEPS):
        costs[step], gradients = cost_and_gradients(network, weight, x, y, dy, along)
        _, state = rule.update(gradients, state, params, in_place=True)
    return network, costs


def cost_and_gradients(
    network: Network, weight: float, x: Any, y: Any, dy: Any, along: Any
) -> tuple[float, Any]:
    """C and its gradients, by the network's derivative along the x-axis."""
    value, slope, backward = tangent(network, x, along)
    off, off_slope = value - y, weight * (slope - dy)
    cost = float(np.sum(off**2) + np.sum(off_slope**2)) / (2 * len(x))
    return cost, backward(off / len(x), weight * off_slope / len(x))[2]


def checks_of(errors: Any) -> list[Check]:
    """Largest errors against those of the run that is quoted."""
    checks = []
    for weight, claimed in STUDENT.items():
        name = "derivative in the loss" if weight else "values alone"
        for k, what in enumerate(("max error", "max error of the derivative")):
            checks.append(at_most(f"{name}: {what}", claimed[k], errors[weight][k], digits=2))
    return checks


def draw(outcome: Outcome) -> Figure:
    """Draw cost by step, and the errors of h and h' over the interval."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for weight, network in outcome.data["networks"].items():
        label = f"λ = {weight}"
        left.loglog(outcome.data["costs"][weight], lw=0.8, label=label)
        off = network(FINE[:, None])[:, 0] - f(FINE)
        slope = network.input_gradient(FINE[:, None])[:, 0] - df(FINE)
        middle.semilogy(FINE, np.abs(off), lw=0.8, label=label)
        right.semilogy(FINE, np.abs(slope), lw=0.8, label=label)
    left.set(xlabel="step", ylabel="C")
    middle.set(xlabel="x", ylabel="|h − f|")
    right.set(xlabel="x", ylabel="|h' − f'|")
    left.legend()
    return figure


EXPERIMENT = Experiment(
    title="Runge's function by a 1-16-16-1 tanh network and Adam",
    rows=(37,),
    claim="To beat: max error 1.6e-3 (derivative 5.2e-2) by values alone, 1.2e-4 (1.3e-3) with the "
    "derivative in the loss",
    source="Programming assignment of the notes, section 3b: a student's run of 40 000 epochs",
    run=run,
    draw=draw,
    slow=True,
)
