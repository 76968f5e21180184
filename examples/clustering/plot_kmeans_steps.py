"""
k-means, one step after the other
=================================

Lloyd's algorithm assigns rows to their nearest centre, then moves each centre to the mean of its
rows. `steps` hands out the state after each iteration: φ = Σ min ‖x − c‖² never rises.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from kiso.cluster import KMeans, LloydState
from kiso.report import house_style

X = load_iris().data[:, 2:]  # length and width of the petals, cm
model = KMeans(3, init="random", n_init=1, random_state=3)
states = [s for s in model.steps(X) if isinstance(s, LloydState)]

# %%
# The first, the second and the last iteration.

with house_style():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharex=True, sharey=True, layout="tight")
    for ax, state in zip(axes, (states[0], states[1], states[-1]), strict=True):
        for label in range(3):
            ax.scatter(*X[state.labels == label].T, s=22, edgecolor="white", linewidth=0.5)
        ax.scatter(*state.centers.T, marker="X", s=110, color="black", edgecolor="white")
        ax.set(title=f"step {state.n_iter}: φ = {state.inertia:.1f}", xlabel="petal length (cm)")
    axes[0].set_ylabel("petal width (cm)")
    plt.show()
