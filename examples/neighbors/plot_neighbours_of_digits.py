"""
Where neighbours are wrong
==========================

Digits that the three nearest of 1000 others name wrongly, each with those three.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from kiso.neighbors import KNeighborsClassifier
from kiso.report import house_style

X, y = load_digits(return_X_y=True)
model = KNeighborsClassifier(3).fit(X[:1000], y[:1000])
given = model.predict(X[1000:])
wrong = (given != y[1000:]).nonzero()[0]
shown = wrong[:6]
near = model.kneighbors(X[1000:][shown], return_distance=False)

with house_style():
    figure, axes = plt.subplots(4, 6, figsize=(7, 4.9), layout="constrained")
    for column, row in enumerate(shown):
        pictures = [X[1000 + row], *X[near[column]]]
        labels = [f"{y[1000 + row]}, taken for {given[row]}", *y[near[column]]]
        for line, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            ax = axes[line, column]
            ax.imshow(picture.reshape(8, 8), cmap="gray_r")
            ax.set(xticks=[], yticks=[])
            ax.set_xlabel(label, fontsize=9 if line else 8.5, color="C1" if not line else "0.4")
            for spine in ax.spines.values():
                spine.set_visible(not line)
    share = 1 - len(wrong) / len(given)
    figure.suptitle(f"{share:.1%} right; six of the {len(wrong)} others, and their neighbours")
    plt.show()
