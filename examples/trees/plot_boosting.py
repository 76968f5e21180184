"""
Boosting, one tree after the other
==================================

The loss on training and held-out rows after every step, from `staged_predict_proba`, for two
learning rates: small steps overfit later and end lower.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from kiso.ensemble import HistGradientBoostingClassifier
from kiso.report import house_style

X, y = load_breast_cancer(return_X_y=True)
A, B, a, b = train_test_split(X, y, random_state=1)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for rate, colour in ((0.4, "C1"), (0.05, "C0")):
        model = HistGradientBoostingClassifier(learning_rate=rate, max_iter=150).fit(A, a)
        held = [log_loss(b, p) for p in model.staged_predict_proba(B)]
        fitted = [log_loss(a, p) for p in model.staged_predict_proba(A)]
        steps = np.arange(1, len(held) + 1)
        ax.plot(steps, fitted, color=colour, linewidth=1, alpha=0.5, linestyle="--")
        ax.plot(steps, held, color=colour)
        ax.plot(np.argmin(held) + 1, min(held), "o", color=colour, markersize=8)
        ax.text(152, held[-1], f"rate {rate}", color=colour, va="center")
    ax.set(yscale="log", ylim=(3e-4, 0.7), xlim=(0, 180), xlabel="trees", ylabel="log loss")
    ax.set_title("Held-out loss (solid) turns, training loss (dashed) does not")
    plt.show()
