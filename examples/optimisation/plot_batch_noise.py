"""
Small batches are noisy and fast
================================

The same 6000 gradients of single rows, taken one, ten or a hundred at a time.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from kiso.optim import GradientDescent, stochastic_descent, without_replacement
from kiso.report import house_style

data = load_diabetes()
X = StandardScaler().fit_transform(data.data)
y = (data.target - data.target.mean()) / data.target.std()
best = np.mean((X @ np.linalg.lstsq(X, y, rcond=None)[0] - y) ** 2) / 2


def loss(w, rows):
    gap = X[rows] @ w - y[rows]
    return gap @ gap / 2 / len(gap), X[rows].T @ gap / len(gap)


with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for size, colour in ((1, "C1"), (10, "C2"), (100, "C0")):
        batches = without_replacement(len(X), size, n_epochs=14, random_state=0)
        run = stochastic_descent(loss, np.zeros(10), batches, GradientDescent(0.02), every=1)
        excess = [loss(s.params, slice(None))[0] - best for s in run]
        rows = size * np.arange(1, len(excess) + 1)
        ax.plot(rows, excess, color=colour, linewidth=0.8 if size == 1 else 1.8)
        place = {1: 0.05, 10: excess[-1], 100: 0.011}[size]
        ax.text(6450, place, f"{size} a step", color=colour, va="center")
    ax.set(yscale="log", xlim=(0, 7900), xlabel="rows read", ylabel="mean loss above the least")
    ax.set_title("Single rows arrive first, and then stay in noise")
    plt.show()
