"""
64 pixels, two numbers
======================

The digits on their first two principal components.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from kiso.decomposition import PCA
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
model = PCA(2).fit(X)
Z = model.transform(X)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.8), layout="constrained")
    colours = plt.get_cmap("tab10").colors
    for digit in range(10):
        rows = Z[y == digit]
        ax.scatter(*rows.T, s=9, color=colours[digit], alpha=0.35, linewidth=0)
    for digit in range(10):
        place = Z[y == digit].mean(axis=0)
        ax.text(
            *place, str(digit), fontsize=19, fontweight="bold", ha="center", va="center",
            color=colours[digit],
            bbox={"boxstyle": "circle,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
        )  # fmt: skip
    share = model.explained_variance_ratio_.sum()
    ax.set(xlabel="first component", ylabel="second component")
    ax.set_title(f"Two numbers of 64 hold {share:.0%} of the variance")
    plt.show()
