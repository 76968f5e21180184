"""Clustering finds groups without labels; which groups is not always a question with one answer.

Blobs that lie apart are found as they were made. But red cars, grey cars, red trucks and
grey trucks fall into two groups in two ways, by colour and by kind, and the sum of squares
does not say which of them was meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from kiso.cluster import KMeans, plot_clusters
from kiso.experiments import Check, Experiment, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_BLOBS = 5
CORNERS = np.array([[0.0, 0.0], [0.0, 6.0], [6.0, 0.0], [6.0, 6.0]])  # kind × colour


def run(seed: int) -> Outcome:
    """Cluster blobs, and a square of four groups into two from both starts."""
    blobs, truth = make_blobs(1000, centers=blob_centers(seed), cluster_std=0.5, random_state=seed)
    found = KMeans(N_BLOBS, n_init=5, random_state=seed).fit(blobs)
    rng = np.random.default_rng(seed)
    square = np.repeat(CORNERS, 100, axis=0) + rng.standard_normal((400, 2))
    by_kind = KMeans(2, init=[[0.0, 3.0], [6.0, 3.0]], n_init=1).fit(square)
    by_colour = KMeans(2, init=[[3.0, 0.0], [3.0, 6.0]], n_init=1).fit(square)
    between = adjusted_rand_score(by_kind.labels_, by_colour.labels_)
    gap = abs(by_kind.inertia_ / by_colour.inertia_ - 1)
    return Outcome(
        checks(adjusted_rand_score(truth, found.labels_), between, gap),
        {"blobs": blobs, "found": found, "square": square, "two": (by_kind, by_colour)},
        "Both answers for the square are fixed points of k-means, with the same φ to within "
        "noise: the data alone do not decide.",
    )


def blob_centers(seed: int) -> np.ndarray:
    """Give centres on a circle, turned at random: ten standard deviations apart at least."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(5) / N_BLOBS
    return 6 * np.column_stack([np.cos(angle), np.sin(angle)])


def checks(agreement: float, between: float, gap: float) -> tuple[Check, ...]:
    """Judge: blobs exactly, and two answers to the square that are equally good."""
    return (
        Check("adjusted Rand index on blobs", "1", agreement, agreement == 1.0),
        Check("agreement of the two answers for the square", "≈ 0 (< 0.1)", between, between < 0.1),
        Check("relative difference of their φ", "≤ 0.1", gap, gap <= 0.1),
    )


def draw(outcome: Outcome) -> Figure:
    """Left: the blobs. Middle and right: the square, by kind and by colour."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    axes = figure.subplots(1, 3)
    plot_clusters(outcome.data["blobs"], outcome.data["found"], axes[0])
    axes[0].set_title("Blobs: found as they were made")
    for ax, model, name in zip(
        axes[1:], outcome.data["two"], ("cars | trucks", "red | grey"), strict=True
    ):
        plot_clusters(outcome.data["square"], model, ax)
        ax.set(title=f"{name}: φ = {model.inertia_:.0f}", xlabel="kind", ylabel="colour")
    return figure


EXPERIMENT = Experiment(
    title="Clustering: blobs are found, a square has two answers",
    rows=(16,),
    claim="k-means recovers separated groups exactly (adjusted Rand index 1); the task is "
    "ill-posed where several groupings are equally good",
    source="notes A p. 16; Goodfellow, Bengio & Courville, Deep Learning, 5.8.2",
    run=run,
    draw=draw,
)
