"""
Would more rows help?
=====================

Accuracy on held-out digits against the number of rows of the fit: a forest gains most from more.
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
    for at, (name, model) in enumerate(models.items()):
        scores = [100 * model.fit(X[:n], y[:n]).score(X[1000:], y[1000:]) for n in sizes]
        ax.plot(sizes, scores, "o-", color=f"C{at}", label=name)
    ax.legend(loc="lower right")
    ax.set(xscale="log", xlabel="rows of the fit", ylabel="right answers (%)")
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    ax.set_title(f"At 1000 rows the SVM leads; at {sizes[0]} all are poor")
    plt.show()
