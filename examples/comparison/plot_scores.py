"""
Which differences are real
==========================

`compare` on the wines: accuracy of each method over folds, and which cannot be told from the best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

from kiso.comparison import compare
from kiso.report import house_style

models = ["logistic", "linear-svm", "neighbors", "mlp", "baseline"]
table = load_wine(as_frame=True).frame
result = compare(table, "target", models=models, n_repeats=1, n_folds=10, explain=False)
rows = result.models[::-1]

with house_style():
    figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for at, model in enumerate(rows):
        p = model.difference.p_value if model.difference else 1.0
        colour = "C0" if p > 0.05 else "0.6"
        jitter = np.linspace(-0.22, 0.22, len(model.scores))
        ax.scatter(model.scores, at + jitter, s=16, color=colour, alpha=0.5, linewidth=0)
        ax.plot(model.mean, at, "D", color=colour, markersize=9, markeredgecolor="white")
    ax.set_yticks(range(len(rows)), [model.name for model in rows])
    ax.set(xlabel="accuracy of a fold")
    ax.set_title("Blue: not to be told from the best")
    plt.show()
