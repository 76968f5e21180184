"""
PCA turns an ellipse into a circle
==================================

The axes of the cloud, the same cloud along its axes, and with unit variance along each.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from kiso.decomposition import PCA
from kiso.report import house_style

X = load_iris().data[50:, [0, 2]]
X = X - X.mean(axis=0)
plain, white = PCA(2).fit(X), PCA(2, whiten=True).fit(X)
views = {"measured": X, "rotated": plain.transform(X), "whitened": white.transform(X)}

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
    for ax, (name, Z) in zip(axes, views.items(), strict=True):
        ax.scatter(*Z.T, s=16, alpha=0.6, linewidth=0)
        values, axes_of = np.linalg.eigh(np.cov(Z.T))
        for value, axis, colour in zip(values, axes_of.T, ("C2", "C1"), strict=True):
            end = 2 * np.sqrt(value) * axis
            ax.plot(*np.array([-end, end]).T, color=colour, linewidth=2.2)
        r = np.corrcoef(Z.T)[0, 1]
        ax.set(title=f"{name}: r = {abs(r):.2f}", aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
    plt.show()
