"""
The digits a model is most wrong about
======================================

Held-out pictures with the highest loss −log p(truth), and what the model takes them for.
`kiso.inspection.plot_worst_images` draws the same for any classifier of images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from kiso.linear_model import LogisticRegression
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
model = LogisticRegression(C=0.05).fit(X[:1000] / 16, y[:1000])
held, truth = X[1000:] / 16, y[1000:]
p = model.predict_proba(held)
loss = -np.log(p[np.arange(len(truth)), truth])
worst = np.argsort(-loss)[:12]

with house_style():
    figure, axes = plt.subplots(2, 6, figsize=(7.5, 3.4), layout="constrained")
    for ax, row in zip(axes.flat, worst, strict=True):
        ax.imshow(held[row].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
        said = p[row].argmax()
        ax.set_xlabel(f"{truth[row]}, taken for {said}\n({p[row, said]:.0%})", fontsize=10)
        for spine in ax.spines.values():
            spine.set_visible(False)
    wrong = (p.argmax(axis=1) != truth).sum()
    figure.suptitle(f"The worst of {wrong} mistakes in {len(truth)} digits", x=0.01, ha="left")
    plt.show()
