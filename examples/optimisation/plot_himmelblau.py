"""
Four minima: where a start leads
================================

Which of the four minima of Himmelblau's function L-BFGS finds, for starts all over the plane.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from kiso.optim import Himmelblau, minimize
from kiso.report import house_style

f = Himmelblau()
minima = np.array([[3, 2], [-2.805, 3.131], [-3.779, -3.283], [3.584, -1.848]])
axis = np.linspace(-5, 5, 41)
ends = np.array([[minimize(f, [a, b], tol=1e-3).x for a in axis] for b in axis])
which = np.linalg.norm(ends[:, :, None] - minima, axis=-1).argmin(axis=-1)

with house_style():
    figure, ax = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
    colours = ListedColormap(["#cfe3f1", "#f4dccb", "#cde6de", "#ecd6e8"])
    ax.pcolormesh(axis, axis, which, cmap=colours, shading="nearest")
    a, b = np.meshgrid(np.linspace(-5, 5, 120), np.linspace(-5, 5, 120))
    height = (a**2 + b - 11) ** 2 + (a + b**2 - 7) ** 2
    ax.contour(a, b, np.log1p(height), 14, colors="0.35", linewidths=0.5)
    for at, place in enumerate(minima):
        ax.plot(*place, "*", color=f"C{at}", markersize=17, markeredgecolor="white")
    ax.set(title="Neighbouring starts may part", xlabel="x₁", ylabel="x₂", aspect="equal")
    plt.show()
