"""
The widest street between two kinds of iris
===========================================

A linear support vector machine with a hard margin: only the flowers on the kerb hold the street.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from kiso.inspection import plot_margin
from kiso.report import house_style
from kiso.svm import SVC

X, y = load_iris(return_X_y=True)
X, y = X[y < 2][:, 2:], y[y < 2]
model = SVC(kernel="linear", C=1e6).fit(X, y)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    plot_margin(model, X, y, ax=ax)
    ax.set(
        title=f"{len(model.support_)} of {len(X)} flowers hold the street",
        xlabel="petal length (cm)",
        ylabel="petal width (cm)",
    )
    plt.show()
