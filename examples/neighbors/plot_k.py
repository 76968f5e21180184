"""
One neighbour remembers, many neighbours smooth
===============================================

The regions of k-nearest neighbours on two measurements of wines.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from kiso.inspection import plot_decision_regions
from kiso.neighbors import KNeighborsClassifier
from kiso.report import house_style

data = load_wine()
X = StandardScaler().fit_transform(data.data[:, [6, 12]])  # flavanoids and proline

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained", sharey=True)
    for ax, k in zip(axes, (1, 9, 60), strict=True):
        model = KNeighborsClassifier(k).fit(X, data.target)
        plot_decision_regions(model, X, data.target, ax=ax, marker_size=14)
        if ax.get_legend():
            ax.get_legend().remove()
        ax.set(xlabel="flavanoids", ylabel="proline" if k == 1 else "")
        ax.set_title(f"k = {k}: {model.score(X, data.target):.0%} of its own rows")
    plt.show()
