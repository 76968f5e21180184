"""
Are 80 % right when a model says 80 %?
======================================

Probabilities of a forest and of logistic regression against how often they come true.
"""

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification

from kiso.ensemble import RandomForestClassifier
from kiso.linear_model import LogisticRegression
from kiso.report import house_style

X, y = make_classification(6000, 20, n_informative=6, class_sep=0.6, flip_y=0.1, random_state=0)
models = {
    "logistic": LogisticRegression(),
    "forest of full trees": RandomForestClassifier(60, random_state=0),
}

with house_style():
    figure, ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")
    ax.plot([0, 1], [0, 1], color="0.75", linewidth=1)
    for (name, model), colour in zip(models.items(), ("C0", "C1"), strict=True):
        says = model.fit(X[:3000], y[:3000]).predict_proba(X[3000:])[:, 1]
        true, said = calibration_curve(y[3000:], says, n_bins=10)
        ax.plot(said, true, "o-", color=colour, label=name)
    ax.legend(loc="upper left")
    ax.set(aspect="equal", xlabel="probability said", ylabel="share that came true")
    ax.set_title("A forest is too modest at both ends")
    plt.show()
