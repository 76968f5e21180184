"""
The first network of Higham & Higham
====================================

Ten places of an oil field, yes or no, and a network of 23 parameters; the cost along 12,000 steps
of single-sample gradient descent, and what the network then says everywhere.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.losses import SquaredError
from kiso.nn import Network, train
from kiso.optim import GradientDescent
from kiso.report import house_style

x1 = [0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7]
x2 = [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]
X, yes = np.column_stack([x1, x2]), np.arange(10) < 5
Y = np.column_stack([yes, ~yes]).astype(float)
network = Network.dense(
    [2, 2, 3, 2], activation="sigmoid", output="sigmoid", init="normal", random_state=4
)
rule = GradientDescent(3.0)
run = train(network, SquaredError(), (X, Y), rule, n_epochs=1200, batch_size=1, random_state=0)
cost = [state.objective for state in run]
side = np.linspace(0, 1, 150)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
says = network(plane)
says = (says[:, 0] - says[:, 1]).reshape(150, 150)

right_ones = int(((network(X)[:, 0] > 0.5) == yes).sum())

with house_style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
    left.semilogy(cost, linewidth=1)
    left.set(xlabel="epoch of ten steps", ylabel="cost", title=f"The cost falls to {cost[-1]:.4f}")
    right.contourf(side, side, says, levels=[-1, 0, 1], colors=["#f4dccb", "#cfe3f1"])
    right.scatter(*X[yes].T, s=60, marker="o", color="C0", edgecolor="white")
    right.scatter(*X[~yes].T, s=60, marker="X", color="C1", edgecolor="white")
    right.set(
        aspect="equal", title=f"{right_ones} of ten places are right", xlabel="x₁", ylabel="x₂"
    )
    plt.show()
