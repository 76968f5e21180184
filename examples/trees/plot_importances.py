"""
What a forest looks at
======================

Impurity that each measurement of wine takes away, over the trees of a forest: mean, and the middle
half of the trees.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

from kiso.ensemble import RandomForestClassifier
from kiso.report import house_style

data = load_wine()
model = RandomForestClassifier(150, random_state=0, oob_score=True).fit(data.data, data.target)
each = np.array([tree.feature_importances_ for tree in model.estimators_])
order = np.argsort(model.feature_importances_)
low, high = np.quantile(each, [0.25, 0.75], axis=0)

with house_style():
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    names = [
        data.feature_names[j].replace("od280/od315_of_diluted_wines", "od280/od315") for j in order
    ]
    ax.hlines(range(13), low[order], high[order], color="0.75", linewidth=4)
    ax.plot(model.feature_importances_[order], range(13), "o", color="C0", markersize=8)
    ax.set_yticks(range(13), [n.replace("_", " ") for n in names])
    ax.set(xlabel="importance", xlim=(0, None))
    ax.set_title(f"Out of bag {model.oob_score_:.1%} right")
    plt.show()
