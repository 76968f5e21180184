"""Dropout keeps the mean, by the factor 1 − p: exactly for linear networks, nearly for others.

Units are dropped with probability p while a network trains. At prediction all are there, so that
the next layer would see more than it was trained on: what it sees is multiplied by the probability
to be kept, 1 − p (or, while training, the survivors are divided by it). Version 1 of Higham &
Higham multiplies by p, the probability to be dropped: right for p = ½ alone.

For a linear network E over all masks of the output is the output at prediction, exactly: with few
units all masks can be listed. Behind a tanh it is not exact; the gap is measured.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso.experiments import Experiment, Outcome, at_least, at_most, close
from kiso.nn import Affine, Dropout, Network, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = 0.3
N_UNITS, N_DRAWS = 8, 20_000


def run(seed: int) -> Outcome:
    """List all masks, draw many, and look at linear and tanh networks."""
    rng = np.random.default_rng(seed)
    first, last = (Affine(rng.standard_normal(s), rng.standard_normal(s[1]))
                   for s in ((5, N_UNITS), (N_UNITS, 1)))  # fmt: skip
    x = rng.standard_normal((1, 5))
    hidden = first(x)[0]
    linear, listed = (float(v) for v in by_masks(hidden, last, P))
    drawn = trained_outputs(Network([first, Dropout(P), last]), x, seed)
    bent, bent_listed = (float(v) for v in by_masks(2 * hidden, Affine(last.W, last.b), P, np.tanh))
    share, factor = of_layer(seed)
    wrong = P * hidden @ last.W[:, 0] + float(last.b[0])
    error = float(drawn.std() / np.sqrt(N_DRAWS))
    checks = (
        close("share of numbers dropped, p = 0.3", P, share, atol=4e-3),
        close("factor of those kept, 1/(1 − p)", 1 / (1 - P), factor, atol=1e-12),
        at_most("linear network: |mean over all 256 masks − prediction|", 1e-12,
                abs(listed - linear)),
        at_most("the same over 20,000 drawn masks, in standard errors", 4.0,
                abs(float(drawn.mean()) - linear) / error),
        at_least("H&H version 1, factor p: distance from the mean, in standard errors", 20.0,
                 abs(float(drawn.mean()) - wrong) / error),
        at_least("tanh behind the mask: |mean over all masks − prediction| is not zero", 1e-4,
                 abs(bent_listed - bent)),
        at_most("tanh: that gap over the spread of the masks", 1.0,
                abs(bent_listed - bent) / spread(2 * hidden, last)),
    )  # fmt: skip
    data = {"drawn": drawn, "prediction": linear, "wrong": wrong}
    return Outcome(
        checks, data,
        f"Behind a tanh the mean over masks is {bent_listed:.4f}, the prediction {bent:.4f}.",
        "Version 1 of Higham & Higham rescales by p after dropping with probability p; what keeps "
        "the mean is the keep probability 1 − p.",
    )  # fmt: skip


def by_masks(h: Any, last: Affine, p: float, f: Any = None) -> tuple[Any, Any]:
    """Output at prediction, and the mean over all masks weighted by their probabilities."""
    f = f or (lambda z: z)
    mean = 0.0
    for mask in product((0, 1), repeat=len(h)):
        kept = np.array(mask)
        probability = (1 - p) ** kept.sum() * p ** (len(h) - kept.sum())
        mean += probability * (f(h * kept / (1 - p)) @ last.W[:, 0] + last.b[0])
    return f(h) @ last.W[:, 0] + last.b[0], mean


def spread(h: Any, last: Affine) -> float:
    """Return the standard deviation over masks of the output behind a tanh."""
    values = [
        np.tanh(h * np.array(mask) / (1 - P)) @ last.W[:, 0]
        for mask in product((0, 1), repeat=len(h))
    ]
    return float(np.std(values))


def trained_outputs(network: Network, x: Any, seed: int) -> Any:
    """Outputs of the network as training sees it, each with a mask of its own."""
    rows = np.repeat(x, N_DRAWS, axis=0)
    return network.forward(rows, train=Run(seed))[0][:, 0]


def of_layer(seed: int) -> tuple[float, float]:
    """Share of numbers that the layer drops, and the factor of the others."""
    y = Dropout(P).forward(np.ones((1000, 200)), train=Run(seed))[0]
    return float(np.mean(y == 0)), float(y.max())


def draw(outcome: Outcome) -> Figure:
    """Outputs under masks; their mean, the prediction, and the prediction by the factor p."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    drawn = outcome.data["drawn"]
    axes.hist(drawn, bins=60, color="C0", alpha=0.35)
    marks = ((drawn.mean(), "C0", "mean over masks", 0.97), (outcome.data["prediction"], "C2",
             "prediction, factor 1 − p", 0.87), (outcome.data["wrong"], "C1",
             "prediction, factor p (v1)", 0.77))  # fmt: skip
    for value, colour, label, height in marks:
        axes.axvline(value, color=colour, lw=2)
        axes.annotate(label, (value, height), xycoords=("data", "axes fraction"), color=colour,
                      xytext=(5, 0), textcoords="offset points")  # fmt: skip
    axes.set(xlabel="output of a linear network while it trains", ylabel="masks", yticks=[],
             title="The factor 1 − p keeps the mean; p does not")  # fmt: skip
    return figure


EXPERIMENT = Experiment(
    title="Dropout keeps the mean: the factor is the probability to be kept",
    rows=(61,),
    claim="Drop with probability p, scale by 1 − p: the mean is kept, exactly for linear networks",
    source="Higham & Higham (2019), section 7 (with the factor corrected); Goodfellow et al. "
    "(2016), 7.12",
    formula=r"\mathbb{E}_m\left[\tfrac{1}{1-p}\,(m \circ h)^T w\right] = h^T w, "
    r"\quad m_i \sim \mathrm{Bernoulli}(1-p)",
    code="""from kiso.nn import Dropout, Run
y, backward = Dropout(0.3).forward(x, train=Run(0))   # training: a mask, times 1 / 0.7
Dropout(0.3)(x)                                       # prediction: x itself""",
    run=run,
    draw=draw,
)
