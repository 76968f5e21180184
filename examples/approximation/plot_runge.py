"""
Runge's polynomials, and the cure
=================================

1/(1 + 25x²) interpolated at equally spaced points explodes at the ends; at Chebyshev's points it
converges.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.approximation import interpolate
from kiso.report import house_style

x = np.linspace(-1, 1, 1001)


def runge(t):
    return 1 / (1 + 25 * t**2)


with house_style():
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True, layout="constrained")
    for ax, nodes, colour in zip(axes, ("equispaced", "chebyshev"), ("C1", "C0"), strict=True):
        ax.plot(x, runge(x), color="0.75", linewidth=4)
        for degree, width in ((6, 0.9), (14, 2.0)):
            curve = interpolate(runge, degree, nodes=nodes)(x)
            ax.plot(x, curve, color=colour, linewidth=width)
        error = abs(curve - runge(x)).max()
        ax.set(title=f"{nodes}: degree 14 off by {error:.2g}", xlabel="x", ylim=(-1.2, 1.6))
    axes[0].set_ylabel("y")
    plt.show()
