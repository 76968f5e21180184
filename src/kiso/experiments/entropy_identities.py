"""Entropy is at most ln K; cross-entropy is entropy plus KL.

H(p) ≤ ln K with equality for the uniform distribution alone; H(p, q) = H(p) + KL(p ‖ q), so
over q it is least at q = p. With one-hot targets t the cross-entropy is −Σ t ln y: the loss
of a classifier, infinite where it gives the right class probability 0, and never NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.inference import Categorical, cross_entropy, entropy, kl_divergence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (2, 3, 5, 10, 100)
N_PAIRS = 5000


def run(seed: int) -> Outcome:
    """Check bounds and identities on random distributions, with zeros among them."""
    rng = np.random.default_rng(seed)
    excess, identity, shares = [], [], {}
    for k in SIZES:
        p, q = rng.dirichlet(np.full(k, 0.5), (2, N_PAIRS))
        p = np.where(rng.random(p.shape) < 0.2, 0.0, p)
        p[:, 0] += 1 - p.sum(axis=1)  # zeros elsewhere, and still a sum of one
        shares[k] = entropy(p) / np.log(k)
        excess.append(float(np.max(entropy(p) - np.log(k))))
        total = entropy(p) + kl_divergence(p, q)
        identity.append(float(np.max(np.abs(cross_entropy(p, q) - total) / total.clip(1))))
    uniform = max(abs(entropy(np.full(k, 1 / k)) - np.log(k)) for k in SIZES)
    y = rng.dirichlet(np.ones(4), 300)
    labels = np.array([rng.choice(4, p=row) for row in y])
    loss = float(np.mean(cross_entropy(np.eye(4)[labels], y)))
    likelihoods = [
        Categorical.from_parameters(row).log_prob([label])[0]
        for row, label in zip(y, labels, strict=True)
    ]
    lost = cross_entropy([0.0, 1.0], [1.0, 0.0])
    spared = cross_entropy([0.0, 1.0], [0.0, 1.0])
    checks = (
        at_most("H(p) − ln K, largest over random p", 1e-12, max(excess)),
        at_most("|H(uniform) − ln K|", 1e-12, uniform),
        at_most("|H(p, q) − H(p) − KL(p ‖ q)|, relative", 1e-12, max(identity)),
        close("mean −Σ t ln y = −mean log-likelihood", float(-np.mean(likelihoods)), loss,
              atol=1e-12),
        at_least("cross-entropy of a right class given 0", np.inf, float(lost)),
        close("cross-entropy of a right class given 1", 0.0, float(spared), atol=0.0),
    )  # fmt: skip
    return Outcome(checks, {"shares": shares})


def draw(outcome: Outcome) -> Figure:
    """Left: H(p)/ln K of random distributions. Right: H(p, q) over q for a fixed p."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    shares = outcome.data["shares"]
    left.boxplot(list(shares.values()), tick_labels=[str(k) for k in shares], sym=".", widths=0.6)
    left.axhline(1.0, color="black", ls="--", lw=1)
    left.set(xlabel="outcomes K", ylabel="H(p) / ln K", title="No entropy above ln K")
    p, grid = 0.3, np.linspace(0.005, 0.995, 300)
    q = np.stack([grid, 1 - grid], axis=-1)
    fixed = np.array([p, 1 - p])
    right.plot(grid, cross_entropy(fixed, q), label="H(p, q)")
    right.plot(grid, kl_divergence(fixed, q), label="KL(p ‖ q)")
    right.axhline(entropy(fixed), color="grey", ls="--", lw=1, label="H(p)")
    right.axvline(p, color="grey", ls=":", lw=1)
    right.set(xlabel="q", ylabel="nats", title="p = 0.3: both are least at q = p", ylim=(0, 2.5))
    right.legend()
    return figure


EXPERIMENT = Experiment(
    title="Entropy is at most ln K, cross-entropy is entropy plus KL",
    rows=(88, 89),
    claim="H ≤ ln K; H(p, q) = H(p) + KL(p ‖ q); the loss −Σ t ln y is a cross-entropy",
    source="Goodfellow et al. (2016), Deep Learning, section 3.13; Shannon (1948)",
    run=run,
    draw=draw,
)
