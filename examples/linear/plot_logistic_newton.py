"""
Logistic regression walks to its boundary
=========================================

Newton's method on −log likelihood of benign and malignant tumours: the line of p = ½ after each
step, from `steps`.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from kiso.linear_model import LogisticRegression
from kiso.report import house_style

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data[:, [0, 1]])  # mean radius and mean texture
model = LogisticRegression(solver="newton-cholesky", C=100)
lines = []
for state in model.steps(X, data.target):
    *w, b = state.theta[:, 0]  # the intercept stands last
    if np.any(w):
        lines.append((state.objective, w, b))

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    for label, colour, marker in ((1, "C0", "o"), (0, "C1", "^")):
        rows = X[data.target == label]
        ax.scatter(*rows.T, s=22, color=colour, marker=marker, alpha=0.45, linewidth=0)
    across = np.array([-2.2, 4.0])
    for at, (_, w, b) in enumerate(lines):
        shade = 0.8 - 0.8 * at / max(len(lines) - 1, 1)
        ax.plot(across, -(b + w[0] * across) / w[1], color=str(shade), linewidth=1.6)
    ax.text(-1.9, 3.5, "benign", color="C0")
    ax.text(2.6, 3.2, "malignant", color="C1")
    ax.set(xlim=(-2.2, 4.1), ylim=(-2.4, 4.2), xlabel="mean radius (standardised)")
    ax.set_ylabel("mean texture (standardised)")
    ax.set_title(f"{len(lines)} Newton steps; the last lines coincide")
    plt.show()
