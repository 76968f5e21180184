"""
One class: where typical flowers lie
====================================

A one-class machine is shown setosa alone, and draws a border that leaves out a share ν of it. The
other kinds, never seen, lie outside.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from kiso.report import house_style
from kiso.svm import OneClassSVM

X, y = load_iris(return_X_y=True)
X = X[:, [0, 1]]
model = OneClassSVM(nu=0.1, gamma=1.5).fit(X[y == 0])
a, b = np.meshgrid(np.linspace(4, 8, 160), np.linspace(1.8, 4.6, 160))
score = model.decision_function(np.column_stack([a.ravel(), b.ravel()])).reshape(a.shape)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.contourf(a, b, score, levels=np.linspace(0, score.max(), 7), cmap="Blues", alpha=0.7)
    ax.contour(a, b, score, levels=[0], colors="C0")
    ax.scatter(*X[y == 0].T, s=30, color="C0", edgecolor="white", linewidth=0.6)
    ax.scatter(*X[y > 0].T, s=20, color="C1", marker="^", alpha=0.7, linewidth=0)
    out = np.mean(model.predict(X[y > 0]) == -1)
    ax.text(4.05, 4.35, "setosa", color="C0")
    ax.text(6.9, 4.1, "other kinds", color="C1")
    ax.set(xlabel="sepal length (cm)", ylabel="sepal width (cm)")
    ax.set_title(f"{out:.0%} of what was never seen lies outside")
    plt.show()
