"""
Staircases: one tree, a forest, boosting
========================================

A regression tree is constant within its boxes; many trees together follow the curve.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from kiso.report import house_style
from kiso.tree import DecisionTreeRegressor

rng = np.random.default_rng(2)
x = np.sort(rng.uniform(0, 6, 200))[:, None]
y = np.sin(x[:, 0]) + 0.3 * np.sin(5 * x[:, 0]) + rng.normal(0, 0.15, 200)
grid = np.linspace(0, 6, 600)[:, None]
models = {
    "one tree, depth 3": DecisionTreeRegressor(max_depth=3),
    "forest of 100": RandomForestRegressor(100, min_samples_leaf=3, random_state=0),
    "boosting, 60 steps": HistGradientBoostingRegressor(max_iter=60, min_samples_leaf=5),
}

with house_style():
    figure, axes = plt.subplots(3, 1, figsize=(6, 5.4), sharex=True, layout="constrained")
    truth = np.sin(grid[:, 0]) + 0.3 * np.sin(5 * grid[:, 0])
    for ax, (name, model), colour in zip(axes, models.items(), ("C1", "C2", "C0"), strict=True):
        curve = model.fit(x, y).predict(grid)
        ax.scatter(x, y, s=9, color="0.75")
        ax.plot(grid, curve, color=colour)
        error = np.sqrt(np.mean((curve - truth) ** 2))
        ax.set(ylabel="y", title=f"{name}: off the truth by {error:.2f}")
    axes[-1].set_xlabel("x")
    plt.show()
