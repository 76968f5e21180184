"""
Bayesian regression knows where it has no data
==============================================

The posterior N(μ, Λ⁻¹) over the weights of a polynomial, and the band of its predictions.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from kiso.linear_model import BayesianLinearRegression
from kiso.report import house_style

rng = np.random.default_rng(4)
x = np.concatenate([rng.uniform(-3, -1, 14), rng.uniform(1.2, 2.4, 10)])[:, None]
y = np.sin(1.4 * x[:, 0]) + rng.normal(0, 0.12, len(x))
grid = np.linspace(-3.6, 3.6, 300)[:, None]

model = make_pipeline(
    PolynomialFeatures(5, include_bias=False),
    BayesianLinearRegression(prior_covariance=0.5, noise_variance=0.12**2),
).fit(x, y)
mean, spread = model.predict(grid, return_std=True)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for times, alpha in ((2, 0.15), (1, 0.25)):
        ax.fill_between(
            grid[:, 0], mean - times * spread, mean + times * spread, alpha=alpha, linewidth=0
        )
    ax.plot(grid, mean, color="C0")
    ax.plot(grid, np.sin(1.4 * grid), color="0.45", linewidth=1, linestyle="--")
    ax.scatter(x, y, s=28, color="C1", edgecolor="white", linewidth=0.6, zorder=3)
    ax.text(-2.9, 0.95, "truth", color="0.35")
    ax.set(ylim=(-2.6, 2.6), xlabel="x", ylabel="y")
    ax.set_title("The band opens where no point holds it")
    plt.show()
