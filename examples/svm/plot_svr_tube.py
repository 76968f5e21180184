"""
Support vector regression ignores what lies in its tube
=======================================================

The loss is zero within ±ε of the curve; only points on or outside the tube are support vectors.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.report import house_style
from kiso.svm import SVR

rng = np.random.default_rng(5)
x = np.sort(rng.uniform(-3, 3, 70))[:, None]
y = np.sinc(x[:, 0]) + rng.normal(0, 0.09, 70)
model = SVR(epsilon=0.15, C=5, gamma=0.8).fit(x, y)
grid = np.linspace(-3.1, 3.1, 300)[:, None]
curve = model.predict(grid)
held = np.isin(np.arange(70), model.support_)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.fill_between(grid[:, 0], curve - 0.15, curve + 0.15, color="C0", alpha=0.15, linewidth=0)
    ax.plot(grid, curve)
    ax.scatter(x[~held], y[~held], s=22, color="0.65")
    ax.scatter(x[held], y[held], s=38, color="C1", marker="D", edgecolor="white", linewidth=0.6)
    ax.text(-2.9, 0.95, "support vectors", color="C1")
    ax.set(xlabel="x", ylabel="y")
    ax.set_title(f"{held.sum()} of 70 points shape the curve")
    plt.show()
