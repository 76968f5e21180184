"""
Ten classes from one example each
=================================

Strokes compared as sets of points by the modified Hausdorff distance: no training, one example of
every digit.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.few_shot import ModifiedHausdorffClassifier
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
X = X / 16
first = [np.flatnonzero(y == digit)[0] for digit in range(10)]
model = ModifiedHausdorffClassifier(image_shape=(8, 8)).fit(X[first], y[first])
rows = np.arange(100, 500)
answers = model.predict(X[rows])
right = [np.mean(answers[y[rows] == digit] == digit) for digit in range(10)]

with house_style():
    figure = plt.figure(figsize=(7.5, 3.9), layout="constrained")
    top, below = figure.subfigures(2, 1, height_ratios=(1, 1.7))
    for ax, row in zip(top.subplots(1, 10), first, strict=True):
        ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
        ax.axis("off")
    ax = below.subplots()
    ax.bar(range(10), 100 * np.array(right), color="C0", alpha=0.85)
    ax.axhline(10, color="C1", linewidth=1.2)
    ax.text(9.6, 10, "guessing", color="C1", va="center")
    ax.set(
        xticks=range(10), xlabel="digit", ylabel="right answers (%)", ylim=(0, 100), xlim=(-0.6, 11)
    )
    figure.suptitle(
        f"{np.mean(answers == y[rows]):.0%} right from one example each", x=0.01, ha="left"
    )
    plt.show()
