"""
The perceptron stops at the first line that makes no mistake
============================================================

Rosenblatt's rule moves the line only when a flower is on the wrong side. Where it ends depends on
the order of the flowers: five orders, five lines.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from kiso.linear_model import Perceptron
from kiso.report import house_style

X, y = load_iris(return_X_y=True)
X, y = X[y < 2][:, [0, 2]], y[y < 2]
center = X.mean(axis=0)
models = [
    Perceptron(random_state=seed, tol=None, max_iter=50).fit(X - center, y) for seed in range(5)
]

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    across = np.array([4.1, 7.2])
    for model in models:
        w, b = model.coef_[0], model.intercept_[0]
        ax.plot(across, center[1] - (b + w[0] * (across - center[0])) / w[1], color="0.6")
    for label, name, marker in ((0, "setosa", "o"), (1, "versicolor", "^")):
        ax.scatter(*X[y == label].T, s=36, marker=marker, edgecolor="white", linewidth=0.6)
        ax.text(6.45, 1.35 + 2.0 * label, name, color=f"C{label}")
    ax.set(ylim=(0.6, 5.5), xlabel="sepal length (cm)", ylabel="petal length (cm)")
    wrong = sum(int((m.predict(X - center) != y).sum()) for m in models)
    ax.set_title(f"Five orders, five lines, {wrong} mistakes")
    plt.show()
