"""Saturated sigmoids, dead rectifiers, and the leak that keeps them alive.

δ⁽ˡ⁾ = σ'(z⁽ˡ⁾) ∘ W⁽ˡ⁺¹⁾ᵀδ⁽ˡ⁺¹⁾: each layer multiplies the gradient by σ'. For the sigmoid that
is at most ¼, so through many layers nothing is left. For the rectifier it is 1 or 0, and a
unit whose input is negative for every sample has no gradient: it is dead for good. With a
slope of 0.01 for negative inputs the gradient is small there, but never 0.

How many units that concerns follows from z = wᵀx + b ~ N(b, k²), for standard normal inputs and
weights of length k. The slope that a unit passes on is

    sigmoid σ(1 − σ) ≤ ¼, below ε where |z| > c_ε: a share 2Φ(−c_ε/k) for b = 0;
    ReLU    [z > 0]: 0 for a share Φ(−b/k);      leaky ReLU: never below 0.01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from kiso.experiments import Check, Experiment, Outcome, at_least, at_most, close
from kiso.losses import SquaredError
from kiso.nn import Affine, Network, train
from kiso.optim import GradientDescent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH, N = 12, 40, 100
D, UNITS = 20, 400
SCALES = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
SHIFTS = np.arange(0.0, 6.1, 1.0)
EPSILON = 0.01
KINDS = (("sigmoid", "glorot"), ("tanh", "glorot"), ("relu", "he"), ("leaky_relu", "he"))


def run(seed: int) -> Outcome:
    """Follow δ through deep networks; kill units and train on; count small slopes."""
    rng = np.random.default_rng(seed)
    X, t = rng.standard_normal((N, WIDTH)), rng.standard_normal((N, 1))
    norms = {kind: delta_norms(kind, init, X, t, rng) for kind, init in KINDS}
    shares = {kind: dead_shares(kind, seed) for kind in ("relu", "leaky_relu")}
    small = small_shares(rng)
    checks = [*checks_of(norms, shares), *share_checks(small)]
    return Outcome(tuple(checks), {"norms": norms, "shares": shares, "small": small})


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


def small_shares(rng: np.random.Generator) -> dict[str, Any]:
    """Share of (sample, unit) pairs that pass on less than ε: by scale, and by shift, of z."""
    x = rng.standard_normal((500, D))
    small: dict[str, Any] = {"σ'(0)": slopes("sigmoid", x, rng, scale=0.0).max()}
    for kind in ("sigmoid", "relu", "leaky_relu"):
        by_scale = [np.mean(slopes(kind, x, rng, scale=k) < EPSILON) for k in SCALES]
        by_shift = [np.mean(slopes(kind, x, rng, shift=-b) < EPSILON) for b in SHIFTS]
        small[kind] = np.array(by_scale), np.array(by_shift)
    return small


def slopes(
    kind: str, x: Any, rng: np.random.Generator, *, scale: float = 1.0, shift: float = 0.0
) -> Any:
    """σ'(z) of units with z ~ N(shift, scale²): what their backward pass makes of ones."""
    network = Network.dense([D, UNITS, 1], activation=kind, random_state=rng)
    first = network[0]
    assert isinstance(first, Affine)
    first.W[...] = rng.standard_normal(first.W.shape)
    first.W *= scale / np.linalg.norm(first.W, axis=0)
    first.b[...] = shift
    z = first(x)
    return network[1].forward(z)[1](np.ones_like(z))[0]


def share_checks(small: Any) -> list[Check]:
    """Measured shares against the normal distribution."""
    cut = 2 * np.arccosh(1 / (2 * np.sqrt(EPSILON)))  # σ'(z) = 1/(4 cosh²(z/2)) = ε
    sigmoid, relu, leaky = (small[kind] for kind in ("sigmoid", "relu", "leaky_relu"))
    return [
        close("σ'(0) of the sigmoid", 0.25, float(small["σ'(0)"]), atol=1e-15),
        at_most("sigmoid: share below 0.01 by scale, off 2Φ(−c/k) by", 0.02,
                float(np.abs(sigmoid[0] - 2 * norm.cdf(-cut / SCALES)).max())),
        at_least("sigmoid, weights 32 times as large: share below 0.01", 0.85,
                 float(sigmoid[0][-1])),
        at_most("ReLU: share of zeros by shift, off Φ(−b) by", 0.02,
                float(np.abs(relu[1] - norm.cdf(SHIFTS)).max())),
        at_most("ReLU: share of zeros by scale, off ½ by", 0.02,
                float(np.abs(relu[0] - 0.5).max())),
        at_most("leaky ReLU: share below 0.01", 0, float(np.max([leaky[0].max(),
                                                                leaky[1].max()]))),
    ]  # fmt: skip


def draw(outcome: Outcome) -> Figure:
    """‖δ⁽ˡ⁾‖ by layer, the share of dead units, the share of small slopes by scale and shift."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    (left, right), (by_scale, by_shift) = figure.subplots(2, 2)
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
    for kind in ("sigmoid", "relu", "leaky_relu"):
        by_scale.semilogx(SCALES, outcome.data["small"][kind][0], "o-", base=2, label=kind)
        by_shift.plot(-SHIFTS, outcome.data["small"][kind][1], "o-", label=kind)
    by_scale.set(xlabel="scale k of the weights: z ~ N(0, k²)", ylabel="share with σ'(z) < 0.01")
    by_shift.set(xlabel="bias b: z ~ N(b, 1)", ylabel="share with σ'(z) < 0.01")
    by_scale.legend()
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
