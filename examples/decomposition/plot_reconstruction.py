"""
A digit from its first components
=================================

Mean + Σ zₖ vₖ with more and more components.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.decomposition import PCA
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
rows = [np.flatnonzero(y == digit)[5] for digit in (3, 5, 8)]
counts = (1, 4, 10, 20, 64)

with house_style():
    figure, axes = plt.subplots(3, 5, figsize=(7, 4.4), layout="constrained")
    for column, count in enumerate(counts):
        model = PCA(count).fit(X)
        back = model.inverse_transform(model.transform(X))
        lost = ((X - back) ** 2).sum() / ((X - X.mean(axis=0)) ** 2).sum()
        for ax, row in zip(axes[:, column], rows, strict=True):
            ax.imshow(back[row].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            ax.axis("off")
        axes[0, column].set_title(f"{count}\n{1 - lost:.0%}", loc="center")
    figure.suptitle("Components, and the variance that they hold", x=0.01, ha="left")
    plt.show()
