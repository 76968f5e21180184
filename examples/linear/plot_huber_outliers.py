"""
Huber's loss does not follow outliers
=====================================

Squares make a far point shout; beyond ε Huber's loss grows only linearly.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.linear_model import SGDRegressor
from kiso.report import house_style

rng = np.random.default_rng(1)
x = rng.uniform(-2, 2, (80, 1))
y = 1.5 * x[:, 0] + rng.normal(0, 0.25, 80)
far = x[:, 0] > 1.4
y[far] -= 7
ends = np.array([[-2.0], [2.0]])
shared = {"alpha": 0, "max_iter": 500, "tol": 1e-6, "random_state": 0}
fits = {
    "squares": SGDRegressor(**shared),
    "Huber, ε = 0.3": SGDRegressor(loss="huber", epsilon=0.3, **shared),
}

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.scatter(x[~far], y[~far], s=26, color="0.6", edgecolor="white", linewidth=0.5)
    ax.scatter(x[far], y[far], s=40, color="C1", marker="X", edgecolor="white", linewidth=0.5)
    ax.text(1.3, -6.9, "spoiled readings", color="C1", ha="right")
    slopes = []
    for (name, model), colour in zip(fits.items(), ("C3", "C0"), strict=True):
        line = model.fit(x, y).predict(ends)
        slopes.append(model.coef_[0])
        ax.plot(ends, line, color=colour)
        ax.text(-1.95, line[0] + (-1.0 if colour == "C0" else 0.5), name, color=colour)
    ax.set(xlabel="x", ylabel="y")
    ax.set_title(f"True slope 1.5; squares say {slopes[0]:.2f}, Huber {slopes[1]:.2f}")
    plt.show()
