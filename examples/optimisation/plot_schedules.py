"""
Schedules of the learning rate
==============================

What `kiso.optim` offers: each is a function from the step to the rate.
"""

import matplotlib.pyplot as plt

from kiso.optim import Cosine, InverseTime, OneCycle, StepDecay, WarmUp
from kiso.report import house_style

schedules = {
    "inverse time": InverseTime(0.1, tau=20),
    "steps": StepDecay(0.1, every=35, factor=0.4),
    "cosine": Cosine(0.1, n_steps=100),
    "one cycle": OneCycle(0.1, n_steps=100),
    "warm-up, then cosine": WarmUp(Cosine(0.1, n_steps=100), n_steps=15),
}

with house_style():
    figure, axes = plt.subplots(5, 1, figsize=(6, 5.2), sharex=True, layout="constrained")
    for at, (ax, (name, schedule)) in enumerate(zip(axes, schedules.items(), strict=True)):
        rates = [schedule(step) for step in range(101)]
        ax.fill_between(range(101), rates, color=f"C{at}", alpha=0.2, linewidth=0)
        ax.plot(rates, color=f"C{at}")
        ax.text(100, 0.075, name, color=f"C{at}", ha="right")
        ax.set(ylim=(0, 0.115), yticks=[0, 0.1])
    axes[-1].set_xlabel("step")
    axes[0].set_title("Five ways to let η fall")
    plt.show()
