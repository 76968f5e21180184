"""
In many dimensions all points are equally far
=============================================

Distances from a point to 500 others, drawn evenly in a cube of d dimensions and divided by their
mean: the nearest is no longer near.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.neighbors import NearestNeighbors
from kiso.report import house_style

rng = np.random.default_rng(0)
with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    bins = np.linspace(0, 2.4, 90)
    for at, d in enumerate((2, 10, 100, 1000)):
        X = rng.random((501, d))
        distances, _ = NearestNeighbors(n_neighbors=500).fit(X[1:]).kneighbors(X[:1])
        share, edges = np.histogram(distances[0] / distances.mean(), bins, density=True)
        smooth = np.convolve(share, np.hanning(7) / np.hanning(7).sum(), mode="same")
        middle, height = (edges[1:] + edges[:-1]) / 2, smooth / smooth.max()
        ax.fill_between(middle, -at, -at + 0.9 * height, color=f"C{at}", alpha=0.35, linewidth=0)
        ax.plot(middle, -at + 0.9 * height, color=f"C{at}")
        contrast = distances.min() / distances.mean()
        ax.text(2.4, -at + 0.55, f"d = {d}: nearest {contrast:.2f}", color=f"C{at}", ha="right")
    ax.set(yticks=[], xlim=(0, 2.4), xlabel="distance / mean distance")
    ax.spines["left"].set_visible(False)
    ax.set_title("The nearest neighbour moves to the mean")
    plt.show()
