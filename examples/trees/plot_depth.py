"""
A tree cuts the plane into boxes
================================

Deeper trees cut finer: regions of three depths on two measurements of iris.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from kiso.inspection import plot_decision_regions
from kiso.report import house_style
from kiso.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)
X = X[:, :2]

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), sharey=True, layout="constrained")
    for ax, depth in zip(axes, (2, 4, 12), strict=True):
        model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
        plot_decision_regions(model, X, y, ax=ax, marker_size=13)
        if ax.get_legend():
            ax.get_legend().remove()
        ax.set(xlabel="sepal length (cm)", ylabel="sepal width (cm)" if depth == 2 else "")
        ax.set_title(f"depth {depth}: {model.get_n_leaves()} boxes")
    plt.show()
