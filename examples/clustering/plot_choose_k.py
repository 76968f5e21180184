"""
How many clusters? The gap says
===============================

Inertia always falls with k; the gap compares it with the inertia of points without clusters, and
the silhouette with the distance to the next cluster.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_blobs

from kiso.cluster import choose_k
from kiso.report import house_style

X, _ = make_blobs(400, centers=5, cluster_std=0.75, random_state=6)
choice = choose_k(X, range(1, 10), random_state=0)

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
    curves = (("inertia φ", choice.inertia), ("silhouette", choice.silhouette), ("gap", choice.gap))
    for ax, (name, values) in zip(axes, curves, strict=True):
        ax.plot(choice.ks, values, "o-", color="0.55")
        at = list(choice.ks).index(choice.k)
        ax.plot(choice.k, values[at], "o", color="C1", markersize=9)
        ax.set(xlabel="k", title=name, xticks=[1, 3, 5, 7, 9])
    figure.suptitle(f"Five heaps were drawn; the gap chooses {choice.k}", x=0.01, ha="left")
    plt.show()
