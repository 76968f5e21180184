"""
Activations and their slopes
============================

What a unit gives (solid) and what it hands back in back-propagation (dashed): where the slope is
zero nothing is learned.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso import nn
from kiso.report import house_style

kinds = [nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(0.1), nn.GELU(), nn.SiLU()]
x = np.linspace(-4, 4, 321)[:, None]

with house_style():
    figure, axes = plt.subplots(
        2, 3, figsize=(7.5, 4.4), sharex=True, sharey=True, layout="constrained"
    )
    for at, (ax, layer) in enumerate(zip(axes.flat, kinds, strict=True)):
        y, backward = layer.forward(x)
        slope, _ = backward(np.ones_like(y))
        ax.axhline(0, color="0.85", linewidth=0.7, zorder=0)
        ax.axvline(0, color="0.85", linewidth=0.7, zorder=0)
        ax.plot(x, y, color=f"C{at}")
        ax.plot(x, slope, color=f"C{at}", linestyle="--", linewidth=1.2)
        ax.set(title=type(layer).__name__, ylim=(-1.2, 2.2), xticks=[-4, 0, 4])
    plt.show()
