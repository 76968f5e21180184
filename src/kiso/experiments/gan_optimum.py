"""The game of generator and discriminator has value −ln 4, reached where they agree.

V(D, G) = E_{x∼p} ln D(x) + E_{z∼p_z} ln(1 − D(G(z))). Over a finite set, with q the law of
G(z), V = Σ p ln D + q ln(1 − D): each D(x) has its own two terms, and D* = p/(p + q) is best.
There V(D*, G) = 2 JS(p ‖ q) − ln 4, so that the generator's game is to make JS small, and
at q = p the value is −ln 4 = −1.386294 with D = ½ everywhere. Where p and q share no
outcome V(D*, G) = 0 however far apart they are: the generator's slope is gone, which is why
it is trained on −ln D(G(z)) instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, softmax

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.inference import js_divergence
from kiso.losses import SigmoidCrossEntropy
from kiso.optim import GradientDescent, minimize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_OUTCOMES = 8
N_PAIRS = 20
N_STEPS = 400
RATE = 8.0
LOSS = SigmoidCrossEntropy(reduction="sum")


def run(seed: int) -> Outcome:
    """Train discriminators on pairs of laws, then a generator against the best of them."""
    rng = np.random.default_rng(seed)
    off, gap, beaten = [], [], []
    for _ in range(N_PAIRS):
        p, q = rng.dirichlet(np.ones(N_OUTCOMES), 2)
        logits = best_discriminator(p, q)
        off.append(np.abs(expit(logits) - p / (p + q)).max())
        value = game_value(logits, p, q)
        gap.append(abs(value - (2 * float(js_divergence(p, q)) - np.log(4))))
        others = logits + rng.normal(size=(50, N_OUTCOMES))
        beaten.append(max(game_value(other, p, q) for other in others) - value)
    p = rng.dirichlet(np.full(N_OUTCOMES, 5.0))  # no outcome is rare: slopes go as p
    path = play(p, rng.normal(size=N_OUTCOMES))
    saturating, other = generator_slopes(logit=-10.0)
    checks = (
        at_most("|D* − p/(p + q)|, largest", 1e-6, float(max(off))),
        at_most("|V(D*) − (2 JS − ln 4)|, largest", 1e-9, max(gap)),
        at_most("V of another D − V(D*), largest of 1,000", 0.0, max(beaten)),
        close("V where the generator's game ends", -1.386294, path["value"][-1], atol=1e-6,
              digits=7),
        at_most("|q − p| there, largest", 1e-3, float(np.abs(path["q"][-1] - p).max())),
        at_most("|D − ½| there, largest", 1e-3, float(np.abs(path["D"][-1] - 0.5).max())),
        at_most("V rises along the generator's path by", 1e-9, float(np.diff(path["value"]).max())),
        at_most("slope of ln(1 − D) in the logit where D = e⁻¹⁰", 1e-4, saturating),
        at_least("slope of −ln D there", 0.9999, other),
    )  # fmt: skip
    return Outcome(
        checks,
        {"path": path, "p": p},
        remark="The notes write the generator's noise as z − p_z; it is z ∼ p_z.",
    )


def game_value(logits: Any, p: Any, q: Any) -> float:
    """V(D, G) = Σ p ln D + q ln(1 − D) with D = σ(logits): a cross-entropy with weights."""
    return -discriminator_loss(logits, p, q)[0]


def discriminator_loss(logits: Any, p: Any, q: Any) -> tuple[float, Any]:
    """−V and its gradient in the logits: every outcome once as real and once as made."""
    real = np.concatenate([np.ones_like(p), np.zeros_like(q)])
    weight = np.concatenate([p, q])
    value, slope = LOSS.value_and_gradient(np.tile(logits, 2), real, weight)
    return float(value), slope[: len(p)] + slope[len(p) :]


def best_discriminator(p: Any, q: Any, start: Any = None) -> Any:
    """Train a table of logits, one an outcome, to the maximum of V."""
    start = np.zeros_like(p) if start is None else start
    return minimize(lambda a: discriminator_loss(a, p, q), start, tol=1e-9).x


def play(p: Any, logits_of_q: Any) -> dict[str, Any]:
    """Move q = softmax(b) down ∂V/∂b = q ∘ (ln(1 − D) − Σ q ln(1 − D)), D at its best."""
    rule, b = GradientDescent(RATE), logits_of_q
    state, a = rule.init(b), np.zeros_like(p)
    path: dict[str, list[Any]] = {"value": [], "q": [], "D": []}
    for _ in range(N_STEPS):
        q = softmax(b)
        a = best_discriminator(p, q, a)
        path["value"].append(game_value(a, p, q))
        path["q"].append(q)
        path["D"].append(expit(a))
        made = -np.logaddexp(0.0, a)  # ln(1 − D)
        b, state = rule.update(q * (made - q @ made), state, b)
    return {name: np.array(values) for name, values in path.items()}


def generator_slopes(logit: float) -> tuple[float, float]:
    """|∂/∂logit| of ln(1 − D) and of −ln D where the discriminator has seen through G."""
    at = np.array([logit])
    saturating = -LOSS.gradient(at, np.zeros(1))  # −(−ln(1 − D))'
    return float(abs(saturating[0])), float(abs(LOSS.gradient(at, np.ones(1))[0]))


def draw(outcome: Outcome) -> Figure:
    """Left: V along the generator's path. Right: q, p and D on the way."""
    from matplotlib.figure import Figure

    path, p = outcome.data["path"], outcome.data["p"]
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(path["value"], label="V(D*, G)")
    left.axhline(-np.log(4), color="black", ls="--", lw=1, label="−ln 4")
    left.set(xlabel="generator's steps", ylabel="V", title="The value falls to −ln 4")
    left.legend()
    outcomes = np.arange(len(p))
    right.bar(outcomes, p, color="0.85", label="p")
    for step, shade in ((0, 0.3), (10, 0.6), (len(path["q"]) - 1, 1.0)):
        right.plot(
            outcomes, path["q"][step], "o-", color="C0", alpha=shade, label=f"q, step {step}"
        )
        right.plot(
            outcomes, path["D"][step], "x:", color="C3", alpha=shade, label=f"D, step {step}"
        )
    right.axhline(0.5, color="grey", ls=":", lw=1)
    right.set(xlabel="outcome", title="q goes to p, D to ½", ylim=(0, 1))
    right.legend(fontsize=8, ncols=2)
    return figure


EXPERIMENT = Experiment(
    title="Generator against discriminator: D* = p/(p + q), value −ln 4",
    rows=(91,),
    claim="D* = p/(p + q); V(D*, G) = 2 JS(p ‖ q) − ln 4, least at q = p: −1.386294",
    source="Goodfellow et al. (2014), Generative adversarial nets, propositions 1, 2; theorem 1",
    run=run,
    draw=draw,
)
