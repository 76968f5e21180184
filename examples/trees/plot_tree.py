"""
A tree that can be read
=======================

The first three questions a tree asks about a tumour.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer

from kiso.report import house_style
from kiso.tree import DecisionTreeClassifier, plot_tree

data = load_breast_cancer()
model = DecisionTreeClassifier(max_depth=3, random_state=0, min_samples_leaf=8)
model.fit(data.data, data.target_names[data.target])

with house_style():
    figure, ax = plt.subplots(figsize=(10, 5), layout="constrained")
    plot_tree(model, feature_names=data.feature_names, ax=ax)
    ax.set_title(f"{model.get_n_leaves()} leaves name {model.score(data.data, data.target_names[data.target]):.0%} of the tumours rightly")
    plt.show()
