"""
A tree that can be read
=======================

The first questions a tree asks about a tumour.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from kiso.report import house_style
from kiso.tree import DecisionTreeClassifier, plot_tree

data = load_breast_cancer()
model = DecisionTreeClassifier(max_depth=2, random_state=0, min_samples_leaf=8)
model.fit(data.data, data.target_names[data.target])

with house_style():
    figure, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    plot_tree(model, feature_names=data.feature_names, ax=ax)
    share = model.score(data.data, data.target_names[data.target])
    ax.set_title(f"{model.get_n_leaves()} leaves are right for {share:.0%} of the tumours")
    plt.show()
