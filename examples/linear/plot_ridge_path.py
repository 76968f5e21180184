"""
Weight decay shrinks what the data do not hold fast
===================================================

The coefficients of ridge regression, the minimiser of ‖y − Xw‖² + α‖w‖², against α: those of
correlated measurements move most.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from kiso.linear_model import Ridge
from kiso.report import house_style

data = load_diabetes()
X = StandardScaler().fit_transform(data.data)
alphas = np.logspace(-1, 4.5, 60)
path = np.array([Ridge(alpha=a).fit(X, data.target).coef_ for a in alphas])
shown = {"bmi": "C0", "s5": "C2", "bp": "C3", "s1": "C1", "s2": "C5"}

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, weights in zip(data.feature_names, path.T, strict=True):
        ax.plot(alphas, weights, color=shown.get(name, "0.8"), zorder=2 + (name in shown))
        if name in shown:
            side = weights[0] + {"s2": -3.0, "bmi": 2.0}.get(name, 0)
            ax.text(0.085, side, name, color=shown[name], ha="right", va="center")
    ax.axhline(0, color="0.5", linewidth=0.7)
    ax.set(
        xscale="log", xlim=(0.035, alphas[-1]), xlabel="penalty α", ylabel="coefficient w",
        title="Two opposite giants, s1 and s2, vanish first",
    )  # fmt: skip
    plt.show()
