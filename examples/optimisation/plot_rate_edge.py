"""
The edge of stability: η < 2/λ
==============================

Gradient descent on a bowl with curvatures 1 and 10 converges below η = 0.2 and nowhere above.
"""

import matplotlib.pyplot as plt
import numpy as np

from kiso.optim import GradientDescent, Quadratic, descent
from kiso.report import house_style

f = Quadratic([1.0, 10.0])
rates = (0.05, 0.18, 0.199, 0.202)
names = ("slow", "quick", "at the edge", "beyond")

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for at, (rate, name) in enumerate(zip(rates, names, strict=True)):
        run = descent(f, [1.0, 1.0], method=GradientDescent(rate), max_iter=100, tol=0)
        values = np.array([state.value for state in run])
        ax.plot(values, color=f"C{at}")
        place = (101.5, values[-1]) if values[-1] > 1e-9 else (54, 1e-8)
        ax.text(*place, f"η = {rate}: {name}", color=f"C{at}", va="center")
    ax.set(yscale="log", xlim=(0, 145), ylim=(1e-9, 3e4), xlabel="step", ylabel="f")
    ax.set_xticks([0, 25, 50, 75, 100])
    ax.set_title("2/λ = 0.2 divides what converges from what does not")
    plt.show()
