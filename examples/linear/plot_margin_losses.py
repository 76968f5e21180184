"""
What a mistake costs: losses of the margin
==========================================

Classifiers differ in what they pay for a margin m = y·f(x): the number of mistakes is a step, the
others are its convex bounds.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.losses import Hinge, ModifiedHuber, SigmoidCrossEntropy, SquaredHinge
from kiso.report import house_style

margin = np.linspace(-2.2, 2.2, 400)
ones = np.ones_like(margin)
losses = {
    "hinge (SVM)": Hinge(),
    "squared hinge": SquaredHinge(),
    "modified Huber": ModifiedHuber(),
    "cross-entropy (logistic)": SigmoidCrossEntropy(),
}

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.plot(margin, margin <= 0, color="0.5", linewidth=1)
    ax.text(-2.2, 0.45, "mistakes", color="0.4")
    for at, (name, loss) in enumerate(losses.items()):
        values = np.array([loss.value(np.array([m]), np.array([1.0])) for m in margin])
        ax.plot(margin, values, color=f"C{at}", label=name, linestyle="--" if at == 2 else "-")
    ax.legend(loc="upper right")
    ax.axvline(0, color="0.8", linewidth=0.7, zorder=0)
    ax.set(ylim=(-0.15, 8), xlabel="margin m", ylabel="loss")
    ax.set_title("Cross-entropy never quite lets go, the others do")
    plt.show()
