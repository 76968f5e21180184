"""
Ways through Rosenbrock's valley
================================

Gradient descent crawls along the floor, momentum swings, Newton's method jumps.
"""

import matplotlib.pyplot as plt

from kiso.optim import Adam, Momentum, Rosenbrock, descent, plot_trajectories
from kiso.report import house_style

f = Rosenbrock()
start = [-1.4, 2.0]
methods = {"Adam": Adam(0.05), "momentum": Momentum(4e-4), "Newton": "newton"}
runs = {
    name: list(descent(f, start, method=method, max_iter=4000)) for name, method in methods.items()
}
named = {f"{name}: {len(states) - 1} steps": states for name, states in runs.items()}

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.4), layout="constrained")
    plot_trajectories(f, named, ax=ax, xlim=(-1.8, 1.6), ylim=(-0.8, 2.6))
    ax.set(title="One valley, three ways to the minimum", xlabel="x₁", ylabel="x₂")
    plt.show()
