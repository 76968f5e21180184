"""
Thirteen measurements of wine are really a few
==============================================

Variance by component, before and after each measurement is brought to the same scale: without it
one unit of measurement takes all.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from kiso.decomposition import PCA
from kiso.report import house_style

X = load_wine().data
at = range(1, 14)
kinds = {"as measured": X, "standardised": StandardScaler().fit_transform(X)}

with house_style():
    figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.6), sharey=True, layout="constrained")
    for ax, (name, rows), colour in zip(axes, kinds.items(), ("C1", "C0"), strict=True):
        shares = 100 * PCA().fit(rows).explained_variance_ratio_
        ax.bar(at, shares, color=colour, alpha=0.85)
        ax.plot(at, shares.cumsum(), color="0.5", marker=".")
        ax.set(xlabel="component", title=f"{name}: the first holds {shares[0]:.0f} %")
        ax.set_xticks([1, 5, 9, 13])
    axes[0].set_ylabel("variance (%)")
    axes[1].text(9, 84, "sum", color="0.4")
    plt.show()
