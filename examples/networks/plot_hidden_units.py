"""
More hidden units, finer borders
================================

Networks with 2, 6 and 60 hidden units on two spirals.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.inspection import plot_decision_regions
from kiso.neural_network import MLPClassifier
from kiso.report import house_style

rng = np.random.default_rng(0)
angle = np.sqrt(rng.uniform(0.02, 1, 240)) * 2.6 * np.pi
arm = np.column_stack([angle * np.cos(angle), angle * np.sin(angle)]) / 8
X = np.vstack([arm, -arm]) + rng.normal(0, 0.035, (480, 2))
y = np.repeat([0, 1], 240)

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
    for ax, units in zip(axes, (2, 6, 60), strict=True):
        model = MLPClassifier(
            (units, units), activation="tanh", solver="lbfgs", max_iter=600, random_state=1
        ).fit(X, y)  # fmt: skip
        plot_decision_regions(model, X, y, ax=ax, marker_size=9)
        if ax.get_legend():
            ax.get_legend().remove()
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        ax.set_title(f"2 × {units} units: {model.score(X, y):.0%}")
    plt.show()
