"""
Would more rows help?
=====================

Accuracy on held-out digits against the number of rows of the fit: the best method depends on how
many there are.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.ensemble import RandomForestClassifier
from kiso.linear_model import LogisticRegression
from kiso.neighbors import KNeighborsClassifier
from kiso.report import house_style
from kiso.svm import SVC

X, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(len(y))
X, y = X[order] / 16, y[order]
sizes = [30, 60, 120, 250, 500, 1000]
models = {
    "SVM": SVC(C=10, gamma=0.6),
    "neighbours": KNeighborsClassifier(3),
    "forest": RandomForestClassifier(100, random_state=0),
    "logistic": LogisticRegression(),
}

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    curves = {}
    for at, (name, model) in enumerate(models.items()):
        scores = [100 * model.fit(X[:n], y[:n]).score(X[1000:], y[1000:]) for n in sizes]
        curves[name] = scores
        ax.plot(sizes, scores, "o-", color=f"C{at}", label=name)
    ax.legend(loc="lower right")
    ax.set(xscale="log", xlabel="rows of the fit", ylabel="right answers (%)")
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    first, last = (max(curves, key=lambda n: curves[n][at]) for at in (0, -1))
    ax.set_title(f"{first} leads at 30 rows, {last} at 1000")
    plt.show()
