"""
What ten throws say about a coin
================================

The posterior of the probability of heads after 1, 3, 10 and 100 throws, from a uniform prior.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import beta

from kiso.inference import BetaBernoulli
from kiso.report import house_style

throws = np.random.default_rng(3).random(100) < 0.7
p = np.linspace(0, 1, 400)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for at, n in enumerate((1, 3, 10, 100)):
        after = BetaBernoulli().posterior(throws[:n])
        density = beta(after.a, after.b).pdf(p)
        low, high = after.credible_interval()
        ax.fill_between(p, -at, -at + 0.9 * density / density.max(), color=f"C{at}", alpha=0.3)
        ax.plot(p, -at + 0.9 * density / density.max(), color=f"C{at}")
        ax.text(1.03, -at + 0.2, f"n = {n}: {low:.2f} – {high:.2f}", color=f"C{at}")
    ax.axvline(0.7, color="0.4", linewidth=1, linestyle="--")
    ax.set(yticks=[], xticks=[0, 0.5, 1], xlim=(0, 1.5), xlabel="probability of heads")
    ax.spines["left"].set_visible(False)
    ax.set_title("The 95 % interval closes around the truth, 0.7")
    plt.show()
