"""
A few thousand rows are enough: mini-batches
============================================

The inertia on held-out digits while `MiniBatchKMeans` reads 64 rows at a time.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.cluster import KMeans, MiniBatchKMeans
from kiso.report import house_style

X, _ = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
X = X[rng.permutation(len(X))]
seen, held = X[:1500], X[1500:]
model = MiniBatchKMeans(10, random_state=0)
curve = []
for _ in range(80):
    model.partial_fit(seen[rng.integers(0, 1500, 64)])
    curve.append(-model.score(held) / len(held))
whole = -KMeans(10, n_init=5, random_state=0).fit(seen).score(held) / len(held)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    rows = 64 * np.arange(1, 81)
    ax.plot(rows, curve)
    ax.axhline(whole, color="C1", linewidth=1.2)
    ax.text(rows[-1], whole - 2, "k-means on all rows", color="C1", ha="right", va="top")
    ax.set(xlabel="rows read", ylabel="mean squared distance, held-out rows")
    ax.set_ylim(whole - 25, None)
    ax.set_title(f"After {rows[-1]} rows {100 * (curve[-1] / whole - 1):.1f} % above k-means")
    plt.show()
