"""
Neighbours predict by steps, or by weights
==========================================

The mean of the five nearest is a staircase; weighted by 1/distance it passes through the points.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.neighbors import KNeighborsRegressor
from kiso.report import house_style

rng = np.random.default_rng(8)
x = np.sort(rng.uniform(0, 6, 32))[:, None]
y = np.cos(x[:, 0]) + rng.normal(0, 0.15, 32)
grid = np.linspace(0, 6, 800)[:, None]

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, colour in (("distance", "C1"), ("uniform", "C0")):
        curve = KNeighborsRegressor(5, weights=name).fit(x, y).predict(grid)
        ax.plot(grid, curve, color=colour, linewidth=1.6, label=f'weights="{name}"')
    ax.scatter(x, y, s=30, color="0.25", edgecolor="white", linewidth=0.6, zorder=3)
    ax.legend(loc="upper center")
    ax.set(xlabel="x", ylabel="y", title="Five neighbours, two ways to listen to them")
    plt.show()
