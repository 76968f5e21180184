"""KL is never negative, not symmetric, and no distance.

Texts call KL a distance between distributions. It is zero only where the two agree, but it
is not symmetric and breaks the triangle inequality. The square root of the Jensen-Shannon
divergence keeps both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.inference import Gaussian, js_divergence, kl_divergence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_TRIPLES = 20_000


def coin(p: Any) -> Any:
    """The distribution (p, 1 − p)."""
    return np.stack([p, 1 - np.asarray(p)], axis=-1)


def run(seed: int) -> Outcome:
    """Measure KL on random triples of distributions, and on normals in closed form."""
    rng = np.random.default_rng(seed)
    p, q, r = rng.dirichlet(np.full(4, 0.7), (3, N_TRIPLES))
    forward, backward = kl_divergence(p, q), kl_divergence(q, p)
    detour = kl_divergence(p, r) + kl_divergence(r, q)
    distances = [np.sqrt(js_divergence(a, b)) for a, b in ((p, q), (p, r), (r, q))]
    js_excess = distances[0] - distances[1] - distances[2]
    a = Gaussian.from_parameters([0.0, 1.0], [[1.0, 0.4], [0.4, 2.0]])
    b = Gaussian.from_parameters([1.0, 0.0], [[2.0, -0.3], [-0.3, 1.0]])
    x = a.sample(200_000, random_state=rng)
    gap = a.log_prob(x) - b.log_prob(x)
    checks = (
        at_least("least KL over random pairs", 0.0, float(forward.min())),
        at_most("KL(p ‖ p), largest", 1e-15, float(np.max(kl_divergence(p, p)))),
        at_least("median of |KL(p ‖ q) − KL(q ‖ p)| / KL(p ‖ q)", 0.05,
                 float(np.median(np.abs(forward - backward) / forward))),
        at_least("share of triples with KL(p ‖ q) > KL(p ‖ r) + KL(r ‖ q)", 0.01,
                 float(np.mean(forward > detour))),
        at_most("√JS: d(p, q) − d(p, r) − d(r, q), largest", 1e-12, float(js_excess.max())),
        at_most("√JS: largest difference of the two directions", 1e-12,
                float(np.abs(js_divergence(p, q) - js_divergence(q, p)).max())),
        close("KL of two normals, mean of log p/q over samples", kl_divergence(a, b),
              float(gap.mean()), atol=5 * float(gap.std()) / np.sqrt(len(gap))),
    )  # fmt: skip
    return Outcome(
        checks,
        {"forward": forward, "backward": backward},
        "The note calls KL a distance; it is none: the order of p and q matters, and a detour "
        "over a third distribution can be shorter.",
    )


def draw(outcome: Outcome) -> Figure:
    """Left: both directions over random pairs. Right: coins against a fair one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    some = slice(0, 3000)
    left.loglog(outcome.data["forward"][some], outcome.data["backward"][some], ".", ms=2)
    left.plot([1e-3, 30], [1e-3, 30], "k--", lw=1, label="symmetric")
    left.set(
        xlabel="KL(p ‖ q)", ylabel="KL(q ‖ p)", title="Random pairs: not symmetric",
        xlim=(1e-2, 30), ylim=(1e-2, 30),
    )  # fmt: skip
    left.legend()
    grid = np.linspace(0.001, 0.999, 400)
    fair, bent = coin(0.5), coin(grid)
    right.plot(grid, kl_divergence(fair, bent), label="KL(fair ‖ p)")
    right.plot(grid, kl_divergence(bent, fair), label="KL(p ‖ fair)")
    right.plot(grid, js_divergence(bent, fair), label="JS(p, fair)")
    right.axhline(np.log(2), color="grey", ls=":", lw=1, label="ln 2")
    right.set(xlabel="probability of heads", ylabel="nats", title="A coin against a fair one")
    right.set_ylim(0, 2.5)
    right.legend(loc="upper center")
    return figure


EXPERIMENT = Experiment(
    title="The KL divergence is not a distance",
    rows=(87,),
    claim="KL(p ‖ q) ≥ 0 and asymmetric; no triangle inequality (a corrected claim); √JS is one",
    source="Goodfellow et al. (2016), Deep Learning, section 3.13; Endres & Schindelin (2003)",
    run=run,
    draw=draw,
)
