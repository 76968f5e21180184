"""
Stop when held-out rows say so
==============================

A large network on few digits: training loss goes on falling, validation loss turns. `train` is a
generator, so the loop is yours; it can also stop by itself (`patience=`).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.losses import SoftmaxCrossEntropy
from kiso.nn import Network, train
from kiso.optim import Adam
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
X = X / 16 + np.random.default_rng(0).normal(0, 0.25, X.shape)
fit, held = (X[:250], y[:250]), (X[250:1000], y[250:1000])
network = Network.dense([64, 100, 10], activation="relu", init="he", random_state=0)
loss, curves = SoftmaxCrossEntropy(), []
run = train(network, loss, fit, Adam(0.002), n_epochs=80, batch_size=50, random_state=0)
for _ in run:  # one state an epoch
    losses = [loss.value(network(rows), labels) for rows, labels in (fit, held)]
    curves += [losses]
curves = np.array(curves)
best = curves[:, 1].argmin()

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = np.arange(1, len(curves) + 1) * 80 / len(curves)
    ax.plot(epochs, curves[:, 0], color="0.6")
    ax.plot(epochs, curves[:, 1], color="C0")
    ax.plot(epochs[best], curves[best, 1], "o", color="C1", markersize=9)
    ax.text(8, 0.06, "rows of the fit", color="0.4")
    ax.text(80, curves[-1, 1] * 1.08, "held-out rows", color="C0", ha="right", va="bottom")
    ax.set(yscale="log", xlabel="epoch", ylabel="cross-entropy")
    ax.set_title(f"Held-out rows would have stopped at epoch {epochs[best]:.0f}")
    plt.show()
