"""Saturated sigmoids, dead rectifiers, and the leak that keeps them alive.

δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾: each layer multiplies the gradient by σ'. For the sigmoid that
is at most ¼, so through many layers nothing is left. For the rectifier it is 1 or 0, and a
unit whose input is negative for every sample has no gradient: it is dead for good. With a
slope of 0.01 for negative inputs the gradient is small there, but never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.losses import SquaredError
from kiso.nn import Affine, Network, train
from kiso.optim import GradientDescent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH, N = 12, 40, 100
KINDS = (("sigmoid", "glorot"), ("tanh", "glorot"), ("relu", "he"), ("leaky_relu", "he"))


def run(seed: int) -> Outcome:
    """Follow δ through deep networks; kill units by one bad step and train on."""
    rng = np.random.default_rng(seed)
    X, t = rng.standard_normal((N, WIDTH)), rng.standard_normal((N, 1))
    norms = {kind: delta_norms(kind, init, X, t, rng) for kind, init in KINDS}
    shares = {kind: dead_shares(kind, seed) for kind in ("relu", "leaky_relu")}
    return Outcome(tuple(checks_of(norms, shares)), {"norms": norms, "shares": shares})


def delta_norms(kind: str, init: str, X: Any, t: Any, rng: np.random.Generator) -> Any:
    """‖δ⁽ˡ⁾‖ of the hidden layers l = 2 … of an untrained network, first to last."""
    sizes = [WIDTH] * (DEPTH + 1) + [1]
    network = Network.dense(sizes, activation=kind, init=init, random_state=rng)
    delta = network.trace(X, t, SquaredError()).delta
    return np.array([np.linalg.norm(delta[level]) for level in sorted(delta)][:-1])


def dead_shares(kind: str, seed: int) -> Any:
    """Share of hidden units without any gradient: at first, after a bad start, after training."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, 5))
    t = np.sin(X.sum(axis=1, keepdims=True))
    network = Network.dense([5, WIDTH, 1], activation=kind, init="he", random_state=rng)
    first = network[0]
    assert isinstance(first, Affine)
    shares = [without_gradient(network, X, t)]
    first.b[: WIDTH // 2] = -50.0  # as one step that was far too long leaves them
    shares.append(without_gradient(network, X, t))
    for _ in train(network, SquaredError(), (X, t), GradientDescent(0.02), n_epochs=200,
                   batch_size=10, random_state=rng):  # fmt: skip
        pass
    return np.array([*shares, without_gradient(network, X, t)])


def without_gradient(network: Network, X: Any, t: Any) -> float:
    """Share of first-layer units whose weights and bias have exactly no gradient."""
    _, grads = network.loss_and_gradients(X, t, SquaredError())
    return float(np.mean((grads[0]["b"] == 0) & (grads[0]["W"] == 0).all(axis=0)))


def checks_of(norms: Any, shares: Any) -> list[Check]:
    """A factor for each layer; dead units that stay dead; none with a leak."""
    factor = {kind: float((n[0] / n[-1]) ** (1 / (len(n) - 1))) for kind, n in norms.items()}
    return [
        at_most("sigmoid: ‖δ‖ from layer to layer, factor", 0.3, factor["sigmoid"], digits=2),
        at_least("rectifier with He's start: the same factor", 0.7, factor["relu"], digits=2),
        at_least("tanh with Glorot's start: the same factor", 0.6, factor["tanh"], digits=2),
        at_least("rectifier: dead after the bad step", 0.5, float(shares["relu"][1])),
        at_least("rectifier: still dead after 200 epochs", 0.5, float(shares["relu"][2])),
        at_most("leaky rectifier: without gradient, ever", 0.0, float(shares["leaky_relu"].max())),
    ]


def draw(outcome: Outcome) -> Figure:
    """Left: ‖δ⁽ˡ⁾‖ by layer. Right: the share of dead units."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for kind, norms in outcome.data["norms"].items():
        left.semilogy(np.arange(2, len(norms) + 2), norms / norms[-1], "o-", ms=3, label=kind)
    left.set(xlabel="layer l", ylabel="‖δ⁽ˡ⁾‖ / ‖δ of the last hidden layer‖",
             title="The gradient on its way back")  # fmt: skip
    left.legend()
    at = np.arange(3)
    for shift, (kind, shares) in zip((-0.2, 0.2), outcome.data["shares"].items(), strict=True):
        right.bar(at + shift, shares, width=0.38, label=kind)
    right.set_xticks(at, ["at first", "after a bad step", "after 200 epochs"])
    right.set(ylabel="share of units without gradient", title="Dead units", ylim=(0, 1))
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Saturation, dead units and the leaky rectifier",
    rows=(62, 74),
    claim="σ' ≤ ¼ starves the early layers of a deep sigmoid network; a rectifier whose input "
    "is never positive does not learn again; 0.01 x in its place does",
    source="Week-3 notes; Higham & Higham (2019), section 7; He et al. (2015)",
    run=run,
    draw=draw,
)
