"""
A kernel decides which boundaries there are
===========================================

The same two moons and the same machine, with four kernels.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

from kiso.inspection import plot_decision_regions
from kiso.report import house_style
from kiso.svm import RBF, SVC, Linear

X, y = make_moons(160, noise=0.18, random_state=2)
kernels = {
    "linear": SVC(kernel="linear"),
    "cubic": SVC(kernel="poly", degree=3, coef0=1, gamma=1),
    "Gaussian": SVC(kernel="rbf", gamma=2),
    "linear + Gaussian": SVC(kernel=Linear() + 4 * RBF(gamma=1.0)),
}

with house_style():
    figure, axes = plt.subplots(2, 2, figsize=(7, 5.2), layout="constrained")
    for ax, (name, model) in zip(axes.flat, kernels.items(), strict=True):
        plot_decision_regions(model.fit(X, y), X, y, ax=ax, marker_size=14)
        if ax.get_legend():
            ax.get_legend().remove()
        ax.set(title=f"{name}: {model.score(X, y):.0%} right", xticks=[], yticks=[])
        ax.set(xlabel="", ylabel="")
    plt.show()
