"""Maximising the likelihood is minimising the KL divergence from the data to the model.

KL(p̂ ‖ p_θ) = −H(p̂) − E_p̂ log p_θ: the two differ by the entropy of the data, which no θ
changes. So the argmins are the same, for a family that holds p̂ and for one that does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from kiso.experiments import Experiment, Outcome, at_least, at_most
from kiso.inference import Categorical, empirical, entropy, kl_divergence, maximum_likelihood

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_LABELS = 6


def family(theta: Any) -> Any:
    """Log p_θ over the labels 0 … 5: p_θ(k) ∝ e^{θk}, a family that does not hold p̂."""
    return log_softmax(np.multiply.outer(theta, np.arange(N_LABELS)), axis=-1)


def run(seed: int) -> Outcome:
    """Minimise one, maximise the other, and look at their sum at every θ."""
    rng = np.random.default_rng(seed)
    x = rng.choice(N_LABELS, size=500, p=rng.dirichlet(np.full(N_LABELS, 3.0)))
    labels, frequencies = empirical(x)
    p_hat = np.zeros(N_LABELS)
    p_hat[labels] = frequencies
    grid = np.linspace(-1.5, 1.5, 301)
    kl = kl_divergence(p_hat, np.exp(family(grid)))
    mean_log_likelihood = family(grid)[:, x].mean(axis=1)
    gap = float(np.abs(kl + mean_log_likelihood + entropy(p_hat)).max())
    least_kl = minimize_scalar(
        lambda t: kl_divergence(p_hat, np.exp(family(t))), bounds=(-3, 3), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    likeliest = maximum_likelihood(lambda t, data: family(t[0])[data], 0.0, x)
    free = Categorical(np.arange(N_LABELS)).fit(x)
    checks = (
        at_most("|KL + mean log-likelihood + H(p̂)|, all θ", 1e-12, gap),
        at_most("grid: places between argmin KL and argmax likelihood", 0.0,
                abs(int(kl.argmin()) - int(mean_log_likelihood.argmax()))),
        at_most("|argmin KL − argmax likelihood|, optimisers", 1e-6,
                abs(float(least_kl.x) - float(likeliest.estimate[0]))),
        at_most("KL(p̂ ‖ unrestricted fit)", 1e-14, kl_divergence(p_hat, free.probs_)),
        at_least("KL left by the restricted family", 1e-4, float(kl.min())),
    )  # fmt: skip
    data = {"grid": grid, "kl": kl, "likelihood": mean_log_likelihood, "entropy": entropy(p_hat)}
    return Outcome(checks, data)


def draw(outcome: Outcome) -> Figure:
    """Both curves over θ: one is the other upside down, shifted by the entropy."""
    from matplotlib.figure import Figure

    d = outcome.data
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.subplots()
    ax.plot(d["grid"], d["kl"], label="KL(p̂ ‖ p_θ)")
    ax.plot(d["grid"], -d["likelihood"], label="−mean log-likelihood")
    at = d["grid"][d["kl"].argmin()]
    ax.axvline(at, color="grey", ls="--", lw=1, label="both minima")
    ax.annotate(
        "", (at, d["kl"].min()), (at, -d["likelihood"].max()), arrowprops={"arrowstyle": "<->"}
    )
    ax.text(at + 0.05, d["kl"].min() + d["entropy"] / 2, f"H(p̂) = {d['entropy']:.3f}")
    ax.set(xlabel="θ", ylabel="nats", title="Two curves, one argmin: they differ by H(p̂)")
    ax.set_ylim(0, 2.2 * d["entropy"])
    ax.legend()
    return figure


EXPERIMENT = Experiment(
    title="Maximum likelihood is minimal KL divergence",
    rows=(2,),
    claim="KL(p̂ ‖ p) = −H(p̂) − E_p̂ log p: the argmins are equal, the gap is −H(p̂)",
    source="Goodfellow et al. (2016), Deep Learning, section 5.5, eqs. 5.60-5.61",
    run=run,
    draw=draw,
)
