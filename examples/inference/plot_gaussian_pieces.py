"""
Fits that merge
===============

A Gaussian is fitted to each of four pieces of the iris data; merged, they are the fit to all, to
the last digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from kiso.inference import Gaussian
from kiso.report import house_style

X = load_iris().data[:, [0, 2]]
pieces = np.array_split(X[np.random.default_rng(0).permutation(150)], 4)
fits = [Gaussian().fit(piece) for piece in pieces]
merged = fits[0].merge(fits[1]).merge(fits[2]).merge(fits[3])
whole = Gaussian().fit(X)
turn = np.linspace(0, 2 * np.pi, 200)


def ellipse(model):
    root = np.linalg.cholesky(model.covariance_)
    return model.mean_[:, None] + 2 * root @ np.array([np.cos(turn), np.sin(turn)])


with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    for at, (piece, fit) in enumerate(zip(pieces, fits, strict=True)):
        ax.scatter(*piece.T, s=16, color=f"C{at}", alpha=0.7, linewidth=0)
        ax.plot(*ellipse(fit), color=f"C{at}", linewidth=1, alpha=0.8)
    ax.plot(*ellipse(merged), color="0.1", linewidth=2.4)
    gap = abs(merged.covariance_ - whole.covariance_).max()
    ax.set(xlabel="sepal length (cm)", ylabel="petal length (cm)")
    ax.set_title(f"Four fits merged differ from one by {gap:.0e}")
    plt.show()
