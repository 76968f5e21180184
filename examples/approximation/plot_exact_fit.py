"""
Through every point, and wrong in between
=========================================

Polynomials of degree 1, 4 and 12 through twelve noisy points: the residual falls to zero, the error
on new points does not.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from kiso.linear_model import LinearRegression
from kiso.report import house_style

rng = np.random.default_rng(7)
x = np.linspace(-1, 1, 12)[:, None]
y = np.sin(2.6 * x[:, 0]) + rng.normal(0, 0.2, 12)
grid = np.linspace(-1.02, 1.02, 400)[:, None]

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), sharey=True, layout="constrained")
    for ax, degree, colour in zip(axes, (1, 4, 11), ("C3", "C0", "C1"), strict=True):
        features = PolynomialFeatures(degree, include_bias=False)
        model = make_pipeline(features, StandardScaler(), LinearRegression()).fit(x, y)
        error = np.sqrt(np.mean((model.predict(grid) - np.sin(2.6 * grid[:, 0])) ** 2))
        ax.plot(grid, np.sin(2.6 * grid), color="0.8", linewidth=4)
        ax.plot(grid, model.predict(grid), color=colour)
        ax.scatter(x, y, s=28, color="0.2", edgecolor="white", linewidth=0.6, zorder=3)
        ax.set(ylim=(-1.9, 1.9), xlabel="x", title=f"degree {degree}: off by {error:.2f}")
    plt.show()
