"""Saturated and dead units: who still receives a gradient.

For unit weights and standard normal inputs z = wᵀx + b ~ N(b, 1), or N(0, k²) with weights k
times as large. The slope that a unit passes on is

    sigmoid σ(1 − σ) ≤ ¼, below ε where |z| > c_ε: a share 2Φ(−c_ε/k);
    ReLU    [z > 0]: 0 for a share Φ(−b);     leaky ReLU: never below 0.01.
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

N, D, UNITS, STEPS = 500, 20, 400, 100
SCALES = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
SHIFTS = np.arange(0.0, 6.1, 1.0)
EPSILON = 0.01
KINDS = ("sigmoid", "relu", "leaky_relu")


def run(seed: int) -> Outcome:
    """Measure the shares over scales and shifts, then train a layer that is half dead."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, D))
    by_scale = {kind: [small_share(layer(kind, rng, scale=k), x) for k in SCALES] for kind in KINDS}
    by_shift = {kind: [small_share(layer(kind, rng, shift=-b), x) for b in SHIFTS]
                for kind in KINDS}  # fmt: skip
    after = {kind: moved_share(layer(kind, rng, shift=-8.0), x, rng) for kind in KINDS[1:]}
    checks = [
        close("σ'(0) of the sigmoid", 0.25, float(slopes(layer("sigmoid", rng, scale=0), x).max()),
              atol=1e-15),
        *share_checks(by_scale, by_shift),
        *revival_checks(after),
    ]  # fmt: skip
    return Outcome(tuple(checks), {"by_scale": by_scale, "by_shift": by_shift})


def layer(
    kind: str, rng: np.random.Generator, *, scale: float = 1.0, shift: float = 0.0
) -> Network:
    """One hidden layer whose z is N(shift, scale²), and an output of random weights."""
    network = Network.dense([D, UNITS, 1], activation=kind, random_state=rng)
    first = network.layers[0]
    assert isinstance(first, Affine)
    first.W[...] = rng.standard_normal(first.W.shape)
    first.W *= scale / np.linalg.norm(first.W, axis=0)
    first.b[...] = shift
    return network


def slopes(network: Network, x: Any) -> Any:
    """σ'(z) of each sample and unit: what the activation's backward pass makes of ones."""
    z = network.layers[0](x)
    return network.layers[1].forward(z)[1](np.ones_like(z))[0]


def small_share(network: Network, x: Any) -> float:
    """Share of (sample, unit) pairs that pass on less than ε = 0.01."""
    return float(np.mean(slopes(network, x) < EPSILON))


def share_checks(by_scale: Any, by_shift: Any) -> list[Check]:
    """Measured shares against the normal distribution."""
    cut = 2 * np.arccosh(1 / (2 * np.sqrt(EPSILON)))  # σ'(z) = 1/(4 cosh²(z/2)) = ε
    wanted_scale = 2 * norm.cdf(-cut / SCALES)
    wanted_shift = norm.cdf(SHIFTS)

    def off(shares: Any, wanted: Any) -> float:
        return float(np.max(np.abs(np.array(shares) - wanted)))

    leaky = max(*by_scale["leaky_relu"], *by_shift["leaky_relu"])
    return [
        at_most("sigmoid: share below 0.01 by scale, off 2Φ(−c/k) by", 0.02,
                off(by_scale["sigmoid"], wanted_scale)),
        at_least("sigmoid, weights 32 times as large: share below 0.01", 0.85,
                 by_scale["sigmoid"][-1]),
        at_most("ReLU: share of zeros by shift, off Φ(−b) by", 0.02,
                off(by_shift["relu"], wanted_shift)),
        at_most("ReLU: share of zeros by scale, off ½ by", 0.02, off(by_scale["relu"], 0.5)),
        at_most("leaky ReLU: share below 0.01", 0, leaky),
    ]  # fmt: skip


def moved_share(network: Network, x: Any, rng: np.random.Generator) -> tuple[float, float]:
    """(share of units dead on all samples, share of units whose weights training moved)."""
    first = network.layers[0]
    assert isinstance(first, Affine)
    dead = float(np.mean(np.all(first(x) <= 0, axis=0)))
    before = first.W.copy()
    target = x[:, :1] ** 2
    rule = GradientDescent(learning_rate=1e-2)
    for _ in train(network, SquaredError(), (x, target), rule, batch_size=50, n_steps=STEPS,
                   random_state=rng):  # fmt: skip
        pass
    return dead, float(np.mean(np.any(before != first.W, axis=0)))


def revival_checks(after: Any) -> list[Check]:
    """A ReLU unit that is dead on all samples never moves again; a leaky one does."""
    return [
        close("z ~ N(−8, 1): share of units inactive on all samples", 1, after["relu"][0], atol=0),
        close("ReLU: share of units that training moved", 0, after["relu"][1], atol=0),
        close("leaky ReLU: share of units that training moved", 1, after["leaky_relu"][1], atol=0),
    ]


def draw(outcome: Outcome) -> Figure:
    """Draw the share of pairs without a gradient, by scale and by shift."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for kind in KINDS:
        left.semilogx(SCALES, outcome.data["by_scale"][kind], "o-", base=2, label=kind)
        right.plot(-SHIFTS, outcome.data["by_shift"][kind], "o-", label=kind)
    left.set(xlabel="scale of the weights k: z ~ N(0, k²)", ylabel="share with σ'(z) < 0.01")
    right.set(xlabel="bias b: z ~ N(b, 1)")
    left.legend()
    figure.suptitle("Units that pass on (almost) no gradient")
    return figure


EXPERIMENT = Experiment(
    title="The share of units that receive a gradient: sigmoid, ReLU, leaky ReLU",
    rows=(74,),
    claim="Sigmoid units saturate and ReLU units die, and then receive no gradient; a leaky ReLU "
    "(0.01x for x ≤ 0) always does",
    source="Higham & Higham (2019), section 7; notes on activation functions",
    run=run,
    draw=draw,
)
