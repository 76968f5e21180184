"""
Good seeds end lower
====================

Where Lloyd's algorithm ends depends on where it starts: φ of 100 runs from random rows and of 100
from k-means++ on 15 heaps.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from kiso.cluster import KMeans
from kiso.report import house_style

X, _ = make_blobs(600, centers=15, cluster_std=0.45, random_state=3)
ends = {
    init: [KMeans(15, init=init, n_init=1, random_state=s).fit(X).inertia_ for s in range(100)]
    for init in ("random", "k-means++")
}
best = min(map(min, ends.values()))

with house_style():
    figure, axes = plt.subplots(
        2, 1, figsize=(6, 4), sharex=True, sharey=True, layout="constrained"
    )
    bins = np.linspace(1, 5, 41)
    for ax, (init, values), colour in zip(axes, ends.items(), ("C1", "C0"), strict=True):
        ax.hist(np.array(values) / best, bins, color=colour)
        good = np.mean(np.array(values) < 1.01 * best)
        ax.set_title(f'init="{init}": {good:.0%} of the runs within 1 % of the best')
        ax.set_ylabel("runs")
    axes[1].set_xlabel("φ at the end / best φ")
    plt.show()
