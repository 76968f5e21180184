"""Ring of 8 and grid of 25 Gaussians: how many modes samples cover, and how many are good.

The protocol of Srivastava et al. (2017): 2,500 samples; one is good if it lies within three
standard deviations of a centre, and a mode is covered if a good sample lies nearest to it.
Ring: radius 1, standard deviation 0.01. Grid: 5 × 5, spacing 2, standard deviation 0.05.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from kiso.experiments import Check, Experiment, Outcome, at_least
from kiso.neural_network import GAN, plot_gan
from kiso.optim import Adam, Cosine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_DATA, N_SAMPLES = 20_000, 2_500
SPREAD = {"ring": 0.01, "grid": 0.05}
Settings: TypeAlias = dict[str, dict[str, dict[str, Any]]]  # mixture, variant, what differs
VEEGAN = {"ring": (8.0, 0.529), "grid": (24.6, 0.40)}  # modes, share of good samples

QUICK: Settings = {"ring": {"non-saturating": {"rate": 3e-3, "n_steps": 2_500}}}


def centers(name: str) -> Any:
    """The means: (8, 2) or (25, 2)."""
    if name == "ring":
        angle = 2 * np.pi * np.arange(8) / 8
        return np.column_stack([np.cos(angle), np.sin(angle)])
    side = 2.0 * np.arange(-2, 3)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def mixture(name: str, n: int, rng: np.random.Generator) -> Any:
    """Rows of the mixture, in float32."""
    means = centers(name)
    rows = means[rng.integers(len(means), size=n)]
    return (rows + SPREAD[name] * rng.standard_normal((n, 2))).astype(np.float32)


def judged(name: str, samples: Any) -> tuple[int, float]:
    """Modes covered, and the share of good samples."""
    distance = np.linalg.norm(samples[:, None] - centers(name), axis=2)
    good = distance.min(axis=1) <= 3 * SPREAD[name]
    return len(np.unique(distance.argmin(axis=1)[good])), float(good.mean())


def fitted(
    name: str, seed: int, *, rate: float = 2e-3, n_steps: int = 4_000, **options: Any
) -> Any:
    """A GAN fitted to the mixture, and the rows it saw."""
    X = mixture(name, N_DATA, np.random.default_rng(seed))
    options = {"n_latent": 2, "batch_size": 256, "averaging": 0.995, **options}
    gan = GAN(rule=Adam(Cosine(rate, n_steps), beta1=0.5), max_iter=n_steps, every=n_steps,
              random_state=seed, **options)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is missing is counted here
        gan.fit(X)
    return gan, X


def measure(variants: Settings, n_seeds: int, seed: int) -> Outcome:
    """Fit every variant with several seeds; ask that the best of them beats VEEGAN."""
    checks: list[Check] = []
    told: list[str] = []
    shown = {}
    for name, settings in variants.items():
        means = {}
        for variant, options in settings.items():
            found = []
            for k in range(n_seeds):
                gan, X = fitted(name, seed + k, **options)
                found.append(judged(name, gan.sample(N_SAMPLES, random_state=k)))
                shown[name, variant] = gan, X
            modes, share = np.mean(found, axis=0)
            means[variant] = modes, share
            told.append(f"{name}, {variant}: {modes:.3g} modes, {share:.1%} good")
        modes, share = VEEGAN[name]
        best = max(means, key=lambda v: (means[v][0] >= modes, means[v][1]))
        checks += [
            at_least(f"{name}: modes of the best, {best}", modes, float(means[best][0])),
            at_least(f"{name}: good samples of the best", share, float(means[best][1])),
        ]
    remark = f"Means over {n_seeds} seeds. " + "; ".join(told) + "."
    return Outcome(tuple(checks), {"shown": shown}, remark)


def draw(outcome: Outcome) -> Figure:
    """Each variant: data, samples, and what the discriminator says of the plane."""
    from matplotlib.figure import Figure

    shown = outcome.data["shown"]
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(4.2 * across, 4.2 * down), layout="constrained")
    axes = np.ravel(figure.subplots(down, across, squeeze=False))
    for ax, ((name, variant), (gan, X)) in zip(axes, shown.items(), strict=False):
        plot_gan(gan, X, ax)
        ax.set_title(f"{name}: {variant}", fontsize=9)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    return figure


EXPERIMENT = Experiment(
    title="A ring of eight Gaussians, learnt by a GAN",
    rows=(91,),
    claim="At least VEEGAN's 8 modes and 52.9 % good samples",
    source="Srivastava et al. (2017), VEEGAN, table 1",
    run=partial(measure, QUICK, 1),
    draw=draw,
)
