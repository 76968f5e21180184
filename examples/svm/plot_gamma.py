"""
Too narrow a kernel learns points by heart
==========================================

exp(−γ‖x − x'‖²) with γ over four orders of magnitude: right answers on the rows of the fit, and on
held-out rows of the digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from kiso.report import house_style
from kiso.svm import SVC

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=500, random_state=0, stratify=y
)
gammas = np.logspace(-3.5, 1, 14)
models = [SVC(gamma=g, C=10).fit(X_train, y_train) for g in gammas]
train = [100 * m.score(X_train, y_train) for m in models]
test = [100 * m.score(X_test, y_test) for m in models]
best = int(np.argmax(test))

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    ax.plot(gammas, train, "o-", color="0.6")
    ax.plot(gammas, test, "o-", color="C0")
    ax.text(gammas[-1], 92, "rows of the fit", color="0.4", ha="right")
    ax.text(gammas[-1], test[-1] + 12, "held-out rows", color="C0", ha="right")
    ax.axvline(gammas[best], color="0.8", linewidth=1, zorder=0)
    ax.set(xscale="log", ylim=(0, 104), xlabel="γ", ylabel="right answers (%)")
    ax.set_title(f"Best at γ = {gammas[best]:.2g}: {test[best]:.1f} % of held-out digits")
    plt.show()
