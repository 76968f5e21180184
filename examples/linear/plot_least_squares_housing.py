"""
Least squares on the houses of CS229
====================================

47 houses of Portland: the line that minimises Σ (yᵢ − θᵀxᵢ)², with the residuals as they are.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.datasets import load_portland_housing
from kiso.linear_model import LinearRegression
from kiso.report import house_style

X, y = load_portland_housing()
area, price = X[:, :1], y / 1000  # square feet, thousands of dollars
model = LinearRegression().fit(area, price)
ends = np.array([[area.min()], [area.max()]])

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.vlines(area[:, 0], price, model.predict(area), color="0.75", linewidth=1, zorder=1)
    ax.scatter(area[:, 0], price, s=34, edgecolor="white", linewidth=0.6, zorder=3)
    ax.plot(ends[:, 0], model.predict(ends), color="C1", zorder=2)
    ax.set(
        title=f"A square foot more costs {1000 * model.coef_[0]:.0f} dollars",
        xlabel="living area (square feet)",
        ylabel="price (1000 $)",
    )
    plt.show()
