"""
The centres of digits are digits
================================

Ten centres of 1797 digits, found without their names, and how pure the cluster of each is.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.cluster import KMeans
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
model = KMeans(10, n_init=10, random_state=0).fit(X)
kinds = [np.bincount(y[model.labels_ == j], minlength=10) for j in range(10)]
order = np.argsort([k.argmax() for k in kinds])

with house_style():
    figure, axes = plt.subplots(2, 5, figsize=(7, 3.4), layout="constrained")
    for ax, j in zip(axes.flat, order, strict=True):
        ax.imshow(model.cluster_centers_[j].reshape(8, 8), cmap="Blues")
        ax.set(xticks=[], yticks=[])
        share = kinds[j].max() / kinds[j].sum()
        ax.set_xlabel(f"{kinds[j].argmax()}: {share:.0%}", color="C1" if share < 0.7 else "0.2")
        for spine in ax.spines.values():
            spine.set_visible(False)
    pure = sum(k.max() for k in kinds) / len(y)
    figure.suptitle(f"{pure:.0%} of the digits lie with their kind", x=0.01, ha="left")
    plt.show()
