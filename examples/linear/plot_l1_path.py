"""
An L1 penalty names the measurements that matter
================================================

Logistic regression on 30 measurements of tumours: the weaker the penalty (the larger C), the more
coefficients are not zero.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from kiso.linear_model import LogisticRegression
from kiso.report import house_style

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
strengths = np.logspace(-2.4, 0, 30)
path = []
for C in strengths:
    model = LogisticRegression(C=C, l1_ratio=1.0, solver="saga", max_iter=2000)
    path.append(model.fit(X, data.target).coef_[0])
path = np.array(path)
first = np.argsort((path != 0).argmax(axis=0) + 99 * (path == 0).all(axis=0))[:3]

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.plot(strengths, path, color="0.8", linewidth=1)
    for order, feature in enumerate(first):
        ax.plot(strengths, path[:, feature], color=f"C{order}", linewidth=2.2)
        ax.text(
            1.08, path[-1, feature], data.feature_names[feature], color=f"C{order}", va="center"
        )
    ax.axhline(0, color="0.5", linewidth=0.7)
    ax.set(xscale="log", xlim=(strengths[0], 1.0), xlabel="C", ylabel="coefficient")
    counts = (path != 0).sum(axis=1)
    ax.set_title(f"{counts[0]} measurements at C = {strengths[0]:.3f}, {counts[-1]} at C = 1")
    plt.show()
