"""
What a small convolutional network sees
=======================================

Trained for a few epochs on 1200 digits: what its layers make of one of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso import nn
from kiso.losses import SoftmaxCrossEntropy
from kiso.optim import Adam
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
images = (X / 16).reshape(-1, 1, 8, 8)
network = nn.Network([
    nn.Conv2D.create(1, 6, 3, padding="same", random_state=0), nn.ReLU(), nn.MaxPool(2),
    nn.Conv2D.create(6, 12, 3, padding="same", random_state=1), nn.ReLU(), nn.MaxPool(2),
    nn.Flatten(), nn.Affine.create(48, 10, random_state=2),
])  # fmt: skip
data, loss = (images[:1200], y[:1200]), SoftmaxCrossEntropy()
for _ in nn.train(network, loss, data, Adam(0.005), n_epochs=12, batch_size=32, random_state=0):
    pass
score = np.mean(network(images[1200:]).argmax(axis=1) == y[1200:])

maps, shown = images[1500:1501], []
for layer in network.layers[:6]:
    maps = layer(maps)
    shown.append(maps[0])

with house_style():
    figure, axes = plt.subplots(3, 7, figsize=(8, 3.8), layout="constrained")
    for row, (name, stack) in enumerate(
        zip(("filters", "rectified", "pooled"), shown, strict=False)
    ):
        axes[row, 0].imshow(images[1500, 0], cmap="gray_r")
        axes[row, 0].set_title(name if row else f"a {y[1500]}; {name}")
        for ax, picture in zip(axes[row, 1:], stack, strict=False):
            ax.imshow(picture, cmap="RdBu_r" if row == 0 else "Blues")
    for ax in axes.flat:
        ax.axis("off")
    figure.suptitle(f"{score:.1%} of held-out digits right", x=0.01, ha="left")
    plt.show()
