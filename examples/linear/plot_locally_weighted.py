"""
One line for each question: locally weighted regression
=======================================================

A line is fitted anew for every x, with weights exp(−(xᵢ − x)²/2τ²). The bandwidth τ decides how
much of the data a question sees; ``tau="loo"`` takes the best by leaving one out.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.linear_model import LocallyWeightedRegression
from kiso.report import house_style

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 10, 90))[:, None]
y = np.sin(x[:, 0]) * np.exp(x[:, 0] / 12) + rng.normal(0, 0.28, 90)
grid = np.linspace(0, 10, 400)[:, None]

best = LocallyWeightedRegression().fit(x, y)
choices = (("τ = 0.08: noise", 0.08), (f"τ = {best.tau_:.2f}: chosen", "loo"), ("τ = 3", 3.0))

with house_style():
    figure, axes = plt.subplots(3, 1, figsize=(6, 5.4), sharex=True, layout="constrained")
    for ax, (name, tau), colour in zip(axes, choices, ("C1", "C0", "C3"), strict=True):
        curve = LocallyWeightedRegression(tau=tau).fit(x, y).predict(grid)
        ax.scatter(x, y, s=16, color="0.72")
        ax.plot(grid, curve, color=colour)
        ax.set(ylim=(-2.6, 2.9), ylabel="y", title=name)
    axes[-1].set_xlabel("x")
    plt.show()
