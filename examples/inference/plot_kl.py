"""
KL divergence is not symmetric
==============================

One Gaussian for two heaps: minimising KL(p ‖ q) covers both, minimising KL(q ‖ p) chooses one.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

from kiso.inference import kl_divergence
from kiso.report import house_style

x = np.linspace(-6, 6, 601)
p = 0.6 * norm(-2, 0.7).pdf(x) + 0.4 * norm(2.2, 0.9).pdf(x)
p /= p.sum()
means, widths = np.linspace(-4, 4, 81), np.linspace(0.4, 4, 73)
q = norm(means[:, None, None], widths[:, None]).pdf(x) + 1e-300
q /= q.sum(axis=-1, keepdims=True)
costs = {"KL(p ‖ q)": kl_divergence(p, q), "KL(q ‖ p)": kl_divergence(q, p)}

with house_style():
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
    words = ("covers both heaps", "chooses one heap")
    for ax, (name, cost), colour, word in zip(
        axes, costs.items(), ("C0", "C1"), words, strict=True
    ):
        a, b = np.unravel_index(cost.argmin(), cost.shape)
        ax.fill_between(x, p, color="0.85", linewidth=0)
        ax.plot(x, q[a, b], color=colour)
        ax.set(title=f"{name} {word}", xlabel="x", yticks=[], ylim=(0, None))
        ax.spines["left"].set_visible(False)
    plt.show()
