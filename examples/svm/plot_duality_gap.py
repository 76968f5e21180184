"""
How far from the best: the duality gap of a fit
===============================================

Primal and dual objective enclose the optimum. `steps` hands out both after every round, so a fit
says how good it is, not only that it stopped.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from kiso.report import house_style
from kiso.svm import SVC

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
states = list(SVC(C=1.0, tol=1e-5).steps(X, data.target))
at = [s.n_iter for s in states]
best = states[-1].dual

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    primal, dual = [s.primal for s in states], [s.dual for s in states]
    ax.fill_between(at, dual, primal, color="0.92", linewidth=0)
    ax.plot(at, primal, ".-", color="C1")
    ax.plot(at, dual, ".-", color="C0")
    late = len(at) // 3
    ax.text(at[late], primal[late] + 4, "primal", color="C1", va="bottom")
    ax.text(at[late], dual[late] - 4, "dual", color="C0", va="top")
    ax.set(ylim=(best - 60, best + 90), xlabel="round", ylabel="objective")
    ax.set_title(f"The gap closes to {states[-1].gap:.1e} in {at[-1]} rounds")
    plt.show()
