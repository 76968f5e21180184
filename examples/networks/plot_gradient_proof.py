"""
A gradient is proved by a slope of two
======================================

If g is the gradient, f(x + εv) − f(x) − ε gᵀv falls as ε²; with a mistake in g it falls only as ε.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.losses import SquaredError
from kiso.nn import Network
from kiso.report import house_style

rng = np.random.default_rng(0)
network = Network.dense([3, 8, 2], random_state=0)
x, y, v = rng.normal(size=(10, 3)), rng.normal(size=(10, 2)), rng.normal(size=(10, 3))
loss = SquaredError()


def cost(inputs):
    return loss.value(network(inputs), y)


out, backward = network.forward(x)
gradient, _ = backward(loss.gradient(out, y))
wrong = gradient * np.array([1, 1, 1.5])
sizes = np.logspace(-5, 0, 26)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, g, colour in (
        ("wrong in one input", wrong, "C1"),
        ("back-propagation", gradient, "C0"),
    ):
        rest = [abs(cost(x + e * v) - cost(x) - e * np.sum(g * v)) for e in sizes]
        slope = np.polyfit(np.log(sizes[:12]), np.log(rest[:12]), 1)[0]
        ax.loglog(sizes, rest, "o-", color=colour, markersize=4, label=f"{name}: slope {slope:.2f}")
    ax.legend(loc="lower right")
    ax.set(xlabel="step ε", ylabel="what the gradient misses")
    ax.set_title("A right gradient leaves ε², a wrong one leaves ε")
    plt.show()
