"""
Which differences are real
==========================

Accuracy over ten folds of the wines with the interval of the mean (Nadeau & Bengio 2003), which
allows for the rows that folds share. `kiso compare` does this for every method.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kiso.ensemble import RandomForestClassifier
from kiso.linear_model import LogisticRegression
from kiso.neighbors import KNeighborsClassifier
from kiso.report import house_style
from kiso.svm import SVC
from kiso.tree import DecisionTreeClassifier

X, y = load_wine(return_X_y=True)
X = X + np.random.default_rng(0).normal(0, 0.8 * X.std(axis=0), X.shape)  # poor instruments
models = {
    "tree": DecisionTreeClassifier(random_state=0),
    "neighbours": KNeighborsClassifier(9),
    "forest": RandomForestClassifier(60, random_state=0),
    "SVM": SVC(),
    "logistic": LogisticRegression(),
}
folds = StratifiedKFold(10, shuffle=True, random_state=0)
scores = {
    name: cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=folds)
    for name, model in models.items()
}
order = sorted(scores, key=lambda name: scores[name].mean())

with house_style():
    figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for at, name in enumerate(order):
        value, best = scores[name], scores[order[-1]]
        spread = 2.26 * value.std(ddof=1) * np.sqrt(1 / 10 + 1 / 9)  # Nadeau & Bengio
        colour = "C0" if value.mean() + spread > best.mean() else "0.6"
        ax.plot([value.mean() - spread, value.mean() + spread], [at, at], color=colour)
        ax.scatter(value, at + np.linspace(-0.2, 0.2, 10), s=14, color=colour, alpha=0.5)
        ax.plot(value.mean(), at, "D", color=colour, markersize=9, markeredgecolor="white")
    ax.set_yticks(range(len(order)), order)
    ax.set(xlabel="accuracy of a fold, mean and 95 % interval")
    ax.set_title("Blue: cannot be told from the best")
    plt.show()
