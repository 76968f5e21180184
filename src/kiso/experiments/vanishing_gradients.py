"""The gradient on its way back through many layers.

δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾: each layer multiplies the gradient by σ'. For the sigmoid that
is at most ¼, so through many layers nothing is left. For the rectifier it is 1 or 0, for tanh
1 at 0: with weights of the right variance δ keeps its size there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most
from kiso.losses import SquaredError
from kiso.nn import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH, N = 12, 40, 100
KINDS = (("sigmoid", "glorot"), ("tanh", "glorot"), ("relu", "he"), ("leaky_relu", "he"))


def run(seed: int) -> Outcome:
    """Follow δ back through deep networks as they start."""
    rng = np.random.default_rng(seed)
    X, t = rng.standard_normal((N, WIDTH)), rng.standard_normal((N, 1))
    norms = {kind: delta_norms(kind, init, X, t, rng) for kind, init in KINDS}
    return Outcome(tuple(checks_of(norms)), {"norms": norms})


def delta_norms(kind: str, init: str, X: Any, t: Any, rng: np.random.Generator) -> Any:
    """‖δ⁽ˡ⁾‖ of the hidden layers l = 2 … of an untrained network, first to last."""
    sizes = [WIDTH] * (DEPTH + 1) + [1]
    network = Network.dense(sizes, activation=kind, init=init, random_state=rng)
    delta = network.trace(X, t, SquaredError()).delta
    return np.array([np.linalg.norm(delta[level]) for level in sorted(delta)][:-1])


def checks_of(norms: Any) -> list[Check]:
    """What a layer multiplies the gradient by, on average."""
    factor = {kind: float((n[0] / n[-1]) ** (1 / (len(n) - 1))) for kind, n in norms.items()}
    return [
        at_most("sigmoid: ‖δ‖ from layer to layer, factor", 0.3, factor["sigmoid"], digits=2),
        at_least("rectifier with He's start: the same factor", 0.7, factor["relu"], digits=2),
        at_least("leaky rectifier: the same factor", 0.7, factor["leaky_relu"], digits=2),
        at_least("tanh with Glorot's start: the same factor", 0.6, factor["tanh"], digits=2),
    ]


def draw(outcome: Outcome) -> Figure:
    """Draw ‖δ⁽ˡ⁾‖ by layer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for kind, norms in outcome.data["norms"].items():
        axes.semilogy(np.arange(2, len(norms) + 2), norms / norms[-1], "o-", ms=3, label=kind)
    axes.set(xlabel="layer l", ylabel="‖δ⁽ˡ⁾‖ / ‖δ of the last hidden layer‖",
             title="The gradient on its way back")  # fmt: skip
    axes.legend()
    return figure


EXPERIMENT = Experiment(
    title="The gradient through many layers: sigmoid, tanh, rectifiers",
    rows=(55, 62, 74),
    claim="σ' ≤ ¼ starves the early layers of a deep sigmoid network; tanh and rectifiers with "
    "weights of the right variance do not",
    source="Week-3 notes; Higham & Higham (2019), equation 23 and section 7; He et al. (2015)",
    run=run,
    draw=draw,
)
