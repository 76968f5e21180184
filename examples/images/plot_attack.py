"""
A picture that is changed by a fifth of grey
============================================

One step along the sign of the input's gradient (FGSM) turns the answers of a network that was
97 % right. Noise of the same size does not.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.adversarial import fgsm
from kiso.neural_network import MLPClassifier
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
X = X / 16
model = MLPClassifier((64,), max_iter=200, tol=1e-2, n_iter_no_change=5, random_state=0)
model.fit(X[:1200], y[:1200])
held, names = X[1200:], y[1200:]
sizes = np.linspace(0, 0.3, 7)
rng = np.random.default_rng(0)
hit = [np.mean(model.predict(fgsm(model, held, names, eps=e).images) == names) for e in sizes]
noise = [np.mean(model.predict(held + e * rng.choice([-1, 1], held.shape)) == names) for e in sizes]
attack = fgsm(model, held, names, eps=0.2)
shown = np.flatnonzero(attack.success)[:5]

with house_style():
    figure = plt.figure(figsize=(8, 3.8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    ax = left.subplots()
    ax.plot(sizes, 100 * np.array(noise), color="0.6")
    ax.plot(sizes, 100 * np.array(hit), color="C1")
    ax.text(0.29, 100 * noise[-1] - 9, "noise", color="0.4", ha="right")
    ax.text(0.17, 100 * hit[3] + 6, "FGSM", color="C1")
    ax.set(xlabel="size of the change ε", ylabel="right answers (%)", ylim=(0, 102))
    for column, axes in enumerate(right.subplots(2, 5).T):
        row = shown[column]
        pairs = ((held, model.predict(held[[row]])[0]), (attack.images, attack.after[row]))
        for ax, (images, says) in zip(axes, pairs, strict=True):
            ax.imshow(np.reshape(images[row], (8, 8)), cmap="gray_r", vmin=0, vmax=1)
            ax.set_title(str(says), loc="center", color="C1" if says != names[row] else "C0")
            ax.axis("off")
    plt.show()
