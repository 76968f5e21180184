"""
A network that is built, not trained
====================================

Tanh units that give sin x on [0, 3], with a bound on the error that is proved beforehand.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.approximation import tanh_function
from kiso.report import house_style

network = tanh_function(np.sin, interval=(0, 3))
x = np.linspace(0, 3, 600)
miss = np.abs(np.ravel(network.network(x[:, None])) - np.sin(x))

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.semilogy(x, np.maximum(miss, 1e-17), linewidth=1.2)
    ax.axhline(network.error_bound[0], color="C1")
    ax.text(0.02, network.error_bound[0] * 1.3, "bound", color="C1")
    ax.set(xlabel="x", ylabel="|network − sin x|")
    ax.set_title(f"{network.n_units} tanh units miss sin x by {miss.max():.0e} at most")
    plt.show()
