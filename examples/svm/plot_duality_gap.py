"""
How far from the best: the duality gap of a fit
===============================================

Primal and dual objective enclose the optimum. `steps` hands out both from round to round, so a fit
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
    gap = [p - d for p, d in zip(primal, dual, strict=True)]
    ax.semilogy(at, gap, "o-", color="0.6", label="gap: primal − dual")
    ax.semilogy(at[:-1], [best - d for d in dual[:-1]], "o-", color="C0", label="optimum − dual")
    ax.legend()
    ax.set(xlabel="steps", ylabel="objective")
    ax.set_title(f"The gap closes to {states[-1].gap:.1e} in {at[-1]} steps")
    plt.show()
